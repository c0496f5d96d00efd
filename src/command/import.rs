//! Owns `infra import`: another tool's file becomes tasks that pass `infra check`, printed or written.
//! Does not know how a tool's answer becomes tasks (`import/`).

mod ask;

use crate::cli::{ImportArgs, ImportTool};
use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::command::overlay;
use crate::host::files::{Disk, StatCache, write_together};
use crate::import::draft::{Draft, Drafts, Settings};
use crate::import::{settle, text};
use crate::manifest::{Options, dotenv};
use crate::model::diagnostic::Diagnostic;
use crate::model::facts::{ContentKind, Files};
use crate::report::json;
use crate::report::text::count;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::BTreeMap;

/// The file that is written.
const TO: &str = "tasks/imported.toml";
/// What is written with it, where there is none.
const PROJECT: &str = "infra.toml";

/// What was imported, for programs.
#[derive(Debug, Serialize)]
struct ImportView {
    from: String,
    /// Files that were written, with `--write`.
    written: Vec<&'static str>,
    tasks: Vec<String>,
    /// What could not be carried over.
    lost: Vec<LostView>,
    toml: String,
}

#[derive(Debug, Serialize)]
struct LostView {
    /// `None`: of the whole file.
    task: Option<String>,
    what: String,
}

/// Imports.
///
/// # Errors
/// No file; a tool that is missing or can't read it; a file in the way.
pub fn import(context: &Context, args: &ImportArgs) -> Result<u8, CommandError> {
    let start = context.folder()?;
    let root = context.root().unwrap_or_else(|_| start.clone());
    if args.write && root.join(TO).exists() {
        return Err(CommandError::usage(
            format!("`{TO}` is there, and is never written over"),
            "move it away, or leave `--write` out and look at what would be written",
        ));
    }
    let file = file(args, &start, &root)?;
    let disk = Disk::seen_by(&root, StatCache::default(), context.sightings.clone());
    let mut drafts = ask::drafts(context, args.tool, &root, &file, &disk)?;
    let there = |path: &str| disk.kind(Utf8Path::new(path)) != ContentKind::Missing;
    let names = settle::settle(&mut drafts, &there);
    let is_written = args.write && !there(PROJECT);
    let odd = |path: &str| match disk.read(Utf8Path::new(path)) {
        Some(text) => dotenv::odd(Utf8Path::new(path), &text),
        None => Some(format!("`{path}` can't be read")),
    };
    drafts.settle_settings(if is_written { Settings::Written } else { Settings::Told }, &there, &odd);
    let toml = checked(context, &disk, &mut drafts, &names, file.as_str())?;
    let folder = root.file_name().unwrap_or("project");
    let project = text::project(&drafts, &names, file.as_str(), folder);
    let mut written = Vec::new();
    if args.write {
        written.push((TO, toml.as_str()));
        written.extend(project.as_deref().map(|text| (PROJECT, text)));
        write_together(&root, &written).map_err(|error| CommandError::Unwritten(error.to_string()))?;
    }
    let written = written.into_iter().map(|(path, _)| path).collect();
    tell(context, &drafts, file.as_str(), written, &toml);
    Ok(0)
}

/// The file that is meant, relative to the root.
fn file(args: &ImportArgs, start: &Utf8Path, root: &Utf8Path) -> Result<Utf8PathBuf, CommandError> {
    let word = args.tool.word();
    let names = args.tool.files();
    let path = match &args.file {
        Some(file) => start.join(file),
        None => names.iter().map(|name| start.join(name)).find(|path| path.is_file()).ok_or_else(|| {
            CommandError::usage(
                format!("there is no file of {word} in `{start}`: none of {}", names.join(", ")),
                format!("name it: `infra import {word} FILE`"),
            )
        })?,
    };
    let found = path.canonicalize_utf8().ok().filter(|path| path.is_file()).ok_or_else(|| {
        CommandError::usage(format!("there is no file `{path}`"), format!("name one: `infra import {word} FILE`"))
    })?;
    // The folder is what tasks run in; a link to a file elsewhere is still a file here.
    let folder = path.parent().and_then(|folder| folder.canonicalize_utf8().ok());
    let path = folder.map_or(found, |folder| folder.join(path.file_name().unwrap_or_default()));
    path.strip_prefix(root).map(Utf8Path::to_owned).map_err(|_| {
        CommandError::usage(
            format!("`{path}` lies outside of the project `{root}`"),
            "tasks work in the project's folder: name the folder of the file with `-C DIR`",
        )
    })
}

/// The text of the drafts that pass `infra check`; what does not is left out, and said.
fn checked(
    context: &Context,
    disk: &Disk,
    drafts: &mut Drafts,
    names: &BTreeMap<String, String>,
    origin: &str,
) -> Result<String, CommandError> {
    let options = Options {
        env: context.global.env.clone(),
        set: context.global.set.iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
    };
    loop {
        let toml = text::render(drafts, names, origin);
        let who = |nth: Option<usize>, one: &Diagnostic| task_of(nth, one, drafts);
        let mut out = BTreeMap::new();
        for (task, why) in overlay::mistakes(disk, Utf8Path::new(TO), &toml, &options, who)? {
            out.entry(task).or_insert(why);
        }
        if out.is_empty() {
            return Ok(toml);
        }
        settle::leave_out(drafts, &out);
    }
}

/// The imported task that a mistake is in, or is about.
fn task_of(nth: Option<usize>, one: &Diagnostic, drafts: &Drafts) -> Option<String> {
    let is_about = |task: &&Draft| one.message.contains(&format!("`{}`", task.name));
    let task = match nth {
        Some(nth) => drafts.tasks.get(nth),
        None => drafts.tasks.iter().find(is_about),
    };
    task.map(|task| task.name.clone())
}

fn tell(context: &Context, drafts: &Drafts, from: &str, written: Vec<&'static str>, toml: &str) {
    let mut lost: Vec<LostView> = drafts.lost.iter().map(|what| LostView { task: None, what: what.clone() }).collect();
    let of = |task: &str, what: String| LostView { task: Some(task.to_owned()), what };
    lost.extend(drafts.left_out.iter().map(|(name, reason)| of(name, format!("left out: {reason}"))));
    lost.extend(drafts.tasks.iter().flat_map(|task| task.lost.iter().map(|what| of(&task.name, what.clone()))));
    if context.global.json {
        let tasks = drafts.tasks.iter().map(|task| task.name.clone()).collect();
        context.out(&json::document(&ImportView {
            from: from.to_owned(),
            written,
            tasks,
            lost,
            toml: toml.to_owned(),
        }));
        return;
    }
    if written.is_empty() {
        context.out(toml);
    }
    let place = if written.is_empty() { String::new() } else { format!(" in {TO}") };
    context.note(&format!(
        "{} from {from}{place}; not carried over: {}",
        count(drafts.tasks.len(), "task"),
        lost.len()
    ));
    for one in &lost {
        context.note(&format!("  {}: {}", one.task.as_deref().unwrap_or(from), one.what));
    }
    if written.contains(&PROJECT) {
        context.note(&format!("written beside it: {PROJECT}, with what belongs to all tasks"));
    }
    if !written.is_empty() {
        context.note("next: `infra check`, then `infra list`");
    }
}

impl ImportTool {
    fn word(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::Just => "just",
            Self::Task => "task",
            Self::Doit => "doit",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Make => &crate::import::make::FILES,
            Self::Just => &crate::import::just::FILES,
            Self::Task => &crate::import::taskfile::FILES,
            Self::Doit => &crate::import::doit::FILES,
        }
    }
}
