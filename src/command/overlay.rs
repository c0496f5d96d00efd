//! Owns the project as it would be with one more file of tasks, and the mistakes that it would have.
//! Does not know what the tasks do.

use crate::command::exit::CommandError;
use crate::host::files::Disk;
use crate::manifest::{self, Options};
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::facts::{ContentKind, Files};
use camino::Utf8Path;
use std::sync::Arc;

/// The disk, and a file that is not there yet.
struct Overlay<'a> {
    disk: &'a Disk,
    path: &'a Utf8Path,
    text: Arc<str>,
}

/// The mistakes that the project would have with this file of tasks, each with whose it is. `who` says that of a mistake,
/// given the number of the file's task that it lies in, from 0; `None`: it lies elsewhere.
///
/// # Errors
/// There are some, and none belongs to anybody: then they are told as `infra check` does.
pub(super) fn mistakes<T>(
    disk: &Disk,
    path: &Utf8Path,
    text: &str,
    options: &Options,
    who: impl Fn(Option<usize>, &Diagnostic) -> Option<T>,
) -> Result<Vec<(T, String)>, CommandError> {
    let loaded = manifest::load(&Overlay::new(disk, path, text), options);
    let wrong: Vec<&Diagnostic> = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error).collect();
    let nth = |one: &Diagnostic| {
        let place = one.place.as_ref().filter(|place| place.file == path)?;
        let before = text.get(..place.span.end).unwrap_or(text);
        before.lines().filter(|line| line.starts_with("[task.")).count().checked_sub(1)
    };
    let theirs: Vec<(T, String)> =
        wrong.iter().filter_map(|one| Some((who(nth(one), one)?, one.message.clone()))).collect();
    if theirs.is_empty() && !wrong.is_empty() {
        let sources = loaded.sources.iter().map(|(path, text)| (path.clone(), text.to_string())).collect();
        return Err(CommandError::Diagnostics { found: loaded.diagnostics, sources });
    }
    Ok(theirs)
}

impl<'a> Overlay<'a> {
    fn new(disk: &'a Disk, path: &'a Utf8Path, text: &str) -> Self {
        Self { disk, path, text: Arc::from(text) }
    }
}

impl Files for Overlay<'_> {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        if path == self.path { Some(self.text.clone()) } else { self.disk.read(path) }
    }

    fn unread(&self, path: &Utf8Path) -> Option<String> {
        if path == self.path || Some(path) == self.path.parent() { None } else { self.disk.unread(path) }
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        if path == self.path {
            ContentKind::File
        } else if Some(path) == self.path.parent() {
            ContentKind::Folder
        } else {
            self.disk.kind(path)
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        let mut names = self.disk.list(folder);
        let name = self.path.file_name().filter(|_| Some(folder) == self.path.parent());
        if let Some(name) = name.filter(|name| !names.iter().any(|one| one == name)) {
            names.push(name.to_owned());
            names.sort();
        }
        names
    }
}
