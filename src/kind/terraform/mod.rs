//! Owns the kind `terraform`: its keys, and what is known of a task before it runs.
//! Does not know processes; the order of commands is `machine`'s and `validate`'s.

mod backend;
mod command;
mod diagnostic;
mod infer;
mod machine;
mod probe;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod trouble;
mod validate;

use crate::kind::machine::{Job, Machine, Step};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, text};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;
use crate::model::probe::Judge;
use crate::model::value::ValueType;
use machine::{Goal, Terraforming};
use std::collections::BTreeMap;
use std::time::Duration;

/// The kind.
pub struct Terraform;

const KEYS: [KeySpec; 9] = [
    KeySpec::needed("dir", Shape::Text, When::Graph, "Folder of the root module."),
    KeySpec::new("vars", Shape::Tree, When::StartSecret, "Values of variables, by name; they win over `var_files`."),
    KeySpec::new("var_files", Shape::Texts, When::Graph, "Files with values of variables; a later one wins."),
    KeySpec::new("workspace", Shape::Text, When::Graph, "Workspace; made when it is missing."),
    KeySpec::new("backend_config", Shape::TextTable, When::Graph, "Settings of the backend on top of the module's."),
    KeySpec::new("action", Shape::Word(&["apply", "plan", "validate", "destroy"]), When::Graph, "What to do; `apply`."),
    KeySpec::new("parallelism", Shape::Int(1), When::Start, "How many things terraform works on at once."),
    KeySpec::new("bin", Shape::Word(&["terraform", "tofu"]), When::Graph, "The program; `terraform`."),
    KeySpec::new("identity", Shape::Texts, When::Graph, "Globs of the addresses that are things; all."),
];

/// What the task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Apply,
    Plan,
    Validate,
    Destroy,
}

fn action(table: &Table) -> Action {
    match text(table, "action") {
        Some("plan") => Action::Plan,
        Some("validate") => Action::Validate,
        Some("destroy") => Action::Destroy,
        _ => Action::Apply,
    }
}

impl Kind for Terraform {
    fn name(&self) -> KindName {
        KindName::Terraform
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "dir"
    }

    fn default_effect(&self, table: &Table) -> Effect {
        match action(table) {
            Action::Apply | Action::Destroy => Effect::Idempotent,
            Action::Plan => Effect::Read,
            Action::Validate => Effect::Pure,
        }
    }

    fn tools(&self, table: &Table) -> Vec<String> {
        vec![text(table, "bin").unwrap_or("terraform").to_owned()]
    }

    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred {
        infer::infer(table, files)
    }

    fn subject(&self, table: &Table, _env: &str, files: &dyn Files) -> Option<String> {
        matches!(action(table), Action::Apply | Action::Destroy).then(|| backend::subject(table, files))
    }

    fn default_exports(&self, table: &Table, files: &dyn Files) -> Option<BTreeMap<String, ValueType>> {
        match action(table) {
            Action::Apply => {
                let outputs = infer::outputs(table, files)?;
                let typed = outputs.into_iter().map(|(name, sensitive)| {
                    let json = ValueType::Json;
                    (name, if sensitive { ValueType::Secret(Box::new(json)) } else { json })
                });
                Some(typed.collect())
            }
            Action::Plan => Some(machine::PLAN_EXPORTS.map(|name| (name.to_owned(), ValueType::Int)).into()),
            Action::Validate | Action::Destroy => Some(BTreeMap::new()),
        }
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        match action(&job.table) {
            Action::Apply => Box::new(Terraforming::new(job, Goal::Apply)),
            Action::Plan => Box::new(Terraforming::new(job, Goal::Plan)),
            Action::Destroy => Box::new(Terraforming::new(job, Goal::Destroy)),
            Action::Validate => Box::new(validate::Validating::new(&job)),
        }
    }

    /// `destroy`, over whatever state there is: one of a fresh clone, one of a half-done teardown.
    fn undo(&self, job: Job) -> Option<Box<dyn Machine>> {
        match action(&job.table) {
            Action::Apply => Some(Box::new(Terraforming::new(job, Goal::Destroy))),
            Action::Plan | Action::Validate | Action::Destroy => None,
        }
    }

    fn has_probe(&self) -> bool {
        true
    }

    fn looks(&self, job: &Job) -> Vec<(Step, Judge)> {
        probe::looks(job)
    }

    fn can_be_asked(&self) -> bool {
        true
    }

    /// Long: an interrupted terraform finishes what is in flight and gives its lock back.
    fn grace(&self) -> Duration {
        Duration::from_mins(5)
    }
}
