//! Owns the task graph of one environment: edges, order, cycles.
//! Does not know what the tasks do. The only module that knows petgraph.

use crate::model::name::TaskId;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What an edge carries; the strongest one wins when a pair has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Order only.
    After,
    /// A value or an artifact that is read.
    Reads,
    /// Order and what upstream made.
    Needs,
}

/// The graph, in compact arrays.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    up: Vec<Vec<(TaskId, Edge)>>,
    down: Vec<Vec<(TaskId, Edge)>>,
    order: Vec<TaskId>,
}

impl Graph {
    /// Builds a graph of `count` tasks from edges (upstream, downstream, what it carries).
    ///
    /// # Errors
    /// One cycle, as the path of its tasks, first one not repeated, for each knot of tasks.
    pub fn build(count: usize, edges: &[(TaskId, TaskId, Edge)]) -> Result<Self, Vec<Vec<TaskId>>> {
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(count, edges.len());
        for _ in 0..count {
            graph.add_node(());
        }
        let mut best: BTreeMap<(TaskId, TaskId), Edge> = BTreeMap::new();
        for (from, to, edge) in edges {
            let slot = best.entry((*from, *to)).or_insert(*edge);
            *slot = (*slot).max(*edge);
        }
        let mut up = vec![Vec::new(); count];
        let mut down = vec![Vec::new(); count];
        for ((from, to), edge) in &best {
            graph.add_edge(NodeIndex::new(from.index()), NodeIndex::new(to.index()), ());
            up[to.index()].push((*from, *edge));
            down[from.index()].push((*to, *edge));
        }
        let order = sorted(&up, &down);
        if order.len() == count { Ok(Self { up, down, order }) } else { Err(cycles(&graph, &down)) }
    }

    /// Edges into a task.
    pub fn up(&self, task: TaskId) -> &[(TaskId, Edge)] {
        &self.up[task.index()]
    }

    /// Edges out of a task.
    pub fn down(&self, task: TaskId) -> &[(TaskId, Edge)] {
        &self.down[task.index()]
    }

    /// All tasks, upstream before downstream.
    pub fn order(&self) -> &[TaskId] {
        &self.order
    }

    /// Everything upstream of the seeds, the seeds included, as flags per task.
    pub fn upstream(&self, seeds: &[TaskId]) -> Vec<bool> {
        reach(&self.up, seeds)
    }

    /// Everything downstream of the seeds, the seeds included, as flags per task.
    pub fn downstream(&self, seeds: &[TaskId]) -> Vec<bool> {
        reach(&self.down, seeds)
    }
}

/// Upstream before downstream, and where that leaves a choice as declared: people find their tasks where
/// they wrote them. Tasks of a cycle, and what follows one, are left out.
fn sorted(up: &[Vec<(TaskId, Edge)>], down: &[Vec<(TaskId, Edge)>]) -> Vec<TaskId> {
    let mut waits: Vec<usize> = up.iter().map(Vec::len).collect();
    let ids = (0u32..).map(TaskId).take(up.len());
    let mut ready: BinaryHeap<Reverse<TaskId>> = ids.filter(|id| waits[id.index()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(up.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for (next, _) in &down[id.index()] {
            waits[next.index()] -= 1;
            if waits[next.index()] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    order
}

fn reach(edges: &[Vec<(TaskId, Edge)>], seeds: &[TaskId]) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut stack: Vec<TaskId> = seeds.to_vec();
    while let Some(task) = stack.pop() {
        if !std::mem::replace(&mut seen[task.index()], true) {
            stack.extend(edges[task.index()].iter().map(|(next, _)| *next));
        }
    }
    seen
}

/// Every node was made from a `TaskId`, so its index fits in one.
fn task(node: NodeIndex) -> TaskId {
    TaskId(u32::try_from(node.index()).unwrap_or(u32::MAX))
}

fn cycles(graph: &DiGraph<(), ()>, down: &[Vec<(TaskId, Edge)>]) -> Vec<Vec<TaskId>> {
    let mut found = Vec::new();
    for knot in kosaraju_scc(graph) {
        let members: Vec<TaskId> = knot.iter().copied().map(task).collect();
        let first = members.iter().min().copied().unwrap_or(TaskId(0));
        let loops = down[first.index()].iter().any(|(to, _)| *to == first);
        if members.len() < 2 && !loops {
            continue;
        }
        // The shortest way from `first` back to itself within the knot.
        let mut from: BTreeMap<TaskId, TaskId> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([first]);
        'search: while let Some(task) = queue.pop_front() {
            for (next, _) in &down[task.index()] {
                if !members.contains(next) {
                    continue;
                }
                if *next == first {
                    from.insert(first, task);
                    break 'search;
                }
                if !from.contains_key(next) {
                    from.insert(*next, task);
                    queue.push_back(*next);
                }
            }
        }
        let mut path = vec![];
        let mut at = first;
        while let Some(before) = from.get(&at) {
            path.push(at);
            at = *before;
            if at == first {
                break;
            }
        }
        path.reverse();
        path.rotate_right(1);
        found.push(path);
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> TaskId {
        TaskId(number)
    }

    #[test]
    fn order_and_reach() {
        let graph =
            Graph::build(4, &[(id(0), id(1), Edge::Needs), (id(1), id(2), Edge::After), (id(0), id(1), Edge::After)])
                .expect("no cycle");
        assert_eq!(graph.up(id(1)), &[(id(0), Edge::Needs)]);
        assert_eq!(graph.upstream(&[id(2)]), [true, true, true, false]);
        assert_eq!(graph.downstream(&[id(1)]), [false, true, true, false]);
        let place = |task| graph.order().iter().position(|at| *at == task);
        assert!(place(id(0)) < place(id(1)) && place(id(1)) < place(id(2)));
    }

    #[test]
    fn a_cycle_is_given_as_its_whole_path() {
        let edges = [(id(0), id(1), Edge::Needs), (id(1), id(2), Edge::Needs), (id(2), id(0), Edge::Needs)];
        let cycles = Graph::build(3, &edges).expect_err("a cycle");
        assert_eq!(cycles, [[id(0), id(1), id(2)]]);
        let own = Graph::build(1, &[(id(0), id(0), Edge::Needs)]).expect_err("a cycle");
        assert_eq!(own, [[id(0)]]);
    }
}
