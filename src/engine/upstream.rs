//! Owns what upstream means for a task that is about to be judged: whether it may go on, and if not, the
//! one task that is behind it, however far up.
//! Does not know how that task came to its end.

use crate::engine::dispatch::Engine;
use crate::engine::settle::Said;
use crate::engine::state::TaskState;
use crate::event::NOT_STARTED;
use crate::model::effect::Outcome;
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::task::OnFailure;
use crate::plan::recorded::state_of_record;

/// Why a task does not run, when the reason is another task.
#[derive(Clone, Debug)]
pub(super) struct Held {
    by: TaskId,
    why: Why,
}

/// What became of the task that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Failed,
    Interrupted,
    /// The run was being stopped when its turn came.
    NotStarted,
    /// `--skip`, and it has no record to stand on.
    LeftOut,
    /// Watch mode may not run it.
    LeftStale,
}

impl Engine<'_> {
    /// A task whose own end holds what follows.
    pub(super) fn holds(&mut self, id: TaskId, why: Why) {
        self.held.insert(id, Held { by: id, why });
    }

    /// Settles a task that can't go on because of an upstream; `None`: it can.
    pub(super) fn hold(&mut self, id: TaskId) -> Option<Vec<TaskId>> {
        let held = self.held_by(id)?;
        let name = &self.project.task(held.by).name;
        let summary = match held.why {
            Why::Failed => format!("not run: `{name}` failed"),
            Why::Interrupted => format!("not run: `{name}` was interrupted"),
            Why::NotStarted => NOT_STARTED.to_owned(),
            Why::LeftOut => {
                let state = state_of_record(&self.board, held.by);
                // It was asked for, and can't be had this way: that is no success.
                self.note_failure(id, 5);
                format!("not run: `{name}` was left out, and {state} here")
            }
            Why::LeftStale => format!("waits for `{name}`, which watch leaves stale"),
        };
        let outcome = if held.why == Why::NotStarted { self.not_started_outcome() } else { Outcome::Skipped };
        self.held.insert(id, held);
        Some(self.settle(id, outcome, Said { summary: Some(summary), ..Said::default() }))
    }

    fn held_by(&self, id: TaskId) -> Option<Held> {
        self.project.graph.up(id).iter().find_map(|(up, edge)| {
            let TaskState::Settled(outcome) = self.state(*up) else { return None };
            let known = || self.held.get(up).cloned();
            match outcome {
                // Order only: whatever became of it.
                _ if *edge == Edge::After => None,
                Outcome::Ran | Outcome::Fresh | Outcome::Restored => None,
                Outcome::Failed if self.project.task(*up).on_failure == OnFailure::GoOn => None,
                Outcome::Failed => Some(Held { by: *up, why: Why::Failed }),
                // Left out on request stands on its record.
                Outcome::Skipped if self.board.settled[up.index()].is_settled() => None,
                Outcome::Skipped => Some(known().unwrap_or(Held { by: *up, why: Why::LeftOut })),
                Outcome::Interrupted => Some(known().unwrap_or(Held { by: *up, why: Why::Interrupted })),
            }
        })
    }
}
