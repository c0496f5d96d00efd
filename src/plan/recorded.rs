//! Owns upstreams that a run does not consider: they are taken as recorded, or are no ground to stand on.
//! Does not know why they were left out, nor how an altered artifact is put back.

use crate::model::facts::{FactError, Facts};
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::record::Phase;
use crate::plan::board::{Board, Settled};
use crate::plan::forecast::forecast;

/// A task of the run can't be judged.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// What it reads has no record to stand on.
    #[error("`{reader}` reads `{name}`, which {state} in `{env}`")]
    NoRecord { reader: String, name: String, state: &'static str, env: String },
    /// The world can't be asked.
    #[error(transparent)]
    Fact(#[from] FactError),
}

/// Settles every task that tasks of a run read or need and that is not part of it. Gives each such task
/// with the one that reads it.
///
/// # Errors
/// When one of them failed, is unknown or never ran.
pub fn settle_outside(
    board: &mut Board<'_>,
    facts: &dyn Facts,
    tasks: &[TaskId],
) -> Result<Vec<(TaskId, TaskId)>, OutsideError> {
    let graph = &board.project.graph;
    let mut inside = vec![false; board.project.tasks.len()];
    for id in tasks {
        inside[id.index()] = true;
    }
    let read: Vec<(TaskId, TaskId)> = tasks
        .iter()
        .flat_map(|id| graph.up(*id).iter().map(move |(up, edge)| (*up, *edge, *id)))
        .filter(|(up, edge, _)| !inside[up.index()] && *edge != Edge::After)
        .map(|(up, _, reader)| (up, reader))
        .collect();
    // What is fresh is known as such: a pure task may be so by a record of another environment.
    let seeds: Vec<TaskId> = read.iter().map(|(up, _)| *up).collect();
    let mut closure = graph.upstream(&seeds);
    for (flag, inside) in closure.iter_mut().zip(&inside) {
        *flag &= !inside;
    }
    forecast(board, facts, &closure)?;
    for (up, reader) in &read {
        if board.settled[up.index()].is_settled() {
            continue;
        }
        let settled = if ended_badly(board, *up) { Settled::No } else { as_recorded(board, *up) };
        if !settled.is_settled() {
            return Err(no_record(board, *up, *reader));
        }
        board.settled[up.index()] = settled;
    }
    Ok(read)
}

/// A task as its record says, whatever the world looks like now.
pub fn as_recorded(board: &Board<'_>, id: TaskId) -> Settled {
    if board.project.task(id).is_undo() {
        return Settled::Yes(None);
    }
    match &board.history(id).newest {
        Some(record) if record.void.is_none() => Settled::Yes(Some(record.clone())),
        _ => Settled::No,
    }
}

/// Whether it was tried since it was recorded, and did not succeed.
fn ended_badly(board: &Board<'_>, id: TaskId) -> bool {
    let history = board.history(id);
    let Some(last) = &history.last else { return false };
    let newer = history.newest.as_ref().is_none_or(|record| last.id > record.attempt);
    newer && matches!(last.phase, Phase::Failed | Phase::Cut | Phase::Interrupted)
}

/// Why a task's record is no ground to stand on.
pub fn state_of_record(board: &Board<'_>, id: TaskId) -> &'static str {
    let history = board.history(id);
    match &history.last {
        None => "never ran",
        Some(last) if last.phase == Phase::Cut => "was cut short",
        Some(last) if last.phase == Phase::Failed => "failed",
        Some(_) if history.newest.is_some() => "was undone or is no longer true",
        Some(_) => "did not succeed",
    }
}

fn no_record(board: &Board<'_>, up: TaskId, reader: TaskId) -> OutsideError {
    OutsideError::NoRecord {
        reader: board.project.task(reader).name.to_string(),
        name: board.project.task(up).name.to_string(),
        state: state_of_record(board, up),
        env: board.project.env.name.to_string(),
    }
}
