//! Owns what is remembered of files' contents by their stat signatures.
//! Does not know how the rows are kept (`store`), nor how a file is hashed.

use crate::model::digest::Digest;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// Stamps come from the kernel's coarse clock, which lags behind the fine one by at most one tick: 10 ms
/// at 100 Hz, the slowest in use. Two ticks.
const GRAIN: i64 = 20_000_000;
/// A file whose stamps are whole seconds lies on a file system that has no finer ones (FAT counts in
/// steps of two).
const COARSE_GRAIN: i64 = 2_000_000_000;

/// What `lstat` tells of a file. Equal signatures save reading the file; a difference means only that
/// it is hashed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sig {
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Nanoseconds since the epoch.
    pub ctime_ns: i64,
    pub ino: u64,
    pub mode: u32,
}

impl Sig {
    /// Stands for something of which only its presence counts.
    pub(super) const NOTHING: Self = Self { size: 0, mtime_ns: 0, ctime_ns: 0, ino: 0, mode: 0 };

    pub(crate) fn of(meta: &Metadata) -> Self {
        let nanos = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Self {
            size: meta.size(),
            mtime_ns: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: nanos(meta.ctime(), meta.ctime_nsec()),
            ino: meta.ino(),
            mode: meta.mode(),
        }
    }

    /// Whether the file is executable.
    pub(crate) fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    /// Whether a file with this signature that was read at `now` could be written again without its
    /// stamps changing. A stamp in the future always could.
    ///
    /// The system's clock stands for the file system's: on a local one they are the same. A server that
    /// is behind our clock by more than the grain could be believed wrongly, if a file changed there
    /// twice within one tick, around our reading, and kept its size.
    pub(crate) fn racy(&self, now: i64) -> bool {
        let whole = self.mtime_ns % 1_000_000_000 == 0 && self.ctime_ns % 1_000_000_000 == 0;
        let grain = if whole { COARSE_GRAIN } else { GRAIN };
        self.mtime_ns.max(self.ctime_ns).saturating_add(grain) >= now
    }
}

impl std::fmt::Display for Sig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { size, mtime_ns, ctime_ns, ino, mode } = self;
        write!(f, "{size} {mtime_ns} {ctime_ns} {ino} {mode:o}")
    }
}

/// One remembered file, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatRow {
    /// Relative to the root; absolute outside of it.
    pub path: Utf8PathBuf,
    pub sig: Sig,
    pub digest: Digest,
    /// Whether the file was so new when it was read that its signature proves nothing.
    pub racy: bool,
}

/// What is to be kept and dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatChanges {
    pub put: Vec<StatRow>,
    pub drop: Vec<Utf8PathBuf>,
}

impl StatChanges {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.drop.is_empty()
    }
}

/// Contents by path and signature.
#[derive(Debug, Default)]
pub struct StatCache {
    rows: BTreeMap<String, (Sig, Digest, bool)>,
    changed: BTreeSet<String>,
}

impl StatCache {
    /// The cache as the store kept it.
    pub fn new(rows: Vec<StatRow>) -> Self {
        let rows = rows.into_iter().map(|row| (row.path.into_string(), (row.sig, row.digest, row.racy)));
        Self { rows: rows.collect(), changed: BTreeSet::new() }
    }

    /// The digest of a file, when its signature proves that it is the file that was read.
    pub(crate) fn get(&self, path: &str, sig: &Sig) -> Option<Digest> {
        self.rows.get(path).filter(|(known, _, racy)| known == sig && !racy).map(|(_, digest, _)| *digest)
    }

    pub(crate) fn put(&mut self, path: &str, sig: Sig, digest: Digest, racy: bool) {
        let row = (sig, digest, racy);
        if self.rows.get(path) != Some(&row) {
            self.rows.insert(path.to_owned(), row);
            self.changed.insert(path.to_owned());
        }
    }

    /// Nothing is there any more.
    pub(crate) fn forget(&mut self, path: &str) {
        if self.rows.remove(path).is_some() {
            self.changed.insert(path.to_owned());
        }
    }

    /// What changed since the last call.
    pub fn changes(&mut self) -> StatChanges {
        let mut changes = StatChanges::default();
        for path in std::mem::take(&mut self.changed) {
            match self.rows.get(&path) {
                Some(&(sig, digest, racy)) => {
                    changes.put.push(StatRow { path: path.into(), sig, digest, racy });
                }
                None => changes.drop.push(path.into()),
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000_123_456_789;

    fn sig(mtime_ns: i64, ctime_ns: i64) -> Sig {
        Sig { size: 1, mtime_ns, ctime_ns, ino: 1, mode: 0o100_644 }
    }

    #[test]
    fn new_future_and_coarse_stamps_prove_nothing() {
        assert!(sig(NOW, 0).racy(NOW));
        assert!(sig(1, NOW - GRAIN).racy(NOW));
        assert!(sig(NOW + 5_000_000_000, 1).racy(NOW), "a time in the future");
        assert!(!sig(NOW - GRAIN - 1, NOW - GRAIN - 1).racy(NOW));
        let whole = 999_999_999_000_000_000;
        assert!(sig(whole, whole).racy(NOW));
        assert!(!sig(whole - 2_000_000_000, whole - 2_000_000_000).racy(NOW));
    }

    #[test]
    fn only_what_changed_is_kept_again() {
        let row =
            |path: &str| StatRow { path: path.into(), sig: sig(1, 2), digest: super::super::missing(), racy: false };
        let mut cache = StatCache::new(vec![row("a"), row("b"), row("c")]);
        cache.put("a", sig(1, 2), super::super::missing(), false);
        assert!(cache.changes().is_empty());
        cache.put("b", sig(3, 2), super::super::missing(), true);
        cache.forget("c");
        cache.forget("never");
        let changes = cache.changes();
        assert_eq!((changes.put.len(), changes.drop), (1, vec!["c".into()]));
        assert_eq!(cache.get("a", &sig(1, 2)), Some(super::super::missing()));
        assert_eq!(cache.get("a", &sig(1, 3)), None);
        assert_eq!(cache.get("b", &sig(3, 2)), None, "racy");
        assert!(cache.changes().is_empty());
    }
}
