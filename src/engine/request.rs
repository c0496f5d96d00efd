//! Owns what is asked of a run: which tasks, how many at a time, what happens at a failure.
//! Does not know how targets are written.

use crate::engine::undoing::OrphanToUndo;
use crate::host::lock::Holder;
use crate::kind::machine::Change;
use crate::model::name::TaskId;

/// What a failed task means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTaskFailure {
    /// Start nothing more; what runs may end.
    StopStarting,
    /// `--keep-going`: everything that does not depend on it runs.
    KeepGoing,
    /// `--fail-fast`: what runs is interrupted.
    FailFast,
}

/// What watch mode may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    All,
    /// Only pure and read tasks, and those with `watch = true`.
    Watch,
    /// As before, after a change: what has merely expired is believed, or a task that leaves a file
    /// behind would wake itself for ever.
    WatchAgain,
}

impl Reach {
    /// Whether tasks that change the world are left alone.
    pub fn is_watch(self) -> bool {
        self != Self::All
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Request {
    /// As written by the user.
    pub words: Vec<String>,
    /// Tasks that are considered, in graph order.
    pub tasks: Vec<TaskId>,
    /// Tasks of `--skip`: taken as recorded, said in the summary.
    pub skipped: Vec<TaskId>,
    /// Tasks that run in any case.
    pub forced: Vec<TaskId>,
    /// Tasks at a time.
    pub jobs: usize,
    pub on_failure: OnTaskFailure,
    pub reach: Reach,
    /// Paths whose change is why watch mode runs again.
    pub changed: Vec<String>,
    /// Options as JSON, for `--resume`.
    pub options: String,
    /// Orphans that the task `destroy` takes back, in order.
    pub orphans: Vec<OrphanToUndo>,
    /// Who holds the environment: signs the locks of paths.
    pub holder: Holder,
    /// `run` or `destroy`.
    pub command: &'static str,
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    Yes,
    No,
    /// Nobody can be asked here.
    Nobody,
    /// The question was left by a signal that ends the run.
    Interrupted,
}

/// Who is asked before a change.
pub trait Approver {
    /// Asks.
    fn approve(&mut self, task: &str, env: &str, change: &Change) -> Approval;
}
