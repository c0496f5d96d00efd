//! Owns the values that are read of objects at the end.
//! Does not know what is applied before, nor the order of commands.

use super::command::Commands;
use crate::kind::Table;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Stdout, Step, StepEnd};
use crate::kind::run::ended_badly;
use crate::model::value::ValueType;
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
        is_secret(&self.of)
    }

    /// Reads it.
    pub fn step(&self, commands: &Commands) -> Step {
        let path = format!("jsonpath-as-json={}", self.jsonpath);
        let words = ["get", &self.of, "-o", &path];
        commands.there(&format!("kubectl get {}", self.of), &words, self.namespace.as_deref(), Stdout::Collect)
    }

    /// The value, or why there is none. kubectl gives the list of all that the path picks: of what is declared as a
    /// list it may be one, or none.
    pub fn value(&self, end: &StepEnd, declared: Option<&ValueType>) -> Result<Json, String> {
        if !end.is_ok() {
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return Err(format!("value `{}` cannot be read of `{}`: {said}", self.name, self.of));
        }
        let is_list = declared.is_some_and(is_list);
        match serde_json::from_str::<Vec<Json>>(&end.stdout) {
            Ok(found) if is_list && !matches!(found.as_slice(), [Json::Array(_)]) => Ok(Json::Array(found)),
            Ok(found) if found.is_empty() => Err(format!("`{}` has nothing at `{}`", self.of, self.jsonpath)),
            Ok(mut found) if found.len() == 1 => Ok(found.remove(0)),
            Ok(found) => Ok(Json::Array(found)),
            Err(error) => Err(format!("value `{}` cannot be read: {error}", self.name)),
        }
    }
}

fn is_list(declared: &ValueType) -> bool {
    match declared {
        ValueType::Secret(inner) => is_list(inner),
        declared => matches!(declared, ValueType::List(_)),
    }
}

/// Whether some of what is named are secrets.
pub fn is_secret(of: &str) -> bool {
    of.split(',').any(|one| one.trim().to_lowercase().starts_with("secret"))
}

/// What is wrong with the values of a table. A text that is a template still reads null.
pub fn wrong(table: &Table) -> Vec<String> {
    const KEYS: [&str; 3] = ["of", "jsonpath", "namespace"];
    let mut wrong = Vec::new();
    let entries = match table.get("get") {
        Some(Json::Object(entries)) => entries,
        Some(Json::Null) | None => return wrong,
        Some(_) => return vec!["`get` holds `name = { of = \"…\", jsonpath = \"{…}\" }`".to_owned()],
    };
    for (name, item) in entries {
        let Some(item) = item.as_object() else {
            wrong.push(format!("value `{name}` of `get` is no table: write `{{ of = \"…\", jsonpath = \"{{…}}\" }}`"));
            continue;
        };
        for key in KEYS.iter().take(2).filter(|key| !item.contains_key(**key)) {
            wrong.push(format!("value `{name}` of `get` needs `{key}`"));
        }
        for key in item.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            wrong.push(format!(
                "value `{name}` of `get` has an unknown key `{key}`: `of`, `jsonpath`, `namespace` are known"
            ));
        }
        // kubectl gives a path without braces back as it is.
        if let Some(path) = item.get("jsonpath").and_then(Json::as_str).filter(|path| !path.contains('{')) {
            wrong.push(format!("value `{name}` of `get`: a jsonpath stands in braces, `{{{path}}}`"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fake::table;
    use serde_json::json;

    #[test]
    fn a_value_is_a_list_where_one_is_declared() {
        let get = Get { name: "n".to_owned(), of: "nodes".to_owned(), jsonpath: "{.x}".to_owned(), namespace: None };
        let value = |stdout: &str, declared: Option<&str>| {
            let end = StepEnd { code: Some(0), stdout: stdout.to_owned(), ..StepEnd::default() };
            get.value(&end, declared.map(|text| ValueType::parse(text).unwrap()).as_ref()).ok()
        };
        let list = Some("list<string>");
        assert_eq!(value(r#"["a"]"#, list), Some(json!(["a"])));
        assert_eq!(value(r#"["a","b"]"#, list), Some(json!(["a", "b"])));
        assert_eq!(value("[]", list), Some(json!([])));
        assert_eq!(value(r#"[["a"]]"#, list), Some(json!(["a"])), "what it picks is a list");
        // Twin.
        assert_eq!(value(r#"["a"]"#, None), Some(json!("a")));
        assert_eq!(value("[]", None), None);
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said() {
        let wrong = |json: Json| wrong(&table(json!({ "get": json }))).join("; ");
        assert_eq!(wrong(json!({"a": {"of": "node/a", "jsonpath": "{.x}", "namespace": null}})), "");
        assert_eq!(wrong(json!({"a": {"of": null, "jsonpath": null}})), "", "templates");
        assert!(wrong(json!({"a": {"of": "x", "jsonpath": ".x"}})).ends_with("stands in braces, `{.x}`"));
        assert_eq!(wrong(json!({"a": {}})), "value `a` of `get` needs `of`; value `a` of `get` needs `jsonpath`");
        assert!(wrong(json!({"a": {"of": "x", "jsonpath": "{.x}", "typo": 1}})).contains("unknown key `typo`"));
        assert!(wrong(json!({"a": "x"})).contains("is no table"));
        assert!(is_secret("configmaps,Secrets") && is_secret("secret/x") && !is_secret("configmap/secret"));
    }
}
