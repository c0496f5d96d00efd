//! Owns the question to a person before a change.
//! Does not know when it must be asked (`engine`).

use crate::engine::{Approval, Approver};
use crate::kind::machine::Change;
use crate::report::live::Hold;
use crate::report::paint::{Look, Tone};
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};

/// A person at a terminal, or nobody.
pub struct Person {
    hold: Hold,
    agreed: bool,
    look: Look,
}

impl Person {
    /// `agreed`: `--yes` was given.
    pub fn new(hold: Hold, agreed: bool, look: Look) -> Self {
        Self { hold, agreed, look }
    }
}

impl Approver for Person {
    fn approve(&mut self, task: &str, env: &str, change: &Change) -> Approval {
        if self.agreed {
            return Approval::Yes;
        }
        let mut text = format!("\n{} changes `{env}`: {}\n", self.look.paint(Tone::Strong, task), change.summary);
        for address in &change.destroys {
            let _ = writeln!(text, "  {} {address}", self.look.paint(Tone::Bad, "destroys"));
        }
        text.push_str("Go on? Type `yes`: ");
        self.hold.suspend(|| ask(&text, "yes"))
    }
}

/// Asks on the terminal; `Nobody` when there is none.
pub fn ask(question: &str, wanted: &str) -> Approval {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Approval::Nobody;
    }
    let mut stderr = std::io::stderr().lock();
    if stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).is_err() {
        return Approval::Nobody;
    }
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => Approval::Nobody,
        Ok(_) if answer.trim() == wanted => Approval::Yes,
        Ok(_) => Approval::No,
    }
}
