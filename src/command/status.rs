//! Owns `infra status`: the verdict on every task, and what is on record but no longer declared.
//! Does not know how verdicts are reached (`plan/`).

use crate::cli::StatusArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::{CommandError, Exit};
use crate::manifest::select;
use crate::model::effect::{Effect, State};
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::model::record::History;
use crate::plan::board::Board;
use crate::plan::forecast::forecast;
use crate::plan::verdict::Verdict;
use crate::report::view::{ProbeView, StatusView, TaskView};
use crate::report::{json, tables};
use std::collections::BTreeMap;

/// Shows the state of tasks.
///
/// # Errors
/// As the exit codes say.
pub fn status(context: &Context, args: &StatusArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let shown: Vec<TaskId> = if args.targets.is_empty() {
        project.graph.order().to_vec()
    } else {
        select(project, &args.targets).map_err(CommandError::targets)?.tasks
    };
    let mut board = opened.board()?;
    let mut silent = if args.probe { crate::command::probe::ask(&opened, &mut board, &shown) } else { BTreeMap::new() };
    let wanted = project.graph.upstream(&shown);
    let mut verdicts = forecast(&mut board, &opened.host, &wanted)?;
    let now = crate::model::facts::Facts::now(&opened.host);
    let mut tasks = Vec::new();
    for id in &shown {
        let Some(verdict) = verdicts[id.index()].take() else { continue };
        let mut view = view(&board, *id, verdict, now);
        if let Some(message) = silent.remove(id) {
            view.probe = Some(ProbeView { agrees: None, age_seconds: 0, message });
        }
        tasks.push(view);
    }
    if args.targets.is_empty() {
        tasks.extend(orphans(&opened, &board, now)?);
    }
    let stale = tasks.iter().any(|task| task.state != State::Fresh);
    let answer = StatusView { env: project.env.name.to_string(), tasks };
    if context.global.json {
        context.out(&json::document(&answer));
    } else {
        context.out(&tables::status(&answer, &context.choice.stdout));
    }
    Ok(if stale && args.exit_code { Exit::Stale as u8 } else { 0 })
}

fn view(board: &Board<'_>, id: TaskId, verdict: Verdict, now: i64) -> TaskView {
    let task = board.project.task(id);
    let history = board.history(id);
    let (state, reasons) = match Opened::running(board, id) {
        Some(run) => (State::Running, vec![Reason::RunningIn { run: run.0 }]),
        None => (verdict.state, verdict.reasons),
    };
    let good = verdict.record.filter(|record| record.void.is_none());
    TaskView {
        name: task.name.to_string(),
        stage: task.stage.clone(),
        kind: task.action.kind.word().to_owned(),
        effect: task.effect,
        state,
        reasons,
        description: task.description.clone(),
        age_seconds: good.as_ref().map(|record| (now - record.created) / 1000),
        last_run: good.as_ref().map(|record| record.run.0),
        typical_seconds: history.typical_seconds,
        probe: if task.probe.is_some() { probe(history, now) } else { None },
    }
}

/// The last answer of a probe, with its age. One from before the last good run is about a thing that
/// is no longer asked for, and so is one about a run that says nothing any more.
pub fn probe(history: &History, now: i64) -> Option<ProbeView> {
    let newest = history.newest.as_ref();
    if newest.is_some_and(|record| record.void.is_some()) {
        return None;
    }
    let since = newest.map_or(i64::MIN, |record| record.created);
    let (agrees, at, message) = history.probe.clone().filter(|(_, at, _)| *at >= since)?;
    Some(ProbeView { agrees: Some(agrees), age_seconds: (now - at) / 1000, message })
}

fn orphans(opened: &Opened, board: &Board<'_>, now: i64) -> Result<Vec<TaskView>, CommandError> {
    let store = opened.host.store.borrow();
    let on_record = store.on_record(&opened.project.env.name)?;
    Ok(on_record
        .into_iter()
        .filter(|orphan| !board.keys.contains(&orphan.key))
        .map(|orphan| TaskView {
            name: orphan.name,
            stage: None,
            kind: "(not declared)".to_owned(),
            effect: if orphan.undo.is_some() { Effect::Idempotent } else { Effect::Pure },
            state: State::Orphaned,
            reasons: vec![Reason::NotDeclared],
            description: None,
            age_seconds: orphan.created.map(|created| (now - created) / 1000),
            last_run: None,
            typical_seconds: None,
            probe: None,
        })
        .collect())
}
