//! Owns the judgement of undo tasks: which of their targets have something to take back.
//! Does not know how anything is taken back.

use crate::kind;
use crate::model::effect::State;
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::model::record::{Attempt, Phase};
use crate::model::task::Task;
use crate::plan::board::Board;
use crate::plan::verdict::Verdict;

/// What is to be done with one target of an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// It began to change the world since its last complete undo.
    TakeBack,
    /// Nothing is known of its thing here: its tool is asked.
    Ask,
    /// Nothing to do.
    Nothing,
}

/// What is to be done with a target.
pub fn target(board: &Board<'_>, id: TaskId) -> Undo {
    let history = board.history(id);
    let task = board.project.task(id);
    if history.began.is_some() {
        Undo::TakeBack
    } else if !history.asked && kind::find(task.action.kind).can_be_asked() {
        // An attempt that failed before it began, in a fresh clone, says nothing of what is there.
        Undo::Ask
    } else {
        Undo::Nothing
    }
}

/// The verdict on an undo task. It has no memo: it is fresh when no target began to change the world
/// since its last complete undo.
pub fn judge(board: &Board<'_>, task: &Task) -> Verdict {
    let named = |wanted: Undo| -> Vec<String> {
        task.action
            .undoes
            .iter()
            .filter(|id| target(board, **id) == wanted)
            .map(|id| board.project.task(*id).name.to_string())
            .collect()
    };
    let (to_undo, to_ask) = (named(Undo::TakeBack), named(Undo::Ask));
    let mut reasons = Vec::new();
    if !to_undo.is_empty() {
        reasons.push(Reason::ToUndo { tasks: to_undo });
    }
    if !to_ask.is_empty() {
        reasons.push(Reason::ToAsk { tasks: to_ask });
    }
    let mut state = if reasons.is_empty() { State::Fresh } else { State::Stale };
    // Where all that is to be undone was begun after the last attempt, its bad end is of the past.
    let still_owed = |last: &Attempt| {
        task.action.undoes.iter().any(|id| match target(board, *id) {
            Undo::TakeBack => board.history(*id).began.is_some_and(|began| began < last.id),
            Undo::Ask => true,
            Undo::Nothing => false,
        })
    };
    if let Some(last) = board.history(task.id).last.as_ref().filter(|last| still_owed(last)) {
        match last.phase {
            Phase::Failed => {
                state = State::Failed;
                reasons.insert(0, Reason::LastAttemptFailed { attempt: last.id.0, message: last.message.clone() });
            }
            Phase::Cut | Phase::Interrupted => reasons.insert(0, Reason::Interrupted { attempt: last.id.0 }),
            _ => {}
        }
    }
    Verdict { state, reasons, ..Verdict::default() }
}
