//! Owns taking an environment for a command, or saying who holds it and since when.
//! Does not know what is done while it is held.

use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::host::lock::{EnvLock, Held, LockError, Wait};
use crate::host::world::STATE_DIR;
use crate::host::{files, simple};
use camino::Utf8Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is done when another run holds the environment.
#[derive(Clone, Copy, Debug)]
pub enum Patience<'a> {
    /// Refuse, though `--wait` would wait.
    None,
    /// Refuse: the command has no `--wait`.
    Never,
    /// Wait until it ends.
    Waits,
    /// Wait until it ends, or the user ends the wait.
    WaitsUnless(&'a AtomicBool),
}

impl Patience<'_> {
    /// As `--wait` says.
    pub fn of(wait: bool) -> Self {
        if wait { Self::Waits } else { Self::None }
    }

    /// What one may do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Never => "wait until it ends, then say it again",
            Self::None | Self::Waits | Self::WaitsUnless(_) => "`--wait` waits for it",
        }
    }
}

/// An environment, until it is dropped.
#[must_use]
pub struct Taken {
    _lock: EnvLock,
    /// Another run held it: what was read before may no longer be so.
    pub waited: bool,
}

/// Takes an environment's lock, or says who holds it.
///
/// # Errors
/// Held by another run; the state folder can't be written.
pub fn lock_env(
    context: &Context,
    root: &Utf8Path,
    env: &str,
    command: &str,
    patience: Patience<'_>,
) -> Result<Taken, CommandError> {
    let state = root.join(STATE_DIR);
    files::make_private_dir(&state).map_err(|error| CommandError::State(error.to_string()))?;
    simple::write_once(&state.join(".gitignore"), b"*\n").map_err(|error| CommandError::State(error.to_string()))?;
    let now = || context.holder(command);
    let mut told = false;
    let taken = match patience {
        Patience::None | Patience::Never => EnvLock::try_take(&state, env, &now()),
        Patience::Waits | Patience::WaitsUnless(_) => EnvLock::wait(&state, env, &now, &mut |held| {
            if !std::mem::replace(&mut told, true) {
                context.note(&format!("waiting: {}", describe(held, now().since)));
            }
            match patience {
                Patience::WaitsUnless(ended) if ended.load(Ordering::SeqCst) => Wait::GiveUp,
                _ => Wait::GoOn,
            }
        }),
    };
    taken.map(|lock| Taken { _lock: lock, waited: told }).map_err(|error| match error {
        LockError::Held(held) | LockError::GaveUp(held) => CommandError::Held {
            message: describe(&held, now().since),
            hint: Some(format!("{}; `infra status` works meanwhile", patience.advice())),
        },
        LockError::File(error) => CommandError::State(error.to_string()),
    })
}

/// Who holds an environment, and since when.
pub fn describe(held: &Held, now: i64) -> String {
    match &held.holder {
        Some(holder) => {
            let since = crate::report::text::moment(holder.since);
            format!(
                "environment `{}` is held by `{}` (process {} of {} on {}) since {since}, {} ago",
                held.what,
                holder.command,
                holder.pid,
                holder.user,
                holder.host,
                crate::report::text::seconds(((now - holder.since).max(0) as f64) / 1000.0)
            )
        }
        None => format!("environment `{}` is held by another run", held.what),
    }
}
