//! Owns the text of `$INFRA_EXPORTS`: one JSON object, or `key=value` lines.
//! Does not know who wrote it.

use crate::model::value::ValueType;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Reads exports, each `key=value` line as its declared type.
///
/// # Errors
/// A lower-case fragment that says what is wrong and on which line. It never holds a value.
pub fn read(text: &str, declared: &BTreeMap<String, ValueType>) -> Result<BTreeMap<String, Json>, String> {
    if text.trim_start().starts_with('{') {
        return match serde_json::from_str::<Json>(text) {
            Ok(Json::Object(map)) => Ok(map.into_iter().collect()),
            Ok(_) => Err("the exports file holds JSON that is no object".to_owned()),
            Err(error) => {
                Err(format!("the exports file is no valid JSON at line {}, column {}", error.line(), error.column()))
            }
        };
    }
    let mut exports = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("line {} of the exports file is no `key=value`", index + 1));
        };
        let key = key.trim();
        let value = match declared.get(key) {
            Some(kind) => kind.read_text(value),
            None => Json::String(value.to_owned()),
        };
        exports.insert(key.to_owned(), value);
    }
    Ok(exports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_are_read() {
        let declared = BTreeMap::from([("n".to_owned(), ValueType::Int)]);
        assert_eq!(
            read("n=3\nname=a=b\n", &declared).unwrap(),
            BTreeMap::from([("n".to_owned(), json!(3)), ("name".to_owned(), json!("a=b"))])
        );
        assert_eq!(read("{\"a\": [1]}", &declared).unwrap(), BTreeMap::from([("a".to_owned(), json!([1]))]));
        assert!(read("{\"a\": ", &declared).unwrap_err().contains("line 1"));
        assert!(read("nonsense", &declared).unwrap_err().contains("line 1"));
        assert!(read("", &declared).unwrap().is_empty());
    }
}
