//! Owns putting an artifact back where it belongs: built aside, verified, renamed over what is there.
//! Does not know why it is wanted.

use super::object::{Object, Shape, read_tree};
use super::{Cas, CasError};
use crate::host::files::{EntryKind, aside_name, hash_stream, link_digest, remove_all, sync_dir};
use crate::model::digest::Digest;
use camino::Utf8Path;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};

impl Cas {
    /// Restores an artifact at a path (absolute). Every byte is verified before anything that is there
    /// is touched; a folder is restored exactly, so what else was in it is gone. A link at the path is
    /// replaced, not followed.
    pub fn restore(&self, digest: &Digest, to: &Utf8Path) -> Result<(), CasError> {
        let to = Utf8Path::new(to.as_str().trim_end_matches('/'));
        let folder = to.parent().unwrap_or(Utf8Path::new("/"));
        std::fs::create_dir_all(folder).map_err(CasError::write(folder))?;
        let aside = aside_name(to)?;
        let old = aside_name(to)?;
        let place = || put_in_place(&aside, to, &old).and_then(|()| sync_dir(folder));
        let done = self.build(digest, &aside).and_then(|_| place().map_err(CasError::write(to)));
        if done.is_err() {
            let _ = remove_all(&aside);
        }
        done
    }

    /// Makes a verified copy of an object at a path where nothing is.
    fn build(&self, digest: &Digest, at: &Utf8Path) -> Result<EntryKind, CasError> {
        let Object { shape, path } = self.find(digest).ok_or(CasError::Absent { digest: *digest })?;
        match shape {
            Shape::File => copy_out(digest, &path, at, false),
            Shape::Executable => copy_out(digest, &path, at, true),
            Shape::Link => {
                let text = std::fs::read_to_string(&path).map_err(CasError::read(&path))?;
                if link_digest(&text) != *digest {
                    return Err(CasError::Damaged { digest: *digest, object: path });
                }
                symlink(&text, at).map_err(CasError::write(at))?;
                Ok(EntryKind::Link)
            }
            Shape::Tree => {
                let entries = read_tree(&path, digest)?;
                DirBuilder::new().mode(0o777).create(at).map_err(CasError::write(at))?;
                for entry in entries {
                    if self.build(&entry.digest, &at.join(&entry.name))? != entry.kind {
                        return Err(CasError::Damaged { digest: *digest, object: path });
                    }
                }
                Ok(EntryKind::Folder)
            }
        }
    }
}

fn copy_out(digest: &Digest, object: &Utf8Path, at: &Utf8Path, executable: bool) -> Result<EntryKind, CasError> {
    let mut from = File::open(object).map_err(CasError::read(object))?;
    let size = from.metadata().map_err(CasError::read(object))?.len();
    let mut to = OpenOptions::new().write(true).create_new(true).open(at).map_err(CasError::write(at))?;
    let mut unwritten = None;
    let hashed = hash_stream(executable, &mut from, size, &mut |bytes| {
        to.write_all(bytes).map_err(|error| {
            let kind = error.kind();
            unwritten = Some(error);
            kind.into()
        })
    });
    if let Some(error) = unwritten {
        return Err(CasError::write(at)(error));
    }
    let (found, _) = hashed.map_err(CasError::read(object))?;
    if found != *digest {
        return Err(CasError::Damaged { digest: *digest, object: object.to_owned() });
    }
    let finish = || {
        if executable {
            // As the umask would have it: who may read may execute.
            let mode = to.metadata()?.permissions().mode();
            to.set_permissions(Permissions::from_mode(mode | ((mode & 0o444) >> 2)))?;
        }
        to.sync_all()
    };
    finish().map_err(CasError::write(at))?;
    Ok(EntryKind::File)
}

/// Puts what was built aside in the place of what is there, which is `old` for a moment.
fn put_in_place(aside: &Utf8Path, to: &Utf8Path, old: &Utf8Path) -> io::Result<()> {
    let there = std::fs::symlink_metadata(to).ok();
    let folders = there.as_ref().is_some_and(std::fs::Metadata::is_dir)
        || (there.is_some() && std::fs::symlink_metadata(aside)?.is_dir());
    if !folders {
        return std::fs::rename(aside, to);
    }
    // A rename replaces no folder that holds something, and no file by a folder.
    std::fs::rename(to, old)?;
    if let Err(error) = std::fs::rename(aside, to) {
        std::fs::rename(old, to)?;
        return Err(error);
    }
    remove_all(old)
}
