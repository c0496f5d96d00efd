//! Owns further tries of a task: whether there is one, the pause before it, and what becomes of a pause
//! when the run is being stopped.
//! Does not know how a try is carried out.

use crate::engine::RunError;
use crate::engine::dispatch::{Engine, Message};
use crate::engine::settle::Said;
use crate::engine::state::{Stop, TaskState};
use crate::model::effect::Outcome;
use crate::model::name::{AttemptId, TaskId};
use crate::model::task::Retry;

/// A pause that no machine asked for: between two tries.
const BETWEEN: AttemptId = AttemptId(-1);

/// A task between two tries.
#[derive(Debug)]
pub(super) struct Between {
    /// Number of the next try.
    next: u32,
    /// How the last one is told, should it stay the last.
    said: Said,
}

impl Engine<'_> {
    /// Whether a failure is tried again.
    pub(super) fn tries_again(&self, id: TaskId, number: u32, message: &str, tail: &[String]) -> Option<Retry> {
        let retry = self.project.task(id).retry.as_ref()?;
        (number <= retry.max && self.stop == Stop::No && wanted(retry, message, tail)).then(|| retry.clone())
    }

    /// Waits before the next try, longer each time.
    pub(super) fn pause(&mut self, id: TaskId, number: u32, retry: &Retry, said: Said) {
        let (first, longest) = retry.backoff;
        let pause = first.saturating_mul(1u32 << (number - 1).min(16)).min(longest.max(first));
        let message = said.failure.as_ref().map_or("", |failure| failure.message.as_str());
        let told =
            format!("try {number} of {} failed: {message}; next try in {} s", retry.max + 1, pause.as_secs_f64());
        self.notice(id, told);
        self.set_state(id, TaskState::Pausing);
        self.between.insert(id, Between { next: number + 1, said });
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            std::thread::sleep(pause);
            let _ = sender.send(Message::Pause(id, BETWEEN));
        });
    }

    pub(super) fn on_pause(&mut self, id: TaskId, attempt: AttemptId) -> Result<(), RunError> {
        if attempt != BETWEEN {
            if self.live.get(&id).is_some_and(|live| live.attempt == attempt) {
                return self.advance(id, crate::kind::machine::Heard::Waited);
            }
            return Ok(());
        }
        let Some(between) = self.between.remove(&id) else { return Ok(()) };
        // It waits for a place, a pool and the terminal like every other task.
        let verdict = crate::plan::verdict::judge(&self.board, self.host, id)?;
        self.verdicts[id.index()] = Some(verdict);
        self.tries.insert(id, between.next);
        self.set_state(id, TaskState::Queued);
        self.queue.push(id);
        Ok(())
    }

    /// A run that is being stopped tries nothing again: the last try was the last.
    pub(super) fn end_pauses(&mut self) -> Result<(), RunError> {
        for (id, between) in std::mem::take(&mut self.between) {
            self.note_failure(id, 1);
            let released = self.settle(id, Outcome::Failed, between.said);
            self.judge_all(released)?;
        }
        Ok(())
    }
}

fn wanted(retry: &Retry, message: &str, tail: &[String]) -> bool {
    retry.when.is_empty()
        || retry.when.iter().any(|text| message.contains(text) || tail.iter().any(|line| line.contains(text)))
}
