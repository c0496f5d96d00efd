//! Owns the project of a story as data: tasks, edges, variables, input files. Edits change it; `text.rs`
//! writes it to disk; the rules read it.
//! Knows nothing of what ran.

use std::collections::{BTreeMap, BTreeSet};

/// An environment.
pub type Env = &'static str;
pub const ENVS: [Env; 2] = ["local", "dev"];

/// Keys that a `foreach` may have.
pub const KEYS: [char; 3] = ['a', 'b', 'c'];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Pure,
    Read,
    Idempotent,
    Once,
}

impl Effect {
    pub const ALL: [Self; 4] = [Self::Pure, Self::Read, Self::Idempotent, Self::Once];

    pub fn word(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::Once => "once",
        }
    }

    pub fn changes_world(self) -> bool {
        matches!(self, Self::Idempotent | Self::Once)
    }
}

/// What performs a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// `shell = "…"`.
    Shell,
    /// `run = ["scripts/…"]`: a program in the project.
    Script,
    /// `template = { from, to }`.
    Template,
    /// `terraform = { dir, workspace, vars }`: things in the world, each with an identity.
    Machines,
    /// `undo_of = […]`, by place in the list of tasks.
    Undo(BTreeSet<usize>),
}

/// What a task writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    Nothing,
    File,
    Folder,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub name: String,
    pub was: Vec<String>,
    /// What the task is called in the world, in its script: outlives a rename with `was`.
    pub mark: u32,
    pub declared: bool,
    pub how: How,
    pub effect: Effect,
    /// Of the action: another one makes something else.
    pub version: u32,
    /// Of the description: means nothing.
    pub noise: u32,
    /// Comments in its input files mean nothing to it.
    pub strips: bool,
    pub vars: BTreeSet<usize>,
    pub files: BTreeSet<usize>,
    pub folders: BTreeSet<usize>,
    // Places in the list of tasks, always before the task's own.
    pub needs: BTreeSet<usize>,
    pub after: BTreeSet<usize>,
    pub values: BTreeSet<usize>,
    pub artifacts: BTreeSet<usize>,
    pub out: Out,
    pub exports: bool,
    pub ttl: bool,
    pub may_fail: bool,
    pub has_undo: bool,
    pub probe: bool,
    pub keys: Option<BTreeSet<char>>,
}

impl Task {
    pub fn is_machines(&self) -> bool {
        self.how == How::Machines
    }

    pub fn is_undo(&self) -> bool {
        matches!(self.how, How::Undo(_))
    }
}

/// One task of the graph: an instance of a declared one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub task: usize,
    pub key: Option<char>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    After,
    Reads,
    Needs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub tasks: Vec<Task>,
    /// Value of each variable, and of those that `dev` sets itself.
    pub vars: Vec<u32>,
    pub dev_vars: Vec<Option<u32>>,
    /// `in/fN`: what it says, and a comment.
    pub files: Vec<(u32, u32)>,
    /// `src/gN/xM.txt`: what it says.
    pub folders: Vec<BTreeMap<u32, u32>>,
}

impl Project {
    pub fn task(&self, id: Id) -> &Task {
        &self.tasks[id.task]
    }

    /// Every task of the graph, upstream first.
    pub fn ids(&self) -> Vec<Id> {
        (0..self.tasks.len()).flat_map(|task| self.instances(task)).collect()
    }

    /// An undo of nothing is not declared.
    pub fn is_declared(&self, task: usize) -> bool {
        let declared = &self.tasks[task];
        declared.declared && !matches!(&declared.how, How::Undo(of) if of.iter().all(|of| !self.tasks[*of].declared))
    }

    pub fn instances(&self, task: usize) -> Vec<Id> {
        let declared = &self.tasks[task];
        match &declared.keys {
            _ if !self.is_declared(task) => Vec::new(),
            None => vec![Id { task, key: None }],
            Some(keys) => keys.iter().map(|key| Id { task, key: Some(*key) }).collect(),
        }
    }

    pub fn name(&self, id: Id) -> String {
        named(&self.task(id).name, id.key)
    }

    /// Former names of an instance.
    pub fn was(&self, id: Id) -> Vec<String> {
        self.task(id).was.iter().map(|was| named(was, id.key)).collect()
    }

    /// What a task is called in the world.
    pub fn label(&self, id: Id) -> String {
        let mark = self.task(id).mark;
        id.key.map_or_else(|| format!("w{mark}"), |key| format!("w{mark}.{key}"))
    }

    pub fn by_name(&self, name: &str) -> Option<Id> {
        self.ids().into_iter().find(|id| self.name(*id) == name)
    }

    pub fn var(&self, env: Env, var: usize) -> u32 {
        self.dev_vars[var].filter(|_| env == "dev").unwrap_or(self.vars[var])
    }

    /// Whether a task's thing is probed.
    pub fn probes(&self, task: usize) -> bool {
        let task = &self.tasks[task];
        task.probe && task.effect.changes_world() && !task.is_undo() && !task.is_machines()
    }

    // What a task reads of others that are declared.

    pub fn needs(&self, task: usize) -> Vec<usize> {
        self.tasks[task].needs.iter().copied().filter(|up| self.tasks[*up].declared).collect()
    }

    pub fn after(&self, task: usize) -> Vec<usize> {
        self.tasks[task].after.iter().copied().filter(|up| self.tasks[*up].declared).collect()
    }

    pub fn values(&self, task: usize) -> Vec<usize> {
        let gives = |up: &usize| {
            let up = &self.tasks[*up];
            // What a task may fail to export can't be read: that would be an error of the story.
            up.declared && up.exports && !up.may_fail
        };
        // What terraform is to undo it can't be asked to without its variables.
        let reads = |up: &usize| !self.tasks[task].is_machines() && gives(up);
        self.tasks[task].values.iter().copied().filter(reads).collect()
    }

    pub fn artifacts(&self, task: usize) -> Vec<usize> {
        let gives = |up: &usize| {
            let up = &self.tasks[*up];
            up.declared && up.out != Out::Nothing && up.keys.is_none()
        };
        let reads_files = !matches!(self.tasks[task].how, How::Template | How::Machines);
        let reads = |up: &usize| reads_files && gives(up);
        self.tasks[task].artifacts.iter().copied().filter(reads).collect()
    }

    /// Everything upstream of a task, with the strongest edge.
    pub fn ups(&self, id: Id) -> BTreeMap<Id, Edge> {
        let mut ups = BTreeMap::new();
        let mut add = |tasks: Vec<usize>, edge: Edge| {
            for up in tasks.into_iter().flat_map(|up| self.instances(up)) {
                let slot = ups.entry(up).or_insert(edge);
                *slot = edge.max(*slot);
            }
        };
        add(self.after(id.task), Edge::After);
        add(self.values(id.task), Edge::Reads);
        add(self.artifacts(id.task), Edge::Reads);
        add(self.needs(id.task), Edge::Needs);
        ups
    }

    /// The seeds and everything upstream, or downstream, of them.
    pub fn reach(&self, seeds: &BTreeSet<Id>, down: bool) -> BTreeSet<Id> {
        let mut found = seeds.clone();
        let mut ids = self.ids();
        if !down {
            ids.reverse();
        }
        // In graph order one pass is enough.
        for id in ids {
            if down && self.ups(id).keys().any(|up| found.contains(up)) {
                found.insert(id);
            }
            if !down && found.contains(&id) {
                found.extend(self.ups(id).into_keys());
            }
        }
        found
    }
}

pub fn named(family: &str, key: Option<char>) -> String {
    key.map_or_else(|| family.to_owned(), |key| format!("{family}[{key}]"))
}
