//! Owns `infra destroy`: undo of what is on record, in reverse; asks first.
//! Does not know how anything is undone (`engine::undoing`).

use crate::cli::DestroyArgs;
use crate::command::approve::ask;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::command::hold::Patience;
use crate::command::run::{Manner, carry_out, take};
use crate::engine::request::Reach;
use crate::engine::undoing::{OrphanToUndo, UndoRecipe, with_destroy};
use crate::engine::{Approval, OnTaskFailure, Request};
use crate::host::world::Host;
use crate::manifest::select;
use crate::model::name::TaskId;
use crate::model::project::Project;
use crate::plan::undo::{self, Undo};
use std::collections::BTreeMap;

/// Undoes.
///
/// # Errors
/// As the exit codes say.
pub fn destroy(context: &Context, args: &DestroyArgs) -> Result<u8, CommandError> {
    let root = context.root()?;
    let project = context.load(&root).project()?;
    let env = project.env.name.to_string();
    let opened = context.opened_to_read(root.clone(), project)?;
    if Work::find(&opened, args)?.is_empty() && opened.living_run().is_none() {
        context.note(&format!("nothing on record to undo in `{env}`"));
        return Ok(0);
    }
    // From here on nothing may come between the question and what is done.
    let taken = take(context, &root, &opened.project, "destroy", &args.targets, Patience::of(args.wait))?;
    drop(opened);
    let opened = context.opened_to_read(root.clone(), context.load(&root).project()?)?;
    let work = Work::find(&opened, args)?;
    if work.is_empty() {
        context.note(&format!("nothing on record to undo in `{env}`"));
        return Ok(0);
    }
    if !args.yes {
        confirm(&work.names(&opened.project), &env)?;
    }
    let Opened { project, .. } = opened;
    let (project, id) =
        with_destroy(project, work.targets).map_err(|_| CommandError::State("the graph has a cycle".to_owned()))?;
    let request = Request {
        words: args.targets.clone(),
        tasks: vec![id],
        skipped: Vec::new(),
        forced: vec![id],
        jobs: 1,
        on_failure: OnTaskFailure::StopStarting,
        reach: Reach::All,
        changed: Vec::new(),
        options: "{}".to_owned(),
        orphans: work.orphans,
        holder: context.holder("infra destroy"),
        command: "destroy",
    };
    let manner = Manner { patience: Patience::None, yes: true, hush: None };
    Ok(carry_out(context, root, project, request, manner, taken)?.exit)
}

/// What there is to undo.
struct Work {
    targets: Vec<TaskId>,
    orphans: Vec<OrphanToUndo>,
}

impl Work {
    fn find(opened: &Opened, args: &DestroyArgs) -> Result<Self, CommandError> {
        let board = opened.board()?;
        let targets = if args.orphans { Vec::new() } else { targets(&opened.project, &board, args)? };
        Ok(Self { targets, orphans: orphans(&opened.project, &opened.host, &board, args)? })
    }

    fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.orphans.is_empty()
    }

    /// In the order in which they are undone.
    fn names(&self, project: &Project) -> String {
        let orphans = self.orphans.iter().map(|orphan| orphan.name.clone());
        let names: Vec<String> =
            orphans.chain(self.targets.iter().map(|id| project.task(*id).name.to_string())).collect();
        names.join(", ")
    }
}

/// Asks a person.
fn confirm(names: &str, env: &str) -> Result<(), CommandError> {
    let question =
        format!("This undoes in `{env}`, in this order: {names}\nType the name of the environment to go on: ");
    match ask(&question, env) {
        Approval::Yes => Ok(()),
        Approval::No => {
            Err(CommandError::Refused { message: "not confirmed; nothing was undone".to_owned(), hint: None })
        }
        Approval::Nobody => Err(CommandError::Refused {
            message: format!("this would undo {names} in `{env}`, and nobody can be asked here"),
            hint: Some("say `--yes`".to_owned()),
        }),
    }
}

/// Tasks with something to take back, last made first.
fn targets(
    project: &Project,
    board: &crate::plan::board::Board<'_>,
    args: &DestroyArgs,
) -> Result<Vec<TaskId>, CommandError> {
    let within = if args.targets.is_empty() {
        vec![true; project.tasks.len()]
    } else {
        let named = select(project, &args.targets).map_err(CommandError::targets)?.named;
        // What was built on them goes first.
        project.graph.downstream(&named)
    };
    Ok(project
        .graph
        .order()
        .iter()
        .rev()
        .copied()
        .filter(|id| within[id.index()] && !project.task(*id).is_undo())
        .filter(|id| undo::target(board, *id) == Undo::TakeBack)
        .collect())
}

/// What is on record but no longer declared, each before the tasks that it needed.
fn orphans(
    project: &Project,
    host: &Host,
    board: &crate::plan::board::Board<'_>,
    args: &DestroyArgs,
) -> Result<Vec<OrphanToUndo>, CommandError> {
    if !args.targets.is_empty() {
        return Ok(Vec::new());
    }
    let on_record = host.store.borrow().on_record(&project.env.name)?;
    let mut left: BTreeMap<i64, (OrphanToUndo, Vec<i64>)> = BTreeMap::new();
    for orphan in on_record {
        if board.keys.contains(&orphan.key) {
            continue;
        }
        let Some(recipe) = orphan.undo else { continue };
        let needs = host
            .unseal(&recipe)
            .ok()
            .and_then(|value| serde_json::from_value::<UndoRecipe>(value).ok())
            .map(|recipe| recipe.needs)
            .unwrap_or_default();
        left.insert(orphan.key.0, (OrphanToUndo { key: orphan.key, name: orphan.name, recipe }, needs));
    }
    let mut ordered = Vec::new();
    while !left.is_empty() {
        // One that no other one left needs; in a knot, which can't be, the last made.
        let next = left
            .keys()
            .rev()
            .copied()
            .find(|key| !left.values().any(|(_, needs)| needs.contains(key)))
            .or_else(|| left.keys().next_back().copied());
        let Some((orphan, _)) = next.and_then(|key| left.remove(&key)) else { break };
        ordered.push(orphan);
    }
    Ok(ordered)
}
