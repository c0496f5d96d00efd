//! Owns the order in which things are taken back: what was built on another goes first, by the graph as it
//! is and by what was recorded when each was made.
//! Does not know how anything is taken back.

use crate::engine::undoing::UndoRecipe;
use crate::host::Host;
use crate::model::name::{TaskId, TaskKey};
use crate::plan::board::Board;

/// Something to take back, as far as its place in the order depends on it.
#[derive(Clone, Debug)]
pub struct Made {
    pub key: TaskKey,
    /// Where it is declared.
    pub id: Option<TaskId>,
    /// What it was built on when it was made last.
    pub on: Vec<i64>,
}

impl Made {
    /// From its sealed recipe.
    pub fn read(host: &Host, key: TaskKey, id: Option<TaskId>, recipe: Option<&str>) -> Self {
        let opened = recipe.and_then(|sealed| host.unseal(sealed).ok());
        let recipe = opened.and_then(|value| serde_json::from_value::<UndoRecipe>(value).ok());
        Self { key, id, on: recipe.map(|recipe| recipe.needs).unwrap_or_default() }
    }
}

/// Places in the list, in the order in which they are taken back. The list's own order holds where nothing
/// speaks against it.
pub fn last_made_first(board: &Board<'_>, all: &[Made]) -> Vec<usize> {
    let graph = &board.project.graph;
    let above: Vec<Vec<bool>> =
        all.iter().map(|one| one.id.map(|id| graph.upstream(&[id])).unwrap_or_default()).collect();
    let is_on = |one: usize, other: usize| {
        let by_graph = all[other].id.is_some_and(|id| above[one].get(id.index()) == Some(&true));
        one != other && (by_graph || all[one].on.contains(&all[other].key.0))
    };
    let mut left: Vec<usize> = (0..all.len()).collect();
    let mut order = Vec::with_capacity(all.len());
    while !left.is_empty() {
        // One that nothing left was built on; in a knot, which edits of the graph can make, the first.
        let free = |place: &usize| !left.iter().any(|one| is_on(*one, *place));
        let next = left.iter().position(free).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// Tasks that change the world and that a task is built on, through those that change nothing.
pub fn grounds(board: &Board<'_>, id: TaskId) -> Vec<i64> {
    let project = board.project;
    let mut seen = vec![false; project.tasks.len()];
    let mut waiting = vec![id];
    let mut grounds = Vec::new();
    while let Some(at) = waiting.pop() {
        for (up, _) in project.graph.up(at) {
            if std::mem::replace(&mut seen[up.index()], true) {
                continue;
            }
            if project.task(*up).effect.changes_world() {
                grounds.push(board.key(*up).0);
            } else {
                waiting.push(*up);
            }
        }
    }
    grounds.sort_unstable();
    grounds
}
