//! Owns stand-ins for tests of kinds: files in a map, and a job with nothing remembered.
//! Does not know any kind.

use crate::kind::Table;
use crate::kind::machine::{Done, Heard, Job, Machine, Memory, Move, Step, StepEnd, Trouble};
use crate::model::facts::{ContentKind, Files};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Files by path, relative to the root; folders are what lies before a slash.
pub struct FakeFiles(BTreeMap<Utf8PathBuf, Arc<str>>);

impl FakeFiles {
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| (Utf8PathBuf::from(path), Arc::from(*text))).collect())
    }
}

impl Files for FakeFiles {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        self.0.get(path).cloned()
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        if self.0.contains_key(path) {
            ContentKind::File
        } else if self.0.keys().any(|file| file.starts_with(path)) {
            ContentKind::Folder
        } else {
            ContentKind::Missing
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(folder).ok());
        let names: BTreeSet<String> = below.filter_map(|rest| Some(rest.components().next()?.to_string())).collect();
        names.into_iter().collect()
    }
}

/// A table from JSON.
pub fn table(json: Json) -> Table {
    match json {
        Json::Object(entries) => entries.into_iter().collect(),
        _ => Table::new(),
    }
}

/// A job of task `t` in `local`, attempt 7.
pub fn job(json: Json) -> Job {
    Job {
        task: "t".to_owned(),
        env: "local".to_owned(),
        attempt: 7,
        table: table(json),
        exports: BTreeMap::new(),
        root: "/p".into(),
        tmp: "/tmp/i".into(),
        keep: "/p/.infra/env/local/t".into(),
        dir: "/p".into(),
        inputs_digest: "d1".to_owned(),
        undo: Vec::new(),
        memory: Memory::default(),
        contexts: None,
        tools: BTreeMap::new(),
    }
}

/// The end of a step.
pub fn ended(code: i32, stdout: &str) -> Heard {
    Heard::Step(StepEnd { code: Some(code), stdout: stdout.to_owned(), ..StepEnd::default() })
}

/// The end of a step that printed to the log only.
pub fn logged(code: i32, tail: &str) -> Heard {
    let tail = tail.lines().map(str::to_owned).collect();
    Heard::Step(StepEnd { code: Some(code), tail, ..StepEnd::default() })
}

/// The next move, which must be a step of this name.
#[track_caller]
pub fn step(machine: &mut dyn Machine, heard: Heard, name: &str) -> Step {
    match unclaimed(machine, heard) {
        Move::Run(step) if step.name == name => step,
        other => panic!("expected `{name}`, got {other:?}"),
    }
}

/// The move that follows where nobody else has what is claimed.
pub fn unclaimed(machine: &mut dyn Machine, heard: Heard) -> Move {
    match machine.next(heard) {
        Move::Claim(_) => machine.next(Heard::Claimed(None)),
        other => other,
    }
}

/// The end that must follow.
#[track_caller]
pub fn done(made: Move) -> Done {
    match made {
        Move::Done(done) => done,
        other => panic!("expected the end, got {other:?}"),
    }
}

/// The failure that must follow.
#[track_caller]
pub fn failed(made: Move) -> Trouble {
    match made {
        Move::Fail(trouble) => trouble,
        other => panic!("expected a failure, got {other:?}"),
    }
}
