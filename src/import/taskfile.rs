//! Owns what Task says of a Taskfile: the tasks that it knows (`task --list-all --json`), and of the file's own text what
//! that lacks, as drafts.
//! Does not know how Task is started.

mod task;
mod variables;

use crate::import::draft::{Drafts, loosen};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use task::{Taskfile, Wanted};
use variables::Variables;

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

/// The drafts; `answer`: what Task knows, `text`: the Taskfile, `dir`: its folder.
///
/// # Errors
/// When answer or text are not what Task is known to have.
pub fn drafts(answer: &str, text: &str, dir: &str) -> Result<Drafts, String> {
    let known: Json = serde_json::from_str(answer).map_err(|_| "its answer is no JSON, or is cut off")?;
    let file: Json =
        serde_saphyr::from_str(text).map_err(|error| format!("its YAML is read by Task alone: {error}"))?;
    let tasks = file["tasks"].as_object().ok_or("it has no `tasks`")?;
    let mut drafts = Drafts::default();
    around(&file, &mut drafts);
    let taskfile = Taskfile { file: &file, dir, globals: Variables::default().with(&file["vars"]) };
    let mut names: Vec<&String> = tasks.keys().collect();
    let line = |name: &str| {
        let listed = known["tasks"].as_array().into_iter().flatten().find(|one| one["name"] == name);
        listed.and_then(|one| one["location"]["line"].as_u64()).unwrap_or(u64::MAX)
    };
    names.sort_by_key(|name| (line(name), (*name).clone()));
    for one in known["tasks"].as_array().into_iter().flatten() {
        let name = one["name"].as_str().unwrap_or_default();
        if !tasks.contains_key(name) && name.contains(':') {
            drafts
                .left_out
                .push((name.to_owned(), "it comes from a file under `includes`: import that file".to_owned()));
        }
    }
    let mut queue: Vec<Wanted> = names.into_iter().map(|name| Wanted::plain(name)).collect();
    let mut done = BTreeSet::new();
    // A task that is called with variables is a task of its own; it may call others.
    while !queue.is_empty() {
        for wanted in std::mem::take(&mut queue) {
            if !done.insert(wanted.name()) || done.len() > 2000 {
                continue;
            }
            match taskfile.draft(&wanted) {
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

fn around(file: &Json, drafts: &mut Drafts) {
    if !file["tasks"]["default"].is_null() {
        drafts.default = Some(("`task` alone does", "default".to_owned()));
    }
    if !file["dotenv"].is_null() {
        drafts.lost.push(
            "`dotenv`: name the files under `dotenv` of [project] in infra.toml, and the variables under `pass_env`"
                .to_owned(),
        );
    }
    for key in ["set", "shopt"] {
        if !file[key].is_null() {
            drafts.lost.push(format!("`{key}`: the shell's options can be named by `shell.with`"));
        }
    }
}
