//! Owns silence: a run of watch mode that does nothing, and leaves what the last one left, is not told.
//! Does not know how what happens is told.

use crate::event::{Event, Level, Listener};
use crate::model::effect::Outcome;
use crate::model::reason::Reason;

/// What a run left stale: tasks, with what was said of them and why.
pub type Left = Vec<(String, Option<String>, Vec<Reason>)>;

/// Holds events back until something happens, then passes all of them on.
pub struct Hush<'a> {
    inner: &'a mut dyn Listener,
    /// `None`: told from now on.
    held: Option<Vec<Event>>,
    left: Left,
    before: Left,
}

impl<'a> Hush<'a> {
    /// `before`: what the last run left.
    pub fn new(inner: &'a mut dyn Listener, before: Left) -> Self {
        Self { inner, held: Some(Vec::new()), left: Left::new(), before }
    }

    /// What this run left, and whether it was told.
    pub fn end(self) -> (Left, bool) {
        (self.left, self.held.is_none())
    }
}

impl Listener for Hush<'_> {
    fn hear(&mut self, event: &Event) {
        if let Event::TaskFinished { task, outcome: Outcome::Skipped, summary, reasons, .. } = event {
            self.left.push((task.clone(), summary.clone(), reasons.clone()));
        }
        let Some(held) = &mut self.held else {
            self.inner.hear(event);
            return;
        };
        held.push(event.clone());
        let over = matches!(event, Event::RunFinished { .. }) && self.left != self.before;
        if over || happens(event) {
            for event in self.held.take().unwrap_or_default() {
                self.inner.hear(&event);
            }
        }
    }
}

/// Whether an event is worth a line.
fn happens(event: &Event) -> bool {
    match event {
        Event::TaskStarted { .. } | Event::TaskStep { .. } | Event::TaskOutput { .. } | Event::TaskNotice { .. } => {
            true
        }
        Event::Notice { level, .. } => *level != Level::Info,
        Event::TaskFinished { outcome, .. } => !matches!(outcome, Outcome::Fresh | Outcome::Skipped),
        Event::RunStarted { .. } | Event::RunFinished { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story::tests::{finished, run_finished, run_started, started};

    struct Heard(usize);
    impl Listener for Heard {
        fn hear(&mut self, _: &Event) {
            self.0 += 1;
        }
    }

    fn told(before: Left, events: &[Event]) -> (usize, Left, bool) {
        let mut heard = Heard(0);
        let mut hush = Hush::new(&mut heard, before);
        for event in events {
            hush.hear(event);
        }
        let (left, spoke) = hush.end();
        (heard.0, left, spoke)
    }

    #[test]
    fn a_run_without_work_is_not_told() {
        let idle = [run_started(&["a"]), finished("a", Outcome::Fresh), run_finished(0, 1, 0, 0)];
        assert_eq!(told(Left::new(), &idle), (0, Left::new(), false));
        let busy = [run_started(&["a"]), started("a"), finished("a", Outcome::Ran), run_finished(1, 0, 0, 0)];
        assert_eq!(told(Left::new(), &busy), (4, Left::new(), true));
    }

    #[test]
    fn what_is_left_is_told_once() {
        let leaves = [run_started(&["a"]), finished("a", Outcome::Skipped), run_finished(0, 0, 0, 1)];
        let (count, left, spoke) = told(Left::new(), &leaves);
        assert_eq!((count, left.len(), spoke), (3, 1, true));
        assert_eq!(told(left.clone(), &leaves), (0, left, false));
    }
}
