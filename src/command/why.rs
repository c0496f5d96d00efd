//! Owns `infra why`: one task, its reasons old and new, and what is behind them.
//! Does not know how verdicts are reached (`plan/`).

use crate::cli::WhyArgs;
use crate::command::choose;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::command::status;
use crate::host::store::Store;
use crate::model::effect::State;
use crate::model::name::{EnvName, RunId};
use crate::model::reason::Reason;
use crate::model::record::Record;
use crate::plan::forecast::forecast;
use crate::report::view::{Because, LastGood, Unchanged, WhyReason, WhyView};
use crate::report::{json, why as picture};

/// Explains a task.
///
/// # Errors
/// As the exit codes say.
pub fn why(context: &Context, args: &WhyArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let id = choose::one(project, &args.task)?;
    let mut board = opened.board()?;
    let wanted = project.graph.upstream(&[id]);
    let mut verdicts = forecast(&mut board, &opened.host, &wanted)?;
    let mut verdict = verdicts[id.index()].take().unwrap_or_default();
    if let Some(run) = Opened::running(&board, id) {
        (verdict.state, verdict.reasons) = (State::Running, vec![Reason::RunningIn { run: run.0 }]);
    }
    let task = project.task(id);
    let now = crate::model::facts::Facts::now(&opened.host);
    let unchanged = match (&verdict.record, &verdict.manifest) {
        (Some(record), Some(manifest)) => {
            let old = &record.manifest.get().entries;
            Unchanged::of(manifest.entries.iter().filter(|entry| old.contains(entry)).map(|entry| &entry.key))
        }
        _ => Unchanged::default(),
    };
    let store = opened.host.store.borrow();
    let mut reasons = Vec::new();
    for reason in verdict.reasons {
        let because = because(&store, &project.env.name, &reason)?;
        reasons.push(WhyReason { reason, because });
    }
    let last_good = match verdict.record.filter(|record| record.void.is_none()) {
        Some(record) => Some(LastGood {
            run: record.run.0,
            attempt: record.attempt.0,
            age_seconds: (now - record.created) / 1000,
            seconds: record.seconds,
            reasons: ran_because(&store, &record)?,
        }),
        None => None,
    };
    let view = WhyView {
        env: project.env.name.to_string(),
        name: task.name.to_string(),
        stage: task.stage.clone(),
        kind: task.action.kind.word().to_owned(),
        effect: task.effect,
        state: verdict.state,
        declared: Some(opened.host.declared(&task.place)),
        last_good,
        reasons,
        unchanged,
        again: again(context),
        probe: if task.probe.is_some() { status::probe(board.history(id), now) } else { None },
    };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::why(&view, &context.choice.stdout));
    }
    Ok(0)
}

/// Why the attempt was made that a record is of. A pure one may be of another environment.
fn ran_because(store: &Store, record: &Record) -> Result<Vec<Reason>, CommandError> {
    let attempts = store.attempts(None, None, Some(record.run), usize::MAX)?;
    let made = attempts.into_iter().find(|attempt| attempt.id == record.attempt.0);
    Ok(made.and_then(|attempt| serde_json::from_str(&attempt.reasons).ok()).unwrap_or_default())
}

/// Options that make the next command mean what was asked about.
fn again(context: &Context) -> Vec<String> {
    let global = &context.global;
    let env = global.env.iter().filter(|env| context.caller_env.get("INFRA_ENV") != Some(*env));
    let env = env.flat_map(|env| ["-e".to_owned(), env.clone()]);
    let set = global.set.iter().flat_map(|one| ["--set".to_owned(), format!("{}={}", one.name, one.value)]);
    env.chain(set).collect()
}

/// Why the upstream that is behind a reason ran.
fn because(store: &Store, env: &EnvName, reason: &Reason) -> Result<Vec<Because>, CommandError> {
    let (task, run) = match reason {
        Reason::ValueChanged { value, run: Some(run), .. } => {
            (value.rsplit_once('.').map_or(value.as_str(), |(task, _)| task).to_owned(), *run)
        }
        Reason::UpstreamChanged { task, run: Some(run) } => (task.clone(), *run),
        _ => return Ok(Vec::new()),
    };
    let Some(key) = store.task_key(&task)? else { return Ok(Vec::new()) };
    let attempts = store.attempts(Some(env), Some(key), Some(RunId(run)), 1)?;
    Ok(attempts
        .into_iter()
        .map(|attempt| Because {
            task: task.clone(),
            run,
            reasons: serde_json::from_str(&attempt.reasons).unwrap_or_default(),
        })
        .collect())
}
