//! Owns just's expressions as text for a shell: what is plain is computed, a backtick becomes `$(…)`.
//! Does not know recipes.

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
}

impl Scope {
    /// The assignments of a file.
    pub(super) fn globals(dump: &Json) -> Self {
        let mut scope = Self::default();
        let assignments: Vec<(&String, &Json)> =
            dump["assignments"].as_object().into_iter().flatten().map(|(name, one)| (name, &one["value"])).collect();
        // They may stand in any order: as often as there are any, all that can be computed are.
        for _ in 0..assignments.len() {
            let before = scope.values.clone();
            for (name, value) in &assignments {
                let value = scope.eval(value);
                scope.values.insert((*name).clone(), value);
            }
            if before == scope.values {
                break;
            }
        }
        scope
    }

    pub(super) fn eval(&self, expression: &Json) -> Result<Text, String> {
        if let Some(text) = expression.as_str() {
            return Ok(plain(text.to_owned()));
        }
        let parts = expression.as_array().map_or(&[][..], Vec::as_slice);
        let word = parts.first().and_then(Json::as_str).unwrap_or_default();
        match (word, parts.get(1..).unwrap_or_default()) {
            ("variable", [name]) => {
                let name = name.as_str().unwrap_or_default();
                self.values.get(name).cloned().unwrap_or_else(|| Err(format!("`{name}` has no value")))
            }
            ("evaluate", [command]) => {
                Ok(late(format!("$({})", command.as_str().unwrap_or_default().trim()), Vec::new()))
            }
            ("concatenate", [left, right]) => Ok(self.eval(left)?.and("", &self.eval(right)?)),
            ("join", [left, right]) if left.is_null() => Ok(Text::default().and("/", &self.eval(right)?)),
            ("join", [left, right]) => Ok(self.eval(left)?.and("/", &self.eval(right)?)),
            ("if", [condition, yes, no]) => self.eval(if self.holds(condition)? { yes } else { no }),
            ("and" | "or", [left, right]) => {
                let value = self.early(left)?;
                if value.is_empty() == (word == "and") { Ok(plain(value)) } else { self.eval(right) }
            }
            ("call", [name, arguments @ ..]) => self.call(name.as_str().unwrap_or_default(), arguments),
            _ => Err(format!("an expression `{word}`")),
        }
    }

    /// A value that is known now.
    fn early(&self, expression: &Json) -> Result<String, String> {
        let value = self.eval(expression)?;
        if value.late {
            Err(format!("`{}`, which is computed when it runs, decides something", value.text))
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
        let given = |at: usize| self.early(arguments.get(at).unwrap_or(&Json::Null));
        match (name, arguments.len()) {
            ("uppercase", 1) => Ok(plain(given(0)?.to_uppercase())),
            ("lowercase", 1) => Ok(plain(given(0)?.to_lowercase())),
            ("trim", 1) => Ok(plain(given(0)?.trim().to_owned())),
            ("quote", 1) => Ok(plain(format!("'{}'", given(0)?.replace('\'', r"'\''")))),
            ("replace", 3) => Ok(plain(given(0)?.replace(&given(1)?, &given(2)?))),
            // It must be there, and may be empty.
            ("env_var" | "env", 1) => {
                let name = given(0)?;
                Ok(late(format!("${{{name}?}}"), vec![name]))
            }
            ("env_var_or_default" | "env", 2) => {
                let (name, default) = (given(0)?, given(1)?);
                if default.contains(['}', '"', '\'', '$', '`', '\\']) {
                    return Err(format!("a default of `{name}` that a shell would read"));
                }
                Ok(late(format!("${{{name}-{default}}}"), vec![name]))
            }
            _ => Err(format!("just's function `{name}()`")),
        }
    }
}

fn plain(text: String) -> Text {
    Text { text, ..Text::default() }
}

fn late(text: String, takes: Vec<String>) -> Text {
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
            "if": {"value": ["if", ["==", ["variable", "z"], "NAME"], "yes", "no"]},
        }});
        let scope = Scope::globals(&dump);
        let value = |name: &str| scope.values[name].clone();
        assert_eq!(value("a").unwrap().text, "NAME/x");
        assert_eq!(value("late").unwrap(), late("v/$(date)".to_owned(), Vec::new()));
        assert_eq!(value("odd").unwrap_err(), "just's function `uuid()`");
        assert_eq!(value("if").unwrap().text, "yes");
    }
}
