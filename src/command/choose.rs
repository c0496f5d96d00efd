//! Owns the meaning of `--only`, `--from`, `--until`, `--skip` and `--force` on a project.
//! Does not know how targets are written (`manifest`), nor what a run does with them.

use crate::cli::Selection;
use crate::command::exit::CommandError;
use crate::manifest::{self, select};
use crate::model::effect::Effect;
use crate::model::name::TaskId;
use crate::model::project::Project;

/// What was chosen.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// As written.
    pub words: Vec<String>,
    /// Tasks that are considered, in graph order.
    pub tasks: Vec<TaskId>,
    pub skipped: Vec<TaskId>,
    pub forced: Vec<TaskId>,
}

/// Chooses tasks.
///
/// # Errors
/// Unknown targets; nothing named and no default; a choice that leaves nothing.
pub fn choose(project: &Project, selection: &Selection) -> Result<Chosen, CommandError> {
    let pick = |words: &[String]| select(project, words).map_err(CommandError::targets);
    let skipped = if selection.skip.is_empty() { Vec::new() } else { pick(&selection.skip)?.named };
    if !selection.only.is_empty() {
        let words: Vec<String> = selection.only.iter().chain(&selection.targets).cloned().collect();
        let picked = pick(&words)?;
        let tasks = in_order(project, &picked.named);
        return Ok(Chosen { words, forced: forced(project, selection, &picked), tasks, skipped });
    }
    let words = words(project, selection)?;
    let picked = pick(&words)?;
    let mut inside = flags(project, &picked.tasks);
    if !selection.until.is_empty() && !selection.targets.is_empty() {
        let until = project.graph.upstream(&pick(&selection.until)?.named);
        both(&mut inside, &until);
    }
    if !selection.from.is_empty() {
        let from = project.graph.downstream(&pick(&selection.from)?.named);
        both(&mut inside, &from);
    }
    let tasks: Vec<TaskId> = project.graph.order().iter().copied().filter(|id| inside[id.index()]).collect();
    if tasks.is_empty() {
        return Err(CommandError::usage(
            "nothing lies between what `--from` and `--until` name and the targets",
            "see `infra graph`",
        ));
    }
    Ok(Chosen { forced: forced(project, selection, &picked), words, tasks, skipped })
}

/// The one task that a word means.
///
/// # Errors
/// An unknown one; a word that means several.
pub fn one(project: &Project, word: &str) -> Result<TaskId, CommandError> {
    let picked = select(project, std::slice::from_ref(&word.to_owned())).map_err(CommandError::targets)?;
    match picked.named.as_slice() {
        [id] => Ok(*id),
        several => {
            let names: Vec<&str> = several.iter().map(|id| project.task(*id).name.as_str()).collect();
            Err(CommandError::usage(
                format!("`{word}` means {} tasks", names.len()),
                format!("name one: {}", crate::report::text::names(&names, 12)),
            ))
        }
    }
}

fn words(project: &Project, selection: &Selection) -> Result<Vec<String>, CommandError> {
    if !selection.targets.is_empty() {
        return Ok(selection.targets.clone());
    }
    if !selection.until.is_empty() {
        return Ok(selection.until.clone());
    }
    if !project.default.is_empty() {
        return Ok(project.default.clone());
    }
    if !selection.from.is_empty() {
        return Ok(selection.from.iter().map(|word| format!("{}+", word.trim_end_matches('+'))).collect());
    }
    if project.tasks.is_empty() {
        return Err(CommandError::usage(
            "this project declares no tasks",
            "write `tasks/hello.toml` with a `[task.hello]`",
        ));
    }
    let names: Vec<&str> = project.tasks.iter().map(|task| task.name.as_str()).collect();
    Err(CommandError::usage(
        "no target is named, and `[project] default` is not set",
        format!("name one of: {}", crate::report::text::names(&names, 12)),
    ))
}

fn forced(project: &Project, selection: &Selection, picked: &manifest::Selection) -> Vec<TaskId> {
    if !selection.force {
        return Vec::new();
    }
    // A `once` task only when it is named in full.
    picked
        .named
        .iter()
        .copied()
        .filter(|id| project.task(*id).effect != Effect::Once || picked.exact.contains(id))
        .collect()
}

fn flags(project: &Project, tasks: &[TaskId]) -> Vec<bool> {
    let mut flags = vec![false; project.tasks.len()];
    for id in tasks {
        flags[id.index()] = true;
    }
    flags
}

fn both(flags: &mut [bool], other: &[bool]) {
    for (flag, other) in flags.iter_mut().zip(other) {
        *flag &= *other;
    }
}

fn in_order(project: &Project, tasks: &[TaskId]) -> Vec<TaskId> {
    let wanted = flags(project, tasks);
    project.graph.order().iter().copied().filter(|id| wanted[id.index()]).collect()
}
