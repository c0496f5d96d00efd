//! Owns the order in which ready tasks start: longest remaining path first, by past durations.
//! Does not know pools, locks or processes.

use crate::model::name::TaskId;
use crate::plan::board::Board;

/// Seconds assumed for a task without history: longer than a null task, shorter than a tool.
const UNKNOWN_SECONDS: f64 = 1.0;

/// Remaining path of each task in seconds, itself included, within the chosen tasks.
pub fn remaining(board: &Board<'_>, chosen: &[bool]) -> Vec<f64> {
    let graph = &board.project.graph;
    let mut remaining = vec![0.0_f64; board.project.tasks.len()];
    for id in graph.order().iter().rev() {
        if !chosen[id.index()] {
            continue;
        }
        let after = graph.down(*id).iter().map(|(down, _)| remaining[down.index()]).fold(0.0, f64::max);
        remaining[id.index()] = after + seconds(board, *id);
    }
    remaining
}

/// What a task usually takes.
pub fn seconds(board: &Board<'_>, id: TaskId) -> f64 {
    board.history(id).typical_seconds.unwrap_or(UNKNOWN_SECONDS)
}

/// Estimate for tasks that will run, on some number of workers: the longer of the critical path and
/// the work shared out. `None` when any of them has no history.
pub fn estimate(board: &Board<'_>, running: &[TaskId], workers: usize) -> Option<f64> {
    let mut chosen = vec![false; board.project.tasks.len()];
    let mut work = 0.0;
    for id in running {
        chosen[id.index()] = true;
        work += board.history(*id).typical_seconds?;
    }
    let critical = remaining(board, &chosen).into_iter().fold(0.0, f64::max);
    Some(critical.max(work / workers.max(1) as f64))
}
