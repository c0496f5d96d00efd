//! Owns what the rules of the design say is remembered: names, records, attempts, tokens.
//! Knows nothing of how the program stores it.

use crate::machines::Thing;
use crate::project::{Effect, Env, Id, Project};
use crate::world::{Content, Hook, World, objects};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that enters a fingerprint, by name. Two are the same fingerprint when they are equal.
pub type Manifest = BTreeMap<String, String>;

/// A record: the evidence that a task is done.
#[derive(Clone, Debug)]
pub struct Memo {
    pub task: u32,
    pub env: Env,
    pub effect: Effect,
    pub manifest: Manifest,
    pub outs: BTreeMap<String, Content>,
    /// Export `k`.
    pub value: Option<u32>,
    pub sum: u32,
    pub created: i64,
    pub attempt: u64,
    /// Things that it was built on; of a pure task none.
    pub built_on: BTreeSet<Thing>,
    /// Why it may not be believed.
    pub void: Option<String>,
}

impl Memo {
    /// What those see that need a pure or read task.
    pub fn made(&self) -> String {
        format!("{:?} {:?}", self.outs, self.value)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Failed,
    /// Not known: the runner died.
    Cut,
    /// Ended by a signal to the runner: known, and no success.
    Interrupted,
    /// A person said what came of it.
    Resolved,
}

#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: u64,
    pub end: End,
    /// As it was declared then.
    pub effect: Effect,
    pub manifest: Manifest,
}

/// How a task is undone, as it was declared when it started last.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The attempt that began.
    pub number: u64,
    pub label: String,
    pub has_undo: bool,
    /// Machines: what is not there needs no undoing.
    pub machines: bool,
    /// What it needed then.
    pub ups: BTreeSet<u32>,
}

/// What is remembered of a task in an environment beside its records.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub last: Option<Attempt>,
    /// The effect token: the last attempt that ran, and the last one that failed or was cut.
    pub token: (String, Option<u64>),
    /// It began to change the world since its last complete undo; how that is taken back.
    pub began: Option<Recipe>,
    /// A person allowed a `once` task to run again.
    pub rerun: bool,
    /// The world is as a person says it is (`resolve --done`), whatever the script would make.
    pub vouched: bool,
    /// The last answer of its probe, and when.
    pub probe: Option<(bool, i64)>,
    /// Something is known of its thing: its tool need not be asked.
    pub asked: bool,
}

/// The whole state of a story.
#[derive(Clone, Debug)]
pub struct Model {
    pub project: Project,
    pub world: World,
    /// Seconds on the story's clock.
    pub now: i64,
    /// The store's id of each name.
    pub names: BTreeMap<String, u32>,
    pub memos: Vec<Memo>,
    pub pasts: BTreeMap<(u32, Env), Past>,
    /// Things behind each task.
    pub things: BTreeMap<(u32, Env), BTreeSet<Thing>>,
    /// Objects in the content-addressed store.
    pub kept: BTreeSet<String>,
    /// Outputs that a dead run had moved aside; the next run of its environment puts them back.
    pub aside: Vec<(Env, String, Content)>,
    pub attempts: u64,
    next_task: u32,
}

impl Model {
    pub fn new(project: Project) -> Self {
        Self {
            project,
            world: World::default(),
            now: 0,
            names: BTreeMap::new(),
            memos: Vec::new(),
            pasts: BTreeMap::new(),
            things: BTreeMap::new(),
            kept: BTreeSet::new(),
            aside: Vec::new(),
            attempts: 0,
            next_task: 1,
        }
    }

    /// The store's id of a task: by its name, else by a former one.
    pub fn key(&self, id: Id) -> Option<u32> {
        let mut names = std::iter::once(self.project.name(id)).chain(self.project.was(id));
        names.find_map(|name| self.names.get(&name).copied())
    }

    /// Stands for a task in manifests, whatever it is called.
    pub fn identity(&self, id: Id) -> String {
        self.key(id).map_or_else(|| format!("new {}", self.project.name(id)), |key| key.to_string())
    }

    /// What a command that writes does before all: every name gets an id, those of former names move
    /// along, and what dead runs of the environment had moved aside is put back.
    pub fn begin_to_write(&mut self, env: Env) {
        for id in self.project.ids() {
            let name = self.project.name(id);
            match self.key(id) {
                Some(key) => {
                    self.names.retain(|_, known| *known != key);
                    self.names.insert(name, key);
                }
                None => {
                    self.names.insert(name, self.next_task);
                    self.next_task += 1;
                }
            }
        }
        *self = self.recovered(env);
    }

    /// As the next run of an environment finds it, when it has put back what a dead one had moved aside.
    pub fn recovered(&self, env: Env) -> Self {
        let mut model = self.clone();
        model.aside.retain(|(of, _, _)| *of != env);
        for (_, path, content) in self.aside.iter().filter(|(of, _, _)| *of == env) {
            model.world.put(path, content);
        }
        model
    }

    pub fn past(&self, id: Id, env: Env) -> Past {
        self.key(id).and_then(|key| self.pasts.get(&(key, env)).cloned()).unwrap_or_default()
    }

    pub fn past_mut(&mut self, id: Id, env: Env) -> &mut Past {
        let key = self.key(id).expect("a command that writes has given it an id");
        self.pasts.entry((key, env)).or_default()
    }

    /// The newest record of an environment.
    pub fn newest(&self, id: Id, env: Env) -> Option<&Memo> {
        let key = self.key(id)?;
        self.memos.iter().rev().find(|memo| memo.task == key && memo.env == env)
    }

    /// Voids what a filter picks and is not void yet.
    pub fn void(&mut self, why: &str, is: impl Fn(&Memo) -> bool) {
        for memo in self.memos.iter_mut().filter(|memo| memo.void.is_none() && is(memo)) {
            memo.void = Some(why.to_owned());
        }
    }

    /// Whether an output can be put back.
    pub fn is_kept(&self, content: &Content) -> bool {
        objects(content).is_subset(&self.kept)
    }

    pub fn hook(&self, label: &str) -> Option<Hook> {
        self.world.hooks.get(label).copied()
    }
}
