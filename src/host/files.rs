//! Owns the project's files: what is at a path, which files a glob takes, writing without tearing.
//! Does not know tasks, nor why a path is asked about.

mod content;
mod glob;
mod listing;
mod sightings;
mod stat_cache;
#[cfg(test)]
mod tests;
mod write;

pub use sightings::{Look, Sighting, Sightings};
pub use stat_cache::{Sig, StatCache, StatChanges, StatRow};
pub use write::{FileError, free_space, make_private_dir, read_private, write_aside, write_together};

pub(crate) use content::{Entry, EntryKind, hash_stream, link_digest, tree_digest};
pub(crate) use write::{aside_name, remove_all, sync_dir};

use crate::model::digest::{Digest, Domain};
use crate::model::facts::{Content, ContentKind, FactError, Files};
use crate::model::task::Glob;
use camino::{Utf8Path, Utf8PathBuf};
use content::{Links, Reader};
use listing::Listings;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files below a project's root. What was asked is remembered until it is forgotten: one question
/// of a plan never gets two answers.
pub struct Disk {
    root: Utf8PathBuf,
    stats: Mutex<StatCache>,
    memory: Mutex<Memory>,
    listings: Mutex<Listings>,
    /// Where to look instead, of paths that are read as if they had been put back.
    elsewhere: Mutex<BTreeMap<String, Utf8PathBuf>>,
    sightings: Sightings,
}

/// Answers by path, as inputs (links lead on) and as artifacts (links are links). The keys are text, so
/// that all that lies below a folder is one range.
#[derive(Default)]
struct Memory {
    inputs: BTreeMap<String, Content>,
    artifacts: BTreeMap<String, Content>,
}

impl Disk {
    /// The files below a root (absolute), with what is remembered of their contents.
    pub fn new(root: impl Into<Utf8PathBuf>, stats: StatCache) -> Self {
        Self::seen_by(root, stats, Sightings::default())
    }

    /// As above; everything that is looked at is noted.
    pub fn seen_by(root: impl Into<Utf8PathBuf>, stats: StatCache, sightings: Sightings) -> Self {
        let root = root.into();
        let listings = Listings::new(&root, &sightings);
        let (memory, elsewhere) = (Mutex::default(), Mutex::default());
        Self { root, stats: Mutex::new(stats), memory, listings: Mutex::new(listings), elsewhere, sightings }
    }

    /// The list of what is looked at.
    pub fn sightings(&self) -> &Sightings {
        &self.sightings
    }

    /// The project's root.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Content of a path as an input: a link counts with its text and with what it leads to. `.git` and
    /// `.infra` in a folder do not count.
    pub fn content(&self, path: &Utf8Path) -> Result<Content, FactError> {
        self.remembered(path, Links::Followed)
    }

    /// Content of a path as an artifact: a link is its text, a folder is all that is in it.
    pub fn artifact(&self, path: &Utf8Path) -> Result<Content, FactError> {
        self.remembered(path, Links::Kept)
    }

    fn remembered(&self, path: &Utf8Path, links: Links) -> Result<Content, FactError> {
        let key = self.key(path);
        if let Some(content) = lock(&self.memory).of(links).get(&key) {
            return Ok(*content);
        }
        let mut reader = Reader::new(self, links);
        let content = reader.content(&self.place_of(&key))?;
        // What a link leads to may change without anybody forgetting the link.
        if !reader.led_on {
            lock(&self.memory).of(links).insert(key, content);
        }
        Ok(content)
    }

    /// Reads a path (relative) and all that lies in it at another place (absolute) from now on.
    pub fn look_elsewhere(&self, path: &Utf8Path, place: Utf8PathBuf) {
        self.sightings.spoil();
        lock(&self.elsewhere).insert(self.key(path), place);
        self.forget(path);
    }

    fn place_of(&self, key: &str) -> Utf8PathBuf {
        let elsewhere = lock(&self.elsewhere);
        let path = Utf8Path::new(key);
        if elsewhere.is_empty() {
            return path.to_owned();
        }
        let found = path.ancestors().find_map(|at| Some((at, elsewhere.get(at.as_str())?)));
        match found.and_then(|(at, place)| Some((path.strip_prefix(at).ok()?, place))) {
            Some((rest, place)) if rest.as_str().is_empty() => place.clone(),
            Some((rest, place)) => place.join(rest),
            None => path.to_owned(),
        }
    }

    /// Files and links that a glob takes, sorted, relative to the root.
    pub fn glob(&self, glob: &Glob) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        lock(&self.listings).glob(glob)
    }

    /// Files and links below a folder, sorted, relative to the root, `.gitignore` disregarded. Of a
    /// file itself, that file; of nothing, nothing.
    pub fn walk(&self, folder: &Utf8Path) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        lock(&self.listings).walk(&self.key(folder))
    }

    /// Stat signature of what a path leads to, links followed: what is remembered of a program by it
    /// holds while it stays the same. `None` when nothing is there.
    pub fn sig(&self, path: &Utf8Path) -> Option<Sig> {
        let meta = std::fs::metadata(self.root.join(path)).ok();
        self.sightings.saw(path, Look::Target, meta.as_ref());
        meta.map(|meta| Sig::of(&meta))
    }

    /// Forgets what was answered about a path, what is in it and what it is in: something may have
    /// written it. What the stat cache knows stays; it is compared with the file anyway.
    pub fn forget(&self, path: &Utf8Path) {
        let key = self.key(path);
        lock(&self.memory).forget(&key);
        lock(&self.listings).forget(&key);
    }

    /// Forgets every answer.
    pub fn forget_all(&self) {
        *lock(&self.memory) = Memory::default();
        *lock(&self.listings) = Listings::new(&self.root, &self.sightings);
    }

    /// What the stat cache learned since it was loaded or last asked, for the store to keep.
    pub fn stat_changes(&self) -> StatChanges {
        lock(&self.stats).changes()
    }

    /// A path as a key: relative if it lies below the root, no `./` before it, no slash after it.
    fn key(&self, path: &Utf8Path) -> String {
        let path = if path.is_absolute() { path.strip_prefix(&self.root).unwrap_or(path) } else { path };
        let text = path.as_str();
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = if text.len() > 1 { text.trim_end_matches('/') } else { text };
        if text == "." { String::new() } else { text.to_owned() }
    }

    fn stats(&self) -> MutexGuard<'_, StatCache> {
        lock(&self.stats)
    }
}

impl Memory {
    fn of(&mut self, links: Links) -> &mut BTreeMap<String, Content> {
        match links {
            Links::Followed => &mut self.inputs,
            Links::Kept => &mut self.artifacts,
        }
    }

    fn forget(&mut self, key: &str) {
        for answers in [&mut self.inputs, &mut self.artifacts] {
            remove_below(answers, key);
            let mut above = Some(key);
            while let Some(path) = above {
                answers.remove(path);
                above = path.rsplit_once('/').map(|(folder, _)| folder);
            }
            answers.remove("");
        }
    }
}

/// Takes a path's whole folder out of a sorted map.
fn remove_below<V>(map: &mut BTreeMap<String, V>, key: &str) {
    if key.is_empty() {
        map.clear();
        return;
    }
    // `0` follows `/`: between the two lies what begins with the folder's name and a slash.
    let below: Vec<String> = map.range(format!("{key}/")..format!("{key}0")).map(|(path, _)| path.clone()).collect();
    for path in below {
        map.remove(&path);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The digest of a path at which nothing is.
pub(crate) fn missing() -> Digest {
    Digest::of(Domain::Missing, b"")
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> FactError {
    FactError { what: path.to_string(), why: crate::host::reason(error) }
}

impl Files for Disk {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        self.sightings.see_below(&self.root, path, Look::Target);
        std::fs::read_to_string(self.root.join(path)).ok().map(Arc::from)
    }

    fn unread(&self, path: &Utf8Path) -> Option<String> {
        self.sightings.see_below(&self.root, path, Look::Target);
        let path = self.root.join(path);
        let why = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => crate::host::reason(&error),
        };
        if !path.is_dir() {
            return std::fs::read_to_string(&path).err().map(why);
        }
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => return Some(why(error)),
        };
        let odd = |entry: std::fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_str().is_none().then(|| name.to_string_lossy().into_owned());
            name.filter(|name| name.ends_with(".toml"))
        };
        entries.flatten().find_map(odd).map(|name| format!("the name `{name}` in it is not UTF-8; rename it"))
    }

    fn is_ignored(&self, path: &Utf8Path, kind: ContentKind) -> bool {
        lock(&self.listings).is_ignored(&self.key(path), kind)
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        let meta = std::fs::symlink_metadata(self.root.join(path));
        self.sightings.saw(path, Look::Entry, meta.as_ref().ok());
        match meta {
            Ok(meta) if meta.is_symlink() => ContentKind::Link,
            Ok(meta) if meta.is_dir() => ContentKind::Folder,
            Ok(_) => ContentKind::File,
            Err(_) => ContentKind::Missing,
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        self.sightings.see_below(&self.root, folder, Look::Target);
        let Ok(entries) = self.root.join(folder).read_dir_utf8() else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_owned()).collect();
        names.sort();
        names
    }
}
