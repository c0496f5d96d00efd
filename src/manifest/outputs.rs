//! Owns what tasks write: one index by path, and the paths that tasks of any environment write.
//! Does not know who reads them.

use crate::kind;
use crate::manifest::action;
use crate::manifest::declare::TaskDeclared;
use crate::manifest::expand::{Surroundings, exists_in, expand};
use crate::manifest::frame::Placed;
use crate::manifest::lower::Lowered;
use crate::manifest::node::{Node, Value};
use crate::manifest::{glob, path};
use crate::model::diagnostic::{Diagnostic, Place};
use crate::model::facts::Files;
use crate::model::name::TaskId;
use crate::model::task::{Keep, Output, OutputShape};
use crate::model::text::has_template;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// One path that a task of this environment writes.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) by: TaskId,
    pub(super) path: Utf8PathBuf,
    pub(super) shape: OutputShape,
    pub(super) place: Place,
}

/// Everything that tasks write.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    here: BTreeMap<String, Written>,
    /// Of any environment, this one included.
    anywhere: BTreeMap<String, OutputShape>,
}

impl Outputs {
    /// What is written at a path, or a folder around it.
    pub(super) fn around(&self, path: &Utf8Path) -> Option<&Written> {
        path.ancestors().filter(|at| !at.as_str().is_empty()).find_map(|at| self.here.get(at.as_str()))
    }

    /// What is written within a folder.
    pub(super) fn inside<'a>(&'a self, folder: &Utf8Path) -> impl Iterator<Item = &'a Written> + use<'a> {
        within(&self.here, folder.as_str()).map(|(_, written)| written)
    }

    /// Outputs of any environment within a folder or around it.
    pub(super) fn anywhere_near<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, OutputShape)> {
        let around = Utf8Path::new(folder).ancestors().filter(|at| !at.as_str().is_empty());
        let around = around.filter_map(|at| self.anywhere.get_key_value(at.as_str()));
        around.chain(within(&self.anywhere, folder)).map(|(path, shape)| (path.as_str(), *shape))
    }

    /// Paths of this environment, for suggestions.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.here.keys().map(String::as_str)
    }

    /// Whether another environment's tasks write a path.
    pub(super) fn is_written_anywhere(&self, path: &Utf8Path) -> bool {
        path.ancestors().any(|at| self.anywhere.contains_key(at.as_str()))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Written> {
        self.here.values()
    }
}

fn within<'a, T>(map: &'a BTreeMap<String, T>, folder: &str) -> impl Iterator<Item = (&'a String, &'a T)> + use<'a, T> {
    // All paths below `folder/` sort between it and the letter after `/`.
    let (from, to) = if folder.is_empty() {
        (String::new(), "\u{10ffff}".to_owned())
    } else {
        (format!("{folder}/"), format!("{folder}0"))
    };
    map.range(from..to)
}

/// Gives each task its outputs, and finds those that two tasks write.
pub(super) fn collect(tasks: &mut [Lowered], files: &dyn Files, problems: &mut Vec<Diagnostic>) -> Outputs {
    let mut outputs = Outputs::default();
    let mut twins = Vec::new();
    for lowered in tasks.iter_mut() {
        let mut mine: Vec<(Output, Place)> = Vec::new();
        for (text, place) in &lowered.outputs {
            mine.extend(declared(text, place, problems).map(|output| (output, place.clone())));
        }
        let inferred = kind::find(lowered.task.action.kind).outputs(&lowered.table, files);
        for (path, keep) in inferred {
            match path::tidy(path.as_str()) {
                Ok(path) => mine.push((Output { path, shape: OutputShape::File, keep }, lowered.action_place.clone())),
                Err(why) => problems.push(bad_path(path.as_str(), why, &lowered.action_place)),
            }
        }
        for (text, place) in &lowered.in_place {
            let Some(output) = declared(text, place, problems) else { continue };
            lowered.task.in_place.push(output.path.clone());
            if !mine.iter().any(|(other, _)| other.path == output.path) {
                mine.push((output, place.clone()));
            }
        }
        for (output, place) in mine {
            let written =
                Written { by: lowered.task.id, path: output.path.clone(), shape: output.shape, place: place.clone() };
            match outputs.here.get(output.path.as_str()) {
                None => {
                    outputs.here.insert(output.path.to_string(), written);
                    outputs.anywhere.insert(output.path.to_string(), output.shape);
                    lowered.task.outputs.push(output);
                }
                Some(other) if other.by == written.by => {
                    let message = format!("task `{}` writes `{}` twice", lowered.task.name, output.path);
                    problems.push(Diagnostic::error("duplicate-output", &place, message));
                }
                Some(_) => twins.push(written),
            }
        }
    }
    overlaps(tasks, &outputs, &twins, problems);
    outputs
}

/// Two tasks that write one path, or one inside the other's.
fn overlaps(tasks: &[Lowered], outputs: &Outputs, twins: &[Written], problems: &mut Vec<Diagnostic>) {
    let name = |id: TaskId| tasks.get(id.index()).map_or("", |lowered| lowered.task.name.as_str());
    let twins = twins.iter().filter_map(|written| Some((written, outputs.here.get(written.path.as_str())?)));
    let nested = outputs.here.values().filter_map(|written| Some((written, outputs.around(written.path.parent()?)?)));
    for (written, other) in twins.chain(nested) {
        let (mine, theirs) = (name(written.by), name(other.by));
        let message = if written.path == other.path {
            format!("tasks `{theirs}` and `{mine}` both write `{}`", written.path)
        } else if other.by == written.by {
            format!("task `{mine}` writes `{}` inside its output `{}`", written.path, other.path)
        } else {
            format!("task `{mine}` writes `{}` inside `{}`, which task `{theirs}` writes", written.path, other.path)
        };
        let problem = Diagnostic::error("output-conflict", &written.place, message);
        problems.push(problem.help("a path has one task that writes it: give each its own, or join the tasks"));
    }
}

fn declared(text: &str, place: &Place, problems: &mut Vec<Diagnostic>) -> Option<Output> {
    if glob::is_glob(text) {
        let problem = Diagnostic::error("bad-path", place, format!("the output `{text}` is a glob"));
        problems.push(problem.help("name files in full, and folders with a `/` at the end"));
        return None;
    }
    match path::tidy(text) {
        Ok(path) if path.as_str().is_empty() => {
            problems.push(Diagnostic::error("bad-path", place, "the project's root can't be an output"));
            None
        }
        Ok(path) => {
            let shape = if text.ends_with('/') { OutputShape::Folder } else { OutputShape::File };
            Some(Output { path, shape, keep: Keep::Kept })
        }
        Err(why) => {
            problems.push(bad_path(text, why, place));
            None
        }
    }
}

pub(super) fn bad_path(text: &str, why: &str, place: &Place) -> Diagnostic {
    Diagnostic::error("bad-path", place, format!("`{text}` {why}")).help(path::HELP)
}

/// Adds what tasks write in another environment. Mistakes there are reported when it is loaded.
pub(super) fn add_environment(
    outputs: &mut Outputs,
    declared_tasks: &[TaskDeclared<'_>],
    around: &Surroundings<'_>,
    here: &str,
    files: &dyn Files,
) {
    let mut ignored = Vec::new();
    for task in declared_tasks {
        let exists_there = exists_in(task, around.env);
        if task.is_broken()
            || !exists_there
            || !writes(task.node)
            || (is_everywhere_the_same(task.node) && exists_in(task, here))
        {
            continue;
        }
        for draft in expand(task, around, &mut ignored) {
            let frame = draft.frame(around);
            let mut texts: Vec<Placed> = frame.texts(&draft.node, "outputs", &mut ignored);
            texts.extend(frame.texts(&draft.node, "in_place", &mut ignored));
            for (text, place) in texts {
                if let Some(output) = declared(&text, &place, &mut ignored) {
                    outputs.anywhere.insert(output.path.into_string(), output.shape);
                }
            }
            if !naming_kinds().any(|kind| draft.node.get(kind).is_some()) {
                continue;
            }
            if let Some(found) = action::find("", &draft.node, &frame, &task.place, &mut ignored) {
                let table = action::known(&action::table(&found, &frame, &mut ignored));
                for (path, _) in found.kind.outputs(&table, files) {
                    outputs.anywhere.insert(path.into_string(), OutputShape::File);
                }
            }
        }
        ignored.clear();
    }
}

/// Action keys of the kinds whose tables say what they write.
fn naming_kinds() -> impl Iterator<Item = &'static str> {
    kind::KINDS.iter().filter(|kind| kind.names_outputs()).map(|kind| kind.name().word())
}

fn writes(node: &Node) -> bool {
    node.entries().iter().any(|entry| {
        matches!(entry.key.as_str(), "outputs" | "in_place" | "override")
            || naming_kinds().any(|kind| entry.key == kind)
    })
}

/// Whether a task writes the same paths in each environment where it exists.
fn is_everywhere_the_same(node: &Node) -> bool {
    node.entries().iter().all(|entry| match entry.key.as_str() {
        "override" | "foreach" | "matrix" => false,
        "outputs" | "in_place" => is_plain(&entry.node),
        key if naming_kinds().any(|kind| key == kind) => is_plain(&entry.node),
        _ => true,
    })
}

fn is_plain(node: &Node) -> bool {
    match &node.value {
        Value::Text { text, .. } => !has_template(text),
        Value::List(items) => items.iter().all(is_plain),
        Value::Table(entries) => entries.iter().all(|entry| is_plain(&entry.node)),
        _ => true,
    }
}
