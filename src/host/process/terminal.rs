//! Owns handing the terminal to an interactive tool, and taking it back as it was.
//! Does not know what is said on it.

use super::sys::{self, Signal};
use rustix::process::Pid;
use rustix::termios::{OptionalActions, Termios};
use std::io::{IsTerminal as _, stderr, stdin};

/// Whether there is a terminal to hand over: a person at it sees what a tool asks and can answer. In the
/// background there is none; a tool that read would be stopped for ever.
pub fn can_be_handed() -> bool {
    stdin().is_terminal()
        && stderr().is_terminal()
        && rustix::termios::tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// The terminal while it belongs to a tool's group; given back when dropped.
pub(super) struct Handed {
    former: Pid,
    tool: u32,
    settings: Option<Termios>,
}

impl Handed {
    /// Makes a group the foreground group; `None` when there is no terminal or it isn't ours to give.
    pub(super) fn to(group: u32) -> Option<Self> {
        let terminal = stdin();
        let former = rustix::termios::tcgetpgrp(&terminal).ok()?;
        if former != rustix::process::getpgrp() {
            return None;
        }
        let settings = rustix::termios::tcgetattr(&terminal).ok();
        let handed = Self { former, tool: group, settings };
        handed.give().then_some(handed)
    }

    /// Gives it again, to a tool that was stopped: Ctrl-Z is not for tasks.
    pub(super) fn resume(&self) {
        self.give();
    }

    fn give(&self) -> bool {
        let Some(group) = sys::pid(self.tool) else {
            return false;
        };
        let given = sys::without_sigttou(|| rustix::termios::tcsetpgrp(stdin(), group)).is_ok();
        // If the tool read before the terminal was its own, it was stopped.
        sys::signal_group(self.tool, Signal::CONT);
        given
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        sys::without_sigttou(|| {
            let _ = rustix::termios::tcsetpgrp(stdin(), self.former);
            if let Some(settings) = &self.settings {
                let _ = rustix::termios::tcsetattr(stdin(), OptionalActions::Drain, settings);
            }
        });
    }
}
