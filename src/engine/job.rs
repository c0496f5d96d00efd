//! Owns the preparation of an attempt: folders, environment, real secret values, the rendered table.
//! Does not know the machine that will use it.

use crate::engine::dispatch::Engine;
use crate::engine::rendered::{Rendered, rendered, surroundings};
use crate::engine::undo_order;
use crate::host::Host;
use crate::host::mask::Masks;
use crate::kind::machine::{Ground, Job, Memory};
use crate::kind::{self, Table};
use crate::model::action::KindName;
use crate::model::name::{AttemptId, RunId, TaskId, TaskKey};
use crate::model::task::Task;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
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

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
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
    /// Store ids of the tasks on which its cluster stood; none in recipes of a time before they were kept.
    #[serde(default)]
    pub beneath: Vec<i64>,
}

impl Engine<'_> {
    /// Prepares an attempt of a declared task.
    pub(super) fn prepare_attempt(&self, id: TaskId, attempt: AttemptId) -> Result<Prepared, Unprepared> {
        let task = self.project.task(id);
        let Rendered { table, declared, undo, masks } = rendered(self.host, &self.board, task)?;
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
        if let Some(subject) = task.action.subject.as_ref().filter(|_| !kind::find(task.action.kind).claims()) {
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
            memory: Memory {
                notes,
                token,
                incarnations,
                undo_began,
                ground: Ground::default(),
                foreign_owner: None,
                beside: Vec::new(),
                reasons: Vec::new(),
                around: self.board.histories.iter().flat_map(|history| history.incarnations.iter().cloned()).collect(),
            },
            contexts: self.project.env.kube_context.clone(),
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
        let mut env = surroundings(self.host, self.project.env.name.as_str(), task);
        env.extend(declared.clone());
        env.insert("INFRA_TASK".to_owned(), prepared.job.task.clone());
        env.insert("INFRA_RUN".to_owned(), self.run.to_string());
        env.insert("INFRA_ATTEMPT".to_owned(), prepared.job.attempt.to_string());
        env.insert("INFRA_EXPORTS".to_owned(), prepared.job.tmp.join("exports").to_string());
        env.insert("INFRA_TMP".to_owned(), prepared.job.tmp.to_string());
        env
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
            beneath: undo_order::beneath(&self.board, id),
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
