//! Owns how an action key becomes its kind's table: structural keys rendered, the others kept as templates.
//! Does not know what a kind makes of its table.

use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{self, Kind, Table};
use crate::manifest::check::Checker;
use crate::manifest::declare::{action_spec, is_long_form};
use crate::manifest::frame::{Frame, May};
use crate::manifest::keys;
use crate::manifest::node::{Entry, Node, Value};
use crate::manifest::ticked;
use crate::model::action::KindName;
use crate::model::diagnostic::Diagnostic;
use crate::model::text::Tree;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A task's action with the place of its key.
pub(super) struct Found<'a> {
    pub(super) kind: &'static dyn Kind,
    pub(super) entry: &'a Entry,
}

/// The one action of a task.
pub(super) fn find<'a>(
    what: &str,
    node: &'a Node,
    frame: &Frame<'_>,
    key_place: &crate::model::diagnostic::Place,
    problems: &mut Vec<Diagnostic>,
) -> Option<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for entry in node.entries() {
        if let Some(name) = KindName::parse(&entry.key) {
            found.push(Found { kind: kind::find(name), entry });
        }
    }
    if found.len() > 1 {
        let names = found.iter().map(|action| ticked(&action.entry.key)).collect::<Vec<_>>().join(" and ");
        let place = found.get(1).map_or_else(|| key_place.clone(), |second| frame.source.at(&second.entry.key_span));
        let problem = Diagnostic::error("many-actions", &place, format!("{what} has {names}: a task does one thing"));
        problems.push(problem.help("make a task of each, and let one `needs` the other"));
    }
    // A key that was reported as unknown was probably meant to be the action.
    let is_known = |entry: &Entry| keys::TASK.iter().any(|spec| spec.name == entry.key);
    if found.is_empty() && node.entries().iter().all(is_known) {
        let words = KindName::ALL.map(|kind| ticked(kind.word())).join(", ");
        let problem = Diagnostic::error("no-action", key_place, format!("{what} does nothing"));
        problems.push(problem.help(format!("give it one of {words}")));
    }
    let action = found.into_iter().next()?;
    let spec = [action_spec(action.kind)];
    let mut check = Checker { source: frame.source, problems };
    match spec[0].shape {
        Shape::Table(specs) if action.entry.node.is_table() => {
            check.needed(&ticked(spec[0].name), &action.entry.node, specs);
        }
        _ => check.needed(what, node, &spec),
    }
    Some(action)
}

/// The kind's table.
pub(super) fn table(action: &Found<'_>, frame: &Frame<'_>, problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Tree> {
    let node = &action.entry.node;
    let mut reader = Reader { frame, problems };
    if is_long_form(action.kind, node) {
        return reader.entries(node, action.kind.keys(), WithSecrets::No);
    }
    let short = action.kind.short_key();
    let spec = action.kind.keys().iter().find(|spec| spec.name == short);
    spec.map(|spec| (short.to_owned(), reader.value(node, spec, WithSecrets::No))).into_iter().collect()
}

/// Whether a table's late keys may read secrets because it says `secret = true`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WithSecrets {
    Yes,
    No,
}

struct Reader<'a, 'b> {
    frame: &'b Frame<'a>,
    problems: &'b mut Vec<Diagnostic>,
}

impl Reader<'_, '_> {
    fn entries(&mut self, node: &Node, specs: &[KeySpec], with: WithSecrets) -> BTreeMap<String, Tree> {
        let marked =
            specs.iter().any(|spec| spec.name == "secret") && node.get("secret").and_then(Node::flag) == Some(true);
        let with = if marked { WithSecrets::Yes } else { with };
        let mut table = BTreeMap::new();
        for entry in node.entries() {
            if let Some(spec) = specs.iter().find(|spec| spec.name == entry.key) {
                table.insert(entry.key.clone(), self.value(&entry.node, spec, with));
            }
        }
        table
    }

    fn value(&mut self, node: &Node, spec: &KeySpec, with: WithSecrets) -> Tree {
        match (spec.shape, &node.value) {
            (Shape::Table(specs) | Shape::Tables(specs), Value::Table(_)) => {
                Tree::Table(self.entries(node, specs, with))
            }
            (Shape::Tables(specs), Value::List(items)) => {
                Tree::List(items.iter().map(|item| Tree::Table(self.entries(item, specs, with))).collect())
            }
            _ if spec.when == When::Graph => {
                let value = self.frame.value(node, spec.name, self.problems).unwrap_or(Json::Null);
                let is_rendered = node.text().is_some_and(crate::model::text::has_template);
                if is_rendered && !value.is_null() && !fits(spec.shape, &value) {
                    let message = format!(
                        "`{}` renders to something else than it must be: {}",
                        spec.name,
                        crate::kind::plain(&value)
                    );
                    self.problems.push(Diagnostic::error("wrong-type", &self.frame.at(node), message));
                }
                Tree::Plain(value)
            }
            _ => {
                let may =
                    if spec.when == When::StartSecret || with == WithSecrets::Yes { May::Secrets } else { May::Values };
                self.frame.late(node, spec.name, may, self.problems)
            }
        }
    }
}

/// Whether a rendered value is of a shape; what is written out was checked before.
fn fits(shape: Shape, value: &Json) -> bool {
    match shape {
        Shape::Text | Shape::Mode => value.is_string() || value.is_number(),
        Shape::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Shape::Bool => value.is_boolean(),
        Shape::Int(least) => value.as_i64().is_some_and(|number| number >= least),
        Shape::Duration => value.as_str().is_some_and(|text| crate::manifest::duration::parse(text).is_some()),
        Shape::Texts => {
            value.is_string() || value.as_array().is_some_and(|items| items.iter().all(|item| !item.is_object()))
        }
        Shape::Argvs => value.is_array(),
        Shape::TextTable | Shape::Table(_) => value.is_object(),
        Shape::Tree | Shape::Tables(_) => true,
    }
}

/// The table as a kind may look at it before anything ran: what is a template still is null.
pub(super) fn known(table: &BTreeMap<String, Tree>) -> Table {
    table.iter().map(|(key, tree)| (key.clone(), known_tree(tree))).collect()
}

fn known_tree(tree: &Tree) -> Json {
    match tree {
        Tree::Text(text) if text.is_template() => Json::Null,
        Tree::Text(text) => Json::String(text.source.to_string()),
        Tree::Plain(value) => value.clone(),
        Tree::List(items) => items.iter().map(known_tree).collect(),
        Tree::Table(items) => Json::Object(items.iter().map(|(key, item)| (key.clone(), known_tree(item))).collect()),
    }
}
