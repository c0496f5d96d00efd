//! Owns the rules of a run: what is chosen, what each task of it comes to, what that leaves behind. Which
//! of two ready tasks starts first is not for the rules to say: that is taken from what was seen.

use crate::memory::Model;
use crate::project::{Env, Id};
use crate::verdict::{Board, Settled, TTL, Verdict};
use crate::world::{Answer, Content, Hook};
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
    /// A script changed one of its inputs.
    pub meddled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Waiting,
    Queued,
    Running,
    Over,
}

/// Why a task holds what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Failed,
    NotStarted,
    Interrupted,
    /// Left out on request, and no record to stand on.
    LeftOut,
}

/// A run under way.
pub struct Run<'a> {
    pub model: &'a mut Model,
    pub env: Env,
    pub request: &'a Request,
    pub board: Board,
    pub at: BTreeMap<Id, At>,
    pub verdicts: BTreeMap<Id, Verdict>,
    pub held: BTreeMap<Id, Why>,
    pub aside: BTreeMap<Id, (String, Content)>,
    /// What tainted the token before an attempt under way.
    pub taints: BTreeMap<Id, Option<u64>>,
    pub stopping: bool,
    pub interrupted: bool,
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
            taints: BTreeMap::new(),
            stopping: false,
            interrupted: false,
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
    pub fn judge_ready(&mut self) {
        for id in self.model.project.ids() {
            let waiting = self.at.get(&id) == Some(&At::Waiting);
            let ups = self.model.project.ups(id);
            if waiting && ups.keys().all(|up| self.at.get(up).is_none_or(|at| *at == At::Over)) {
                self.consider(id);
            }
        }
    }

    pub fn settle(&mut self, id: Id, outcome: &'static str, verdict: Option<Verdict>) {
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
            let outcome = if why == Why::NotStarted { self.not_started() } else { "skipped" };
            return self.settle(id, outcome, None);
        }
        let mut verdict = self.model.judge(&self.board, id, self.env);
        let forced = self.request.forced.contains(&id) && verdict.state != "unknown";
        if forced {
            verdict.reasons.must.insert("forced".to_owned());
            verdict.state = "stale";
        }
        if matches!(verdict.state, "fresh" | "restorable") && self.disagrees(id) {
            verdict = self.model.judge(&self.board, id, self.env);
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
                self.settle(id, self.not_started(), Some(verdict));
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

    /// Asks a task's probe, if it has one and its last answer is too old. Only "no" counts.
    fn disagrees(&mut self, id: Id) -> bool {
        let (model, env) = (&mut *self.model, self.env);
        if !model.project.probes(id.task) {
            return false;
        }
        let good = |at: i64| (0..TTL).contains(&(model.now - at));
        if model.past(id, env).probe.is_some_and(|(agrees, at)| agrees && good(at)) {
            return false;
        }
        let label = model.project.label(id);
        self.came.log.push(format!("probe-{label}"));
        let answer = model.world.answers.get(&label).copied();
        if answer != Some(Answer::Unsure) {
            let now = model.now;
            model.past_mut(id, env).probe = Some((answer.is_none(), now));
        }
        answer == Some(Answer::No)
    }

    pub fn note_failure(&mut self, id: Id) {
        if !self.model.project.task(id).may_fail {
            self.note(1);
        }
    }

    /// How a task comes out whose turn never came.
    fn not_started(&self) -> &'static str {
        if self.interrupted { "interrupted" } else { "skipped" }
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

    pub fn fail(&mut self, id: Id, verdict: Verdict) {
        if self.model.project.task(id).may_fail {
            self.board.insert(id, Settled::Yes(None));
            self.came.odd.insert(id);
        } else {
            self.stopping |= !self.request.keep_going;
            self.held.insert(id, Why::Failed);
        }
        self.settle(id, "failed", Some(verdict));
    }

    pub fn find(&self, name: &str, at: At) -> Result<Id, String> {
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
            self.settle(id, self.not_started(), verdict);
            self.judge_ready();
        }
        if self.interrupted {
            self.came.exit = 130;
        }
        match self.at.iter().find(|(_, at)| **at != At::Over) {
            Some((id, at)) => Err(format!("`{}` was left {at:?}", self.model.project.name(*id))),
            None => Ok(self.came),
        }
    }
}
