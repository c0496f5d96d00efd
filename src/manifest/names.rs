//! Owns how `needs`, `after` and `undo_of` find the tasks that they name.
//! Does not know values and paths.

use crate::manifest::frame::Placed;
use crate::manifest::lower::Lowered;
use crate::manifest::target::{Candidate, How, IsUndo, Reach, Targets};
use crate::manifest::{glob, ticked};
use crate::model::diagnostic::{Diagnostic, Place};
use crate::model::name::{TaskId, TaskName};
use std::collections::{BTreeMap, BTreeSet};

/// What exists in other environments only, and what exists here without an instance: naming it is no
/// mistake, and asks for nothing.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// Families by name, with the environments that have them.
    pub(super) elsewhere: BTreeMap<TaskName, Vec<String>>,
    /// Stages and tags of families that exist elsewhere only, as targets name them: `stage:X`, `tag:X`.
    pub(super) groups: BTreeSet<String>,
    /// Families whose `foreach` or `matrix` is empty here.
    pub(super) empty: Vec<String>,
}

impl Absent {
    fn has(&self, word: &str) -> bool {
        let family = word.split('[').next().unwrap_or(word);
        self.elsewhere.contains_key(family)
            || self.empty.iter().any(|name| name == family)
            || self.groups.contains(word)
            || self.groups.contains(&format!("stage:{word}"))
            || (word.contains(['*', '?', '{']) && self.elsewhere.keys().any(|name| glob::takes(word, name.as_str())))
    }
}

/// Finds the tasks that words of the manifest name.
pub(super) struct Names<'a> {
    pub(super) targets: Targets<'a>,
    pub(super) absent: &'a Absent,
    /// Whether a file is broken, so that tasks may be missing that are written.
    pub(super) broken: bool,
}

/// The words of all tasks.
pub(super) fn targets(tasks: &[Lowered]) -> Targets<'_> {
    Targets::new(tasks.iter().map(|lowered| Candidate {
        name: lowered.task.name.as_str(),
        family: lowered.task.family.as_str(),
        stage: lowered.task.stage.as_deref(),
        tags: &lowered.task.tags,
        undo: if lowered.task.is_undo() { IsUndo::Yes } else { IsUndo::No },
    }))
}

impl Names<'_> {
    /// The tasks that a word of a task's key means. Within an included project its own come first.
    pub(super) fn resolve(
        &self,
        reader: &Lowered,
        key: &str,
        (word, place): &Placed,
        tasks: &[Lowered],
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<TaskId> {
        if word.starts_with('+') || word.ends_with(['+', '!']) {
            let message = format!("`{word}` in `{key}`: `+` and `!` are for the command line");
            let plain = word.trim_start_matches('+').trim_end_matches(['+', '!']);
            problems.push(Diagnostic::error("unknown-task", place, message).help(format!("write `{plain}`")));
            return Vec::new();
        }
        let own = if reader.home.is_empty() { None } else { Some(format!("{}/{word}", reader.home)) };
        let picked = own.as_ref().and_then(|own| self.targets.pick(own)).or_else(|| self.targets.pick(word));
        if let Some(picked) = picked {
            let mut ids = picked.tasks;
            if picked.how == How::Group {
                let family = &reader.task.family;
                ids.retain(|id| tasks.get(id.index()).is_some_and(|other| other.task.family != *family));
            }
            return ids;
        }
        if own.is_some_and(|own| self.absent.has(&own)) || self.absent.has(word) {
            return Vec::new();
        }
        problems.extend(self.unknown(key, word, place));
        Vec::new()
    }

    fn unknown(&self, key: &str, word: &str, place: &Place) -> Option<Diagnostic> {
        let near = self.targets.suggest(word);
        if near.is_none() && self.broken {
            return None;
        }
        let what = match word.split_once(':') {
            Some(("stage", name)) => format!("unknown stage `{name}`"),
            Some(("tag", name)) => format!("no task has the tag `{name}`, named"),
            _ if word.contains(['*', '?', '{']) => format!("no task matches `{word}`"),
            _ => format!("unknown task `{word}`"),
        };
        let mut problem = Diagnostic::error("unknown-task", place, format!("{what} in {}", ticked(key)));
        problem.help = near.map(|near| format!("did you mean `{near}`?"));
        Some(problem)
    }
}

/// The targets that `infra run` alone means must mean something.
pub(super) fn check_default(
    words: &[Placed],
    tasks: &[Lowered],
    absent: &Absent,
    broken: bool,
    problems: &mut Vec<Diagnostic>,
) {
    let names = Names { targets: targets(tasks), absent, broken };
    for (word, place) in words {
        let (word, _) = Reach::split(word);
        if names.targets.pick(word).is_none() && !absent.has(word) {
            problems.extend(names.unknown("default", word, place));
        }
    }
}
