//! Owns small readings and writings where a plain call of the standard library is all it takes.
//! Does not know what is read or written.

use crate::host::files::FileError;
use camino::Utf8Path;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

/// Makes a folder and its parents.
///
/// # Errors
/// When it can't be made.
pub fn make_dir(path: &Utf8Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Removes a folder with all that is in it; what can't be removed stays, it is only litter.
pub fn remove_dir(path: &Utf8Path) {
    let _ = std::fs::remove_dir_all(path);
}

/// Bytes of all files in a folder; `None` where there is none.
pub fn size_below(folder: &Utf8Path) -> Option<u64> {
    let mut size = 0;
    for entry in folder.read_dir_utf8().ok()?.flatten() {
        let Ok(meta) = entry.path().symlink_metadata() else { continue };
        size += if meta.is_dir() { size_below(entry.path()).unwrap_or(0) } else { meta.len() };
    }
    Some(size)
}

/// Removes a folder, and those above it that became empty, below `keep`.
///
/// # Errors
/// When it can't be removed.
pub fn remove_tree(folder: &Utf8Path, keep: &Utf8Path) -> Result<(), FileError> {
    std::fs::remove_dir_all(folder).map_err(|source| FileError::Write { path: folder.to_owned(), source })?;
    let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(keep) && *above != keep);
    for above in above {
        if std::fs::remove_dir(above).is_err() {
            break;
        }
    }
    Ok(())
}

/// Whether a folder holds a name that ends so, or can't be asked.
pub fn may_hold(folder: &Utf8Path, end: &str) -> bool {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(end)),
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    }
}

/// Removes a file; one that is not there, or can't be removed, stays as it is.
pub fn remove_file(path: &Utf8Path) {
    let _ = std::fs::remove_file(path);
}

/// Text of a file; `None` when there is none. Bytes that are no UTF-8 are replaced.
///
/// # Errors
/// When it is there and can't be read.
pub fn read_text(path: &Utf8Path) -> Result<Option<String>, FileError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

/// Whether a file is there and not empty.
pub fn has_text(path: &Utf8Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

/// Permission bits of a file.
pub fn mode_of(path: &Utf8Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|meta| meta.mode() & 0o777)
}

/// Adds lines to a log, made 0600. One that can't be written never fails a run.
pub fn append_lines(log: &Utf8Path, lines: &[String]) {
    let opened = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(log);
    if let Ok(mut file) = opened {
        for line in lines {
            let _ = writeln!(file, "{line}");
        }
    }
}

/// The stat signature of a program file as text: when it differs its version is asked again.
pub fn signature_text(path: &Utf8Path) -> String {
    match std::fs::metadata(path) {
        Ok(meta) => {
            format!("{}.{}.{}.{}", meta.size(), meta.mtime(), meta.mtime_nsec(), meta.ino())
        }
        Err(_) => String::new(),
    }
}

/// Writes a file that is not there yet.
///
/// # Errors
/// When it can't be written.
pub fn write_once(path: &Utf8Path, bytes: &[u8]) -> Result<(), FileError> {
    if path.exists() {
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Columns of the terminal at stderr, when it is one and tells.
pub fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// The name of this machine.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
