//! Owns upstreams that a run does not consider: they are taken as recorded, or are no ground to stand on.
//! Does not know why they were left out, nor how an altered artifact is put back.

use crate::model::facts::{FactError, Facts};
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::record::{Artifact, Phase};
use crate::model::task::Input;
use crate::plan::board::{Board, Settled};
use crate::plan::forecast::forecast;
use crate::plan::verdict::Verdict;

/// A task of the run can't be judged.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// What it reads has no record to stand on.
    #[error("`{reader}` reads `{name}`, which {state} in `{env}`")]
    NoRecord { reader: String, name: String, state: &'static str, env: String },
    /// What it reads is not as it was made, and is not kept.
    #[error("artifact `{path}` of `{name}` was altered and cannot be put back")]
    Lost { name: String, path: String },
    /// The world can't be asked.
    #[error(transparent)]
    Fact(#[from] FactError),
}

/// Settles every task that tasks of a run read or need and that is not part of it. Gives artifacts that
/// must be put back before anything is judged, each with its task.
///
/// # Errors
/// When one of them failed, is unknown or never ran, or when what is read of it is lost.
pub fn settle_outside(
    board: &mut Board<'_>,
    facts: &dyn Facts,
    tasks: &[TaskId],
) -> Result<Vec<(TaskId, Artifact)>, OutsideError> {
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
    let verdicts = forecast(board, facts, &closure)?;
    for (up, reader) in &read {
        let Some(verdict) = &verdicts[up.index()] else { continue };
        let settled = as_recorded(board, *up, verdict);
        if !settled.is_settled() {
            return Err(no_record(board, *up, *reader));
        }
        board.settled[up.index()] = settled;
    }
    let mut altered: Vec<(TaskId, Artifact)> = Vec::new();
    for (up, reader) in &read {
        for artifact in altered_for(board, facts, *up, *reader)? {
            if !altered.contains(&(*up, artifact.clone())) {
                altered.push((*up, artifact));
            }
        }
    }
    for (up, _) in &altered {
        to_put_back(board, *up);
    }
    Ok(altered)
}

/// A task as its record says, whatever the world looks like now. What was tried since and did not succeed
/// is not built on.
pub fn as_recorded(board: &Board<'_>, id: TaskId, verdict: &Verdict) -> Settled {
    let is_undo = board.project.task(id).is_undo();
    let settled = verdict.settled(is_undo);
    if settled.is_settled() {
        return settled;
    }
    match &board.history(id).newest {
        _ if is_undo => Settled::Yes(None),
        Some(record) if record.void.is_none() && !ended_badly(board, id) => Settled::Yes(Some(record.clone())),
        _ => Settled::No,
    }
}

/// Artifacts of a task that another sees and that are not as they were made. Who needs a task sees all
/// that it made.
///
/// # Errors
/// When one of them can't be put back.
pub fn altered_for(
    board: &Board<'_>,
    facts: &dyn Facts,
    up: TaskId,
    reader: TaskId,
) -> Result<Vec<Artifact>, OutsideError> {
    let Some(record) = board.settled[up.index()].record() else { return Ok(Vec::new()) };
    let task = board.project.task(reader);
    let needs = board.project.graph.up(reader).contains(&(up, Edge::Needs));
    let reads = |path: &str| {
        let is = |input: &Input| matches!(input, Input::Artifact { from, output, .. } if *from == up && output == path);
        task.inputs.iter().any(is)
    };
    let mut altered = Vec::new();
    for artifact in record.artifacts.iter().filter(|artifact| needs || reads(&artifact.path)) {
        if facts.artifact(artifact.path.as_str().into())?.digest == artifact.digest {
            continue;
        }
        if !artifact.kept || !facts.stored(&artifact.digest) {
            let name = board.project.task(up).name.to_string();
            return Err(OutsideError::Lost { name, path: artifact.path.clone() });
        }
        altered.push(artifact.clone());
    }
    Ok(altered)
}

/// Its artifacts are not on disk as recorded: what lies in one of them is not known before they are.
pub fn to_put_back(board: &mut Board<'_>, id: TaskId) {
    if let Some(record) = board.settled[id.index()].record() {
        board.settled[id.index()] = Settled::Restorable(record.clone());
    }
}

/// Once its artifacts are put back, a task stands on its record without reserve.
pub fn whole_again(board: &mut Board<'_>, id: TaskId) {
    if let Some(record) = board.settled[id.index()].record() {
        board.settled[id.index()] = Settled::Yes(Some(record.clone()));
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
        Some(_) if history.newest.as_ref().is_some_and(|record| record.void.is_none()) => "lost what it made",
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
