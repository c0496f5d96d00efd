//! Owns `infra watch` and `run --watch`: run, wait for a change, run again.
//! Does not know what watch mode may run (`engine::request::Reach`).

use crate::cli::{RunArgs, Selection};
use crate::command::context::Context;
use crate::command::exit::{CommandError, Exit};
use crate::command::run;
use crate::engine::request::Reach;
use crate::host::watch::{self, Change};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Quiet time after the last change before a run.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// How often an idle watch looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// Watches until interrupted.
///
/// # Errors
/// When watching is not possible, or there is no project.
pub fn watch(context: &Context, selection: &Selection, args: &RunArgs) -> Result<u8, CommandError> {
    let root = context.root()?;
    let watch = watch::watch(&root, Vec::new(), DEBOUNCE).map_err(|error| CommandError::State(error.to_string()))?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    let _signals = crate::host::signals::listen(move |_| flag.store(true, Ordering::SeqCst));
    let args = RunArgs { wait: true, keep_going: !args.fail_fast, ..args.clone() };
    loop {
        match run::once(context, selection, &args, Reach::Watch) {
            Ok(finished) if run::was_interrupted(&finished) => return Ok(Exit::Interrupted as u8),
            Ok(_) => {}
            // A mistake in a file is what the next edit mends.
            Err(CommandError::Diagnostics { found, sources }) => context.show(&found, &sources),
            Err(error) => return Err(error),
        }
        context.say("watching for changes (Ctrl-C ends)");
        match next(&watch, &interrupted) {
            None => return Ok(Exit::Interrupted as u8),
            Some(Change::Rescan) => {}
            Some(Change::Paths(paths)) => {
                let shown: Vec<&str> = paths.iter().take(3).map(|path| path.as_str()).collect();
                let more = if paths.len() > 3 { ", …" } else { "" };
                context.say(&format!("changed: {}{more}", shown.join(", ")));
            }
        }
        // What the run itself wrote was noticed before this line; it is no reason to run again.
        while watch.changes().try_recv().is_ok() {}
    }
}

/// The next change, or `None` when the user ends it.
fn next(watch: &watch::Watch, interrupted: &AtomicBool) -> Option<Change> {
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
