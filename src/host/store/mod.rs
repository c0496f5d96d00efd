//! Owns the store: one SQLite file with tasks, memo, journal, runs, attempts, events, file signatures.
//! Does not know what is fresh; it only remembers. The only module that knows rusqlite.

mod error;
mod file_rows;
mod history;
mod journal;
mod kept;
mod ledger;
mod open;
mod open_attempts;
mod overrule;
mod schema;
mod transaction;

pub use error::StoreError;
pub use file_rows::{FileRow, ToolRow};
pub use history::{Orphan, Owner};
pub use journal::{Commit, Ending, Intent, NewAttempt, UndoSpec, WorldUpdate};
pub use kept::KeptRow;
pub use ledger::{AttemptRow, RunRow, RunStart};
pub use transaction::Durable;

use camino::Utf8PathBuf;
use rusqlite::Connection;

/// Name of the file under `.infra/`.
pub const FILE: &str = "state.db";

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
