//! Owns time and signals of a run: timeouts, graces, Ctrl-C once, twice, three times.
//! Does not know what the tools do with a signal.

use crate::engine::attempt::Interrupted;
use crate::engine::dispatch::Engine;
use crate::engine::state::{Stop, TaskState};
use crate::event::{Event, Level};
use crate::host::lock::Held;
use crate::model::name::TaskId;
use std::time::{Duration, Instant};

/// How often a path that another run writes is looked at again.
const LOCK_TICK: Duration = Duration::from_millis(250);

/// Running tasks that are named in one line.
const NAMED: usize = 6;

impl Engine<'_> {
    /// Time until something may be due.
    pub(super) fn next_tick(&self) -> Duration {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        let mut sooner = |due: Instant| next = Some(next.map_or(due, |known: Instant| known.min(due)));
        for live in self.live.values() {
            if let Some(deadline) = live.deadline {
                sooner(deadline);
            }
            if let Some((_, since)) = live.interrupted
                && !live.killed
            {
                sooner(since + live.grace);
            }
        }
        // Without a free place there is nothing to look for: what frees one wakes us.
        if self.live.len() < self.request.jobs {
            for (_, until) in self.lock_waits.iter().filter(|(id, _)| *self.state(**id) == TaskState::Queued) {
                sooner(*until);
            }
        }
        next.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(now).max(Duration::from_millis(5)))
    }

    /// Looks at what is due.
    pub(super) fn on_tick(&mut self) {
        let now = Instant::now();
        let mut late = Vec::new();
        let mut over = Vec::new();
        for (id, live) in &self.live {
            match live.interrupted {
                None if live.deadline.is_some_and(|deadline| deadline <= now) => late.push(*id),
                Some((_, since)) if !live.killed && since + live.grace <= now => over.push(*id),
                _ => {}
            }
        }
        for id in late {
            self.interrupt(id, Interrupted::Timeout);
            self.notice(id, "took longer than its timeout: one interrupt was sent, waiting for its grace");
        }
        for id in over {
            self.notice(id, "its grace is over: killed with all that it started");
            self.kill(id);
        }
    }

    /// A signal to this program: once, one SIGINT to each tool; twice, what is waited for; three times,
    /// the whole trees are killed.
    pub(super) fn on_signal(&mut self) {
        match self.stop {
            Stop::No | Stop::Starting => {
                self.stop = Stop::Interrupted;
                let names = self.names_running();
                if names.is_empty() {
                    self.tell_all(Level::Warning, "interrupted".to_owned());
                } else {
                    self.tell_all(
                        Level::Warning,
                        format!(
                            "interrupt sent to {}; waiting so that they can end in order (Ctrl-C twice more kills them)",
                            names.join(", ")
                        ),
                    );
                }
                for id in self.ids_running() {
                    self.interrupt(id, Interrupted::User);
                }
            }
            Stop::Interrupted => {
                self.stop = Stop::Told;
                let now = Instant::now();
                let waits: Vec<String> = self
                    .live
                    .iter()
                    .take(NAMED)
                    .map(|(id, live)| {
                        let left = live
                            .interrupted
                            .map_or(0, |(_, since)| (since + live.grace).saturating_duration_since(now).as_secs());
                        let step = live.step.as_ref().map_or("its end", |step| step.name.as_str());
                        format!("`{}` ({step}, at most {left} s more)", self.project.task(*id).name)
                    })
                    .collect();
                self.tell_all(
                    Level::Warning,
                    format!(
                        "waiting for {}; Ctrl-C once more kills, and may leave locks and half-made things",
                        waits.join(", ")
                    ),
                );
            }
            Stop::Told => {
                self.stop = Stop::Killed;
                self.tell_all(Level::Error, "killed; `infra status` says what is in doubt".to_owned());
                self.kill_everything();
            }
            Stop::Killed => self.kill_everything(),
        }
    }

    /// Interrupts everything for a reason that is not the user's.
    pub(super) fn interrupt_all(&mut self, why: &str) {
        let running = self.ids_running();
        if !running.is_empty() {
            self.tell_all(Level::Warning, format!("interrupting {}: {why}", self.names_running().join(", ")));
        }
        for id in running {
            self.interrupt(id, Interrupted::FailFast);
        }
    }

    /// As the first Ctrl-C does, where a tool got it.
    pub(super) fn stop_all(&mut self) {
        self.stop = self.stop.max(Stop::Interrupted);
        for id in self.ids_running() {
            self.interrupt(id, Interrupted::User);
        }
    }

    /// Interrupts everything, and writes nothing down.
    pub(super) fn interrupt_without_record(&mut self) {
        for live in self.live.values_mut().filter(|live| live.interrupted.is_none()) {
            live.interrupted = Some((Interrupted::FailFast, Instant::now()));
            if let Some(running) = &live.running {
                running.interrupt();
            }
        }
    }

    /// Sends exactly one SIGINT to a tool's group.
    fn interrupt(&mut self, id: TaskId, why: Interrupted) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.interrupted.is_some() {
            return;
        }
        live.interrupted = Some((why, Instant::now()));
        match &live.running {
            Some(running) => running.interrupt(),
            None => {
                // Between steps, or waiting to be ready: nothing to wait for.
                let trouble = crate::kind::machine::Trouble { message: "interrupted".to_owned(), ..Default::default() };
                if let Err(error) = self.fail(id, trouble) {
                    self.warn(error.to_string());
                }
            }
        }
    }

    fn kill(&mut self, id: TaskId) {
        if let Some(live) = self.live.get_mut(&id) {
            live.killed = true;
            if let Some(running) = &live.running {
                // It may take seconds, and the loop must go on hearing the others.
                let running = running.clone();
                self.killers.push(std::thread::spawn(move || drop(running.kill_tree())));
            }
        }
    }

    /// Kills every tool with all that it started.
    pub(super) fn kill_everything(&mut self) {
        for id in self.ids_running() {
            self.kill(id);
        }
    }

    fn ids_running(&self) -> Vec<TaskId> {
        self.running().collect()
    }

    pub(super) fn names_running(&self) -> Vec<String> {
        let mut names: Vec<String> = self.running().map(|id| format!("`{}`", self.project.task(id).name)).collect();
        if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
            names.truncate(NAMED);
            names.push(format!("{more} more"));
        }
        names
    }

    fn tell_all(&mut self, level: Level, message: String) {
        self.tell(Event::Notice { level, message });
    }

    /// A task waits for a path that another run writes, and is looked at again after a while.
    pub(super) fn wait_for_lock(&mut self, id: TaskId, held: &Held) {
        if self.lock_waits.insert(id, Instant::now() + LOCK_TICK).is_none() {
            let by = held.holder.as_ref().map_or_else(
                || "another run".to_owned(),
                |holder| format!("`{}` (process {})", holder.command, holder.pid),
            );
            self.notice(id, format!("waiting: {by} writes `{}`", held.what));
        }
    }
}
