//! Owns answering `infra run` from a snapshot, and taking one of a run that found everything fresh.
//! Does not know what a snapshot holds (`host::still`).

use crate::cli::Selection;
use crate::command::context::{Context, Opened};
use crate::command::hold::{Patience, lock_env};
use crate::command::run::line;
use crate::engine::Finished;
use crate::event::{Event, Listener};
use crate::host::clock::{Clock, TEST_NOW};
use crate::host::files::Sightings;
use crate::host::still::{Answer, Still};
use crate::host::world::STATE_DIR;
use crate::model::effect::Outcome;
use crate::report::select::voice;
use camino::Utf8Path;
use std::time::Instant;

/// The question that a run asks; `None` for one that may not be answered from a snapshot.
pub fn question(context: &Context, root: &Utf8Path, selection: &Selection) -> Option<Still> {
    let Selection { targets, only, from, until, skip, force } = selection;
    if *force {
        return None;
    }
    let mut words = vec![format!("env {:?}", context.global.env)];
    for (key, list) in [("target", targets), ("only", only), ("from", from), ("until", until), ("skip", skip)] {
        words.extend(list.iter().map(|word| format!("{key} {word}")));
    }
    words.extend(context.global.set.iter().map(|one| format!("set {}={}", one.name, one.value)));
    Still::ask(root, &root.join(STATE_DIR), &words, &context.caller_env)
}

/// Answers from a snapshot, if there is one that holds. The run is told as if everything had been judged.
pub fn answer(context: &Context, still: &Still) -> Option<Finished> {
    let started = Instant::now();
    let kept = still.kept()?;
    let Answer { env, targets, tasks, fresh, .. } = kept.answer();
    let root = still.root();
    // Held by another run: whoever judges says so, or waits.
    let _taken = lock_env(context, root, env, &line("run", targets), Patience::None).ok()?;
    let clock = Clock::set_to(context.caller_env.get(TEST_NOW).and_then(|text| text.parse().ok()));
    let now = clock.now();
    if !kept.holds(now) {
        return None;
    }
    let mut listener = voice(&context.choice, context.checked_out(root), std::io::stdout(), std::io::stderr()).listener;
    listener.hear(&Event::RunStarted {
        run: 0,
        command: "run".to_owned(),
        env: env.clone(),
        targets: targets.clone(),
        changed: Vec::new(),
        tasks: tasks.clone(),
        at: now,
        estimate: None,
    });
    for task in fresh {
        listener.hear(&Event::TaskFinished {
            task: task.clone(),
            attempt: None,
            outcome: Outcome::Fresh,
            reasons: Vec::new(),
            seconds: 0.0,
            summary: None,
            failure: None,
        });
    }
    listener.hear(&Event::RunFinished {
        run: 0,
        outcome: Outcome::Ran,
        ran: 0,
        fresh: fresh.len(),
        restored: 0,
        failed: 0,
        skipped: 0,
        interrupted: 0,
        seconds: started.elapsed().as_secs_f64(),
        exit: 0,
    });
    Some(Finished { fresh: fresh.len(), ..Finished::default() })
}

/// Hears a run on its way to those who report it, and whether anything but fresh tasks was in it.
#[derive(Default)]
pub struct Witness {
    started: Option<(String, Vec<String>, Vec<String>)>,
    fresh: Vec<String>,
    /// Whether nothing was told that `answer` could not tell again.
    plain: Plain,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Plain {
    #[default]
    Yes,
    No,
}

impl Witness {
    /// A listener that tells another one what it hears.
    pub fn beside<'a>(&'a mut self, other: &'a mut dyn Listener) -> Beside<'a> {
        Beside { witness: self, other }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run: 0, env, targets, tasks, estimate: None, .. } => {
                self.started = Some((env.clone(), targets.clone(), tasks.clone()));
            }
            Event::TaskFinished {
                task,
                attempt: None,
                outcome: Outcome::Fresh,
                reasons,
                summary: None,
                failure: None,
                ..
            } if reasons.is_empty() => self.fresh.push(task.clone()),
            Event::RunFinished { run: 0, outcome: Outcome::Ran, exit: 0, .. } => {}
            _ => self.plain = Plain::No,
        }
    }

    /// What was found, when all that was found is that everything is fresh.
    pub fn answer(self, finished: &Finished) -> Option<Answer> {
        let (env, targets, tasks) = self.started?;
        let (from, until) = finished.stands;
        let all = self.plain == Plain::Yes && finished.exit == 0 && self.fresh.len() == tasks.len();
        all.then_some(Answer { env, targets, tasks, fresh: self.fresh, from, until })
    }
}

/// See `Witness::beside`.
pub struct Beside<'a> {
    witness: &'a mut Witness,
    other: &'a mut dyn Listener,
}

impl Listener for Beside<'_> {
    fn hear(&mut self, event: &Event) {
        self.witness.note(event);
        self.other.hear(event);
    }
}

/// Keeps what a run found, after its store is closed. `others` is what the store said of other writers
/// when it was opened.
pub fn keep(still: &Still, opened: Opened, sightings: &Sightings, answer: Answer, others: Option<i64>) {
    // What somebody else committed meanwhile was not judged.
    let alone = others.is_some() && opened.host.store.borrow().others() == others;
    drop(opened);
    if alone {
        still.keep(answer, sightings);
    }
}
