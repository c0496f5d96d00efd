//! Owns `infra init`: what a folder holds becomes proposed tasks that pass `infra check`, printed or written.
//! Does not know how things are found (`import/found`).

use crate::cli::InitArgs;
use crate::command::context::{Context, project_around};
use crate::command::exit::CommandError;
use crate::command::overlay;
use crate::host::files::{Disk, StatCache, write_together};
use crate::import::found::{self, Found};
use crate::manifest::Options;
use crate::model::diagnostic::Diagnostic;
use crate::model::facts::{ContentKind, Files};
use crate::report::json;
use crate::report::text::count;
use camino::Utf8Path;
use serde::Serialize;

const PROJECT: &str = "infra.toml";
const TASKS: &str = "tasks/proposed.toml";

/// What was found, for programs.
#[derive(Debug, Serialize)]
struct InitView {
    /// Files that were written, with `--write`.
    written: Vec<&'static str>,
    tasks: Vec<ProposalView>,
    imports: Vec<ImportView>,
    notes: Vec<String>,
    toml: String,
}

#[derive(Debug, Serialize)]
struct ProposalView {
    name: String,
    why: String,
    /// `None`: it is a task.
    held_back: Option<String>,
}

#[derive(Debug, Serialize)]
struct ImportView {
    file: String,
    tool: &'static str,
}

/// Looks, and proposes.
///
/// # Errors
/// A project is here already; its files can't be written.
pub fn init(context: &Context, args: InitArgs) -> Result<u8, CommandError> {
    let root = context.folder()?;
    let disk = Disk::seen_by(&root, StatCache::default(), context.sightings.clone());
    let tasks = disk.list(Utf8Path::new("tasks")).into_iter().find(|name| name.ends_with(".toml"));
    let there =
        if root.join(PROJECT).exists() { Some(PROJECT.to_owned()) } else { tasks.map(|n| format!("tasks/{n}")) };
    if let Some(there) = there {
        return Err(CommandError::usage(
            format!("this is a project already: `{there}` is there"),
            "`infra list` shows its tasks; `infra import TOOL` adds those of another tool",
        ));
    }
    if disk.kind(Utf8Path::new("tasks")) != ContentKind::Missing && !root.join("tasks").is_dir() {
        return Err(CommandError::usage(
            "`tasks` is in the way: it is no folder, and files of tasks lie in a folder of that name",
            "move it away, or name another folder with `-C DIR`",
        ));
    }
    let mut found = found::look(&disk);
    found.notes.extend(outer(&root));
    if found.proposals.is_empty() && found.imports.is_empty() {
        found.proposals.push(found::starter());
    }
    let toml = checked(&disk, &mut found)?;
    let mut written = Vec::new();
    if args.write {
        let project = format!("[project]\nname = {}\n", json_text(root.file_name().unwrap_or("project")));
        write_together(&root, &[(TASKS, &toml), (PROJECT, &project)])
            .map_err(|error| CommandError::Unwritten(error.to_string()))?;
        written.extend([TASKS, PROJECT]);
    }
    tell(context, found, written, toml);
    Ok(0)
}

/// What to know where a project lies around the folder.
fn outer(root: &Utf8Path) -> Option<String> {
    let around = project_around(root.parent()?)?;
    let up = vec![".."; root.strip_prefix(around).ok()?.components().count()].join("/");
    Some(format!(
        "`{up}` is a project already, and this would be one of its own inside it: \
         in this folder `infra` would no longer mean the one around it"
    ))
}

/// A basic string of TOML: those of JSON are.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text of the proposals; one that would not pass `infra check` is held back, and why.
fn checked(disk: &Disk, found: &mut Found) -> Result<String, CommandError> {
    loop {
        let toml = found.render();
        let kept: Vec<usize> =
            (0..).zip(&found.proposals).filter(|(_, one)| one.held_back.is_none()).map(|(index, _)| index).collect();
        let who = |nth: Option<usize>, _: &Diagnostic| kept.get(nth?).copied();
        let out = overlay::mistakes(disk, Utf8Path::new(TASKS), &toml, &Options::default(), who)?;
        if out.is_empty() {
            return Ok(toml);
        }
        for (index, why) in out {
            if let Some(proposal) = found.proposals.get_mut(index) {
                proposal.held_back.get_or_insert(why);
            }
        }
    }
}

fn tell(context: &Context, found: Found, written: Vec<&'static str>, toml: String) {
    let view = |one: found::Proposal| ProposalView { name: one.name, why: one.why, held_back: one.held_back };
    let notes = found.notes;
    let tasks: Vec<ProposalView> = found.proposals.into_iter().map(view).collect();
    let imports: Vec<ImportView> = found.imports.into_iter().map(|(file, tool)| ImportView { file, tool }).collect();
    if context.global.json {
        context.out(&json::document(&InitView { written, tasks, imports, notes, toml }));
        return;
    }
    if written.is_empty() {
        context.out(&toml);
    }
    let proposed = tasks.iter().filter(|one| one.held_back.is_none()).count();
    let place = if written.is_empty() { String::new() } else { format!(" in {TASKS}") };
    context.note(&format!("{} proposed{place}", count(proposed, "task")));
    for note in &notes {
        context.note(&format!("  {note}"));
    }
    for one in &tasks {
        if let Some(why) = &one.held_back {
            context.note(&format!("  held back: {}: {why}", one.name));
        }
    }
    for one in &imports {
        context.note(&format!("  {}: `{}` makes tasks of it", one.file, found::how(&one.file, one.tool)));
    }
    if written.is_empty() {
        context.note(&format!("nothing was written: `infra init --write` writes {PROJECT} and {TASKS}"));
    } else {
        context.note("next: `infra list`, then `infra plan TASK` and `infra run TASK`");
    }
}
