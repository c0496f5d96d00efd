//! Owns what goes wrong with the store, in words that say what to do.
//! Does not know what the program does about it: exit code 7.

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::ErrorCode;

/// The store can't be read or written: exit code 7.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed, with what was being done.
    #[error("cannot {doing} the store `{path}`: {}", words(.source, .path))]
    Sqlite { doing: &'static str, path: Utf8PathBuf, source: rusqlite::Error },
    /// The file can't be had.
    #[error("cannot {doing} the store `{path}`: {why}")]
    File { doing: &'static str, path: Utf8PathBuf, why: String },
    /// Written by a newer program.
    #[error("the store `{path}` has format {found}, and this program knows {known}")]
    Newer { path: Utf8PathBuf, found: i64, known: i64 },
    /// A migration failed; the backup stands beside the store.
    #[error("cannot migrate the store `{path}`: {why}")]
    Migration { path: Utf8PathBuf, why: String },
    /// A row that can't be understood.
    #[error("the store `{path}` holds a damaged row in `{table}`: {why}")]
    Damaged { path: Utf8PathBuf, table: &'static str, why: String },
}

impl StoreError {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Sqlite { source, path, .. } if is_damaged(source) => damaged(path),
            Self::Damaged { path, .. } => damaged(path),
            Self::Newer { .. } => {
                "use the newer program; `infra status` and other queries work with this one, if they can".to_owned()
            }
            Self::Migration { .. } => "it is as it was; use the former program, and report this".to_owned(),
            Self::Sqlite { .. } | Self::File { .. } => {
                "what finished before stays recorded; free space or mend permissions, then run again".to_owned()
            }
        }
    }
}

fn damaged(path: &Utf8PathBuf) -> String {
    format!(
        "take it back from a backup; or `mv {path} {path}.damaged`, and every task counts as never run: look at the world first"
    )
}

fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(code(error), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether there is no room beside a file for what SQLite puts there.
fn is_full(path: &Utf8Path) -> bool {
    const ROOM: u64 = 64 << 10;
    path.parent().is_some_and(|folder| crate::host::process::free_space(folder).is_ok_and(|free| free < ROOM))
}

/// SQLite's codes, for people.
fn words(error: &rusqlite::Error, path: &Utf8Path) -> String {
    let words = match code(error) {
        Some(ErrorCode::DiskFull) => "the disk is full; free some space",
        Some(ErrorCode::NotADatabase) => "it is no database: damaged, or another program's file",
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program keeps it locked",
        Some(ErrorCode::ReadOnly) => "it is read-only; see who owns it and its mode",
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "it, or its folder, cannot be opened; see who owns them and their modes"
        }
        Some(ErrorCode::SystemIoFailure) if is_full(path) => "the disk is full; free some space",
        Some(ErrorCode::SystemIoFailure) => "reading or writing the disk failed: it may be full or broken",
        Some(ErrorCode::FileLockingProtocolFailed) => "its file system cannot lock files",
        _ => return crate::host::without_numbers(&error.to_string()),
    };
    words.to_owned()
}
