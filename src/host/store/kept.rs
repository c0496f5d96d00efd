//! Owns the list of what all records say was made, for who looks after artifacts.
//! Does not know what the content-addressed store still holds.

use crate::host::store::{Store, StoreError};
use crate::model::record::{Artifact, Millis};

/// What one record says was made.
#[derive(Clone, Debug)]
pub struct KeptRow {
    pub task: String,
    pub env: String,
    pub run: i64,
    pub created: Millis,
    /// Whether it may be believed, as far as the record itself says.
    pub is_void: bool,
    pub artifacts: Vec<Artifact>,
}

impl Store {
    /// Every record that made something, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn kept(&self) -> Result<Vec<KeptRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT t.name, m.env, m.run, m.created, m.void IS NOT NULL, m.artifacts
                 FROM memo m JOIN task t ON t.id = m.task ORDER BY m.id DESC",
            )
            .map_err(self.fail("read"))?;
        let mut rows = statement.query([]).map_err(self.fail("read"))?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            let read = || -> rusqlite::Result<_> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get::<_, String>(5)?))
            };
            let (task, env, run, created, is_void, artifacts) = read().map_err(self.fail("read"))?;
            let artifacts = serde_json::from_str(&artifacts).map_err(|error| self.damaged("memo", &error))?;
            kept.push(KeptRow { task, env, run, created, is_void, artifacts });
        }
        Ok(kept)
    }
}
