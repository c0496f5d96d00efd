//! Owns the way from TOML text to the model: `infra.toml` and `tasks/*.toml` of one project, in one
//! environment, with every mistake of every file.
//! Does not know fingerprints, processes or how mistakes are printed.

mod action;
mod check;
mod declare;
pub mod dotenv;
pub mod duration;
mod env;
mod expand;
mod files;
mod frame;
mod glob;
mod inputs;
mod keys;
mod link;
mod lower;
mod names;
mod node;
mod outputs;
mod path;
mod schema;
mod settings;
mod target;
mod values;

pub use schema::{schema_project, schema_tasks};
pub use target::{Selection, Targets, select};

use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::facts::{ContentKind, Files};
use crate::model::graph::Graph;
use crate::model::name::{TaskId, TaskName};
use crate::model::project::Project;
use camino::{Utf8Path, Utf8PathBuf};
use declare::TaskDeclared;
use expand::Surroundings;
use names::Absent;
use node::{Source, Syntax};
use settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Code of the mistake that a file is no valid TOML.
pub const SYNTAX: &str = "toml-syntax";

const PROJECT_FILE: &str = "infra.toml";
const TASKS: &str = "tasks";

/// What the caller chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-e`; the default environment otherwise.
    pub env: Option<String>,
    /// `--set NAME=VALUE`, in order.
    pub set: Vec<(String, String)>,
}

/// A project, or why there is none.
#[derive(Debug, Default)]
pub struct Loaded {
    /// `None` when there is any error.
    pub project: Option<Project>,
    /// What could be made of it in spite of errors, for who looks at the rest. Tasks may lack what the errors took,
    /// and edges are missing where they would be a cycle.
    pub partial: Option<Project>,
    /// Sorted by file and position.
    pub diagnostics: Vec<Diagnostic>,
    /// Texts of the files, for underlining.
    pub sources: BTreeMap<Utf8PathBuf, Arc<str>>,
}

/// Loads a project in one environment.
pub fn load(files: &dyn Files, options: &Options) -> Loaded {
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    let settings = match files.read(Utf8Path::new(PROJECT_FILE)) {
        Some(text) => {
            let source = Source::parse(Utf8Path::new(PROJECT_FILE), text, &mut problems);
            // What could be made of a broken file says what is declared, but its mistakes are no mistakes.
            let mut ignored = Vec::new();
            let heard = if source.syntax == Syntax::Good { &mut problems } else { &mut ignored };
            let settings = settings::read(&source, heard);
            sources.push(source);
            settings
        }
        None => {
            problems.extend(unreadable(files, Utf8Path::new(PROJECT_FILE)));
            Settings::default()
        }
    };
    let file_vars = env::read_files(&settings, files, &mut sources, &mut problems);
    let task_files = read_task_files(&settings, files, &mut problems);
    let syntax = if sources.iter().all(|source| source.syntax == Syntax::Good) { Syntax::Good } else { Syntax::Broken };
    let env_name = if syntax == Syntax::Good {
        env::check_flags(&settings, &file_vars, options, &mut problems);
        env::choose(&settings, options, &mut problems)
    } else {
        env::choose(&settings, options, &mut Vec::new())
    };
    let environment = env::settle(&settings, &file_vars, &env_name, options, files, &mut problems);
    let env_names = settings.env_names();
    let known_envs = (syntax == Syntax::Good).then_some(env_names.as_slice());
    let declared = declare::collect(&task_files, known_envs, &mut problems);
    let broken = syntax == Syntax::Broken || task_files.iter().any(|(_, source)| source.syntax == Syntax::Broken);

    let vars = env::as_json(&environment.vars);
    let surroundings = Surroundings { env: &env_name, vars: &vars, secrets: &environment.secrets, settings: syntax };
    let (mut tasks, absent) = lower_all(&declared, &surroundings, &env_names, &mut problems);
    let mut outputs = outputs::collect(&mut tasks, files, &mut problems);
    for other in env_names.iter().filter(|other| **other != env_name) {
        let vars = env::as_json(&env::variables(&settings, &file_vars, other, options));
        let there = Surroundings { env: other, vars: &vars, secrets: &environment.secrets, settings: syntax };
        outputs::add_environment(&mut outputs, &declared, &there, &env_name, files);
    }
    let around = link::Around { files, surroundings, absent: &absent, pools: &settings.pools, broken };
    let graph = link::link(&mut tasks, &outputs, &around, &mut problems);
    names::check_default(&settings.default, &tasks, &absent, broken, &mut problems);

    let all = sources.iter().chain(task_files.iter().map(|(_, source)| source));
    let mut texts: BTreeMap<Utf8PathBuf, Arc<str>> =
        all.map(|source| (source.path.to_path_buf(), Arc::clone(&source.text))).collect();
    let diagnostics = tidy(problems);
    for place in diagnostics.iter().filter_map(|problem| problem.place.as_ref()) {
        // Template files; a dotenv file may hold secrets and is never shown.
        if !texts.contains_key(&place.file) && !is_dotenv(&settings, &place.file) {
            texts.extend(files.read(&place.file).map(|text| (place.file.clone(), text)));
        }
    }
    let failed = diagnostics.iter().any(|problem| problem.severity == Severity::Error);
    let graph = graph.or_else(|| Graph::build(tasks.len(), &[]).ok());
    let made = graph.map(|graph| {
        let tasks: Vec<_> = tasks.into_iter().map(|lowered| lowered.task).collect();
        let mut by_template_name: BTreeMap<String, Vec<TaskId>> = BTreeMap::new();
        for task in &tasks {
            by_template_name.entry(crate::model::name::template_name(task.family.as_str())).or_default().push(task.id);
        }
        Project {
            name: settings.name.clone(),
            env: environment.clone(),
            env_names: env_names.clone(),
            default: settings.default.iter().map(|(word, _)| word.clone()).collect(),
            requires: settings.requires.clone(),
            pools: settings.pools.clone(),
            by_name: tasks.iter().map(|task| (task.name.clone(), task.id)).collect(),
            by_template_name,
            tasks,
            graph,
            elsewhere: absent.elsewhere.clone(),
        }
    });
    let (project, partial) = if failed { (None, made) } else { (made, None) };
    Loaded { project, partial, diagnostics, sources: texts }
}

fn is_dotenv(settings: &Settings, file: &Utf8Path) -> bool {
    settings.dotenv.iter().chain(settings.envs.iter().flat_map(|env| &env.dotenv)).any(|dotenv| dotenv == file)
}

/// What is there and can't be read; `None`: nothing is there.
fn unreadable(files: &dyn Files, path: &Utf8Path) -> Option<Diagnostic> {
    let why = files.unread(path).unwrap_or_else(|| "it is no text".to_owned());
    (files.kind(path) != ContentKind::Missing)
        .then(|| Diagnostic::nowhere("unreadable-file", format!("`{path}` can't be read: {why}")))
}

/// Task files of the project and of those that it includes, each with the name of the included one.
fn read_task_files(settings: &Settings, files: &dyn Files, problems: &mut Vec<Diagnostic>) -> Vec<(String, Source)> {
    let mut found = Vec::new();
    let mut read = |home: &str, folder: &Utf8Path, problems: &mut Vec<Diagnostic>| {
        for name in files.list(folder).into_iter().filter(|name| name.ends_with(".toml") && !name.starts_with('.')) {
            let path = folder.join(name);
            if let Some(text) = files.read(&path) {
                found.push((home.to_owned(), Source::parse(&path, text, problems)));
            } else if files.kind(&path) != ContentKind::Folder {
                problems.extend(unreadable(files, &path));
            }
        }
    };
    let own = Utf8Path::new(TASKS);
    match files.kind(own) {
        ContentKind::Missing => {}
        ContentKind::File => {
            let message = format!("`{own}` is a file, and must be a folder");
            problems.push(Diagnostic::nowhere("unreadable-file", message).help("put the tasks into `tasks/NAME.toml`"));
        }
        _ if files.unread(own).is_some() => problems.extend(unreadable(files, own)),
        _ => {}
    }
    read("", own, problems);
    for (name, folder, place) in &settings.include {
        let tasks = folder.join(TASKS);
        if files.kind(&tasks) == ContentKind::Missing {
            problems.push(Diagnostic::error("missing-file", place, format!("no folder `{tasks}`")));
            continue;
        }
        read(name, &tasks, problems);
    }
    found
}

/// Lowers every task that exists in the environment, in the order written.
fn lower_all<'a>(
    declared: &'a [TaskDeclared<'a>],
    surroundings: &Surroundings<'_>,
    env_names: &[String],
    problems: &mut Vec<Diagnostic>,
) -> (Vec<lower::Lowered>, Absent) {
    let mut tasks = Vec::with_capacity(declared.len());
    let mut absent = Absent::default();
    for task in declared {
        if task.is_broken() {
            absent.empty.push(task.name.clone());
            continue;
        }
        if !expand::exists_in(task, surroundings.env) {
            let envs = env_names.iter().filter(|env| expand::exists_in(task, env)).cloned().collect();
            absent.elsewhere.insert(TaskName::new(&task.name), envs);
            absent.groups.extend(settings::texts(task.node.get("stage")).iter().map(|stage| format!("stage:{stage}")));
            absent.groups.extend(settings::texts(task.node.get("tags")).iter().map(|tag| format!("tag:{tag}")));
            continue;
        }
        let drafts = expand::expand(task, surroundings, problems);
        if drafts.is_empty() {
            absent.empty.push(task.name.clone());
        }
        for draft in drafts {
            let id = TaskId(u32::try_from(tasks.len()).unwrap_or(u32::MAX));
            tasks.push(lower::lower(&draft, id, surroundings, problems));
        }
    }
    (tasks, absent)
}

/// Sorted by file and position, each mistake once (instances of one task share theirs).
fn tidy(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |problem: &Diagnostic| {
        let place = problem.place.as_ref();
        (place.map(|place| place.file.clone()), place.map(|place| (place.span.start, place.span.end)))
    };
    problems.sort_by_cached_key(|problem| (key(problem), problem.message.clone()));
    problems.dedup();
    problems
}

/// A word in backticks.
fn ticked(word: &str) -> String {
    format!("`{word}`")
}

#[cfg(test)]
mod tests;
