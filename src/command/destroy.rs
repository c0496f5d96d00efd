//! Owns `infra destroy`: undo of what is on record, in reverse; asks first.
//! Does not know how anything is undone (`engine::undoing`).

use crate::cli::DestroyArgs;
use crate::command::approve::ask;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::command::hold::Patience;
use crate::command::run::{Manner, carry_out, take};
use crate::engine::destroy_task::with_destroy;
use crate::engine::request::Reach;
use crate::engine::undo_order::{Made, last_made_first};
use crate::engine::undoing::OrphanToUndo;
use crate::engine::{Approval, OnTaskFailure, Request};
use crate::manifest::select;
use crate::model::name::TaskId;
use crate::model::project::Project;
use crate::plan::undo::{self, Undo};

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
        confirm(&work.names.join(", "), &env)?;
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
    let manner = Manner { patience: Patience::None, yes: true, hush: None, asked: None, junit: None };
    Ok(carry_out(context, root, project, request, manner, taken)?.exit)
}

/// What there is to undo.
struct Work {
    targets: Vec<TaskId>,
    orphans: Vec<OrphanToUndo>,
    /// In the order in which they are undone.
    names: Vec<String>,
}

impl Work {
    fn find(opened: &Opened, args: &DestroyArgs) -> Result<Self, CommandError> {
        let (project, board) = (&opened.project, opened.board()?);
        let mut on_record = opened.host.store.borrow().on_record(&project.env.name)?;
        on_record.sort_by_key(|one| std::cmp::Reverse(one.key));
        let targets = if args.orphans { Vec::new() } else { targets(project, &board, args)? };
        let mut orphans = Vec::new();
        let (mut made, mut names) = (Vec::new(), Vec::new());
        for orphan in on_record.iter().filter(|orphan| !board.keys.contains(&orphan.key)) {
            let Some(recipe) = orphan.undo.clone().filter(|_| args.targets.is_empty()) else { continue };
            made.push(Made::read(&opened.host, orphan.key, None, Some(&recipe)));
            names.push(orphan.name.clone());
            orphans.push(OrphanToUndo { key: orphan.key, name: orphan.name.clone(), recipe });
        }
        for id in &targets {
            let key = board.key(*id);
            let recipe = on_record.iter().find(|one| one.key == key).and_then(|one| one.undo.as_deref());
            made.push(Made::read(&opened.host, key, Some(*id), recipe));
            names.push(project.task(*id).name.to_string());
        }
        let names = last_made_first(&board, &made).into_iter().map(|place| names[place].clone()).collect();
        Ok(Self { targets, orphans, names })
    }

    fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.orphans.is_empty()
    }
}

/// Asks a person.
fn confirm(names: &str, env: &str) -> Result<(), CommandError> {
    let question =
        format!("This undoes in `{env}`, in this order: {names}\nType the name of the environment to go on: ");
    match ask(&question, env) {
        Approval::Yes => Ok(()),
        Approval::No | Approval::Interrupted => {
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
