//! Owns `infra history`: runs and attempts as the ledger holds them.
//! Does not know how they came there.

use crate::cli::HistoryArgs;
use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::command::logs::known_task;
use crate::host::store::AttemptRow;
use crate::model::effect::Outcome;
use crate::report::view::{AttemptView, CountView, HistoryView, RunView};
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
                    command: run.command,
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
