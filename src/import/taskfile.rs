//! Owns what Task says of a Taskfile: the tasks that it knows (`task --list-all --json`), and of the file's own text what
//! that lacks, as drafts.
//! Does not know how Task is started.

mod commands;
mod file;
mod keys;
mod paths;
mod platforms;
mod repeat;
mod requires;
mod shell;
mod task;
mod variables;
mod yaml;

use crate::import::draft::{Drafts, add, loosen};
use crate::import::environment::set_by;
use crate::import::late::{HERE, is_late};
use crate::import::settle::HANDED_OVER;
pub use commands::rehearsal;
use commands::rehearsed;
use file::{File, Taskfiles};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use task::{Drafter, Wanted};
use variables::{Variables, path_inside};
use yaml::yaml;

/// File names that Task looks for.
pub const FILES: [&str; 8] = [
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
];

/// The question; without `--no-status` it would run the commands under `status`.
pub fn question(file: &str) -> Vec<String> {
    ["task", "--taskfile", file, "--list-all", "--json", "--no-status", "--color=false"].map(str::to_owned).to_vec()
}

/// The answer to `rehearsal` of a task with variables; `None`: Task can't say.
pub type Rehearsed<'a> = dyn Fn(&str, &[(String, String)]) -> Option<String> + 'a;

/// What is asked while a Taskfile is read.
pub struct Around<'a> {
    /// A path of the project → the text there.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    pub rehearse: &'a Rehearsed<'a>,
    /// Whether a path of the project is a folder, `None` when nothing is there.
    pub is_folder: &'a dyn Fn(&str) -> Option<bool>,
    /// Names of the variables that the caller's environment has.
    pub env: &'a [String],
}

/// The drafts; `answer`: what Task knows, `text`: the Taskfile, `dir`: its folder.
///
/// # Errors
/// When answer or text are not what Task is known to have.
pub fn drafts(answer: &str, text: &str, dir: &str, around: &Around<'_>) -> Result<Drafts, String> {
    let known: Json = serde_json::from_str(answer).map_err(|_| "its answer is no JSON, or is cut off")?;
    let file = yaml(text).map_err(|error| format!("its YAML is read by Task alone: {error}"))?;
    if !file["tasks"].is_object() && !file["includes"].is_object() {
        return Err("it has no `tasks`".to_owned());
    }
    let listed: Vec<&Json> = known["tasks"].as_array().into_iter().flatten().collect();
    let mut drafts = Drafts::default();
    of_the_file(&file, &mut drafts);
    let dotenv = dotenv(&file, dir, around, &mut drafts);
    let known_now: Vec<String> = around.env.iter().chain(&dotenv).cloned().collect();
    let all = Taskfiles::read(file, dir, &known_now, around);
    drafts.lost.extend(all.lost.clone());
    let root = listed.iter().find_map(|one| {
        let path = one["location"]["taskfile"].as_str()?;
        let is_first = one["name"].as_str().is_some_and(|name| !all.files[0].json["tasks"][name].is_null());
        is_first.then(|| path.rsplit_once('/').map_or("", |(folder, _)| folder))
    });
    let rehearse = |wanted: &Wanted| {
        let plain = wanted.vars.iter().all(|(_, value)| !is_late(value));
        let said = plain.then(|| (around.rehearse)(&wanted.task, &wanted.vars)).flatten()?;
        Some(rehearsed(&said, &wanted.task))
    };
    let not_handed_over: Vec<String> =
        known_now.iter().filter(|name| !HANDED_OVER.contains(&name.as_str())).cloned().collect();
    let drafter = Drafter {
        all: &all,
        root: root.unwrap_or(HERE),
        rehearse: &rehearse,
        env: &not_handed_over,
        is_folder: around.is_folder,
        dotenv: &dotenv,
    };
    let mut declared: BTreeMap<String, (&File, &Json)> = BTreeMap::new();
    let mut names = Vec::new();
    for (name, file, task) in all.tasks() {
        if declared.insert(name.clone(), (file, task)).is_none() {
            names.push(name);
        }
    }
    let line = |name: &str| {
        let one = listed.iter().find(|one| one["name"] == name);
        let file = all.files.iter().position(|file| std::ptr::eq(file, declared[name].0));
        (file, one.and_then(|one| one["location"]["line"].as_u64()).unwrap_or(u64::MAX), name.to_owned())
    };
    names.sort_by_key(|name| line(name));
    let mut queue: Vec<Wanted> = names.into_iter().map(|name| Wanted::plain(&name)).collect();
    let mut done = BTreeSet::new();
    // A task that is called with variables is a task of its own; it may call others.
    while !queue.is_empty() {
        for wanted in std::mem::take(&mut queue) {
            if !done.insert(wanted.name()) || done.len() > 2000 {
                continue;
            }
            let Some((file, task)) = declared.get(&wanted.task) else { continue };
            match drafter.draft(&wanted, file, task) {
                Ok((draft, called)) => {
                    drafts.tasks.push(draft);
                    queue.extend(called.into_iter().filter(|one| !one.is_plain()));
                }
                Err(reason) => drafts.left_out.push((wanted.name(), reason)),
            }
        }
    }
    loosen(&mut drafts.tasks);
    // What only lacks variables is there with those that it is called with.
    let called = |name: &str| drafts.tasks.iter().any(|task| task.name.starts_with(&format!("{name} ")));
    drafts.left_out.retain(|(name, reason)| !(reason.contains("has no value") && called(name)));
    Ok(drafts)
}

fn of_the_file(file: &Json, drafts: &mut Drafts) {
    if !file["tasks"]["default"].is_null() {
        drafts.default = Some(("`task` alone does", "default".to_owned()));
    }
}

/// Variables of the dotenv files, which the tasks get from infra's.
fn dotenv(file: &Json, dir: &str, around: &Around<'_>, drafts: &mut Drafts) -> Vec<String> {
    let (mut paths, mut names) = (Vec::new(), Vec::new());
    let vars = Variables::of_task("").with(&file["vars"]);
    for said in file["dotenv"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        let path = vars.fill(said).ok().filter(|path| !is_late(path.trim_start_matches(HERE)));
        let path = path.and_then(|path| path_inside(dir, dir, &path));
        for name in path.as_ref().and_then(|path| (around.read)(path)).map(|text| set_by(&text)).unwrap_or_default() {
            add(&mut names, name);
        }
        paths.push(path.unwrap_or_else(|| said.to_owned()));
    }
    if !paths.is_empty() {
        let rest = if names.is_empty() {
            "and their variables under `pass_env`"
        } else {
            "which gives the tasks what they name under `pass_env`"
        };
        // Of two values Task takes the first, infra the last.
        drafts.dotenv.extend(paths.into_iter().rev().map(|path| {
            let remark = format!("`dotenv`: name `{path}` under `dotenv` of [project] in infra.toml, {rest}");
            (path, remark)
        }));
    }
    names
}
