//! Owns processes: the one place that starts them and the one that ends them.
//! Does not know tasks, attempts' records, or what a tool's output means.

mod drain;
mod find;
mod line;
mod log;
mod query;
mod registry;
mod spawn;
mod sweep;
pub(crate) mod sys;
mod terminal;
#[cfg(test)]
mod tests;

pub use find::{find_program, find_program_seen};
pub use line::plain;
pub use log::Log;
pub use query::{QueryOutput, query};
pub use registry::become_subreaper;
pub(crate) use spawn::missing;
pub use spawn::start;
pub(crate) use sys::{free_space, is_link_loop, open_no_follow};
pub use terminal::can_be_handed;

use crate::host::mask::Masks;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Name of the environment variable that marks every descendant of an attempt.
pub const MARK: &str = "INFRA_ATTEMPT";

/// The mark of short queries: what they leave behind (an agent that a secret's command started) belongs
/// to no attempt.
const QUERY_MARK: &str = "query";

/// The mark that a program gives to what it leaves behind on purpose: a server that is to outlive the task
/// that started it. It is left alone once it has a session of its own and its starter has ended.
const LEFT_MARK: &str = "left";

/// Most bytes that are collected of a tool's stdout.
pub const COLLECT_LIMIT: usize = 64 << 20;

/// What is to be run, and how.
#[derive(Clone, Debug)]
pub struct Command {
    /// Program and arguments; there is no shell.
    pub argv: Vec<String>,
    /// Working folder, absolute.
    pub dir: Utf8PathBuf,
    /// The complete environment; nothing else is inherited.
    pub env: BTreeMap<String, String>,
    /// Log file, appended to; made 0600 with its parents 0700.
    pub log: Utf8PathBuf,
    /// What the tool reads.
    pub stdin: Stdin,
    /// What is done with stdout; stderr goes to the log.
    pub stdout: Stdout,
    /// A file of lines that the tool writes while it runs; it may appear later.
    pub follow: Option<Utf8PathBuf>,
    /// The tool's umask; `None`: ours.
    pub umask: Option<u32>,
    /// Value of `INFRA_ATTEMPT`: tells this attempt's processes from those of others. One that runs
    /// at the same time must have another.
    pub mark: String,
    /// What is hidden in the log and in lines.
    pub masks: Arc<Masks>,
}

/// What a tool reads from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Closed,
    /// The terminal, with the foreground group while it runs. What would go to the log goes to the
    /// terminal, since a prompt ends in no newline.
    Terminal,
}

/// What is done with a tool's stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// Into the log with stderr, through one pipe, so that their order is kept.
    #[default]
    Log,
    /// Collected, told to nobody: it may hold secrets.
    Collect,
    /// Collected, and told line by line; not written to the log.
    Stream,
}

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// stdout, or both when they share the log's pipe.
    Out,
    /// stderr, when stdout goes elsewhere.
    Err,
    /// The followed file.
    Followed,
}

/// What happens to a running process.
#[derive(Clone, Debug)]
pub enum ProcessEvent {
    /// A line, secrets hidden, control characters and colours removed.
    Line { stream: Stream, text: String },
    /// The end: always the last event, exactly once.
    Ended(Ended),
}

/// How a process ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Exit code; `None`: ended by a signal.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// stdout of `Collect` and `Stream`, at most `COLLECT_LIMIT` bytes.
    pub collected: String,
    /// Whether stdout was longer than that.
    pub cut: bool,
    /// Processes that it left behind and that were ended.
    pub swept: Vec<u32>,
    /// From start to end.
    pub seconds: f64,
    /// Why the log lacks its end: the disk was full. The tool was not disturbed.
    pub log_lost: Option<String>,
}

/// A process could not be started, so nothing it would have done happened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such program.
    #[error("program `{program}` was not found; install it, or correct its name or PATH")]
    NotFound { program: String },
    /// It is there but can't be executed.
    #[error("program `{program}` is not executable; `chmod +x` it, and see that a script begins with `#!`")]
    NotExecutable { program: String },
    /// A script whose `#!` line names nothing.
    #[error("program `{program}` names an interpreter that is not there; look at its first line")]
    NoInterpreter { program: String },
    /// The working folder is missing.
    #[error("`{program}` cannot run in `{dir}`: there is no such folder")]
    NoFolder { program: String, dir: Utf8PathBuf },
    /// No argv.
    #[error("there is no program to run: the command is empty")]
    Empty,
    /// Arguments and environment are too long together.
    #[error("`{program}` cannot be started: its arguments and environment are too long; pass them by a file")]
    TooLong { program: String },
    /// A short query did not end in time and was killed.
    #[error("`{program}` gave no answer within {} s and was ended", .after.as_secs_f64())]
    TimedOut { program: String, after: Duration },
    /// Its log file can't be written.
    #[error("log `{log}` cannot be opened: {}", crate::host::reason(.source))]
    Log { log: Utf8PathBuf, source: io::Error },
    /// Anything else.
    #[error("`{program}` cannot be started: {}", crate::host::reason(.source))]
    Other { program: String, source: io::Error },
}

/// A running process. Handles are cheap to copy and may outlive it.
#[derive(Clone, Debug)]
pub struct Running {
    leader: Arc<Leader>,
}

/// The process that was started, and whether its id is still its own.
#[derive(Debug)]
pub(crate) struct Leader {
    pub(crate) pid: u32,
    pub(crate) mark: String,
    /// Set under the lock before the process is reaped, so that no signal reaches a recycled id.
    gone: Mutex<bool>,
}

impl Leader {
    fn new(pid: u32, mark: String) -> Self {
        Self { pid, mark, gone: Mutex::new(false) }
    }

    fn gone(&self) -> MutexGuard<'_, bool> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Its process id, which is also that of its group.
    pub fn pid(&self) -> u32 {
        self.leader.pid
    }

    /// Sends one SIGINT to its group. Not to processes that left the group: a tool stops its own
    /// workers, and one that is stopped twice loses its state.
    pub fn interrupt(&self) {
        let gone = self.leader.gone();
        if !*gone {
            sys::signal_group(self.leader.pid, sys::Signal::INT);
        }
    }

    /// Sends SIGKILL to the whole tree, those that left the group or the session included, again and
    /// again until none is left. Returns whom it ended.
    ///
    /// Waits until they are gone, 5 s at most for one that sleeps in the kernel. Where there is no
    /// subreaper (macOS) only the group is reached.
    pub fn kill_tree(&self) -> Vec<u32> {
        let gone = self.leader.gone();
        if *gone { Vec::new() } else { sweep::kill_tree(&self.leader) }
    }
}
