//! Owns the carrying out of undo tasks: the undo of each target in turn, each with its own intent and end.
//! Does not know how a kind takes back what it did.

use crate::engine::RunError;
use crate::engine::attempt::Live;
use crate::engine::dispatch::Engine;
pub use crate::engine::job::UndoRecipe;
use crate::engine::job::{self, Prepared, Unprepared};
use crate::engine::settle::Said;
use crate::engine::undo_order::{Made, beneath, ground, last_made_first};
use crate::host::mask::Masks;
use crate::kind::machine::{Done, Heard, Machine, Step, StepEnd, Trouble};
use crate::kind::run::Steps;
use crate::model::action::KindName;
use crate::model::effect::Outcome;
use crate::model::facts::Facts;
use crate::model::name::{AttemptId, DESTROY, TaskId, TaskKey};
use crate::plan::undo::{self, Undo};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Something on record that is no longer declared and is to be taken back.
#[derive(Clone, Debug)]
pub struct OrphanToUndo {
    pub key: TaskKey,
    pub name: String,
    /// Its sealed recipe.
    pub recipe: String,
}

/// One target of an undo.
#[derive(Clone, Debug)]
struct Target {
    key: TaskKey,
    id: Option<TaskId>,
    name: String,
    /// Sealed recipe of its last start.
    recipe: Option<String>,
    /// What it was built on when it was made last.
    on: Vec<i64>,
}

/// A target whose undo failed, with what its failure is told by.
#[derive(Debug)]
struct Failed {
    target: Target,
    trouble: Trouble,
    step: Option<Step>,
    end: StepEnd,
    tail: VecDeque<String>,
}

/// The targets of an undo task under way.
#[derive(Debug, Default)]
pub(super) struct UndoQueue {
    waiting: VecDeque<Target>,
    current: Option<Target>,
    /// Without an undo of their own: undone with what they lived on, so when the others are.
    with_the_others: Vec<Target>,
    /// What did not come to a good end, first things first; and what is left because that was built on it.
    failed: Vec<Failed>,
    left: Vec<String>,
    taken_back: Vec<String>,
    nothing_there: Vec<String>,
    all: Vec<TaskId>,
    /// All that it takes back, what was taken back before included.
    going: Arc<[TaskKey]>,
}

impl UndoQueue {
    /// Whether one of them is being taken back.
    pub(super) fn is_at_one(&self) -> bool {
        self.current.is_some()
    }

    /// What is taken back just now: its name, and where it is declared.
    pub(super) fn current(&self) -> Option<(&str, Option<TaskId>)> {
        self.current.as_ref().map(|target| (target.name.as_str(), target.id))
    }

    /// Store id of what is taken back just now.
    pub(super) fn current_key(&self) -> Option<TaskKey> {
        self.current.as_ref().map(|target| target.key)
    }

    /// What is still to be taken back, in this order.
    pub(super) fn names_ahead(&self) -> Vec<String> {
        self.current.iter().chain(&self.waiting).map(|target| target.name.clone()).collect()
    }

    /// Declared tasks among its targets.
    pub(super) fn declared_targets(&self) -> Vec<TaskId> {
        self.all.clone()
    }
}

impl Engine<'_> {
    /// Prepares the attempt of the undo task itself; each target is prepared when its turn comes.
    pub(super) fn prepare_undo_task(&self, id: TaskId, attempt: AttemptId) -> Result<Prepared, Unprepared> {
        let recipe = UndoRecipe {
            kind: KindName::UndoOf.word().to_owned(),
            task: self.project.task(id).name.to_string(),
            table: BTreeMap::new(),
            dir: String::new(),
            env: BTreeMap::new(),
            undo: Vec::new(),
            needs: Vec::new(),
            beneath: Vec::new(),
        };
        self.prepare_undo(self.board.key(id), recipe, attempt, Some(self.project.task(id)), Arc::default())
    }

    /// Lines up the targets.
    pub(super) fn begin_undo(&mut self, id: TaskId, live: &mut Live) {
        let task = self.project.task(id);
        let mut queue = UndoQueue { all: task.action.undoes.clone(), ..UndoQueue::default() };
        let recipes: BTreeMap<TaskKey, Option<String>> = self
            .host
            .store
            .borrow()
            .on_record(&self.project.env.name)
            .unwrap_or_default()
            .into_iter()
            .map(|orphan| (orphan.key, orphan.undo))
            .collect();
        let mut targets: Vec<Target> = Vec::new();
        if task.name.as_str() == DESTROY {
            targets.extend(self.request.orphans.iter().map(|orphan| Target {
                key: orphan.key,
                id: None,
                name: orphan.name.clone(),
                recipe: Some(orphan.recipe.clone()),
                on: Vec::new(),
            }));
        }
        for target in &task.action.undoes {
            if undo::target(&self.board, *target) == Undo::Nothing && !self.request.forced.contains(&id) {
                continue;
            }
            let key = self.board.key(*target);
            targets.push(Target {
                key,
                id: Some(*target),
                name: self.project.task(*target).name.to_string(),
                recipe: recipes.get(&key).cloned().flatten(),
                on: Vec::new(),
            });
        }
        let made: Vec<Made> =
            targets.iter().map(|one| Made::read(self.host, one.key, one.id, one.recipe.as_deref())).collect();
        for (target, made) in targets.iter_mut().zip(&made) {
            target.on.clone_from(&made.on);
        }
        queue.going = targets.iter().map(|one| one.key).chain(queue.all.iter().map(|id| self.board.key(*id))).collect();
        queue.waiting.extend(last_made_first(&self.board, &made).into_iter().map(|place| targets[place].clone()));
        live.undo = Some(queue);
        // The first `advance` finds this machine done at once and goes on with the first target.
        live.machine = Some(Box::new(Between));
    }

    /// The machine of a target is done.
    pub(super) fn undo_target_done(&mut self, id: TaskId, done: Done) -> Result<(), RunError> {
        let undo_name = self.project.task(id).name.to_string();
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        let attempt = live.attempt;
        let Some(queue) = live.undo.as_mut() else { return Ok(()) };
        if let Some(target) = queue.current.take() {
            if done.nothing_there {
                queue.nothing_there.push(target.name.clone());
            } else {
                queue.taken_back.push(target.name.clone());
            }
            self.host.store.borrow_mut().undone(attempt, &undo_name, target.key, &self.project.env.name)?;
            if let Some(target) = target.id {
                self.reload(target)?;
                self.board.settled[target.index()] = crate::plan::board::Settled::No;
            }
            if let Some(summary) = done.summary {
                self.notice(id, format!("{}: {summary}", target.name));
            }
        }
        self.next_target(id)
    }

    fn next_target(&mut self, id: TaskId) -> Result<(), RunError> {
        loop {
            let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
            let Some(queue) = live.undo.as_mut() else { return Ok(()) };
            let Some(target) = queue.waiting.pop_front() else { return self.undo_finished(id) };
            queue.current = Some(target.clone());
            let attempt = live.attempt;
            let going = Arc::clone(&queue.going);
            let prepared = match self.prepare_target(&target, attempt, &going) {
                Ok(prepared) => prepared,
                Err(trouble) => {
                    self.note_exit(trouble.exit);
                    let (message, hint) = (trouble.message, trouble.hint);
                    return self.fail(id, Trouble { message, hint, ..Trouble::default() });
                }
            };
            let (prepared, kind) = prepared;
            let machine: Option<Box<dyn Machine>> =
                kind.and_then(|kind| kind.undo(prepared.job.clone())).or_else(|| {
                    let argvs = prepared.job.undo.clone();
                    (!argvs.is_empty()).then(|| Box::new(Steps::new(argvs, &prepared.job)) as Box<dyn Machine>)
                });
            let Some(machine) = machine else {
                if let Some(queue) = self.live.get_mut(&id).and_then(|live| live.undo.as_mut()) {
                    queue.current = None;
                    queue.with_the_others.push(target);
                }
                continue;
            };
            if let Some(live) = self.live.get_mut(&id) {
                live.machine = Some(machine);
                live.job = prepared.job;
                live.env = prepared.env;
                live.masks = prepared.masks;
                if let Some(kind) = kind {
                    live.grace = live.grace.max(kind.grace());
                }
            }
            return self.advance(id, Heard::Start);
        }
    }

    fn prepare_target(
        &self,
        target: &Target,
        attempt: AttemptId,
        going: &[TaskKey],
    ) -> Result<(Prepared, Option<&'static dyn crate::kind::Kind>), Unprepared> {
        if let Some(sealed) = &target.recipe {
            let recipe: UndoRecipe = self
                .host
                .unseal(sealed)
                .and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()))
                .map_err(|error| Unprepared::new(format!("its recipe cannot be read: {error}")))?;
            let kind = job::kind_of(&recipe);
            let secrets: Vec<String> = recipe.env.values().cloned().collect();
            let like = target.id.map(|id| self.project.task(id));
            let ground = ground(&self.board, &recipe.beneath, going);
            let mut prepared = self.prepare_undo(target.key, recipe, attempt, like, Arc::new(Masks::new(&secrets)))?;
            prepared.job.memory.ground = ground;
            prepared.job.memory.beside = self.notes_beside(target.key, kind.map(crate::kind::Kind::name));
            return Ok((prepared, kind));
        }
        let Some(id) = target.id else { return Err(Unprepared::new("there is no record of how it is undone")) };
        let mut prepared = self.prepare_attempt(id, attempt)?;
        prepared.job.memory.ground = ground(&self.board, &beneath(&self.board, id), going);
        prepared.job.memory.beside = self.notes_beside(target.key, Some(self.project.task(id).action.kind));
        Ok((prepared, Some(crate::kind::find(self.project.task(id).action.kind))))
    }

    /// What the other declared tasks of a kind remember: an undo leaves alone what is theirs by now.
    fn notes_beside(&self, key: TaskKey, kind: Option<KindName>) -> Vec<BTreeMap<String, String>> {
        let store = self.host.store.borrow();
        let others = self.project.tasks.iter().filter(|task| Some(task.action.kind) == kind);
        let others = others.map(|task| self.board.key(task.id)).filter(|other| *other != key);
        others.filter_map(|other| store.notes(other, &self.project.env.name).ok()).collect()
    }

    /// Before the first step of a target that can change the world.
    pub(super) fn intend_undo_target(&mut self, id: TaskId) -> Result<(), RunError> {
        let undo_name = self.project.task(id).name.to_string();
        self.sync_kept()?;
        let Some(live) = self.live.get(&id) else { return Ok(()) };
        let Some(queue) = live.undo.as_ref() else { return Ok(()) };
        let mut store = self.host.store.borrow_mut();
        for target in queue.current.iter().chain(&queue.with_the_others) {
            store.intend_undo(live.attempt, &undo_name, target.key, &self.project.env.name)?;
        }
        Ok(())
    }

    /// The undo of one target failed: what it was built on is left, the others are taken back all the same.
    pub(super) fn undo_target_failed(&mut self, id: TaskId, trouble: Trouble) -> Result<(), RunError> {
        let graph = &self.project.graph;
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        let Some(queue) = live.undo.as_mut() else { return Ok(()) };
        let Some(target) = queue.current.take() else { return Ok(()) };
        let mut built = vec![target.clone()];
        while let Some(one) = built.pop() {
            let above = one.id.map(|id| graph.upstream(&[id])).unwrap_or_default();
            let is_beneath = |other: &Target| {
                one.on.contains(&other.key.0) || other.id.is_some_and(|id| above.get(id.index()) == Some(&true))
            };
            let (beneath, others): (VecDeque<Target>, VecDeque<Target>) =
                std::mem::take(&mut queue.waiting).into_iter().partition(|other| is_beneath(other));
            queue.waiting = others;
            queue.left.extend(beneath.iter().map(|one| one.name.clone()));
            built.extend(beneath);
        }
        let said = format!("{}: {}", target.name, live.masks.mask(&trouble.message));
        queue.failed.push(Failed {
            target,
            trouble,
            step: live.step.take(),
            end: std::mem::take(&mut live.last_end),
            tail: std::mem::take(&mut live.tail),
        });
        if !queue.waiting.is_empty() {
            self.notice(id, said);
        }
        self.next_target(id)
    }

    /// All that could be taken back is; the first failure is told, and what stays because of it.
    fn undo_failed(&mut self, id: TaskId) -> Result<(), RunError> {
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        let Some(queue) = live.undo.as_mut() else { return Ok(()) };
        let mut failed = std::mem::take(&mut queue.failed).into_iter();
        let Some(first) = failed.next() else { return Ok(()) };
        let others: Vec<String> = failed.map(|one| format!("`{}`: {}", one.target.name, one.trouble.message)).collect();
        let mut trouble = first.trouble;
        trouble.message = std::iter::once(trouble.message).chain(others).collect::<Vec<_>>().join("; of ");
        let left: Vec<String> = queue.left.iter().map(|name| format!("`{name}`")).collect();
        if !left.is_empty() {
            let left = format!("{} stay: this was built on them", left.join(", "));
            trouble.hint = Some(trouble.hint.map_or(left.clone(), |hint| format!("{hint}; {left}")));
        }
        queue.current = Some(first.target);
        (live.step, live.last_end, live.tail) = (first.step, first.end, first.tail);
        self.end_badly(id, trouble)
    }

    fn undo_finished(&mut self, id: TaskId) -> Result<(), RunError> {
        if self.live.get(&id).and_then(|live| live.undo.as_ref()).is_some_and(|queue| !queue.failed.is_empty()) {
            return self.undo_failed(id);
        }
        let undo_name = self.project.task(id).name.to_string();
        let Some(mut live) = self.live.remove(&id) else { return Ok(()) };
        let mut queue = live.undo.take().unwrap_or_default();
        for target in std::mem::take(&mut queue.with_the_others) {
            self.host.store.borrow_mut().undone(live.attempt, &undo_name, target.key, &self.project.env.name)?;
            if let Some(target) = target.id {
                self.reload(target)?;
                self.board.settled[target.index()] = crate::plan::board::Settled::No;
            }
            queue.nothing_there.push(target.name);
        }
        self.host.store.borrow_mut().finish(live.attempt, self.host.now())?;
        self.host.remove_private_dir(&live.job.tmp);
        self.reload(id)?;
        let mut parts = Vec::new();
        if !queue.taken_back.is_empty() {
            parts.push(format!("undid {}", queue.taken_back.join(", ")));
        }
        if !queue.nothing_there.is_empty() {
            parts.push(format!("nothing to undo of {}", queue.nothing_there.join(", ")));
        }
        let said = Said {
            attempt: Some(live.attempt.0),
            reasons: live.reasons,
            seconds: live.started.elapsed().as_secs_f64(),
            summary: (!parts.is_empty()).then(|| parts.join("; ")),
            failure: None,
        };
        let released = self.settle(id, Outcome::Ran, said);
        self.judge_all(released)
    }
}

/// Stands between two targets.
struct Between;

impl Machine for Between {
    fn next(&mut self, _heard: Heard) -> crate::kind::machine::Move {
        crate::kind::machine::Move::Done(Done::default())
    }
}
