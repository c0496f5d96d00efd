//! Owns a project as it is in one environment: its settings, its tasks and their graph.
//! Does not know the files it came from beyond the places it keeps.

use crate::model::environment::Environment;
use crate::model::graph::Graph;
use crate::model::name::{TaskId, TaskName, template_name};
use crate::model::task::Task;
use std::collections::BTreeMap;

/// A project in one environment.
#[derive(Debug)]
pub struct Project {
    pub name: Option<String>,
    pub env: Environment,
    /// All declared environments: those under `[env]`, and the default one.
    pub env_names: Vec<String>,
    /// What `infra run` alone means.
    pub default: Vec<String>,
    /// Tool → version requirement (`>=1.9`).
    pub requires: BTreeMap<String, String>,
    /// Pool → how many at a time.
    pub pools: BTreeMap<String, u32>,
    pub tasks: Vec<Task>,
    pub graph: Graph,
    /// Task name as templates spell it → tasks (instances of one family share it).
    pub by_template_name: BTreeMap<String, Vec<TaskId>>,
    pub by_name: BTreeMap<TaskName, TaskId>,
    /// Families declared, but not in this environment.
    pub elsewhere: BTreeMap<TaskName, Vec<String>>,
}

impl Project {
    /// A task.
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.index()]
    }

    /// A task by its full name.
    pub fn find(&self, name: &str) -> Option<&Task> {
        self.by_name.get(name).map(|id| self.task(*id))
    }

    /// Tasks that `tasks.NAME` means.
    pub fn by_template(&self, name: &str) -> &[TaskId] {
        self.by_template_name.get(&template_name(name)).map_or(&[], Vec::as_slice)
    }
}
