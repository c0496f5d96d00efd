//! Owns the kind `template`: files written from minijinja templates.
//! Does not know how they are rendered: the engine puts the text into the table as `content`.

use crate::kind::machine::{Done, Heard, Job, Machine, Move};
use crate::kind::shape::{KeySpec, Needed, Shape, When};
use crate::kind::{Inferred, Kind, Table};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;
use crate::model::task::Keep;
use camino::Utf8PathBuf;
use serde_json::Value as Json;

/// The kind.
pub struct Template;

/// Mode of a rendered file that holds secrets.
pub const SECRET_MODE: u32 = 0o600;

const FILE_KEYS: [KeySpec; 5] = [
    KeySpec::needed("from", Shape::Text, When::Graph, "The template."),
    KeySpec::needed("to", Shape::Text, When::Graph, "The file that it makes: an output."),
    KeySpec::new("mode", Shape::Mode, When::Graph, "File mode, `\"0644\"`; default: the template's own."),
    KeySpec::new("vars", Shape::Tree, When::Start, "Variables of this file alone, on top of `vars`."),
    KeySpec::new("secret", Shape::Bool, When::Graph, "May read `secrets`: 0600, not kept, masked."),
];

const KEYS: [KeySpec; 1] = [KeySpec {
    name: "files",
    shape: Shape::Tables(&FILE_KEYS),
    when: When::Start,
    needed: Needed::Yes,
    doc: "One file, or a list.",
}];

impl Kind for Template {
    fn name(&self) -> KindName {
        KindName::Template
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    /// The whole value is the one key's: `template = { from, to }` and a list of such.
    fn short_key(&self) -> &'static str {
        "files"
    }

    fn default_effect(&self, _table: &Table) -> Effect {
        Effect::Pure
    }

    fn tools(&self, _table: &Table) -> Vec<String> {
        Vec::new()
    }

    fn infer(&self, table: &Table, _files: &dyn Files) -> Inferred {
        let mut inferred = Inferred::default();
        for file in files(table) {
            if let Some(from) = file.get("from").and_then(Json::as_str) {
                inferred.paths.push(crate::model::path::join("".into(), from));
            }
        }
        inferred
    }

    fn names_outputs(&self) -> bool {
        true
    }

    fn outputs(&self, table: &Table, _files: &dyn Files) -> Vec<(Utf8PathBuf, Keep)> {
        let written = |file: &serde_json::Map<String, Json>| {
            let to = file.get("to").and_then(Json::as_str)?;
            Some((crate::model::path::join("".into(), to), if is_secret(file) { Keep::Secret } else { Keep::Kept }))
        };
        files(table).into_iter().filter_map(written).collect()
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        let waiting = files(&job.table)
            .iter()
            .map(|file| {
                let to = file.get("to").and_then(Json::as_str).unwrap_or("");
                let content = file.get("content").and_then(Json::as_str).unwrap_or("");
                let mode = match file.get("mode") {
                    Some(Json::String(text)) => u32::from_str_radix(text, 8).ok(),
                    Some(Json::Number(number)) => number.as_u64().and_then(|mode| u32::try_from(mode).ok()),
                    _ => None,
                };
                let mode = if is_secret(file) { Some(mode.unwrap_or(SECRET_MODE) & SECRET_MODE) } else { mode };
                (job.root.join(to), content.as_bytes().to_vec(), mode)
            })
            .collect();
        Box::new(Writing { waiting, written: 0 })
    }
}

/// The files of the table; a single table counts as a list of one.
pub fn files(table: &Table) -> Vec<&serde_json::Map<String, Json>> {
    match table.get("files") {
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_object).collect(),
        Some(Json::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn is_secret(file: &serde_json::Map<String, Json>) -> bool {
    file.get("secret").and_then(Json::as_bool).unwrap_or(false)
}

struct Writing {
    waiting: std::collections::VecDeque<(Utf8PathBuf, Vec<u8>, Option<u32>)>,
    written: usize,
}

impl Machine for Writing {
    fn next(&mut self, _heard: Heard) -> Move {
        match self.waiting.pop_front() {
            Some((path, bytes, mode)) => {
                self.written += 1;
                Move::Write { path, bytes, mode }
            }
            None => {
                let plural = if self.written == 1 { "" } else { "s" };
                Move::Done(Done { summary: Some(format!("{} file{plural} written", self.written)), ..Done::default() })
            }
        }
    }
}
