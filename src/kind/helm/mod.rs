//! Owns the kind `helm`: its keys, and what is known of a task before it runs.
//! Does not know processes; the order of commands is the machines'.

mod command;
mod dependencies;
mod last;
mod marks;
mod release;
mod simple;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_chart;
#[cfg(test)]
mod tests_marks;
mod uninstall;
mod upgrade;

use crate::kind::cluster::{Entering, Purpose};
use crate::kind::machine::{Job, Machine, Step};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, cluster, text, texts};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::{ContentKind, Files};
use crate::model::path::join;
use crate::model::probe::Judge;
use crate::model::task::Keep;
use crate::model::text::Read;
use crate::model::value::ValueType;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uninstall::{Uninstalling, What};

/// The kind.
pub struct Helm;

const ACTIONS: [&str; 6] = ["upgrade", "template", "lint", "dependencies", "test", "uninstall"];

const KEYS: [KeySpec; 14] = [
    KeySpec::new("release", Shape::Text, When::Graph, "Name of the release; `lint` and `dependencies` need none."),
    KeySpec::new("chart", Shape::Text, When::Graph, "Folder or archive of the chart, or its name in `repo`."),
    KeySpec::new("version", Shape::Text, When::Start, "Version of a chart that is not in the project."),
    KeySpec::new("repo", Shape::Text, When::Start, "Address of the repository that has the chart."),
    KeySpec::new("namespace", Shape::Text, When::Graph, "Namespace of the release; `default`."),
    KeySpec::new("create_namespace", Shape::Bool, When::Graph, "Make the namespace when it is missing."),
    KeySpec::new("values", Shape::Texts, When::Graph, "Files of values; a later one wins."),
    KeySpec::new("set", Shape::Tree, When::StartSecret, "Values on top of the files."),
    KeySpec::new("wait", Shape::Bool, When::Start, "Wait until everything is ready; `true`."),
    KeySpec::new("timeout", Shape::Duration, When::Start, "How long helm waits; `5m`."),
    KeySpec::new("action", Shape::Word(&ACTIONS), When::Graph, "What to do; `upgrade`, which installs too."),
    KeySpec::new("to", Shape::Text, When::Graph, "File that `template` writes: an output."),
    KeySpec::new("kubeconfig", Shape::Text, When::Graph, "The kubeconfig; never the caller's own."),
    KeySpec::new("context", Shape::Text, When::Graph, "Context in the kubeconfig; its current one."),
];

/// What the task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Upgrade,
    Template,
    Lint,
    Dependencies,
    Test,
    Uninstall,
}

fn action(table: &Table) -> Action {
    match text(table, "action") {
        Some("template") => Action::Template,
        Some("lint") => Action::Lint,
        Some("dependencies") => Action::Dependencies,
        Some("test") => Action::Test,
        Some("uninstall") => Action::Uninstall,
        _ => Action::Upgrade,
    }
}

/// What helm would say of a release's name, but only once it runs.
fn wrong_name(name: &str) -> Option<String> {
    const MOST: usize = 53;
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_good = !name.is_empty()
        && name.len() <= MOST
        && name.starts_with(is_edge)
        && name.ends_with(is_edge)
        && name.chars().all(|c| is_edge(c) || matches!(c, '-' | '.'));
    (!is_good).then(|| {
        format!(
            "`{name}` is no name for a release: at most {MOST} of a-z, 0-9, `-` and `.`, with a letter or digit at both \
             ends"
        )
    })
}

impl Action {
    fn wants_chart(self) -> bool {
        matches!(self, Self::Upgrade | Self::Template | Self::Lint | Self::Dependencies)
    }

    fn wants_release(self) -> bool {
        !matches!(self, Self::Lint | Self::Dependencies)
    }

    fn wants_cluster(self) -> bool {
        matches!(self, Self::Upgrade | Self::Test | Self::Uninstall)
    }

    fn word(self) -> &'static str {
        ACTIONS[self as usize]
    }
}

/// Whether the chart comes from a repository or registry.
fn is_elsewhere(table: &Table) -> bool {
    table.contains_key("repo") || text(table, "chart").is_some_and(|chart| chart.starts_with("oci://"))
}

/// Name and namespace of the release.
fn named(table: &Table) -> (&str, &str) {
    (text(table, "release").unwrap_or("?"), text(table, "namespace").unwrap_or(command::NAMESPACE))
}

fn uninstalling(job: Job, what: What) -> Box<dyn Machine> {
    Box::new(Entering::new(job.clone(), Purpose::Undo, Uninstalling::new(job, what)))
}

impl Kind for Helm {
    fn name(&self) -> KindName {
        KindName::Helm
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "release"
    }

    fn default_effect(&self, table: &Table) -> Effect {
        match action(table) {
            Action::Upgrade | Action::Uninstall => Effect::Idempotent,
            Action::Template | Action::Lint | Action::Dependencies => Effect::Pure,
            Action::Test => Effect::Read,
        }
    }

    fn tools(&self, table: &Table) -> Vec<String> {
        let mut tools = vec!["helm".to_owned()];
        if action(table).wants_cluster() {
            tools.push("kubectl".to_owned());
        }
        tools
    }

    fn wrong(&self, table: &Table, reads: &BTreeSet<Read>) -> Vec<String> {
        let action = action(table);
        let mut wrong = Vec::new();
        if action == Action::Template && reads.iter().any(|read| matches!(read, Read::Secret(_))) {
            wrong.push("what action `template` writes is kept as an artifact, and may hold no secret".to_owned());
        }
        if action.wants_release() && !table.contains_key("release") {
            wrong.push(format!("action `{}` needs `release`", action.word()));
        }
        if action.wants_chart() && !table.contains_key("chart") {
            wrong.push(format!("action `{}` needs `chart`", action.word()));
        }
        if action.wants_cluster() {
            wrong.extend(cluster::wrong(table, &format!("action `{}`", action.word())));
        }
        wrong.extend(text(table, "release").filter(|_| action.wants_release()).and_then(wrong_name));
        match (action, table.contains_key("to")) {
            (Action::Template, false) => wrong.push("action `template` needs `to`, the file that it writes".to_owned()),
            (Action::Template, true) | (_, false) => {}
            (other, true) => wrong.push(format!("`to` is for action `template`; this is `{}`", other.word())),
        }
        wrong
    }

    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred {
        let mut inferred = Inferred::default();
        let root = Utf8Path::new("");
        let action = action(table);
        if let Some(chart) = text(table, "chart").filter(|_| action.wants_chart()) {
            let chart = join(root, chart);
            if action == Action::Dependencies {
                return dependencies::infer(&chart, files);
            }
            let kind = if table.contains_key("repo") { ContentKind::Missing } else { files.kind(&chart) };
            match kind {
                ContentKind::Folder | ContentKind::File if table.contains_key("version") => {
                    inferred.remarks.push(format!("`version` is for a chart of a repository: `{chart}` says its own"));
                }
                ContentKind::Missing if !table.contains_key("version") && is_elsewhere(table) => {
                    inferred.remarks.push(format!(
                        "no `version` of `{}` is named: it is the newest of the day it runs, and nobody sees a newer one",
                        text(table, "chart").unwrap_or_default()
                    ));
                }
                _ => {}
            }
            match kind {
                ContentKind::Folder => inferred.folders.push(chart),
                ContentKind::File => inferred.paths.push(chart),
                ContentKind::Link | ContentKind::Missing => {}
            }
        }
        if action.wants_chart() {
            inferred.paths.extend(texts(table, "values").iter().map(|path| join(root, path)));
        }
        if action.wants_cluster() {
            inferred.paths.extend(cluster::input(table));
        }
        inferred
    }

    fn names_outputs(&self) -> bool {
        true
    }

    fn outputs(&self, table: &Table, files: &dyn Files) -> Vec<(Utf8PathBuf, Keep)> {
        let root = Utf8Path::new("");
        match action(table) {
            Action::Template => text(table, "to").map(|to| (join(root, to), Keep::Kept)).into_iter().collect(),
            Action::Dependencies => {
                text(table, "chart").map(|chart| dependencies::outputs(&join(root, chart), files)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn subject(&self, table: &Table, _env: &str, _files: &dyn Files) -> Option<String> {
        let (release, namespace) = named(table);
        matches!(action(table), Action::Upgrade)
            .then(|| format!("helm release `{namespace}/{release}` of {}", cluster::place(table)))
    }

    fn claims(&self) -> bool {
        true
    }

    fn default_exports(&self, table: &Table, _files: &dyn Files) -> Option<BTreeMap<String, ValueType>> {
        let typed =
            [("revision", ValueType::Int), ("app_version", ValueType::String), ("manifest_digest", ValueType::String)];
        let exports = typed.map(|(name, value_type)| (name.to_owned(), value_type));
        Some(if action(table) == Action::Upgrade { exports.into() } else { BTreeMap::new() })
    }

    fn destroys(&self, table: &Table) -> Vec<String> {
        let (release, namespace) = named(table);
        let is_destroyed = action(table) == Action::Uninstall;
        is_destroyed.then(|| format!("helm release `{namespace}/{release}`")).into_iter().collect()
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        match action(&job.table) {
            Action::Upgrade => Box::new(Entering::new(job.clone(), Purpose::Work, upgrade::Upgrading::new(job))),
            Action::Uninstall => uninstalling(job, What::Named),
            Action::Template => Box::new(simple::Working::template(&job)),
            Action::Lint => Box::new(simple::Working::lint(&job)),
            Action::Dependencies => Box::new(dependencies::Fetching::new(&job)),
            Action::Test => {
                let testing = simple::Testing::new(&job);
                Box::new(Entering::new(job, Purpose::Work, testing))
            }
        }
    }

    /// Uninstalls every release that was ever installed, also one that had another name or namespace.
    fn undo(&self, job: Job) -> Option<Box<dyn Machine>> {
        (action(&job.table) == Action::Upgrade).then(|| uninstalling(job, What::Recorded))
    }

    fn has_probe(&self) -> bool {
        true
    }

    fn looks(&self, job: &Job) -> Vec<(Step, Judge)> {
        match action(&job.table) {
            Action::Uninstall => release::looks_for_none(job),
            _ => release::looks(job),
        }
    }

    fn can_be_asked(&self) -> bool {
        true
    }

    /// helm gives up at an interrupt and marks the release as failed, which needs the API once more.
    fn grace(&self) -> Duration {
        Duration::from_secs(30)
    }
}
