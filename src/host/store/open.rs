//! Owns opening the store: for a run, or for reading, which writes nothing, wherever it lies.
//! Does not know what is read or written.

use crate::host::store::{Access, Durable, FILE, Store, StoreError, schema, transaction};
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::time::Duration;

/// How long a reader waits for a writer's transaction, and a writer for another one.
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// Opens for reading. Without a store there is an empty one in memory: in a fresh clone a
    /// reading command creates nothing.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub fn open_to_read(state_dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE);
        let fail = |source| StoreError::Sqlite { doing: "open", path: path.clone(), source };
        let connection = match path.metadata() {
            Ok(_) => reader(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => empty(&path)?,
            // A part of its path is a file, or may not be looked into: that is no fresh clone.
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let version = version(&connection).map_err(fail)?;
        if version >= schema::VERSION {
            return Ok(Self { connection, path, access: Access::Read });
        }
        // An older store is read through a copy that is migrated in memory.
        let mut copy = in_memory(&connection).map_err(fail)?;
        schema::migrate(&mut copy, &path)?;
        Ok(Self { connection: copy, path, access: Access::Read })
    }

    /// An empty store in memory, for who must go on where there is none that can be read.
    ///
    /// # Errors
    /// When not even that can be had.
    pub fn without_file(state_dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE);
        Ok(Self { connection: empty(&path)?, path, access: Access::Read })
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
            return Err(StoreError::File { doing: "write", path, why: crate::host::reason(&error) });
        }
        let mut connection = Connection::open_with_flags(&path, flags).map_err(fail)?;
        connection.busy_timeout(PATIENCE).map_err(fail)?;
        let version = version(&connection).map_err(fail)?;
        if version > schema::VERSION {
            return Err(StoreError::Newer { path, found: version, known: schema::VERSION });
        }
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
                 PRAGMA temp_store = MEMORY;",
            )
            .and_then(|()| transaction::set(&connection, Durable::Now))
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
}

impl Store {
    /// Changes with everything that another connection commits; the same number twice: nothing was
    /// committed between. `None`: it can't be told.
    pub fn others(&self) -> Option<i64> {
        self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok()
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn empty(path: &Utf8Path) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::Sqlite { doing: "open", path: path.to_owned(), source };
    let mut connection = Connection::open_in_memory().map_err(fail)?;
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

fn in_memory(connection: &Connection) -> rusqlite::Result<Connection> {
    let mut copy = Connection::open_in_memory()?;
    rusqlite::backup::Backup::new(connection, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)?;
    Ok(copy)
}

/// A connection that has read something. Readers of a database with a write-ahead log share memory in a
/// file beside it; where that can't be made, nobody writes the database either, and it is read as it lies.
fn reader(path: &Utf8Path) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::Sqlite { doing: "read", path: path.to_owned(), source };
    // Who may not read it, or where it is no file, is told in the system's words.
    std::fs::File::open(path)
        .and_then(|file| file.metadata())
        .and_then(|meta| if meta.is_file() { Ok(()) } else { Err(io::ErrorKind::IsADirectory.into()) })
        .map_err(|error| unreadable(path, &error))?;
    let plain = Connection::open_with_flags(path, READ).and_then(|connection| {
        connection.busy_timeout(PATIENCE)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match plain {
        Err(error) if is_no_place_beside(&error) => {
            let log = Utf8PathBuf::from(format!("{path}-wal"));
            let logged = log.metadata().is_ok_and(|meta| meta.len() > 0);
            if logged { beside(path, &log) } else { as_it_lies(path).map_err(fail) }
        }
        plain => plain.map_err(fail),
    }
}

/// Whether SQLite could not make its files beside the database: no leave, or no room.
fn is_no_place_beside(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::DiskFull)
    )
}

const READ: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn as_it_lies(path: &Utf8Path) -> rusqlite::Result<Connection> {
    let escaped = path.as_str().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), READ.union(OpenFlags::SQLITE_OPEN_URI))
}

/// What a dead run left in the log counts: it is read from a copy, in a folder of our own.
fn beside(path: &Utf8Path, log: &Utf8Path) -> Result<Connection, StoreError> {
    let folder = std::env::temp_dir().join(format!("infra-read-{}", std::process::id()));
    let copied = std::fs::DirBuilder::new().mode(0o700).create(&folder).and_then(|()| {
        std::fs::copy(path, folder.join("db"))?;
        std::fs::copy(log, folder.join("db-wal"))
    });
    let read = || {
        let connection = Connection::open_with_flags(folder.join("db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        in_memory(&connection)
    };
    let result = match copied {
        Ok(_) => read().map_err(|source| StoreError::Sqlite { doing: "read", path: path.to_owned(), source }),
        Err(error) => Err(unreadable(path, &error)),
    };
    // A copy that can't be removed is only litter.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn unreadable(path: &Utf8Path, error: &io::Error) -> StoreError {
    StoreError::File { doing: "read", path: path.to_owned(), why: crate::host::reason(error) }
}
