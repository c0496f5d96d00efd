//! Owns the scope that a task's templates are rendered in: variables, upstream values, secrets.
//! Does not know how real values of secrets are had; for fingerprints it uses keyed digests.

use crate::model::digest::Digest;
use crate::model::environment::Rotation;
use crate::model::facts::{Facts, SecretDigest};
use crate::model::manifest::EntryKey;
use crate::model::name::TaskId;
use crate::model::record::Export;
use crate::model::task::Task;
use crate::model::text::{Read, Tree};
use crate::plan::board::Board;
use crate::template::Scope;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Where secret values come from while a scope is made.
pub trait Reveal {
    /// Value of an export for templates.
    fn export(&self, export: &Export) -> Json;
    /// Value of a declared secret for templates.
    fn secret(&self, name: &str) -> Json;
}

/// Everything that a task's templates read to do what it does: its table, its environment, its template
/// files. How it is undone is no part of that: it enters no fingerprint.
pub fn reads(task: &Task) -> BTreeSet<Read> {
    let mut reads = task.action.file_reads.clone();
    task.each_tree(&mut |_, tree| reads.extend(tree.reads()));
    for text in task.env.values() {
        reads.extend(text.reads.iter().cloned());
    }
    reads
}

/// As above, and what its undo reads: all that must be there when it starts, since the undo is written
/// down then.
pub fn reads_with_undo(task: &Task) -> BTreeSet<Read> {
    let mut reads = reads(task);
    for text in task.undo.iter().flatten() {
        reads.extend(text.reads.iter().cloned());
    }
    reads
}

/// Tasks that one read of a value means: the task, or all instances of its family, with their keys.
pub fn sources(board: &Board<'_>, task: &str, item: Option<&str>) -> Vec<TaskId> {
    board
        .project
        .by_template(task)
        .iter()
        .copied()
        .filter(|id| item.is_none() || board.project.task(*id).instance.as_deref() == item)
        .collect()
}

/// Makes the scope of a task for what it reads; values that are not there are left out, so that
/// rendering says which one is undefined.
pub fn scope(board: &Board<'_>, task: &Task, reads: &BTreeSet<Read>, reveal: &dyn Reveal) -> Scope {
    let mut tasks: Map<String, Json> = Map::new();
    let mut secrets: Map<String, Json> = Map::new();
    for read in reads {
        match read {
            Read::Secret(name) => {
                secrets.insert(name.clone(), reveal.secret(name));
            }
            Read::TaskValue { task: name, item, key } => {
                for id in sources(board, name, item.as_deref()) {
                    let Some(record) = board.settled[id.index()].record() else { continue };
                    let Some(export) = record.exports.get(key) else { continue };
                    let slot = tasks.entry(name.clone()).or_insert_with(|| Json::Object(Map::new()));
                    let slot = match &board.project.task(id).instance {
                        Some(instance) => member(slot, instance),
                        None => slot,
                    };
                    if let Json::Object(values) = slot {
                        values.insert(key.clone(), reveal.export(export));
                    }
                }
            }
            _ => {}
        }
    }
    let vars = board.project.env.vars.iter().map(|(name, variable)| (name.clone(), variable.value.clone())).collect();
    Scope {
        vars: Json::Object(vars),
        env_name: board.project.env.name.to_string(),
        tasks: Json::Object(tasks),
        out: Json::Object(Map::new()),
        secrets: Json::Object(secrets),
        item: task.item.clone(),
        matrix: Json::Object(task.matrix.iter().map(|(axis, value)| (axis.clone(), value.clone())).collect()),
    }
}

/// The object at a name of an object; made when there is none.
fn member<'a>(slot: &'a mut Json, name: &str) -> &'a mut Json {
    if !slot.is_object() {
        *slot = Json::Object(Map::new());
    }
    // The line above makes it an object, so that indexing by a text never fails.
    let inner = &mut slot[name];
    if !inner.is_object() {
        *inner = Json::Object(Map::new());
    }
    inner
}

/// Stands in for secret values in fingerprints: their keyed digests.
pub struct Masked<'a> {
    facts: &'a dyn Facts,
    board: &'a Board<'a>,
    task: TaskId,
}

impl<'a> Masked<'a> {
    /// For one task.
    pub fn new(facts: &'a dyn Facts, board: &'a Board<'a>, task: TaskId) -> Self {
        Self { facts, board, task }
    }

    /// What enters the fingerprint for a secret; `true` when it was taken as unchanged.
    pub fn secret_digest(&self, name: &str) -> (Digest, bool) {
        let rotates =
            self.board.project.env.secrets.get(name).is_some_and(|secret| secret.rotation == Rotation::Rotates);
        if rotates {
            return (Digest::of(crate::model::digest::Domain::Value, name.as_bytes()), false);
        }
        match self.facts.secret(name) {
            SecretDigest::Known(digest) => (digest, false),
            SecretDigest::NotAsked | SecretDigest::Missing(_) => (self.last_seen(name), true),
        }
    }

    fn last_seen(&self, name: &str) -> Digest {
        let wanted = EntryKey::Secret { name: name.to_owned() };
        let newest = self.board.history(self.task).newest.as_ref();
        newest
            .and_then(|record| {
                let entries = &record.manifest.get().entries;
                entries.iter().find(|entry| entry.key == wanted).map(|entry| entry.digest)
            })
            .unwrap_or_else(|| Digest::of(crate::model::digest::Domain::Missing, name.as_bytes()))
    }
}

impl Reveal for Masked<'_> {
    fn export(&self, export: &Export) -> Json {
        match export {
            Export::Plain { value } => value.clone(),
            Export::Sealed { digest, .. } => Json::String(format!("secret:{digest}")),
        }
    }

    fn secret(&self, name: &str) -> Json {
        Json::String(format!("secret:{}", self.secret_digest(name).0))
    }
}

/// Whether a tree reads a value of a task that is not settled.
pub fn waits(board: &Board<'_>, tree: &Tree) -> Vec<TaskId> {
    let mut waiting = Vec::new();
    tree.each_text(&mut |text| waits_for(board, &text.reads, &mut waiting));
    waiting
}

/// Tasks that are not settled and that some reads need.
pub fn waits_for(board: &Board<'_>, reads: &BTreeSet<Read>, waiting: &mut Vec<TaskId>) {
    for read in reads {
        if let Read::TaskValue { task, item, .. } = read {
            waiting.extend(
                sources(board, task, item.as_deref()).into_iter().filter(|id| !board.settled[id.index()].is_settled()),
            );
        }
    }
}
