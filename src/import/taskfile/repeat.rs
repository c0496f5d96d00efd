//! Owns `for` of a Taskfile: the variables of each turn.
//! Does not know what is repeated.

use crate::import::taskfile::variables::{Variables, plain};
use crate::import::taskfile::yaml::entries;
use serde_json::Value as Json;

/// Variables of each turn of a command, call or dependency; of one without `for`, a single turn.
pub(super) fn turns(one: &Json, vars: &Variables) -> Result<Vec<Variables>, String> {
    let how = &one["for"];
    let name = how["as"].as_str().unwrap_or("ITEM");
    let items = match how {
        Json::Null => return Ok(vec![vars.clone()]),
        Json::Array(items) => items.iter().map(|item| vars.fill(&plain(item))).collect::<Result<Vec<_>, _>>()?,
        Json::Object(_) if how["var"].is_string() => vars.items(&plain(&how["var"]), how["split"].as_str())?,
        Json::Object(_) if !how["matrix"].is_null() => return matrix(&how["matrix"], name, vars),
        other => return Err(format!("`for` goes over {}, which are known only when it runs", plain(other))),
    };
    Ok(items.into_iter().map(|item| vars.and(name, item)).collect())
}

/// Each combination, the last axis first.
fn matrix(axes: &Json, name: &str, vars: &Variables) -> Result<Vec<Variables>, String> {
    let mut turns = vec![vars.clone()];
    for (axis, values) in entries(axes) {
        let values = match values {
            Json::Array(values) => {
                values.iter().map(|value| vars.fill(&plain(value))).collect::<Result<Vec<_>, _>>()?
            }
            other => {
                let word = plain(&other["ref"]);
                vars.items(word.trim_start_matches('.'), None)?
            }
        };
        let axis = format!("{name}.{axis}");
        turns = turns
            .iter()
            .flat_map(|turn| values.iter().map(|value| turn.and(&axis, value.clone())).collect::<Vec<_>>())
            .collect();
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(one: &Json, text: &str) -> Vec<String> {
        let vars = Variables::default().with(&json!({"L": ["x", "y"]}));
        turns(one, &vars).unwrap().iter().map(|turn| turn.fill(text).unwrap()).collect()
    }

    #[test]
    fn each_turn_has_its_item() {
        assert_eq!(said(&json!({"cmd": "a"}), "-"), ["-"]);
        assert_eq!(said(&json!({"for": [1, 2]}), "{{.ITEM}}"), ["1", "2"]);
        assert_eq!(said(&json!({"for": {"var": "L", "as": "N"}}), "{{.N}}"), ["x", "y"]);
        let matrix = json!({"for": {"matrix": [["B", ["p", "q"]], ["A", {"ref": ".L"}]]}});
        assert_eq!(said(&matrix, "{{.ITEM.B}}{{.ITEM.A}}"), ["px", "py", "qx", "qy"]);
        assert!(turns(&json!({"for": "sources"}), &Variables::default()).is_err());
    }
}
