//! Owns the question to a person before a change.
//! Does not know when it must be asked (`engine`).

use crate::engine::{Approval, Approver};
use crate::host::prompt::{self, Answer};
use crate::kind::machine::Change;
use crate::report::live::Hold;
use crate::report::paint::{Look, Tone};
use crate::report::text::{clean, quote};
use std::fmt::Write as _;

/// Lines of a script that a question shows.
const SHOWN: usize = 20;

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
        for line in change.runs.iter().take(SHOWN) {
            let _ = writeln!(text, "  {} {}", self.look.paint(Tone::Dim, "|"), clean(line));
        }
        if let Some(more) = change.runs.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(text, "  … and {more} more: `infra show {}`", quote(task));
        }
        text.push_str("Go on? Type `yes`: ");
        self.hold.suspend(|| ask(&text, "yes"))
    }
}

/// Asks on the terminal; `Nobody` when there is none. An end of input is no yes.
pub fn ask(question: &str, wanted: &str) -> Approval {
    match prompt::ask(question) {
        Answer::NoTerminal => Approval::Nobody,
        Answer::Interrupted => Approval::Interrupted,
        Answer::Line(line) if line.trim() == wanted => Approval::Yes,
        Answer::Line(_) | Answer::End => Approval::No,
    }
}
