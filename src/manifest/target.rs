//! Owns targets: which tasks a word of the user means.
//! Does not know what is done with them.

use crate::manifest::glob;
use crate::model::diagnostic::{Diagnostic, nearest};
use crate::model::name::TaskId;
use crate::model::project::Project;
use std::collections::{BTreeMap, BTreeSet};

/// What a task must show of itself to be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) family: &'a str,
    pub(super) stage: Option<&'a str>,
    pub(super) tags: &'a [String],
    pub(super) undo: IsUndo,
}

/// Whether a task takes back what others did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsUndo {
    Yes,
    No,
}

/// All tasks by the words that mean them.
#[derive(Debug, Default)]
pub struct Targets<'a> {
    all: Vec<Candidate<'a>>,
    by_name: BTreeMap<&'a str, TaskId>,
    by_family: BTreeMap<&'a str, Vec<TaskId>>,
    by_stage: BTreeMap<&'a str, Vec<TaskId>>,
    by_tag: BTreeMap<&'a str, Vec<TaskId>>,
}

/// What a word means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) tasks: Vec<TaskId>,
    pub(super) how: How,
}

/// How tasks were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By one task's full name.
    Exact,
    /// By the name of a `foreach` task.
    Family,
    /// By a stage, a tag or a glob.
    Group,
}

impl<'a> Targets<'a> {
    /// Tasks in the order of their ids.
    pub(super) fn new(candidates: impl Iterator<Item = Candidate<'a>>) -> Self {
        let mut targets = Self::default();
        for (index, candidate) in candidates.enumerate() {
            let id = TaskId(u32::try_from(index).unwrap_or(u32::MAX));
            targets.by_name.insert(candidate.name, id);
            targets.by_family.entry(candidate.family).or_default().push(id);
            if let Some(stage) = candidate.stage {
                targets.by_stage.entry(stage).or_default().push(id);
            }
            for tag in candidate.tags {
                targets.by_tag.entry(tag).or_default().push(id);
            }
            targets.all.push(candidate);
        }
        targets
    }

    /// The tasks of a loaded project.
    pub fn of(project: &'a Project) -> Self {
        Self::new(project.tasks.iter().map(|task| Candidate {
            name: task.name.as_str(),
            family: task.family.as_str(),
            stage: task.stage.as_deref(),
            tags: &task.tags,
            undo: if task.is_undo() { IsUndo::Yes } else { IsUndo::No },
        }))
    }

    /// The tasks that a word means; `None` when it means none.
    pub(super) fn pick(&self, word: &str) -> Option<Picked> {
        let group = |tasks: Option<&Vec<TaskId>>| {
            tasks.map(|tasks| Picked { tasks: self.without_undo(tasks.clone()), how: How::Group })
        };
        if let Some(stage) = word.strip_prefix("stage:") {
            return group(self.by_stage.get(stage));
        }
        if let Some(tag) = word.strip_prefix("tag:") {
            return group(self.by_tag.get(tag));
        }
        if let Some(id) = self.by_name.get(word) {
            return Some(Picked { tasks: vec![*id], how: How::Exact });
        }
        if let Some(tasks) = self.by_family.get(word) {
            return Some(Picked { tasks: tasks.clone(), how: How::Family });
        }
        if let Some(tasks) = self.by_stage.get(word) {
            return group(Some(tasks));
        }
        if word.contains(['*', '?', '{']) {
            let taken: Vec<TaskId> = self
                .by_name
                .iter()
                .filter(|(name, _)| glob::takes(&instance_safe(word), &instance_safe(name)))
                .map(|(_, id)| *id)
                .collect();
            return if taken.is_empty() { None } else { group(Some(&taken)) };
        }
        None
    }

    /// An undo task is never meant by a word that also means others.
    fn without_undo(&self, tasks: Vec<TaskId>) -> Vec<TaskId> {
        let is_undo = |id: &TaskId| self.all.get(id.index()).is_some_and(|candidate| candidate.undo == IsUndo::Yes);
        if tasks.iter().all(is_undo) { tasks } else { tasks.into_iter().filter(|id| !is_undo(id)).collect() }
    }

    /// The word that was probably meant.
    pub(super) fn suggest(&self, word: &str) -> Option<String> {
        if let Some(stage) = word.strip_prefix("stage:") {
            return nearest(stage, self.by_stage.keys().copied()).map(|near| format!("stage:{near}"));
        }
        if let Some(tag) = word.strip_prefix("tag:") {
            return nearest(tag, self.by_tag.keys().copied()).map(|near| format!("tag:{near}"));
        }
        if let Some((family, _)) = word.split_once('[')
            && self.by_family.contains_key(family)
        {
            let instances =
                self.by_name.range(family..).map(|(name, _)| *name).take_while(|name| name.starts_with(family));
            return nearest(word, instances).map(str::to_owned);
        }
        let words: BTreeSet<&str> =
            self.by_family.keys().chain(self.by_name.keys()).chain(self.by_stage.keys()).copied().collect();
        nearest(word, words).map(str::to_owned)
    }
}

/// The brackets of an instance are letters to a glob of names.
fn instance_safe(text: &str) -> String {
    text.replace('[', "\u{1}").replace(']', "\u{2}").replace(['/', '\\'], "\u{3}")
}

/// What a run is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What was picked.
    pub named: Vec<TaskId>,
    /// What was picked by its full name: these may be forced although they are `once`.
    pub exact: Vec<TaskId>,
    /// Everything that takes part, upstream before downstream.
    pub tasks: Vec<TaskId>,
}

/// Finds the tasks that words mean. No words mean `[project] default`.
///
/// # Errors
/// Each word that means nothing, or that there is none.
pub fn select(project: &Project, words: &[String]) -> Result<Selection, Vec<Diagnostic>> {
    let words = if words.is_empty() { &project.default } else { words };
    if words.is_empty() {
        let problem = Diagnostic::nowhere("no-target", "no target, and `default` of `[project]` names none");
        return Err(vec![problem.help("name a task or a stage; `infra list` shows them")]);
    }
    let targets = Targets::of(project);
    let mut problems = Vec::new();
    let mut selection = Selection::default();
    let mut taken = vec![false; project.tasks.len()];
    for word in words {
        let (word, reach) = Reach::split(word);
        let Some(picked) = targets.pick(word) else {
            problems.push(unknown(project, &targets, word));
            continue;
        };
        if picked.how == How::Exact {
            selection.exact.extend(&picked.tasks);
        }
        let mut take = |flags: &[bool]| taken.iter_mut().zip(flags).for_each(|(taken, more)| *taken |= more);
        if reach.up {
            take(&project.graph.upstream(&picked.tasks));
        }
        if reach.down {
            take(&project.graph.downstream(&picked.tasks));
        }
        for id in &picked.tasks {
            if let Some(taken) = taken.get_mut(id.index()) {
                *taken = true;
            }
        }
        selection.named.extend(picked.tasks);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for list in [&mut selection.named, &mut selection.exact] {
        let mut seen = BTreeSet::new();
        list.retain(|id| seen.insert(*id));
    }
    selection.tasks = project.graph.order().iter().copied().filter(|id| taken[id.index()]).collect();
    Ok(selection)
}

/// How far a word reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    up: bool,
    down: bool,
}

impl Reach {
    /// `name` and `+name`: upstream; `name+`: downstream; `+name+`: both; `name!`: neither.
    pub(super) fn split(word: &str) -> (&str, Self) {
        if let Some(name) = word.strip_suffix('!') {
            return (name, Self { up: false, down: false });
        }
        let (word, plus) = word.strip_prefix('+').map_or((word, false), |rest| (rest, true));
        match word.strip_suffix('+') {
            Some(name) => (name, Self { up: plus, down: true }),
            None => (word, Self { up: true, down: false }),
        }
    }
}

fn unknown(project: &Project, targets: &Targets<'_>, word: &str) -> Diagnostic {
    let family = word.split('[').next().unwrap_or(word);
    if let Some(envs) = project.elsewhere.get(family) {
        let names = envs.iter().map(|env| crate::manifest::ticked(env)).collect::<Vec<_>>().join(", ");
        let message = format!("task `{word}` does not exist in environment `{}`", project.env.name);
        return Diagnostic::nowhere("unknown-target", message).help(format!("it exists in {names}"));
    }
    let what = match word.split_once(':') {
        Some(("stage", name)) => format!("unknown stage `{name}`"),
        Some(("tag", name)) => format!("no task has the tag `{name}`"),
        _ if word.contains(['*', '?', '{']) => format!("no task matches `{word}`"),
        _ => format!("unknown task or stage `{word}`"),
    };
    let help = targets
        .suggest(word)
        .map_or_else(|| "`infra list` shows all tasks".to_owned(), |near| format!("did you mean `{near}`?"));
    Diagnostic::nowhere("unknown-target", what).help(help)
}
