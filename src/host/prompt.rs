//! Owns a question at the terminal: one line, or a signal that ends the waiting.
//! Does not know what is asked.

use crate::host::signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{BufRead, IsTerminal, Write};

/// How often it is looked whether a signal came.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A line, with its end.
    Line(String),
    /// The end of input: Ctrl-D.
    End,
    /// A signal that ends the run.
    Interrupted,
    /// There is no terminal to ask at.
    NoTerminal,
}

/// Asks and waits.
pub fn ask(question: &str) -> Answer {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Answer::NoTerminal;
    }
    let mut stderr = std::io::stderr().lock();
    if stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).is_err() {
        return Answer::NoTerminal;
    }
    let before = signals::heard();
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let ready = poll(&mut fds, Some(&LOOK));
        if signals::heard() != before {
            // The question's line is left as it is.
            let _ = stderr.write_all(b"\n");
            return Answer::Interrupted;
        }
        match ready {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            // A terminal gives whole lines.
            _ => break,
        }
    }
    let mut line = String::new();
    match stdin.lock().read_line(&mut line) {
        Ok(0) | Err(_) => {
            let _ = stderr.write_all(b"\n");
            Answer::End
        }
        Ok(_) => Answer::Line(line),
    }
}
