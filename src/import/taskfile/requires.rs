//! Owns `requires` of a Taskfile: variables without which Task refuses a task.
//! Does not know where their values come from.

use crate::import::late::is_late;
use crate::import::taskfile::variables::Variables;
use serde_json::Value as Json;

/// Whether all are there, and are what they may be.
///
/// # Errors
/// Which one is not.
pub(super) fn met(requires: &Json, vars: &Variables) -> Result<(), String> {
    for one in requires["vars"].as_array().into_iter().flatten() {
        let name = one["name"].as_str().or(one.as_str()).unwrap_or_default();
        let value = vars.fill(&format!("{{{{.{name}}}}}"));
        // A list has one, though not as text.
        if vars.items(name, None).is_ok_and(|items| !items.is_empty()) && value.is_err() {
            continue;
        }
        let value = value.ok().filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| format!("it requires a value for `{name}`, which has no value"))?;
        let allowed: Vec<&str> = one["enum"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        if !allowed.is_empty() && !is_late(&value) && !allowed.contains(&value.as_str()) {
            return Err(format!("it requires one of {} for `{name}`, not `{value}`", allowed.join(", ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_is_named() {
        let vars = Variables::default().with(&json!([["A", "a"], ["E", "dev"], ["L", [1]]]));
        assert!(met(&json!({"vars": ["A", "L", {"name": "E", "enum": ["dev", "prod"]}]}), &vars).is_ok());
        assert!(met(&json!({"vars": ["B"]}), &vars).unwrap_err().contains("`B`, which has no value"));
        assert!(met(&json!({"vars": [{"name": "E", "enum": ["prod"]}]}), &vars).unwrap_err().contains("not `dev`"));
    }
}
