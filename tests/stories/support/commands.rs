//! Owns the starting of commands in a story, and waiting for what they do.
//! Does not know what is expected of them.

use crate::support::LIMIT;
use crate::support::running::Running;
use crate::support::seen::Seen;
use crate::support::story::Story;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

impl Story {
    fn command(&self, args: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_infra"), args)
    }

    /// Another program than `infra`, in the same place and with the same environment.
    pub fn command_of(&self, program: &str, args: &[&str]) -> Command {
        let inner = self.inner.borrow();
        let mut command = Command::new(program);
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

    pub(super) fn keep(&self, seen: Seen) {
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
