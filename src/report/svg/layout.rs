//! Owns where things stand in a picture of the graph: layers from left to right, upstream before downstream, and in each
//! layer that an edge passes a place for it, so that no edge runs behind a task.
//! Does not know what is drawn there.

use crate::report::view::GraphView;
use std::collections::BTreeMap;

/// How often things are moved beside what they are connected with.
const SWEEPS: usize = 8;

/// What stands in a layer: a task of the view, or a place that an edge of the view passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Task(usize),
    /// Which edge, and in which layer.
    Passes(usize, usize),
}

/// The layers, each from top to bottom.
pub(super) fn layers(view: &GraphView) -> Vec<Vec<Thing>> {
    let index: BTreeMap<&str, usize> =
        view.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let ends = |from: &str, to: &str| Some((*index.get(from)?, *index.get(to)?));
    let edges: Vec<Option<(usize, usize)>> = view.edges.iter().map(|edge| ends(&edge.from, &edge.to)).collect();
    let depth = depths(view.nodes.len(), &edges);
    let mut layers: Vec<Vec<Thing>> = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
    for (node, at) in depth.iter().enumerate() {
        layers[*at].push(Thing::Task(node));
    }
    let mut beside: BTreeMap<Thing, Vec<Thing>> = BTreeMap::new();
    for (edge, ends) in edges.iter().enumerate() {
        let Some((from, to)) = *ends else { continue };
        let mut last = Thing::Task(from);
        let passes = (depth[from] + 1..depth[to]).map(|at| Thing::Passes(edge, at));
        for next in passes.chain(std::iter::once(Thing::Task(to))) {
            if let Thing::Passes(_, at) = next {
                layers[at].push(next);
            }
            beside.entry(last).or_default().push(next);
            beside.entry(next).or_default().push(last);
            last = next;
        }
    }
    order(layers, &beside)
}

/// How many tasks stand in a row before each one: it stands right of everything upstream of it.
fn depths(nodes: usize, edges: &[Option<(usize, usize)>]) -> Vec<usize> {
    let mut up: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (from, to) in edges.iter().flatten() {
        up[*to].push(*from);
    }
    // Upstream stands before downstream in the list.
    let mut depth = vec![0; nodes];
    for node in 0..nodes {
        depth[node] = up[node].iter().map(|from| depth[*from] + 1).max().unwrap_or(0);
    }
    depth
}

/// Moves each thing beside the middle of what it is connected with: fewer edges cross.
fn order(mut layers: Vec<Vec<Thing>>, beside: &BTreeMap<Thing, Vec<Thing>>) -> Vec<Vec<Thing>> {
    let mut place: BTreeMap<Thing, f64> = BTreeMap::new();
    for layer in &layers {
        center(layer, &mut place);
    }
    for _ in 0..SWEEPS {
        for layer in &mut layers {
            let at = |thing: &Thing| place.get(thing).copied().unwrap_or_default();
            let middle = |thing: &Thing| match beside.get(thing) {
                Some(others) => others.iter().map(at).sum::<f64>() / others.len() as f64,
                None => at(thing),
            };
            let mut wanted: Vec<(f64, Thing)> = layer.iter().map(|thing| (middle(thing), *thing)).collect();
            wanted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            *layer = wanted.into_iter().map(|(_, thing)| thing).collect();
            center(layer, &mut place);
        }
    }
    layers
}

/// Places of a layer's things around the middle.
fn center(layer: &[Thing], place: &mut BTreeMap<Thing, f64>) {
    let half = layer.len() as f64 / 2.0;
    place.extend(layer.iter().enumerate().map(|(row, thing)| (*thing, row as f64 - half)));
}

#[cfg(test)]
mod tests {
    use super::super::tests::view;
    use super::*;

    #[test]
    fn each_task_stands_right_of_what_is_upstream_and_edges_pass_between() {
        let view = view(&["a", "b", "c", "d"], &[("a", "b"), ("b", "c"), ("a", "c")]);
        let mut layers = layers(&view);
        for layer in &mut layers {
            layer.sort();
        }
        let task = Thing::Task;
        assert_eq!(layers, [vec![task(0), task(3)], vec![task(1), Thing::Passes(2, 1)], vec![task(2)]]);
    }

    #[test]
    fn edges_that_need_not_cross_do_not() {
        let layers = layers(&view(&["a", "b", "x", "y"], &[("a", "y"), ("b", "x")]));
        let row = |name: usize| {
            layers.iter().find_map(|layer| layer.iter().position(|thing| *thing == Thing::Task(name))).unwrap()
        };
        assert_eq!(row(0) < row(1), row(3) < row(2), "{layers:?}");
    }
}
