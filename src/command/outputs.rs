//! Owns `infra outputs`: values and artifacts on record.
//! Does not know whether they are fresh.

use crate::cli::OutputsArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::manifest::select;
use crate::model::name::TaskId;
use crate::model::record::{Export, Record};
use crate::report::view::{ArtifactView, MadeView, OutputsView, ValueView};
use crate::report::{json, outputs as picture};

/// Shows what tasks made.
///
/// # Errors
/// Mistakes in the declaration; an unknown task or key; a secret that can't be opened.
pub fn outputs(context: &Context, args: &OutputsArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let board = opened.board()?;
    let ids: Vec<TaskId> = match &args.task {
        Some(task) => select(project, std::slice::from_ref(task)).map_err(CommandError::Diagnostics)?.named,
        None => project.graph.order().to_vec(),
    };
    let mut tasks = Vec::new();
    for id in ids {
        let Some(record) = board.history(id).newest.clone().filter(|record| record.void.is_none()) else { continue };
        tasks.push(made(&opened, id, &record, args.reveal)?);
    }
    if let (Some(key), Some(task)) = (&args.key, &args.task) {
        return one(context, &tasks, task, key);
    }
    let view = OutputsView { env: project.env.name.to_string(), tasks };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::outputs(&view, &context.choice.stdout));
    }
    Ok(0)
}

fn one(context: &Context, tasks: &[MadeView], task: &str, key: &str) -> Result<u8, CommandError> {
    let Some(made) = tasks.first() else {
        return Err(CommandError::usage(
            format!("`{task}` has no record here"),
            format!("run it with `infra run {task}`"),
        ));
    };
    let Some(value) = made.values.iter().find(|value| value.key == key) else {
        let known: Vec<&str> = made.values.iter().map(|value| value.key.as_str()).collect();
        let hint = match crate::model::diagnostic::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it exports: {}", crate::report::text::names(&known, 12)),
        };
        return Err(CommandError::usage(format!("`{task}` exports no `{key}`"), hint));
    };
    match &value.value {
        Some(value) => context.out(&format!("{}\n", picture::raw(value))),
        None => {
            return Err(CommandError::Refused {
                message: format!("`{key}` is secret"),
                hint: Some("`--reveal` prints it".to_owned()),
            });
        }
    }
    Ok(0)
}

fn made(opened: &Opened, id: TaskId, record: &Record, reveal: bool) -> Result<MadeView, CommandError> {
    let task = opened.project.task(id);
    let mut values = Vec::new();
    for (key, export) in &record.exports {
        let value = match export {
            Export::Plain { value } => Some(value.clone()),
            Export::Sealed { sealed, .. } if reveal => Some(opened.host.unseal(sealed).map_err(CommandError::State)?),
            Export::Sealed { .. } => None,
        };
        values.push(ValueView {
            key: key.clone(),
            declared: task.exports.get(key).map(ToString::to_string),
            secret: matches!(export, Export::Sealed { .. }),
            value,
        });
    }
    let artifacts = record
        .artifacts
        .iter()
        .map(|artifact| ArtifactView {
            path: artifact.path.clone(),
            digest: artifact.digest.hex(),
            size: artifact.size,
            kept: artifact.kept,
        })
        .collect();
    Ok(MadeView { name: task.name.to_string(), values, artifacts })
}
