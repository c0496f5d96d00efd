//! Owns what lies in the store, piece by piece, and dropping a piece.
//! Does not know which pieces are still wanted, nor whether somebody puts one now.

use super::object::{self, Object, Shape};
use super::{Cas, CasError};
use crate::host::files::remove_all;
use crate::model::digest::Digest;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;

/// One file of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub path: Utf8PathBuf,
    /// `None`: what a putting that was cut left behind.
    pub digest: Option<Digest>,
    pub size: u64,
    /// When it was put, in milliseconds since 1970.
    pub put: i64,
}

/// What an artifact of the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// `file`, `executable`, `link` or `folder`.
    pub word: &'static str,
    /// Files and links in it; 1 where it is no folder.
    pub files: usize,
}

impl Cas {
    /// Every file of the store.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub fn pieces(&self) -> Result<Vec<Piece>, CasError> {
        let mut pieces = Vec::new();
        for (path, meta) in listed(&self.folder)? {
            if !meta.is_dir() {
                pieces.push(piece(path, None, &meta));
                continue;
            }
            let head = path.file_name().unwrap_or_default().to_owned();
            for (path, meta) in listed(&path)? {
                let name = path.file_name().unwrap_or_default();
                let digest = Digest::parse(&format!("{head}{}", name.split('.').next().unwrap_or_default()));
                pieces.push(piece(path.clone(), digest, &meta));
            }
        }
        Ok(pieces)
    }

    /// The digests of all pieces that make up an artifact, as far as the store holds them.
    pub fn parts(&self, digest: &Digest) -> BTreeSet<Digest> {
        let mut parts = BTreeSet::new();
        let mut wanted = vec![*digest];
        while let Some(digest) = wanted.pop() {
            if !parts.insert(digest) {
                continue;
            }
            if let Some(Object { shape: Shape::Tree, path }) = self.find(&digest)
                && let Ok(entries) = object::read_tree(&path, &digest)
            {
                wanted.extend(entries.into_iter().map(|entry| entry.digest));
            }
        }
        parts
    }

    /// What lies at a path in an artifact that is a folder.
    pub fn inner(&self, digest: &Digest, path: &Utf8Path) -> Option<Digest> {
        let mut at = *digest;
        for part in path.components() {
            let Object { shape: Shape::Tree, path } = self.find(&at)? else { return None };
            at = object::read_tree(&path, &at).ok()?.into_iter().find(|entry| entry.name == part.as_str())?.digest;
        }
        Some(at)
    }

    /// Bytes of all files of an artifact, as far as the store holds them.
    pub fn size(&self, digest: &Digest) -> u64 {
        match self.find(digest) {
            Some(Object { shape: Shape::Tree, path }) => {
                let entries = object::read_tree(&path, digest).unwrap_or_default();
                entries.iter().map(|entry| self.size(&entry.digest)).sum()
            }
            Some(Object { shape: Shape::Link, .. }) | None => 0,
            Some(Object { path, .. }) => path.metadata().map_or(0, |meta| meta.len()),
        }
    }

    /// What an artifact is; `None` where the store does not hold it whole.
    pub fn nature(&self, digest: &Digest) -> Option<Nature> {
        if !self.has(digest) {
            return None;
        }
        let shape = self.find(digest)?.shape;
        let word = match shape {
            Shape::File => "file",
            Shape::Executable => "executable",
            Shape::Link => "link",
            Shape::Tree => "folder",
        };
        Some(Nature { word, files: if shape == Shape::Tree { self.files_in(digest) } else { 1 } })
    }

    fn files_in(&self, digest: &Digest) -> usize {
        match self.find(digest) {
            Some(Object { shape: Shape::Tree, path }) => {
                let entries = object::read_tree(&path, digest).unwrap_or_default();
                entries.iter().map(|entry| self.files_in(&entry.digest)).sum()
            }
            Some(_) => 1,
            None => 0,
        }
    }

    /// Drops a piece, and its folder when it was the last one in it.
    ///
    /// # Errors
    /// When it can't be removed; one that is gone already is no error.
    pub fn drop_piece(&self, piece: &Piece) -> Result<(), CasError> {
        remove_all(&piece.path).map_err(CasError::write(&piece.path))?;
        if let Some(folder) = piece.path.parent().filter(|folder| *folder != self.folder) {
            // One that is not empty stays.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }
}

fn piece(path: Utf8PathBuf, digest: Option<Digest>, meta: &std::fs::Metadata) -> Piece {
    Piece { path, digest, size: meta.len(), put: meta.mtime().saturating_mul(1000) }
}

/// What is in a folder; nothing where there is none.
fn listed(folder: &Utf8Path) -> Result<Vec<(Utf8PathBuf, std::fs::Metadata)>, CasError> {
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CasError::read(folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(CasError::read(folder))?.into_path();
        match path.symlink_metadata() {
            Ok(meta) => found.push((path, meta)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(CasError::read(&path)(error)),
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}
