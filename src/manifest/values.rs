//! Owns values that tasks read of each other: names as templates spell them, keys, and the edges they make.
//! Does not know paths (`inputs.rs`).

use crate::kind;
use crate::manifest::link::Link;
use crate::manifest::lower::Lowered;
use crate::model::action::KindName;
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::facts::Files;
use crate::model::graph::Edge;
use crate::model::name::{TaskId, TaskName, template_name};
use crate::model::task::{ProbeCheck, Task};
use crate::model::text::{Read, Text, Tree};
use crate::template;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of tasks as templates spell them.
pub(super) struct Spelled {
    pub(super) here: BTreeMap<String, Vec<TaskId>>,
    /// Families that exist in other environments only, by their spelling.
    elsewhere: BTreeMap<String, (TaskName, Vec<String>)>,
}

/// What readers must know of a task that they read.
pub(super) struct Exporter {
    name: String,
    instance: Option<String>,
    /// Its keys; `None`: any.
    keys: OnceCell<Option<BTreeSet<String>>>,
}

impl Spelled {
    /// Spells all names; two families that are spelled alike are an error.
    pub(super) fn new(
        tasks: &[Lowered],
        empty: &[String],
        elsewhere: &BTreeMap<TaskName, Vec<String>>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut here: BTreeMap<String, Vec<TaskId>> = BTreeMap::new();
        for lowered in tasks {
            let task = &lowered.task;
            let same = here.entry(template_name(task.family.as_str())).or_default();
            let first = same.first().and_then(|id| tasks.get(id.index())).map(|lowered| &lowered.task.family);
            if let Some(first) = first.filter(|first| **first != task.family) {
                let spelled = template_name(task.family.as_str());
                let message = format!("tasks `{first}` and `{}` are both `tasks.{spelled}` in templates", task.family);
                problems.push(
                    Diagnostic::error("name-collision", &task.place, message).help("give one of them another name"),
                );
            } else {
                same.push(task.id);
            }
        }
        for family in empty {
            here.entry(template_name(family)).or_default();
        }
        let elsewhere =
            elsewhere.iter().map(|(name, envs)| (template_name(name.as_str()), (name.clone(), envs.clone()))).collect();
        Self { here, elsewhere }
    }

    /// The spelling that a name within an included project means: its own task first.
    fn resolve(&self, home: &str, name: &str) -> Option<(String, &[TaskId])> {
        let own = if home.is_empty() { None } else { Some(format!("{}_{name}", template_name(home))) };
        let spelled = own.filter(|own| self.here.contains_key(own)).unwrap_or_else(|| name.to_owned());
        self.here.get(&spelled).map(|tasks| (spelled, tasks.as_slice()))
    }
}

/// What each task exports, found out when first asked.
pub(super) fn exporters(tasks: &[Lowered]) -> Vec<Exporter> {
    tasks
        .iter()
        .map(|lowered| Exporter {
            name: lowered.task.name.to_string(),
            instance: lowered.task.instance.clone(),
            keys: OnceCell::new(),
        })
        .collect()
}

/// Resolves what tasks read of each other.
pub(super) struct Values<'a> {
    pub(super) spelled: &'a Spelled,
    pub(super) exporters: &'a [Exporter],
    pub(super) tasks: &'a [Lowered],
    pub(super) files: &'a dyn Files,
    pub(super) env: &'a str,
}

/// What a place is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Edge,
    Mistake,
}

/// What a task's reads come to.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) links: Vec<Link>,
    pub(super) problems: Vec<Diagnostic>,
}

impl Values<'_> {
    fn keys(&self, id: TaskId) -> Option<&BTreeSet<String>> {
        let exporter = self.exporters.get(id.index())?;
        let keys = exporter.keys.get_or_init(|| {
            let lowered = self.tasks.get(id.index())?;
            let action = &lowered.task.action;
            let declared: BTreeSet<String> = lowered.task.exports.keys().cloned().collect();
            let own = kind::find(action.kind).default_exports(&lowered.table, self.files);
            match own {
                // A playbook always fills some of its own beside what is declared.
                Some(own) if action.kind == KindName::Ansible || declared.is_empty() => {
                    Some(declared.into_iter().chain(own.into_keys()).collect())
                }
                None if declared.is_empty() => None,
                _ => Some(declared),
            }
        });
        keys.as_ref()
    }

    /// What a read means: its full spelling, and the tasks that it makes edges to.
    ///
    /// The error is a message and a help.
    fn resolve(
        &self,
        reader: &Lowered,
        task: &str,
        item: Option<&str>,
        key: &str,
    ) -> Result<(Read, Vec<TaskId>), (String, Option<String>)> {
        let Some((spelled, ids)) = self.spelled.resolve(&reader.home, task) else {
            return Err(self.unknown(task));
        };
        if ids.contains(&reader.task.id) && reader.task.instance.is_none() {
            let help = format!("its own exports are `out.{key}`, in `ready` and `probe`");
            return Err((format!("task `{}` reads its own value", reader.task.name), Some(help)));
        }
        let is_family =
            ids.iter().any(|id| self.exporters.get(id.index()).is_some_and(|exporter| exporter.instance.is_some()));
        // `tasks.T["hosts"].a` of a plain task is its value `hosts`.
        let (item, key) = match item {
            Some(first) if !is_family && !ids.is_empty() => (None, first),
            item => (item, key),
        };
        let read = Read::TaskValue { task: spelled, item: item.map(str::to_owned), key: key.to_owned() };
        let instance = |id: &TaskId| self.exporters.get(id.index()).and_then(|exporter| exporter.instance.as_deref());
        let of_item: Vec<TaskId> = match item {
            None => ids.to_vec(),
            Some(item) => ids.iter().copied().filter(|id| instance(id) == Some(item)).collect(),
        };
        if let (Some(item), true) = (item, of_item.is_empty()) {
            let help = nearest(item, ids.iter().filter_map(instance)).map(|near| format!("did you mean `{near}`?"));
            return Err((format!("`tasks.{task}` has no item `{item}`"), help));
        }
        for id in &of_item {
            if let Some(keys) = self.keys(*id).filter(|keys| !keys.contains(key)) {
                let name = self.exporters.get(id.index()).map_or("", |exporter| exporter.name.as_str());
                let kind = self.tasks.get(id.index()).map(|lowered| lowered.task.action.kind);
                let help = nearest(key, keys.iter().map(String::as_str)).map_or_else(
                    || match (keys.len(), kind) {
                        _ if ids.iter().filter_map(instance).any(|instance| instance == key) => {
                            format!("an item is named in brackets: `tasks.{task}[\"{key}\"].KEY`")
                        }
                        (0, Some(KindName::Run | KindName::Shell)) => {
                            format!("declare it: `exports = {{ {key} = \"string\" }}`")
                        }
                        (0, _) => "it exports nothing".to_owned(),
                        _ => format!(
                            "it exports {}",
                            keys.iter().map(|key| crate::manifest::ticked(key)).collect::<Vec<_>>().join(", ")
                        ),
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                return Err((format!("task `{name}` exports no `{key}`"), Some(help)));
            }
        }
        Ok((read, of_item))
    }

    fn unknown(&self, task: &str) -> (String, Option<String>) {
        if let Some((name, envs)) = self.spelled.elsewhere.get(task) {
            let envs = envs.iter().map(|env| crate::manifest::ticked(env)).collect::<Vec<_>>().join(", ");
            let message = format!("task `{name}` does not exist in environment `{}`", self.env);
            return (
                message,
                Some(format!("it exists in {envs}; limit this task with `envs` too, or `override` the key here")),
            );
        }
        let help = nearest(task, self.spelled.here.keys().map(String::as_str))
            .map(|near| format!("did you mean `tasks.{near}`?"));
        (format!("unknown task `{task}` in a template"), help)
    }

    /// Resolves the reads of a text; `None` when they stay as they are.
    pub(super) fn text(&self, reader: &Lowered, text: &Text, outcome: &mut Outcome) -> Option<BTreeSet<Read>> {
        if !text.reads.iter().any(|read| matches!(read, Read::TaskValue { .. })) {
            return None;
        }
        // The letters are looked up for mistakes only: an edge is well placed by its text.
        let place = |read: &Read, what| match what {
            What::Edge => text.place.as_ref().clone(),
            What::Mistake => template::place_of(text, |other| other == read),
        };
        let resolved = self.reads(reader, &text.reads, place, outcome);
        (resolved != *text.reads).then_some(resolved)
    }

    /// Resolves reads whose places `place` knows.
    pub(super) fn reads(
        &self,
        reader: &Lowered,
        reads: &BTreeSet<Read>,
        place: impl Fn(&Read, What) -> Place,
        outcome: &mut Outcome,
    ) -> BTreeSet<Read> {
        let mut resolved = BTreeSet::new();
        for read in reads {
            let Read::TaskValue { task, item, key } = read else {
                resolved.insert(read.clone());
                continue;
            };
            match self.resolve(reader, task, item.as_deref(), key) {
                Ok((read_as, ids)) => {
                    let place = place(read, What::Edge);
                    let link = |from| Link { from, to: reader.task.id, edge: Edge::Reads, place: place.clone() };
                    outcome.links.extend(ids.into_iter().map(link));
                    resolved.insert(read_as);
                }
                Err((message, help)) => {
                    let mut problem = Diagnostic::error("unknown-value", &place(read, What::Mistake), message);
                    problem.help = help;
                    outcome.problems.push(problem);
                }
            }
        }
        resolved
    }
}

/// Every text of a task that is rendered late.
pub(super) fn texts_of(task: &Task) -> Vec<&Text> {
    let mut texts: Vec<&Text> = Vec::new();
    for tree in task.action.table.values() {
        tree.each_text(&mut |text| texts.push(text));
    }
    texts.extend(task.env.values());
    texts.extend(task.undo.iter().flatten());
    for check in task.probe.iter().map(|probe| &probe.check).chain(task.ready.iter().map(|ready| &ready.check)) {
        match check {
            ProbeCheck::Exec(argv) => texts.extend(argv),
            ProbeCheck::Tcp(text) | ProbeCheck::Http(text) => texts.push(text),
            ProbeCheck::Kind => {}
        }
    }
    texts
}

/// Puts resolved reads in place, in the order of [`texts_of`].
pub(super) fn replace_reads(task: &mut Task, resolved: Vec<Option<BTreeSet<Read>>>) {
    let mut resolved = resolved.into_iter();
    let mut put = |text: &mut Text| {
        if let Some(Some(reads)) = resolved.next() {
            text.reads = Arc::new(reads);
        }
    };
    for tree in task.action.table.values_mut() {
        each_in_tree(tree, &mut put);
    }
    task.env.values_mut().for_each(&mut put);
    task.undo.iter_mut().flatten().for_each(&mut put);
    let probes = task.probe.iter_mut().map(|probe| &mut probe.check);
    for check in probes.chain(task.ready.iter_mut().map(|ready| &mut ready.check)) {
        match check {
            ProbeCheck::Exec(argv) => argv.iter_mut().for_each(&mut put),
            ProbeCheck::Tcp(text) | ProbeCheck::Http(text) => put(text),
            ProbeCheck::Kind => {}
        }
    }
}

fn each_in_tree(tree: &mut Tree, see: &mut dyn FnMut(&mut Text)) {
    match tree {
        Tree::Text(text) => see(text),
        Tree::Plain(_) => {}
        Tree::List(items) => items.iter_mut().for_each(|item| each_in_tree(item, see)),
        Tree::Table(items) => items.values_mut().for_each(|item| each_in_tree(item, see)),
    }
}
