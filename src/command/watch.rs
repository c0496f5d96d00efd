//! Owns `infra watch` and `run --watch`: run, wait for a change, run again.
//! Does not know what watch mode may run (`engine::request::Reach`).

use crate::cli::{RunArgs, Selection};
use crate::command::context::Context;
use crate::command::exit::{CommandError, Exit};
use crate::command::hold::Patience;
use crate::command::run::{self, Hushed, Manner, Round};
use crate::engine::request::Reach;
use crate::host::watch::{self, Change, Watch};
use crate::report::select::Mode;
use camino::Utf8PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Quiet time after the last change before a run.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// How often an idle watch looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(100);
/// What is noticed so soon after a run may be what the run itself wrote.
const ECHO: Duration = Duration::from_millis(500);
/// So often in a row a run may wake the next one before it is slowed down.
const IN_A_ROW: u32 = 3;
/// Longest pause between runs that wake each other.
const LONGEST: Duration = Duration::from_secs(30);

/// Watches until interrupted.
///
/// # Errors
/// When watching is not possible; what ends the first run before it starts; a store that fails.
pub fn watch(context: &Context, selection: &Selection, args: &RunArgs) -> Result<u8, CommandError> {
    let root = context.root()?;
    let watch = watch::watch(&root, Vec::new(), DEBOUNCE).map_err(|error| CommandError::State(error.to_string()))?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    let _signals = crate::host::signals::listen(move |_| flag.store(true, Ordering::SeqCst));
    let args = RunArgs { keep_going: !args.fail_fast, ..args.clone() };
    let mut round = Round { reach: Reach::Watch, changed: Vec::new() };
    let mut hushed = Hushed::default();
    let mut echoes = 0;
    loop {
        let first = round.reach == Reach::Watch;
        let manner = Manner {
            patience: Patience::WaitsUnless(&interrupted),
            yes: args.yes,
            hush: (!first).then_some(&mut hushed),
            asked: None,
            junit: None,
        };
        let worked = match run::once(context, selection, &args, round, manner) {
            Ok(finished) if run::was_interrupted(&finished) => return Ok(Exit::Interrupted as u8),
            Ok(finished) => finished.ran + finished.failed > 0,
            Err(_) if interrupted.load(Ordering::SeqCst) => return Ok(Exit::Interrupted as u8),
            Err(error) if ends(&error, first) => return Err(error),
            // What the next edit may mend.
            Err(error) => {
                hushed = Hushed { spoke: true, ..Hushed::default() };
                super::report(context, &error);
                false
            }
        };
        let ended = Instant::now();
        if first || hushed.spoke {
            context.note("watching for changes (Ctrl-C ends)");
        }
        let Some(change) = next(&watch, &interrupted) else {
            if context.choice.mode == Mode::Live {
                // The terminal echoed the keys; what follows begins on a line of its own.
                context.say("\n");
            }
            return Ok(Exit::Interrupted as u8);
        };
        echoes = if worked && ended.elapsed() < ECHO { echoes + 1 } else { 0 };
        if echoes == IN_A_ROW {
            context.note("tasks change what they read, or something else keeps changing files: slowing down");
        }
        if let Some(more) = echoes.checked_sub(IN_A_ROW)
            && !sleep(LONGEST.min(Duration::from_secs(1 << more.min(5))), &interrupted)
        {
            return Ok(Exit::Interrupted as u8);
        }
        let mut changed = told(change);
        // The run that follows sees all that changed until now.
        while let Ok(change) = watch.changes().try_recv() {
            changed.extend(told(change));
        }
        round = Round { reach: Reach::WatchAgain, changed };
    }
}

/// Whether an error ends the watching. At the start, all but mistakes in files do.
fn ends(error: &CommandError, first: bool) -> bool {
    match error {
        CommandError::Diagnostics { found, .. } => first && found.iter().any(|one| one.place.is_none()),
        CommandError::Store(_) | CommandError::Fact(_) | CommandError::State(_) | CommandError::Unwritten(_) => true,
        CommandError::Run(_) => first || error.exit() == Exit::Store,
        CommandError::Usage { .. }
        | CommandError::Held { .. }
        | CommandError::Refused { .. }
        | CommandError::Tool { .. } => first,
    }
}

/// The paths of a change; a folder in which something changed says nothing more.
fn told(change: Change) -> Vec<String> {
    let Change::Paths(paths) = change else { return Vec::new() };
    let says = |path: &Utf8PathBuf| !paths.iter().any(|other| other != path && other.starts_with(path));
    paths.iter().filter(|path| says(path)).map(ToString::to_string).collect()
}

/// The next change, or `None` when the user ends it.
fn next(watch: &Watch, interrupted: &AtomicBool) -> Option<Change> {
    loop {
        if interrupted.load(Ordering::SeqCst) {
            return None;
        }
        match watch.changes().recv_timeout(LOOK) {
            Ok(change) => return Some(change),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Waits; `false` when the user ends it.
fn sleep(pause: Duration, interrupted: &AtomicBool) -> bool {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if interrupted.load(Ordering::SeqCst) {
            return false;
        }
        std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
    }
    true
}
