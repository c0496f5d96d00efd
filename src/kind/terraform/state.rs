//! Owns what is read out of a terraform state: lineage, serial, the things in it.
//! Does not know where the state is kept; never shows an attribute other than an id.

use super::stream::Stream;
use crate::kind::machine::Memory;
use crate::model::record::Incarnation;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A state as `state pull` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub lineage: String,
    pub serial: u64,
    /// Address and id of each managed thing.
    pub things: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    lineage: String,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    resources: Vec<RawResource>,
}

#[derive(Deserialize)]
struct RawResource {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    instances: Vec<RawInstance>,
}

#[derive(Deserialize)]
struct RawInstance {
    #[serde(default)]
    index_key: Option<Json>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    attributes: Option<Json>,
}

impl State {
    /// Reads a state; `None` where there is none yet.
    ///
    /// # Errors
    /// When the text is no state.
    pub fn read(text: &str) -> Result<Option<Self>, String> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let raw: Raw = serde_json::from_str(text).map_err(|error| format!("the state cannot be read: {error}"))?;
        let managed = raw.resources.iter().filter(|resource| resource.mode == "managed");
        let things = managed.flat_map(|resource| {
            // A deposed object is a leftover of a replacement: its successor stands at the address.
            resource.instances.iter().filter(|one| one.deposed.is_none()).map(move |one| thing(resource, one))
        });
        Ok(Some(Self { lineage: raw.lineage.clone(), serial: raw.serial, things: things.collect() }))
    }

    /// Value part of the effect token.
    pub fn token(&self) -> String {
        format!("{}:{}", self.lineage, self.serial)
    }

    /// Writes down what the next attempt is held to.
    pub fn note(&self, notes: &mut BTreeMap<String, String>) {
        notes.insert("lineage".to_owned(), self.lineage.clone());
        notes.insert("serial".to_owned(), self.serial.to_string());
        notes.insert("resources".to_owned(), self.things.len().to_string());
    }

    /// The things as incarnations. One that was created now is of this attempt; one that was there
    /// keeps its generation; one that nobody knew counts as new.
    pub fn incarnations(
        &self,
        memory: &Memory,
        stream: Option<&Stream>,
        task: &str,
        attempt: i64,
        identity: &[String],
    ) -> BTreeSet<Incarnation> {
        let former: BTreeMap<(&str, &str), i64> =
            memory.incarnations.iter().map(|one| ((one.address.as_str(), one.id.as_str()), one.generation)).collect();
        let is_new = |address: &str| stream.is_some_and(|stream| stream.created.contains_key(address));
        let things = self.things.iter().filter(|(address, _)| is_thing(address, identity));
        things
            .map(|(address, id)| {
                let known = former.get(&(address.as_str(), id.as_str())).copied().filter(|_| !is_new(address));
                Incarnation {
                    task: task.to_owned(),
                    address: address.clone(),
                    id: id.clone(),
                    generation: known.unwrap_or(attempt),
                }
            })
            .collect()
    }
}

fn thing(resource: &RawResource, instance: &RawInstance) -> (String, String) {
    let module = resource.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
    let index = match &instance.index_key {
        None | Some(Json::Null) => String::new(),
        // JSON's escapes are those of HCL for all that a key may hold in practice.
        Some(key) => format!("[{key}]"),
    };
    let address = format!("{module}{}.{}{index}", resource.kind, resource.name);
    let id = instance.attributes.as_ref().and_then(|attributes| attributes.get("id"));
    let id = match id {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => address.clone(),
    };
    (address, id)
}

/// Whether an address is a thing by the task's `identity`; all are when it names none.
pub fn is_thing(address: &str, identity: &[String]) -> bool {
    // `vm.node` means all of `vm.node["a"]`, too.
    let bare = address.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map_or(address, |(bare, _)| bare);
    identity.is_empty() || identity.iter().any(|pattern| matches(pattern, address) || matches(pattern, bare))
}

/// `*` means any text; brackets are those of addresses.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

/// What is wrong with a state that is about to be worked on, beside what the store remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It belongs to another task or environment.
    Foreign(String),
    /// It had so many resources and has none now.
    Emptied(u64),
    /// It is another state: lineage then and now.
    Replaced(String, String),
    /// It is older than the one that was seen: serial then and now.
    Older(u64, u64),
    /// A state that terraform could not write lies beside the module, newer than the kept one.
    Unwritten,
}

/// Judges the state before anything is planned.
pub fn judge(state: Option<&State>, unwritten: Option<&State>, memory: &Memory) -> Option<Wrong> {
    if let Some(owner) = &memory.foreign_owner {
        return Some(Wrong::Foreign(owner.clone()));
    }
    let serial = state.map_or(0, |state| state.serial);
    if unwritten.is_some_and(|unwritten| unwritten.serial > serial) {
        return Some(Wrong::Unwritten);
    }
    // What our own undo has begun to take away may well be empty, and may have been made anew.
    if memory.undo_began {
        return None;
    }
    let number = |key: &str| memory.notes.get(key).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let lineage = memory.notes.get("lineage").map_or("", String::as_str);
    let had = number("resources");
    // Where nothing was and nothing is, nothing can be lost: a new state may well be begun.
    if had == 0 && state.is_none_or(|state| state.things.is_empty()) {
        return None;
    }
    match state {
        None => Some(Wrong::Emptied(had)),
        Some(state) if !lineage.is_empty() && state.lineage != lineage => {
            Some(Wrong::Replaced(lineage.to_owned(), state.lineage.clone()))
        }
        Some(state) if state.serial < number("serial") => Some(Wrong::Older(number("serial"), state.serial)),
        Some(state) if state.things.is_empty() => Some(Wrong::Emptied(had)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cut from what `terraform state pull` printed.
    const PULLED: &str = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 6, "lineage": "l1", "outputs": {},
        "resources": [
            {"mode": "managed", "type": "terraform_data", "name": "named", "provider": "p",
             "instances": [{"index_key": "a", "schema_version": 0, "attributes": {"id": "1", "input": {"value": "s3cret"}}}]},
            {"module": "module.m", "mode": "managed", "type": "vm", "name": "node", "provider": "p",
             "instances": [{"index_key": 0, "attributes": {"id": "2"}}, {"index_key": 0, "deposed": "00000001", "attributes": {"id": "9"}}]},
            {"mode": "data", "type": "http", "name": "x", "provider": "p", "instances": [{"attributes": {"id": "3"}}]},
            {"mode": "managed", "type": "local_note", "name": "bare", "provider": "p", "instances": [{"status": "tainted", "attributes": {}}]}
        ]}"#;

    fn state() -> State {
        State::read(PULLED).unwrap().unwrap()
    }

    fn memory(notes: &[(&str, &str)]) -> Memory {
        let notes = notes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Memory { notes, ..Memory::default() }
    }

    #[test]
    fn things_have_address_and_id() {
        let things = state().things;
        let things: Vec<(&str, &str)> = things.iter().map(|(address, id)| (address.as_str(), id.as_str())).collect();
        let named = "terraform_data.named[\"a\"]";
        assert_eq!(things, [(named, "1"), ("module.m.vm.node[0]", "2"), ("local_note.bare", "local_note.bare")]);
        assert_eq!(state().token(), "l1:6");
        assert_eq!(State::read("\n"), Ok(None));
        assert!(State::read("{").is_err());
    }

    #[test]
    fn identity_names_things_by_glob() {
        let is = |pattern: &str| is_thing("module.m.vm.node[0]", &[pattern.to_owned()]);
        assert!(is_thing("a.b", &[]));
        assert!(is("module.m.vm.node[0]") && is("module.m.vm.node") && is("module.*.node") && is("*.vm.*"));
        assert!(!is("vm.node") && !is("module.m") && !is("*.vm"));
    }

    #[test]
    fn a_generation_stays_until_a_create_is_reported() {
        let mut memory = Memory::default();
        let old = |id: &str, generation| Incarnation {
            task: "t".to_owned(),
            address: "module.m.vm.node[0]".to_owned(),
            id: id.to_owned(),
            generation,
        };
        memory.incarnations = BTreeSet::from([old("2", 3)]);
        let vm = ["module.m.vm.*".to_owned()];
        assert_eq!(state().incarnations(&memory, None, "t", 7, &vm), BTreeSet::from([old("2", 3)]));

        // The id came back, but the thing is another one.
        let mut stream = Stream::default();
        stream.created.insert("module.m.vm.node[0]".to_owned(), "2".to_owned());
        assert_eq!(state().incarnations(&memory, Some(&stream), "t", 7, &vm), BTreeSet::from([old("2", 7)]));

        // Replaced behind our back: not the one that was known.
        memory.incarnations = BTreeSet::from([old("1", 3)]);
        assert_eq!(state().incarnations(&memory, None, "t", 7, &vm), BTreeSet::from([old("2", 7)]));
    }

    #[test]
    fn guards() {
        let known = memory(&[("lineage", "l1"), ("serial", "6"), ("resources", "3")]);
        assert_eq!(judge(Some(&state()), None, &known), None);
        assert_eq!(judge(Some(&state()), None, &Memory::default()), None);
        assert_eq!(judge(None, None, &Memory::default()), None);
        assert_eq!(judge(None, None, &known), Some(Wrong::Emptied(3)));
        let emptied = State { things: Vec::new(), serial: 9, ..state() };
        assert_eq!(judge(Some(&emptied), None, &known), Some(Wrong::Emptied(3)));
        let other = State { lineage: "l2".to_owned(), ..state() };
        assert_eq!(judge(Some(&other), None, &known), Some(Wrong::Replaced("l1".to_owned(), "l2".to_owned())));
        let older = State { serial: 5, ..state() };
        assert_eq!(judge(Some(&older), None, &known), Some(Wrong::Older(6, 5)));
        let newer = State { serial: 7, ..state() };
        assert_eq!(judge(Some(&state()), Some(&newer), &known), Some(Wrong::Unwritten));
        assert_eq!(judge(Some(&newer), Some(&state()), &known), None);

        let undone = Memory { undo_began: true, ..known.clone() };
        assert_eq!(judge(None, None, &undone), None);
        let foreign = Memory { foreign_owner: Some("t in dev".to_owned()), ..undone };
        assert_eq!(judge(None, None, &foreign), Some(Wrong::Foreign("t in dev".to_owned())));
        let gone = memory(&[("lineage", "l1"), ("serial", "9"), ("resources", "0")]);
        assert_eq!(judge(None, None, &gone), None);
        assert_eq!(judge(Some(&State { things: Vec::new(), ..other }), None, &gone), None);
    }
}
