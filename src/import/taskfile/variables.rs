//! Owns variables of a Taskfile and the templates that read them: what is plain is put in, what a shell computes
//! becomes `$(…)`.
//! Does not know tasks.

use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Names and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Result<String, String>>,
}

impl Variables {
    /// With these on top, in order; each may read those before it.
    pub(super) fn with(&self, table: &Json) -> Self {
        let mut all = self.clone();
        let entries: Vec<(&String, &Json)> = table.as_object().into_iter().flatten().collect();
        // The order of the file may be lost: as often as there are any, all that can be put in are.
        for _ in 0..entries.len() {
            for (name, value) in &entries {
                let value = match value {
                    Json::Object(how) => match how.get("sh").and_then(Json::as_str) {
                        Some(command) => all.fill(command).map(|command| format!("$({})", command.trim())),
                        None => Err(format!("variable `{name}`, which is no text")),
                    },
                    Json::Array(_) => Err(format!("variable `{name}`, which is a list")),
                    value => all.fill(&plain(value)),
                };
                all.values.insert((*name).clone(), value);
            }
        }
        all
    }

    /// A text with values in place of `{{.NAME}}`.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let (inside, after) = after.split_once("}}").ok_or("a template without an end")?;
            out.push_str(&self.value(inside.trim_matches(['-', ' ']))?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, inside: &str) -> Result<String, String> {
        match inside {
            ".CLI_ARGS" | "exeExt" => return Ok(String::new()),
            "OS" => return Ok("$(uname -s | tr A-Z a-z)".to_owned()),
            _ => {}
        }
        let (name, default) = match inside.split_once('|').map(|(name, filter)| (name.trim(), filter.trim())) {
            Some((name, filter)) => {
                let default = filter.strip_prefix("default ").map(str::trim).and_then(|text| {
                    let text = text.strip_prefix('"')?.strip_suffix('"')?;
                    (!text.contains('"')).then_some(text)
                });
                (name, Some(default.ok_or_else(|| format!("the template `{{{{{inside}}}}}`"))?))
            }
            None => (inside, None),
        };
        let word = name.strip_prefix('.').filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let word = word.ok_or_else(|| format!("the template `{{{{{inside}}}}}`"))?;
        match (self.values.get(word), default) {
            (Some(value), None) => value.clone(),
            (Some(Ok(value)), Some(default)) if value.is_empty() => Ok(default.to_owned()),
            (Some(value), Some(_)) => value.clone(),
            (None, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err(format!("`{{{{.{word}}}}}`, which has no value")),
        }
    }
}

/// A number, a bool or a text as text.
pub(super) fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_are_filled_or_named() {
        let vars = Variables::default().with(&json!({"A": "{{.Z}}/x", "Z": 1, "S": {"sh": "date"}, "L": [1]}));
        assert_eq!(vars.fill("{{.A}} {{ .S }} {{.CLI_ARGS}}").unwrap(), "1/x $(date) ");
        assert_eq!(vars.fill("{{.N | default \"d\"}} {{.Z | default \"d\"}}").unwrap(), "d 1");
        assert!(vars.fill("{{.N}}").unwrap_err().contains("has no value"));
        assert!(vars.fill("{{.A | upper}}").unwrap_err().contains("template"));
        assert!(vars.fill("{{.L}}").unwrap_err().contains("a list"));
    }
}
