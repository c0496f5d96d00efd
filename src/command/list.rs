//! Owns `infra list` and `infra graph`: what is declared.
//! Does not know what is fresh.

use crate::cli::{GraphArgs, GraphFormat};
use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::manifest::select;
use crate::model::name::TaskId;
use crate::report::view::{EdgeView, GraphView, ListView, ListedView, NodeView};
use crate::report::{graph as picture, json, svg, tables};
use std::collections::BTreeSet;

/// Lists tasks.
///
/// # Errors
/// Mistakes in the declaration.
pub fn list(context: &Context) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let names = |ids: &[TaskId]| ids.iter().map(|id| project.task(*id).name.to_string()).collect::<Vec<_>>();
    let tasks = project
        .graph
        .order()
        .iter()
        .map(|id| {
            let task = project.task(*id);
            ListedView {
                name: task.name.to_string(),
                stage: task.stage.clone(),
                kind: task.action.kind.word().to_owned(),
                effect: task.effect,
                description: task.description.clone(),
                tags: task.tags.clone(),
                needs: names(&task.needs),
                after: names(&task.after),
                declared: Some(opened.host.declared(&task.place)),
            }
        })
        .collect();
    let view = ListView { env: project.env.name.to_string(), tasks };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&tables::list(&view, &context.choice.stdout));
    }
    Ok(0)
}

/// Draws the graph.
///
/// # Errors
/// Mistakes in the declaration; unknown targets.
pub fn graph(context: &Context, args: &GraphArgs) -> Result<u8, CommandError> {
    if args.format.is_some() && context.global.json {
        return Err(CommandError::usage("`--format` and `--json` are two notations", "leave one of them out"));
    }
    let opened = context.open_to_read()?;
    let project = &opened.project;
    let shown: Vec<TaskId> = if args.targets.is_empty() {
        project.graph.order().to_vec()
    } else {
        select(project, &args.targets).map_err(CommandError::targets)?.tasks
    };
    let nodes = shown
        .iter()
        .map(|id| {
            let task = project.task(*id);
            NodeView {
                name: task.name.to_string(),
                stage: task.stage.clone(),
                kind: task.action.kind.word().to_owned(),
                effect: task.effect,
            }
        })
        .collect();
    let mut edges = Vec::new();
    let inside: BTreeSet<TaskId> = shown.iter().copied().collect();
    for id in &shown {
        for (up, edge) in project.graph.up(*id).iter().filter(|(up, _)| inside.contains(up)) {
            edges.push(EdgeView {
                from: project.task(*up).name.to_string(),
                to: project.task(*id).name.to_string(),
                carries: (*edge).into(),
            });
        }
    }
    let view = GraphView { env: project.env.name.to_string(), nodes, edges };
    if context.global.json {
        context.out(&json::document(&view));
        return Ok(0);
    }
    context.out(&match args.format.unwrap_or(GraphFormat::Text) {
        GraphFormat::Text => picture::text(&view, &context.choice.stdout),
        GraphFormat::Dot => picture::dot(&view),
        GraphFormat::Mermaid => picture::mermaid(&view),
        GraphFormat::Svg => svg::svg(&view),
    });
    Ok(0)
}
