//! Owns where the tasks of a run stand, and how far the run is being stopped.
//! Does not know what moves them.

use crate::model::effect::Outcome;
use crate::model::name::TaskId;

/// Where a task of the run stands. Changed by `States::set` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    /// Not part of the run.
    Outside,
    /// Upstreams within the run are not settled. Next: judged, then `Queued` or `Settled`.
    Waiting,
    /// Its probe is being asked. Next: judged again.
    Probing,
    /// Must run; waits for a place, a pool, a lock. Next: `Running` or `Settled` (skipped).
    Queued,
    /// An attempt is under way. Next: `Pausing` or `Settled`.
    Running,
    /// Between two tries. Next: `Running` or `Settled`.
    Pausing,
    /// Over.
    Settled(Outcome),
}

/// How far the run is being stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    No,
    /// Start nothing more.
    Starting,
    /// Interrupted once: every tool got one SIGINT.
    Interrupted,
    /// Interrupted twice: said what is waited for.
    Told,
    /// Interrupted three times: killed.
    Killed,
}

/// Where each task stands. The loop asks at every turn whether anything is under way, so that is counted.
pub(super) struct States {
    of: Vec<TaskState>,
    asked: usize,
    worked_on: usize,
}

impl States {
    /// All outside of the run.
    pub(super) fn new(count: usize) -> Self {
        Self { of: vec![TaskState::Outside; count], asked: 0, worked_on: 0 }
    }

    /// Where a task stands.
    pub(super) fn get(&self, id: TaskId) -> &TaskState {
        &self.of[id.index()]
    }

    /// The one place where that changes.
    pub(super) fn set(&mut self, id: TaskId, state: TaskState) {
        let old = std::mem::replace(&mut self.of[id.index()], state);
        if let Some(count) = self.count_of(&old) {
            *count -= 1;
        }
        let new = self.of[id.index()].clone();
        if let Some(count) = self.count_of(&new) {
            *count += 1;
        }
    }

    /// Tasks whose probes are being asked.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// Tasks of which an attempt is under way, or a pause between two.
    pub(super) fn worked_on(&self) -> usize {
        self.worked_on
    }

    fn count_of(&mut self, state: &TaskState) -> Option<&mut usize> {
        match state {
            TaskState::Probing => Some(&mut self.asked),
            TaskState::Running | TaskState::Pausing => Some(&mut self.worked_on),
            TaskState::Outside | TaskState::Waiting | TaskState::Queued | TaskState::Settled(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_counted() {
        let mut states = States::new(2);
        let (a, b) = (TaskId(0), TaskId(1));
        for (id, state, asked, worked_on) in [
            (a, TaskState::Waiting, 0, 0),
            (a, TaskState::Probing, 1, 0),
            (b, TaskState::Running, 1, 1),
            (a, TaskState::Waiting, 0, 1),
            (a, TaskState::Running, 0, 2),
            (b, TaskState::Pausing, 0, 2),
            (b, TaskState::Settled(Outcome::Ran), 0, 1),
            (a, TaskState::Settled(Outcome::Failed), 0, 0),
        ] {
            states.set(id, state);
            assert_eq!((states.asked(), states.worked_on()), (asked, worked_on), "{:?}", states.of);
        }
    }
}
