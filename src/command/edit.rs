//! Owns `infra edit`: the person's editor at the task's place, and a check afterwards.
//! Does not know how an editor is told the line (`host::editor`).

use crate::cli::EditArgs;
use crate::command::check;
use crate::command::choose;
use crate::command::context::{Context, Loaded};
use crate::command::exit::CommandError;
use crate::host::editor::{self, EditorError};
use crate::host::process;
use crate::manifest::{SYNTAX, select};
use crate::model::diagnostic::{Diagnostic, Place};
use camino::Utf8PathBuf;

/// Opens the file that declares a task, then checks the project.
///
/// # Errors
/// An unknown task; no editor, no terminal; an editor that failed.
pub fn edit(context: &Context, args: &EditArgs) -> Result<u8, CommandError> {
    let root = context.root()?;
    let Spot { file, line, kind } = place(context.load(&root), &args.task)?;
    let at = match kind {
        SpotKind::Declared => format!("`{}` is declared at {file}:{line}", args.task),
        SpotKind::Broken => format!("`{}` is in no file that can be read; one is no TOML at {file}:{line}", args.task),
    };
    let chosen = |name: &str| context.caller_env.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let Some(editor) = chosen("VISUAL").or_else(|| chosen("EDITOR")) else {
        return Err(CommandError::usage(
            format!("no editor is set; {at}"),
            "set EDITOR to the one you use, such as `export EDITOR=vim`, or open that file yourself",
        ));
    };
    if !process::can_be_handed() {
        return Err(CommandError::usage(
            format!("there is no terminal to edit in; {at}"),
            "open that file yourself, then `infra check`",
        ));
    }
    if kind == SpotKind::Broken {
        context.note(&at);
    }
    editor::open(editor, &file, line, &root).map_err(|error| match error {
        EditorError::NotFound(_) | EditorError::NotStarted { .. } => {
            CommandError::Tool { message: format!("{error}; {at}"), hint: Some("correct VISUAL or EDITOR".to_owned()) }
        }
        EditorError::Failed { .. } => {
            CommandError::usage(format!("{error}; nothing was checked"), "see what was written with `infra check`")
        }
    })?;
    check::check(context)
}

/// Where to edit.
struct Spot {
    file: Utf8PathBuf,
    line: usize,
    kind: SpotKind,
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpotKind {
    /// The task.
    Declared,
    /// What keeps its file from being read.
    Broken,
}

/// Where a task is declared. A project with mistakes is what one edits: there the text itself is looked at, and a file
/// that is no valid TOML is opened where it is not.
fn place(loaded: Loaded, word: &str) -> Result<Spot, CommandError> {
    let sources = loaded.sources();
    let mut kind = SpotKind::Declared;
    let (file, start) = match &loaded.loaded.project {
        Some(project) => {
            let picked = select(project, &[word.to_owned()]).map_err(CommandError::targets)?;
            let mut places: Vec<_> = picked.named.iter().map(|id| &project.task(*id).place).collect();
            // Instances of one family are declared once.
            places.dedup_by(|a, b| (&a.file, a.span.start) == (&b.file, b.span.start));
            match places.as_slice() {
                [one] => (one.file.clone(), one.span.start),
                _ => {
                    let place = &project.task(choose::one(project, word)?).place;
                    (place.file.clone(), place.span.start)
                }
            }
        }
        None => match sources.iter().find_map(|(path, text)| Some((path.clone(), header(text, word)?))) {
            Some(found) => found,
            None => match unparsed(&loaded.loaded.diagnostics) {
                Some(place) => {
                    kind = SpotKind::Broken;
                    (place.file.clone(), place.span.start)
                }
                None => return Err(CommandError::Diagnostics { found: loaded.loaded.diagnostics, sources }),
            },
        },
    };
    let text = sources.get(&file).map_or("", String::as_str);
    let line = text.get(..start).map_or(0, |before| before.matches('\n').count()) + 1;
    Ok(Spot { file, line, kind })
}

/// The first place that is no TOML.
fn unparsed(found: &[Diagnostic]) -> Option<&Place> {
    found.iter().find(|one| one.code == SYNTAX).and_then(|one| one.place.as_ref())
}

/// Where `[task.NAME]` begins in a text.
fn header(text: &str, word: &str) -> Option<usize> {
    let name = word.split('[').next().unwrap_or(word);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim().strip_prefix("[task.").and_then(|rest| rest.split(']').next());
        if inner.is_some_and(|inner| inner.trim().trim_matches(['"', '\'']) == name) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_in_a_text_that_can_not_be_read() {
        let text = "[task.a]\nrnu = [\n\n  [task.\"b-c\"] # here\n";
        assert_eq!(header(text, "a"), Some(0));
        assert_eq!(header(text, "b-c").map(|at| text[..at].lines().count()), Some(3));
        assert_eq!((header(text, "b"), header(text, "a[x]")), (None, Some(0)));
    }
}
