//! Owns variables of a Taskfile and the templates that read them: what is plain is put in, what a shell computes
//! or the environment has is marked (`late`), where the Taskfile lies becomes `HERE`.
//! Does not know tasks.

use crate::import::draft::inside;
use crate::import::late::{HERE, computed, for_shell, is_late, name_of_environment, of_environment};
use crate::import::taskfile::yaml::entries;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Names and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Result<String, String>>,
    lists: BTreeMap<String, Vec<String>>,
}

impl Variables {
    /// What Task itself sets; `folder`: where the file that is read lies, below the first one.
    pub(super) fn of_task(folder: &str) -> Self {
        let here = Self::default().and("ROOT_DIR", HERE.to_owned()).and("USER_WORKING_DIR", HERE.to_owned());
        here.in_folder(folder)
    }

    /// As a file in another folder sees them.
    pub(super) fn in_folder(&self, folder: &str) -> Self {
        self.and("TASKFILE_DIR", if folder.is_empty() { HERE.to_owned() } else { format!("{HERE}/{folder}") })
    }

    /// As they are where these variables of the environment are set.
    pub(super) fn in_environment(&self, names: &[String]) -> Self {
        let mut all = self.clone();
        for name in names {
            all.values.entry(name.clone()).or_insert_with(|| Ok(of_environment(name, "")));
        }
        all
    }

    /// With these on top, in order; each may read those before it. Commands run where the task does.
    pub(super) fn with(&self, table: &Json) -> Self {
        self.with_from(table, "")
    }

    /// With these on top, whose commands run in a folder.
    pub(super) fn with_from(&self, table: &Json, folder: &str) -> Self {
        let mut all = self.clone();
        for (name, value) in entries(table) {
            let value = match value {
                Json::Object(how) => match how.get("sh").and_then(Json::as_str) {
                    Some(command) => all
                        .fill(command)
                        .and_then(|command| for_shell(&command))
                        .map(|command| computed(name, folder, &command)),
                    None => Err(format!("variable `{name}`, which is no text")),
                },
                Json::Array(items) => {
                    let items: Result<Vec<String>, String> = items.iter().map(|item| all.fill(&plain(item))).collect();
                    all.lists.extend(items.ok().map(|items| (name.to_owned(), items)));
                    Err(format!("variable `{name}`, which is a list"))
                }
                value => all.fill(&plain(value)),
            };
            all.values.insert(name.to_owned(), value);
        }
        all
    }

    /// With one more.
    pub(super) fn and(&self, name: &str, value: String) -> Self {
        let mut all = self.clone();
        all.values.insert(name.to_owned(), Ok(value));
        all
    }

    /// What a variable lists: its items, or its words.
    pub(super) fn items(&self, name: &str, separator: Option<&str>) -> Result<Vec<String>, String> {
        if let Some(items) = self.lists.get(name) {
            return Ok(items.clone());
        }
        let text = match self.values.get(name) {
            Some(Ok(text)) if !text.contains("$(") && !is_late(text) => text,
            _ => return Err(format!("`for` goes over `{name}`, which is known only when it runs")),
        };
        Ok(match separator {
            Some(separator) => text.split(separator).map(|item| item.trim().to_owned()).collect(),
            None => text.split_whitespace().map(str::to_owned).collect(),
        })
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
            "OS" => return Ok(computed("OS", "", "uname -s | tr A-Z a-z")),
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
        let word = name.strip_prefix('.').filter(|name| name.chars().all(|c| c.is_alphanumeric() || "_.".contains(c)));
        let word = word.ok_or_else(|| format!("the template `{{{{{inside}}}}}`"))?;
        match (self.values.get(word), default) {
            (Some(value), None) => value.clone(),
            (Some(Ok(value)), Some(default)) if value.is_empty() => Ok(default.to_owned()),
            (Some(Ok(value)), Some(default)) => {
                Ok(name_of_environment(value).map_or_else(|| value.clone(), |name| of_environment(name, default)))
            }
            (Some(value), Some(_)) => value.clone(),
            (None, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err(format!("`{{{{.{word}}}}}`, which has no value")),
        }
    }
}

/// A path of a Taskfile as one of the project: `at` is where it counts from, `top` where the first file lies.
pub(super) fn path_inside(top: &str, at: &str, path: &str) -> Option<String> {
    match path.strip_prefix(HERE) {
        Some(rest) => inside(top, rest.trim_start_matches('/')),
        None => inside(at, path),
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
        let vars = Variables::default()
            .with(&json!([["Z", 1], ["A", "{{.Z}}"], ["A", "{{.A}}/x"], ["S", {"sh": "date"}], ["L", [1]]]));
        assert_eq!(vars.fill("{{.A}} {{ .S }} {{.CLI_ARGS}}").unwrap(), format!("1/x {} ", computed("S", "", "date")));
        assert_eq!(vars.fill("{{.N | default \"d\"}} {{.Z | default \"d\"}}").unwrap(), "d 1");
        assert!(vars.fill("{{.N}}").unwrap_err().contains("has no value"));
        assert!(vars.fill("{{.A | upper}}").unwrap_err().contains("template"));
        assert!(vars.fill("{{.L}}").unwrap_err().contains("a list"));
    }

    #[test]
    fn lists_are_items_or_words() {
        let vars = Variables::of_task("").with(&json!({"L": [1, "b"], "W": "c  d", "C": "e, f", "S": {"sh": "ls"}}));
        assert_eq!(vars.items("L", None).unwrap(), ["1", "b"]);
        assert_eq!(vars.items("W", None).unwrap(), ["c", "d"]);
        assert_eq!(vars.items("C", Some(",")).unwrap(), ["e", "f"]);
        assert!(vars.items("S", None).is_err() && vars.items("N", None).is_err());
    }

    #[test]
    fn where_the_file_lies_is_a_path_of_the_project() {
        let vars = Variables::of_task("web").with(&json!({"BIN": "{{.ROOT_DIR}}/bin"}));
        assert_eq!(path_inside("sub", "sub/x", &vars.fill("{{.BIN}}/a").unwrap()).unwrap(), "sub/bin/a");
        assert_eq!(path_inside("", "x", &vars.fill("{{.TASKFILE_DIR}}").unwrap()).unwrap(), "web");
        assert_eq!(path_inside("sub", "sub/x", "../a").unwrap(), "sub/a");
    }
}
