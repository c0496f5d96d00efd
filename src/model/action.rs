//! Owns what a task does, as the table its kind reads.
//! Does not know what the kind makes of it (`kind/`).

use crate::model::name::TaskId;
use crate::model::text::{Read, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the kinds, one per action key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KindName {
    Run,
    Shell,
    Template,
    Terraform,
    Ansible,
    Kubectl,
    Helm,
    UndoOf,
}

impl KindName {
    /// All kinds of this version.
    pub const ALL: [Self; 8] = [
        Self::Run,
        Self::Shell,
        Self::Template,
        Self::Terraform,
        Self::Ansible,
        Self::Kubectl,
        Self::Helm,
        Self::UndoOf,
    ];

    /// The action key.
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Shell => "shell",
            Self::Template => "template",
            Self::Terraform => "terraform",
            Self::Ansible => "ansible",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::UndoOf => "undo_of",
        }
    }

    /// Reads an action key.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What a task does.
#[derive(Clone, Debug)]
pub struct Action {
    pub kind: KindName,
    /// The kind's table. Keys that make the graph are rendered already.
    pub table: BTreeMap<String, Tree>,
    /// What the contents of template files read, beyond the table (kind `template`).
    pub file_reads: BTreeSet<Read>,
    /// Tasks whose undo this is (kind `undo_of`), in the order they are undone.
    pub undoes: Vec<TaskId>,
    /// Identity of the thing that it owns and that another task or environment could own too, such as a
    /// terraform state; `None`: it is its own subject, or changes nothing.
    pub subject: Option<String>,
}
