//! Owns the check of a table against a list of keys: unknown and missing keys, wrong types and words.
//! Does not know what the keys are for.

use crate::kind::shape::{KeySpec, Needed, Shape};
use crate::manifest::node::{Entry, Node, Source, Value};
use crate::manifest::{duration, ticked};
use crate::model::diagnostic::{Diagnostic, nearest};
use crate::model::text::has_template;

/// Checks tables of one file.
pub(super) struct Checker<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Says that something is wrong with a part of the file.
    pub(super) fn fail(
        &mut self,
        code: &'static str,
        span: &std::ops::Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let mut problem = Diagnostic::error(code, &self.source.at(span), message);
        problem.help = help;
        self.problems.push(problem);
    }

    /// Checks all keys of a table. `what` names it in messages.
    pub(super) fn table(&mut self, what: &str, node: &Node, specs: &[KeySpec]) {
        for entry in node.entries() {
            match specs.iter().find(|spec| spec.name == entry.key) {
                Some(spec) => self.value(spec.name, &entry.node, spec.shape),
                None => self.unknown_key(what, entry, specs.iter().map(|spec| spec.name)),
            }
        }
    }

    /// Checks that the keys that must be there are.
    pub(super) fn needed(&mut self, what: &str, node: &Node, specs: &[KeySpec]) {
        for spec in specs {
            match (node.get(spec.name), spec.shape) {
                (None, _) if spec.needed == Needed::Yes => {
                    let help = format!("{} {}", ticked(spec.name), lower(spec.doc));
                    self.fail("missing-key", &node.span, format!("{what} lacks the key `{}`", spec.name), Some(help));
                }
                (Some(inner), Shape::Table(specs)) if inner.is_table() => {
                    self.needed(&format!("`{}`", spec.name), inner, specs);
                }
                (Some(inner), Shape::Tables(specs)) => {
                    let tables = inner.items().unwrap_or(std::slice::from_ref(inner));
                    tables.iter().filter(|table| table.is_table()).for_each(|table| {
                        self.needed(&format!("`{}`", spec.name), table, specs);
                    });
                }
                _ => {}
            }
        }
    }

    pub(super) fn unknown_key<'k>(&mut self, what: &str, entry: &Entry, known: impl Iterator<Item = &'k str> + Clone) {
        let help = nearest(&entry.key, known.clone()).map_or_else(
            || format!("known keys: {}", known.map(ticked).collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.fail("unknown-key", &entry.key_span, format!("unknown key `{}` in {what}", entry.key), Some(help));
    }

    /// Checks one value. Text with template syntax may stand for anything: what it renders to is checked
    /// when that is known.
    pub(super) fn value(&mut self, name: &str, node: &Node, shape: Shape) {
        if node.text().is_some_and(has_template) {
            return;
        }
        match (shape, &node.value) {
            (Shape::Text | Shape::Texts, Value::Text { .. }) | (Shape::Bool, Value::Bool(_)) | (Shape::Tree, _) => {}
            (Shape::Int(least), Value::Int(number)) => {
                if *number < least {
                    self.fail("bad-value", &node.span, format!("`{name}` must be {least} or more"), None);
                }
            }
            (Shape::Word(words), Value::Text { text, .. }) => {
                if !words.contains(&text.as_str()) {
                    let help = nearest(text, words.iter().copied()).map_or_else(
                        || {
                            format!(
                                "write one of {}",
                                words.iter().map(|word| ticked(word)).collect::<Vec<_>>().join(", ")
                            )
                        },
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.fail("bad-value", &node.span, format!("unknown word `{text}` for `{name}`"), Some(help));
                }
            }
            (Shape::Duration, Value::Text { text, .. }) => {
                if duration::parse(text).is_none() {
                    let message = format!("`{text}` is no duration");
                    self.fail("bad-duration", &node.span, message, Some(duration::HELP.to_owned()));
                }
            }
            (Shape::Mode, Value::Text { text, .. }) => {
                if !(3..=4).contains(&text.len()) || !text.chars().all(|c| ('0'..='7').contains(&c)) {
                    let help = "write it in octal digits: `\"0644\"`".to_owned();
                    self.fail("bad-value", &node.span, format!("`{text}` is no file mode"), Some(help));
                }
            }
            (Shape::Texts, Value::List(items)) => {
                for item in items {
                    if item.text().is_none() {
                        self.wrong(&format!("an item of `{name}`"), item, Shape::Text);
                    }
                }
            }
            (Shape::Argvs, Value::List(items)) => self.argvs(name, node, items),
            (Shape::TextTable, Value::Table(entries)) => {
                for entry in entries {
                    if !is_scalar(&entry.node) {
                        self.wrong(&format!("`{}` of `{name}`", entry.key), &entry.node, Shape::Text);
                    }
                }
            }
            (Shape::Table(specs), Value::Table(_)) => self.table(&format!("`{name}`"), node, specs),
            (Shape::Tables(specs), Value::Table(_)) => self.table(&format!("`{name}`"), node, specs),
            (Shape::Tables(specs), Value::List(items)) => {
                for item in items {
                    if item.is_table() {
                        self.table(&format!("`{name}`"), item, specs);
                    } else {
                        self.wrong(&format!("an item of `{name}`"), item, Shape::Table(specs));
                    }
                }
            }
            _ => self.wrong(&format!("`{name}`"), node, shape),
        }
    }

    fn argvs(&mut self, name: &str, node: &Node, items: &[Node]) {
        let lists = items.iter().filter(|item| item.items().is_some()).count();
        if items.is_empty() || items.iter().any(|item| item.items().is_some_and(<[Node]>::is_empty)) {
            self.fail("bad-value", &node.span, format!("`{name}` has an argv without a program"), None);
        } else if lists != 0 && lists != items.len() {
            let help = "write one argv `[\"a\", \"b\"]`, or a list of argvs `[[\"a\"], [\"b\"]]`".to_owned();
            self.fail("wrong-type", &node.span, format!("`{name}` mixes words and argvs"), Some(help));
        } else {
            let words = items.iter().flat_map(|item| item.items().unwrap_or(std::slice::from_ref(item)));
            for word in words.filter(|word| !is_scalar(word)) {
                self.wrong(&format!("a word of `{name}`"), word, Shape::Text);
            }
        }
    }

    fn wrong(&mut self, name: &str, node: &Node, shape: Shape) {
        let message = format!("{name} must be {}, found {}", expected(shape), node.describe());
        let help = match (shape, &node.value) {
            (Shape::Argvs, Value::Text { text, .. }) => {
                let words: Vec<String> = text.split_whitespace().map(|word| format!("{word:?}")).collect();
                Some(format!("write `[{}]`, or use `shell` for a command line", words.join(", ")))
            }
            (Shape::Table(specs) | Shape::Tables(specs), _) => {
                let needed =
                    specs.iter().filter(|spec| spec.needed == Needed::Yes).map(|spec| format!("{} = …", spec.name));
                let needed = needed.collect::<Vec<_>>().join(", ");
                Some(if needed.is_empty() {
                    "write a table: `{ key = … }`".to_owned()
                } else {
                    format!("write `{{ {needed} }}`")
                })
            }
            (Shape::Duration, _) => Some(duration::HELP.to_owned()),
            (Shape::Mode, _) => Some("write it as text: `\"0644\"`".to_owned()),
            (Shape::Text, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
                self.source.text.get(node.span.clone()).map(|text| format!("write `\"{text}\"`"))
            }
            (Shape::Bool, Value::Text { text, .. }) if matches!(text.as_str(), "true" | "false") => {
                Some(format!("write `{text}` without quotes"))
            }
            _ => None,
        };
        self.fail("wrong-type", &node.span, message, help);
    }
}

/// Text, a number or a bool: what can stand in an argv or an environment.
fn is_scalar(node: &Node) -> bool {
    matches!(node.value, Value::Text { .. } | Value::Int(_) | Value::Float(_) | Value::Bool(_))
}

fn expected(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Word(words) => {
            format!("one of {}", words.iter().map(|word| ticked(word)).collect::<Vec<_>>().join(", "))
        }
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Int(_) => "a whole number".to_owned(),
        Shape::Duration => "a duration".to_owned(),
        Shape::Mode => "a file mode".to_owned(),
        Shape::Texts => "a text or a list of texts".to_owned(),
        Shape::Argvs => "an argv (a list of words) or a list of argvs".to_owned(),
        Shape::Tree => "a value".to_owned(),
        Shape::TextTable => "a table of texts".to_owned(),
        Shape::Tables(_) => "a table or a list of tables".to_owned(),
        Shape::Table(_) => "a table".to_owned(),
    }
}

/// A sentence as it goes on after its subject.
fn lower(doc: &str) -> String {
    let mut chars = doc.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("is: {first}{}", chars.as_str().trim_end_matches('.'))
}
