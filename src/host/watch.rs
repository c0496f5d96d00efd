//! Owns noticing that files change while the program waits.
//! Does not know what a change means. A notice is a hint: who hears it asks the files.

use camino::{Utf8Path, Utf8PathBuf};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// What was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These paths, relative to the root, sorted.
    Paths(Vec<Utf8PathBuf>),
    /// Notices were lost: anything may have changed.
    Rescan,
}

/// A project can't be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The root is gone or can't be read.
    #[error("cannot watch `{root}`: {}", crate::host::reason(.source))]
    Root { root: Utf8PathBuf, source: std::io::Error },
    /// More folders than the system lets one user watch.
    #[error("cannot watch `{root}`: too many folders; raise `fs.inotify.max_user_watches`")]
    TooMany { root: Utf8PathBuf },
    /// Anything else.
    #[error("cannot watch `{root}`: {why}")]
    Other { root: Utf8PathBuf, why: String },
}

/// A watched project, until it is dropped.
pub struct Watch {
    changes: Receiver<Change>,
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Watch {
    /// Changes as they come, several made one.
    pub fn changes(&self) -> &Receiver<Change> {
        &self.changes
    }
}

/// Watches everything below a root but `.git`, `.infra` and the paths to ignore (relative to the root,
/// with all that is in them). Changes that follow each other within `debounce` are told together.
pub fn watch(root: &Utf8Path, ignore: Vec<Utf8PathBuf>, debounce: Duration) -> Result<Watch, WatchError> {
    let root = root.canonicalize_utf8().map_err(|source| WatchError::Root { root: root.to_owned(), source })?;
    let failed = |error: notify::Error| match error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchError::TooMany { root: root.clone() },
        notify::ErrorKind::Io(source) => WatchError::Root { root: root.clone(), source },
        _ => WatchError::Other { root: root.clone(), why: error.to_string() },
    };
    let (tell, changes) = mpsc::channel();
    let filter = Filter { root: root.clone(), ignore };
    let handler = move |result: DebounceEventResult| {
        if let Some(change) = filter.change(result) {
            // Nobody listens any more when the watch is being dropped.
            let _ = tell.send(change);
        }
    };
    let mut debouncer = new_debouncer(debounce, None, handler).map_err(failed)?;
    debouncer.watch(&root, RecursiveMode::Recursive).map_err(failed)?;
    Ok(Watch { changes, _debouncer: debouncer })
}

struct Filter {
    root: Utf8PathBuf,
    ignore: Vec<Utf8PathBuf>,
}

impl Filter {
    fn change(&self, result: DebounceEventResult) -> Option<Change> {
        let Ok(events) = result else {
            return Some(Change::Rescan);
        };
        if events.iter().any(|event| event.need_rescan()) {
            return Some(Change::Rescan);
        }
        let paths: BTreeSet<Utf8PathBuf> = events
            .iter()
            .filter(|event| is_change(event.kind))
            .flat_map(|event| &event.paths)
            .filter_map(|path| self.relevant(path))
            .collect();
        (!paths.is_empty()).then(|| Change::Paths(paths.into_iter().collect()))
    }

    fn relevant(&self, path: &Path) -> Option<Utf8PathBuf> {
        let path = Utf8Path::from_path(path)?.strip_prefix(&self.root).ok()?;
        let internal = path.components().any(|part| matches!(part.as_str(), ".git" | ".infra"));
        let ignored = self.ignore.iter().any(|ignored| path.starts_with(ignored));
        (!internal && !ignored).then(|| path.to_owned())
    }
}

/// Reading is no change; if it were, our own hashing would wake us for ever.
fn is_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn changes_are_told_together_and_ours_are_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for folder in ["a", ".git", ".infra", "build"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("a/read"), "").unwrap();
        let watch = watch(root, vec!["build".into()], Duration::from_millis(50)).unwrap();
        std::fs::read(root.join("a/read")).unwrap();
        for path in [".git/x", ".infra/x", "build/x", "a/one", "a/two"] {
            std::fs::write(root.join(path), "x").unwrap();
        }
        let mut seen = BTreeSet::new();
        let until = Instant::now() + Duration::from_secs(10);
        while seen.len() < 2 && Instant::now() < until {
            if let Ok(Change::Paths(paths)) = watch.changes().recv_timeout(Duration::from_millis(200)) {
                seen.extend(paths);
            }
        }
        // The folder itself may be told, too.
        seen.remove(Utf8Path::new("a"));
        let seen: Vec<&str> = seen.iter().map(|path| path.as_str()).collect();
        assert_eq!(seen, ["a/one", "a/two"]);
    }

    #[test]
    fn what_was_lost_means_a_rescan() {
        let filter = Filter { root: "/r".into(), ignore: Vec::new() };
        assert_eq!(filter.change(Err(Vec::new())), Some(Change::Rescan));
        let lost = notify::Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        let event = notify_debouncer_full::DebouncedEvent::new(lost, Instant::now());
        assert_eq!(filter.change(Ok(vec![event])), Some(Change::Rescan));
        assert!(matches!(watch(Utf8Path::new("/no/such"), Vec::new(), Duration::ZERO), Err(WatchError::Root { .. })));
    }
}
