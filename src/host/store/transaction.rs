//! Owns transactions and when they reach the disk.
//! Does not know what is written.

use crate::host::store::{Store, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// When a commit must have reached the disk. A crash of the program loses neither; a loss of power may lose
/// the last ones that are `Later`, always the newest first: the log is written in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Before the call returns, and with it all that was committed before.
    Now,
    /// With the next one that is durable now.
    Later,
}

impl Durable {
    /// As SQLite calls it. In a measured power loss WAL with NORMAL lost acknowledged commits, with FULL
    /// none.
    fn pragma(self) -> &'static str {
        match self {
            Self::Now => "FULL",
            Self::Later => "NORMAL",
        }
    }
}

/// Sets what the next commits of a connection are.
pub(super) fn set(connection: &Connection, durable: Durable) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", durable.pragma())
}

impl Store {
    /// One transaction, which others see whole or not at all.
    pub(super) fn write<T>(
        &mut self,
        durable: Durable,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let fail = self.fail("write");
        let connection = &mut self.connection;
        let run = move || {
            if durable == Durable::Later {
                set(connection, durable)?;
            }
            let result = (|| {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let result = work(&transaction)?;
                transaction.commit()?;
                Ok(result)
            })();
            if durable == Durable::Later {
                set(connection, Durable::Now)?;
            }
            result
        };
        run().map_err(fail)
    }
}
