//! Owns a picture of the graph as SVG, and what its lines and boxes mean.
//! Does not know graphviz, nor the tasks beyond what the picture shows.

mod layout;

use crate::report::text::{clean, width};
use crate::report::view::{Carries, EdgeView, GraphView, NodeView};
use layout::Thing;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pixels that a character takes in the picture's font.
const CHARACTER: usize = 8;
const PADDING: usize = 12;
const HEIGHT: usize = 36;
/// What an edge takes of a layer that it passes.
const LANE: usize = 4;
/// Between things of one layer, and between layers.
const GAP: (usize, usize) = (16, 72);
const MARGIN: usize = 16;
/// Height of a line of the legend, width of the sample before its words, and of the whole.
const LEGEND: (usize, usize, usize) = (20, 36, 300);

const STYLE: &str = "text{font:13px ui-monospace,monospace;fill:#1f2328}rect{fill:#fff;stroke:#57606a;rx:4}\
rect.looks{stroke-dasharray:5 3}path{fill:none;stroke:#57606a}path.reads{stroke:#0969da}path.after{stroke-dasharray:2 4}\
svg{background:#fff}text.legend{font-size:11px;fill:#57606a}";

/// Where a thing is, and how wide its layer.
#[derive(Clone, Copy)]
struct Spot {
    x: usize,
    y: usize,
    width: usize,
}

/// The picture.
pub fn svg(view: &GraphView) -> String {
    let layers = layout::layers(view);
    let (spots, (right, low)) = spots(view, &layers);
    let legend = legend(view, low + MARGIN);
    let wide = if legend.is_empty() { right } else { right.max(LEGEND.2) } + MARGIN;
    let high = low + MARGIN + legend.len() * LEGEND.0 + if legend.is_empty() { 0 } else { MARGIN };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n\
         <title>tasks of {}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" style=\"fill:#57606a;stroke:none\"/></marker></defs>\n",
        escaped(&view.env)
    );
    let tasks: BTreeMap<&str, usize> =
        view.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    for (index, edge) in view.edges.iter().enumerate() {
        let spot = |name: &str| spots.get(&Thing::Task(*tasks.get(name)?));
        let (Some(from), Some(to)) = (spot(&edge.from), spot(&edge.to)) else { continue };
        let passes = spots.range(Thing::Passes(index, 0)..=Thing::Passes(index, usize::MAX)).map(|(_, spot)| spot);
        drawn(
            &mut text,
            edge,
            &std::iter::once(from).chain(passes).chain(std::iter::once(to)).copied().collect::<Vec<_>>(),
        );
    }
    for (index, node) in view.nodes.iter().enumerate() {
        if let Some(spot) = spots.get(&Thing::Task(index)) {
            boxed(&mut text, node, *spot);
        }
    }
    text.extend(legend);
    text.push_str("</svg>\n");
    text
}

/// Where everything stands, and where the last of it ends.
fn spots(view: &GraphView, layers: &[Vec<Thing>]) -> (BTreeMap<Thing, Spot>, (usize, usize)) {
    let high = |thing: &Thing| if matches!(thing, Thing::Task(_)) { HEIGHT } else { LANE };
    let full = |layer: &Vec<Thing>| layer.iter().map(high).sum::<usize>() + layer.len().saturating_sub(1) * GAP.0;
    let tallest = layers.iter().map(full).max().unwrap_or(0);
    let mut spots = BTreeMap::new();
    let mut x = MARGIN;
    for layer in layers {
        let name = |thing: &Thing| match thing {
            Thing::Task(index) => width(&clean(&view.nodes[*index].name)) * CHARACTER,
            Thing::Passes(..) => 0,
        };
        let wide = layer.iter().map(name).max().unwrap_or(0) + 2 * PADDING;
        let mut y = MARGIN + (tallest - full(layer)) / 2;
        for thing in layer {
            spots.insert(*thing, Spot { x, y, width: wide });
            y += high(thing) + GAP.0;
        }
        x += wide + GAP.1;
    }
    (spots, (x.saturating_sub(GAP.1), MARGIN + tallest))
}

/// An edge from the right of its first spot to the left of its last one, straight through those between.
fn drawn(text: &mut String, edge: &EdgeView, spots: &[Spot]) {
    let last = spots.len() - 1;
    let mut path = String::new();
    for (at, spot) in spots.iter().enumerate() {
        let y = spot.y + if at == 0 || at == last { HEIGHT } else { LANE } / 2;
        if at > 0 {
            let bend = GAP.1 / 2;
            let _ = write!(path, "{} {y} {} {y}", spot.x.saturating_sub(bend), spot.x);
        }
        if at > 0 && at < last {
            let _ = write!(path, "L{} {y}", spot.x + spot.width);
        }
        if at < last {
            let x = spot.x + spot.width;
            let start = if at == 0 { format!("M{x} {y}") } else { String::new() };
            let _ = write!(path, "{start}C{} {y} ", x + GAP.1 / 2);
        }
    }
    let said = format!("{} → {} ({})", edge.from, edge.to, edge.carries.word());
    let _ = writeln!(
        text,
        "<path{} d=\"{path}\" marker-end=\"url(#tip)\"><title>{}</title></path>",
        class(edge.carries),
        escaped(&said)
    );
}

fn class(carries: Carries) -> &'static str {
    match carries {
        Carries::Needs => "",
        Carries::Reads => " class=\"reads\"",
        Carries::After => " class=\"after\"",
    }
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

/// What lines and boxes mean, as far as there are such.
fn legend(view: &GraphView, top: usize) -> Vec<String> {
    let (left, side) = (MARGIN, LEGEND.1 - PADDING);
    let line = |carries: Carries, y: usize| format!("<path{} d=\"M{left} {y}h{side}\"/>", class(carries));
    let looks =
        |y: usize| format!("<rect class=\"looks\" x=\"{left}\" y=\"{}\" width=\"{side}\" height=\"12\"/>", y - 6);
    let has = |carries| view.edges.iter().any(|edge| edge.carries == carries).then_some(carries);
    let said = [
        (has(Carries::Needs), "needs it to be done first"),
        (has(Carries::Reads), "reads what it made"),
        (has(Carries::After), "only comes after it"),
    ];
    let mut rows: Vec<(Option<Carries>, &str)> = said.into_iter().filter(|(carries, _)| carries.is_some()).collect();
    if view.nodes.iter().any(|node| !node.effect.changes_world()) {
        rows.push((None, "changes nothing in the world"));
    }
    let row = |(at, (carries, words)): (usize, (Option<Carries>, &str))| {
        let y = top + at * LEGEND.0 + LEGEND.0 / 2;
        let sample = carries.map_or_else(|| looks(y), |carries| line(carries, y));
        format!("{sample}<text class=\"legend\" x=\"{}\" y=\"{}\">{words}</text>\n", left + LEGEND.1, y + 4)
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// Text that XML takes as it is.
fn escaped(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Effect;

    pub(super) fn view(names: &[&str], edges: &[(&str, &str)]) -> GraphView {
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
    fn an_edge_passes_beside_the_tasks_on_its_way() {
        let view = view(&["a", "b", "c"], &[("a", "b"), ("b", "c"), ("a", "c")]);
        let (spots, _) = spots(&view, &layout::layers(&view));
        let (b, lane) = (spots[&Thing::Task(1)], spots[&Thing::Passes(2, 1)]);
        assert!(lane.y >= b.y + HEIGHT || lane.y + LANE <= b.y, "{} {}", b.y, lane.y);
        let middle = format!("L{} {}", lane.x + lane.width, lane.y + LANE / 2);
        assert!(svg(&view).contains(&middle), "{}", svg(&view));
    }

    #[test]
    fn what_is_in_the_picture_is_explained_and_nothing_else() {
        let text = svg(&view(&["a", "b"], &[("a", "b")]));
        assert!(text.contains(">needs it to be done first</text>") && text.contains(">changes nothing in the world<"));
        assert!(!text.contains(">only comes after it<"), "{text}");
    }

    #[test]
    fn names_are_text_and_an_empty_graph_is_a_picture() {
        let text = svg(&view(&["each[\"<a>&\"]"], &[]));
        assert!(text.contains(">each[&quot;&lt;a&gt;&amp;&quot;]</text>"), "{text}");
        assert!(svg(&view(&[], &[])).ends_with("</svg>\n"));
    }
}
