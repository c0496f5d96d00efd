//! Owns just's expressions as text for a shell: what is plain is computed, a backtick becomes a mark (`late`) for what it
//! prints.
//! Does not know recipes.

use crate::import::just::functions;
use crate::import::late::{computed, shown};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether a shell computes a part of it, so that it is known only when the task runs.
    pub(super) late: bool,
    /// Variables of the environment that it reads.
    pub(super) takes: Vec<String>,
}

/// Names and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Value, or why there is none.
    pub(super) values: BTreeMap<String, Result<Text, String>>,
    /// Where backticks run.
    pub(super) folder: String,
}

impl Scope {
    /// The assignments of a file whose backticks run in a folder.
    pub(super) fn globals(dump: &Json, folder: &str) -> Self {
        let mut scope = Self { folder: folder.to_owned(), ..Self::default() };
        let assignments: Vec<(&String, &Json)> =
            dump["assignments"].as_object().into_iter().flatten().map(|(name, one)| (name, &one["value"])).collect();
        // They may stand in any order: as often as there are any, all that can be computed are.
        for _ in 0..assignments.len() {
            let before = scope.values.clone();
            for (name, value) in &assignments {
                let value = scope.eval_as(name, value);
                scope.values.insert((*name).clone(), value);
            }
            if before == scope.values {
                break;
            }
        }
        scope
    }

    pub(super) fn eval(&self, expression: &Json) -> Result<Text, String> {
        self.eval_as("value", expression)
    }

    /// `what`: what a shell may call it.
    fn eval_as(&self, what: &str, expression: &Json) -> Result<Text, String> {
        if let Some(text) = expression.as_str() {
            return Ok(plain(text));
        }
        let parts = expression.as_array().map_or(&[][..], Vec::as_slice);
        let word = parts.first().and_then(Json::as_str).unwrap_or_default();
        match (word, parts.get(1..).unwrap_or_default()) {
            ("variable", [name]) => {
                let name = name.as_str().unwrap_or_default();
                self.values.get(name).cloned().unwrap_or_else(|| Err(format!("`{name}` has no value")))
            }
            ("evaluate", [command]) => {
                let command = command.as_str().unwrap_or_default();
                Ok(late(computed(what, &self.folder, command), Vec::new()))
            }
            ("concatenate", [left, right]) => Ok(self.eval_as(what, left)?.and("", &self.eval_as(what, right)?)),
            ("join", [left, right]) if left.is_null() => Ok(Text::default().and("/", &self.eval_as(what, right)?)),
            ("join", [left, right]) => Ok(self.eval_as(what, left)?.and("/", &self.eval_as(what, right)?)),
            ("if", [condition, yes, no]) => self.eval_as(what, if self.holds(condition)? { yes } else { no }),
            ("and" | "or", [left, right]) => {
                let value = self.early(left)?;
                if value.is_empty() == (word == "and") { Ok(plain(&value)) } else { self.eval(right) }
            }
            ("call", [name, arguments @ ..]) => self.call(name.as_str().unwrap_or_default(), arguments),
            _ => Err(format!("an expression `{word}`")),
        }
    }

    /// A value that is known now.
    fn early(&self, expression: &Json) -> Result<String, String> {
        let value = self.eval(expression)?;
        if value.late {
            Err(format!("`{}`, which is computed when it runs, decides something", shown(&value.text)))
        } else {
            Ok(value.text)
        }
    }

    fn holds(&self, condition: &Json) -> Result<bool, String> {
        let side = |at: usize| self.early(&condition[at]);
        match condition[0].as_str() {
            Some("==") => Ok(side(1)? == side(2)?),
            Some("!=") => Ok(side(1)? != side(2)?),
            other => Err(format!("a comparison `{}`", other.unwrap_or_default())),
        }
    }

    fn call(&self, name: &str, arguments: &[Json]) -> Result<Text, String> {
        let given = arguments.iter().map(|one| self.early(one)).collect::<Result<Vec<String>, String>>()?;
        match (name, given.as_slice()) {
            ("env_var" | "env_var_or_default" | "env", [name, ..]) if !is_name(name) => {
                Err(format!("`{name}` of the environment, which no shell can read"))
            }
            // It must be there, and may be empty.
            ("env_var" | "env", [name]) => Ok(late(computed(name, "", &format!("=${{{name}?}}")), vec![name.clone()])),
            ("env_var_or_default" | "env", [name, default]) => {
                if default.contains(['}', '"', '\'', '$', '`', '\\']) {
                    return Err(format!("a default of `{name}` that a shell would read"));
                }
                let value = format!("=\"${{{name}-{default}}}\"");
                Ok(late(computed(name, "", &value), vec![name.clone()]))
            }
            (name, given) => {
                functions::known(name, given).unwrap_or_else(|| Err(format!("just's function `{name}()`")))
            }
        }
    }
}

/// Whether a shell knows a variable by it.
fn is_name(word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    word.starts_with(|c: char| is_letter(c) && !c.is_ascii_digit()) && word.chars().all(is_letter)
}

pub(super) fn plain(text: &str) -> Text {
    Text { text: text.to_owned(), ..Text::default() }
}

pub(super) fn late(text: String, takes: Vec<String>) -> Text {
    Text { text, late: true, takes }
}

impl Text {
    pub(super) fn and(self, between: &str, other: &Self) -> Self {
        let takes = self.takes.into_iter().chain(other.takes.clone()).collect();
        Self { text: format!("{}{between}{}", self.text, other.text), late: self.late || other.late, takes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_plain_is_computed_and_what_is_not_is_left_to_the_shell() {
        let dump = json!({"assignments": {
            "a": {"value": ["concatenate", ["variable", "z"], "/x"]},
            "z": {"value": ["call", "uppercase", "name"]},
            "late": {"value": ["join", "v", ["evaluate", "date"]]},
            "odd": {"value": ["call", "uuid"]},
            "no": {"value": ["call", "env", "A-B"]},
            "if": {"value": ["if", ["==", ["variable", "z"], "NAME"], "yes", "no"]},
        }});
        let scope = Scope::globals(&dump, "");
        let value = |name: &str| scope.values[name].clone();
        assert_eq!(value("a").unwrap().text, "NAME/x");
        assert_eq!(value("late").unwrap(), late(format!("v/{}", computed("late", "", "date")), Vec::new()));
        assert_eq!(value("odd").unwrap_err(), "just's function `uuid()`");
        assert_eq!(value("if").unwrap().text, "yes");
        assert!(value("no").unwrap_err().contains("`A-B`"));
    }
}
