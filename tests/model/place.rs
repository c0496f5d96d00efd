//! Owns the folder of a story: its files, the commands that are run in it, what they print and leave.
//! Knows nothing of the rules.

use crate::machines::TERRAFORM;
use crate::memory::Model;
use crate::project::ENVS;
use crate::scripts;
use crate::text;
use crate::world::World;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// 2026-01-01 in milliseconds.
const NEW_YEAR: i64 = 1_767_225_600_000;

/// No command takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// What a command did.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Seen {
    /// Stdout as one document.
    pub fn json(&self) -> Result<Json, String> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("no JSON: {error}: {}{}", self.stdout, self.stderr))
    }

    /// Stdout as one object a line.
    pub fn events(&self) -> Result<Vec<Json>, String> {
        let lines = self.stdout.lines().filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(line).map_err(|error| format!("no JSON: {error}: {line}"))).collect()
    }
}

pub struct Place {
    base: TempDir,
    /// Files of the project as they are on disk.
    written: BTreeMap<String, String>,
    logged: usize,
}

impl Place {
    pub fn new() -> Self {
        // Memory, where there is some: thousands of stories wait for no disk.
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() {
            TempDir::with_prefix_in("infra-model-", memory)
        } else {
            TempDir::with_prefix("infra-model-")
        };
        let base = base.expect("a temporary folder");
        for folder in ["project", "home", "tmp", "hooks", "probes", "seen", "bin", "tf", "world/local", "world/dev"] {
            fs::create_dir_all(base.path().join(folder)).expect("a folder");
        }
        fs::write(base.path().join("lib.sh"), scripts::LIBRARY).expect("written");
        fs::write(base.path().join("undo.sh"), scripts::UNDO).expect("written");
        fs::write(base.path().join("probe.sh"), scripts::PROBE).expect("written");
        let terraform = base.path().join("bin/terraform");
        fs::write(&terraform, TERRAFORM).expect("written");
        fs::set_permissions(terraform, fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::write(base.path().join("log"), "").expect("written");
        Self { base, written: BTreeMap::new(), logged: 0 }
    }

    pub fn path(&self) -> &Path {
        self.base.path()
    }

    pub fn root(&self) -> PathBuf {
        self.base.path().join("project")
    }

    pub fn keep(&mut self) {
        self.base.disable_cleanup(true);
    }

    /// Makes the disk what the model says.
    pub fn sync(&mut self, model: &Model) {
        let wanted = text::files(&model.project);
        let root = self.root();
        for path in self.written.keys().filter(|path| !wanted.contains_key(*path)) {
            fs::remove_file(root.join(path)).expect("removed");
        }
        for (path, text) in wanted.iter().filter(|(path, text)| self.written.get(*path) != Some(*text)) {
            write(&root.join(path), text);
            if path.starts_with("scripts/") {
                fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).expect("a mode");
            }
        }
        self.written = wanted;
        let out: BTreeMap<String, String> =
            model.world.out.iter().map(|(path, text)| (path.clone(), text.clone())).collect();
        mirror(&root, "out", &out);
        let hooks =
            model.world.hooks.iter().map(|(label, hook)| (format!("hooks/{label}"), format!("{}\n", hook.word())));
        mirror(self.path(), "hooks", &hooks.collect());
        let probes = model
            .world
            .answers
            .iter()
            .map(|(label, answer)| (format!("probes/{label}"), format!("{}\n", answer.word())));
        mirror(self.path(), "probes", &probes.collect());
        let mut seen: BTreeMap<String, String> =
            model.world.seen.iter().map(|(label, says)| (format!("seen/{label}"), format!("{says}\n"))).collect();
        for label in text::labels(&model.project) {
            seen.entry(format!("seen/{label}")).or_insert_with(|| "0\n".to_owned());
        }
        mirror(self.path(), "seen", &seen);
    }

    /// Takes away output folders in which nothing is: the rules do not tell them from none.
    pub fn sweep(&self) {
        for entry in fs::read_dir(self.root().join("out")).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(entry.path());
        }
    }

    /// Removes what the program keeps of artifacts.
    pub fn drop_kept(&self) {
        let kept = self.root().join(".infra/cas");
        if kept.exists() {
            fs::remove_dir_all(kept).expect("removed");
        }
    }

    /// What differs between the disk and what the model says of outputs and of the world.
    pub fn differs(&self, model: &Model) -> Option<String> {
        let mut found = files(&self.root(), "out");
        found.extend(files(self.path(), "world"));
        let made = model.world.made.iter().map(|((env, label), text)| (format!("world/{env}/{label}"), text.clone()));
        let wanted: BTreeMap<String, String> = model.world.out.clone().into_iter().chain(made).collect();
        let paths: std::collections::BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
        paths.into_iter().find_map(|path| {
            let (found, wanted) = (found.get(path), wanted.get(path));
            (found != wanted).then(|| format!("`{path}` is {found:?} and should be {wanted:?}"))
        })
    }

    /// Lines that scripts logged since this was asked last.
    pub fn log(&mut self) -> Vec<String> {
        let text = fs::read_to_string(self.path().join("log")).expect("the log");
        let lines: Vec<String> = text.lines().skip(self.logged).map(str::to_owned).collect();
        self.logged += lines.len();
        lines
    }

    /// Runs the program at a moment of the story's clock.
    pub fn infra(&self, words: &[String], now: i64) -> Seen {
        let mut child = self.spawn(words, now);
        let status = until(&mut child, LIMIT);
        let text = |name| String::from_utf8_lossy(&fs::read(self.path().join(name)).expect("read")).into_owned();
        Seen { code: status.code(), signal: status.signal(), stdout: text("stdout"), stderr: text("stderr") }
    }

    /// Runs the program, ends it after so many microseconds, and waits for what it leaves running.
    pub fn infra_cut(&self, words: &[String], now: i64, micros: usize) {
        let mut child = self.spawn(words, now);
        until(&mut child, Duration::from_micros(micros as u64));
        let since = Instant::now();
        while self.is_busy() && since.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether a process works in this folder.
    fn is_busy(&self) -> bool {
        let works =
            |entry: fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.path()));
        fs::read_dir("/proc").into_iter().flatten().flatten().any(works)
    }

    fn spawn(&self, words: &[String], now: i64) -> Child {
        let runner = self.path().join("runner");
        let _ = fs::remove_file(&runner);
        let file = |name| fs::File::create(self.path().join(name)).expect("a file");
        let child = Command::new(program())
            .args(words)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path().join("bin").display()))
            .env("HOME", self.path().join("home"))
            .env("TMPDIR", self.path().join("tmp"))
            .env("INFRA_TEST_NOW", (NEW_YEAR + now * 1000).to_string())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("the program starts");
        // Scripts that end their runner wait for this file.
        let made = self.path().join("runner.new");
        fs::write(&made, format!("{}\n", child.id())).expect("written");
        fs::rename(made, runner).expect("renamed");
        child
    }

    /// Takes outputs and what tasks made of the world as they are on disk.
    pub fn look_around(&self, world: &mut World) {
        world.out = files(&self.root(), "out");
        world.made.clear();
        for env in ENVS {
            for (path, text) in files(self.path(), &format!("world/{env}")) {
                let label = path.rsplit('/').next().expect("a name").to_owned();
                world.made.insert((env, label), text);
            }
        }
    }

    /// Every file below the project by its contents, but SQLite's `-shm` and an empty `-wal`.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = files(&self.root(), "");
        tree.retain(|path, text| !(path.ends_with("-shm") || path.ends_with("-wal") && text.is_empty()));
        tree
    }
}

/// Waits for the end, at most so long; then ends it.
fn until(child: &mut Child, limit: Duration) -> ExitStatus {
    let since = Instant::now();
    loop {
        match child.try_wait().expect("a child") {
            Some(status) => return status,
            None if since.elapsed() > limit => {
                child.kill().expect("killed");
                return child.wait().expect("a child");
            }
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    }
}

/// The program that is held to the rules; `INFRA_MODEL_PROGRAM` names another build of it.
fn program() -> PathBuf {
    std::env::var_os("INFRA_MODEL_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_infra").into(), PathBuf::from)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("written");
}

/// Makes a folder hold exactly some files.
fn mirror(root: &Path, folder: &str, wanted: &BTreeMap<String, String>) {
    let found = files(root, folder);
    for path in found.keys().filter(|path| !wanted.contains_key(*path)) {
        fs::remove_file(root.join(path)).expect("removed");
        // An output folder goes with its last file.
        let parent = root.join(path).parent().expect("a folder").to_owned();
        if parent != root.join(folder) {
            let _ = fs::remove_dir(parent);
        }
    }
    for (path, text) in wanted.iter().filter(|(path, text)| found.get(*path) != Some(*text)) {
        write(&root.join(path), text);
    }
}

/// Files below a folder, by path from `root`.
fn files(root: &Path, folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("below").display().to_string();
            found.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned());
        }
    }
    found
}
