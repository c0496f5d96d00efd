//! Owns a Taskfile and those that it includes: what their tasks are called, in which folder they run, which
//! variables they see.
//! Does not know what is in a task.

use crate::import::draft::inside;
use crate::import::late::HERE;
use crate::import::taskfile::variables::{Variables, path_inside, plain};
use crate::import::taskfile::yaml::yaml;
use crate::import::taskfile::{Around, FILES};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// What stands before the names of its tasks: empty, or `web:`.
    pub(super) prefix: String,
    pub(super) json: Json,
    /// Where its tasks run, relative to the project.
    pub(super) dir: String,
    pub(super) vars: Variables,
    /// Names of its tasks that are not taken in.
    pub(super) excludes: Vec<String>,
    /// `env` of it and of those that include it, outermost first.
    pub(super) env: Vec<Json>,
}

/// A Taskfile with all that it includes.
#[derive(Debug)]
pub(super) struct Taskfiles {
    /// Where the first one lies, relative to the project.
    pub(super) top: String,
    pub(super) files: Vec<File>,
    /// Full names of what has another name too, by that.
    aliases: BTreeMap<String, String>,
    /// Includes that could not be followed, with the reason.
    pub(super) lost: Vec<String>,
}

/// A path of the project → the text there.
pub(super) type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Files that include each other in a circle are Task's to complain of; this is only an end.
const DEEPEST: usize = 20;

impl Taskfiles {
    /// `env`: variables of the environment.
    pub(super) fn read(json: Json, top: &str, env: &[String], around: &Around<'_>) -> Self {
        let mut all = Self { top: top.to_owned(), files: Vec::new(), aliases: BTreeMap::new(), lost: Vec::new() };
        let vars = Variables::of_task("").in_environment(env).with_from(&json["vars"], HERE);
        let own = vec![json["env"].clone()];
        all.add(
            File { prefix: String::new(), json, dir: top.to_owned(), vars, excludes: Vec::new(), env: own },
            top,
            0,
            around.read,
        );
        all
    }

    /// Adds a file that lies in a folder, and what it includes.
    fn add(&mut self, file: File, folder: &str, depth: usize, read: Read<'_>) {
        let includes = file.json["includes"].clone();
        for (task, what) in file.json["tasks"].as_object().into_iter().flatten() {
            for alias in what["aliases"].as_array().into_iter().flatten().filter_map(Json::as_str) {
                self.aliases.insert(format!("{}{alias}", file.prefix), format!("{}{task}", file.prefix));
            }
        }
        let (prefix, dir, vars, env) = (file.prefix.clone(), file.dir.clone(), file.vars.clone(), file.env.clone());
        self.files.push(file);
        if depth > DEEPEST {
            return;
        }
        for (name, how) in includes.as_object().into_iter().flatten() {
            let flat = how["flatten"] == true;
            let own = if flat { prefix.clone() } else { format!("{prefix}{name}:") };
            let Some((path, json)) = self.included(how, folder, &vars, read) else {
                if how["optional"] != true {
                    self.lost.push(format!("tasks of `{name}` under `includes`: its file can't be read here"));
                }
                continue;
            };
            let lies = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            let runs = how["dir"].as_str().map_or(Some(dir.clone()), |own| {
                vars.fill(own).ok().and_then(|own| path_inside(&self.top, folder, &own))
            });
            let Some(runs) = runs else {
                self.lost.push(format!("tasks of `{name}` under `includes`: they run outside of the project"));
                continue;
            };
            let below = lies.strip_prefix(&self.top).unwrap_or(&lies).trim_matches('/').to_owned();
            // What is set where it is included can be overruled by the file itself.
            let vars = vars.in_folder(&below).with_from(&how["vars"], HERE).with(&json["vars"]);
            let mut env = env.clone();
            env.push(json["env"].clone());
            if !flat {
                let short = own.trim_end_matches(':').to_owned();
                self.aliases.insert(short, format!("{own}default"));
            }
            let excludes = how["excludes"].as_array().into_iter().flatten().map(plain).collect();
            self.add(File { prefix: own, json, dir: runs, vars, excludes, env }, &lies, depth + 1, read);
        }
    }

    /// Path and content of an included file.
    fn included(&self, how: &Json, folder: &str, vars: &Variables, read: Read<'_>) -> Option<(String, Json)> {
        let path = vars.fill(how["taskfile"].as_str().or(how.as_str())?).ok()?;
        let path = path_inside(&self.top, folder, &path)?;
        let mut candidates = vec![path.clone()];
        candidates.extend(FILES.iter().filter_map(|name| inside(&path, name)));
        candidates.into_iter().find_map(|path| {
            let text = read(&path)?;
            yaml(&text).ok().map(|json| (path, json))
        })
    }

    /// Full name, file and declaration of each task.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (String, &File, &Json)> {
        self.files.iter().flat_map(|file| {
            let tasks = file.json["tasks"].as_object().into_iter().flatten();
            let tasks = tasks.filter(|(name, _)| !file.excludes.contains(name));
            tasks.map(move |(name, task)| (format!("{}{name}", file.prefix), file, task))
        })
    }

    /// The full name of a task that is called in a file.
    pub(super) fn full_name(&self, file: &File, called: &str) -> String {
        let full = match called.strip_prefix(':') {
            Some(of_root) => of_root.to_owned(),
            None => format!("{}{called}", file.prefix),
        };
        let is_declared = self.tasks().any(|(name, _, _)| name == full);
        if is_declared { full } else { self.aliases.get(&full).cloned().unwrap_or(full) }
    }
}
