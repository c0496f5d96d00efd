//! Owns the way from a verdict to an outcome: judge, believe, put back, queue, settle.
//! Does not know how an attempt is carried out.

use crate::engine::RunError;
use crate::engine::dispatch::{Engine, Message};
use crate::engine::request::{OnTaskFailure, Reach};
use crate::engine::state::{Stop, TaskState};
use crate::engine::upstream::Why;
use crate::event::{Event, Failure, NOT_STARTED};
use crate::model::effect::{Effect, Outcome, State};
use crate::model::facts::Facts;
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::model::task::{OnFailure, WatchMay};
use crate::plan::board::Settled;
use crate::plan::verdict::{self, Verdict};
use std::time::Instant;

/// What is said of a task that is settled.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub attempt: Option<i64>,
    pub reasons: Vec<Reason>,
    pub seconds: f64,
    pub summary: Option<String>,
    pub failure: Option<Failure>,
}

impl Engine<'_> {
    /// Judges tasks whose upstreams are settled, and all that this releases.
    pub(super) fn judge_all(&mut self, first: Vec<TaskId>) -> Result<(), RunError> {
        // A list and no recursion: chains may be very long.
        let mut ready = first;
        ready.reverse();
        while let Some(id) = ready.pop() {
            if *self.state(id) != TaskState::Waiting {
                continue;
            }
            if let Some(released) = self.consider(id)? {
                ready.extend(released.into_iter().rev());
            }
        }
        Ok(())
    }

    /// Judges one task. Gives what it released, when it is settled without running.
    fn consider(&mut self, id: TaskId) -> Result<Option<Vec<TaskId>>, RunError> {
        if self.request.skipped.contains(&id) {
            self.leave_out(id)?;
            let summary = Some("left out; taken as recorded".to_owned());
            return Ok(Some(self.settle(id, Outcome::Skipped, Said { summary, ..Said::default() })));
        }
        if let Some(released) = self.hold(id) {
            return Ok(Some(released));
        }
        self.board.refresh_alive(id);
        let mut verdict = verdict::judge(&self.board, self.host, id)?;
        if self.request.forced.contains(&id) && verdict.state != State::Unknown {
            verdict.force();
        }
        match verdict.state {
            State::Fresh | State::Restorable if self.ask_probe(id) => Ok(None),
            State::Fresh | State::Restorable => Ok(Some(self.take_as_it_is(id, verdict))),
            State::Unknown => Ok(Some(self.must_be_resolved(id, verdict))),
            State::Stale if self.request.reach == Reach::WatchAgain && verdict.is_good_but_expired() => {
                Ok(Some(self.believe(id, verdict, Outcome::Fresh, None)))
            }
            _ => Ok(self.queue_it(id, verdict)),
        }
    }

    fn queue_it(&mut self, id: TaskId, verdict: Verdict) -> Option<Vec<TaskId>> {
        let task = self.project.task(id);
        let forced = verdict.reasons.contains(&Reason::Forced);
        if task.effect == Effect::Once && verdict::started_once(self.board.history(id)) && !forced {
            return Some(self.must_be_resolved(id, verdict));
        }
        let may_watch = task.watch == WatchMay::Run || !task.effect.changes_world();
        if self.request.reach.is_watch() && !may_watch {
            self.finished.left.push(id);
            self.holds(id, Why::LeftStale);
            let said = Said {
                reasons: verdict.reasons,
                summary: Some(
                    "left stale: watch does not run what changes the world (`watch = true` lets it)".to_owned(),
                ),
                ..Said::default()
            };
            return Some(self.settle(id, Outcome::Skipped, said));
        }
        if self.stop != Stop::No {
            return Some(self.not_started(id, verdict));
        }
        if let Some(message) = self.cannot_start(id, &verdict) {
            return Some(self.fail_before_start(id, verdict, message));
        }
        self.enqueue(id, verdict);
        None
    }

    fn enqueue(&mut self, id: TaskId, verdict: Verdict) {
        self.verdicts[id.index()] = Some(verdict);
        self.set_state(id, TaskState::Queued);
        self.queued.insert(id, (Instant::now(), self.finished.attempts()));
        self.queue.push(id);
    }

    pub(super) fn not_started(&mut self, id: TaskId, verdict: Verdict) -> Vec<TaskId> {
        let outcome = self.not_started_outcome();
        let summary = Some(NOT_STARTED.to_owned());
        self.holds(id, Why::NotStarted);
        self.settle(id, outcome, Said { reasons: verdict.reasons, summary, ..Said::default() })
    }

    pub(super) fn not_started_outcome(&self) -> Outcome {
        if self.stop >= Stop::Interrupted { Outcome::Interrupted } else { Outcome::Skipped }
    }

    /// What makes a start pointless: a missing input, a template that can't be rendered.
    pub(super) fn cannot_start(&self, id: TaskId, verdict: &Verdict) -> Option<(String, Option<String>)> {
        if let Some(broken) = &verdict.broken {
            let place = broken.place.as_ref().map_or(String::new(), |place| format!(" in `{}`", place.file));
            return Some((format!("a template{place} cannot be rendered: {}", broken.message), broken.help.clone()));
        }
        if !verdict.missing.is_empty() {
            let list = verdict.missing.join("`, `");
            return Some((
                format!("input `{list}` is not there"),
                Some("create it, or take it out of `inputs`".to_owned()),
            ));
        }
        let absent = crate::plan::fingerprint::absent_values(&self.board, self.project.task(id));
        absent.first().map(|(task, key)| {
            (
                format!("`{task}` did not export `{key}`"),
                Some(format!("see what it exports with `infra outputs {task}`")),
            )
        })
    }

    pub(super) fn fail_before_start(
        &mut self,
        id: TaskId,
        verdict: Verdict,
        (message, hint): (String, Option<String>),
    ) -> Vec<TaskId> {
        let failure = self.failure(id, message, hint);
        self.note_failure(id, 1);
        self.settle(id, Outcome::Failed, Said { reasons: verdict.reasons, failure: Some(failure), ..Said::default() })
    }

    fn must_be_resolved(&mut self, id: TaskId, verdict: Verdict) -> Vec<TaskId> {
        let name = self.project.task(id).name.to_string();
        let mut hint = format!(
            "look at the world; then `infra resolve {name} --done` if it did what it should, else `--failed` or `--rerun`, and the next run does it"
        );
        let message = if verdict.state == State::Unknown {
            format!("the end of the last attempt of `{name}` is not known, and it must not be repeated blindly")
        } else {
            hint = format!("{hint}; `infra run {name} --force` runs it now");
            format!("`{name}` is stale, but it started before and must not be repeated blindly")
        };
        self.note_exit(4);
        let failure = self.failure(id, message, Some(hint));
        self.settle(id, Outcome::Failed, Said { reasons: verdict.reasons, failure: Some(failure), ..Said::default() })
    }

    /// A failure without an attempt.
    pub(super) fn failure(&self, id: TaskId, message: String, hint: Option<String>) -> Failure {
        Failure {
            message,
            command: None,
            exit_code: None,
            signal: None,
            tail: Vec::new(),
            log: None,
            hint,
            declared: self.host.declared_at(&self.project.task(id).place),
            allowed: false,
        }
    }

    /// A record is believed.
    pub(super) fn believe(
        &mut self,
        id: TaskId,
        verdict: Verdict,
        outcome: Outcome,
        summary: Option<String>,
    ) -> Vec<TaskId> {
        self.board.settled[id.index()] = Settled::Yes(verdict.record.clone());
        if let Some(record) = &verdict.record {
            // A pure record of another environment or branch stands for this task from now on.
            self.board.histories[id.index()].newest = Some(record.clone());
        }
        self.settle(id, outcome, Said { reasons: verdict.reasons, summary, ..Said::default() })
    }

    /// A record is believed, after its artifacts were put back if they must be.
    fn take_as_it_is(&mut self, id: TaskId, verdict: Verdict) -> Vec<TaskId> {
        if verdict.state == State::Restorable {
            self.put_back(id, verdict)
        } else {
            self.believe(id, verdict, Outcome::Fresh, None)
        }
    }

    fn put_back(&mut self, id: TaskId, verdict: Verdict) -> Vec<TaskId> {
        let mut paths = Vec::new();
        for artifact in &verdict.restore {
            if let Err(error) = self.host.restore(artifact) {
                let message = format!("artifact `{}` cannot be put back: {error}", artifact.path);
                self.warn(format!("{message}; the task runs instead"));
                self.enqueue(id, verdict);
                return Vec::new();
            }
            paths.push(artifact.path.clone());
        }
        let summary = Some(format!("put back {}", paths.join(", ")));
        self.believe(id, verdict, Outcome::Restored, summary)
    }

    /// Starts asking the probe of a task that is otherwise fresh; `false` when there is nothing to ask.
    fn ask_probe(&mut self, id: TaskId) -> bool {
        let Some(probe) = &self.project.task(id).probe else { return false };
        // Whether its last answer is good enough is a question of the clock.
        self.host.disk.sightings().spoil();
        let now = self.host.now();
        if let Some((true, at, _)) = &self.board.history(id).probe {
            let good_for = probe.ttl.map_or(0, |ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
            if (0..good_for).contains(&(now - at)) {
                return false;
            }
        }
        let Some(check) = crate::engine::probe_check(self.host, &self.board, id) else { return false };
        self.set_state(id, TaskState::Probing);
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            let answer = check.ask();
            let _ = sender.send(Message::Probed(id, answer));
        });
        true
    }

    pub(super) fn on_probed(&mut self, id: TaskId, answer: crate::model::probe::Answer) -> Result<(), RunError> {
        use crate::model::probe::Answer;
        self.set_state(id, TaskState::Waiting);
        let verdict = verdict::judge(&self.board, self.host, id)?;
        let (agrees, text) = match answer {
            Answer::Agrees => (true, String::new()),
            Answer::Disagrees(text) => (false, text),
            Answer::CannotTell(text) => {
                let task = self.project.task(id).name.to_string();
                self.warn(format!("the probe of `{task}` can't tell ({text}); its record is believed as before"));
                let released = self.take_as_it_is(id, verdict);
                return self.judge_all(released);
            }
        };
        let now = self.host.now();
        let key = self.board.key(id);
        self.host.store.borrow_mut().put_probe(key, &self.project.env.name, agrees, now, &text)?;
        self.board.histories[id.index()].probe = Some((agrees, now, text));
        if agrees {
            let released = self.take_as_it_is(id, verdict);
            return self.judge_all(released);
        }
        let verdict = verdict::judge(&self.board, self.host, id)?;
        if let Some(released) = self.queue_it(id, verdict) {
            self.judge_all(released)?;
        }
        Ok(())
    }

    /// The end of a task in this run, for better or worse. Gives the tasks that it released.
    pub(super) fn settle(&mut self, id: TaskId, outcome: Outcome, mut said: Said) -> Vec<TaskId> {
        match outcome {
            Outcome::Ran => self.finished.ran += 1,
            Outcome::Fresh => self.finished.fresh += 1,
            Outcome::Restored => self.finished.restored += 1,
            Outcome::Failed => self.finished.failed += 1,
            Outcome::Skipped => self.finished.skipped += 1,
            Outcome::Interrupted => self.finished.interrupted += 1,
        }
        let task = self.project.task(id);
        if task.is_undo() && outcome.is_good() {
            self.board.settled[id.index()] = Settled::Yes(None);
        }
        if outcome == Outcome::Failed && task.on_failure == OnFailure::GoOn {
            self.board.settled[id.index()] = Settled::Yes(None);
            if let Some(failure) = &mut said.failure {
                failure.allowed = true;
            }
        } else if outcome == Outcome::Failed && self.request.on_failure != OnTaskFailure::KeepGoing {
            self.stop = self.stop.max(Stop::Starting);
        }
        self.set_state(id, TaskState::Settled(outcome));
        let name = task.name.to_string();
        self.tell(Event::TaskFinished {
            task: name,
            attempt: said.attempt,
            outcome,
            reasons: said.reasons,
            seconds: said.seconds,
            summary: said.summary,
            failure: said.failure,
        });
        if outcome == Outcome::Failed && task.on_failure == OnFailure::Stop && self.fails_fast() {
            self.interrupt_all("another task failed (`--fail-fast`)");
        }
        self.released(id)
    }
}
