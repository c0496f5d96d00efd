//! Owns the input manifest: everything that enters a task's fingerprint, one entry each, so that
//! a verdict can be explained by comparing two of them.
//! Does not know how entries are found (`plan/`).

use crate::model::digest::{Digest, Domain, Encoder};
use serde::{Deserialize, Serialize};

/// Version of the fingerprint's encoding. Records written under another one are stale with the
/// reason `format-changed`.
pub const FORMAT: u32 = 1;

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
pub enum EntryKey {
    /// A field of the spec: `run`, `dir`, `effect`, `outputs`, `terraform.vars`, …
    Field { name: String },
    /// A variable that a template file reads.
    Var { name: String },
    /// A declared environment variable.
    Env { name: String },
    /// A secret that the task reads: keyed digest, or its name alone when it rotates.
    Secret { name: String },
    /// A tool's version.
    Tool { name: String },
    /// A program that a pure task runs, by content.
    Program { name: String },
    /// An input path.
    Path { path: String },
    /// One exported value of another task.
    Value { task: String, key: String },
    /// An artifact of another task.
    Artifact { task: String, path: String },
    /// All that a needed task made, or its effect token.
    Upstream { task: String },
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is about.
    pub key: EntryKey,
    /// Digest of what was found.
    pub digest: Digest,
    /// Short text for people; `None` when secret or when the digest says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// Value of a variable that a field reads: explains a change, is no input by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The field that reads it.
    pub field: String,
    /// The variable.
    pub name: String,
    /// Its value as text.
    pub shown: String,
}

/// Everything that enters a fingerprint, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Explanations that are not part of the fingerprint.
    #[serde(default)]
    pub notes: Vec<Note>,
}

impl Manifest {
    /// Sorts the entries and drops doubles, which are equal by construction.
    pub fn seal(&mut self) {
        self.entries.sort_by(|a, b| a.key.cmp(&b.key));
        self.entries.dedup_by(|a, b| a.key == b.key);
        self.notes.sort_by(|a, b| (&a.field, &a.name).cmp(&(&b.field, &b.name)));
        self.notes.dedup();
    }

    /// The fingerprint.
    pub fn fingerprint(&self) -> Digest {
        let mut encoder = Encoder::new(Domain::Fingerprint);
        encoder.number(u64::from(FORMAT)).number(self.entries.len() as u64);
        for entry in &self.entries {
            match &entry.key {
                EntryKey::Field { name } => encoder.number(0).text(name),
                EntryKey::Var { name } => encoder.number(1).text(name),
                EntryKey::Env { name } => encoder.number(2).text(name),
                EntryKey::Secret { name } => encoder.number(3).text(name),
                EntryKey::Tool { name } => encoder.number(4).text(name),
                EntryKey::Program { name } => encoder.number(5).text(name),
                EntryKey::Path { path } => encoder.number(6).text(path),
                EntryKey::Value { task, key } => encoder.number(7).text(task).text(key),
                EntryKey::Artifact { task, path } => encoder.number(8).text(task).text(path),
                EntryKey::Upstream { task } => encoder.number(9).text(task),
            };
            encoder.digest(&entry.digest);
        }
        encoder.finish()
    }
}
