//! Owns the JSON schemas (draft 2020-12) of `infra.toml` and of `tasks/*.toml`, made of the tables of keys
//! that check the files.
//! Does not know the files.

use crate::kind::KINDS;
use crate::kind::shape::{KeySpec, Needed, Shape};
use crate::manifest::declare::action_spec;
use crate::manifest::keys;
use crate::model::value::ValueType;
use serde_json::{Map, Value as Json, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Schema of `infra.toml`.
pub fn schema_project() -> Json {
    let mut properties = Map::new();
    for (name, doc) in keys::SECTIONS {
        let mut section = match name {
            "project" => table(&keys::PROJECT),
            "requires" => map_of(&json!({"type": "string", "examples": [">=1.9"]})),
            "vars" => json!({"type": "object"}),
            "env" => {
                let mut env = table(&keys::ENV);
                env["properties"]["vars"]["type"] = json!("object");
                map_of(&env)
            }
            "secrets" => {
                let mut secret = table(&keys::SECRET);
                secret["oneOf"] = json!([{"required": ["env"]}, {"required": ["file"]}, {"required": ["command"]}]);
                map_of(&secret)
            }
            "pools" => map_of(&json!({"type": "integer", "minimum": 1})),
            _ => map_of(&json!({"type": "string"})),
        };
        section["description"] = json!(doc);
        properties.insert(name.to_owned(), section);
    }
    json!({
        "$schema": DRAFT,
        "title": "infra.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Schema of a file of tasks.
pub fn schema_tasks() -> Json {
    let actions: Vec<KeySpec> = KINDS.iter().map(|kind| action_spec(*kind)).collect();
    let mut task = table(&keys::TASK);
    for (spec, kind) in actions.iter().zip(KINDS) {
        let mut action = plain(spec.shape);
        if let Shape::Table(specs) = spec.shape {
            let short = specs
                .iter()
                .find(|inner| inner.name == kind.short_key())
                .map_or(json!(true), |inner| value(inner.shape));
            action = json!({"anyOf": [action, short]});
        }
        action["description"] = json!(format!("Kind `{}`.", spec.name));
        task["properties"][spec.name] = action;
    }
    task["properties"]["exports"]["additionalProperties"] = json!({"type": "string", "pattern": type_pattern()});
    let names: Vec<Json> = actions.iter().map(|spec| json!({"required": [spec.name]})).collect();
    let mut part = task.clone();
    for key in ["override", "envs", "was"] {
        if let Some(properties) = part["properties"].as_object_mut() {
            properties.remove(key);
        }
    }
    task["properties"]["override"]["type"] = json!("object");
    task["properties"]["override"]["additionalProperties"] = json!({"$ref": "#/$defs/override"});
    // A task whose action differs by environment may have it in `override` alone.
    let mut actions = names;
    actions.push(json!({"required": ["override"]}));
    task["anyOf"] = Json::Array(actions);
    json!({
        "$schema": DRAFT,
        "title": "tasks/*.toml",
        "type": "object",
        "properties": {"task": map_of(&json!({"$ref": "#/$defs/task"}))},
        "additionalProperties": false,
        "$defs": {"task": task, "override": part},
    })
}

fn map_of(values: &Json) -> Json {
    json!({"type": "object", "additionalProperties": values})
}

fn table(specs: &[KeySpec]) -> Json {
    let mut properties = Map::new();
    for spec in specs {
        let mut schema = value(spec.shape);
        if !spec.doc.is_empty() {
            schema["description"] = json!(spec.doc);
        }
        properties.insert(spec.name.to_owned(), schema);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    let needed: Vec<&str> = specs.iter().filter(|spec| spec.needed == Needed::Yes).map(|spec| spec.name).collect();
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

/// A value of a shape, or a template that renders to one.
fn value(shape: Shape) -> Json {
    match shape {
        Shape::Text | Shape::Texts | Shape::Tree => plain(shape),
        _ => json!({"anyOf": [plain(shape), {"type": "string", "pattern": r"\{[{%#]"}]}),
    }
}

fn plain(shape: Shape) -> Json {
    let word = json!({"type": ["string", "number", "boolean"]});
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int(least) => json!({"type": "integer", "minimum": least}),
        Shape::Duration => {
            json!({"type": "string", "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"})
        }
        Shape::Mode => json!({"type": "string", "pattern": "^[0-7]{3,4}$"}),
        Shape::Texts => json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
        Shape::Argvs => json!({"anyOf": [
            {"type": "array", "items": word, "minItems": 1},
            {"type": "array", "items": {"type": "array", "items": word, "minItems": 1}, "minItems": 1},
        ]}),
        Shape::Tree => json!({}),
        Shape::TextTable => map_of(&word),
        Shape::Tables(specs) => json!({"anyOf": [table(specs), {"type": "array", "items": table(specs)}]}),
        Shape::Table(specs) => table(specs),
    }
}

fn type_pattern() -> String {
    let plain: Vec<&str> = ValueType::WORDS.into_iter().filter(|word| !word.contains('<')).collect();
    let outer: Vec<&str> =
        ValueType::WORDS.into_iter().filter_map(|word| word.split('<').nth(1).and(word.split('<').next())).collect();
    format!("^({}|secret|({})<.+>)$", plain.join("|"), outer.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_hold_every_key_that_the_checks_know() {
        let tasks = schema_tasks();
        let known = &tasks["$defs"]["task"]["properties"];
        for spec in keys::TASK {
            assert!(known[spec.name].is_object(), "{}", spec.name);
        }
        assert_eq!(known["template"]["anyOf"][0]["required"], json!(["from", "to"]));
        assert_eq!(
            known["exports"]["additionalProperties"]["pattern"],
            "^(string|int|float|bool|ip|cidr|path|url|json|secret|(list|map|secret)<.+>)$"
        );
        let project = schema_project();
        assert_eq!(project["properties"].as_object().map(Map::len), Some(keys::SECTIONS.len()));
        assert_eq!(project["properties"]["env"]["additionalProperties"]["properties"]["vars"]["type"], "object");
    }
}
