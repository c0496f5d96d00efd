//! Owns the preparation of an attempt: folders, environment, real secret values, the rendered table.
//! Does not know the machine that will use it.

use crate::engine::dispatch::Engine;
use crate::engine::undo_order;
use crate::host::Host;
use crate::host::mask::Masks;
use crate::kind::machine::{Job, Memory};
use crate::kind::{self, Table};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::name::{AttemptId, RunId, TaskId, TaskKey};
use crate::model::record::Export;
use crate::model::task::Task;
use crate::plan::scope::{self, Reveal};
use crate::template::{self, Scope};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why an attempt could not be prepared; nothing was started.
#[derive(Debug)]
pub(super) struct Unprepared {
    pub message: String,
    pub hint: Option<String>,
    pub exit: u8,
}

impl Unprepared {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: 1 }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An attempt, ready to start.
pub(super) struct Prepared {
    pub job: Job,
    /// The complete environment of its processes.
    pub env: BTreeMap<String, String>,
    pub masks: Arc<Masks>,
    pub log: Utf8PathBuf,
}

/// Everything that is needed to undo a task when it is no longer declared. Sealed in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UndoRecipe {
    pub kind: String,
    pub task: String,
    pub table: Table,
    pub dir: String,
    pub env: BTreeMap<String, String>,
    pub undo: Vec<Vec<String>>,
    /// Store ids of the tasks that it was built on: it is undone before them.
    pub needs: Vec<i64>,
}

/// Opens what is sealed: real values, gathered so that they can be masked.
struct Real<'a> {
    host: &'a Host,
    seen: RefCell<Vec<String>>,
    troubles: RefCell<Vec<String>>,
}

impl Real<'_> {
    fn remember(&self, value: &Json) {
        match value {
            Json::String(text) => self.seen.borrow_mut().push(text.clone()),
            Json::Array(items) => items.iter().for_each(|item| self.remember(item)),
            Json::Object(items) => items.values().for_each(|item| self.remember(item)),
            Json::Number(number) => self.seen.borrow_mut().push(number.to_string()),
            Json::Bool(_) | Json::Null => {}
        }
    }
}

impl Reveal for Real<'_> {
    fn export(&self, export: &Export) -> Json {
        match export {
            Export::Plain { value } => value.clone(),
            Export::Sealed { sealed, .. } => match self.host.unseal(sealed) {
                Ok(value) => {
                    self.remember(&value);
                    value
                }
                Err(error) => {
                    self.troubles.borrow_mut().push(error);
                    Json::Null
                }
            },
        }
    }

    fn secret(&self, name: &str) -> Json {
        match self.host.secret_value(name) {
            Ok(value) => {
                self.seen.borrow_mut().push(value.clone());
                Json::String(value)
            }
            Err(error) => {
                self.troubles.borrow_mut().push(error);
                Json::Null
            }
        }
    }
}

/// Variables of the caller that every task gets.
const ALLOWED: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TZ",
    "TERM",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
];

impl Engine<'_> {
    /// Prepares an attempt of a declared task.
    pub(super) fn prepare_attempt(&self, id: TaskId, attempt: AttemptId) -> Result<Prepared, Unprepared> {
        let task = self.project.task(id);
        let reads = scope::reads_with_undo(task);
        let real = Real { host: self.host, seen: RefCell::default(), troubles: RefCell::default() };
        let scope = scope::scope(&self.board, task, &reads, &real);
        if let Some(trouble) = real.troubles.borrow().first() {
            return Err(Unprepared::new(trouble.clone()).hint("see `[secrets]` in `infra.toml`"));
        }
        let broken = |error: template::RenderError| Unprepared { message: error.message, hint: error.help, exit: 1 };
        let mut table = Table::new();
        for (key, tree) in &task.action.table {
            table.insert(key.clone(), template::render_tree(tree, &scope).map_err(broken)?);
        }
        if task.action.kind == KindName::Template {
            self.render_files(&mut table, &scope)?;
        }
        let mut declared = BTreeMap::new();
        for (name, text) in &task.env {
            declared.insert(name.clone(), template::render_text(text, &scope).map_err(broken)?);
        }
        let mut undo = Vec::new();
        for argv in &task.undo {
            let words: Result<Vec<String>, _> = argv.iter().map(|text| template::render_text(text, &scope)).collect();
            undo.push(words.map_err(broken)?);
        }
        let masks = Arc::new(Masks::new(&real.seen.take()));
        let key = self.board.key(id);
        self.assemble(task.name.as_str(), task, key, attempt, table, &declared, undo, masks)
    }

    /// Prepares the undo of a task by the recipe that was recorded at its last start.
    pub(super) fn prepare_undo(
        &self,
        key: TaskKey,
        recipe: UndoRecipe,
        attempt: AttemptId,
        like: Option<&Task>,
        masks: Arc<Masks>,
    ) -> Result<Prepared, Unprepared> {
        let name = recipe.task.clone();
        let mut prepared = self.folders(&name, key, attempt, recipe.table, recipe.undo, masks, recipe.dir.as_str())?;
        prepared.env = self.environment(like, &prepared, &recipe.env);
        Ok(prepared)
    }

    #[allow(clippy::too_many_arguments, reason = "one call site; a struct would only rename the arguments")]
    fn assemble(
        &self,
        name: &str,
        task: &Task,
        key: TaskKey,
        attempt: AttemptId,
        table: Table,
        declared: &BTreeMap<String, String>,
        undo: Vec<Vec<String>>,
        masks: Arc<Masks>,
    ) -> Result<Prepared, Unprepared> {
        let mut prepared = self.folders(name, key, attempt, table, undo, masks, task.dir.as_str())?;
        prepared.job.exports = task.exports.clone();
        prepared.env = self.environment(Some(task), &prepared, declared);
        if let Some(subject) = &task.action.subject {
            let owner = self.host.store.borrow().owner(subject).map_err(|error| Unprepared::new(error.to_string()))?;
            let env = self.project.env.name.as_str();
            prepared.job.memory.foreign_owner = owner
                .filter(|owner| owner.task != key || owner.env != env)
                .map(|owner| format!("`{}` in environment `{}`", owner.task_name, owner.env));
        }
        Ok(prepared)
    }

    #[allow(clippy::too_many_arguments, reason = "as above")]
    fn folders(
        &self,
        name: &str,
        key: TaskKey,
        attempt: AttemptId,
        table: Table,
        undo: Vec<Vec<String>>,
        masks: Arc<Masks>,
        dir: &str,
    ) -> Result<Prepared, Unprepared> {
        let env = self.project.env.name.as_str();
        let folder = attempt_folder(self.host, self.run, name, attempt);
        let tmp = folder.join("tmp");
        let keep = self.host.state.join("env").join(env).join(file_name(name));
        for made in [&folder, &tmp, &keep] {
            self.host.make_private_dir(made).map_err(|error| Unprepared { message: error, hint: None, exit: 7 })?;
        }
        let store = self.host.store.borrow();
        let broken =
            |error: crate::host::store::StoreError| Unprepared { message: error.to_string(), hint: None, exit: 7 };
        let (token, undo_began) = store.token_and_undo(key, &self.project.env.name).map_err(broken)?;
        let notes = store.notes(key, &self.project.env.name).map_err(broken)?;
        let incarnations = self
            .board
            .keys
            .iter()
            .position(|known| *known == key)
            .map(|index| self.board.histories[index].incarnations.clone())
            .unwrap_or_default();
        let mut work_dir = self.host.root.clone();
        if !dir.is_empty() {
            work_dir.push(dir);
        }
        let job = Job {
            task: name.to_owned(),
            env: env.to_owned(),
            attempt: attempt.0,
            table,
            exports: BTreeMap::new(),
            root: self.host.root.clone(),
            tmp,
            keep,
            dir: work_dir,
            undo,
            memory: Memory { notes, token, incarnations, undo_began, foreign_owner: None },
            tools: BTreeMap::new(),
            inputs_digest: self.inputs_digest(key),
        };
        let log = folder.join("output.log");
        Ok(Prepared { job, env: BTreeMap::new(), masks, log })
    }

    /// Digest of the input files of a declared task: tells a kind when to prepare its folder anew.
    fn inputs_digest(&self, key: TaskKey) -> String {
        use crate::model::digest::{Domain, Encoder};
        use crate::model::manifest::EntryKey;
        let mut encoder = Encoder::new(Domain::Tree);
        let manifest = self
            .board
            .keys
            .iter()
            .position(|known| *known == key)
            .and_then(|index| self.verdicts[index].as_ref())
            .and_then(|verdict| verdict.manifest.as_ref());
        for entry in manifest.iter().flat_map(|manifest| &manifest.entries) {
            if let EntryKey::Path { path } | EntryKey::Artifact { path, .. } = &entry.key {
                encoder.text(path).digest(&entry.digest);
            }
        }
        encoder.finish().hex()
    }

    fn environment(
        &self,
        task: Option<&Task>,
        prepared: &Prepared,
        declared: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for (name, value) in &self.host.caller_env {
            if ALLOWED.contains(&name.as_str()) || name.starts_with("LC_") || name == "all_proxy" {
                env.insert(name.clone(), value.clone());
            }
        }
        env.insert("PATH".to_owned(), self.host.search_path());
        let pure = task.is_some_and(|task| task.effect == Effect::Pure);
        if pure {
            env.retain(|name, _| name != "LANG" && name != "TZ" && !name.starts_with("LC_"));
            env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
            env.insert("TZ".to_owned(), "UTC".to_owned());
        } else {
            env.insert("INFRA_ENV".to_owned(), self.project.env.name.to_string());
        }
        if let Some(task) = task {
            for name in &task.pass_env {
                if let Some(value) = self.host.passed(name) {
                    env.insert(name.clone(), value);
                }
            }
        }
        env.extend(declared.clone());
        env.insert("INFRA_TASK".to_owned(), prepared.job.task.clone());
        env.insert("INFRA_RUN".to_owned(), self.run.to_string());
        env.insert("INFRA_ATTEMPT".to_owned(), prepared.job.attempt.to_string());
        env.insert("INFRA_EXPORTS".to_owned(), prepared.job.tmp.join("exports").to_string());
        env.insert("INFRA_TMP".to_owned(), prepared.job.tmp.to_string());
        env
    }

    fn render_files(&self, table: &mut Table, scope: &Scope) -> Result<(), Unprepared> {
        let render = |file: &mut serde_json::Map<String, Json>| -> Result<(), Unprepared> {
            let from = file.get("from").and_then(Json::as_str).unwrap_or("").to_owned();
            let extra = file.get("vars").cloned().unwrap_or(Json::Null);
            let text =
                template::render_file(from.as_str().into(), &self.host.disk, scope, &extra).map_err(|error| {
                    let place = error.place.as_ref().map(|place| format!(" ({})", self.host.declared(place)));
                    Unprepared {
                        message: format!("`{from}` cannot be rendered: {}{}", error.message, place.unwrap_or_default()),
                        hint: error.help,
                        exit: 1,
                    }
                })?;
            file.insert("content".to_owned(), Json::String(text));
            if !file.contains_key("mode")
                && let Some(mode) = self.host.mode_of(from.as_str().into())
            {
                file.insert("mode".to_owned(), Json::String(format!("{mode:o}")));
            }
            Ok(())
        };
        match table.get_mut("files") {
            Some(Json::Array(items)) => items.iter_mut().filter_map(Json::as_object_mut).try_for_each(render),
            Some(Json::Object(one)) => render(one),
            _ => Ok(()),
        }
    }

    /// The recipe by which a task is undone, sealed.
    pub(super) fn recipe(&self, id: TaskId, job: &Job, env: &BTreeMap<String, String>) -> Option<String> {
        let task = self.project.task(id);
        let declared: BTreeMap<String, String> = task
            .env
            .keys()
            .chain(&task.pass_env)
            .filter_map(|name| env.get(name).map(|value| (name.clone(), value.clone())))
            .collect();
        let recipe = UndoRecipe {
            kind: task.action.kind.word().to_owned(),
            task: task.name.to_string(),
            table: job.table.clone(),
            dir: task.dir.to_string(),
            env: declared,
            undo: job.undo.clone(),
            needs: undo_order::grounds(&self.board, id),
        };
        serde_json::to_vec(&recipe).ok().and_then(|bytes| self.host.seal(&bytes).ok())
    }
}

/// `.infra/runs/<run>/<task>/<attempt>`.
pub(super) fn attempt_folder(host: &Host, run: RunId, task: &str, attempt: AttemptId) -> Utf8PathBuf {
    host.state.join("runs").join(run.to_string()).join(file_name(task)).join(attempt.to_string())
}

/// A task's name as a file name: `host[a/b]` must not make folders.
pub fn file_name(name: &str) -> String {
    name.replace('/', "%2F")
}

/// The kind of a recipe.
pub(super) fn kind_of(recipe: &UndoRecipe) -> Option<&'static dyn kind::Kind> {
    KindName::parse(&recipe.kind).map(kind::find)
}
