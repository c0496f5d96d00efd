//! Owns the end of a run: its exit code, how many tasks came out how, what is told and recorded of it.
//! Does not know the way there.

use crate::engine::RunError;
use crate::engine::dispatch::{Engine, Message};
use crate::engine::settle::Said;
use crate::engine::state::{Stop, TaskState};
use crate::event::{Event, Level};
use crate::host::process::ProcessEvent;
use crate::model::effect::Outcome;
use crate::model::facts::Facts;
use crate::model::name::{RunId, TaskId};
use crate::model::record::Millis;
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// The process's exit code.
    pub exit: u8,
    pub ran: usize,
    pub fresh: usize,
    pub restored: usize,
    pub failed: usize,
    pub skipped: usize,
    pub interrupted: usize,
    /// Outcome of each task of the run.
    pub outcomes: BTreeMap<TaskId, Outcome>,
    /// Tasks that watch mode left stale.
    pub left: Vec<TaskId>,
    /// While nothing else changes, records that age say the same: from the moment the youngest was made
    /// until the first of them expires. Milliseconds since the epoch; `None`: none expires.
    pub stands: (Millis, Option<Millis>),
}

impl Finished {
    /// Attempts that came to an end.
    pub(super) fn attempts(&self) -> usize {
        self.ran + self.failed + self.interrupted
    }
}

impl Engine<'_> {
    /// Interrupts what runs, for a run that can't go on, and waits until it has ended in order, or its
    /// grace is over. The store is left alone: it may be what failed.
    pub(super) async fn abandon(&mut self, error: &RunError) {
        let left = |engine: &Self| engine.live.values().any(|live| live.running.is_some());
        if !left(self) {
            return;
        }
        let names = self.names_running().join(", ");
        let message =
            format!("the run cannot go on: {error}; interrupt sent to {names}, waiting so that they can end in order");
        self.tell(Event::Notice { level: Level::Error, message });
        self.stop = self.stop.max(Stop::Interrupted);
        self.interrupt_without_record();
        while left(self) {
            let tick = self.next_tick();
            tokio::select! {
                message = self.receiver.recv() => match message {
                    Some(Message::Process(id, _, ProcessEvent::Ended(_))) => {
                        if let Some(live) = self.live.get_mut(&id) {
                            live.running = None;
                        }
                    }
                    Some(Message::Signal) => self.on_signal(),
                    _ => {}
                },
                () = tokio::time::sleep(tick) => self.on_tick(),
            }
        }
    }

    /// Tells and records the end.
    pub(super) fn end(mut self, result: Result<(), RunError>) -> Result<Finished, RunError> {
        if result.is_err() && self.untold.is_some() {
            // Refused before anything was considered: there is nothing to tell of.
            return result.map(|()| Finished::default());
        }
        for killer in self.killers.drain(..) {
            let _ = killer.join();
        }
        if result.is_err() {
            self.settle_what_is_left();
        }
        let mut finished = std::mem::take(&mut self.finished);
        finished.stands = self.stands();
        for id in &self.request.tasks {
            if let TaskState::Settled(outcome) = self.state(*id) {
                finished.outcomes.insert(*id, *outcome);
            }
        }
        finished.exit = match (&result, self.stop) {
            (Err(RunError::Store(_) | RunError::Fact(_) | RunError::State { .. }), _) => 7,
            (Err(RunError::Refused { .. }), _) => 5,
            (Err(RunError::Tools(_)), _) => 6,
            (Err(RunError::Unknown { .. }), _) => 4,
            (Ok(()), Stop::Interrupted | Stop::Told | Stop::Killed) => 130,
            // At a question, of which the signal may say nothing more.
            (Ok(()), _) if self.exit == 0 && finished.interrupted > 0 => 130,
            (Ok(()), _) => self.exit,
        };
        let outcome = match finished.exit {
            0 => Outcome::Ran,
            130 => Outcome::Interrupted,
            _ => Outcome::Failed,
        };
        self.tell(Event::RunFinished {
            run: self.run.0,
            outcome,
            ran: finished.ran,
            fresh: finished.fresh,
            restored: finished.restored,
            failed: finished.failed,
            skipped: finished.skipped,
            interrupted: finished.interrupted,
            seconds: self.started.elapsed().as_secs_f64(),
            exit: finished.exit,
        });
        let ended = self.record_end(&finished);
        result?;
        ended?;
        Ok(finished)
    }

    fn stands(&self) -> (Millis, Option<Millis>) {
        let aging = self.project.tasks.iter().filter_map(|task| {
            let record = self.board.settled[task.id.index()].record()?;
            let ttl = i64::try_from(task.ttl?.as_millis()).unwrap_or(i64::MAX);
            Some((record.created, record.created.saturating_add(ttl)))
        });
        aging.fold((Millis::MIN, None), |(from, until), (created, expires)| {
            (from.max(created), Some(until.map_or(expires, |until: Millis| until.min(expires))))
        })
    }

    /// Every task of the target is told, also by a run that could not go on.
    fn settle_what_is_left(&mut self) {
        for id in self.request.tasks.clone() {
            let live = self.live.remove(&id);
            let outcome = match self.state(id) {
                TaskState::Settled(_) | TaskState::Outside => continue,
                _ if live.is_some() => Outcome::Interrupted,
                _ => Outcome::Skipped,
            };
            let said = Said {
                attempt: live.as_ref().map(|live| live.attempt.0),
                seconds: live.as_ref().map_or(0.0, |live| live.started.elapsed().as_secs_f64()),
                summary: Some("the run could not go on".to_owned()),
                ..Said::default()
            };
            // What this releases is settled here, too.
            let _ = self.settle(id, outcome, said);
        }
    }

    fn record_end(&mut self, finished: &Finished) -> Result<(), RunError> {
        if self.run == RunId(0) {
            return Ok(());
        }
        let counts = serde_json::json!({
            "ran": finished.ran, "fresh": finished.fresh, "restored": finished.restored,
            "failed": finished.failed, "skipped": finished.skipped, "interrupted": finished.interrupted,
        });
        let synced = self.sync_kept();
        let mut store = self.host.store.borrow_mut();
        // A ledger that can't be written never fails a run that went well.
        let _ = store.put_events(self.run, &self.events);
        store.end_run(self.run, self.host.now(), finished.exit, &counts.to_string())?;
        synced
    }
}
