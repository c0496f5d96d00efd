//! Owns the signals that end a run: SIGINT, SIGTERM, SIGHUP. Each is told to a callback.
//! Does not know what is done about them.

use crate::host::process::sys::is_ignored;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};
use std::sync::atomic::{AtomicUsize, Ordering};

static HEARD: AtomicUsize = AtomicUsize::new(0);

/// How many signals were heard so far.
pub fn heard() -> usize {
    HEARD.load(Ordering::Relaxed)
}

/// Listens until it is dropped.
pub struct Listening {
    handle: Option<Handle>,
}

/// Lets a write beyond a limit on files fail like every other write, instead of ending the program. What
/// it starts is not concerned: handlers end with exec.
pub fn outlive_file_limits() {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    // Without a handler the system's default stays, which ends the program.
    let _ = signal_hook::flag::register(SIGXFSZ, seen);
}

/// Starts listening. Where handlers can't be installed the system's defaults stay, which end the program.
pub fn listen(mut tell: impl FnMut(i32) + Send + 'static) -> Listening {
    let mut wanted = vec![SIGINT, SIGTERM];
    // Under `nohup` the end of the terminal is no reason to end.
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let Ok(mut signals) = Signals::new(wanted) else { return Listening { handle: None } };
    let handle = signals.handle();
    std::thread::spawn(move || {
        for signal in &mut signals {
            HEARD.fetch_add(1, Ordering::Relaxed);
            tell(signal);
        }
    });
    Listening { handle: Some(handle) }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}
