//! Owns the signals that end a run: SIGINT, SIGTERM, SIGHUP. Each is told to a callback.
//! Does not know what is done about them.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// Listens until it is dropped.
pub struct Listening {
    handle: Option<Handle>,
}

/// Starts listening. Where handlers can't be installed the system's defaults stay, which end the program.
pub fn listen(mut tell: impl FnMut(i32) + Send + 'static) -> Listening {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return Listening { handle: None } };
    let handle = signals.handle();
    std::thread::spawn(move || {
        for signal in &mut signals {
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
