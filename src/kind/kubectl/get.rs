//! Owns the values that are read of objects at the end.
//! Does not know what is applied before, nor the order of commands.

use super::command::Commands;
use crate::kind::Table;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Stdout, Step, StepEnd};
use crate::kind::run::ended_badly;
use serde_json::Value as Json;

/// A value that is read.
pub struct Get {
    pub name: String,
    of: String,
    jsonpath: String,
    /// Another than the task's.
    namespace: Option<String>,
}

impl Get {
    /// The values of a table.
    pub fn all(table: &Table) -> impl Iterator<Item = Self> {
        let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
        let get = move |(name, item): (&String, &Json)| Self {
            name: name.clone(),
            of: text(item, "of").unwrap_or_default(),
            jsonpath: text(item, "jsonpath").unwrap_or_default(),
            namespace: text(item, "namespace"),
        };
        table.get("get").and_then(Json::as_object).into_iter().flatten().map(get)
    }

    /// Whether nobody may see it.
    pub fn is_secret(&self) -> bool {
        self.of.to_lowercase().starts_with("secret")
    }

    /// Reads it.
    pub fn step(&self, commands: &Commands) -> Step {
        let path = format!("jsonpath-as-json={}", self.jsonpath);
        let words = ["get", &self.of, "-o", &path];
        commands.there(&format!("kubectl get {}", self.of), &words, self.namespace.as_deref(), Stdout::Collect)
    }

    /// The value, or why there is none.
    pub fn value(&self, end: &StepEnd) -> Result<Json, String> {
        if !end.is_ok() {
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return Err(format!("value `{}` cannot be read of `{}`: {said}", self.name, self.of));
        }
        // kubectl gives the list of all that the path picks; one is meant alone.
        match serde_json::from_str::<Vec<Json>>(&end.stdout) {
            Ok(found) if found.is_empty() => Err(format!("`{}` has nothing at `{}`", self.of, self.jsonpath)),
            Ok(mut found) if found.len() == 1 => Ok(found.remove(0)),
            Ok(found) => Ok(Json::Array(found)),
            Err(error) => Err(format!("value `{}` cannot be read: {error}", self.name)),
        }
    }
}
