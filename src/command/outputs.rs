//! Owns `infra outputs`: values and artifacts on record.
//! Does not know whether they are fresh.

use crate::cli::OutputsArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::manifest::select;
use crate::model::name::{EnvName, TaskId};
use crate::model::record::{Export, Record};
use crate::report::text::quote;
use crate::report::view::{ArtifactView, KeyView, MadeView, OutputsView, ValueView};
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
        Some(task) => select(project, std::slice::from_ref(task)).map_err(CommandError::targets)?.named,
        None => project.graph.order().to_vec(),
    };
    let mut tasks = Vec::new();
    for id in ids {
        let Some(record) = board.history(id).newest.clone().filter(|record| record.void.is_none()) else { continue };
        tasks.push(made(&opened, id, &record, args.reveal)?);
    }
    if let Some(task) = &args.task {
        if tasks.is_empty() {
            return Err(CommandError::usage(
                format!("`{task}` has no record in `{}`", project.env.name),
                format!("run it with `infra run {}`", quote(task)),
            ));
        }
        if let Some(key) = &args.key {
            return one(context, &project.env.name, &tasks, key);
        }
        if !context.global.json && tasks.iter().all(|made| made.values.is_empty() && made.artifacts.is_empty()) {
            context.out(&format!("`{task}` made no values and no artifacts"));
            return Ok(0);
        }
    }
    let view = OutputsView { env: project.env.name.to_string(), tasks };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::outputs(&view, &context.choice.stdout));
    }
    Ok(0)
}

fn one(context: &Context, env: &EnvName, tasks: &[MadeView], key: &str) -> Result<u8, CommandError> {
    let [made] = tasks else {
        let names: Vec<&str> = tasks.iter().map(|made| made.name.as_str()).collect();
        return Err(CommandError::usage(
            format!("`--key` is of one task, and {} are meant", names.len()),
            format!("name one: {}", crate::report::text::names(&names, 12)),
        ));
    };
    let task = &made.name;
    let Some(found) = made.values.iter().find(|value| value.key == key) else {
        let known: Vec<&str> = made.values.iter().map(|value| value.key.as_str()).collect();
        let hint = match crate::model::diagnostic::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it exports nothing".to_owned(),
            None => format!("it exports: {}", crate::report::text::names(&known, 12)),
        };
        return Err(CommandError::usage(format!("`{task}` exports no `{key}`"), hint));
    };
    let Some(value) = &found.value else {
        return Err(CommandError::Refused {
            message: format!("`{key}` of `{task}` is secret"),
            hint: Some("`--reveal` prints it".to_owned()),
        });
    };
    if context.global.json {
        let view = KeyView { env: env.to_string(), task: task.clone(), key: key.to_owned(), value: value.clone() };
        context.out(&json::document(&view));
    } else {
        context.out(&format!("{}\n", picture::raw(value)));
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
