//! Owns `infra resolve`: a person says what came of a task whose end is not known.
//! Does not know when that is needed (`plan::verdict`).

use crate::cli::ResolveArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::command::hold::{Patience, lock_env};
use crate::command::run::open_to_write;
use crate::engine::recover;
use crate::host::Host;
use crate::host::store::{Commit, Durable, RunStart, WorldUpdate};
use crate::model::action::KindName;
use crate::model::diagnostic::nearest;
use crate::model::effect::{Effect, State};
use crate::model::facts::Facts;
use crate::model::name::TaskId;
use crate::model::project::Project;
use crate::model::record::{Artifact, Phase};
use crate::plan::board::Board;
use crate::plan::fingerprint;
use crate::plan::forecast::forecast;
use crate::plan::verdict::started_once;
use crate::report::json;
use crate::report::text::quote;
use crate::report::view::ResolvedView;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// Resolves.
///
/// # Errors
/// As the exit codes say.
pub fn resolve(context: &Context, args: &ResolveArgs) -> Result<u8, CommandError> {
    let root = context.root()?;
    let project = context.load(&root).project()?;
    if args.undone {
        return undone(context, root, project, args);
    }
    let Some(task) = project.find(&args.task) else {
        let known = project.tasks.iter().map(|task| task.name.as_str());
        let hint = match nearest(&args.task, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "see `infra list`".to_owned(),
        };
        return Err(CommandError::usage(format!("unknown task `{}`", args.task), hint));
    };
    let id = task.id;
    let line = format!("infra resolve {}", args.task);
    let _taken = lock_env(context, &root, project.env.name.as_str(), &line, Patience::Never)?;
    let opened = open_to_write(context, root, project)?;
    let env = opened.project.env.name.clone();
    recover::recover(&opened.host, &env)?;
    let mut board = opened.board()?;
    let key = board.key(id);
    let reason = reason(args);
    let task = opened.project.task(id);
    if args.accept_state {
        if !matches!(task.action.kind, KindName::Terraform | KindName::Kubectl | KindName::Helm) {
            let kind = task.action.kind.word();
            return Err(CommandError::usage(
                format!("`{}` has no state and no cluster that could be refused: its kind is `{kind}`", args.task),
                "see `infra why`",
            ));
        }
        // What a machine claims itself changes hands with its next run.
        let claims = crate::kind::find(task.action.kind).claims();
        let subject = task.action.subject.as_deref().filter(|_| !claims);
        opened.host.store.borrow_mut().accept_state(key, task.name.as_str(), &env, subject, &reason)?;
        return Ok(said(context, &opened, args, "accept-state", "its state is believed as the next run finds it"));
    }
    in_doubt(&opened.host, &mut board, id)?;
    if args.done {
        confirm(&opened.host, &mut board, id, &reason)?;
        return Ok(said(context, &opened, args, "done", "counts as done with its inputs as they are now"));
    }
    let (phase, word, what) = if args.failed {
        (Phase::Failed, "failed", "counts as failed, with nothing to take care of; the next run does it")
    } else {
        (Phase::Resolved, "rerun", "may run again, once")
    };
    opened.host.store.borrow_mut().resolve(key, &env, phase, args.rerun, &reason)?;
    Ok(said(context, &opened, args, word, what))
}

/// Nothing is left of what a task did, declared or not.
fn undone(context: &Context, root: Utf8PathBuf, project: Project, args: &ResolveArgs) -> Result<u8, CommandError> {
    let line = format!("infra resolve {}", args.task);
    let _taken = lock_env(context, &root, project.env.name.as_str(), &line, Patience::Never)?;
    let opened = open_to_write(context, root, project)?;
    let env = opened.project.env.name.clone();
    recover::recover(&opened.host, &env)?;
    let declared = opened.project.find(&args.task);
    if declared.is_some_and(|task| task.action.kind == KindName::Terraform) {
        return Err(CommandError::usage(
            format!("what is left of `{}` is for its terraform state to say", args.task),
            format!("`infra resolve {} --accept-state` believes a state that has lost it", quote(&args.task)),
        ));
    }
    let key = declared.map(|task| opened.board().map(|board| board.key(task.id))).transpose()?;
    let on_record = opened.host.store.borrow().on_record(&env)?;
    let found = on_record.iter().find(|one| key.map_or(one.name == args.task, |key| one.key == key));
    let Some(found) = found else {
        let names = on_record.iter().map(|one| one.name.as_str());
        let hint = nearest(&args.task, names)
            .filter(|_| declared.is_none())
            .map_or_else(|| "see `infra status`".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(CommandError::usage(
            format!("nothing of `{}` is on record in `{env}`: there is nothing left to undo", args.task),
            hint,
        ));
    };
    opened.host.store.borrow_mut().undone_by_hand(found.key, &env, &reason(args))?;
    Ok(said(context, &opened, args, "undone", "nothing of it is left to undo; the next run makes it anew"))
}

fn reason(args: &ResolveArgs) -> String {
    args.reason.clone().unwrap_or_else(|| "resolved by a person".to_owned())
}

/// Says what was written down.
fn said(context: &Context, opened: &Opened, args: &ResolveArgs, word: &'static str, what: &str) -> u8 {
    if context.global.json {
        let view = ResolvedView { env: opened.project.env.name.to_string(), task: args.task.clone(), resolved: word };
        context.out(&json::document(&view));
    } else {
        context.note(&format!("`{}`: {what}", args.task));
    }
    0
}

/// A person is asked only about what the program can't know.
fn in_doubt(host: &Host, board: &mut Board<'_>, id: TaskId) -> Result<(), CommandError> {
    let (name, env) = (&board.project.task(id).name, &board.project.env.name);
    let Some(last) = board.history(id).last.clone() else {
        return Err(CommandError::usage(
            format!("`{name}` never ran in `{env}`: there is nothing to resolve"),
            "see `infra status`",
        ));
    };
    let started = board.project.task(id).effect == Effect::Once && started_once(board.history(id));
    if last.phase == Phase::Cut {
        return Ok(());
    }
    let wanted = board.project.graph.upstream(&[id]);
    let state = forecast(board, host, &wanted)?[id.index()].take().unwrap_or_default().state;
    if started && state != State::Fresh {
        return Ok(());
    }
    Err(CommandError::usage(
        format!("there is nothing to resolve: `{name}` is {state} in `{env}`, and how it ended is known"),
        format!(
            "`infra why {}` says more; `infra run {} --force` runs it in any case",
            quote(name.as_str()),
            quote(&format!("{name}!"))
        ),
    ))
}

/// Records the task as done with its inputs as they are now.
fn confirm(host: &Host, board: &mut Board<'_>, id: TaskId, reason: &str) -> Result<(), CommandError> {
    let project = board.project;
    let task = project.task(id);
    let refuse = |message: String| CommandError::Refused {
        message,
        hint: Some(format!("`infra resolve {} --rerun` lets it run again", quote(task.name.as_str()))),
    };
    if !task.exports.is_empty() {
        return Err(refuse(format!("`{}` exports values, which nobody can vouch for", task.name)));
    }
    let wanted = project.graph.upstream(&[id]);
    forecast(board, host, &wanted)?;
    for (up, _) in project.graph.up(id) {
        if !board.settled[up.index()].is_settled()
            && let Some(record) = board.history(*up).newest.clone().filter(|record| record.void.is_none())
        {
            board.settled[up.index()] = crate::plan::board::Settled::Yes(Some(record));
        }
    }
    let walk = fingerprint::walk(board, host, id).map_err(|error| refuse(error.to_string()))?;
    if !walk.waiting.is_empty() {
        return Err(refuse(format!("what `{}` reads of upstream is not fresh", task.name)));
    }
    let mut artifacts = Vec::new();
    for output in &task.outputs {
        let content = host.artifact(&output.path)?;
        if content.kind == crate::model::facts::ContentKind::Missing {
            return Err(refuse(format!("its output `{}` is not there", output.path)));
        }
        let stored = host.keep(&output.path).map_err(CommandError::State)?;
        artifacts.push(Artifact {
            path: output.path.to_string(),
            digest: stored.digest,
            kept: true,
            size: stored.size,
        });
    }
    let now = host.now();
    let env = &project.env.name;
    let Some(last) = board.history(id).last.clone() else { return Ok(()) };
    let built_on = board.alive(id).as_ref().clone();
    host.sync_kept().map_err(CommandError::State)?;
    let mut store = host.store.borrow_mut();
    let run = store.begin_run(&RunStart {
        env,
        targets: &[task.name.to_string()],
        options: "{}",
        command: "resolve",
        pid: std::process::id(),
        started: now,
    })?;
    store.resolve(board.key(id), env, Phase::Resolved, false, reason)?;
    store.commit(&Commit {
        durable: Durable::Now,
        attempt: last.id,
        task: board.key(id),
        env,
        run,
        effect: task.effect,
        fingerprint: walk.manifest.fingerprint(),
        manifest: &walk.manifest,
        artifacts: &artifacts,
        exports: &BTreeMap::new(),
        built_on: &built_on,
        // The world is another than at the last attempt, or nobody would have been asked.
        world: WorldUpdate { token: Some(format!("resolved in {run}")), ..WorldUpdate::default() },
        ended: now,
        seconds: 0.0,
        void: None,
        taint_before: None,
    })?;
    store.end_run(run, now, 0, "{}")?;
    Ok(())
}
