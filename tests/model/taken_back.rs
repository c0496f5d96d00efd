//! Owns the rules of undo and of what a person resolves.

use crate::memory::{End, Memo, Model, Recipe};
use crate::project::{Env, Id};
use crate::run::Came;
use crate::verdict::Board;
use crate::world::{Content, Hook};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a person says of a `once` task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Done,
    Failed,
    Rerun,
}

impl Said {
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Rerun];

    pub fn flag(self) -> &'static str {
        match self {
            Self::Done => "--done",
            Self::Failed => "--failed",
            Self::Rerun => "--rerun",
        }
    }
}

/// Something to take back, by its id in the store.
type Targets = BTreeMap<u32, Recipe>;

impl Model {
    /// Carries out an undo task as its scripts' log tells. `Ok(Err)`: it failed.
    ///
    /// # Errors
    /// What the log tells is not what the rules say.
    pub fn undo(
        &mut self,
        id: Id,
        env: Env,
        log: &mut VecDeque<String>,
        came: &mut Came,
    ) -> Result<Result<(), ()>, String> {
        let targets = self.to_undo(id, env);
        let to_ask = self.to_ask(id, env);
        let targets = targets.into_iter().filter_map(|target| self.target(self.key(target)?, env)).collect();
        let name = self.project.name(id);
        let done = self.take_back(&name, targets, env, log, came)?;
        // There is nothing: the stand-in makes nothing that is not known here.
        let stays = done.err().unwrap_or_default();
        for target in to_ask {
            let key = self.key(target).expect("an id");
            if !stays.iter().any(|(one, recipe)| self.is_on(*one, recipe, key)) {
                self.undone(&name, key, env);
            }
        }
        Ok(if stays.is_empty() { Ok(()) } else { Err(()) })
    }

    fn target(&self, key: u32, env: Env) -> Option<(u32, Recipe)> {
        Some((key, self.pasts.get(&(key, env))?.began.clone()?))
    }

    fn take_back(
        &mut self,
        by: &str,
        mut left: Targets,
        env: Env,
        log: &mut VecDeque<String>,
        came: &mut Came,
    ) -> Result<Result<(), Vec<(u32, Recipe)>>, String> {
        let mut stays = Vec::new();
        while let Some(line) = log.pop_front() {
            let label = line.trim_start_matches("undo-").to_owned();
            let called = |recipe: &Recipe| recipe.label == label && recipe.has_undo;
            let found = left.iter().filter(|(_, recipe)| called(recipe));
            let found = found.min_by_key(|(key, _)| self.built_on(**key, &left).is_some());
            let key = *found.ok_or_else(|| format!("took back what there is nothing of: `{label}`"))?.0;
            if let Some(first) = self.built_on(key, &left) {
                return Err(format!("took back `{label}` before `{first}`, which was built on it"));
            }
            came.log.push(line.clone());
            self.void(&format!("undone-by {by}"), |memo| memo.task == key && memo.env == env);
            match self.hook(&line) {
                Some(Hook::FailsEarly) => {
                    // What it was built on stays; the others are not concerned.
                    let mut built = vec![(key, left.remove(&key).expect("a target"))];
                    while let Some((one, recipe)) = built.pop() {
                        let beneath: Vec<u32> =
                            left.keys().copied().filter(|other| self.is_on(one, &recipe, *other)).collect();
                        built.extend(beneath.into_iter().map(|other| (other, left.remove(&other).expect("a target"))));
                        stays.push((one, recipe));
                    }
                    continue;
                }
                Some(Hook::InfraDiesEarly) => return Ok(Ok(())),
                _ => {}
            }
            if left[&key].machines {
                *self.world.serials.entry((env, label.clone())).or_default() += 1;
            }
            self.world.made.remove(&(env, label));
            self.undone(by, key, env);
            left.remove(&key);
        }
        let is_there = |recipe: &Recipe| !recipe.machines || self.world.made.contains_key(&(env, recipe.label.clone()));
        if let Some(recipe) = left.values().find(|recipe| recipe.has_undo && is_there(recipe)) {
            return Err(format!("did not take back `{}`", recipe.label));
        }
        // What has no undo of its own went with what it lived on, if all of that went.
        for (key, recipe) in &left {
            if stays.is_empty() || recipe.has_undo {
                self.undone(by, *key, env);
            }
        }
        Ok(if stays.is_empty() { Ok(()) } else { Err(stays) })
    }

    /// Whether one thing was built on another.
    fn is_on(&self, one: u32, recipe: &Recipe, other: u32) -> bool {
        let id_of = |key: u32| self.project.ids().into_iter().find(|id| self.key(*id) == Some(key));
        let down = id_of(other).map(|id| self.project.reach(&BTreeSet::from([id]), true)).unwrap_or_default();
        recipe.ups.contains(&other) || (one != other && id_of(one).is_some_and(|id| down.contains(&id)))
    }

    /// What is still to be taken back and was built on a task.
    fn built_on(&self, key: u32, left: &Targets) -> Option<String> {
        let id_of = |key: u32| self.project.ids().into_iter().find(|id| self.key(*id) == Some(key));
        let down = id_of(key).map(|id| self.project.reach(&BTreeSet::from([id]), true)).unwrap_or_default();
        let is_down = |other: u32| other != key && id_of(other).is_some_and(|id| down.contains(&id));
        let first =
            left.iter().find(|(other, recipe)| recipe.has_undo && (recipe.ups.contains(&key) || is_down(**other)));
        first.map(|(_, recipe)| recipe.label.clone())
    }

    /// What changes the world and a task is built on, through what changes nothing.
    pub fn grounds(&self, id: Id) -> BTreeSet<u32> {
        let mut grounds = BTreeSet::new();
        for up in self.project.ups(id).into_keys() {
            if self.project.task(up).effect.changes_world() {
                grounds.extend(self.key(up));
            } else {
                grounds.extend(self.grounds(up));
            }
        }
        grounds
    }

    fn undone(&mut self, by: &str, key: u32, env: Env) {
        self.void(&format!("undone-by {by}"), |memo| memo.task == key && memo.env == env);
        let past = self.pasts.entry((key, env)).or_default();
        past.began = None;
        past.rerun = false;
        past.vouched = false;
        past.asked = true;
        self.things.remove(&(key, env));
    }

    /// `infra destroy`. Gives whether there was anything to do.
    ///
    /// # Errors
    /// As above.
    pub fn destroy(
        &mut self,
        env: Env,
        of: &Destroy,
        log: &mut VecDeque<String>,
        came: &mut Came,
    ) -> Result<bool, String> {
        let declared: BTreeMap<u32, Id> =
            self.project.ids().into_iter().filter_map(|id| Some((self.key(id)?, id))).collect();
        let wanted = |key: u32| match (of, declared.get(&key)) {
            (Destroy::All, _) | (Destroy::Orphans, None) => true,
            (Destroy::Orphans, Some(_)) | (Destroy::These(_), None) => false,
            (Destroy::These(seeds), Some(id)) => self.project.reach(seeds, true).contains(id),
        };
        let keys: BTreeSet<u32> = self.pasts.keys().filter(|(_, at)| *at == env).map(|(key, _)| *key).collect();
        let targets: Targets =
            keys.into_iter().filter(|key| wanted(*key)).filter_map(|key| self.target(key, env)).collect();
        if targets.is_empty() {
            return Ok(false);
        }
        self.begin_to_write(env);
        let done = self.take_back("destroy", targets, env, log, came)?;
        done.map_err(|_| "an undo failed that should not".to_owned())?;
        Ok(true)
    }

    /// `infra resolve`. Gives the exit code.
    pub fn resolve(&mut self, id: Id, env: Env, said: Said) -> i32 {
        self.begin_to_write(env);
        let key = self.key(id).expect("an id");
        let Some(last) = self.past(id, env).last else { return 2 };
        // A person is asked only about what the program can't know.
        let in_doubt = last.end == End::Cut || self.started_once(id, env) && self.forecast(env).0[&id].state != "fresh";
        if !in_doubt {
            return 2;
        }
        match said {
            Said::Done => return self.confirm(id, key, env, last.number),
            Said::Failed => {
                // It is known to have failed: what it recorded says nothing, and there is nothing to take care of.
                self.void("last-attempt-failed", |memo| memo.task == key && memo.env == env);
                let past = self.past_mut(id, env);
                past.last.as_mut().expect("an attempt").end = End::Failed;
                past.began = None;
                past.rerun = false;
            }
            Said::Rerun => {
                let past = self.past_mut(id, env);
                past.last.as_mut().expect("an attempt").end = End::Resolved;
                past.rerun = true;
            }
        }
        0
    }

    /// It is recorded as done with its inputs as they are now.
    fn confirm(&mut self, id: Id, key: u32, env: Env, number: u64) -> i32 {
        let task = self.project.task(id).clone();
        if task.exports {
            return 5;
        }
        let (_, mut board) = self.forecast(env);
        for (up, _) in self.real_ups(id).collect::<Vec<_>>() {
            let settled = self.as_recorded(up, env, &board[&up]);
            if !settled.is_settled() {
                return 5;
            }
            board.insert(up, settled);
        }
        let Some(manifest) = self.manifest(&board, id, env) else { return 5 };
        let outs: BTreeMap<String, Content> = crate::text::output(&self.project, id)
            .map(|path| (path.clone(), self.world.content(&path)))
            .into_iter()
            .collect();
        if outs.values().any(|content| *content == Content::Missing) {
            return 5;
        }
        self.kept.extend(outs.values().flat_map(crate::world::objects));
        let now = self.now;
        let built_on = self.alive(id, env);
        let past = self.past_mut(id, env);
        past.last.as_mut().expect("an attempt").end = End::Done;
        // The world is another than at the last attempt, or nobody would have been asked.
        past.token = (format!("resolved over {number} at {now}"), None);
        past.rerun = false;
        past.vouched = true;
        past.probe = past.probe.filter(|(agrees, _)| *agrees);
        self.memos.push(Memo {
            task: key,
            env,
            effect: task.effect,
            manifest,
            outs,
            value: None,
            sum: 0,
            created: self.now,
            attempt: number,
            built_on,
            void: None,
        });
        0
    }

    fn manifest(&self, board: &Board, id: Id, env: Env) -> Option<BTreeMap<String, String>> {
        let now = self.walk(board, id, env);
        (now.waiting.is_empty() && !now.broken).then_some(now.manifest)
    }
}

/// What `infra destroy` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destroy {
    All,
    Orphans,
    These(BTreeSet<Id>),
}
