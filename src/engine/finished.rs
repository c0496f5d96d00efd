//! Owns how a run ended: its exit code, and how many tasks came out how.
//! Does not know the way there.

use crate::model::effect::Outcome;
use crate::model::name::TaskId;
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// The process's exit code.
    pub exit: u8,
    pub ran: usize,
    pub fresh: usize,
    pub restored: usize,
    pub failed: usize,
    pub skipped: usize,
    pub interrupted: usize,
    /// Outcome of each task of the run.
    pub outcomes: BTreeMap<TaskId, Outcome>,
    /// Tasks that watch mode left stale.
    pub left: Vec<TaskId>,
}

impl Finished {
    /// Attempts that came to an end.
    pub(super) fn attempts(&self) -> usize {
        self.ran + self.failed + self.interrupted
    }
}
