//! Owns a command that goes on.
//! Does not know the story that it belongs to.

use crate::support::LIMIT;
use crate::support::process::send;
use crate::support::seen::Seen;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

/// A command that goes on.
pub struct Running {
    pub(super) child: Child,
    pub(super) stdout: PathBuf,
    pub(super) stderr: PathBuf,
    pub(super) command: String,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, name: &str) -> &Self {
        send(self.pid(), name);
        self
    }

    /// What it printed so far.
    pub fn so_far(&self) -> Seen {
        Seen {
            command: self.command.clone(),
            stdout: String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned(),
            stderr: String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned(),
            ..Seen::default()
        }
    }

    /// Waits, within bounds, until stdout or stderr has a text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
        let since = Instant::now();
        loop {
            let seen = self.so_far();
            if seen.stdout.contains(text) || seen.stderr.contains(text) {
                return self;
            }
            if self.child.try_wait().expect("a child").is_some() || since.elapsed() > LIMIT {
                self.so_far().fail(&format!("it never said `{text}`"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for its end, within bounds.
    #[track_caller]
    pub fn wait(mut self) -> Seen {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Seen { code: status.code(), signal: status.signal(), ..self.so_far() };
            }
            if since.elapsed() > LIMIT {
                send(-self.pid(), "KILL");
                let _ = self.child.wait();
                self.so_far().fail("it did not end");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
