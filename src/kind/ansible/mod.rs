//! Owns the kind `ansible`: its keys, and what is known of a task before it runs.
//! Does not know processes; the order of commands is `machine`'s.

mod command;
mod config;
mod events;
mod infer;
mod machine;
mod names;
mod roles;
mod tasks;
#[cfg(test)]
mod tests;

use crate::kind::machine::{Job, Machine};
use crate::kind::run::Steps;
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, flag, text};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;
use crate::model::value::ValueType;
use machine::{Goal, Playing};
use std::collections::BTreeMap;
use std::time::Duration;

/// The kind.
pub struct Ansible;

const KEYS: [KeySpec; 14] = [
    KeySpec::needed("playbook", Shape::Texts, When::Graph, "One playbook or a list."),
    KeySpec::new(
        "inventory",
        Shape::Texts,
        When::Graph,
        "Inventory files or folders, or `host,host,`; the machine itself.",
    ),
    KeySpec::new("limit", Shape::Text, When::Start, "Pattern that narrows the hosts down."),
    KeySpec::new("tags", Shape::Texts, When::Start, "Only tasks with one of these tags."),
    KeySpec::new("skip_tags", Shape::Texts, When::Start, "No tasks with one of these tags."),
    KeySpec::new("vars", Shape::Tree, When::StartSecret, "Extra variables; they win over everything."),
    KeySpec::new("vars_files", Shape::Texts, When::Graph, "Files with extra variables; a later one wins."),
    KeySpec::new("forks", Shape::Int(1), When::Start, "How many hosts are worked on at once."),
    KeySpec::new("become", Shape::Bool, When::Start, "Become another user (root) on the hosts."),
    KeySpec::new("check", Shape::Bool, When::Graph, "Only look, change nothing."),
    KeySpec::new("config", Shape::Text, When::Graph, "The `ansible.cfg`; none: no file, not even the user's own."),
    KeySpec::new("galaxy", Shape::Text, When::Graph, "A `requirements.yml` whose roles and collections are installed."),
    KeySpec::new("idempotent", Shape::Bool, When::Graph, "A second, checking pass must report no change."),
    KeySpec::new("undo", Shape::Text, When::Graph, "A playbook that takes back what this one did."),
];

impl Kind for Ansible {
    fn name(&self) -> KindName {
        KindName::Ansible
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "playbook"
    }

    fn default_effect(&self, table: &Table) -> Effect {
        if flag(table, "check") { Effect::Read } else { Effect::Idempotent }
    }

    fn tools(&self, table: &Table) -> Vec<String> {
        let mut tools = vec!["ansible-playbook".to_owned(), "ansible-inventory".to_owned()];
        if text(table, "galaxy").is_some() {
            tools.push("ansible-galaxy".to_owned());
        }
        tools
    }

    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred {
        infer::infer(table, files)
    }

    /// Not known before it ran: a play may give anything to `set_stats`.
    fn default_exports(&self, _table: &Table, _files: &dyn Files) -> Option<BTreeMap<String, ValueType>> {
        None
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        Box::new(Playing::new(job, Goal::Play))
    }

    /// The `undo` playbook, else the task's own argvs.
    fn undo(&self, job: Job) -> Option<Box<dyn Machine>> {
        if text(&job.table, "undo").is_some() {
            Some(Box::new(Playing::new(job, Goal::Undo)))
        } else if job.undo.is_empty() {
            None
        } else {
            Some(Box::new(Steps::new(job.undo.clone(), &job)))
        }
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(30)
    }
}
