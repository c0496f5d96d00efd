//! Owns the list of our own children, and reaping the strangers that a subreaper is given.
//! Does not know how processes are started or ended.

use super::{sweep, sys};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// What a child of ours is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// A tool, with its mark.
    Tool(String),
    /// A short query.
    Query,
}

/// Our children, from before they exist (the lock is held while one is started) until they are reaped.
static CHILDREN: Mutex<BTreeMap<u32, Child>> = Mutex::new(BTreeMap::new());

/// Leave to start processes. While it is held nobody reaps: a child that is not yet on the list would
/// be taken for a stranger and its status lost.
pub(super) struct Leave(MutexGuard<'static, BTreeMap<u32, Child>>);

pub(super) fn leave() -> Leave {
    Leave(CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Leave {
    pub(super) fn add(&mut self, pid: u32, child: Child) {
        self.0.insert(pid, child);
    }

    pub(super) fn remove(&mut self, pid: u32) {
        self.0.remove(&pid);
    }

    pub(super) fn has(&self, pid: u32) -> bool {
        self.0.contains_key(&pid)
    }

    /// Whether this mark's tool is the only one that runs.
    pub(super) fn only(&self, mark: &str) -> bool {
        self.0.values().all(|child| !matches!(child, Child::Tool(other) if other != mark))
    }

    /// Whether a tool with this mark runs.
    pub(super) fn runs(&self, mark: &str) -> bool {
        self.0.values().any(|child| matches!(child, Child::Tool(other) if other == mark))
    }
}

/// Makes this process the parent of every orphan below it, so that none can hide by leaving its group
/// or session. Done at most once; `start` does it. Linux only, elsewhere nothing happens.
pub fn become_subreaper() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
            // Kernels without it are older than 3.4; then only groups are reached.
            let _ = error;
        }
    });
}

/// Reaps adopted processes that have ended, and never a child of ours, whose status std waits for.
pub(super) fn reap_strangers() {
    let leave = leave();
    for stranger in sweep::strangers(&leave).iter().filter(|stranger| stranger.zombie) {
        sys::reap(stranger.pid);
    }
}
