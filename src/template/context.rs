//! Owns what a template may see while it is rendered, and the words for what it can't.
//! Does not know minijinja's syntax (`reads.rs`) nor its settings (`engine.rs`).

use crate::model::diagnostic::{Place, nearest};
use crate::model::name::template_name;
use crate::model::text::{Read, Text};
use crate::template::{engine, within};
use minijinja::value::Value;
use minijinja::{Error, ErrorKind};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::ops::Range;

/// Everything a template may see.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Variables, a map.
    pub vars: Json,
    /// Name of the environment.
    pub env_name: String,
    /// Exported values: template name → key → value; of a `foreach` task template name → item → key →
    /// value (an empty map when it has no instance).
    pub tasks: Json,
    /// Own exports, in `ready` and `probe`.
    pub out: Json,
    /// Values of secrets.
    pub secrets: Json,
    /// What `item` is bound to.
    pub item: Option<Json>,
    /// What `matrix.X` is bound to.
    pub matrix: Json,
}

/// A scope that is only looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) vars: &'a Json,
    pub(crate) env_name: &'a str,
    pub(crate) tasks: &'a Json,
    pub(crate) out: &'a Json,
    pub(crate) secrets: &'a Json,
    pub(crate) item: Option<&'a Json>,
    pub(crate) matrix: &'a Json,
}

impl Scope {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            vars: &self.vars,
            env_name: &self.env_name,
            tasks: &self.tasks,
            out: &self.out,
            secrets: &self.secrets,
            item: self.item.as_ref(),
            matrix: &self.matrix,
        }
    }
}

/// A text could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// A lower-case fragment, names in backticks.
    pub message: String,
    /// Where, as far as it can be told.
    pub place: Option<Place>,
    /// What to do.
    pub help: Option<String>,
}

/// The part of a scope that a template reads, as the engine knows it.
pub(super) struct Context {
    root: Value,
}

impl Context {
    /// Only what the reads name enters: what is not read can't make a difference.
    pub(super) fn of_reads(reads: &BTreeSet<Read>, view: &View<'_>) -> Self {
        let mut root = Map::new();
        for read in reads {
            match read {
                Read::AllVars => {
                    root.insert("vars".to_owned(), view.vars.clone());
                }
                Read::Var(name) => put(&mut root, "vars", name, view.vars.get(name)),
                Read::EnvName => put(&mut root, "env", "name", Some(&Json::String(view.env_name.to_owned()))),
                Read::Out(key) => put(&mut root, "out", key, view.out.get(key)),
                Read::Secret(name) => put(&mut root, "secrets", name, view.secrets.get(name)),
                Read::Matrix(axis) => put(&mut root, "matrix", axis, view.matrix.get(axis)),
                Read::Item => {
                    if let Some(item) = view.item {
                        root.insert("item".to_owned(), item.clone());
                    }
                }
                Read::TaskValue { task, item, key } => put_value(&mut root, view.tasks, task, item.as_deref(), key),
            }
        }
        for name in ["vars", "env", "tasks", "out", "secrets", "matrix"] {
            root.entry(name).or_insert_with(|| Json::Object(Map::new()));
        }
        Self { root: engine::from_json(&Json::Object(root)) }
    }

    pub(super) fn value(&self) -> Value {
        self.root.clone()
    }
}

fn entry<'a>(map: &'a mut Map<String, Json>, name: &str) -> Option<&'a mut Map<String, Json>> {
    map.entry(name).or_insert_with(|| Json::Object(Map::new())).as_object_mut()
}

fn put(root: &mut Map<String, Json>, name: &str, key: &str, value: Option<&Json>) {
    if let (Some(map), Some(value)) = (entry(root, name), value) {
        map.insert(key.to_owned(), value.clone());
    }
}

/// Puts an exported value at each name that a text may call its task by: within an included project
/// the short name means its own task, which the manifest settled when it was loaded.
fn put_value(root: &mut Map<String, Json>, tasks: &Json, task: &str, item: Option<&str>, key: &str) {
    let Some((task, exports)) = find_task(tasks, task) else { return };
    let value = match item {
        Some(item) => exports.get(item).cloned(),
        None => value_of_all(exports, key),
    };
    let (Some(value), Some(map)) = (value, entry(root, "tasks")) else { return };
    let mut name = task;
    loop {
        if (name == task || tasks.get(name).is_none())
            && let Some(slot) = entry(map, name)
        {
            // An item may be called like a key: what is read of both must be there.
            match (slot.get_mut(item.unwrap_or(key)), &value) {
                (Some(Json::Object(there)), Json::Object(more)) => there.extend(more.clone()),
                _ => {
                    slot.insert(item.unwrap_or(key).to_owned(), value.clone());
                }
            }
        }
        match name.split_once('_') {
            Some((_, rest)) if !rest.is_empty() => name = rest,
            _ => break,
        }
    }
}

fn find_task<'a>(tasks: &'a Json, name: &str) -> Option<(&'a str, &'a Map<String, Json>)> {
    let tasks = tasks.as_object()?;
    let name = template_name(name);
    let found = tasks.get_key_value(&name).or_else(|| {
        // A template file of an included project, whose reads are spelled as they are written.
        let ending = format!("_{name}");
        tasks.iter().find(|(task, _)| task.ends_with(&ending))
    });
    found.and_then(|(task, exports)| Some((task.as_str(), exports.as_object()?)))
}

/// `tasks.T.KEY`: the value, or of a `foreach` task the map from item to value.
fn value_of_all(exports: &Map<String, Json>, key: &str) -> Option<Json> {
    let is_family = exports.values().all(|of_item| of_item.as_object().is_some_and(|map| map.contains_key(key)));
    if is_family {
        let each = exports.iter().filter_map(|(item, of_item)| Some((item.clone(), of_item.get(key)?.clone())));
        return Some(Json::Object(each.collect()));
    }
    exports.get(key).cloned()
}

/// Words for an error of the engine, with the name that is missing and one that may be meant.
pub(super) fn explain(error: &Error, text: &Text, view: &View<'_>) -> RenderError {
    // An expression is rendered without its braces.
    let inner = engine::sole_expression(&text.source);
    let shift = inner.map_or(0, |inner| offset_in(&text.source, inner));
    let range = match (error.range(), inner.map(str::trim)) {
        (Some(range), _) => with_start(&text.source, range.start + shift..range.end + shift),
        (None, Some(inner)) => {
            let start = offset_in(&text.source, inner);
            start..start + inner.len()
        }
        (None, None) => 0..text.source.len(),
    };
    if error.kind() == ErrorKind::UndefinedError {
        for read in text.reads.iter() {
            if let Some((message, help)) = missing(read, view) {
                let place = crate::template::place_of(text, |other| other == read);
                return RenderError { message, place: Some(place), help };
            }
        }
    }
    let snippet = text.source.get(range.clone()).map(str::trim).filter(|snippet| !snippet.is_empty());
    let help = snippet.filter(|_| error.kind() == ErrorKind::UndefinedError).and_then(|path| nearest_path(path, view));
    RenderError { message: words(error, snippet), place: Some(within(&text.place, &text.source, range)), help }
}

/// For `item.nme` of an item with a `name`: did you mean `item.name`?
pub(super) fn nearest_path(path: &str, view: &View<'_>) -> Option<String> {
    let (root, rest) = path.split_once('.')?;
    let mut at = match root {
        "vars" => view.vars,
        "item" => view.item?,
        "matrix" => view.matrix,
        _ => return None,
    };
    let mut before = root.to_owned();
    for name in rest.split('.') {
        match at.get(name) {
            Some(next) => at = next,
            None => {
                let near = nearest(name, at.as_object()?.keys().map(String::as_str))?;
                return Some(format!("did you mean `{before}.{near}`?"));
            }
        }
        before = format!("{before}.{name}");
    }
    None
}

/// The engine places `.c` of `a.b.c` alone; people look for the whole.
pub(super) fn with_start(source: &str, range: Range<usize>) -> Range<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    match source.get(..range.start) {
        Some(before) if source[range.start..].starts_with(['.', '[']) => before.trim_end_matches(part).len()..range.end,
        _ => range,
    }
}

fn offset_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

/// The engine's words as one of our fragments.
pub(super) fn words(error: &Error, snippet: Option<&str>) -> String {
    let detail = error.detail().map(str::to_owned);
    match (error.kind(), snippet) {
        (ErrorKind::UndefinedError, Some(snippet)) => format!("`{snippet}` is not defined"),
        (ErrorKind::UndefinedError, None) => "a value is not defined".to_owned(),
        (kind, Some(snippet)) => format!("`{snippet}`: {}", detail.unwrap_or_else(|| kind.to_string())),
        (kind, None) => detail.unwrap_or_else(|| kind.to_string()),
    }
}

/// What to say when a thing that is read is not in the scope.
pub(super) fn missing(read: &Read, view: &View<'_>) -> Option<(String, Option<String>)> {
    let (prefix, name, map) = match read {
        Read::Var(name) => ("vars.", name, view.vars),
        Read::Out(name) => ("out.", name, view.out),
        Read::Secret(name) => ("secrets.", name, view.secrets),
        Read::Matrix(name) => ("matrix.", name, view.matrix),
        Read::Item if view.item.is_none() => {
            return Some((
                "`item` is not defined".to_owned(),
                Some("only a task with `foreach` has an `item`".to_owned()),
            ));
        }
        Read::TaskValue { task, item, key } => {
            let Some((task, exports)) = find_task(view.tasks, task) else {
                return Some((format!("`tasks.{task}` has no values"), None));
            };
            let inner = match item {
                Some(item) => exports.get(item),
                None => value_of_all(exports, key).is_some().then_some(&Json::Null),
            };
            return if inner.is_some() {
                None
            } else {
                let wanted = item.as_ref().unwrap_or(key);
                let help =
                    nearest(wanted, exports.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
                Some((format!("`tasks.{task}` has no value `{wanted}`"), help))
            };
        }
        _ => return None,
    };
    if map.get(name).is_some() {
        return None;
    }
    let known = map.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let help = nearest(name, known).map(|near| format!("did you mean `{prefix}{near}`?"));
    Some((format!("`{prefix}{name}` is not defined"), help))
}
