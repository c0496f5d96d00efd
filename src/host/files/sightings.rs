//! Owns what was seen of the file system on the way to an answer: paths with their stat signatures, so that
//! stats alone can tell later that everything still looks the same.
//! Does not know what the answer was.

use super::stat_cache::Sig;
use crate::host::clock::system_nanos;
use camino::Utf8Path;
use std::fs::Metadata;
use std::sync::{Arc, Mutex, PoisonError};

/// How a path was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The entry itself; a link is a link.
    Entry,
    /// What it leads to.
    Target,
    /// Only whether something is there.
    Presence,
}

/// One path, and what was seen there: nothing, or something with this signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Relative to the project's root; absolute outside of it.
    pub path: String,
    pub look: Look,
    pub sig: Option<Sig>,
}

impl Sighting {
    /// Looks at a path now.
    pub fn now(root: &Utf8Path, path: &str, look: Look) -> Self {
        let full = root.join(path);
        let meta = if look == Look::Entry { std::fs::symlink_metadata(full) } else { std::fs::metadata(full) };
        Self { path: path.to_owned(), look, sig: meta.ok().map(|meta| Sig::of(&meta)) }
    }

    /// Appends what was seen, so that no two sights read the same.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend((self.path.len() as u64).to_le_bytes());
        bytes.extend(self.path.as_bytes());
        bytes.push(self.look.letter());
        match self.sig {
            None => bytes.push(0),
            Some(_) if self.look == Look::Presence => bytes.push(1),
            Some(sig) => {
                bytes.push(2);
                bytes.extend(sig.size.to_le_bytes());
                bytes.extend(sig.mtime_ns.to_le_bytes());
                bytes.extend(sig.ctime_ns.to_le_bytes());
                bytes.extend(sig.ino.to_le_bytes());
                bytes.extend(sig.mode.to_le_bytes());
            }
        }
    }
}

impl Look {
    /// As it is written down.
    pub fn letter(self) -> u8 {
        match self {
            Self::Entry => b'l',
            Self::Target => b's',
            Self::Presence => b'e',
        }
    }

    /// The look that a letter means.
    pub fn of(letter: u8) -> Option<Self> {
        [Self::Entry, Self::Target, Self::Presence].into_iter().find(|look| look.letter() == letter)
    }
}

/// A list that all who look write to; or none, which costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Sightings(Option<Arc<Mutex<List>>>);

#[derive(Debug)]
struct List {
    /// Nanoseconds since the epoch when the looking began.
    since: i64,
    sightings: Vec<Sighting>,
    whole: Whole,
}

/// Whether the list tells everything that the answer was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    /// Something was asked that no stat tells: a command, a probe.
    No,
}

impl Sightings {
    /// A list that begins now.
    pub fn begin() -> Self {
        Self(Some(Arc::new(Mutex::new(List { since: system_nanos(), sightings: Vec::new(), whole: Whole::Yes }))))
    }

    /// Notes what is at a path. It must have been looked at before what it holds was read.
    pub fn saw(&self, path: &Utf8Path, look: Look, meta: Option<&Metadata>) {
        self.note(path, look, || meta.map(Sig::of));
    }

    /// Looks at an absolute path and notes it.
    pub fn see(&self, path: &Utf8Path, look: Look) {
        self.see_below(Utf8Path::new("/"), path, look);
    }

    /// Looks at a path below a root and notes it.
    pub fn see_below(&self, root: &Utf8Path, path: &Utf8Path, look: Look) {
        self.note(path, look, || Sighting::now(root, path.as_str(), look).sig);
    }

    /// Something was asked that no stat tells.
    pub fn spoil(&self) {
        if let Some(list) = &self.0 {
            list.lock().unwrap_or_else(PoisonError::into_inner).whole = Whole::No;
        }
    }

    fn note(&self, path: &Utf8Path, look: Look, sig: impl FnOnce() -> Option<Sig>) {
        let Some(list) = &self.0 else { return };
        let sighting = Sighting { path: path.to_string(), look, sig: sig() };
        list.lock().unwrap_or_else(PoisonError::into_inner).sightings.push(sighting);
    }

    /// Everything that was seen, sorted, each path once for each look. `None`: nobody kept a list; it is
    /// not whole; a path changed while it was looked at, or could change without its stamps telling.
    pub fn all(&self) -> Option<Vec<Sighting>> {
        let list = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = list.sightings.clone();
        for sighting in all.iter_mut().filter(|sighting| sighting.look == Look::Presence) {
            sighting.sig = sighting.sig.map(|_| Sig::NOTHING);
        }
        all.sort_unstable();
        all.dedup();
        let same = |pair: &[Sighting]| matches!(pair, [a, b] if (&a.path, a.look) == (&b.path, b.look));
        let racy = |one: &Sighting| one.look != Look::Presence && one.sig.is_some_and(|sig| sig.racy(list.since));
        let good = list.whole == Whole::Yes && !all.windows(2).any(same) && !all.iter().any(racy);
        good.then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use std::time::{Duration, SystemTime};

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, root)
    }

    /// A file whose stamps are old enough to be believed.
    fn settled(path: &Utf8Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }

    #[test]
    fn what_is_seen_twice_is_told_once_and_read_back() {
        let (_folder, root) = place();
        settled(&root.join("a"), "1");
        let sightings = Sightings::begin();
        sightings.see(&root.join("a"), Look::Entry);
        sightings.see(&root.join("a"), Look::Entry);
        sightings.see(&root.join("gone"), Look::Target);
        let all = sightings.all().unwrap();
        assert_eq!(all.len(), 2);
        for one in &all {
            assert_eq!(*one, Sighting::now(&root, &one.path, one.look));
        }
        std::fs::write(root.join("a"), "2").unwrap();
        assert_ne!(all[0], Sighting::now(&root, &all[0].path, all[0].look));
    }

    #[test]
    fn a_list_that_is_not_whole_or_not_one_is_none() {
        let (_folder, root) = place();
        settled(&root.join("a"), "1");
        assert_eq!(Sightings::default().all(), None, "nobody kept one");
        let spoiled = Sightings::begin();
        spoiled.spoil();
        assert_eq!(spoiled.all(), None);
        let changing = Sightings::begin();
        changing.see(&root.join("a"), Look::Entry);
        std::fs::write(root.join("a"), "longer").unwrap();
        changing.see(&root.join("a"), Look::Entry);
        assert_eq!(changing.all(), None, "it changed between two looks");
    }

    #[test]
    fn a_stamp_as_new_as_the_look_proves_nothing_but_that_it_is_there() {
        let (_folder, root) = place();
        settled(&root.join("a"), "1");
        let later = SystemTime::now() + Duration::from_secs(60);
        std::fs::File::open(root.join("a")).unwrap().set_modified(later).unwrap();
        let sightings = Sightings::begin();
        sightings.see(&root.join("a"), Look::Presence);
        assert!(sightings.all().is_some());
        sightings.see(&root.join("a"), Look::Entry);
        assert_eq!(sightings.all(), None);
    }

    #[test]
    fn no_two_sights_encode_the_same() {
        let sig = Sig { size: 1, mtime_ns: 2, ctime_ns: 3, ino: 4, mode: 5 };
        let mut seen = std::collections::BTreeSet::new();
        for path in ["a", "ab"] {
            for look in [Look::Entry, Look::Target, Look::Presence] {
                for sig in [None, Some(sig)] {
                    let mut bytes = Vec::new();
                    Sighting { path: path.to_owned(), look, sig }.encode(&mut bytes);
                    assert!(seen.insert(bytes));
                }
                assert_eq!(Look::of(look.letter()), Some(look));
            }
        }
    }
}
