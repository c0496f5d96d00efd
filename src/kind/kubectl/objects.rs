//! Owns what kubectl tells of objects: which they are, which of their fields are ours, what speaks against them.
//! Does not know commands.

use super::command::{MANAGER, NAMESPACE};
use crate::kind::machine::{Job, StepEnd};
use crate::model::digest::{Digest, Domain};
use crate::model::value::canonical;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Whether an entry of `managedFields` holds fields that we applied.
pub const MANAGED: fn(&Json) -> bool = |entry| entry["manager"] == MANAGER && entry["operation"] == "Apply";

/// One object, by which kubectl finds it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
}

impl Reference {
    /// The reference to an object.
    pub fn of(object: &Json) -> Option<Self> {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let meta = &object["metadata"];
        Some(Self {
            api_version: text(&object["apiVersion"])?,
            kind: text(&object["kind"])?,
            namespace: text(&meta["namespace"]).unwrap_or_default(),
            name: text(&meta["name"])?,
        })
    }

    /// With the namespace that is meant where it names none. One that is in no namespace is found all the same.
    pub fn within(mut self, namespace: Option<&str>) -> Self {
        if self.namespace.is_empty() {
            namespace.unwrap_or_default().clone_into(&mut self.namespace);
        }
        self
    }

    /// Whether it may be the object of this reference, which the cluster told: before that nobody knows whether a
    /// kind has namespaces.
    pub fn may_be(&self, told: &Self) -> bool {
        let is_placed = self.namespace.is_empty() || told.namespace.is_empty() || self.namespace == told.namespace;
        is_placed && self.name == told.name && self.kind == told.kind && self.api_version == told.api_version
    }

    /// Whether it is the same object, in whatever version of its kind.
    pub fn is_same(&self, other: &Self) -> bool {
        let group = |one: &Self| one.api_version.rsplit_once('/').map(|(group, _)| group.to_owned());
        let named = |one: &Self| (one.kind.clone(), one.namespace.clone(), one.name.clone());
        named(self) == named(other) && group(self) == group(other)
    }

    /// `deployment/web in shop`, for who must know which one it is.
    pub fn placed(&self) -> String {
        // One that is in no namespace is given this one before the cluster tells.
        let is_plain = self.namespace.is_empty() || self.namespace == NAMESPACE;
        let place = if is_plain { String::new() } else { format!(" in {}", self.namespace) };
        format!("{}{place}", self.shown())
    }

    /// `deployment/web`.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// Objects of what kubectl printed as JSON: one, a list, or one after the other.
pub fn objects(text: &str) -> Result<Vec<Json>, String> {
    let mut found = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        let document = document.map_err(|error| format!("what kubectl tells cannot be read: {error}"))?;
        match document.get("items").and_then(Json::as_array) {
            Some(items) => found.extend(items.iter().cloned()),
            None => found.push(document),
        }
    }
    Ok(found)
}

/// Whether files were read that hold no object: kubectl calls that a mistake.
pub fn is_of_none(end: &StepEnd) -> bool {
    !end.is_ok() && end.tail.iter().any(|line| line.contains("no objects passed to"))
}

/// References to objects.
pub fn references(objects: &[Json]) -> Vec<Reference> {
    objects.iter().filter_map(Reference::of).collect()
}

/// An object that kubectl can't apply, and why; it would tell neither its file nor its kind, and only after others
/// were made.
pub fn unfit(objects: &[Json]) -> Option<String> {
    let object = objects.iter().find(|object| Reference::of(object).is_none())?;
    let kind = object["kind"].as_str().unwrap_or("object");
    Some(match object["metadata"]["generateName"].as_str() {
        Some(name) => format!("a {kind} has `generateName: {name}` for a name, which makes another one each time"),
        None => format!("a {kind} has no `metadata.name`"),
    })
}

/// Names of objects as people read them, the first few.
pub fn some_shown<'a>(references: impl IntoIterator<Item = &'a Reference>) -> String {
    const MOST: usize = 3;
    let mut names: Vec<String> = references.into_iter().map(Reference::shown).collect();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// Those of objects that stay, and those that are being deleted.
pub fn standing(objects: Vec<Json>) -> (Vec<Json>, Vec<Json>) {
    objects.into_iter().partition(|object| object["metadata"]["deletionTimestamp"].is_null())
}

/// An object that is being deleted, with what holds it up.
pub fn ending(object: &Json) -> String {
    let name = Reference::of(object).map_or_else(|| "?".to_owned(), |one| one.shown());
    let held = object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let held: Vec<String> = held.map(|one| format!("`{one}`")).collect();
    if held.is_empty() { name } else { format!("{name} (held up by {})", held.join(", ")) }
}

/// Kinds that the cluster does not know, as pairs of API version and kind; none where it could not tell all that
/// it knows.
pub fn unknown_kinds(end: &StepEnd) -> Vec<(String, String)> {
    const UNSURE: [&str; 3] = ["couldn't get ", "unable to retrieve the complete list", "unable to handle the request"];
    if end.tail.iter().any(|line| UNSURE.iter().any(|words| line.contains(words))) {
        return Vec::new();
    }
    let kind = |line: &String| {
        let (kind, rest) = line.split_once("no matches for kind \"")?.1.split_once('"')?;
        let version = rest.split_once("in version \"")?.1.split('"').next()?;
        Some((version.to_owned(), kind.to_owned()))
    };
    end.tail.iter().filter_map(kind).collect()
}

/// The file by which objects of the last apply are found again: a look may write none.
pub fn list_file(job: &Job) -> Utf8PathBuf {
    job.keep.join("objects.json")
}

/// A file by which kubectl finds objects again.
pub fn list(references: &[Reference]) -> Vec<u8> {
    let item = |one: &Reference| {
        let mut meta = Map::from_iter([("name".to_owned(), json!(one.name))]);
        if !one.namespace.is_empty() {
            meta.insert("namespace".to_owned(), json!(one.namespace));
        }
        json!({ "apiVersion": one.api_version, "kind": one.kind, "metadata": meta })
    };
    let items: Vec<Json> = references.iter().map(item).collect();
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string().into_bytes()
}

/// The token: which objects they are, and what we say of them.
pub fn token(objects: &[Json]) -> String {
    let told: BTreeMap<Option<Reference>, Json> =
        objects.iter().map(|object| (Reference::of(object), told(object))).collect();
    let told: Vec<Json> = told.into_values().collect();
    Digest::of(Domain::Value, canonical(&Json::Array(told)).as_bytes()).hex()
}

/// The same of each object alone: by it one is found that differs.
pub fn tokens(objects: &[Json]) -> Vec<(Reference, String)> {
    let digest = |object: &Json| Digest::of(Domain::Value, canonical(&told(object)).as_bytes()).hex();
    objects.iter().filter_map(|object| Some((Reference::of(object)?, digest(object)))).collect()
}

fn told(object: &Json) -> Json {
    json!([object["metadata"]["uid"], ours(object)])
}

/// The fields of an object that our manager owns, with their values. What a secret holds is left out: a
/// digest of it could be guessed. That it is another now is told by its version instead.
fn ours(object: &Json) -> Json {
    let entries = object["metadata"]["managedFields"].as_array();
    let mine = entries.into_iter().flatten().filter(|entry| MANAGED(entry));
    let mut told: Vec<Json> = mine.map(|entry| owned(&entry["fieldsV1"], object)).collect();
    if object["kind"] == "Secret" {
        for fields in told.iter_mut().filter_map(Json::as_object_mut) {
            fields.remove("data");
            fields.remove("stringData");
        }
        told.push(object["metadata"]["resourceVersion"].clone());
    }
    Json::Array(told)
}

/// What a set of fields (`fieldsV1` of server-side apply) picks of a value.
fn owned(fields: &Json, value: &Json) -> Json {
    let Some(fields) = fields.as_object() else { return Json::Null };
    let mut picked = Map::new();
    for (key, below) in fields {
        let found = match key.split_once(':') {
            Some(("f", name)) => value.get(name),
            Some(("k", keys)) => item(value, keys),
            Some(("i", index)) => index.parse::<usize>().ok().and_then(|index| value.get(index)),
            _ => None,
        };
        let is_leaf = below.as_object().is_none_or(Map::is_empty);
        let told = match found {
            Some(found) if is_leaf => found.clone(),
            Some(found) => owned(below, found),
            // The value itself (`v:`), the thing's being there (`.`), or a field that is gone.
            None => Json::Null,
        };
        picked.insert(key.split_once(':').map_or(key.as_str(), |(_, name)| name).to_owned(), told);
    }
    Json::Object(picked)
}

fn item<'a>(list: &'a Json, keys: &str) -> Option<&'a Json> {
    let keys: Map<String, Json> = serde_json::from_str(keys).ok()?;
    list.as_array()?.iter().find(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
}

/// What an object says of itself: its conditions that are not as they should be, or its phase.
pub fn says(object: &Json) -> Option<String> {
    let name = Reference::of(object).map_or_else(|| "?".to_owned(), |one| one.shown());
    let status = &object["status"];
    let conditions = status["conditions"].as_array();
    let told: Vec<String> = conditions
        .into_iter()
        .flatten()
        .map(|condition| {
            let text = |key: &str| condition[key].as_str().unwrap_or_default();
            let why = [text("reason"), text("message")].into_iter().filter(|text| !text.is_empty());
            let why = why.collect::<Vec<_>>().join(", ");
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            format!("{}={}{why}", text("type"), text("status"))
        })
        .collect();
    match (told.as_slice(), status["phase"].as_str()) {
        ([], Some(phase)) => Some(format!("{name} is {phase}")),
        ([], None) => None,
        (told, _) => Some(format!("{name}: {}", told.join("; "))),
    }
}
