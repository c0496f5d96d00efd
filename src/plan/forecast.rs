//! Owns the forecast: verdicts on all tasks as the world is now, nothing mocked. What waits for an
//! unknown value is deferred.
//! Does not know what a run will do with it.

use crate::model::effect::State;
use crate::model::facts::{FactError, Facts};
use crate::model::name::TaskId;
use crate::plan::board::Board;
use crate::plan::recorded::{OutsideError, as_recorded, settle_outside};
use crate::plan::verdict::{Verdict, judge};

/// What a run is asked for, as far as verdicts depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Tasks that it considers, in graph order.
    pub tasks: &'a [TaskId],
    /// Those that are left as recorded.
    pub skipped: &'a [TaskId],
    /// Those that run in any case.
    pub forced: &'a [TaskId],
}

/// Judges the tasks of a run as the run itself will: what lies outside and what is left out stands as
/// recorded, what is forced is stale, and what follows it is deferred.
///
/// # Errors
/// When the run would be refused; when the world can't be asked.
pub fn of_run(
    board: &mut Board<'_>,
    facts: &dyn Facts,
    wish: &Wish<'_>,
) -> Result<Vec<(TaskId, Verdict)>, OutsideError> {
    settle_outside(board, facts, wish.tasks)?;
    let mut verdicts = Vec::new();
    for id in wish.tasks {
        board.refresh_alive(*id);
        let mut verdict = judge(board, facts, *id)?;
        if wish.forced.contains(id) && verdict.state != State::Unknown {
            verdict.force();
        }
        board.settled[id.index()] = if wish.skipped.contains(id) {
            as_recorded(board, *id)
        } else {
            verdict.settled(board.project.task(*id).is_undo())
        };
        verdicts.push((*id, verdict));
    }
    Ok(verdicts)
}

/// Judges every task in graph order and leaves the board settled.
///
/// # Errors
/// When the world can't be asked.
pub fn forecast(board: &mut Board<'_>, facts: &dyn Facts, wanted: &[bool]) -> Result<Vec<Option<Verdict>>, FactError> {
    let mut verdicts: Vec<Option<Verdict>> = Vec::new();
    verdicts.resize_with(board.project.tasks.len(), || None);
    for id in board.project.graph.order() {
        if !wanted[id.index()] {
            continue;
        }
        board.refresh_alive(*id);
        let verdict = judge(board, facts, *id)?;
        board.settled[id.index()] = verdict.settled(board.project.task(*id).is_undo());
        verdicts[id.index()] = Some(verdict);
    }
    Ok(verdicts)
}
