//! Owns `infra logs`: what tasks printed, as their logs hold it.
//! Does not know how it came there.

use crate::cli::LogsArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::host::process;
use crate::host::store::AttemptRow;
use crate::model::name::{RunId, TaskKey};
use crate::report::text::quote;
use crate::report::view::{LogView, LogsView};
use crate::report::{history as picture, json};

/// More rows than any store has.
const ALL: usize = usize::MAX;

/// Shows what tasks printed.
///
/// # Errors
/// Mistakes in the declaration; nothing on record; a log that is gone.
pub fn logs(context: &Context, args: &LogsArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let rows = wanted(&opened, args)?;
    let mut logs = Vec::new();
    let mut gone = Vec::new();
    for row in rows {
        // An attempt that could not be prepared has none.
        let Some(path) = row.log else { continue };
        let lines = if args.path {
            None
        } else {
            match opened.host.read_text(&opened.root.join(&path)).map_err(CommandError::State)? {
                Some(text) => Some(text.lines().map(process::plain).collect()),
                None => {
                    gone.push(format!("`{}` (attempt {}): its log is no longer there: `{path}`", row.task, row.id));
                    continue;
                }
            }
        };
        logs.push(LogView { task: row.task, run: row.run, attempt: row.id, path, lines });
    }
    if logs.is_empty() {
        let nothing = "it started nothing that could print".to_owned();
        return Err(CommandError::usage(gone.into_iter().next().unwrap_or(nothing), "see `infra history`"));
    }
    for one in gone {
        context.say(&one);
    }
    for one in logs.iter().filter(|one| one.lines.as_ref().is_some_and(Vec::is_empty)) {
        context.note(&format!("`{}` printed nothing in run {} (attempt {})", one.task, one.run, one.attempt));
    }
    let view = LogsView { env: opened.project.env.name.to_string(), logs };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::logs(&view, &context.choice.stdout));
    }
    Ok(0)
}

/// The attempts that are meant, oldest first; at least one.
fn wanted(opened: &Opened, args: &LogsArgs) -> Result<Vec<AttemptRow>, CommandError> {
    let store = opened.host.store.borrow();
    let env = &opened.project.env.name;
    let nothing = |what: String| CommandError::usage(what, "see `infra history`");
    let key = args.task.as_ref().map(|task| known_task(opened, task)).transpose()?;
    if let Some(wanted) = args.attempt {
        let rows = store.attempts(None, key, None, ALL)?;
        let found: Vec<AttemptRow> = rows.into_iter().filter(|row| row.id == wanted).collect();
        if found.is_empty() {
            let of = args.task.as_ref().map(|task| format!(" of `{task}`")).unwrap_or_default();
            return Err(nothing(format!("there is no such attempt{of}: {wanted}")));
        }
        return Ok(found);
    }
    let last = || store.attempts(Some(env), key, None, 1);
    let rows = match (args.run, args.task.as_ref()) {
        (None, Some(_)) => last()?,
        (run, _) => {
            // Without a number, the last run that started something.
            let run = match run {
                Some(run) => Some(RunId(run)),
                None => last()?.first().map(|row| RunId(row.run)),
            };
            let Some(run) = run else {
                return Err(CommandError::usage(format!("nothing ran in `{env}` yet"), "start with `infra run`"));
            };
            let mut rows = store.attempts(Some(env), key, Some(run), ALL)?;
            rows.reverse();
            if args.run.is_none() && rows.iter().any(|row| row.phase == "failed") {
                rows.retain(|row| row.phase == "failed");
            }
            if rows.is_empty() {
                return Err(nothing(match &args.task {
                    Some(task) => format!("`{task}` did not start in run {run} of `{env}`"),
                    None if store.runs(Some(env), ALL)?.iter().all(|one| one.id != run) => {
                        format!("there is no run {run} in `{env}`")
                    }
                    None => format!("run {run} started nothing in `{env}`"),
                }));
            }
            rows
        }
    };
    Ok(rows)
}

/// A task that is declared, or was, and that ran in the environment.
///
/// # Errors
/// One that is not known, or never ran here.
pub fn known_task(opened: &Opened, name: &str) -> Result<TaskKey, CommandError> {
    let store = opened.host.store.borrow();
    let env = &opened.project.env.name;
    let declared = opened.project.find(name);
    let names = std::iter::once(name).chain(declared.iter().flat_map(|task| task.was.iter().map(String::as_str)));
    let mut known = None;
    for name in names {
        if let Some(key) = store.task_key(name)? {
            known = Some(key);
            if !store.attempts(Some(env), known, None, 1)?.is_empty() {
                return Ok(key);
            }
        }
    }
    if declared.is_some() || known.is_some() {
        return Err(CommandError::usage(
            format!("`{name}` never ran in `{env}`"),
            format!("run it with `infra run {}`", quote(name)),
        ));
    }
    let known: Vec<&str> = opened.project.tasks.iter().map(|task| task.name.as_str()).collect();
    let hint = match crate::model::diagnostic::nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `infra list`".to_owned(),
    };
    Err(CommandError::usage(format!("unknown task `{name}`"), hint))
}
