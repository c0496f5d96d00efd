//! Owns a picture of the graph as SVG: layers from left to right, upstream before downstream.
//! Does not know graphviz, nor the tasks beyond what the picture shows.

use crate::report::text::{clean, width};
use crate::report::view::{Carries, GraphView, NodeView};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pixels that a character takes in the picture's font.
const CHARACTER: usize = 8;
const PADDING: usize = 12;
const HEIGHT: usize = 36;
/// Between boxes of one layer, and between layers.
const GAP: (usize, usize) = (16, 72);
const MARGIN: usize = 16;
/// How often boxes are moved beside what they are connected with.
const SWEEPS: usize = 8;

const STYLE: &str = "text{font:13px ui-monospace,monospace;fill:#1f2328}rect{fill:#fff;stroke:#57606a;rx:4}\
rect.looks{stroke-dasharray:5 3}path{fill:none;stroke:#57606a}path.reads{stroke:#0969da}path.after{stroke-dasharray:2 4}\
svg{background:#fff}";

/// Where a task's box is.
#[derive(Clone, Copy)]
struct Spot {
    x: usize,
    y: usize,
    width: usize,
}

/// The picture.
pub fn svg(view: &GraphView) -> String {
    let layers = ordered(view, layered(view));
    let mut spots: BTreeMap<&str, Spot> = BTreeMap::new();
    let tallest = layers.iter().map(Vec::len).max().unwrap_or(0);
    let full = |boxes: usize| boxes * HEIGHT + boxes.saturating_sub(1) * GAP.0;
    let mut x = MARGIN;
    for layer in &layers {
        let names = layer.iter().map(|index| view.nodes[*index].name.as_str());
        let wide = names.clone().map(|name| width(&clean(name)) * CHARACTER).max().unwrap_or(0) + 2 * PADDING;
        let mut y = MARGIN + (full(tallest) - full(layer.len())) / 2;
        for name in names {
            spots.insert(name, Spot { x, y, width: wide });
            y += HEIGHT + GAP.0;
        }
        x += wide + GAP.1;
    }
    let (wide, high) = (x.saturating_sub(GAP.1) + MARGIN, full(tallest) + 2 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n\
         <title>tasks of {}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" style=\"fill:#57606a;stroke:none\"/></marker></defs>\n",
        escaped(&view.env)
    );
    for edge in &view.edges {
        let (Some(from), Some(to)) = (spots.get(edge.from.as_str()), spots.get(edge.to.as_str())) else { continue };
        let (x1, y1, x2, y2) = (from.x + from.width, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2);
        let bend = GAP.1 / 2;
        let class = match edge.carries {
            Carries::Needs => "",
            Carries::Reads => " class=\"reads\"",
            Carries::After => " class=\"after\"",
        };
        let said = format!("{} → {} ({})", edge.from, edge.to, edge.carries.word());
        let _ = writeln!(
            text,
            "<path{class} d=\"M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}\" marker-end=\"url(#tip)\"><title>{}</title></path>",
            x1 + bend,
            x2.saturating_sub(bend),
            escaped(&said)
        );
    }
    for node in &view.nodes {
        if let Some(spot) = spots.get(node.name.as_str()) {
            boxed(&mut text, node, *spot);
        }
    }
    text.push_str("</svg>\n");
    text
}

fn boxed(text: &mut String, node: &NodeView, spot: Spot) {
    let class = if node.effect.changes_world() { "" } else { " class=\"looks\"" };
    let stage = node.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "<g><title>{}</title><rect{class} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{HEIGHT}\"/>\
         <text x=\"{}\" y=\"{}\">{}</text></g>",
        escaped(&format!("{}: {}, {}{stage}", node.name, node.kind, node.effect)),
        spot.x,
        spot.y,
        spot.width,
        spot.x + PADDING,
        spot.y + HEIGHT / 2 + 5,
        escaped(&node.name)
    );
}

/// Tasks by layer: each one right of everything upstream of it.
fn layered(view: &GraphView) -> Vec<Vec<usize>> {
    let index: BTreeMap<&str, usize> =
        view.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let mut up: Vec<Vec<usize>> = vec![Vec::new(); view.nodes.len()];
    for edge in &view.edges {
        if let (Some(from), Some(to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) {
            up[*to].push(*from);
        }
    }
    // Upstream stands before downstream in the list.
    let mut depth = vec![0; view.nodes.len()];
    let mut layers: Vec<Vec<usize>> = Vec::new();
    for node in 0..view.nodes.len() {
        depth[node] = up[node].iter().map(|from| depth[*from] + 1).max().unwrap_or(0);
        layers.resize_with(layers.len().max(depth[node] + 1), Vec::new);
        layers[depth[node]].push(node);
    }
    layers
}

/// Moves each task beside the middle of what it is connected with: fewer edges cross.
fn ordered(view: &GraphView, mut layers: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let index: BTreeMap<&str, usize> =
        view.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); view.nodes.len()];
    for edge in &view.edges {
        if let (Some(from), Some(to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) {
            beside[*to].push(*from);
            beside[*from].push(*to);
        }
    }
    let mut place = vec![0.0_f64; view.nodes.len()];
    for layer in &layers {
        center(layer, &mut place);
    }
    for _ in 0..SWEEPS {
        for layer in &mut layers {
            let middle = |node: &usize| {
                let sum: f64 = beside[*node].iter().map(|other| place[*other]).sum();
                if beside[*node].is_empty() { place[*node] } else { sum / beside[*node].len() as f64 }
            };
            let mut wanted: Vec<(f64, usize)> = layer.iter().map(|node| (middle(node), *node)).collect();
            wanted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            *layer = wanted.into_iter().map(|(_, node)| node).collect();
            center(layer, &mut place);
        }
    }
    layers
}

/// Places of a layer's tasks around the middle.
fn center(layer: &[usize], place: &mut [f64]) {
    let half = layer.len() as f64 / 2.0;
    for (row, node) in layer.iter().enumerate() {
        place[*node] = row as f64 - half;
    }
}

/// Text that XML takes as it is.
fn escaped(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Effect;
    use crate::report::view::EdgeView;

    fn view(names: &[&str], edges: &[(&str, &str)]) -> GraphView {
        let node = |name: &&str| NodeView {
            name: (*name).to_owned(),
            stage: None,
            kind: "run".to_owned(),
            effect: Effect::Pure,
        };
        let edge = |(from, to): &(&str, &str)| EdgeView {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            carries: Carries::Needs,
        };
        GraphView {
            env: "local".to_owned(),
            nodes: names.iter().map(node).collect(),
            edges: edges.iter().map(edge).collect(),
        }
    }

    #[test]
    fn each_task_stands_right_of_what_is_upstream() {
        let view = view(&["a", "b", "c", "d"], &[("a", "b"), ("b", "c"), ("a", "c")]);
        assert_eq!(layered(&view), [vec![0, 3], vec![1], vec![2]]);
    }

    #[test]
    fn edges_that_need_not_cross_do_not() {
        let view = view(&["a", "b", "x", "y"], &[("a", "y"), ("b", "x")]);
        let layers = ordered(&view, layered(&view));
        let row = |name: usize| layers.iter().find_map(|layer| layer.iter().position(|node| *node == name)).unwrap();
        assert_eq!(row(0) < row(1), row(3) < row(2), "{layers:?}");
    }

    #[test]
    fn names_are_text_and_an_empty_graph_is_a_picture() {
        let text = svg(&view(&["each[\"<a>&\"]"], &[]));
        assert!(text.contains(">each[&quot;&lt;a&gt;&amp;&quot;]</text>"), "{text}");
        assert!(svg(&view(&[], &[])).ends_with("</svg>\n"));
    }
}
