//! Owns the place of a story: its folders, its files, its programs, its clock.
//! Does not know commands (`commands`) nor what is expected of them (`claims`).

use crate::support::process::send;
use crate::support::seen::Seen;
use crate::support::text::{diff, unindent};
use crate::support::tools::{ansible_folder, find_program};
use crate::support::tree::copy;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// 2026-01-01, where stories with a clock of their own begin, in milliseconds.
pub const NEW_YEAR: i64 = 1_767_225_600_000;

/// A project in a folder of its own, and what was done in it last.
pub struct Story {
    pub(super) base: TempDir,
    pub(super) inner: RefCell<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    /// Set on top of the cleared environment.
    pub(super) env: BTreeMap<String, String>,
    pub(super) path: Vec<PathBuf>,
    pub(super) count: usize,
    pub(super) clock: Option<i64>,
    pub(super) mounted: Option<PathBuf>,
    pub(super) last: Seen,
}

impl Story {
    /// An empty project.
    pub fn new() -> Self {
        let base = TempDir::with_prefix("infra-story-").expect("a temporary folder");
        for folder in ["project", "home", "tmp", "bin", "io"] {
            fs::create_dir(base.path().join(folder)).expect("a folder");
        }
        let bin = base.path().join("bin");
        Self { base, inner: RefCell::new(Inner { path: vec![bin], ..Inner::default() }) }
    }

    /// A project with one file of tasks.
    pub fn with(tasks: &str) -> Self {
        let story = Self::new();
        story.tasks(tasks);
        story
    }

    /// The folder above the project: what lies here is the world, not the project.
    pub fn base(&self) -> &Path {
        self.base.path()
    }

    /// The project's root.
    pub fn root(&self) -> PathBuf {
        self.base.path().join("project")
    }

    /// A path in the project (`../x`: beside it).
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, its folders made. The text's common indentation is taken away.
    pub fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, unindent(text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// `tasks/t.toml`.
    pub fn tasks(&self, text: &str) -> &Self {
        self.file("tasks/t.toml", text)
    }

    /// `infra.toml`.
    pub fn project(&self, text: &str) -> &Self {
        self.file("infra.toml", text)
    }

    /// Replaces text in a file; it must be there.
    #[track_caller]
    pub fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "`{path}` has no `{from}`:\n{text}");
        fs::write(self.path(path), text.replace(from, to)).expect("written");
        self
    }

    /// Replaces text in `tasks/t.toml`.
    #[track_caller]
    pub fn retask(&self, from: &str, to: &str) -> &Self {
        self.edit("tasks/t.toml", from, to)
    }

    /// Removes a file or a folder.
    #[track_caller]
    pub fn remove(&self, path: &str) -> &Self {
        let path = self.path(path);
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// Text of a file.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether something is there.
    pub fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// A file's text is this.
    #[track_caller]
    pub fn holds(&self, path: &str, text: &str) -> &Self {
        let found = self.read(path);
        if found != text {
            self.last().fail(&format!("`{path}`: {}", diff(text, &found)));
        }
        self
    }

    /// Nothing is there.
    #[track_caller]
    pub fn absent(&self, path: &str) -> &Self {
        if self.exists(path) {
            self.last().fail(&format!("`{path}` is there"));
        }
        self
    }

    /// Sets a mode.
    pub fn mode(&self, path: &str, mode: u32) -> &Self {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).expect("a mode");
        self
    }

    /// A program on PATH, as a script of `sh`.
    pub fn program(&self, name: &str, script: &str) -> &Self {
        let path = self.base().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{}", unindent(script))).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        self
    }

    /// Puts a folder on PATH.
    pub fn on_path(&self, folder: &Path) -> &Self {
        self.inner.borrow_mut().path.push(folder.to_owned());
        self
    }

    /// Sets a variable of the caller's environment.
    pub fn env(&self, name: &str, value: &str) -> &Self {
        self.inner.borrow_mut().env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable of the caller's environment away.
    pub fn without_env(&self, name: &str) -> &Self {
        self.inner.borrow_mut().env.remove(name);
        self
    }

    /// Sets the clock, in seconds after the story's new year; each command is a second later.
    pub fn at(&self, seconds: i64) -> &Self {
        self.inner.borrow_mut().clock = Some(NEW_YEAR + seconds * 1000);
        self
    }

    /// Puts terraform on PATH: the real one, which must be there.
    pub fn terraform(&self) -> &Self {
        let real = find_program("terraform")
            .unwrap_or_else(|| panic!("terraform is not on PATH: run `make setup`, it says how to get it"));
        symlink(real, self.base().join("bin/terraform")).expect("a link");
        self
    }

    /// Puts ansible on PATH: the real one, which must be there.
    pub fn ansible(&self) -> &Self {
        self.inner.borrow_mut().path.push(ansible_folder());
        self
    }

    /// Puts just, Task and doit on PATH: the real ones, which must be there.
    pub fn import_tools(&self) -> &Self {
        for (folder, name) in [("import", "just"), ("import", "task"), ("bench", "doit")] {
            let real = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools").join(folder).join("bin").join(name);
            assert!(real.is_file(), "{} is not there: run `make import-tools`", real.display());
            symlink(real, self.base().join("bin").join(name)).expect("a link");
        }
        self
    }

    /// Copies what a public project has in its package, pinned in `scripts/pins/public.txt`, into the project.
    pub fn public(&self, name: &str) -> &Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/public/files").join(name);
        assert!(from.is_dir(), "{} is not there: run `make import-tools`", from.display());
        copy(&from, &self.root(), &from, &[]);
        self
    }

    /// The same project in another folder, without what `.gitignore` would leave out: a fresh clone.
    pub fn fresh_clone(&self, leave_out: &[&str]) -> Self {
        let story = Self::new();
        copy(&self.root(), &story.root(), &self.root(), leave_out);
        story.inner.borrow_mut().env = self.inner.borrow().env.clone();
        story.inner.borrow_mut().path.extend(self.inner.borrow().path.iter().skip(1).cloned());
        for entry in fs::read_dir(self.base().join("bin")).expect("a folder").flatten() {
            let to = story.base().join("bin").join(entry.file_name());
            match fs::read_link(entry.path()) {
                Ok(link) => symlink(link, to).expect("a link"),
                Err(_) => drop(fs::copy(entry.path(), to).expect("a copy")),
            }
        }
        story
    }

    /// Makes the project's folder a file system of its own, of this size. `false`: not possible here.
    pub fn small_disk(&self, size: &str) -> bool {
        let root = self.root();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&root)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if done {
            self.inner.borrow_mut().mounted = Some(root);
            return true;
        }
        eprintln!("SKIPPED: no small disk without root");
        false
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        for pid in self.processes() {
            send(pid, "KILL");
        }
        if let Some(mounted) = self.inner.borrow_mut().mounted.take() {
            let _ = Command::new("umount").arg("-l").arg(mounted).status();
        }
        if std::env::var_os("INFRA_STORY_KEEP").is_some() && std::thread::panicking() {
            self.base.disable_cleanup(true);
            eprintln!("kept: {}", self.base.path().display());
        }
    }
}
