//! Owns the list of kinds and what a kind is: inferred inputs and a pure step machine.
//! Does no I/O: files come through `model::facts::Files`, processes are moves that the engine makes.

pub mod ansible;
pub mod cluster;
pub mod exports_text;
#[cfg(test)]
pub mod fake;
pub mod folder;
pub mod hcl;
pub mod helm;
pub mod kubectl;
pub mod machine;
pub mod run;
pub mod shape;
pub mod shell;
pub mod template;
pub mod terraform;
pub mod undo_of;

use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;
use crate::model::probe::Judge;
use crate::model::task::Keep;
use crate::model::text::Read;
use crate::model::value::ValueType;
use camino::Utf8PathBuf;
use machine::{Job, Machine};
use serde_json::Value as Json;
use shape::KeySpec;
use std::collections::{BTreeMap, BTreeSet};

/// A kind's table, rendered (before execution) or with its structural keys rendered (before that).
/// Keys that are templates still read `Json::Null` when only the structural keys are known.
pub type Table = BTreeMap<String, Json>;

/// What a kind finds out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inferred {
    /// Files it will read, relative to the root. One that is missing is an input by its absence.
    pub paths: Vec<Utf8PathBuf>,
    /// Folders whose files are all inputs (fallback for arguments that are not plain).
    pub folders: Vec<Utf8PathBuf>,
    /// Globs that are inputs (`fileset`); one that starts with `!` takes away from the others.
    pub globs: Vec<String>,
    /// Of `paths`, those that the tool itself may write while it runs (terraform's lock file): they
    /// enter by what they hold after the attempt, as a declared `in_place` does.
    pub settles: Vec<Utf8PathBuf>,
    /// What could not be inferred, for `infra check` to say: a lower-case sentence each.
    pub remarks: Vec<String>,
}

/// One way to perform a task.
pub trait Kind: Sync {
    /// Which one it is.
    fn name(&self) -> KindName;
    /// Number of its rules: a change of what the same table does makes it grow, and records stale.
    fn rule(&self) -> u32 {
        1
    }
    /// Keys of its table.
    fn keys(&self) -> &'static [KeySpec];
    /// Key that a plain text or list instead of the table sets.
    fn short_key(&self) -> &'static str;
    /// Effect when the task declares none.
    fn default_effect(&self, table: &Table) -> Effect;
    /// Programs that it runs, for `[requires]`, doctor and the exit code 6.
    fn tools(&self, table: &Table) -> Vec<String>;
    /// What is wrong with a table as a whole, for `infra check`: a sentence each. A key that is a template
    /// still reads null; `reads` is what its templates read.
    fn wrong(&self, _table: &Table, _reads: &BTreeSet<Read>) -> Vec<String> {
        Vec::new()
    }
    /// Whether it may have outputs that its table names (`outputs`), for tasks of other environments.
    fn names_outputs(&self) -> bool {
        false
    }
    /// Files that it writes and that are artifacts: declared outputs by implication (template `to`).
    fn outputs(&self, _table: &Table, _files: &dyn Files) -> Vec<(Utf8PathBuf, Keep)> {
        Vec::new()
    }
    /// Inputs that it can find out.
    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred;
    /// Identity of the thing that it owns; `None`: the task itself.
    fn subject(&self, _table: &Table, _env: &str, _files: &dyn Files) -> Option<String> {
        None
    }
    /// Whether its machine says itself which things it will change (`Move::Claim`), since that is known only when it
    /// runs; `subject` then only keeps two tasks of one environment apart.
    fn claims(&self) -> bool {
        false
    }
    /// Exports that it fills when the task declares none, for type checks of readers;
    /// `None`: not known before it ran (every key may be read).
    fn default_exports(&self, _table: &Table, _files: &dyn Files) -> Option<BTreeMap<String, ValueType>> {
        Some(BTreeMap::new())
    }
    /// All that it will run, a line each, for who must approve it; empty: its steps tell as they come.
    fn runs(&self, _table: &Table) -> Vec<String> {
        Vec::new()
    }
    /// What it takes out of the world by its own declaration, for who must approve it.
    fn destroys(&self, _table: &Table) -> Vec<String> {
        Vec::new()
    }
    /// The machine that performs it.
    fn start(&self, job: Job) -> Box<dyn Machine>;
    /// The machine that takes back what it did; `None`: it has no undo of its own (then the task's
    /// `undo` argvs are used, or it counts as undone with what it lived on).
    fn undo(&self, _job: Job) -> Option<Box<dyn Machine>> {
        None
    }
    /// Whether it has a probe of its own.
    fn has_probe(&self) -> bool {
        false
    }
    /// Its own probe: commands that only look, each with how its end is read. They get the task's
    /// environment, write nothing and wait for no lock.
    fn looks(&self, _job: &Job) -> Vec<(machine::Step, Judge)> {
        Vec::new()
    }
    /// Whether the tool can be asked if the thing exists when there is no history of it here.
    fn can_be_asked(&self) -> bool {
        false
    }
    /// How long the tool gets after SIGINT when the task says nothing.
    fn grace(&self) -> std::time::Duration {
        std::time::Duration::from_secs(10)
    }
}

/// All kinds. Adding one is one file and one line here.
pub const KINDS: [&dyn Kind; 8] = [
    &run::Run,
    &shell::Shell,
    &template::Template,
    &terraform::Terraform,
    &ansible::Ansible,
    &kubectl::Kubectl,
    &helm::Helm,
    &undo_of::UndoOf,
];

/// The kind of a name.
pub fn find(name: KindName) -> &'static dyn Kind {
    KINDS[name as usize]
}

/// A text of a table.
pub fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Json::as_str)
}

/// A list of texts of a table; a single text counts as a list of one.
pub fn texts(table: &Table, key: &str) -> Vec<String> {
    match table.get(key) {
        Some(Json::String(one)) => vec![one.clone()],
        Some(Json::Array(many)) => many.iter().map(plain).collect(),
        _ => Vec::new(),
    }
}

/// A switch of a table.
pub fn flag(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Json::as_bool).unwrap_or(false)
}

/// A value as a word of an argv: text as it is, anything else as JSON.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_at_their_names() {
        for (index, kind) in KINDS.iter().enumerate() {
            assert_eq!(kind.name() as usize, index);
        }
    }
}
