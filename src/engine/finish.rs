//! Owns the end of an attempt: readiness, checks, the one commit point, failures and further tries.
//! Does not know how outputs are kept or how the machine came to its end.

use crate::engine::RunError;
use crate::engine::attempt::{Interrupted, Live};
use crate::engine::dispatch::{Engine, Message};
use crate::engine::settle::Said;
use crate::engine::state::Stop;
use crate::engine::undoing::UndoQueue;
use crate::event::Failure;
use crate::host::store::{Commit, Durable, Ending, WorldUpdate};
use crate::kind::machine::{Done, Trouble, TroubleKind};
use crate::model::action::KindName;
use crate::model::effect::{Effect, Outcome};
use crate::model::facts::Facts;
use crate::model::manifest::Manifest;
use crate::model::name::TaskId;
use crate::model::record::{Incarnation, Phase, Void};
use crate::model::task::Input;
use crate::plan::board::Settled;
use crate::plan::fingerprint;
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Work of this length is not lost with the power.
const WORTH_A_WAIT: Duration = Duration::from_secs(1);

impl Engine<'_> {
    /// The machine is done; now the world must be ready.
    pub(super) fn machine_done(&mut self, id: TaskId, done: Done) -> Result<(), RunError> {
        if self.live.get(&id).is_some_and(|live| live.undo.is_some()) {
            return self.undo_target_done(id, done);
        }
        let checks = self.ready_checks(id, &done);
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        live.done = Some(done);
        if checks.is_empty() {
            return self.conclude(id);
        }
        let (sender, attempt) = (self.sender.clone(), live.attempt);
        self.notice(id, "waiting for it to be ready");
        std::thread::spawn(move || {
            let result = checks.into_iter().try_for_each(|(check, within)| check.wait(within));
            let _ = sender.send(Message::Ready(id, attempt, result));
        });
        Ok(())
    }

    pub(super) fn on_ready(&mut self, id: TaskId, result: Result<(), String>) -> Result<(), RunError> {
        match result {
            Ok(()) => self.conclude(id),
            Err(message) => self.fail(id, Trouble { message, ..Trouble::default() }),
        }
    }

    /// Outputs, exports, the inputs once more, then the commit.
    fn conclude(&mut self, id: TaskId) -> Result<(), RunError> {
        let Some(done) = self.live.get_mut(&id).and_then(|live| live.done.take()) else { return Ok(()) };
        let collected = self
            .collect_outputs(id)
            .and_then(|artifacts| self.collect_exports(id, &done).map(|exports| (artifacts, exports)));
        let (artifacts, (exports, left_out)) = match collected {
            Ok(collected) => collected,
            Err(message) => {
                let trouble =
                    Trouble { message, notes: done.notes, incarnations: done.incarnations, ..Trouble::default() };
                return self.fail(id, trouble);
            }
        };
        if !left_out.is_empty() {
            self.notice(id, format!("exports that are not declared were left out: {}", left_out.join(", ")));
        }
        let Some((manifest, void)) = self.check_inputs_again(id)? else { return Ok(()) };
        let task = self.project.task(id);
        let Some(mut live) = self.live.remove(&id) else { return Ok(()) };
        let (key, seconds) = (self.board.key(id), live.started.elapsed().as_secs_f64());
        let built_on =
            if task.effect == Effect::Pure { BTreeSet::new() } else { self.board.alive(id).as_ref().clone() };
        let token = task.effect.changes_world().then(|| done.token.clone().unwrap_or_else(|| live.attempt.to_string()));
        let world =
            WorldUpdate { token, incarnations: done.incarnations.map(|set| own(set, key.0)), notes: done.notes };
        let fingerprint = manifest.fingerprint();
        let durable = self.durable(task.effect, seconds)?;
        let committed = self.host.store.borrow_mut().commit(&Commit {
            attempt: live.attempt,
            task: key,
            env: &self.project.env.name,
            run: self.run,
            effect: task.effect,
            fingerprint,
            manifest: &manifest,
            artifacts: &artifacts,
            exports: &exports,
            built_on: &built_on,
            world,
            ended: self.host.now(),
            seconds,
            void: void.clone(),
            durable,
            taint_before: live.began.and_then(|intent| intent.taint_before),
        });
        if let Err(error) = committed {
            // Without a record it is not done: what was moved aside stays recoverable.
            return Err(error.into());
        }
        for aside in live.asides.drain(..) {
            self.host.drop_aside(aside);
        }
        self.host.remove_private_dir(&live.job.tmp);
        self.reload(id)?;
        self.board.settled[id.index()] = Settled::Yes(self.board.history(id).newest.clone());
        let mut summary = done.summary;
        if let Some(Void::ChangedWhileRunning { path }) = &void {
            summary = Some(format!("input `{path}` changed while it ran: it stays stale"));
        }
        let said = Said {
            attempt: Some(live.attempt.0),
            reasons: std::mem::take(&mut live.reasons),
            seconds,
            summary,
            failure: None,
        };
        let released = self.settle(id, Outcome::Ran, said);
        self.judge_all(released)
    }

    /// When a success must be durable. Losing power must not make us forget what was done to the world, nor
    /// work that took long; a short task that only made files is done again sooner than it is waited for.
    fn durable(&mut self, effect: Effect, seconds: f64) -> Result<Durable, RunError> {
        if !effect.changes_world() && seconds < WORTH_A_WAIT.as_secs_f64() && self.synced.elapsed() < WORTH_A_WAIT {
            return Ok(Durable::Later);
        }
        self.sync_kept()?;
        Ok(Durable::Now)
    }

    /// Makes artifacts durable, before a commit that makes the records of them durable.
    pub(super) fn sync_kept(&mut self) -> Result<(), RunError> {
        self.synced = Instant::now();
        self.host.sync_kept().map_err(|why| RunError::State { path: ".infra/cas".to_owned(), why })
    }

    /// Reads a task's history anew after it was written.
    pub(super) fn reload(&mut self, id: TaskId) -> Result<(), RunError> {
        let history = self.host.store.borrow().history(self.board.key(id), &self.project.env.name)?;
        self.board.histories[id.index()] = history;
        Ok(())
    }

    /// Inputs are hashed again after the end: one that changed meanwhile leaves the task stale.
    fn check_inputs_again(&mut self, id: TaskId) -> Result<Option<(Manifest, Option<Void>)>, RunError> {
        let task = self.project.task(id);
        let before = self.verdicts[id.index()].take().and_then(|verdict| verdict.manifest).unwrap_or_default();
        for input in &task.inputs {
            self.host.forget_input(input);
        }
        let after = match fingerprint::walk(&self.board, self.host, id) {
            Ok(walk) => walk.manifest,
            Err(error) => {
                self.fail(id, Trouble { message: error.to_string(), ..Trouble::default() })?;
                return Ok(None);
            }
        };
        let in_place = |path: &str| task.in_place.iter().chain(&task.settles).any(|own| own.as_str() == path);
        let changed = after.entries.iter().zip(&before.entries).find_map(|(now, then)| {
            use crate::model::manifest::EntryKey;
            if now == then {
                return None;
            }
            match &now.key {
                EntryKey::Path { path } | EntryKey::Artifact { path, .. } if in_place(path) => None,
                EntryKey::Path { path } | EntryKey::Artifact { path, .. } => Some(path.clone()),
                _ => None,
            }
        });
        let changed = changed.or_else(|| self.altered_artifact(id));
        let added = (after.entries.len() != before.entries.len() && changed.is_none() && !before.entries.is_empty())
            .then(|| "(a file was added or removed)".to_owned());
        let void = changed.or(added).map(|path| Void::ChangedWhileRunning { path });
        // With `in_place` an input enters by what it holds after the attempt.
        let manifest = if void.is_some() && task.in_place.is_empty() { before } else { after };
        Ok(Some((manifest, void)))
    }

    /// An artifact that the task read and that is no longer as its maker left it. It enters by its record,
    /// so that only a look at the disk tells.
    fn altered_artifact(&self, id: TaskId) -> Option<String> {
        self.project.task(id).inputs.iter().find_map(|input| {
            let Input::Artifact { from, path, output } = input else { return None };
            if path != output {
                // Read as a file in it: compared with what the disk held before.
                return None;
            }
            let record = self.board.settled[from.index()].record()?;
            let artifact = record.artifacts.iter().find(|artifact| artifact.path == output.as_str())?;
            let now = self.host.artifact(output).ok()?;
            (now.digest != artifact.digest).then(|| path.to_string())
        })
    }

    /// An attempt did not succeed. Of several things to take back, the others are not concerned.
    pub(super) fn fail(&mut self, id: TaskId, trouble: Trouble) -> Result<(), RunError> {
        let goes_on = |live: &Live| live.interrupted.is_none() && live.undo.as_ref().is_some_and(UndoQueue::is_at_one);
        if self.live.get(&id).is_some_and(goes_on) {
            return self.undo_target_failed(id, trouble);
        }
        self.end_badly(id, trouble)
    }

    /// The end of an attempt that did not succeed.
    pub(super) fn end_badly(&mut self, id: TaskId, trouble: Trouble) -> Result<(), RunError> {
        let task = self.project.task(id);
        let Some(mut live) = self.live.remove(&id) else { return Ok(()) };
        for aside in live.asides.drain(..).rev() {
            if let Err(why) = self.host.put_back_aside(aside) {
                self.warn(format!("an output of `{}` could not be put back: {why}", self.project.task(id).name));
            }
        }
        self.clear_secrets(id, &live.job.tmp);
        // Of a refusal the last step's end says nothing: a plan that found changes ends with 2.
        let code = live.last_end.code.filter(|_| trouble.kind == TroubleKind::Failed);
        let by_user = matches!(live.interrupted, Some((Interrupted::User | Interrupted::FailFast, _)));
        let (message, declared) = self.how_it_ended(id, &live, &trouble.message);
        let seconds = live.started.elapsed().as_secs_f64();
        let phase = if by_user { Phase::Interrupted } else { Phase::Failed };
        let verdict = self.verdicts[id.index()].as_ref();
        let fingerprint = verdict.and_then(|verdict| verdict.fingerprint);
        let key = self.board.key(id);
        // What can't be synced now is found out when it is put back; the failure must be told in any case.
        let _ = self.host.sync_kept();
        let so_far = live.machine.as_ref().and_then(|machine| machine.so_far());
        let incarnations = trouble.incarnations.or(so_far).map(|set| own(set, key.0));
        let world = live.undo.is_none().then_some(WorldUpdate { token: None, incarnations, notes: trouble.notes });
        self.host.store.borrow_mut().end(&Ending {
            attempt: live.attempt,
            task: key,
            env: &self.project.env.name,
            effect: task.effect,
            phase,
            ended: self.host.now(),
            message: &message,
            exit_code: code,
            signal: live.last_end.signal,
            fingerprint,
            world,
        })?;
        self.reload(id)?;
        if let Some(undo) = &live.undo {
            let targets = undo.declared_targets();
            for target in targets {
                self.reload(target)?;
            }
        }
        let tail: Vec<String> = live.tail.iter().cloned().collect();
        if by_user {
            let said = Said {
                attempt: Some(live.attempt.0),
                reasons: live.reasons,
                seconds,
                summary: Some(message),
                failure: None,
            };
            let released = self.settle(id, Outcome::Interrupted, said);
            return self.judge_all(released);
        }
        let again =
            (trouble.kind == TroubleKind::Failed).then(|| self.tries_again(id, live.number, &message, &tail)).flatten();
        let command = live
            .step
            .as_ref()
            .filter(|_| trouble.kind == TroubleKind::Failed)
            .map(|step| if trouble.argv.is_empty() { &step.argv } else { &trouble.argv })
            .map(|argv| argv.iter().map(|word| live.masks.mask(word)).collect());
        let failure = Failure {
            message,
            command,
            exit_code: code.filter(|code| *code != 0),
            signal: live.last_end.signal,
            tail,
            log: self.host.is_written(&live.log).then(|| self.host.relative(&live.log)),
            hint: trouble.hint,
            declared,
            allowed: false,
        };
        let said = Said {
            attempt: Some(live.attempt.0),
            reasons: live.reasons,
            seconds,
            summary: None,
            failure: Some(failure),
        };
        if let Some(retry) = again {
            self.pause(id, live.number, &retry, said);
            return Ok(());
        }
        self.note_failure(id, if trouble.kind == TroubleKind::Refused { 5 } else { 1 });
        let released = self.settle(id, Outcome::Failed, said);
        self.judge_all(released)
    }

    /// What is said of an attempt that did not succeed, and where that is declared.
    fn how_it_ended(&self, id: TaskId, live: &Live, said: &str) -> (String, Option<String>) {
        let task = self.project.task(id);
        let message = match live.interrupted {
            Some((Interrupted::Timeout, _)) => {
                let limit = task.timeout.unwrap_or_default();
                format!("took longer than its timeout of {} s", limit.as_secs_f64())
            }
            Some(_) if live.killed && self.stop == Stop::Killed => "killed on request".to_owned(),
            Some(_) if live.killed => {
                format!("interrupted, and killed when its grace of {} s was over", live.grace.as_secs_f64())
            }
            Some(_) => "interrupted".to_owned(),
            None => live.masks.mask(said),
        };
        // Of an undo task it is one target whose undo did not end well.
        let undoing = live.undo.as_ref().and_then(UndoQueue::current);
        let message = match undoing {
            Some((name, _)) => format!("the undo of `{name}`: {message}"),
            None => message,
        };
        let place = undoing.and_then(|(_, id)| id).map_or(&task.place, |id| &self.project.task(id).place);
        (message, self.host.declared_at(place))
    }

    /// `INFRA_TMP` outlives a failure, for those who want to look at it; but what may hold secrets in the
    /// clear does not: exports, and all that a kind wrote there for its tool.
    fn clear_secrets(&self, id: TaskId, tmp: &Utf8Path) {
        match self.project.task(id).action.kind {
            KindName::Run | KindName::Shell => self.host.remove_private_file(&tmp.join("exports")),
            _ => self.host.remove_private_dir(tmp),
        }
    }
}

/// The machine names tasks; the store knows ids, which outlive names.
fn own(set: BTreeSet<Incarnation>, key: i64) -> BTreeSet<Incarnation> {
    set.into_iter().map(|one| Incarnation { task: key.to_string(), ..one }).collect()
}
