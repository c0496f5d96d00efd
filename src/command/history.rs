//! Owns `infra history` and `infra logs`: what the ledger holds.
//! Does not know how it came there.

use crate::cli::{HistoryArgs, LogsArgs};
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::host::store::AttemptRow;
use crate::model::effect::Outcome;
use crate::model::name::{RunId, TaskKey};
use crate::report::view::{AttemptView, CountView, HistoryView, LogView, LogsView, RunView};
use crate::report::{history as picture, json};
use std::collections::BTreeMap;

/// Shows past runs, or the attempts of one task.
///
/// # Errors
/// Mistakes in the declaration; a task that never was.
pub fn history(context: &Context, args: &HistoryArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let env = &opened.project.env.name;
    let store = opened.host.store.borrow();
    let now = crate::model::facts::Facts::now(&opened.host);
    let limit = args.limit.get();
    let (runs, attempts) = match &args.task {
        None => {
            let living = opened.living_run();
            let runs = store
                .runs(Some(env), limit)?
                .into_iter()
                .map(|run| RunView {
                    run: run.id.0,
                    targets: run.targets,
                    started: run.started,
                    age_seconds: (now - run.started) / 1000,
                    seconds: run.ended.map(|ended| (ended - run.started) as f64 / 1000.0),
                    outcome: match (run.ended, run.exit) {
                        (Some(_), Some(0)) => Some(Outcome::Ran),
                        (_, Some(130)) => Some(Outcome::Interrupted),
                        (Some(_), _) => Some(Outcome::Failed),
                        (None, _) if living.is_none() => Some(Outcome::Interrupted),
                        (None, _) => None,
                    },
                    counts: counts(run.counts.as_deref()),
                })
                .collect();
            (Some(runs), None)
        }
        Some(task) => {
            let key = known_task(&opened, task)?;
            let attempts = store.attempts(Some(env), Some(key), None, limit)?;
            (None, Some(attempts.into_iter().map(|row| attempt(row, now)).collect()))
        }
    };
    let view = HistoryView { env: env.to_string(), runs, attempts };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::history(&view, &context.choice.stdout));
    }
    Ok(0)
}

fn attempt(row: AttemptRow, now: i64) -> AttemptView {
    AttemptView {
        attempt: row.id,
        run: row.run,
        task: row.task,
        started: row.started,
        age_seconds: (now - row.started) / 1000,
        seconds: row.ended.map(|ended| (ended - row.started) as f64 / 1000.0),
        phase: row.phase,
        message: row.message,
    }
}

fn counts(json: Option<&str>) -> Vec<CountView> {
    let numbers: BTreeMap<String, usize> = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    [Outcome::Ran, Outcome::Fresh, Outcome::Restored, Outcome::Failed, Outcome::Skipped, Outcome::Interrupted]
        .into_iter()
        .filter_map(|outcome| {
            let tasks = *numbers.get(outcome.word())?;
            (tasks > 0).then_some(CountView { outcome, tasks })
        })
        .collect()
}

/// Shows what tasks printed.
///
/// # Errors
/// Mistakes in the declaration; nothing on record.
pub fn logs(context: &Context, args: &LogsArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let rows = wanted(&opened, args)?;
    if rows.is_empty() {
        return Err(CommandError::usage("there is no such attempt on record", "see `infra history`"));
    }
    let mut logs = Vec::new();
    for row in rows {
        let Some(path) = row.log else { continue };
        let text = opened.host.read_text(&opened.root.join(&path)).map_err(CommandError::State)?;
        let lines = text.unwrap_or_default().lines().map(str::to_owned).collect();
        logs.push(LogView {
            task: row.task,
            run: row.run,
            attempt: row.id,
            path,
            lines: if args.path { None } else { Some(lines) },
        });
    }
    let view = LogsView { env: opened.project.env.name.to_string(), logs };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::logs(&view, &context.choice.stdout));
    }
    Ok(0)
}

fn wanted(opened: &Opened, args: &LogsArgs) -> Result<Vec<AttemptRow>, CommandError> {
    let store = opened.host.store.borrow();
    let env = Some(&opened.project.env.name);
    let key = args.task.as_ref().map(|task| known_task(opened, task)).transpose()?;
    if let Some(wanted) = args.attempt {
        let rows = store.attempts(None, key, None, usize::MAX >> 1)?;
        return Ok(rows.into_iter().filter(|row| row.id == wanted).collect());
    }
    if let (Some(key), None) = (key, args.run) {
        return Ok(store.attempts(env, Some(key), None, 1)?);
    }
    // The last run that started something.
    let run = match args.run {
        Some(run) => Some(RunId(run)),
        None => store.attempts(env, None, None, 1)?.first().map(|row| RunId(row.run)),
    };
    let Some(run) = run else { return Ok(Vec::new()) };
    let mut rows = store.attempts(env, key, Some(run), usize::MAX >> 1)?;
    rows.reverse();
    if args.run.is_none() && rows.iter().any(|row| row.phase == "failed") {
        rows.retain(|row| row.phase == "failed");
    }
    Ok(rows)
}

/// A task that is declared, or was.
fn known_task(opened: &Opened, name: &str) -> Result<TaskKey, CommandError> {
    let store = opened.host.store.borrow();
    if let Some(key) = store.task_key(name)? {
        return Ok(key);
    }
    if let Some(task) = opened.project.find(name) {
        for former in &task.was {
            if let Some(key) = store.task_key(former)? {
                return Ok(key);
            }
        }
        return Err(CommandError::usage(
            format!("`{name}` never ran in `{}`", opened.project.env.name),
            format!("run it with `infra run {name}`"),
        ));
    }
    let known: Vec<&str> = opened.project.tasks.iter().map(|task| task.name.as_str()).collect();
    let hint = match crate::model::diagnostic::nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `infra list`".to_owned(),
    };
    Err(CommandError::usage(format!("unknown task `{name}`"), hint))
}
