//! Owns commands that are given at a terminal.
//! Does not know what they print.

use crate::support::seen::Seen;
use crate::support::story::Story;

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
}
