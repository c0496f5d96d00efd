//! Owns `infra show`: one task as it is declared and lowered, and what stands around it.
//! Does not know why it is or is not fresh (`why`).

use crate::cli::ShowArgs;
use crate::command::choose;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::model::effect::State;
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::project::Project;
use crate::model::task::{Input, Keep, OnFailure, Origin, OutputShape, ProbeCheck, Task, Terminal, WatchMay};
use crate::model::text::Read;
use crate::plan::board::Board;
use crate::plan::fingerprint::field_name;
use crate::plan::forecast::forecast;
use crate::plan::scope;
use crate::plan::shown::shown;
use crate::report::outputs::MASK;
use crate::report::view::{InputOrigin, InputView, NeighbourView, OutputView, ReadsView, SettingsView, ShowView};
use crate::report::{json, show as picture};
use std::time::Duration;

/// Shows a task.
///
/// # Errors
/// As the exit codes say.
pub fn show(context: &Context, args: &ShowArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let id = choose::one(&opened.project, &args.task)?;
    let mut board = opened.board()?;
    let wanted = opened.project.graph.upstream(&[id]);
    let mut verdicts = forecast(&mut board, &opened.host, &wanted)?;
    let judged = verdicts[id.index()].take().unwrap_or_default().state;
    let state = if Opened::running(&board, id).is_some() { State::Running } else { judged };
    let view = view(&opened, &board, id, state);
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::show(&view, &context.choice.stdout));
    }
    Ok(0)
}

fn view(opened: &Opened, board: &Board<'_>, id: TaskId, state: State) -> ShowView {
    let project = &opened.project;
    let task = project.task(id);
    let names = |ids: &[TaskId]| ids.iter().map(|id| project.task(*id).name.to_string()).collect::<Vec<_>>();
    let neighbours = |edges: &[(TaskId, Edge)]| {
        let of = |(id, edge): &(TaskId, Edge)| NeighbourView {
            task: project.task(*id).name.to_string(),
            carries: (*edge).into(),
        };
        edges.iter().map(of).collect::<Vec<_>>()
    };
    let kind = crate::kind::find(task.action.kind);
    let known = shown(board, task, MASK);
    let action = known.table.into_iter();
    ShowView {
        env: project.env.name.to_string(),
        name: task.name.to_string(),
        stage: task.stage.clone(),
        kind: task.action.kind.word().to_owned(),
        effect: task.effect,
        state,
        declared: opened.host.declared(&task.place),
        description: task.description.clone(),
        tags: task.tags.clone(),
        action: action.map(|(key, value)| (field_name(task.action.kind, &key, kind.short_key()), value)).collect(),
        waits_for: names(&known.waits),
        dir: task.dir.to_string(),
        environment: task.env.keys().cloned().collect(),
        pass_env: task.pass_env.clone(),
        reads: reads(task),
        inputs: task.inputs.iter().map(|input| of_input(project, input)).collect(),
        outputs: outputs(task),
        exports: task.exports.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        upstream: neighbours(project.graph.up(id)),
        downstream: neighbours(project.graph.down(id)),
        settings: settings(task),
        undo: known.undo,
        undoes: names(&task.action.undoes),
    }
}

fn reads(task: &Task) -> ReadsView {
    let mut view = ReadsView::default();
    for read in scope::reads_with_undo(task) {
        match read {
            Read::TaskValue { task, item: Some(item), key } => view.values.push(format!("{task}[{item}].{key}")),
            Read::TaskValue { task, item: None, key } => view.values.push(format!("{task}.{key}")),
            Read::Var(name) => view.variables.push(name),
            Read::AllVars => view.variables.push("(all)".to_owned()),
            Read::Secret(name) => view.secrets.push(name),
            Read::EnvName | Read::Out(_) | Read::Item | Read::Matrix(_) => {}
        }
    }
    view
}

fn of_input(project: &Project, input: &Input) -> InputView {
    let plain = |path: String, origin| InputView { path, origin, task: None };
    match input {
        Input::Path { path, origin: Origin::Declared } => plain(path.to_string(), InputOrigin::Declared),
        Input::Path { path, origin: Origin::Inferred } => plain(path.to_string(), InputOrigin::Inferred),
        // Outputs of all environments are taken away too: so many that they say nothing.
        Input::Glob(glob) => plain(glob.pattern.clone(), InputOrigin::Glob),
        Input::Artifact { from, path, .. } => InputView {
            task: Some(project.task(*from).name.to_string()),
            ..plain(path.to_string(), InputOrigin::Artifact)
        },
    }
}

fn outputs(task: &Task) -> Vec<OutputView> {
    let slash = |shape| if shape == OutputShape::Folder { "/" } else { "" };
    task.outputs
        .iter()
        .map(|output| OutputView {
            path: format!("{}{}", output.path, slash(output.shape)),
            secret: output.keep == Keep::Secret,
        })
        .collect()
}

fn settings(task: &Task) -> SettingsView {
    let seconds = |duration: &Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    SettingsView {
        pool: task.pool.clone(),
        ttl_seconds: seconds(&task.ttl),
        timeout_seconds: seconds(&task.timeout),
        grace_seconds: seconds(&task.grace),
        retries: task.retry.as_ref().map(|retry| retry.max),
        probe: task.probe.as_ref().map(|probe| check(&probe.check)),
        ready: task.ready.iter().map(|ready| check(&ready.check)).collect(),
        allow_failure: task.on_failure == OnFailure::GoOn,
        interactive: task.terminal == Terminal::Handed,
        watch: task.watch == WatchMay::Run,
        in_place: task.in_place.iter().map(ToString::to_string).collect(),
        was: task.was.clone(),
        subject: task.action.subject.clone(),
    }
}

fn check(check: &ProbeCheck) -> &'static str {
    match check {
        ProbeCheck::Exec(_) => "exec",
        ProbeCheck::Tcp(_) => "tcp",
        ProbeCheck::Http(_) => "http",
        ProbeCheck::Kind => "kind",
    }
}
