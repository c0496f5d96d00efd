//! Owns the way of stat signatures between the store and the cache of what was read.
//! Does not know what a signature saves, nor what a file is for.

use crate::host::files::{Sig, StatRow};
use crate::host::store::{FileRow, StoreError};
use crate::host::world::Host;

impl Host {
    /// Writes file signatures that are new.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_signatures(&self) -> Result<(), StoreError> {
        let changes = self.disk.stat_changes();
        let put: Vec<FileRow> = changes.put.into_iter().map(file_row).collect();
        self.store.borrow_mut().put_files(&put, &changes.drop)
    }
}

/// Signatures that the store kept, as the stat cache takes them.
pub fn stat_rows(rows: Vec<FileRow>) -> Vec<StatRow> {
    rows.into_iter()
        .map(|row| StatRow {
            path: row.path.into(),
            sig: Sig {
                size: row.size.cast_unsigned(),
                mtime_ns: row.mtime,
                ctime_ns: row.ctime,
                ino: row.ino.cast_unsigned(),
                mode: u32::try_from(row.mode).unwrap_or_default(),
            },
            digest: row.digest,
            racy: row.racy,
        })
        .collect()
}

fn file_row(row: StatRow) -> FileRow {
    FileRow {
        path: row.path.into_string(),
        size: row.sig.size.cast_signed(),
        mtime: row.sig.mtime_ns,
        ctime: row.sig.ctime_ns,
        ino: row.sig.ino.cast_signed(),
        mode: i64::from(row.sig.mode),
        digest: row.digest,
        racy: row.racy,
    }
}
