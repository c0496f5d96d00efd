//! Owns pictures of the task graph: a tree of text, Graphviz, Mermaid.
//! Does not know how the graph came about.

use crate::report::paint::{Look, Tone};
use crate::report::text::clean;
use crate::report::view::{Carries, GraphView};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Upstream tasks by downstream task, with what the edge carries.
type Up<'a> = BTreeMap<&'a str, Vec<(&'a str, Carries)>>;

/// Trees from the last tasks up to what they need; a task that was drawn is not drawn again.
pub fn text(view: &GraphView, look: &Look) -> String {
    let mut up: Up<'_> = BTreeMap::new();
    let mut has_down = BTreeSet::new();
    for edge in &view.edges {
        up.entry(edge.to.as_str()).or_default().push((edge.from.as_str(), edge.carries));
        has_down.insert(edge.from.as_str());
    }
    let mut text = String::new();
    let mut drawn = BTreeSet::new();
    for node in view.nodes.iter().filter(|node| !has_down.contains(node.name.as_str())) {
        tree(&mut text, &node.name, &up, &mut drawn, look);
    }
    if text.is_empty() {
        text.push_str("no tasks\n");
    }
    text
}

/// One line that waits to be drawn.
struct Branch<'a> {
    name: &'a str,
    carries: Carries,
    /// What stands before its children, and before itself.
    indent: String,
    lead: &'static str,
}

// A stack of its own instead of recursion: a chain of ten thousand tasks is legal.
fn tree<'a>(text: &mut String, root: &'a str, up: &Up<'a>, drawn: &mut BTreeSet<&'a str>, look: &Look) {
    let mut stack = vec![Branch { name: root, carries: Carries::Needs, indent: String::new(), lead: "" }];
    while let Some(Branch { name, carries, indent, lead }) = stack.pop() {
        let above = up.get(name).map_or(&[][..], Vec::as_slice);
        let again = !drawn.insert(name) && !above.is_empty();
        let word = match carries {
            Carries::Needs => "",
            Carries::Reads => " (reads)",
            Carries::After => " (after)",
        };
        let note = look.paint(Tone::Dim, &format!("{word}{}", if again { " …" } else { "" }));
        let _ = writeln!(text, "{}{}{note}", look.paint(Tone::Dim, &format!("{indent}{lead}")), clean(name));
        if again {
            continue;
        }
        let below = match lead {
            "" => indent,
            "└─ " => indent + "   ",
            _ => indent + "│  ",
        };
        for (index, (name, carries)) in above.iter().enumerate().rev() {
            let lead = if index + 1 == above.len() { "└─ " } else { "├─ " };
            stack.push(Branch { name, carries: *carries, indent: below.clone(), lead });
        }
    }
}

/// Graphviz: `infra graph --format dot | dot -Tsvg`.
pub fn dot(view: &GraphView) -> String {
    let quote = |text: &str| format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = "digraph infra {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for node in &view.nodes {
        let style = if node.effect.changes_world() { "" } else { " style=dashed" };
        let _ = writeln!(
            text,
            "  {} [tooltip={}{style}];",
            quote(&node.name),
            quote(&format!("{}, {}", node.kind, node.effect))
        );
    }
    for edge in &view.edges {
        let style = match edge.carries {
            Carries::Needs => "",
            Carries::Reads => " [label=\"reads\"]",
            Carries::After => " [style=dotted]",
        };
        let _ = writeln!(text, "  {} -> {}{style};", quote(&edge.from), quote(&edge.to));
    }
    text.push_str("}\n");
    text
}

/// Mermaid, for Markdown.
pub fn mermaid(view: &GraphView) -> String {
    let ids: BTreeMap<&str, usize> =
        view.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let mut text = "flowchart LR\n".to_owned();
    for (index, node) in view.nodes.iter().enumerate() {
        let _ = writeln!(text, "  n{index}[\"{}\"]", clean(&node.name).replace('#', "#35;").replace('"', "#quot;"));
    }
    for edge in &view.edges {
        let (Some(from), Some(to)) = (ids.get(edge.from.as_str()), ids.get(edge.to.as_str())) else { continue };
        let arrow = match edge.carries {
            Carries::Needs => "-->",
            Carries::Reads => "-->|reads|",
            Carries::After => "-.->",
        };
        let _ = writeln!(text, "  n{from} {arrow} n{to}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Effect;
    use crate::report::view::{EdgeView, NodeView};

    fn view() -> GraphView {
        let node = |name: &str, effect| NodeView { name: name.to_owned(), stage: None, kind: "run".to_owned(), effect };
        let edge = |from: &str, to: &str, carries| EdgeView { from: from.to_owned(), to: to.to_owned(), carries };
        GraphView {
            env: "local".to_owned(),
            nodes: vec![
                node("lint", Effect::Pure),
                node("vm", Effect::Idempotent),
                node("host[\"a\"]", Effect::Pure),
                node("configure", Effect::Idempotent),
                node("verify", Effect::Read),
                node("alone", Effect::Pure),
            ],
            edges: vec![
                edge("lint", "vm", Carries::After),
                edge("vm", "host[\"a\"]", Carries::Reads),
                edge("host[\"a\"]", "configure", Carries::Needs),
                edge("vm", "configure", Carries::Needs),
                edge("configure", "verify", Carries::Needs),
                edge("vm", "verify", Carries::Needs),
            ],
        }
    }

    #[test]
    fn a_tree_shows_each_task_once_with_what_it_needs() {
        assert_eq!(
            text(&view(), &Look::default()),
            "\
verify
├─ configure
│  ├─ host[\"a\"]
│  │  └─ vm (reads)
│  │     └─ lint (after)
│  └─ vm …
└─ vm …
alone
"
        );
        let none = GraphView { env: "local".to_owned(), nodes: vec![], edges: vec![] };
        assert_eq!(text(&none, &Look::default()), "no tasks\n");
    }

    #[test]
    fn dot_quotes_names() {
        let text = dot(&view());
        assert!(text.starts_with(
            "digraph infra {\n  rankdir=LR;\n  node [shape=box];\n  \"lint\" [tooltip=\"run, pure\" style=dashed];\n"
        ));
        assert!(text.contains("  \"vm\" -> \"host[\\\"a\\\"]\" [label=\"reads\"];\n"));
        assert!(text.ends_with("  \"configure\" -> \"verify\";\n  \"vm\" -> \"verify\";\n}\n"));
    }

    #[test]
    fn mermaid_numbers_its_nodes() {
        let text = mermaid(&view());
        assert!(
            text.starts_with("flowchart LR\n  n0[\"lint\"]\n  n1[\"vm\"]\n  n2[\"host[#quot;a#quot;]\"]\n"),
            "{text}"
        );
        assert!(text.contains("  n0 -.-> n1\n  n1 -->|reads| n2\n  n2 --> n3\n"), "{text}");
    }

    #[test]
    fn a_long_chain_is_no_deep_recursion() {
        let count = 3000;
        let nodes = (0..count)
            .map(|n| NodeView { name: n.to_string(), stage: None, kind: "run".to_owned(), effect: Effect::Pure })
            .collect();
        let edges = (1..count)
            .map(|n| EdgeView { from: (n - 1).to_string(), to: n.to_string(), carries: Carries::Needs })
            .collect();
        let view = GraphView { env: "local".to_owned(), nodes, edges };
        assert_eq!(text(&view, &Look::default()).lines().count(), count);
    }
}
