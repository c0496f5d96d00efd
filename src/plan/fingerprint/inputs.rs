//! Owns how inputs enter a fingerprint: files, globs, folders, and what other tasks made.
//! Does not know what else enters.

use super::{Walk, WalkError, push};
use crate::model::facts::{ContentKind, Facts};
use crate::model::manifest::EntryKey;
use crate::model::name::TaskId;
use crate::model::task::{GitIgnore, Input, Origin, Task};
use crate::plan::board::{Board, Settled};
use camino::Utf8Path;

pub(super) fn inputs(walk: &mut Walk, board: &Board<'_>, facts: &dyn Facts, task: &Task) -> Result<(), WalkError> {
    let unsettled: Vec<TaskId> = task
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::Artifact { from, .. } if !board.settled[from.index()].is_settled() => Some(*from),
            _ => None,
        })
        .collect();
    for input in &task.inputs {
        match input {
            Input::Path { path, origin } => path_entry(walk, facts, path, *origin)?,
            Input::Glob(glob) => {
                // Files of another task's folder are not there before it ran.
                if glob.ignore == GitIgnore::Disregarded && !unsettled.is_empty() {
                    walk.unlisted = true;
                    continue;
                }
                for path in facts.glob(glob)?.iter() {
                    file_entry(walk, facts, path)?;
                }
            }
            Input::Artifact { from, path, output } => artifact(walk, board, facts, *from, path, output)?,
        }
    }
    walk.waiting.extend(unsettled);
    Ok(())
}

fn path_entry(walk: &mut Walk, facts: &dyn Facts, path: &Utf8Path, origin: Origin) -> Result<(), WalkError> {
    let content = facts.content(path)?;
    if content.kind == ContentKind::Folder {
        for file in facts.walk(path)?.iter() {
            file_entry(walk, facts, file)?;
        }
        return Ok(());
    }
    if content.kind == ContentKind::Missing && origin == Origin::Declared {
        walk.missing.push(path.to_string());
    }
    push(walk, EntryKey::Path { path: path.to_string() }, content.digest, None);
    Ok(())
}

fn file_entry(walk: &mut Walk, facts: &dyn Facts, path: &Utf8Path) -> Result<(), WalkError> {
    let content = facts.content(path)?;
    push(walk, EntryKey::Path { path: path.to_string() }, content.digest, None);
    Ok(())
}

fn artifact(
    walk: &mut Walk,
    board: &Board<'_>,
    facts: &dyn Facts,
    from: TaskId,
    path: &Utf8Path,
    output: &Utf8Path,
) -> Result<(), WalkError> {
    let key = EntryKey::Artifact { task: board.key(from).to_string(), path: path.to_string() };
    let settled = &board.settled[from.index()];
    let recorded =
        settled.record().and_then(|record| record.artifacts.iter().find(|artifact| artifact.path == output.as_str()));
    match (settled, recorded) {
        (Settled::No, _) => {}
        (_, Some(artifact)) if path == output => push(walk, key, artifact.digest, None),
        // Inside a folder (or around a file) that is not on disk now: known when it was put back.
        (Settled::Restorable(_), _) => walk.waiting.push(from),
        _ => {
            let content = facts.content(path)?;
            if content.kind == ContentKind::Missing {
                walk.missing.push(path.to_string());
            }
            push(walk, key, content.digest, None);
        }
    }
    Ok(())
}
