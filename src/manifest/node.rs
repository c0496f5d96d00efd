//! Owns a TOML file as a tree whose every part knows where it stands, in the order written.
//! Does not know which keys mean what. The only file of the module that names the crate `toml`.

use crate::model::diagnostic::{Diagnostic, Place};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::ops::Range;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text; `inner` is its span between the quotes when the file holds it letter by letter.
    Text {
        text: String,
        inner: Range<usize>,
    },
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A date or time, which no key takes.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    pub(super) fn int(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> &'static str {
        match self.value {
            Value::Text { .. } => "text",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a bool",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value without its places; texts as they are.
    pub(super) fn json(&self) -> Json {
        match &self.value {
            Value::Text { text, .. } | Value::Date(text) => Json::String(text.clone()),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Bool(flag) => Json::Bool(*flag),
            Value::List(items) => items.iter().map(Node::json).collect(),
            Value::Table(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect())
            }
        }
    }

    /// The table with another's keys over it: tables are merged key by key, anything else is replaced.
    pub(super) fn overlaid(&self, over: &Node) -> Node {
        let (Value::Table(mine), Value::Table(theirs)) = (&self.value, &over.value) else {
            return over.clone();
        };
        let mut merged = mine.clone();
        for entry in theirs {
            match merged.iter_mut().find(|old| old.key == entry.key) {
                Some(old) => *old = Entry { node: old.node.overlaid(&entry.node), ..entry.clone() },
                None => merged.push(entry.clone()),
            }
        }
        Node { span: self.span.clone(), value: Value::Table(merged) }
    }
}

/// A file, read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Relative to the root.
    pub(super) path: Arc<Utf8Path>,
    pub(super) text: Arc<str>,
    /// Its tree; what could be made of it when it is no valid TOML.
    pub(super) root: Node,
    /// Whether it is valid TOML.
    pub(super) syntax: Syntax,
}

/// Whether a file is valid TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Good,
    Broken,
}

impl Source {
    /// Reads a file's text.
    pub(super) fn parse(path: &Utf8Path, text: Arc<str>, problems: &mut Vec<Diagnostic>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(&text);
        let syntax = if errors.is_empty() { Syntax::Good } else { Syntax::Broken };
        let mut lines = std::collections::BTreeSet::new();
        let mut messages = std::collections::BTreeSet::new();
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            // One slip often gives several errors, on its line or alike; the first one is about it.
            let line = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
            if lines.insert(line) && messages.insert(error.message().to_owned()) {
                let place = Place { file: path.to_owned(), span };
                problems.push(Diagnostic::error(super::SYNTAX, &place, format!("not valid TOML: {}", error.message())));
            }
        }
        let span = table.span();
        let root = Node { span, value: Value::Table(entries(table.get_ref(), &text)) };
        Self { path: Arc::from(path), text, root, syntax }
    }

    /// A place in the file.
    pub(super) fn at(&self, span: &Range<usize>) -> Place {
        place(&self.path, span)
    }
}

/// A place in a file.
pub(super) fn place(path: &Utf8Path, span: &Range<usize>) -> Place {
    Place { file: Utf8PathBuf::from(path), span: span.clone() }
}

/// Reads a value alone, as a flag gives it.
pub(super) fn parse_value(text: &str) -> Option<Json> {
    let value = DeValue::parse(text).ok()?;
    Some(node(value.span(), value.get_ref(), text).json())
}

fn entries(table: &DeTable<'_>, source: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: node(value.span(), value.get_ref(), source),
        })
        .collect();
    // The crate sorts by name; people mean the order that they wrote.
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

fn node(span: Range<usize>, value: &DeValue<'_>, source: &str) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text { text: text.to_string(), inner: inner(source, &span, text) },
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Date(number.to_string()), Value::Int),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item.span(), item.get_ref(), source)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, source)),
    };
    Node { span, value }
}

/// The span of a text between its quotes, or with them when escapes make the two differ.
fn inner(source: &str, span: &Range<usize>, text: &str) -> Range<usize> {
    let Some(raw) = source.get(span.clone()) else { return span.clone() };
    for quotes in ["\"\"\"", "'''", "\"", "'"] {
        let Some(between) = raw.strip_prefix(quotes).and_then(|rest| rest.strip_suffix(quotes)) else { continue };
        let skipped = between.len().saturating_sub(text.len());
        // A newline right after the opening quotes is no part of the text.
        if between.get(skipped..) == Some(text) && matches!(&between[..skipped], "" | "\n" | "\r\n") {
            let start = span.start + quotes.len() + skipped;
            return start..start + text.len();
        }
        break;
    }
    span.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Source, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let source = Source::parse(Utf8Path::new("a.toml"), Arc::from(text), &mut problems);
        (source, problems)
    }

    #[test]
    fn keys_stand_in_the_order_written_and_texts_know_their_letters() {
        let (source, problems) = read("b = \"x{{ y }}\"\na = '''\nz'''\nc = \"\\t\"\n");
        assert_eq!(problems, []);
        assert_eq!(source.root.entries().iter().map(|e| e.key.as_str()).collect::<String>(), "bac");
        let shown = |key: &str| match &source.root.get(key).expect(key).value {
            Value::Text { inner, .. } => &source.text[inner.clone()],
            _ => "",
        };
        assert_eq!((shown("b"), shown("a"), shown("c")), ("x{{ y }}", "z", "\"\\t\""));
    }

    #[test]
    fn a_syntax_error_is_placed_and_the_rest_is_kept() {
        let (source, problems) = read("[task.a]\nrun = [\"x\"\n[task.b]\nshell = \"y\"\n");
        assert_eq!(source.syntax, Syntax::Broken);
        assert!(problems[0].message.starts_with("not valid TOML: "), "{}", problems[0].message);
        assert!(source.root.get("task").and_then(|task| task.get("a")).is_some());
    }
}
