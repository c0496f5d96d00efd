//! Owns the project as it would be with one more file.
//! Does not know what is in the file.

use crate::host::files::Disk;
use crate::model::facts::{ContentKind, Files};
use camino::Utf8Path;
use std::sync::Arc;

/// The disk, and a file that is not there yet.
pub(super) struct Overlay<'a> {
    disk: &'a Disk,
    path: &'a Utf8Path,
    text: Arc<str>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(disk: &'a Disk, path: &'a Utf8Path, text: &str) -> Self {
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
