//! Owns what is known while tasks are judged: ids, histories, and how each upstream was settled.
//! Does not know how a verdict is reached.

use crate::model::graph::Edge;
use crate::model::name::{TaskId, TaskKey};
use crate::model::project::Project;
use crate::model::record::{History, Incarnation, Record};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

static NOTHING: LazyLock<Arc<BTreeSet<Incarnation>>> = LazyLock::new(Arc::default);

/// How a task stands for those that read it.
#[derive(Clone, Debug)]
pub enum Settled {
    /// Not fresh: what it will make is not known.
    No,
    /// Fresh or just ran; an undo task, or one that failed and may, has no record.
    Yes(Option<Arc<Record>>),
    /// All but an artifact on disk is in order.
    Restorable(Arc<Record>),
    /// An expired `read` task: judged by its last values.
    LastValues(Arc<Record>),
}

impl Settled {
    /// Its record, when it may be built on.
    pub fn record(&self) -> Option<&Arc<Record>> {
        match self {
            Self::No => None,
            Self::Yes(record) => record.as_ref(),
            Self::Restorable(record) | Self::LastValues(record) => Some(record),
        }
    }

    /// Whether those that read it can be judged.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::No)
    }
}

/// Everything known for one round of judgements.
#[derive(Debug)]
pub struct Board<'a> {
    pub project: &'a Project,
    /// Store id of each task. Tasks that the store never saw have ids below zero.
    pub keys: Vec<TaskKey>,
    pub histories: Vec<History>,
    pub settled: Vec<Settled>,
    /// Names of all tasks that the store knows, for explanations.
    names: HashMap<TaskKey, String>,
    alive: Vec<Arc<BTreeSet<Incarnation>>>,
}

impl<'a> Board<'a> {
    /// A board with nothing settled. `stored` are the ids by name, `histories` by id.
    pub fn new(
        project: &'a Project,
        stored: &HashMap<String, TaskKey>,
        mut histories: HashMap<TaskKey, History>,
    ) -> Self {
        let mut names: HashMap<TaskKey, String> = stored.iter().map(|(name, key)| (*key, name.clone())).collect();
        let mut keys = Vec::with_capacity(project.tasks.len());
        let mut own = Vec::with_capacity(project.tasks.len());
        for task in &project.tasks {
            let key = stored
                .get(task.name.as_str())
                .or_else(|| task.was.iter().find_map(|former| stored.get(former)))
                .copied()
                .unwrap_or(TaskKey(-1 - i64::from(task.id.0)));
            names.insert(key, task.name.to_string());
            keys.push(key);
            own.push(histories.remove(&key).unwrap_or_default());
        }
        let count = project.tasks.len();
        let mut board = Self {
            project,
            keys,
            histories: own,
            settled: vec![Settled::No; count],
            names,
            alive: vec![NOTHING.clone(); count],
        };
        for id in project.graph.order() {
            board.refresh_alive(*id);
        }
        board
    }

    /// A task's store id.
    pub fn key(&self, id: TaskId) -> TaskKey {
        self.keys[id.index()]
    }

    /// A task's history.
    pub fn history(&self, id: TaskId) -> &History {
        &self.histories[id.index()]
    }

    /// How a store id is called now; vanished tasks keep their last name.
    pub fn name_of(&self, key: &str) -> String {
        key.parse().ok().and_then(|number| self.names.get(&TaskKey(number)).cloned()).unwrap_or_else(|| key.to_owned())
    }

    /// Incarnations that upstream has now, through every edge but `after`.
    pub fn alive(&self, id: TaskId) -> &Arc<BTreeSet<Incarnation>> {
        &self.alive[id.index()]
    }

    /// Computes anew what is alive upstream of a task; call it for all of them in graph order, or for
    /// a task before it is judged, when its upstreams are settled.
    pub fn refresh_alive(&mut self, id: TaskId) {
        let mut sets: Vec<&BTreeSet<Incarnation>> = Vec::new();
        for (up, edge) in self.project.graph.up(id) {
            if *edge == Edge::After {
                continue;
            }
            let own = &self.histories[up.index()].incarnations;
            if !own.is_empty() {
                sets.push(own);
            }
            if !self.alive[up.index()].is_empty() {
                sets.push(&self.alive[up.index()]);
            }
        }
        let alive = match sets.as_slice() {
            [] => NOTHING.clone(),
            many => Arc::new(many.iter().flat_map(|set| set.iter().cloned()).collect()),
        };
        self.alive[id.index()] = alive;
    }
}
