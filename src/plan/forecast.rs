//! Owns the forecast: verdicts on all tasks as the world is now, nothing mocked. What waits for an
//! unknown value is deferred.
//! Does not know what a run will do with it.

use crate::model::effect::State;
use crate::model::facts::{FactError, Facts};
use crate::model::name::TaskId;
use crate::plan::board::{Board, Settled};
use crate::plan::recorded::{OutsideError, altered_for, as_recorded, settle_outside, to_put_back};
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
        if wish.skipped.contains(id) {
            leave_out(board, facts, wish.tasks, *id, &verdict)?;
        } else {
            if wish.forced.contains(id) && verdict.state != State::Unknown {
                verdict.force();
            }
            board.settled[id.index()] = verdict.settled(board.project.task(*id).is_undo());
        }
        verdicts.push((*id, verdict));
    }
    Ok(verdicts)
}

/// As a run does with a task of `--skip`, but that nothing is put back.
fn leave_out(
    board: &mut Board<'_>,
    facts: &dyn Facts,
    tasks: &[TaskId],
    id: TaskId,
    verdict: &Verdict,
) -> Result<(), OutsideError> {
    board.settled[id.index()] = as_recorded(board, id, verdict);
    for (reader, _) in board.project.graph.down(id).iter().filter(|(reader, _)| tasks.contains(reader)) {
        match altered_for(board, facts, id, *reader) {
            Ok(altered) if altered.is_empty() => {}
            Ok(_) => to_put_back(board, id),
            Err(OutsideError::Fact(error)) => return Err(error.into()),
            Err(_) => board.settled[id.index()] = Settled::No,
        }
    }
    Ok(())
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
