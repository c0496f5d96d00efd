//! Owns commands that are given at a terminal.
//! Does not know what they print.

use crate::support::running::Running;
use crate::support::seen::Seen;
use crate::support::story::Story;
use std::fs::File;
use std::io::Write;
use std::process::Stdio;

impl Story {
    /// `infra WORDS` at a terminal of its own; stdout holds all that appeared on it.
    #[track_caller]
    pub fn at_terminal(&self, words: &str) -> Seen {
        let line = format!("{} {words}", env!("CARGO_BIN_EXE_infra"));
        let mut command = self.command_of("script", &["-qec", &line, "/dev/null"]);
        let output = command.env("TERM", "dumb").output().expect("`script` of util-linux starts");
        let stdout = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        let seen = Seen { code: output.status.code(), stdout, ..Seen::default() };
        self.keep(seen.clone());
        seen
    }

    /// The same with a person: each time that a text has appeared, keys are typed.
    #[track_caller]
    pub fn typed(&self, words: &str, keys: &[(&str, &str)]) -> Seen {
        let line = format!("{} {words}", env!("CARGO_BIN_EXE_infra"));
        let (screen, stderr) = (self.base().join("screen"), self.base().join("screen.err"));
        let mut command = self.command_of("script", &["-qec", &line, "/dev/null"]);
        command.env("TERM", "dumb").stdin(Stdio::piped());
        command.stdout(File::create(&screen).expect("a file")).stderr(File::create(&stderr).expect("a file"));
        let mut child = command.spawn().expect("`script` of util-linux starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let mut running = Running { child, stdout: screen, stderr, command: format!("$ infra {words}") };
        for (until, keys) in keys {
            running.until(until);
            stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush()).expect("typed");
        }
        let mut seen = running.wait();
        drop(stdin);
        seen.stdout = seen.stdout.replace('\r', "");
        self.keep(seen.clone());
        seen
    }
}
