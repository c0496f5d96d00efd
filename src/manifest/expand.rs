//! Owns how a declared task becomes the tasks of one environment: `envs`, `override`, `foreach`, `matrix`.
//! Does not know what the tasks do.

use crate::manifest::declare::TaskDeclared;
use crate::manifest::frame::Frame;
use crate::manifest::node::{Node, Syntax, Value};
use crate::manifest::settings::texts;
use crate::model::diagnostic::Diagnostic;
use crate::model::environment::Secret;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What every task of an environment may read.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) env: &'a str,
    pub(super) vars: &'a Json,
    pub(super) secrets: &'a BTreeMap<String, Secret>,
    pub(super) settings: Syntax,
}

/// A task of one environment, not yet lowered.
#[derive(Clone, Debug)]
pub(super) struct Draft<'a> {
    pub(super) declared: &'a TaskDeclared<'a>,
    /// Its table with the environment's `override`.
    pub(super) node: Rc<Cow<'a, Node>>,
    pub(super) name: String,
    pub(super) instance: Option<String>,
    pub(super) item: Option<Json>,
    pub(super) matrix: Json,
}

impl Draft<'_> {
    /// What its templates may read.
    pub(super) fn frame<'b>(&'b self, around: &Surroundings<'b>) -> Frame<'b> {
        Frame {
            source: self.declared.source,
            vars: around.vars,
            secrets: around.secrets,
            settings: around.settings,
            env: around.env,
            item: self.item.as_ref(),
            matrix: &self.matrix,
        }
    }
}

/// Whether a task exists in an environment.
pub(super) fn exists_in(declared: &TaskDeclared<'_>, env: &str) -> bool {
    declared.node.get("envs").is_none_or(|envs| texts(Some(envs)).iter().any(|name| name == env))
}

/// A task's table in an environment. An action key of the override replaces the action, unless both are
/// tables of one kind, which are merged key by key as all tables are.
pub(super) fn merged<'a>(declared: &TaskDeclared<'a>, env: &str) -> Cow<'a, Node> {
    let node = declared.node;
    let Some(over) = node.get("override").and_then(|all| all.get(env)).filter(|over| over.is_table()) else {
        return Cow::Borrowed(node);
    };
    let is_action = |key: &str| crate::model::action::KindName::parse(key).is_some();
    let mut base = node.clone();
    if let Value::Table(entries) = &mut base.value
        && let Some(action) = over.entries().iter().find(|entry| is_action(&entry.key))
    {
        entries.retain(|entry| !is_action(&entry.key) || entry.key == action.key);
    }
    Cow::Owned(base.overlaid(over))
}

/// The tasks of one declaration in an environment where it exists.
pub(super) fn expand<'a>(
    declared: &'a TaskDeclared<'a>,
    around: &Surroundings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Draft<'a>> {
    let node = Rc::new(merged(declared, around.env));
    let single = Draft {
        declared,
        node: Rc::clone(&node),
        name: declared.name.clone(),
        instance: None,
        item: None,
        matrix: Json::Object(Map::new()),
    };
    let (foreach, matrix) = (node.get("foreach"), node.get("matrix"));
    if foreach.is_none() && matrix.is_none() {
        return vec![single];
    }
    let frame = single.frame(around);
    let items = foreach.map(|foreach| items_of(&frame, foreach, "foreach", problems));
    let mut axes: Vec<(&str, Vec<(String, Json)>)> = Vec::new();
    if let Some(matrix) = matrix {
        if !matrix.is_table() {
            let message = format!("`matrix` must be a table of lists, found {}", matrix.describe());
            problems.push(Diagnostic::error("wrong-type", &frame.at(matrix), message));
        }
        for entry in matrix.entries() {
            axes.push((&entry.key, items_of(&frame, &entry.node, &entry.key, problems)));
        }
    }
    let mut drafts = Vec::new();
    let each_item: Vec<Option<(String, Json)>> =
        items.map_or_else(|| vec![None], |items| items.into_iter().map(Some).collect());
    for item in each_item {
        combine(&single, item.as_ref(), &axes, &mut drafts);
    }
    drafts
}

/// Every combination of the axes, in the order written, the last one fastest.
fn combine<'a>(
    single: &Draft<'a>,
    item: Option<&(String, Json)>,
    axes: &[(&str, Vec<(String, Json)>)],
    drafts: &mut Vec<Draft<'a>>,
) {
    let total: usize = axes.iter().map(|(_, values)| values.len()).product();
    for number in 0..total {
        let mut rest = number;
        let mut chosen: Vec<(&str, &(String, Json))> = Vec::new();
        for (axis, values) in axes.iter().rev() {
            if let Some(value) = values.get(rest % values.len()) {
                chosen.push((axis, value));
            }
            rest /= values.len();
        }
        chosen.reverse();
        let keys: Vec<&str> =
            item.iter().map(|(key, _)| key.as_str()).chain(chosen.iter().map(|(_, (key, _))| key.as_str())).collect();
        let instance = keys.join(",");
        drafts.push(Draft {
            name: format!("{}[{instance}]", single.declared.name),
            instance: Some(instance),
            item: item.map(|(_, value)| value.clone()),
            matrix: Json::Object(chosen.iter().map(|(axis, (_, value))| ((*axis).to_owned(), value.clone())).collect()),
            ..single.clone()
        });
    }
}

/// Keys and values of a list or table: a text's key is the text, a table's its `name`, or where it
/// stands in a table the key there.
fn items_of(frame: &Frame<'_>, node: &Node, key: &str, problems: &mut Vec<Diagnostic>) -> Vec<(String, Json)> {
    let whole = frame.at(node);
    // A table written out keeps the order of the file; one from variables is sorted.
    let rendered: Vec<(Option<String>, Json)> = if node.is_table() {
        let mut each = Vec::new();
        for entry in node.entries() {
            each.extend(frame.value(&entry.node, key, problems).map(|value| (Some(entry.key.clone()), value)));
        }
        each
    } else {
        match frame.value(node, key, problems) {
            Some(Json::Array(items)) => items.into_iter().map(|item| (None, item)).collect(),
            Some(Json::Object(items)) => items.into_iter().map(|(key, item)| (Some(key), item)).collect(),
            Some(_) => {
                let message = format!("`{key}` must be a list or a table, found {}", node.describe());
                let help = "write a list, or one template that gives a list: `\"{{ vars.NAME }}\"`";
                problems.push(Diagnostic::error("wrong-type", &whole, message).help(help));
                Vec::new()
            }
            None => Vec::new(),
        }
    };
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for (index, (given, value)) in rendered.into_iter().enumerate() {
        let place =
            node.items().and_then(|items| items.get(index)).map_or_else(|| whole.clone(), |item| frame.at(item));
        let name = given.clone().or_else(|| key_of(&value));
        let Some(name) = name.filter(|name| is_key(name)) else {
            let message = format!("an item of `{key}` has no text that can be its key");
            let help = "an item is a text, a number, or a table with a `name`; a key is not empty and holds no `[`, `]` or `,`";
            problems.push(Diagnostic::error("bad-item", &place, message).help(help));
            continue;
        };
        if !seen.insert(name.clone()) {
            problems.push(Diagnostic::error("bad-item", &place, format!("`{key}` has the key `{name}` twice")));
            continue;
        }
        items.push((name.clone(), with_key(value, given.as_deref())));
    }
    items
}

fn key_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Object(map) => map.get("name").filter(|name| !name.is_object()).and_then(key_of),
        Json::Null | Json::Array(_) => None,
    }
}

fn is_key(name: &str) -> bool {
    !name.is_empty() && !name.contains(['[', ']', ',', '\n'])
}

/// An item of a table can tell its own key: `item.key`.
fn with_key(mut value: Json, key: Option<&str>) -> Json {
    if let (Json::Object(map), Some(key)) = (&mut value, key)
        && !map.contains_key("key")
    {
        map.insert("key".to_owned(), Json::String(key.to_owned()));
    }
    value
}
