//! Owns putting an artifact into the store: copied aside, hashed on the way, renamed, made durable.
//! Does not know how it comes back.

use super::object::{Shape, tree_text};
use super::{Cas, CasError, Stored};
use crate::host::files::{Entry, EntryKind, aside_name, hash_stream, link_digest, sync_dir, tree_digest};
use crate::host::files::{Sig, make_private_dir, remove_all};
use crate::model::digest::Digest;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::PoisonError;

/// How often a file that changes while it is copied is copied again.
const TRIES: u32 = 3;
/// So many files are not synced one by one: each would wait for the disk by itself.
const MANY: usize = 16;

impl Cas {
    /// Puts a file, link or folder (relative to the root) into the store. The digest is that of the very
    /// bytes that were kept; links are kept as links, wherever they lead.
    pub fn put(&self, root: &Utf8Path, path: &Utf8Path) -> Result<Stored, CasError> {
        make_private_dir(&self.folder)?;
        let path = Utf8Path::new(path.as_str().trim_end_matches('/'));
        let (_, stored) = self.put_any(&root.join(path))?;
        Ok(stored)
    }

    fn put_any(&self, path: &Utf8Path) -> Result<(EntryKind, Stored), CasError> {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CasError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(CasError::read(path)(error)),
        };
        if meta.is_file() {
            Ok((EntryKind::File, self.put_file(path)?))
        } else if meta.is_symlink() {
            Ok((EntryKind::Link, self.put_link(path)?))
        } else if meta.is_dir() {
            Ok((EntryKind::Folder, self.put_folder(path)?))
        } else {
            let why = "it is a pipe, socket or device; remove it".to_owned();
            Err(CasError::Unfit { path: path.to_owned(), why })
        }
    }

    fn put_file(&self, path: &Utf8Path) -> Result<Stored, CasError> {
        for _ in 0..TRIES {
            let mut file = crate::host::process::open_no_follow(path).map_err(CasError::read(path))?;
            let before = Sig::of(&file.metadata().map_err(CasError::read(path))?);
            let aside = self.new_object()?;
            let copied = copy_in(&mut file, &before, &aside, path);
            let after = Sig::of(&file.metadata().map_err(CasError::read(path))?);
            match copied {
                Ok((digest, size)) if before == after && size == before.size => {
                    let shape = if before.executable() { Shape::Executable } else { Shape::File };
                    self.settle(&aside, &digest, shape)?;
                    return Ok(Stored { digest, size });
                }
                Ok(_) => remove_all(&aside).map_err(CasError::write(&aside))?,
                Err(error) => {
                    let _ = remove_all(&aside);
                    return Err(error);
                }
            }
        }
        Err(CasError::Unstable { path: path.to_owned() })
    }

    fn put_link(&self, path: &Utf8Path) -> Result<Stored, CasError> {
        let text = std::fs::read_link(path).map_err(CasError::read(path))?;
        let text = text
            .into_os_string()
            .into_string()
            .map_err(|_| CasError::Unfit { path: path.to_owned(), why: "the link's text is not UTF-8".to_owned() })?;
        let digest = link_digest(&text);
        self.put_bytes(&digest, Shape::Link, text.as_bytes())?;
        Ok(Stored { digest, size: 0 })
    }

    fn put_folder(&self, path: &Utf8Path) -> Result<Stored, CasError> {
        let mut entries = Vec::new();
        let mut size = 0;
        for entry in std::fs::read_dir(path).map_err(CasError::read(path))? {
            let name = entry.map_err(CasError::read(path))?.file_name();
            let name = name.into_string().map_err(|name| CasError::Unfit {
                path: path.join(name.to_string_lossy().as_ref()),
                why: "its name is not UTF-8; rename it".to_owned(),
            })?;
            let (kind, stored) = self.put_any(&path.join(&name))?;
            size += stored.size;
            entries.push(Entry { name, kind, digest: stored.digest });
        }
        entries.sort();
        let digest = tree_digest(&entries);
        self.put_bytes(&digest, Shape::Tree, tree_text(&entries).as_bytes())?;
        Ok(Stored { digest, size })
    }

    fn put_bytes(&self, digest: &Digest, shape: Shape, bytes: &[u8]) -> Result<(), CasError> {
        let aside = self.new_object()?;
        create(&aside).and_then(|mut file| file.write_all(bytes)).map_err(CasError::write(&aside))?;
        self.settle(&aside, digest, shape)
    }

    fn new_object(&self) -> Result<Utf8PathBuf, CasError> {
        Ok(aside_name(&self.folder.join("new"))?)
    }

    /// Gives an object its name. One that is there already stays if it is whole, and is replaced if it is
    /// damaged, as a loss of power may leave it before `sync`.
    fn settle(&self, aside: &Utf8Path, digest: &Digest, shape: Shape) -> Result<(), CasError> {
        let path = self.path(digest, shape);
        let folder = path.parent().unwrap_or(&self.folder);
        let settle = || {
            if same_bytes(aside, &path) {
                return remove_all(aside);
            }
            match std::fs::create_dir(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
                _ => std::fs::rename(aside, &path)?,
            }
            self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
            Ok(())
        };
        settle().map_err(|error| {
            let _ = remove_all(aside);
            CasError::write(&path)(error)
        })
    }
}

impl Cas {
    /// Makes everything durable that was put since the last call. A record that names an artifact must not
    /// outlive it.
    pub fn sync(&self) -> Result<(), CasError> {
        let unsynced = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(first) = unsynced.first() else { return Ok(()) };
        if unsynced.len() >= MANY && sync_file_system(&self.folder) {
            return Ok(());
        }
        let sync = || {
            let mut folders = BTreeSet::from([self.folder.as_path()]);
            for path in &unsynced {
                File::open(path)?.sync_all()?;
                folders.extend(path.parent());
            }
            folders.into_iter().try_for_each(sync_dir)
        };
        sync().map_err(CasError::write(first))
    }
}

/// Syncs all that was written to a folder's file system; `false` where that can't be asked for.
#[cfg(target_os = "linux")]
fn sync_file_system(folder: &Utf8Path) -> bool {
    File::open(folder).is_ok_and(|folder| rustix::fs::syncfs(folder).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_folder: &Utf8Path) -> bool {
    false
}

/// Whether both files can be read and hold the same.
fn same_bytes(one: &Utf8Path, other: &Utf8Path) -> bool {
    let (Ok(mut one), Ok(mut other)) = (File::open(one), File::open(other)) else {
        return false;
    };
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let (Ok(count), Ok(same)) = (fill(&mut one, &mut left), fill(&mut other, &mut right)) else {
            return false;
        };
        if left[..count] != right[..same] {
            return false;
        }
        if count == 0 {
            return true;
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn create(path: &Utf8Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Copies a file aside; tells its digest and size.
fn copy_in(from: &mut File, sig: &Sig, aside: &Utf8Path, path: &Utf8Path) -> Result<(Digest, u64), CasError> {
    let mut to = create(aside).map_err(CasError::write(aside))?;
    // Writing fails in here, too: that error must name the copy.
    let mut unwritten = None;
    let hashed = hash_stream(sig.executable(), from, sig.size, &mut |bytes| {
        to.write_all(bytes).map_err(|error| {
            let kind = error.kind();
            unwritten = Some(error);
            kind.into()
        })
    });
    match (hashed, unwritten) {
        (_, Some(error)) => Err(CasError::write(aside)(error)),
        (Err(error), None) => Err(CasError::read(path)(error)),
        (Ok(hashed), None) => Ok(hashed),
    }
}
