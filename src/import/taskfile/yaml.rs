//! Owns reading a Taskfile's YAML, with the order of what is computed one after the other.
//! Does not know what any key means, but which ones have an order.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use std::fmt;

/// Tables whose order counts; they become lists of pairs, since those of JSON have none.
const IN_ORDER: [&str; 3] = ["vars", "env", "matrix"];
/// Tables whose keys are anybody's names.
const OF_NAMES: [&str; 2] = ["tasks", "includes"];

/// A Taskfile's YAML, in which `y` and `on` are words, as to Task.
pub(super) fn yaml(text: &str) -> Result<Json, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let node: Node = serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())?;
    Ok(node.json(Keys::Known))
}

/// The pairs of a table, in its order.
pub(super) fn entries(table: &Json) -> Vec<(&str, &Json)> {
    match table {
        Json::Object(table) => table.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Json::Array(pairs) => pairs.iter().filter_map(|pair| Some((pair[0].as_str()?, &pair[1]))).collect(),
        _ => Vec::new(),
    }
}

/// Whose names the keys of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    Known,
    Names,
    /// In a value of a variable.
    Values,
}

#[derive(Debug)]
enum Node {
    Table(Vec<(String, Self)>),
    List(Vec<Self>),
    Plain(Json),
}

impl Node {
    fn json(self, keys: Keys) -> Json {
        match self {
            Self::Plain(value) => value,
            Self::List(items) => Json::Array(items.into_iter().map(|item| item.json(keys)).collect()),
            Self::Table(pairs) => {
                Json::Object(pairs.into_iter().map(|(key, value)| (key.clone(), value.under(&key, keys))).collect())
            }
        }
    }

    /// What stands under a key.
    fn under(self, key: &str, keys: Keys) -> Json {
        match (keys, self) {
            (Keys::Known, Self::Table(pairs)) if IN_ORDER.contains(&key) => {
                let pair =
                    |(name, value): (String, Self)| Json::Array(vec![Json::String(name), value.json(Keys::Values)]);
                Json::Array(pairs.into_iter().map(pair).collect())
            }
            (Keys::Values, value) => value.json(Keys::Values),
            (Keys::Known, value) if OF_NAMES.contains(&key) => value.json(Keys::Names),
            (_, value) => value.json(Keys::Known),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Json::Null))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Json::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        Node::deserialize(from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Node, A::Error> {
        let mut table: Vec<(String, Node)> = Vec::new();
        while let Some((key, value)) = pairs.next_entry::<String, Node>()? {
            table.push((key, value));
        }
        Ok(Node::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_computed_in_turn_keeps_its_order() {
        let read = yaml("vars: {Z: 1, A: {vars: {Q: on}}}\ntasks: {env: {vars: {B: y, A: 2.5}}, x: ~}").unwrap();
        assert_eq!(read["vars"], json!([["Z", 1], ["A", {"vars": {"Q": "on"}}]]));
        assert_eq!(read["tasks"], json!({"env": {"vars": [["B", "y"], ["A", 2.5]]}, "x": null}));
        let names: Vec<&str> = entries(&read["tasks"]["env"]["vars"]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["B", "A"]);
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        let read = yaml("x: &x {a: 1}\ntasks: {t: {<<: *x, b: 2}}").unwrap();
        assert_eq!(read["tasks"]["t"], json!({"a": 1, "b": 2}));
    }
}
