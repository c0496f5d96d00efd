//! Owns what a task may read while the graph is made: `vars`, `env`, `item`, `matrix`, and the reading
//! of its keys with that.
//! Does not know the keys' meaning.

use crate::manifest::node::{Node, Source, Syntax, Value, place};
use crate::manifest::ticked;
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::environment::Secret;
use crate::model::text::{Read, Text, Tree, has_template};
use crate::template;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What the templates of one task may read.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) source: &'a Source,
    pub(super) vars: &'a Json,
    pub(super) secrets: &'a BTreeMap<String, Secret>,
    /// Whether all variables and secrets are known.
    pub(super) settings: Syntax,
    pub(super) env: &'a str,
    pub(super) item: Option<&'a Json>,
    pub(super) matrix: &'a Json,
}

/// What a text may read beyond `vars`, `env`, `item` and `matrix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// Nothing: it makes the graph.
    Graph,
    /// Values of other tasks.
    Values,
    /// Values of other tasks, and secrets.
    Secrets,
    /// Values of other tasks, and its own.
    Own,
}

/// A text with its place.
pub(super) type Placed = (String, Place);

impl Frame<'_> {
    /// The place of a part of the file.
    pub(super) fn at(&self, node: &Node) -> Place {
        self.source.at(&node.span)
    }

    /// A text of the file as a template, its reads checked.
    pub(super) fn template(&self, node: &Node, key: &str, may: May, problems: &mut Vec<Diagnostic>) -> Option<Text> {
        let Value::Text { text, inner } = &node.value else { return None };
        match template::parse(text, place(&self.source.path, inner)) {
            Ok(text) => {
                let before = problems.len();
                self.check(&text, key, may, problems);
                if before == problems.len() && may != May::Graph && self.can_be_tried(&text) {
                    problems.extend(
                        template::render_view(&text, &self.view()).err().map(|error| from_render(error, &text)),
                    );
                }
                Some(text)
            }
            Err(problem) => {
                problems.push(self.with_variable(problem));
                None
            }
        }
    }

    fn view(&self) -> template::View<'_> {
        template::View {
            vars: self.vars,
            env_name: self.env,
            tasks: &Json::Null,
            out: &Json::Null,
            secrets: &Json::Null,
            item: self.item,
            matrix: self.matrix,
        }
    }

    /// Whether a text that is rendered late reads only what is known now, and looks into it: then a name
    /// that is missing in there is found now.
    fn can_be_tried(&self, text: &Text) -> bool {
        let looks_into = |value: Option<&Json>| value.is_some_and(|value| value.is_object() || value.is_array());
        let mut looks = false;
        for read in text.reads.iter() {
            looks |= match read {
                Read::Var(name) => looks_into(self.vars.get(name)),
                Read::Matrix(axis) => looks_into(self.matrix.get(axis)),
                Read::Item => looks_into(self.item),
                Read::AllVars => true,
                Read::EnvName => false,
                Read::TaskValue { .. } | Read::Out(_) | Read::Secret(_) => return false,
            };
        }
        looks
    }

    /// `foo` alone may well be the variable `vars.foo`.
    fn with_variable(&self, mut problem: Diagnostic) -> Diagnostic {
        let name = problem.message.strip_prefix('`').and_then(|rest| rest.strip_suffix("` is not defined"));
        if let Some(name) = name.filter(|name| self.vars.get(name).is_some()) {
            problem.help = Some(format!("did you mean `vars.{name}`?"));
        }
        problem
    }

    /// Says what a text reads that it may not, or that does not exist. Values of tasks are checked when
    /// all tasks are known.
    fn check(&self, text: &Text, key: &str, may: May, problems: &mut Vec<Diagnostic>) {
        for read in text.reads.iter() {
            let Some((code, message, help)) = self.objection(read, key, may) else { continue };
            let place = template::place_of(text, |other| other == read);
            let mut problem = Diagnostic::error(code, &place, message);
            problem.help = help;
            problems.push(problem);
        }
    }

    pub(super) fn objection(&self, read: &Read, key: &str, may: May) -> Option<(&'static str, String, Option<String>)> {
        match read {
            Read::Var(_) | Read::Secret(_) if self.settings == Syntax::Broken => None,
            Read::Var(name) if self.vars.get(name).is_none() => {
                let help = suggestion("vars.", name, self.vars.as_object().into_iter().flat_map(|vars| vars.keys()))
                    .unwrap_or_else(|| "declare it under `[vars]` in `infra.toml`".to_owned());
                Some(("undefined", format!("`vars.{name}` is not defined"), Some(help)))
            }
            Read::Matrix(axis) if self.matrix.get(axis).is_none() => {
                let help =
                    suggestion("matrix.", axis, self.matrix.as_object().into_iter().flat_map(|axes| axes.keys()))
                        .unwrap_or_else(|| "the task has no such axis under `matrix`".to_owned());
                Some(("undefined", format!("`matrix.{axis}` is not defined"), Some(help)))
            }
            Read::Item if self.item.is_none() => {
                let help = "only a task with `foreach` has an `item`".to_owned();
                Some(("undefined", "`item` is not defined".to_owned(), Some(help)))
            }
            Read::Secret(name) if may == May::Secrets && !self.secrets.contains_key(name) => {
                let help = suggestion("secrets.", name, self.secrets.keys())
                    .unwrap_or_else(|| "declare it under `[secrets]` in `infra.toml`".to_owned());
                Some(("undefined", format!("`secrets.{name}` is not defined"), Some(help)))
            }
            Read::TaskValue { .. } if may == May::Graph => {
                let help = "what makes the graph may read `vars`, `env.name`, `item` and `matrix` only".to_owned();
                Some(("read-not-allowed", format!("{} can't read values of tasks", ticked(key)), Some(help)))
            }
            Read::Secret(name) if may != May::Secrets => {
                let help = "secrets may be read in `env`, in `vars` of terraform and ansible, and in templates with `secret = true`";
                Some((
                    "read-not-allowed",
                    format!("{} can't read `secrets.{name}`", ticked(key)),
                    Some(help.to_owned()),
                ))
            }
            Read::Out(name) if may != May::Own => {
                let help = "a task's own exports may be read in `ready` and `probe` only".to_owned();
                Some(("read-not-allowed", format!("{} can't read `out.{name}`", ticked(key)), Some(help)))
            }
            _ => None,
        }
    }

    /// A value that makes the graph, rendered.
    pub(super) fn value(&self, node: &Node, key: &str, problems: &mut Vec<Diagnostic>) -> Option<Json> {
        match &node.value {
            Value::Text { text, .. } if has_template(text) => {
                // What renders with nothing but what is known here reads nothing else.
                if let Some(value) = template::render_simple(text, &self.view()) {
                    return Some(value);
                }
                let before = problems.len();
                let text = self.template(node, key, May::Graph, problems)?;
                if problems.len() > before {
                    return None;
                }
                template::render_view(&text, &self.view())
                    .map_err(|error| problems.push(from_render(error, &text)))
                    .ok()
            }
            Value::List(items) => items.iter().map(|item| self.value(item, key, problems)).collect(),
            Value::Table(entries) => {
                let each =
                    entries.iter().map(|entry| Some((entry.key.clone(), self.value(&entry.node, key, problems)?)));
                each.collect::<Option<serde_json::Map<_, _>>>().map(Json::Object)
            }
            _ => Some(node.json()),
        }
    }

    /// A value that is rendered when the task starts.
    pub(super) fn late(&self, node: &Node, key: &str, may: May, problems: &mut Vec<Diagnostic>) -> Tree {
        match &node.value {
            Value::Text { .. } => self.template(node, key, may, problems).map_or(Tree::Plain(Json::Null), Tree::Text),
            Value::List(items) => Tree::List(items.iter().map(|item| self.late(item, key, may, problems)).collect()),
            Value::Table(entries) => Tree::Table(
                entries.iter().map(|entry| (entry.key.clone(), self.late(&entry.node, key, may, problems))).collect(),
            ),
            _ => Tree::Plain(node.json()),
        }
    }

    /// A text of a key, rendered.
    pub(super) fn text(&self, task: &Node, key: &str, problems: &mut Vec<Diagnostic>) -> Option<Placed> {
        let node = task.get(key)?;
        match self.value(node, key, problems)? {
            Json::String(text) => Some((text, self.at(node))),
            Json::Array(_) | Json::Object(_) | Json::Null => None,
            other => Some((other.to_string(), self.at(node))),
        }
    }

    /// The texts of a key, rendered; a template may give a list.
    pub(super) fn texts(&self, task: &Node, key: &str, problems: &mut Vec<Diagnostic>) -> Vec<Placed> {
        let Some(node) = task.get(key) else { return Vec::new() };
        let mut texts = Vec::new();
        for item in node.items().unwrap_or(std::slice::from_ref(node)) {
            if let Some(text) = item.text().filter(|text| !has_template(text)) {
                texts.push((text.to_owned(), self.at(item)));
                continue;
            }
            match self.value(item, key, problems) {
                Some(Json::String(text)) => texts.push((text, self.at(item))),
                Some(Json::Array(rendered)) => {
                    texts.extend(rendered.into_iter().map(|value| (crate::kind::plain(&value), self.at(item))));
                }
                _ => {}
            }
        }
        texts
    }
}

fn from_render(error: template::RenderError, text: &Text) -> Diagnostic {
    let place = error.place.unwrap_or_else(|| text.place.as_ref().clone());
    let mut problem = Diagnostic::error("undefined", &place, error.message);
    problem.help = error.help;
    problem
}

fn suggestion<'k>(prefix: &str, name: &str, known: impl Iterator<Item = &'k String>) -> Option<String> {
    nearest(name, known.map(String::as_str)).map(|near| format!("did you mean `{prefix}{near}`?"))
}
