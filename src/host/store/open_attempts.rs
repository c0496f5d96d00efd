//! Owns attempts that are open: those of a living run, and those that a dead one left.
//! Does not know whether a run lives.

use crate::host::store::{Durable, Store, StoreError};
use crate::model::name::EnvName;
use crate::model::record::{Attempt, Millis};
use rusqlite::params;

impl Store {
    /// Attempts that are still open in an environment although no run lives: they were cut.
    pub fn cut_open(&mut self, env: &EnvName, now: Millis) -> Result<Vec<Attempt>, StoreError> {
        let open = self.open_attempts(env)?;
        if open.is_empty() {
            return Ok(open);
        }
        self.write(Durable::Now, |transaction| {
            for attempt in &open {
                transaction.execute(
                    "UPDATE attempt SET phase = 'cut', ended = ?2 WHERE id = ?1",
                    params![attempt.id.0, now],
                )?;
            }
            transaction.execute(
                "UPDATE run SET ended = ?2, exit = 130 WHERE env = ?1 AND ended IS NULL
                 AND id IN (SELECT run FROM attempt WHERE phase = 'cut')",
                params![env.as_str(), now],
            )?;
            Ok(())
        })?;
        Ok(open)
    }

    /// Attempts that are open in an environment.
    pub fn open_attempts(&self, env: &EnvName) -> Result<Vec<Attempt>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, task, env, run, effect, phase, began, started, ended, message, fingerprint
                 FROM attempt WHERE phase = 'open' AND env = ?1",
            )
            .map_err(self.fail("read"))?;
        let mut rows = statement.query([env.as_str()]).map_err(self.fail("read"))?;
        let mut open = Vec::new();
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            open.push(self.attempt_of(row)?);
        }
        Ok(open)
    }
}
