//! Owns the harness: a story is one project in a folder of its own, in which commands are run one after
//! the other and what they did is compared with what the design says.
//! Knows nothing of the program's inside: it starts the binary and reads what it prints and leaves.

use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No single command may take longer; it is ended, and the story fails with what it printed.
const LIMIT: Duration = Duration::from_secs(120);

/// 2026-01-01, where stories with a clock of their own begin, in milliseconds.
pub const NEW_YEAR: i64 = 1_767_225_600_000;

/// What a command did.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub command: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Seen {
    /// Lines of stdout that are JSON objects, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<Json> {
        self.stdout
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| self.fail(&format!("no JSON line: {error}: {line}")))
            })
            .collect()
    }

    /// Events of one name.
    #[track_caller]
    pub fn events_of(&self, name: &str) -> Vec<Json> {
        self.events().into_iter().filter(|event| event["event"] == name).collect()
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| self.fail(&format!("stdout is no JSON document: {error}")))
    }

    /// Outcome by task.
    #[track_caller]
    pub fn outcomes(&self) -> BTreeMap<String, String> {
        let mut outcomes = BTreeMap::new();
        for event in self.events_of("task-finished") {
            let task = event["task"].as_str().unwrap_or_default().to_owned();
            let outcome = event["outcome"].as_str().unwrap_or_default().to_owned();
            if outcomes.insert(task.clone(), outcome).is_some() {
                self.fail(&format!("`{task}` has two task-finished events"));
            }
        }
        outcomes
    }

    /// Tasks in the order in which they started.
    #[track_caller]
    pub fn started(&self) -> Vec<String> {
        self.events_of("task-started")
            .iter()
            .map(|event| event["task"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Reasons with which a task was settled.
    #[track_caller]
    pub fn reasons(&self, task: &str) -> Vec<Json> {
        self.events_of("task-finished")
            .iter()
            .filter(|event| event["task"] == task)
            .flat_map(|event| event["reasons"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// Ends the story.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}\n--- $ {}\n--- exit {:?} signal {:?}\n--- stdout\n{}\n--- stderr\n{}\n---",
            self.command,
            self.code,
            self.signal,
            clip(&self.stdout),
            clip(&self.stderr)
        )
    }
}

fn clip(text: &str) -> String {
    const MOST: usize = 12_000;
    if text.len() <= MOST {
        return text.to_owned();
    }
    let mut from = text.len() - MOST;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    format!("[…]{}", &text[from..])
}

/// A project in a folder of its own, and what was done in it last.
pub struct Story {
    base: TempDir,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Set on top of the cleared environment.
    env: BTreeMap<String, String>,
    path: Vec<PathBuf>,
    count: usize,
    clock: Option<i64>,
    mounted: Option<PathBuf>,
    last: Seen,
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

    // ---- the place

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

    // ---- commands

    fn command(&self, args: &[&str]) -> Command {
        let inner = self.inner.borrow();
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command.args(args).current_dir(self.root()).env_clear().process_group(0).stdin(Stdio::null());
        let mut path = OsString::new();
        for folder in &inner.path {
            path.push(folder);
            path.push(":");
        }
        path.push("/usr/bin:/bin");
        command.env("PATH", path);
        command.env("HOME", self.base().join("home"));
        command.env("TMPDIR", self.base().join("tmp"));
        command.envs(&inner.env);
        command
    }

    /// Starts a command and lets it go on.
    #[track_caller]
    pub fn spawn(&self, words: &str) -> Running {
        let args: Vec<&str> = words.split_whitespace().collect();
        self.spawn_args(&args)
    }

    #[track_caller]
    fn spawn_args(&self, args: &[&str]) -> Running {
        let count = {
            let mut inner = self.inner.borrow_mut();
            inner.count += 1;
            if let Some(now) = inner.clock {
                inner.env.insert("INFRA_TEST_NOW".to_owned(), now.to_string());
                inner.clock = Some(now + 1000);
            }
            inner.count
        };
        let stdout = self.base().join(format!("io/{count}.out"));
        let stderr = self.base().join(format!("io/{count}.err"));
        let mut command = self.command(args);
        // Files, not pipes: what outlives the program must not hold the story.
        command.stdout(fs::File::create(&stdout).expect("a file")).stderr(fs::File::create(&stderr).expect("a file"));
        let child = command.spawn().expect("the program starts");
        fs::write(self.base().join("runner.pid"), child.id().to_string()).expect("written");
        Running { child, stdout, stderr, command: format!("infra {}", args.join(" ")) }
    }

    fn keep(&self, seen: Seen) {
        self.inner.borrow_mut().last = seen;
    }

    /// What was done last.
    pub fn last(&self) -> Seen {
        self.inner.borrow().last.clone()
    }

    /// A command with these arguments, whatever comes of it.
    #[track_caller]
    pub fn try_args(&self, args: &[&str]) -> Seen {
        // A task that ends its runner waits for this file.
        let _ = fs::remove_file(self.base().join("runner.pid"));
        let seen = self.spawn_args(args).wait();
        self.keep(seen.clone());
        seen
    }

    /// A command, whatever comes of it.
    #[track_caller]
    pub fn try_infra(&self, words: &str) -> Seen {
        let args: Vec<&str> = words.split_whitespace().collect();
        self.try_args(&args)
    }

    /// A command that ends well.
    #[track_caller]
    pub fn infra(&self, words: &str) -> &Self {
        self.infra_to(0, words)
    }

    /// A command that ends with this exit code.
    #[track_caller]
    pub fn infra_to(&self, code: i32, words: &str) -> &Self {
        let seen = self.try_infra(words);
        if seen.code != Some(code) {
            seen.fail(&format!("expected exit code {code}"));
        }
        self
    }

    /// `infra run --json WORDS`, which ends well.
    #[track_caller]
    pub fn run(&self, words: &str) -> &Self {
        self.run_to(0, words)
    }

    /// `infra run --json WORDS`, which ends with this exit code.
    #[track_caller]
    pub fn run_to(&self, code: i32, words: &str) -> &Self {
        self.infra_to(code, &format!("run --json {words}"))
    }

    /// `infra run WORDS` as people see it, which ends well.
    #[track_caller]
    pub fn run_plain(&self, words: &str) -> &Self {
        self.infra_to(0, &format!("run {words}"))
    }

    // ---- what came of it

    /// Exactly these tasks of the target came out so.
    #[track_caller]
    fn came_out<const N: usize>(&self, outcome: &str, tasks: [&str; N]) -> &Self {
        let seen = self.last();
        let found: BTreeSet<String> =
            seen.outcomes().into_iter().filter(|(_, found)| found == outcome).map(|(task, _)| task).collect();
        let wanted: BTreeSet<String> = tasks.iter().map(|task| (*task).to_owned()).collect();
        if found != wanted {
            seen.fail(&format!("tasks that came out `{outcome}`\n  expected {wanted:?}\n  found    {found:?}"));
        }
        self
    }

    /// Exactly these were executed and succeeded.
    #[track_caller]
    pub fn ran<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("ran", tasks)
    }

    /// Exactly these were believed.
    #[track_caller]
    pub fn fresh<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("fresh", tasks)
    }

    /// Exactly these were put back.
    #[track_caller]
    pub fn restored<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("restored", tasks)
    }

    /// Exactly these failed.
    #[track_caller]
    pub fn failed<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("failed", tasks)
    }

    /// Exactly these were left out.
    #[track_caller]
    pub fn skipped<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("skipped", tasks)
    }

    /// Exactly these were interrupted.
    #[track_caller]
    pub fn interrupted<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("interrupted", tasks)
    }

    /// Nothing was executed, not even tried.
    #[track_caller]
    pub fn nothing_ran(&self) -> &Self {
        let seen = self.last();
        if !seen.started().is_empty() {
            seen.fail(&format!("started: {:?}", seen.started()));
        }
        self.ran([])
    }

    /// A task of the last run has a reason with these fields.
    #[track_caller]
    pub fn because(&self, task: &str, reason: Json) -> &Self {
        let seen = self.last();
        let found = seen.reasons(task);
        if !found.iter().any(|one| includes(one, &reason)) {
            seen.fail(&format!("reasons of `{task}`\n  expected {reason}\n  found    {}", Json::Array(found)));
        }
        self
    }

    /// No reason of a task in the last run is of this kind.
    #[track_caller]
    pub fn not_because(&self, task: &str, kind: &str) -> &Self {
        let seen = self.last();
        if seen.reasons(task).iter().any(|one| one["kind"] == kind) {
            seen.fail(&format!("`{task}` has a reason `{kind}`"));
        }
        self
    }

    /// `infra status --json` calls tasks so: `"a=fresh b=stale"`, each named one compared.
    #[track_caller]
    pub fn states(&self, wanted: &str) -> &Self {
        self.states_in("", wanted)
    }

    /// As `states`, with further words for `status`.
    #[track_caller]
    pub fn states_in(&self, words: &str, wanted: &str) -> &Self {
        let before = self.last();
        let seen = self.try_infra(&format!("status --json {words}"));
        if seen.code != Some(0) {
            seen.fail("expected exit code 0");
        }
        let json = seen.json();
        for pair in wanted.split_whitespace() {
            let (name, state) = pair.rsplit_once('=').expect("task=state");
            let found = json["tasks"].as_array().and_then(|tasks| tasks.iter().find(|task| task["name"] == name));
            match found {
                Some(task) if task["state"] == state => {}
                Some(task) => seen.fail(&format!(
                    "state of `{name}`\n  expected {state}\n  found    {} {}",
                    task["state"], task["reasons"]
                )),
                None if state == "none" => {}
                None => seen.fail(&format!("`{name}` is not shown")),
            }
        }
        self.keep(before);
        self
    }

    /// `infra status --json` gives a task a reason with these fields.
    #[track_caller]
    pub fn status_reason(&self, task: &str, reason: Json) -> &Self {
        let before = self.last();
        let seen = self.try_infra("status --json");
        let json = seen.json();
        let found = json["tasks"].as_array().and_then(|tasks| tasks.iter().find(|one| one["name"] == task)).cloned();
        let reasons = found.map(|task| task["reasons"].clone()).unwrap_or_default();
        if !reasons.as_array().is_some_and(|all| all.iter().any(|one| includes(one, &reason))) {
            seen.fail(&format!("reasons of `{task}`\n  expected {reason}\n  found    {reasons}"));
        }
        self.keep(before);
        self
    }

    /// Tasks started in this order.
    #[track_caller]
    pub fn order<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        let seen = self.last();
        if seen.started() != tasks {
            seen.fail(&format!("order\n  expected {tasks:?}\n  found    {:?}", seen.started()));
        }
        self
    }

    /// Stdout has this text.
    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stdout.contains(text) {
            seen.fail(&format!("stdout has no `{text}`"));
        }
        self
    }

    /// Stderr has this text.
    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stderr.contains(text) {
            seen.fail(&format!("stderr has no `{text}`"));
        }
        self
    }

    /// Stdout and stderr together have this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stdout.contains(text) && !seen.stderr.contains(text) {
            seen.fail(&format!("nothing says `{text}`"));
        }
        self
    }

    /// How often a line was written to `../log`, where tasks of stories say that they really ran.
    pub fn times(&self, word: &str) -> usize {
        fs::read_to_string(self.path("../log")).unwrap_or_default().lines().filter(|line| *line == word).count()
    }

    /// The value of an export, as `infra outputs --json` says it.
    #[track_caller]
    pub fn value(&self, task: &str, key: &str) -> Json {
        let before = self.last();
        let seen = self.try_infra(&format!("outputs --json {task}"));
        let json = seen.json();
        let value = json["tasks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["name"] == task)
            .flat_map(|one| one["values"].as_array().cloned().unwrap_or_default())
            .find(|value| value["key"] == key)
            .unwrap_or_else(|| seen.fail(&format!("`{task}` has no value `{key}`")));
        self.keep(before);
        value["value"].clone()
    }

    /// Files under the project by path, but SQLite's `-shm` and an empty `-wal`.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        walk(&self.root(), &self.root(), &mut tree);
        tree
    }

    /// No file below the story's folder, and nothing that was printed, has this text.
    #[track_caller]
    pub fn nowhere(&self, canary: &str) -> &Self {
        let mut found = Vec::new();
        for folder in ["project", "home", "tmp", "io"] {
            find_bytes(&self.base().join(folder), canary.as_bytes(), &mut found);
        }
        assert!(found.is_empty(), "`{canary}` is in {found:?}");
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
        assert!(std::env::var_os("CI").is_none(), "CI can't mount a small disk: this story needs root");
        eprintln!("SKIPPED: no small disk without root");
        false
    }

    /// Waits, within bounds, until something is there.
    #[track_caller]
    pub fn wait_for(&self, what: &str, is: impl Fn() -> bool) -> &Self {
        let since = Instant::now();
        while !is() {
            if since.elapsed() > LIMIT {
                self.last().fail(&format!("waited in vain for {what}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// Waits, within bounds, until a file is there.
    #[track_caller]
    pub fn wait_for_file(&self, path: &str) -> &Self {
        let file = self.path(path);
        self.wait_for(path, || file.exists())
    }

    /// Processes whose working folder lies in this story.
    pub fn processes(&self) -> Vec<i32> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.base())) {
                found.push(pid);
            }
        }
        found
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

/// A command that goes on.
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    command: String,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, name: &str) -> &Self {
        send(self.pid(), name);
        self
    }

    /// What it printed so far.
    pub fn so_far(&self) -> Seen {
        Seen {
            command: self.command.clone(),
            stdout: String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned(),
            stderr: String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned(),
            ..Seen::default()
        }
    }

    /// Waits, within bounds, until stdout or stderr has a text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
        let since = Instant::now();
        loop {
            let seen = self.so_far();
            if seen.stdout.contains(text) || seen.stderr.contains(text) {
                return self;
            }
            if self.child.try_wait().expect("a child").is_some() || since.elapsed() > LIMIT {
                self.so_far().fail(&format!("it never said `{text}`"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for its end, within bounds.
    #[track_caller]
    pub fn wait(mut self) -> Seen {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Seen { code: status.code(), signal: status.signal(), ..self.so_far() };
            }
            if since.elapsed() > LIMIT {
                send(-self.pid(), "KILL");
                let _ = self.child.wait();
                self.so_far().fail("it did not end");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal.
pub fn send(pid: i32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), "--", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process runs (a zombie does not).
pub fn alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// A story that the program does not hold to yet: it must fail, so that who mends it takes this away.
#[track_caller]
pub fn known_bug(what: &str, story: impl FnOnce()) {
    let hook = std::env::var_os("INFRA_SHOW_KNOWN_BUGS");
    match catch_unwind(AssertUnwindSafe(story)) {
        Ok(()) => panic!("mended, take `known_bug` away: {what}"),
        Err(failure) if hook.is_some() => resume_unwind(failure),
        Err(_) => eprintln!("known bug: {what}"),
    }
}

/// Where ansible's programs are.
pub fn ansible_folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin");
    let given = std::env::var_os("INFRA_TEST_TOOLS").map(PathBuf::from);
    for folder in given.into_iter().chain([own]) {
        if folder.join("ansible-playbook").exists() {
            return folder;
        }
    }
    panic!("ansible-playbook is neither in $INFRA_TEST_TOOLS nor in .tools/venv/bin: run `make setup`")
}

fn find_program(name: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([tools]).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether `found` has all of `wanted`, objects by their fields.
pub fn includes(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (Json::Object(found), Json::Object(wanted)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|found| includes(found, value)))
        }
        _ => found == wanted,
    }
}

/// Takes the common indentation and a first empty line away.
pub fn unindent(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    if indent == 0 {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(line.get(indent..).unwrap_or(""));
        out.push('\n');
    }
    out
}

/// Lines that differ.
pub fn diff(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let mut out = String::from("expected (-) and found (+)\n");
    for line in &old {
        let mark = if new.contains(line) { ' ' } else { '-' };
        out.push_str(&format!("{mark} {line}\n"));
    }
    for line in new.iter().filter(|line| !old.contains(line)) {
        out.push_str(&format!("+ {line}\n"));
    }
    out
}

fn walk(root: &Path, folder: &Path, tree: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        let Ok(meta) = path.symlink_metadata() else { continue };
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_dir() {
            tree.insert(format!("{name}/"), format!("{mode:o}"));
            walk(root, &path, tree);
        } else if meta.file_type().is_symlink() {
            tree.insert(name, format!("-> {:?}", fs::read_link(&path)));
        } else if name.ends_with("-shm") || (name.ends_with("-wal") && meta.len() == 0) {
        } else {
            tree.insert(name, format!("{mode:o} {}", hex(&fs::read(&path).unwrap_or_default())));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{} bytes, {:016x}", bytes.len(), hasher.finish())
}

fn find_bytes(folder: &Path, wanted: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() {
            find_bytes(&path, wanted, found);
        } else if fs::read(&path).unwrap_or_default().windows(wanted.len()).any(|window| window == wanted) {
            found.push(path);
        }
    }
}

fn copy(from: &Path, to: &Path, root: &Path, leave_out: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        if name == ".infra" || leave_out.contains(&name.as_str()) {
            continue;
        }
        let to = to.join(entry.file_name());
        if path.is_dir() {
            copy(&path, &to, root, leave_out);
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}
