//! Owns the contract between the engine and everything that listens: reports, the ledger, agents.
//! Does not know who listens. Every change here changes `docs/json.md` and `VERSION`.

use crate::model::effect::{Effect, Outcome};
use crate::model::reason::Reason;
use serde::Serialize;

/// Version of the machine output, `"v"` in every document and event.
pub const VERSION: u32 = 1;

/// Summary of a task whose turn came when the run was being stopped.
pub const NOT_STARTED: &str = "not started";

/// One fact about a run, in order.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run holds its environment and knows its plan.
    RunStarted {
        run: i64,
        /// `run`, `watch` or `destroy`.
        command: String,
        env: String,
        targets: Vec<String>,
        /// Paths that changed, when watch mode runs again because of them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
        /// Tasks of the target, in the order they are considered.
        tasks: Vec<String>,
        /// Milliseconds since the epoch.
        at: i64,
        /// Estimated seconds, from history; absent without history.
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<f64>,
    },
    /// A task begins an attempt.
    TaskStarted {
        task: String,
        attempt: i64,
        kind: String,
        effect: Effect,
        reasons: Vec<Reason>,
        at: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<f64>,
        /// The terminal is handed to it until it ends: for those who draw on it, and no matter of a program's.
        #[serde(skip)]
        interactive: bool,
    },
    /// A step of an attempt begins.
    TaskStep { task: String, attempt: i64, step: String, argv: Vec<String> },
    /// One line that a tool printed, secrets masked, control characters removed.
    TaskOutput { task: String, attempt: i64, line: String },
    /// Something a person should know while it happens: a retry, a wait, a warning.
    TaskNotice { task: String, message: String },
    /// A task of the target is settled, whether it ran or not.
    TaskFinished {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: Option<i64>,
        outcome: Outcome,
        reasons: Vec<Reason>,
        seconds: f64,
        /// One line about what it did: resource counts, hosts, `changed = 0`.
        #[serde(skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// Something about the whole run.
    Notice { level: Level, message: String },
    /// The run is over.
    RunFinished {
        run: i64,
        outcome: Outcome,
        ran: usize,
        fresh: usize,
        restored: usize,
        failed: usize,
        skipped: usize,
        interrupted: usize,
        seconds: f64,
        /// The process's exit code.
        exit: u8,
    },
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Why an attempt failed, with all that a person needs on the last screen.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Lower-case fragment.
    pub message: String,
    /// The step's argv, secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The end of the log.
    pub tail: Vec<String>,
    /// Path of the log, relative to the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `file:line:column` of the task's declaration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// The task may fail (`allow_failure`): the run is none the worse for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allowed: bool,
}

/// Who hears events. A listener that fails never fails the run.
pub trait Listener {
    /// Takes one event.
    fn hear(&mut self, event: &Event);
}
