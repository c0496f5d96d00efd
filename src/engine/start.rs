//! Owns the choice of what starts next: places, pools, locks, longest remaining path first.
//! Does not know how an attempt is carried out.

use crate::engine::RunError;
use crate::engine::attempt::Live;
use crate::engine::dispatch::Engine;
use crate::engine::settle::Said;
use crate::engine::state::{Stop, TaskState};
use crate::event::Event;
use crate::host::process;
use crate::host::store::NewAttempt;
use crate::kind;
use crate::model::effect::{Effect, Outcome};
use crate::model::facts::Facts;
use crate::model::name::TaskId;
use crate::model::task::{Keep, OutputShape, Terminal};
use crate::plan::verdict;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What was hashed so lately counts as hashed now.
const HASHED_FOR: Duration = Duration::from_millis(20);

impl Engine<'_> {
    /// Starts queued tasks as long as there is a place for them.
    pub(super) fn start_what_fits(&mut self) -> Result<(), RunError> {
        loop {
            if self.stop != Stop::No {
                self.end_pauses()?;
                for id in std::mem::take(&mut self.queue) {
                    let verdict = self.verdicts[id.index()].take().unwrap_or_default();
                    let released = self.not_started(id, verdict);
                    self.judge_all(released)?;
                }
                return Ok(());
            }
            let Some(place) = self.next_to_start() else { return Ok(()) };
            let id = self.queue.swap_remove(place);
            if self.waited_long(id) && !self.look_again(id)? {
                continue;
            }
            let number = self.tries.remove(&id).unwrap_or(1);
            self.begin(id, number)?;
        }
    }

    /// Whether something may have changed its inputs since it was judged.
    fn waited_long(&mut self, id: TaskId) -> bool {
        let Some((since, ended)) = self.queued.remove(&id) else { return true };
        ended != self.finished.attempts() || since.elapsed() > HASHED_FOR
    }

    /// Hashes the inputs of a task that is about to start. `false`: it can't start any more.
    pub(super) fn look_again(&mut self, id: TaskId) -> Result<bool, RunError> {
        let task = self.project.task(id);
        if task.is_undo() {
            return Ok(true);
        }
        for input in &task.inputs {
            self.host.forget_input(input);
        }
        let now = verdict::judge(&self.board, self.host, id)?;
        if let Some(message) = self.cannot_start(id, &now) {
            let released = self.fail_before_start(id, now, message);
            self.judge_all(released)?;
            return Ok(false);
        }
        if let Some(verdict) = self.verdicts[id.index()].as_mut() {
            // Why it was queued stands, even if someone has undone the edit meanwhile.
            (verdict.manifest, verdict.fingerprint) = (now.manifest, now.fingerprint);
        }
        Ok(true)
    }

    fn next_to_start(&self) -> Option<usize> {
        if self.live.len() >= self.request.jobs {
            return None;
        }
        let mut in_pools: BTreeMap<&str, u32> = BTreeMap::new();
        let mut handed = false;
        for id in self.running() {
            let task = self.project.task(id);
            if let Some(pool) = &task.pool {
                *in_pools.entry(pool).or_default() += 1;
            }
            handed |= self.live.get(&id).is_some_and(|live| live.handed);
        }
        let fits = |id: TaskId| {
            let task = self.project.task(id);
            let pool = task.pool.as_ref().is_none_or(|pool| {
                let limit = self.project.pools.get(pool).copied().unwrap_or(1);
                in_pools.get(pool.as_str()).copied().unwrap_or(0) < limit
            });
            // Only one task can have the terminal, and nothing may write over it.
            let terminal = !handed && (!self.wants_terminal(id) || self.live.is_empty());
            pool && terminal
        };
        let now = Instant::now();
        let open = |id: TaskId| self.lock_waits.get(&id).is_none_or(|until| *until <= now);
        let better = |a: TaskId, b: TaskId| {
            let (left, right) = (self.remaining[a.index()], self.remaining[b.index()]);
            left.total_cmp(&right).then(b.cmp(&a))
        };
        let best = |fits: &dyn Fn(TaskId) -> bool| {
            (0..self.queue.len())
                .filter(|place| fits(self.queue[*place]))
                .max_by(|a, b| better(self.queue[*a], self.queue[*b]))
        };
        // One that needs the terminal needs it alone: others make way for it when its turn comes.
        let first = best(&open)?;
        if self.wants_terminal(self.queue[first]) && !self.live.is_empty() {
            return None;
        }
        best(&|id| open(id) && fits(id))
    }

    /// Whether the terminal is to be handed to a task; without one it runs like every other.
    fn wants_terminal(&self, id: TaskId) -> bool {
        self.project.task(id).terminal == Terminal::Handed && process::can_be_handed()
    }

    /// Begins an attempt; `number` counts the tries of this run.
    pub(super) fn begin(&mut self, id: TaskId, number: u32) -> Result<(), RunError> {
        self.queued.remove(&id);
        let task = self.project.task(id);
        let Some(mut verdict) = self.verdicts[id.index()].take() else { return Ok(()) };
        let outputs: Vec<_> = task.outputs.iter().map(|output| output.path.clone()).collect();
        let holder = crate::host::lock::Holder { run: self.run.0, ..self.request.holder.clone() };
        let locks = match self.host.lock_paths(&outputs, &holder) {
            Ok(Ok(locks)) => locks,
            Ok(Err(held)) => {
                // Another environment's run writes the same paths.
                self.verdicts[id.index()] = Some(verdict);
                self.set_state(id, TaskState::Queued);
                self.queue.push(id);
                self.tries.insert(id, number);
                self.wait_for_lock(id, &held);
                return Ok(());
            }
            Err(why) => return Err(RunError::State { path: ".infra/locks".to_owned(), why }),
        };
        let key = self.board.key(id);
        let started = self.host.now();
        let attempt = self.host.store.borrow_mut().begin(&NewAttempt {
            task: key,
            env: &self.project.env.name,
            run: self.run,
            effect: task.effect,
            started,
            fingerprint: verdict.fingerprint,
            reasons: &verdict.reasons,
        })?;
        let reasons = std::mem::take(&mut verdict.reasons);
        self.verdicts[id.index()] = Some(verdict);
        let handed = self.wants_terminal(id);
        self.tell(Event::TaskStarted {
            task: task.name.to_string(),
            attempt: attempt.0,
            kind: task.action.kind.word().to_owned(),
            effect: task.effect,
            reasons: reasons.clone(),
            at: started,
            estimate: self.board.history(id).typical_seconds,
            interactive: handed,
        });
        self.set_state(id, TaskState::Running);
        let prepared =
            if task.is_undo() { self.prepare_undo_task(id, attempt) } else { self.prepare_attempt(id, attempt) };
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(trouble) => return self.not_prepared(id, attempt, reasons, trouble),
        };
        prepared.job.memory.reasons.clone_from(&reasons);
        let log = self.host.relative(&prepared.log);
        self.host.store.borrow_mut().put_log(attempt.0, &log)?;
        let mut live = Live::new(attempt, number, prepared, reasons, locks);
        live.handed = handed;
        if task.terminal == Terminal::Handed && !handed {
            self.notice(id, "there is no terminal to hand to it: what it reads from is closed");
        }
        live.grace = task.grace.unwrap_or_else(|| kind::find(task.action.kind).grace());
        live.deadline = task.timeout.map(|timeout| Instant::now() + timeout);
        if task.effect == Effect::Pure {
            for output in &task.outputs {
                if task.in_place.contains(&output.path) {
                    continue;
                }
                match self.host.aside(attempt, &output.path) {
                    Ok(aside) => live.asides.extend(aside),
                    Err(why) => return Err(RunError::State { path: output.path.to_string(), why }),
                }
            }
        }
        for output in &task.outputs {
            let folder = match output.shape {
                OutputShape::Folder => Some(output.path.as_path()),
                OutputShape::File => output.path.parent(),
            };
            if let Some(folder) = folder.filter(|folder| !folder.as_str().is_empty()) {
                let private = output.keep == Keep::Secret && output.shape == OutputShape::Folder;
                self.host.make_dir(folder, private).map_err(|why| RunError::State { path: folder.to_string(), why })?;
            }
        }
        if task.is_undo() {
            self.begin_undo(id, &mut live);
        } else {
            live.machine = Some(kind::find(task.action.kind).start(live.job.clone()));
        }
        self.live.insert(id, live);
        self.advance(id, crate::kind::machine::Heard::Start)
    }

    fn not_prepared(
        &mut self,
        id: TaskId,
        attempt: crate::model::name::AttemptId,
        reasons: Vec<crate::model::reason::Reason>,
        trouble: crate::engine::job::Unprepared,
    ) -> Result<(), RunError> {
        let task = self.project.task(id);
        let fingerprint = self.verdicts[id.index()].as_ref().and_then(|verdict| verdict.fingerprint);
        self.host.store.borrow_mut().end(&crate::host::store::Ending {
            attempt,
            task: self.board.key(id),
            env: &self.project.env.name,
            effect: task.effect,
            phase: crate::model::record::Phase::Failed,
            ended: self.host.now(),
            message: &trouble.message,
            exit_code: None,
            signal: None,
            fingerprint,
            world: None,
        })?;
        self.note_failure(id, trouble.exit);
        let failure = self.failure(id, trouble.message, trouble.hint);
        let said = Said { attempt: Some(attempt.0), reasons, failure: Some(failure), ..Said::default() };
        let released = self.settle(id, Outcome::Failed, said);
        self.judge_all(released)
    }
}
