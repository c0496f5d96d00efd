//! Owns the rules of a run: what is chosen, what each task of it comes to, what that leaves behind. Which
//! of two ready tasks starts first is not for the rules to say: that is taken from what was seen.

use crate::memory::{Attempt, End, Memo, Model, Recipe};
use crate::project::{Effect, Env, Id};
use crate::text::output;
use crate::verdict::{Board, Settled, Values, Verdict};
use crate::world::{Content, Hook, objects, written};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What was seen of tasks that were executed, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    Start(String),
    End(String),
}

/// A run as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub chosen: BTreeSet<Id>,
    pub skipped: BTreeSet<Id>,
    pub forced: BTreeSet<Id>,
    pub keep_going: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// Outcome of each task and its verdict at that time.
    pub outcomes: BTreeMap<Id, (&'static str, Option<Verdict>)>,
    pub exit: i32,
    /// The runner was ended; the last task that started has no outcome.
    pub killed: bool,
    /// Refused before anything was considered.
    pub refused: bool,
    /// Lines that scripts wrote to the log.
    pub log: Vec<String>,
    /// Upstreams that failed and may, or were taken as recorded: what is downstream need not be what a run
    /// from scratch would make.
    pub odd: BTreeSet<Id>,
    /// Tasks that were executed.
    pub executed: BTreeSet<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Waiting,
    Queued,
    Running,
    Over,
}

/// Why a task holds what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Failed,
    NotStarted,
    /// Left out on request, and no record to stand on.
    LeftOut,
}

/// A run under way.
pub struct Run<'a> {
    pub model: &'a mut Model,
    env: Env,
    request: &'a Request,
    board: Board,
    at: BTreeMap<Id, At>,
    verdicts: BTreeMap<Id, Verdict>,
    held: BTreeMap<Id, Why>,
    aside: BTreeMap<Id, (String, Content)>,
    stopping: bool,
    pub came: Came,
}

impl<'a> Run<'a> {
    /// Carries out a request. `undone`: what undo scripts logged.
    ///
    /// # Errors
    /// What was seen is not what the rules say.
    pub fn carry_out(
        model: &'a mut Model,
        env: Env,
        request: &'a Request,
        trace: &[Trace],
        undone: &mut VecDeque<String>,
    ) -> Result<Came, String> {
        model.begin_to_write(env);
        let at = request.chosen.iter().map(|id| (*id, At::Waiting)).collect();
        let mut run = Run {
            model,
            env,
            request,
            board: Board::new(),
            at,
            verdicts: BTreeMap::new(),
            held: BTreeMap::new(),
            aside: BTreeMap::new(),
            stopping: false,
            came: Came::default(),
        };
        if !run.take_recorded() {
            run.came.refused = true;
            run.came.exit = 5;
            return Ok(run.came);
        }
        run.judge_ready();
        for seen in trace {
            match seen {
                Trace::Start(name) => run.start(name)?,
                Trace::End(name) => run.end(name, undone)?,
            }
        }
        run.finish(undone)
    }

    /// Upstreams outside the run are taken as recorded. `false`: one of them can't be.
    fn take_recorded(&mut self) -> bool {
        let (verdicts, board) = self.model.forecast(self.env);
        for id in self.model.project.ids() {
            let inside = self.at.contains_key(&id);
            let recorded = || self.model.as_recorded(id, self.env, &board[&id]);
            self.board.insert(id, if inside { Settled::No } else { recorded() });
        }
        let outside = self.model.outside(&self.request.chosen);
        self.came.odd.extend(outside.iter().filter(|up| verdicts[up].state != "fresh"));
        outside.iter().all(|up| self.model.can_stand(&self.board[up], *up, &self.request.chosen))
            && outside.into_iter().all(|up| self.put_back_recorded(up))
    }

    /// What is read of a task that is taken as recorded is put back first. `false`: it can't be.
    fn put_back_recorded(&mut self, id: Id) -> bool {
        let model = &mut *self.model;
        if !model.can_stand(&self.board[&id], id, &self.request.chosen) {
            return false;
        }
        for (path, content) in model.seen_of(&self.board[&id], id, &self.request.chosen) {
            model.world.put(&path, &content);
            if let Settled::Restorable(memo) = self.board[&id].clone() {
                self.board.insert(id, Settled::Yes(Some(memo)));
            }
        }
        true
    }

    /// Judges whatever has all its upstreams behind it, until nothing is left to judge.
    fn judge_ready(&mut self) {
        for id in self.model.project.ids() {
            let waiting = self.at.get(&id) == Some(&At::Waiting);
            let ups = self.model.project.ups(id);
            if waiting && ups.keys().all(|up| self.at.get(up).is_none_or(|at| *at == At::Over)) {
                self.consider(id);
            }
        }
    }

    fn settle(&mut self, id: Id, outcome: &'static str, verdict: Option<Verdict>) {
        self.at.insert(id, At::Over);
        self.came.outcomes.insert(id, (outcome, verdict));
    }

    fn consider(&mut self, id: Id) {
        let task = self.model.project.task(id).clone();
        if self.request.skipped.contains(&id) {
            let verdict = self.model.judge(&self.board, id, self.env);
            let settled = self.model.settled(id, &verdict);
            let settled = self.model.as_recorded(id, self.env, &settled);
            self.board.insert(id, settled);
            self.came.odd.insert(id);
            if !self.put_back_recorded(id) {
                self.board.insert(id, Settled::No);
            }
            self.held.insert(id, Why::LeftOut);
            return self.settle(id, "skipped", None);
        }
        if let Some(why) = self.held_by(id) {
            if why == Why::LeftOut && !task.may_fail {
                self.note(5);
            }
            self.held.insert(id, why);
            return self.settle(id, "skipped", None);
        }
        let mut verdict = self.model.judge(&self.board, id, self.env);
        let forced = self.request.forced.contains(&id) && verdict.state != "unknown";
        if forced {
            verdict.reasons.must.insert("forced".to_owned());
            verdict.state = "stale";
        }
        let must_ask = self.model.started_once(id, self.env) && !forced;
        match verdict.state {
            "fresh" => {
                self.board.insert(id, Settled::Yes(verdict.memo.clone()));
                self.settle(id, "fresh", Some(verdict));
            }
            "restorable" => {
                let memo = verdict.memo.clone().expect("a record");
                for (path, content) in &memo.outs {
                    self.model.world.put(path, content);
                }
                self.board.insert(id, Settled::Yes(Some(memo)));
                self.settle(id, "restored", Some(verdict));
            }
            state if state == "unknown" || must_ask => {
                self.note(4);
                self.fail(id, verdict);
            }
            _ if self.stopping => {
                self.held.insert(id, Why::NotStarted);
                self.settle(id, "skipped", Some(verdict));
            }
            _ if verdict.impossible => {
                self.note_failure(id);
                self.fail(id, verdict);
            }
            _ => {
                self.at.insert(id, At::Queued);
                self.verdicts.insert(id, verdict);
            }
        }
    }

    fn note_failure(&mut self, id: Id) {
        if !self.model.project.task(id).may_fail {
            self.note(1);
        }
    }

    /// The first exit code that says more than 1 wins.
    fn note(&mut self, code: i32) {
        if self.came.exit <= 1 {
            self.came.exit = code;
        }
    }

    /// Why a task can't go on, when that is because of another.
    fn held_by(&self, id: Id) -> Option<Why> {
        self.model.real_ups(id).filter(|(up, _)| !self.board[up].is_settled()).map(|(up, _)| self.held[&up]).next()
    }

    fn fail(&mut self, id: Id, verdict: Verdict) {
        if self.model.project.task(id).may_fail {
            self.board.insert(id, Settled::Yes(None));
            self.came.odd.insert(id);
        } else {
            self.stopping |= !self.request.keep_going;
            self.held.insert(id, Why::Failed);
        }
        self.settle(id, "failed", Some(verdict));
    }

    fn find(&self, name: &str, at: At) -> Result<Id, String> {
        let id = self.model.project.by_name(name).filter(|id| self.at.contains_key(id));
        let id = id.ok_or_else(|| format!("ran what was not asked for: `{name}`"))?;
        if self.at[&id] == at {
            return Ok(id);
        }
        let verdict = self.came.outcomes.get(&id);
        Err(match verdict {
            Some((outcome, _)) => format!("ran what it should not: `{name}` should be `{outcome}`"),
            None => format!("ran too early: `{name}` is {:?}", self.at[&id]),
        })
    }

    fn start(&mut self, name: &str) -> Result<(), String> {
        let id = self.find(name, At::Queued)?;
        if self.stopping {
            return Err(format!("started after a failure: `{name}`"));
        }
        self.at.insert(id, At::Running);
        self.came.executed.insert(id);
        let (env, model) = (self.env, &mut *self.model);
        model.attempts += 1;
        let number = model.attempts;
        let task = model.project.task(id).clone();
        let key = model.key(id).expect("an id");
        let manifest = self.verdicts[&id].manifest.clone();
        model.past_mut(id, env).last = Some(Attempt { number, end: End::Cut, manifest });
        if task.is_undo() {
            return Ok(());
        }
        if task.effect.changes_world() {
            model.void("new start", |memo| memo.task == key && memo.env == env);
            let ups = model.project.ups(id).into_keys().filter_map(|up| model.key(up)).collect();
            let recipe = Recipe { number, label: model.project.label(id), has_undo: task.has_undo, ups };
            let past = model.past_mut(id, env);
            past.began = Some(recipe);
            past.rerun = false;
            past.vouched = false;
            // Whatever comes of it, the token is another; what succeeds sets it again.
            past.token = format!("{} then {number} began", past.token);
        }
        if task.effect == Effect::Pure
            && let Some(path) = output(&model.project, id)
        {
            let old = model.world.content(&path);
            model.world.put(&path, &Content::Missing);
            if old != Content::Missing {
                self.aside.insert(id, (path, old));
            }
        }
        Ok(())
    }

    fn end(&mut self, name: &str, undone: &mut VecDeque<String>) -> Result<(), String> {
        let id = self.find(name, At::Running)?;
        let verdict = self.verdicts.remove(&id).expect("a verdict");
        if self.model.project.task(id).is_undo() {
            let done = self.model.undo(id, self.env, undone, &mut self.came)?;
            self.over(id, verdict, done.map(|()| None));
        } else {
            let done = self.execute(id);
            self.over(id, verdict, done);
        }
        self.judge_ready();
        Ok(())
    }

    /// What is remembered of an attempt that ended. `Err`: it failed.
    fn over(&mut self, id: Id, verdict: Verdict, done: Result<Option<Made>, ()>) {
        let (env, task) = (self.env, self.model.project.task(id).clone());
        let key = self.model.key(id).expect("an id");
        let last = self.model.past(id, env).last.expect("an attempt");
        let number = last.number;
        let aside = self.aside.remove(&id);
        let end = if done.is_ok() { End::Done } else { End::Failed };
        self.model.past_mut(id, env).last = Some(Attempt { end, ..last });
        let Ok(made) = done else {
            if let Some((path, content)) = aside {
                self.model.world.put(&path, &content);
            }
            match task.effect {
                _ if task.is_undo() => {}
                Effect::Pure => {
                    self.model.void("last-attempt-failed", |memo| memo.task == key && memo.manifest == verdict.manifest)
                }
                Effect::Read => self.model.void("last-attempt-failed", |memo| memo.task == key && memo.env == env),
                _ => {}
            }
            self.note_failure(id);
            return self.fail(id, verdict);
        };
        let Some(made) = made else {
            self.board.insert(id, Settled::Yes(None));
            return self.settle(id, "ran", Some(verdict));
        };
        if task.effect.changes_world() {
            self.model.past_mut(id, env).token = number.to_string();
        }
        self.model.kept.extend(made.outs.values().flat_map(objects));
        let memo = Memo {
            number: self.model.memos.len(),
            task: key,
            env,
            effect: task.effect,
            manifest: verdict.manifest.clone(),
            outs: made.outs,
            value: made.value,
            sum: made.sum,
            created: self.model.now,
            attempt: number,
            void: None,
        };
        self.model.memos.push(memo.clone());
        self.board.insert(id, Settled::Yes(Some(memo)));
        self.settle(id, "ran", Some(verdict));
    }

    /// What a script does.
    fn execute(&mut self, id: Id) -> Result<Option<Made>, ()> {
        let (env, model) = (self.env, &mut *self.model);
        let label = model.project.label(id);
        let task = model.project.task(id).clone();
        let scripted = task.how != crate::project::How::Template;
        let hook = model.hook(&label).filter(|_| scripted);
        if scripted {
            self.came.log.push(label.clone());
        }
        if matches!(hook, Some(Hook::FailsEarly | Hook::Dies | Hook::InfraDiesEarly)) {
            return Err(());
        }
        let Values::Known(values) = model.values(&self.board, id) else { panic!("a task ran without its values") };
        let line = model.line(id, env, &values);
        let sum = model.world.sum(&model.project, id, env, &line);
        let mut outs = BTreeMap::new();
        if let Some((path, content)) = written(&model.project, id, &line, sum) {
            if hook != Some(Hook::WritesNothing) {
                model.world.put(&path, &content);
            }
            outs.insert(path.clone(), model.world.content(&path));
        }
        if task.effect.changes_world() {
            model.world.made.insert((env, label), format!("{sum}\n"));
        }
        if matches!(hook, Some(Hook::FailsLate | Hook::InfraDiesLate))
            || outs.values().any(|out| *out == Content::Missing)
        {
            return Err(());
        }
        Ok(Some(Made { outs, value: task.exports.then_some(sum % 4), sum }))
    }

    /// What is left when nothing more was seen.
    fn finish(mut self, undone: &mut VecDeque<String>) -> Result<Came, String> {
        let running: Vec<Id> = self.at.iter().filter(|(_, at)| **at == At::Running).map(|(id, _)| *id).collect();
        if let Some(id) = running.first().copied() {
            let name = self.model.project.name(id);
            let label = self.model.project.label(id);
            let undo = self.model.project.task(id).is_undo();
            if !undo && !self.model.hook(&label).is_some_and(Hook::ends_infra) || running.len() > 1 {
                return Err(format!("`{name}` started and did not end"));
            }
            self.came.killed = true;
            if undo {
                let _ = self.model.undo(id, self.env, undone, &mut self.came)?;
            } else {
                let _ = self.execute(id);
                let env = self.env;
                self.model.aside.extend(self.aside.remove(&id).map(|(path, content)| (env, path, content)));
            }
            return Ok(self.came);
        }
        while let Some(id) = self.at.iter().find(|(_, at)| **at == At::Queued).map(|(id, _)| *id) {
            let verdict = self.verdicts.remove(&id);
            if !self.stopping {
                let reasons = verdict.map(|verdict| verdict.reasons.must).unwrap_or_default();
                return Err(format!("did not run what is stale: `{}`: {reasons:?}", self.model.project.name(id)));
            }
            self.held.insert(id, Why::NotStarted);
            self.settle(id, "skipped", verdict);
            self.judge_ready();
        }
        match self.at.iter().find(|(_, at)| **at != At::Over) {
            Some((id, at)) => Err(format!("`{}` was left {at:?}", self.model.project.name(*id))),
            None => Ok(self.came),
        }
    }
}

/// What a script made.
struct Made {
    outs: BTreeMap<String, Content>,
    value: Option<u32>,
    sum: u32,
}
