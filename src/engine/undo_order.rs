//! Owns what the taking back of one thing has to do with another's: what was built on another goes first, by
//! the graph as it is and by what was recorded when each was made; and what lived on another goes with it.
//! Does not know how anything is taken back.

use crate::engine::undoing::UndoRecipe;
use crate::host::Host;
use crate::kind::machine::Ground;
use crate::model::action::KindName;
use crate::model::graph::Edge;
use crate::model::name::{TaskId, TaskKey};
use crate::model::record::Void;
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

/// Tasks on which a task's cluster stands: upstream of it at any distance, and such as change the world
/// without a cluster. Of a task that works on no cluster, none.
pub fn beneath(board: &Board<'_>, id: TaskId) -> Vec<i64> {
    let project = board.project;
    let on_cluster = |id: TaskId| matches!(project.task(id).action.kind, KindName::Kubectl | KindName::Helm);
    if !on_cluster(id) {
        return Vec::new();
    }
    let mut seen = vec![false; project.tasks.len()];
    let mut waiting = vec![id];
    let mut beneath = Vec::new();
    while let Some(at) = waiting.pop() {
        for (up, edge) in project.graph.up(at) {
            if *edge == Edge::After || std::mem::replace(&mut seen[up.index()], true) {
                continue;
            }
            waiting.push(*up);
            if project.task(*up).effect.changes_world() && !on_cluster(*up) {
                beneath.push(board.key(*up).0);
            }
        }
    }
    beneath.sort_unstable();
    beneath
}

/// What becomes of that on which a cluster stands, in an undo of `going`.
pub fn ground(board: &Board<'_>, beneath: &[i64], going: &[TaskKey]) -> Ground {
    let was_undone = |key: i64| {
        let index = board.keys.iter().position(|known| known.0 == key);
        index.is_some_and(|index| {
            let history = &board.histories[index];
            let newest = history.newest.as_ref().and_then(|record| record.void.as_ref());
            history.began.is_none() && matches!(newest, Some(Void::Undone { .. }))
        })
    };
    let goes = |key: &i64| going.iter().any(|one| one.0 == *key) || was_undone(*key);
    if beneath.iter().any(goes) { Ground::Goes } else { Ground::Stands }
}
