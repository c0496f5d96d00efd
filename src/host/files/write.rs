//! Owns writing files whole or not at all, private folders and files, and removing trees.
//! Does not know what is written.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// A file or folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read `{path}`: {}", crate::host::reason(.source))]
    Read { path: Utf8PathBuf, source: io::Error },
    /// Writing failed; what was there before is still there.
    #[error("cannot write `{path}`: {}", crate::host::reason(.source))]
    Write { path: Utf8PathBuf, source: io::Error },
    /// A secret file that others may read.
    #[error("`{path}` may be read by others (mode {mode:04o}); run `chmod 600 {path}`")]
    TooOpen { path: Utf8PathBuf, mode: u32 },
    /// A path with no name in it.
    #[error("`{path}` names no file")]
    NoName { path: Utf8PathBuf },
}

impl FileError {
    pub(crate) fn read(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

/// Writes a file so that a crash leaves the old bytes or the new ones: aside, to the disk, renamed.
/// Missing folders are made. `mode`: its permissions; `None`: those it has, or the usual ones. A link
/// at the path is replaced, not followed; a device or a pipe is written to, never replaced.
pub fn write_aside(path: &Utf8Path, bytes: &[u8], mode: Option<u32>) -> Result<(), FileError> {
    let failed = FileError::write(path);
    if let Ok(meta) = std::fs::symlink_metadata(path)
        && !(meta.is_file() || meta.is_dir() || meta.is_symlink())
    {
        let written = OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes));
        return written.map_err(failed);
    }
    let aside = aside_name(path)?;
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let write = || {
        std::fs::create_dir_all(if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder })?;
        let kept = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file);
        let mode = mode.or_else(|| kept.map(|meta| meta.mode() & 0o7777));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Never wider than it will be, not for a moment.
        if let Some(mode) = mode {
            options.mode(mode & 0o600);
        }
        let mut file = options.open(&aside)?;
        file.write_all(bytes)?;
        if let Some(mode) = mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.sync_all()?;
        std::fs::rename(&aside, path)?;
        sync_dir(folder)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        failed(error)
    })
}

/// Writes new files in a folder, all of them or none: what was made goes when one can't be written.
pub fn write_together(root: &Utf8Path, files: &[(&str, &str)]) -> Result<(), FileError> {
    let mut made = Vec::new();
    for (path, text) in files {
        let path = root.join(path);
        let above = path.ancestors().skip(1).take_while(|above| !above.exists()).map(Utf8Path::to_owned);
        made.splice(0..0, above.collect::<Vec<_>>());
        if let Err(error) = write_aside(&path, text.as_bytes(), None) {
            for path in made {
                // A folder that somebody else wrote into meanwhile stays.
                let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
            }
            return Err(error);
        }
        made.insert(0, path);
    }
    Ok(())
}

/// A name beside a path that nobody else uses.
pub(crate) fn aside_name(path: &Utf8Path) -> Result<Utf8PathBuf, FileError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| FileError::NoName { path: path.to_owned() })?;
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(path.with_file_name(format!(".{name}.infra-{}-{next}", std::process::id())))
}

/// Makes a rename in a folder durable.
pub(crate) fn sync_dir(folder: &Utf8Path) -> io::Result<()> {
    let folder = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner may enter, and its parents likewise; takes others' rights away
/// from one that exists.
pub fn make_private_dir(path: &Utf8Path) -> Result<(), FileError> {
    let failed = FileError::write(path);
    let make = || {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let mode = std::fs::metadata(path)?.mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700))?;
        }
        Ok(())
    };
    make().map_err(failed)
}

/// Reads a file of secrets; one that group or others may read is refused.
pub fn read_private(path: &Utf8Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut file = File::open(path).map_err(FileError::read(path))?;
    let meta = file.metadata().map_err(FileError::read(path))?;
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FileError::TooOpen { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1));
    file.read_to_end(&mut bytes).map_err(FileError::read(path))?;
    Ok(bytes)
}

/// Bytes that are free for us where a path lies.
pub fn free_space(path: &Utf8Path) -> Result<u64, FileError> {
    crate::host::process::free_space(path).map_err(FileError::read(path))
}

/// Removes a file, a link or a whole folder; links are removed, not followed. Nothing there is fine.
pub(crate) fn remove_all(path: &Utf8Path) -> io::Result<()> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !meta.is_dir() {
        return std::fs::remove_file(path);
    }
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // Tools leave folders that even their owner may not write.
            make_writable(path)?;
            std::fs::remove_dir_all(path)
        }
        done => done,
    }
}

fn make_writable(folder: &Utf8Path) -> io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(path) = Utf8PathBuf::from_path_buf(entry.path())
        {
            make_writable(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn mode(path: &Utf8Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let (_keep, root) = temp();
        let path = root.join("a/b/file");
        write_aside(&path, b"one", Some(0o750)).unwrap();
        write_aside(&path, b"two", None).unwrap();
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"two"[..], 0o750));
        assert_eq!(std::fs::read_dir(root.join("a/b")).unwrap().count(), 1);
    }

    #[test]
    fn a_pipe_is_written_to_and_stays() {
        use std::os::unix::fs::FileTypeExt;
        let (_keep, root) = temp();
        let path = root.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let read = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read_to_string(path).unwrap()
        });
        write_aside(&path, b"told", None).unwrap();
        assert_eq!(read.join().unwrap(), "told");
        assert!(std::fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_link_is_replaced_and_a_failure_leaves_the_old() {
        let (_keep, root) = temp();
        std::fs::write(root.join("target"), "kept").unwrap();
        std::os::unix::fs::symlink("target", root.join("link")).unwrap();
        write_aside(&root.join("link"), b"new", None).unwrap();
        assert_eq!(std::fs::read_to_string(root.join("target")).unwrap(), "kept");
        std::fs::create_dir(root.join("folder")).unwrap();
        let error = write_aside(&root.join("folder"), b"x", None).unwrap_err();
        assert!(error.to_string().contains("folder"), "{error}");
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 3);
    }

    #[test]
    fn files_are_written_together_or_not_at_all() {
        let (_keep, root) = temp();
        std::fs::create_dir(root.join("taken")).unwrap();
        write_together(&root, &[("a/b/one", "1"), ("two", "2"), ("taken", "3")]).unwrap_err();
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        write_together(&root, &[("a/b/one", "1"), ("two", "2")]).unwrap();
        assert_eq!(std::fs::read_to_string(root.join("a/b/one")).unwrap(), "1");
        write_together(&root, &[("a/b/more", "1"), ("taken", "3")]).unwrap_err();
        assert!(root.join("a/b/one").exists() && !root.join("a/b/more").exists());
    }

    #[test]
    fn private_means_the_owner_alone() {
        let (_keep, root) = temp();
        std::fs::create_dir(root.join("p")).unwrap();
        make_private_dir(&root.join("p")).unwrap();
        make_private_dir(&root.join("p/q/r")).unwrap();
        assert_eq!((mode(&root.join("p")), mode(&root.join("p/q")), mode(&root.join("p/q/r"))), (0o700, 0o700, 0o700));
        write_aside(&root.join("s"), b"secret", Some(0o600)).unwrap();
        assert_eq!(read_private(&root.join("s")).unwrap().as_slice(), b"secret");
        std::fs::set_permissions(root.join("s"), Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&root.join("s")).unwrap_err().to_string();
        assert!(error.contains("0640") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn trees_are_removed_without_following_links() {
        let (_keep, root) = temp();
        std::fs::create_dir_all(root.join("outside")).unwrap();
        std::fs::write(root.join("outside/kept"), "").unwrap();
        std::fs::create_dir_all(root.join("tree/locked")).unwrap();
        std::fs::write(root.join("tree/locked/file"), "").unwrap();
        std::os::unix::fs::symlink("../outside", root.join("tree/link")).unwrap();
        std::fs::set_permissions(root.join("tree/locked"), Permissions::from_mode(0o500)).unwrap();
        remove_all(&root.join("tree")).unwrap();
        remove_all(&root.join("tree")).unwrap();
        assert!(root.join("outside/kept").exists() && !root.join("tree").exists());
        assert!(free_space(&root).unwrap() > 0);
    }
}
