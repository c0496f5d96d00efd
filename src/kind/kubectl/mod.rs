//! Owns the kind `kubectl`: its keys, and what is known of a task before it runs.
//! Does not know processes; the order of commands is the machines'.

mod apply;
mod command;
mod conflict;
mod delete;
mod get;
mod infer;
mod look;
mod objects;
mod parts;
mod record;
mod render;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_wait;
mod told;
mod wait;

use crate::kind::cluster::{Entering, Purpose};
use crate::kind::machine::{Job, Machine, Step};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, cluster, text, texts};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;
use crate::model::path::join;
use crate::model::probe::Judge;
use crate::model::task::Keep;
use crate::model::text::Read;
use crate::model::value::ValueType;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The kind.
pub struct Kubectl;

const WAIT_KEYS: [KeySpec; 5] = [
    KeySpec::needed(
        "for",
        Shape::Text,
        When::Start,
        "`rollout`, `create`, `delete`, `condition=NAME` or `jsonpath=…`.",
    ),
    KeySpec::needed("of", Shape::Text, When::Start, "`deployment/web`, or a kind: all of it, or those of `selector`."),
    KeySpec::new("selector", Shape::Text, When::Start, "Labels of the objects that are meant."),
    KeySpec::new("namespace", Shape::Text, When::Start, "Namespace of what is waited for; the task's."),
    KeySpec::new("within", Shape::Duration, When::Start, "Give up after; `5m`."),
];

const KEYS: [KeySpec; 10] = [
    KeySpec::new("apply", Shape::Texts, When::Graph, "Files, folders, and folders of kustomize to be applied."),
    KeySpec::new("delete", Shape::Texts, When::Graph, "Files and folders whose objects must not be there."),
    KeySpec::new("render", Shape::Text, When::Graph, "Folder of kustomize that is rendered to `to`; asks no cluster."),
    KeySpec::new("to", Shape::Text, When::Graph, "File that `render` writes: an output."),
    KeySpec::new("namespace", Shape::Text, When::Graph, "Namespace of objects that name none."),
    KeySpec::new("wait", Shape::Tables(&WAIT_KEYS), When::Start, "What must come true; objects may not exist yet."),
    KeySpec::new("get", Shape::Tree, When::Start, "Export → `{ of, jsonpath, namespace }`: a value of an object."),
    KeySpec::new("force_conflicts", Shape::Bool, When::Start, "Take over fields that another manager owns."),
    KeySpec::new("kubeconfig", Shape::Text, When::Graph, "The kubeconfig; never the caller's own."),
    KeySpec::new("context", Shape::Text, When::Graph, "Context in the kubeconfig; its current one."),
];

/// What the task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Apply,
    Delete,
    Render,
    /// Waits and reads only.
    Look,
}

fn action(table: &Table) -> Action {
    if table.contains_key("apply") {
        Action::Apply
    } else if table.contains_key("delete") {
        Action::Delete
    } else if table.contains_key("render") {
        Action::Render
    } else {
        Action::Look
    }
}

impl Kind for Kubectl {
    fn name(&self) -> KindName {
        KindName::Kubectl
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "apply"
    }

    fn default_effect(&self, table: &Table) -> Effect {
        match action(table) {
            Action::Apply | Action::Delete => Effect::Idempotent,
            Action::Render => Effect::Pure,
            Action::Look => Effect::Read,
        }
    }

    fn tools(&self, _table: &Table) -> Vec<String> {
        vec!["kubectl".to_owned()]
    }

    fn wrong(&self, table: &Table, _reads: &BTreeSet<Read>) -> Vec<String> {
        let mut wrong = Vec::new();
        let has = |key: &&str| table.contains_key(*key);
        let actions: Vec<String> =
            ["apply", "delete", "render"].iter().filter(|key| has(key)).map(|key| format!("`{key}`")).collect();
        if actions.len() > 1 {
            wrong.push(format!("it has {}: one task does one of them", actions.join(" and ")));
        }
        if actions.is_empty() && !["wait", "get"].iter().any(|key| table.contains_key(*key)) {
            wrong.push("it does nothing: give it `apply`, `delete`, `render`, `wait` or `get`".to_owned());
        }
        match (table.contains_key("render"), table.contains_key("to")) {
            (true, false) => wrong.push("`render` needs `to`, the file that it writes".to_owned()),
            (false, true) => wrong.push("`to` is for `render`".to_owned()),
            _ => {}
        }
        if action(table) != Action::Render {
            wrong.extend(cluster::wrong(table, "kubectl"));
        }
        for key in ["apply", "delete"] {
            for word in texts(table, key).iter().filter(|word| word.contains("://")) {
                wrong.push(format!(
                    "`{key}` names an address, `{word}`: let a task fetch it, and name the file; nobody sees when an \
                     address holds something else"
                ));
            }
        }
        wrong.extend(wait::wrong(table));
        wrong.extend(get::wrong(table));
        wrong
    }

    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred {
        infer::infer(table, files)
    }

    fn names_outputs(&self) -> bool {
        true
    }

    fn outputs(&self, table: &Table, _files: &dyn Files) -> Vec<(Utf8PathBuf, Keep)> {
        let to = text(table, "to").filter(|_| action(table) == Action::Render);
        to.map(|to| (join(Utf8Path::new(""), to), Keep::Kept)).into_iter().collect()
    }

    fn subject(&self, table: &Table, _env: &str, _files: &dyn Files) -> Option<String> {
        let namespace = text(table, "namespace").map(|name| format!(" in `{name}`")).unwrap_or_default();
        (action(table) == Action::Apply).then(|| {
            format!("the objects of `{}`{namespace} of {}", texts(table, "apply").join("`, `"), cluster::place(table))
        })
    }

    fn claims(&self) -> bool {
        true
    }

    fn default_exports(&self, table: &Table, _files: &dyn Files) -> Option<BTreeMap<String, ValueType>> {
        let named = table.get("get").and_then(Json::as_object);
        Some(named.into_iter().flatten().map(|(name, _)| (name.clone(), ValueType::Json)).collect())
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        match action(&job.table) {
            Action::Apply | Action::Look => {
                Box::new(Entering::new(job.clone(), Purpose::Work, apply::Applying::new(job)))
            }
            Action::Delete => Box::new(Entering::new(job.clone(), Purpose::Work, delete::Deleting::of_files(job))),
            Action::Render => Box::new(render::Rendering::new(&job)),
        }
    }

    /// Deletes every object that was ever applied, also one that is no longer in the files.
    fn undo(&self, job: Job) -> Option<Box<dyn Machine>> {
        (action(&job.table) == Action::Apply).then(|| -> Box<dyn Machine> {
            Box::new(Entering::new(job.clone(), Purpose::Undo, delete::Deleting::of_record(job)))
        })
    }

    fn has_probe(&self) -> bool {
        true
    }

    fn looks(&self, job: &Job) -> Vec<(Step, Judge)> {
        look::looks(job)
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(10)
    }
}
