//! Owns listing the files below a folder, with or without what `.gitignore` names.
//! Does not know patterns (`glob`).
//!
//! Of git's rules these count: every `.gitignore` from the project's root down, and those above it up to
//! the repository's top, if the project lies in one. Not `.git/info/exclude` nor a user's own: they
//! differ from clone to clone, and a fingerprint must not.

use super::content::is_missing;
use super::glob::{self, Matcher};
use super::sightings::{Look, Sightings};
use super::unreadable;
use crate::model::facts::{ContentKind, FactError};
use crate::model::task::{GitIgnore, Glob};
use camino::{Utf8Path, Utf8PathBuf};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::sync::Arc;

/// Listings by where they start, and what globs took of them.
pub(super) struct Listings {
    root: Utf8PathBuf,
    ignores: Ignores,
    listings: BTreeMap<Start, Listing>,
    globs: BTreeMap<(String, Vec<String>, bool), Arc<[Utf8PathBuf]>>,
}

/// Where a listing starts and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start {
    /// A folder, or a file; empty for the root.
    pub(super) folder: String,
    /// How many levels down; `None`: all.
    pub(super) levels: Option<usize>,
    /// Whether ignored files are left out.
    pub(super) ignoring: bool,
}

#[derive(Default)]
struct Listing {
    files: BTreeSet<String>,
    /// Paths that may have changed since.
    doubtful: BTreeSet<String>,
}

impl Listings {
    pub(super) fn new(root: &Utf8Path, sightings: &Sightings) -> Self {
        let ignores = Ignores::new(root, sightings);
        Self { root: root.to_owned(), ignores, listings: BTreeMap::new(), globs: BTreeMap::new() }
    }

    pub(super) fn glob(&mut self, glob: &Glob) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        let ignoring = glob.ignore == GitIgnore::Respected;
        let memo = (glob.pattern.clone(), glob.without.clone(), ignoring);
        if let Some(taken) = self.globs.get(&memo) {
            return Ok(Arc::clone(taken));
        }
        let matcher = Matcher::new(glob)?;
        let (folder, levels) = glob::start(&glob.pattern);
        let files = self.files(&Start { folder, levels, ignoring })?;
        let taken: Arc<[Utf8PathBuf]> =
            files.iter().filter(|path| matcher.takes(path)).map(Utf8PathBuf::from).collect();
        self.globs.insert(memo, Arc::clone(&taken));
        Ok(taken)
    }

    pub(super) fn walk(&mut self, folder: &str) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        let start = Start { folder: folder.to_owned(), levels: None, ignoring: false };
        Ok(self.files(&start)?.iter().map(Utf8PathBuf::from).collect())
    }

    /// Whether a path, in a folder that is not ignored, is.
    pub(super) fn is_ignored(&mut self, path: &str, kind: ContentKind) -> bool {
        self.ignores.ignored(path, kind == ContentKind::Folder)
    }

    /// Notes that a path may have changed.
    pub(super) fn forget(&mut self, path: &str) {
        if path.rsplit('/').next() == Some(".gitignore") {
            *self = Self::new(&self.root, &self.ignores.sightings);
            return;
        }
        self.ignores.forget(path);
        let mut touched = false;
        self.listings.retain(|start, listing| {
            if within(path, &start.folder) {
                touched = true;
                listing.doubtful.insert(path.to_owned());
                true
            } else {
                // A folder that the listing starts in: all of it is in doubt.
                let gone = within(&start.folder, path);
                touched |= gone;
                !gone
            }
        });
        if touched {
            self.globs.retain(|(pattern, _, _), _| {
                let (folder, _) = glob::start(pattern);
                !within(path, &folder) && !within(&folder, path)
            });
        }
    }

    fn files(&mut self, start: &Start) -> Result<&BTreeSet<String>, FactError> {
        let Self { root, ignores, listings, .. } = self;
        let fresh = !listings.contains_key(start);
        let listing = listings.entry(start.clone()).or_default();
        if fresh {
            listing.doubtful.insert(start.folder.clone());
        }
        // A path leaves the doubtful only when it is settled: an error must come again.
        while let Some(path) = listing.doubtful.first().cloned() {
            let below: Vec<String> = listing
                .files
                .range(path.clone()..)
                .take_while(|file| file.starts_with(&path))
                .filter(|file| within(file, &path))
                .cloned()
                .collect();
            for file in below {
                listing.files.remove(&file);
            }
            list(root, ignores, start, &path, &mut listing.files)?;
            listing.doubtful.remove(&path);
        }
        Ok(&listing.files)
    }
}

/// Whether a path is a folder's own or lies in it.
fn within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Never listed: git's own folder and ours.
fn is_internal(name: &str) -> bool {
    matches!(name, ".git" | ".infra")
}

/// Adds what is at and below `path` to `files`, as a listing with this start would.
fn list(
    root: &Utf8Path,
    ignores: &mut Ignores,
    start: &Start,
    path: &str,
    files: &mut BTreeSet<String>,
) -> Result<(), FactError> {
    if path.split('/').any(is_internal) || (start.ignoring && ignores.folders_above(path)) {
        return Ok(());
    }
    let entry = std::fs::symlink_metadata(root.join(path));
    ignores.sightings.saw(Utf8Path::new(path), Look::Entry, entry.as_ref().ok());
    let meta = match entry {
        // A link that the user names as the folder to look in is followed; one met on the way is not.
        Ok(meta) if meta.is_symlink() && path == start.folder => {
            ignores.sightings.see_below(root, Utf8Path::new(path), Look::Target);
            std::fs::metadata(root.join(path)).ok().filter(Metadata::is_dir).unwrap_or(meta)
        }
        Ok(meta) => meta,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(unreadable(Utf8Path::new(path), &error)),
    };
    if start.ignoring && !path.is_empty() && ignores.ignored(path, meta.is_dir()) {
        return Ok(());
    }
    if !meta.is_dir() {
        if (meta.is_file() || meta.is_symlink()) && start.reaches(path) {
            files.insert(path.to_owned());
        }
        return Ok(());
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        list_folder(root, ignores, start, &folder, files, &mut folders)?;
    }
    Ok(())
}

fn list_folder(
    root: &Utf8Path,
    ignores: &mut Ignores,
    start: &Start,
    folder: &str,
    files: &mut BTreeSet<String>,
    folders: &mut Vec<String>,
) -> Result<(), FactError> {
    let failed = |error: &std::io::Error| unreadable(Utf8Path::new(folder), error);
    // A folder's stamps tell of every entry that comes, goes or is replaced.
    ignores.sightings.see_below(root, Utf8Path::new(folder), Look::Target);
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        // Gone since it was listed.
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(failed(&error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        let kind = entry.file_type().map_err(|error| failed(&error))?;
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if is_internal(&shown) {
            continue;
        }
        let path = if folder.is_empty() { shown.into_owned() } else { format!("{folder}/{shown}") };
        if start.ignoring && ignores.ignored(&path, kind.is_dir()) {
            continue;
        }
        if name.to_str().is_none() {
            let why = "its name is not UTF-8; rename it or add it to .gitignore".to_owned();
            return Err(FactError { what: path, why });
        }
        if kind.is_dir() {
            if start.reaches(&format!("{path}/x")) {
                folders.push(path);
            }
        } else if (kind.is_file() || kind.is_symlink()) && start.reaches(&path) {
            files.insert(path);
        }
    }
    Ok(())
}

impl Start {
    /// Whether a path is not too deep.
    fn reaches(&self, path: &str) -> bool {
        let Some(levels) = self.levels else {
            return true;
        };
        let below = path.strip_prefix(&self.folder).unwrap_or(path);
        below.split('/').filter(|part| !part.is_empty()).count() <= levels
    }
}

/// The rules of `.gitignore` files, by folder.
struct Ignores {
    root: Utf8PathBuf,
    /// From folders above the root, the nearest first.
    above: Vec<Gitignore>,
    inside: BTreeMap<String, Option<Arc<Gitignore>>>,
    sightings: Sightings,
}

impl Ignores {
    fn new(root: &Utf8Path, sightings: &Sightings) -> Self {
        let mut above = Vec::new();
        let is_top = |folder: &Utf8Path| {
            let git = folder.join(".git");
            sightings.see(&git, Look::Presence);
            git.exists()
        };
        if root.ancestors().any(is_top) {
            for folder in root.ancestors() {
                if folder != root {
                    above.extend(rules(folder, sightings));
                }
                if is_top(folder) {
                    break;
                }
            }
        }
        Self { root: root.to_owned(), above, inside: BTreeMap::new(), sightings: sightings.clone() }
    }

    /// Whether one of the folders that a path lies in is ignored, and so all that is in it.
    fn folders_above(&mut self, path: &str) -> bool {
        path.match_indices('/').any(|(at, _)| self.ignored(&path[..at], true))
    }

    /// Whether a path, in a folder that is not ignored, is ignored. The nearest rule decides.
    fn ignored(&mut self, path: &str, is_dir: bool) -> bool {
        let absolute = self.root.join(path);
        let mut folder = path;
        while !folder.is_empty() {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            if let Some(rules) = self.rules_of(folder) {
                match rules.matched(&absolute, is_dir) {
                    Match::None => {}
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                }
            }
        }
        for rules in &self.above {
            match rules.matched(&absolute, is_dir) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }

    fn rules_of(&mut self, folder: &str) -> Option<Arc<Gitignore>> {
        if let Some(known) = self.inside.get(folder) {
            return known.clone();
        }
        let found = rules(&self.root.join(folder), &self.sightings).map(Arc::new);
        self.inside.insert(folder.to_owned(), found.clone());
        found
    }

    fn forget(&mut self, path: &str) {
        super::remove_below(&mut self.inside, path);
        self.inside.remove(path);
    }
}

/// The rules of one folder's `.gitignore`. A line that git would not understand is no rule.
fn rules(folder: &Utf8Path, sightings: &Sightings) -> Option<Gitignore> {
    let file = folder.join(".gitignore");
    sightings.see(&file, Look::Target);
    let text = std::fs::read(&file).ok()?;
    let mut builder = GitignoreBuilder::new(folder);
    for line in String::from_utf8_lossy(&text).lines() {
        let _ = builder.add_line(Some(file.clone().into_std_path_buf()), line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}
