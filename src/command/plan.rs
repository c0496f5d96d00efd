//! Owns `infra plan` and `run --dry-run`: what a run would do, and why.
//! Does not know how verdicts are reached (`plan/`).

use crate::cli::{PlanArgs, Selection};
use crate::command::choose::choose;
use crate::command::context::Context;
use crate::command::exit::{CommandError, Exit};
use crate::engine::RunError;
use crate::model::effect::{Effect, State};
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::plan::forecast::{Wish, of_run};
use crate::plan::verdict::{Verdict, started_once};
use crate::plan::{board::Board, schedule};
use crate::report::view::{PlanAction, PlanView, PlannedView};
use crate::report::{json, tables};

/// Shows the plan.
///
/// # Errors
/// As the exit codes say.
pub fn plan(context: &Context, args: &PlanArgs) -> Result<u8, CommandError> {
    show(context, &args.selection, args.exit_code)
}

/// Shows the plan of a selection.
///
/// # Errors
/// As the exit codes say.
pub fn show(context: &Context, selection: &Selection, exit_code: bool) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let chosen = choose(project, selection)?;
    let mut board = opened.board()?;
    let wish = Wish { tasks: &chosen.tasks, skipped: &chosen.skipped, forced: &chosen.forced };
    let verdicts = of_run(&mut board, &opened.host, &wish).map_err(RunError::from)?;
    let mut tasks = Vec::new();
    let mut running = Vec::new();
    // Left out, without a record to stand on.
    let mut lost = Vec::new();
    for (id, verdict) in verdicts {
        let task = project.task(id);
        let action = if chosen.skipped.contains(&id) { PlanAction::Skip } else { action(&board, id, &verdict, &lost) };
        // Where upstream may yet make what an old record was built on, it is not known.
        let may_stand = board.settled[id.index()].is_settled() || verdict.state == State::Deferred;
        if action == PlanAction::Skip && !may_stand {
            lost.push(id);
        }
        if matches!(action, PlanAction::Run | PlanAction::Deferred) {
            running.push(id);
        }
        tasks.push(PlannedView {
            name: task.name.to_string(),
            stage: task.stage.clone(),
            kind: task.action.kind.word().to_owned(),
            effect: task.effect,
            state: verdict.state,
            action,
            reasons: verdict.reasons,
            typical_seconds: board.history(id).typical_seconds,
        });
    }
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let stale = tasks.iter().any(|task| !matches!(task.action, PlanAction::Keep | PlanAction::Skip));
    let view = PlanView {
        env: project.env.name.to_string(),
        targets: chosen.words,
        tasks,
        estimate_seconds: if running.is_empty() { None } else { schedule::estimate(&board, &running, workers) },
    };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&tables::plan(&view, &context.choice.stdout));
    }
    Ok(if stale && exit_code { Exit::Stale as u8 } else { 0 })
}

fn action(board: &Board<'_>, id: TaskId, verdict: &Verdict, lost: &[TaskId]) -> PlanAction {
    let task = board.project.task(id);
    let without = |(up, edge): &(TaskId, Edge)| *edge != Edge::After && lost.contains(up);
    if board.project.graph.up(id).iter().any(without) {
        // What it reads was left out and has no record.
        return PlanAction::Refuse;
    }
    let forced = verdict.reasons.contains(&Reason::Forced);
    match verdict.state {
        State::Fresh | State::Orphaned => PlanAction::Keep,
        State::Restorable => PlanAction::Restore,
        State::Deferred => PlanAction::Deferred,
        State::Unknown => PlanAction::Refuse,
        State::Stale | State::Failed | State::Running => {
            if task.effect == Effect::Once && started_once(board.history(id)) && !forced {
                PlanAction::Refuse
            } else {
                PlanAction::Run
            }
        }
    }
}
