//! Owns what is remembered of objects: which were applied, and which an apply may have made that never told.
//! Does not know commands, nor how objects are read.

use super::objects::{MANAGED, Reference};
use crate::kind::machine::{Job, StepEnd};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Note that holds every object that was applied and not deleted since.
pub const NOTE: &str = "objects";
/// Note that holds those of the last apply.
pub const LAST: &str = "applied";
/// Note that holds the token of each of them alone.
pub const EACH: &str = "each";

/// An object on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    reference: Reference,
    /// Which one of that name it is; records of former versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
}

/// Everything that a task may have made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What was applied, with its uid.
    applied: BTreeMap<Reference, Option<String>>,
    /// What was about to be applied, as it was written: an apply that failed or was killed tells nothing.
    intended: BTreeSet<Reference>,
}

/// Why an object that bears a recorded name is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Somebody else made it.
    Another,
    /// Another task applied it since.
    Claimed,
}

/// What is on record of a job's objects, under one of the notes.
pub fn recorded(job: &Job, note: &str) -> Vec<Reference> {
    job.memory.notes.get(note).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The file that holds what was about to be applied. It is written before the first object is made, and outlives
/// an attempt that is killed.
pub fn journal(job: &Job) -> Utf8PathBuf {
    job.keep.join("intended.json")
}

impl Record {
    /// What the notes of a job hold.
    pub fn of(job: &Job) -> Self {
        let entries: Vec<Entry> =
            job.memory.notes.get(NOTE).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Self {
            applied: entries.into_iter().map(|entry| (entry.reference, entry.uid)).collect(),
            intended: BTreeSet::new(),
        }
    }

    /// Takes in what the journal held that was read with a step.
    pub fn read_journal(&mut self, job: &Job, end: &StepEnd) {
        // What an apply told since is known better.
        let is_open = |one: &Reference| self.applied.get(one).is_none_or(Option::is_none);
        let open: Vec<Reference> = held(job, end).into_iter().filter(is_open).collect();
        self.intended.extend(open);
    }

    /// As `read_journal`, for an undo: the last apply may have made anew what it tells nothing of.
    pub fn read_journal_whole(&mut self, job: &Job, end: &StepEnd) {
        self.intended.extend(held(job, end));
    }

    /// Objects are about to be applied.
    pub fn intend(&mut self, references: impl IntoIterator<Item = Reference>) {
        self.intended.extend(references);
    }

    /// Objects were applied.
    pub fn applied(&mut self, objects: &[Json]) {
        for object in objects {
            if let Some(reference) = Reference::of(object) {
                self.applied.insert(reference, uid(object));
            }
        }
    }

    /// What the journal shall hold.
    pub fn journal_text(&self) -> Vec<u8> {
        serde_json::to_vec(&self.intended).unwrap_or_default()
    }

    /// What the note shall hold.
    pub fn note(&self) -> String {
        let entry =
            |(reference, uid): (&Reference, &Option<String>)| Entry { reference: reference.clone(), uid: uid.clone() };
        serde_json::to_string(&self.applied.iter().map(entry).collect::<Vec<_>>()).unwrap_or_default()
    }

    /// What was applied before, and is not among these, in no version of its kind.
    pub fn besides(&self, objects: &[Reference]) -> Vec<&Reference> {
        self.applied.keys().filter(|one| !objects.iter().any(|other| other.is_same(one))).collect()
    }

    /// Every object that may be there.
    pub fn all(&self) -> Vec<Reference> {
        self.applied.keys().chain(&self.intended).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether an object that was found by a recorded name is the one that was made. By its name alone nobody
    /// knows: it must have the recorded uid, or, where none was ever told, fields of ours. One of which nobody owns a
    /// field was made by an apply that says nothing of it but its name.
    pub fn whose(&self, object: &Json, claims: &BTreeSet<Reference>) -> Result<(), Foreign> {
        let Some(reference) = Reference::of(object) else { return Err(Foreign::Another) };
        if claims.contains(&reference) {
            return Err(Foreign::Claimed);
        }
        let is_recorded = match self.applied.get(&reference) {
            Some(Some(known)) => uid(object).as_ref() == Some(known),
            Some(None) => is_ours(object),
            None => false,
        };
        let may_be_made =
            || self.intended.iter().any(|one| one.may_be(&reference)) && (is_ours(object) || is_nobodys(object));
        if is_recorded || may_be_made() { Ok(()) } else { Err(Foreign::Another) }
    }
}

/// What other tasks applied last; of one whose last apply failed, all that it ever applied.
pub fn claims(job: &Job) -> BTreeSet<Reference> {
    let read = |notes: &BTreeMap<String, String>, note: &str| -> Vec<Reference> {
        notes.get(note).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let of = |notes: &BTreeMap<String, String>| match read(notes, LAST) {
        last if last.is_empty() => read(notes, NOTE),
        last => last,
    };
    job.memory.beside.iter().flat_map(of).collect()
}

fn held(job: &Job, end: &StepEnd) -> Vec<Reference> {
    end.files.get(&journal(job)).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn uid(object: &Json) -> Option<String> {
    object["metadata"]["uid"].as_str().map(str::to_owned)
}

fn owners(object: &Json) -> impl Iterator<Item = &Json> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().filter(|entry| entry["subresource"].is_null())
}

/// Whether a field of it is ours.
fn is_ours(object: &Json) -> bool {
    owners(object).any(MANAGED)
}

/// Whether nobody owns a field of it.
fn is_nobodys(object: &Json) -> bool {
    owners(object).next().is_none()
}
