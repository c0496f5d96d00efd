//! Owns the contract of a step machine: what a kind may ask the engine to do, and what it hears back.
//! Does not know processes, files or the store.

use crate::kind::Table;
use crate::model::reason::Reason;
use crate::model::record::Incarnation;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everything a machine may know. All folders are absolute, so that tools may run anywhere.
#[derive(Clone, Debug)]
pub struct Job {
    pub task: String,
    pub env: String,
    pub attempt: i64,
    /// The kind's table, rendered, with real secret values.
    pub table: Table,
    /// The task's declared exports by name, as type text; empty: all that the tool gives.
    pub exports: BTreeMap<String, crate::model::value::ValueType>,
    /// The project's root.
    pub root: Utf8PathBuf,
    /// `INFRA_TMP`: 0700, this attempt's own, removed after success.
    pub tmp: Utf8PathBuf,
    /// `.infra/env/<env>/<task>`: 0700, kept between runs of this task.
    pub keep: Utf8PathBuf,
    /// The task's `dir`, absolute.
    pub dir: Utf8PathBuf,
    /// Digest of the task's inputs as they are now, as hex: a machine that prepared something from
    /// them (`terraform init`) sees by it whether that still holds. Empty: not known.
    pub inputs_digest: String,
    /// Argvs of the task's `undo`, rendered.
    pub undo: Vec<Vec<String>>,
    /// What the store remembers of this task in this environment.
    pub memory: Memory,
    /// Kubernetes contexts that the environment allows; `None`: any.
    pub contexts: Option<Vec<String>>,
    /// Paths of programs found for `Kind::tools`, by name.
    pub tools: BTreeMap<String, Utf8PathBuf>,
}

/// Note that `infra resolve --accept-state` leaves in place of all others: what the next attempt finds is
/// believed.
pub const ACCEPTED: &str = "accepted";

/// What the store remembers of a task for its machine.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Notes that the machine left at its last successful or failed end (`Done::notes`).
    pub notes: BTreeMap<String, String>,
    /// The token's value part at the last success.
    pub token: Option<String>,
    pub incarnations: BTreeSet<Incarnation>,
    /// In an undo: the notes of the other declared tasks of its kind.
    pub beside: Vec<BTreeMap<String, String>>,
    /// Why the task runs.
    pub reasons: Vec<Reason>,
    /// Incarnations of every task of the environment.
    pub around: BTreeSet<Incarnation>,
    /// Whether our own undo of this task began and no attempt of it since.
    pub undo_began: bool,
    /// In an undo: whether what the task's cluster stood on goes too.
    pub ground: Ground,
    /// Owner on record of the subject, when it is another task or environment: `task in env`.
    pub foreign_owner: Option<String>,
}

/// What becomes of that on which a task's cluster stood: the tasks that it was built on and that work on no
/// cluster themselves, such as those that made its machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// It stands, or nobody here knows of it.
    #[default]
    Stands,
    /// It is taken back by the same undo, or was taken back before.
    Goes,
}

/// A process to be run.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Shown to people: `terraform plan`, `sh`.
    pub name: String,
    pub argv: Vec<String>,
    /// Absolute working folder.
    pub dir: Utf8PathBuf,
    /// Set on top of the task's environment.
    pub env: BTreeMap<String, String>,
    /// Taken out of the task's environment.
    pub without_env: Vec<String>,
    /// Whether it can change the world: the intent is durable before it starts.
    pub can_change: CanChange,
    /// File mode creation mask; `None`: the runner's own. A step that writes what may hold secrets
    /// (a terraform state) gets 077.
    pub umask: Option<u32>,
    /// What is done with stdout. stderr always goes to the log.
    pub stdout: Stdout,
    /// Files (absolute) that the engine reads after the end and hands back, when they exist.
    pub read_after: Vec<Utf8PathBuf>,
    /// JSONL file (absolute) that the engine follows while the step runs, giving lines to `Machine::line`.
    pub follow: Option<Utf8PathBuf>,
}

/// Whether a step can change the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CanChange {
    #[default]
    No,
    Yes,
}

/// What is done with a step's stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// To the log, line by line.
    #[default]
    Log,
    /// Collected (at most 64 MiB) and handed back; not logged, it may hold secrets.
    Collect,
    /// Each line goes through `Machine::line`, what that returns goes to the log; also collected.
    Stream,
}

/// How a step ended.
#[derive(Clone, Debug, Default)]
pub struct StepEnd {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Of `Stdout::Collect` and `Stdout::Stream`.
    pub stdout: String,
    /// The last lines of the log, as far as they are of this step.
    pub tail: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// Contents of `read_after`.
    pub files: BTreeMap<Utf8PathBuf, String>,
}

impl StepEnd {
    /// Whether it ended with exit code 0.
    pub fn is_ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// What the engine is asked to do next.
#[derive(Debug)]
pub enum Move {
    /// Run a process; the machine hears `Heard::Step`.
    Run(Step),
    /// Write a file (absolute; 0600, parents made 0700) inside `tmp` or `keep`, or an output inside the
    /// root with the mode given; written aside and renamed. The machine hears `Heard::Written`.
    Write { path: Utf8PathBuf, bytes: Vec<u8>, mode: Option<u32> },
    /// Ask for approval of a change, under the environment's policy; hears `Heard::Approved`
    /// (a refusal ends the attempt).
    Approve(Change),
    /// Keep a snapshot (0600, in `keep`, named by its serial and digest); hears `Heard::Written`.
    Snapshot { name: String, bytes: Vec<u8> },
    /// Say which things in the world it will change, by identities that hold across tasks and environments. Nobody
    /// else may have one on record; hears `Heard::Claimed`. They are its own with the first step that can change them.
    Claim(Vec<String>),
    /// Wait, then go on; hears `Heard::Waited`.
    Wait(Duration),
    /// The end.
    Done(Done),
    /// The end, badly.
    Fail(Trouble),
}

/// What a change will do, for approval and the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// One line: `+2 ~0 -1`.
    pub summary: String,
    /// Addresses that will be destroyed or replaced.
    pub destroys: Vec<String>,
    /// What will be run, a line each, where the tool can't say what it will change.
    pub runs: Vec<String>,
    /// Whether the tool can't say what it will change.
    pub is_blind: bool,
}

/// What a machine hears back.
#[derive(Debug)]
pub enum Heard {
    /// Its first call.
    Start,
    Step(StepEnd),
    Written,
    Approved,
    /// The first thing that another task or environment has on record, if there is one.
    Claimed(Option<Taken>),
    Waited,
}

/// A thing that is on record as somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub thing: String,
    /// `task` in environment `env`, as people say it.
    pub owner: String,
}

impl Heard {
    /// How the step ended that was waited for; of anything else that was heard, nothing.
    pub fn end(self) -> StepEnd {
        match self {
            Self::Step(end) => end,
            _ => StepEnd::default(),
        }
    }
}

/// The result of a task.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Values by name; the engine checks them against the declared types.
    pub exports: BTreeMap<String, Json>,
    /// Names of exports that the tool calls sensitive.
    pub secret_exports: BTreeSet<String>,
    /// Value part of the effect token; `None`: the attempt's own number. For a task that changed
    /// nothing: the former one (`Memory::token`).
    pub token: Option<String>,
    /// The real things behind it now; `None`: as before.
    pub incarnations: Option<BTreeSet<Incarnation>>,
    /// Kept for the next `Memory::notes`.
    pub notes: BTreeMap<String, String>,
    /// One line for the report.
    pub summary: Option<String>,
    /// Whether the world was found as it should be, nothing changed.
    pub unchanged: bool,
    /// An undo that found nothing to take back.
    pub nothing_there: bool,
}

impl Done {
    /// An undo that found nothing to take back, and why.
    pub fn nothing_there(why: impl Into<String>) -> Self {
        Self {
            incarnations: Some(BTreeSet::new()),
            summary: Some(why.into()),
            unchanged: true,
            nothing_there: true,
            ..Self::default()
        }
    }
}

/// Why a machine gave up.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// Lower-case fragment, names in backticks.
    pub message: String,
    pub hint: Option<String>,
    pub kind: TroubleKind,
    /// Argv of the step that failed, where another one came after it; empty: the last one.
    pub argv: Vec<String>,
    /// Kept for the next `Memory::notes`, as after a success.
    pub notes: BTreeMap<String, String>,
    /// The real things as far as known after the failure; `None`: as before.
    pub incarnations: Option<BTreeSet<Incarnation>>,
}

/// What a trouble means for the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TroubleKind {
    /// The task failed: exit 1.
    #[default]
    Failed,
    /// A guard refused: exit 5.
    Refused,
}

/// A line of a structured stream, told to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Lines for the log and the terminal; empty: nothing worth saying.
    pub lines: Vec<String>,
}

/// Performs one attempt. Pure: it is told what happened and says what to do next.
pub trait Machine: Send {
    /// The next move.
    fn next(&mut self, heard: Heard) -> Move;

    /// It works in a cluster, and that is the one of this uid; told before its first move there.
    fn entered(&mut self, _cluster: &str) {}

    /// One line of the structured stream (`Stdout::Stream` or `Step::follow`).
    fn line(&mut self, line: &str) -> Told {
        Told { lines: vec![line.to_owned()] }
    }

    /// What is known if the attempt is cut here by a failure of a step the machine did not judge:
    /// incarnations seen so far.
    fn so_far(&self) -> Option<BTreeSet<Incarnation>> {
        None
    }
}
