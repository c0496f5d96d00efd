//! Owns the store: one SQLite file with tasks, memo, journal, runs, attempts, events, file signatures.
//! Does not know what is fresh; it only remembers. The only module that knows rusqlite.

mod file_rows;
mod history;
mod journal;
mod ledger;
mod open;
mod overrule;
mod schema;

pub use file_rows::{FileRow, ToolRow};
pub use history::{Orphan, Owner};
pub use journal::{Commit, Ending, Intent, NewAttempt, UndoSpec, WorldUpdate};
pub use ledger::{AttemptRow, RunRow, RunStart};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

/// Name of the file under `.infra/`.
pub const FILE: &str = "state.db";

/// The store can't be read or written: exit code 7.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own words, with what was being done.
    #[error("cannot {doing} the store `{path}`: {source}")]
    Sqlite { doing: &'static str, path: Utf8PathBuf, source: rusqlite::Error },
    /// The file can't be opened for writing.
    #[error("cannot write the store `{path}`: {why}")]
    Unwritable { path: Utf8PathBuf, why: String },
    /// Written by a newer program.
    #[error("the store `{path}` has format {found}, this program knows {known}: use the newer program, or read only")]
    Newer { path: Utf8PathBuf, found: i64, known: i64 },
    /// A migration failed; the backup stands beside the store.
    #[error("cannot migrate the store `{path}`: {why}")]
    Migration { path: Utf8PathBuf, why: String },
    /// A row that can't be understood.
    #[error("the store `{path}` holds a damaged row in `{table}`: {why}")]
    Damaged { path: Utf8PathBuf, table: &'static str, why: String },
}

/// The store, open.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: Utf8PathBuf,
    access: Access,
}

/// What may be done with an open store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading commands.
    Read,
    /// A run that holds its environment.
    Write,
}

impl Store {
    /// Opens for reading. Without a store there is an empty one in memory: in a fresh clone a
    /// reading command creates nothing.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub fn open_to_read(state_dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE);
        let fail = |source| StoreError::Sqlite { doing: "open", path: path.clone(), source };
        let connection = if path.exists() {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags).map_err(fail)?;
            connection.busy_timeout(Duration::from_secs(10)).map_err(fail)?;
            let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail)?;
            if version < schema::VERSION {
                // An older store is read through a copy that is migrated in memory.
                let mut copy = Connection::open_in_memory().map_err(fail)?;
                {
                    let backup = rusqlite::backup::Backup::new(&connection, &mut copy).map_err(fail)?;
                    backup.run_to_completion(1000, Duration::ZERO, None).map_err(fail)?;
                }
                schema::migrate(&mut copy, &path)?;
                copy
            } else {
                connection
            }
        } else {
            let mut connection = Connection::open_in_memory().map_err(fail)?;
            schema::migrate(&mut connection, &path)?;
            connection
        };
        Ok(Self { connection, path, access: Access::Read })
    }

    /// Opens for a run; makes the file when there is none. The folder must exist.
    ///
    /// # Errors
    /// When it can't be read or written, or is newer than this program.
    pub fn open_to_write(state_dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE);
        let fail = |source| StoreError::Sqlite { doing: "open", path: path.clone(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // SQLite gives its side files the mode of the database.
        if let Err(error) = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path) {
            return Err(StoreError::Unwritable { path, why: crate::host::reason(&error) });
        }
        let mut connection = Connection::open_with_flags(&path, flags).map_err(fail)?;
        connection.busy_timeout(Duration::from_secs(30)).map_err(fail)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail)?;
        if version > schema::VERSION {
            return Err(StoreError::Newer { path, found: version, known: schema::VERSION });
        }
        // FULL: in a measured power loss WAL+NORMAL lost acknowledged commits, WAL+FULL none.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
            )
            .map_err(fail)?;
        if version < schema::VERSION {
            if version > 0 {
                let backup = path.with_file_name(format!("{FILE}.v{version}.bak"));
                connection.execute("VACUUM INTO ?1", [backup.as_str()]).map_err(|source| StoreError::Sqlite {
                    doing: "back up",
                    path: path.clone(),
                    source,
                })?;
            }
            schema::migrate(&mut connection, &path)?;
        }
        Ok(Self { connection, path, access: Access::Write })
    }

    /// What may be done with it.
    pub fn access(&self) -> Access {
        self.access
    }

    fn fail(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError::Sqlite { doing, path, source }
    }

    fn damaged(&self, table: &'static str, why: &dyn std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), table, why: why.to_string() }
    }
}
