//! Owns the content-addressed store of artifacts, and moving old outputs aside.
//! Does not know which task made an artifact, nor when it is still wanted.
//!
//! An object's name is its content digest, its ending what it is: none for a file, `.x` for an executable
//! one, `.link` for a link's text, `.tree` for a folder's list of entries. The ending and not the mode
//! says so, because copies of a project lose modes.

mod aside;
mod object;
mod put;
mod restore;
mod sweep;

pub use aside::{Aside, Asides};
pub use sweep::{Nature, Piece};

use crate::host::files::FileError;
use crate::model::digest::Digest;
use crate::model::facts::FactError;
use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, Shape};
use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;

/// The store below one folder.
#[derive(Debug)]
pub struct Cas {
    folder: Utf8PathBuf,
    /// Objects that have their names and may not have reached the disk.
    unsynced: Mutex<Vec<Utf8PathBuf>>,
}

/// What was put into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The artifact's content digest: that of `Disk::artifact`.
    pub digest: Digest,
    /// Bytes of all its files.
    pub size: u64,
}

/// An artifact could not be kept or put back.
#[derive(Debug, thiserror::Error)]
pub enum CasError {
    /// Nothing is where the artifact should be.
    #[error("`{path}` is not there, so it can't be kept")]
    Missing { path: Utf8PathBuf },
    /// It is no file, link or folder, or has a name that can't be kept.
    #[error("`{path}` can't be kept: {why}")]
    Unfit { path: Utf8PathBuf, why: String },
    /// It changed while it was read.
    #[error("`{path}` changes while it is kept; stop what writes it")]
    Unstable { path: Utf8PathBuf },
    /// The store does not hold it, or not all of it.
    #[error("artifact {} is not in the store; run its task again", .digest.short())]
    Absent { digest: Digest },
    /// The store's copy is damaged.
    #[error("artifact {} is damaged in the store (`{object}`); remove that file and run its task again", .digest.short())]
    Damaged { digest: Digest, object: Utf8PathBuf },
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A path can't be read.
    #[error(transparent)]
    Fact(#[from] FactError),
}

impl CasError {
    fn read(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        move |source| FileError::Read { path: path.to_owned(), source }.into()
    }

    fn write(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        move |source| FileError::Write { path: path.to_owned(), source }.into()
    }
}

impl Cas {
    /// The store in a folder (`.infra/cas`); made when something is put.
    pub fn new(folder: impl Into<Utf8PathBuf>) -> Self {
        Self { folder: folder.into(), unsynced: Mutex::default() }
    }

    /// Whether the store holds this artifact whole: of a folder every file in it. That the bytes are
    /// right is found out when it is restored.
    pub fn has(&self, digest: &Digest) -> bool {
        let mut seen = BTreeSet::new();
        let mut wanted = vec![*digest];
        while let Some(digest) = wanted.pop() {
            if !seen.insert(digest) {
                continue;
            }
            match self.find(&digest) {
                Some(Object { shape: Shape::Tree, path }) => match object::read_tree(&path, &digest) {
                    Ok(entries) => wanted.extend(entries.into_iter().map(|entry| entry.digest)),
                    Err(_) => return false,
                },
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    fn find(&self, digest: &Digest) -> Option<Object> {
        Shape::ALL.into_iter().find_map(|shape| {
            let path = self.path(digest, shape);
            std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()).then_some(Object { shape, path })
        })
    }

    fn path(&self, digest: &Digest, shape: Shape) -> Utf8PathBuf {
        let hex = digest.hex();
        self.folder.join(&hex[..2]).join(format!("{}{}", &hex[2..], shape.ending()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::{Disk, StatCache};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    struct Place {
        root: Utf8PathBuf,
        cas: Cas,
        _folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
            Self { cas: Cas::new(root.join(".infra/cas")), root, _folder: folder }
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn put(&self, path: &str) -> Stored {
            self.cas.put(&self.root, Utf8Path::new(path)).unwrap()
        }

        fn content(&self, path: &str) -> Digest {
            Disk::new(self.root.clone(), StatCache::default()).artifact(Utf8Path::new(path)).unwrap().digest
        }

        fn restore(&self, digest: &Digest, path: &str) -> Result<(), CasError> {
            self.cas.restore(digest, &self.root.join(path))
        }

        fn objects(&self) -> usize {
            let mut count = 0;
            for folder in std::fs::read_dir(self.root.join(".infra/cas")).unwrap() {
                count += std::fs::read_dir(folder.unwrap().path()).unwrap().count();
            }
            count
        }
    }

    #[test]
    fn files_come_back_with_their_bit_and_equal_ones_are_kept_once() {
        let place = Place::new();
        place.write("a", "text");
        place.write("b", "text");
        place.write("tool", "text");
        std::fs::set_permissions(place.root.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let stored = ["a", "b", "tool"].map(|path| place.put(path));
        assert_eq!(stored.map(|stored| stored.digest), ["a", "b", "tool"].map(|path| place.content(path)));
        assert_eq!((stored[0], stored[0].size, place.objects()), (stored[1], 4, 2));
        place.restore(&stored[2].digest, "new/folder/tool").unwrap();
        assert_eq!(place.content("new/folder/tool"), stored[2].digest);
        place.write("a", "damaged by hand");
        place.restore(&stored[0].digest, "a").unwrap();
        assert_eq!(std::fs::read_to_string(place.root.join("a")).unwrap(), "text");
    }

    #[test]
    fn a_folder_comes_back_exactly() {
        let place = Place::new();
        place.write("out/a", "1");
        place.write("out/sub/.hidden", "2");
        std::fs::create_dir(place.root.join("out/empty")).unwrap();
        symlink("../../outside", place.root.join("out/sub/link")).unwrap();
        place.write("outside", "kept");
        let stored = place.put("out/");
        assert_eq!((stored.digest, stored.size), (place.content("out"), 2));
        assert!(place.cas.has(&stored.digest));

        place.write("out/extra", "x");
        place.write("out/a", "edited");
        std::fs::remove_dir_all(place.root.join("out/sub")).unwrap();
        place.restore(&stored.digest, "out").unwrap();
        assert_eq!(place.content("out"), stored.digest);
        std::fs::remove_dir_all(place.root.join("out")).unwrap();
        place.restore(&stored.digest, "out").unwrap();
        assert_eq!(place.content("out"), stored.digest);
        // What is at the path is replaced, not entered.
        std::fs::remove_dir_all(place.root.join("out")).unwrap();
        std::fs::create_dir(place.root.join("elsewhere")).unwrap();
        symlink("elsewhere", place.root.join("out")).unwrap();
        place.restore(&stored.digest, "out").unwrap();
        assert_eq!(std::fs::read_dir(place.root.join("elsewhere")).unwrap().count(), 0);
        let names: Vec<_> = std::fs::read_dir(&place.root).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 4, "nothing is left beside it: {names:?}");
    }

    #[test]
    fn a_link_is_kept_as_a_link() {
        let place = Place::new();
        symlink("nowhere", place.root.join("link")).unwrap();
        let stored = place.put("link");
        std::fs::remove_file(place.root.join("link")).unwrap();
        place.restore(&stored.digest, "link").unwrap();
        assert_eq!(std::fs::read_link(place.root.join("link")).unwrap().to_str(), Some("nowhere"));
        assert_eq!(stored.digest, place.content("link"));
    }

    #[test]
    fn damage_is_found_and_what_was_there_stays() {
        let place = Place::new();
        place.write("out/a", "text");
        let file = place.put("out/a").digest;
        let tree = place.put("out").digest;
        let object = place.cas.find(&file).unwrap().path;
        std::fs::write(&object, "texT").unwrap();
        place.write("out/a", "by hand");
        for (digest, path) in [(&file, "out/a"), (&tree, "out")] {
            assert!(matches!(place.restore(digest, path), Err(CasError::Damaged { .. })));
        }
        assert_eq!(std::fs::read_to_string(place.root.join("out/a")).unwrap(), "by hand");
        place.write("b", "text");
        place.put("b");
        place.restore(&file, "c").unwrap();
        std::fs::remove_file(&object).unwrap();
        assert!(!place.cas.has(&tree) && !place.cas.has(&file));
        assert!(matches!(place.restore(&tree, "out"), Err(CasError::Absent { .. })));
        place.write("out/a", "text");
        place.put("out");
        assert!(place.cas.has(&tree), "putting it again mends it");
    }

    #[test]
    fn a_tree_that_would_write_outside_is_refused() {
        let place = Place::new();
        place.write("out/a", "text");
        let tree = place.put("out").digest;
        let path = place.cas.find(&tree).unwrap().path;
        let text = std::fs::read_to_string(&path).unwrap().replace("\"a\"", "\"../a\"");
        std::fs::write(&path, text).unwrap();
        assert!(matches!(place.restore(&tree, "out"), Err(CasError::Damaged { .. })));
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let place = Place::new();
        assert!(matches!(place.cas.put(&place.root, Utf8Path::new("none")), Err(CasError::Missing { .. })));
        let _socket = std::os::unix::net::UnixListener::bind(place.root.join("s")).unwrap();
        let error = place.cas.put(&place.root, Utf8Path::new("s")).unwrap_err().to_string();
        assert!(error.contains("socket"), "{error}");
    }
}
