//! Owns the rows that save re-reading: signatures of files, versions of tools.
//! Does not know when they may be trusted.

use crate::host::store::{Durable, Store, StoreError};
use crate::model::digest::Digest;
use camino::Utf8PathBuf;
use rusqlite::params;

/// Signature and digest of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    pub path: String,
    pub size: i64,
    pub mtime: i64,
    pub ctime: i64,
    pub ino: i64,
    pub mode: i64,
    pub digest: Digest,
    pub racy: bool,
}

/// Version of one program file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRow {
    pub program: String,
    /// Its stat signature, as text.
    pub sig: String,
    pub version: String,
}

impl Store {
    /// All file rows.
    pub fn files(&self) -> Result<Vec<FileRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT path, size, mtime, ctime, ino, mode, digest, racy FROM file")
            .map_err(self.fail("read"))?;
        let rows = statement
            .query_map([], |row| {
                Ok(FileRow {
                    path: row.get(0)?,
                    size: row.get(1)?,
                    mtime: row.get(2)?,
                    ctime: row.get(3)?,
                    ino: row.get(4)?,
                    mode: row.get(5)?,
                    digest: Digest(row.get(6)?),
                    racy: row.get(7)?,
                })
            })
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))?;
        Ok(rows)
    }

    /// Writes rows that are new or differ and drops those of files that are gone, in one transaction.
    pub fn put_files(&mut self, rows: &[FileRow], gone: &[Utf8PathBuf]) -> Result<(), StoreError> {
        if rows.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.write(Durable::Later, |transaction| {
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
            for row in rows {
                insert.execute(params![
                    row.path,
                    row.size,
                    row.mtime,
                    row.ctime,
                    row.ino,
                    row.mode,
                    row.digest.0,
                    row.racy
                ])?;
            }
            let mut delete = transaction.prepare_cached("DELETE FROM file WHERE path = ?1")?;
            for path in gone {
                delete.execute([path.as_str()])?;
            }
            Ok(())
        })
    }

    /// All tool rows.
    pub fn tools(&self) -> Result<Vec<ToolRow>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT program, sig, version FROM tool").map_err(self.fail("read"))?;
        let rows = statement
            .query_map([], |row| Ok(ToolRow { program: row.get(0)?, sig: row.get(1)?, version: row.get(2)? }))
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))?;
        Ok(rows)
    }

    /// Remembers a tool's version.
    pub fn put_tool(&mut self, row: &ToolRow) -> Result<(), StoreError> {
        self.connection
            .execute("INSERT OR REPLACE INTO tool VALUES (?1, ?2, ?3)", params![row.program, row.sig, row.version])
            .map(drop)
            .map_err(self.fail("write"))
    }
}
