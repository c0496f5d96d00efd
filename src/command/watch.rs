//! Owns `infra watch` and `run --watch`: run, wait for a change, run again.
//! Does not know what watch mode may run (`engine::request::Reach`).

use crate::cli::{RunArgs, Selection};
use crate::command::context::Context;
use crate::command::exit::{CommandError, Exit};
use crate::command::run;
use crate::engine::request::Reach;
use crate::host::watch::{self, Change};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Quiet time after the last change before a run.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Watches until interrupted.
///
/// # Errors
/// When watching is not possible, or there is no project.
pub fn watch(context: &Context, selection: &Selection, jobs: Option<usize>) -> Result<u8, CommandError> {
    let root = context.root()?;
    let changes = watch::watch(&root, DEBOUNCE).map_err(|error| CommandError::State(error.to_string()))?;
    let stop = changes.stopper();
    let _signals = crate::host::signals::listen(move |_| stop.stop());
    let args = RunArgs {
        jobs: jobs.and_then(NonZeroUsize::new),
        wait: true,
        keep_going: true,
        ..RunArgs::default()
    };
    loop {
        match run::once(context, selection, &args, None, Reach::Watch) {
            Ok(finished) if run::was_interrupted(&finished) => return Ok(Exit::Interrupted as u8),
            Ok(_) => {}
            // A mistake in a file is what the next edit mends.
            Err(CommandError::Diagnostics(_)) => {}
            Err(error) => return Err(error),
        }
        context.say("watching for changes (Ctrl-C ends)");
        loop {
            match changes.next() {
                Change::Stopped => return Ok(Exit::Interrupted as u8),
                Change::Paths(paths) => {
                    let shown: Vec<String> = paths
                        .iter()
                        .take(3)
                        .map(|path| path.strip_prefix(&root).unwrap_or(path).to_string())
                        .collect();
                    let more = if paths.len() > 3 { ", …" } else { "" };
                    context.say(&format!("changed: {}{more}", shown.join(", ")));
                    break;
                }
                Change::Rescan => break,
            }
        }
    }
}
