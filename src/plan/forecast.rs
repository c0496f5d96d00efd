//! Owns the forecast: verdicts on all tasks as the world is now, nothing mocked. What waits for an
//! unknown value is deferred.
//! Does not know what a run will do with it.

use crate::model::facts::{FactError, Facts};
use crate::plan::board::Board;
use crate::plan::verdict::{Verdict, judge};

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
