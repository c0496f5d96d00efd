//! Owns the ledger: runs, attempts and events, for people who look back.
//! Does not know what they mean for freshness.

use crate::host::store::{Durable, Store, StoreError};
use crate::model::name::{EnvName, RunId, TaskKey};
use crate::model::record::Millis;
use rusqlite::{OptionalExtension, params};

/// A run that begins.
#[derive(Clone, Debug)]
pub struct RunStart<'a> {
    pub env: &'a EnvName,
    pub targets: &'a [String],
    /// What `--resume` needs to do the same again, as JSON.
    pub options: &'a str,
    /// `run` or `destroy`.
    pub command: &'a str,
    pub pid: u32,
    pub started: Millis,
}

/// A run on record.
#[derive(Clone, Debug)]
pub struct RunRow {
    pub id: RunId,
    pub env: String,
    pub targets: Vec<String>,
    pub options: String,
    pub command: String,
    pub started: Millis,
    pub ended: Option<Millis>,
    pub exit: Option<i64>,
    /// Outcome → how many, as JSON.
    pub counts: Option<String>,
}

/// An attempt on record.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    pub id: i64,
    pub run: i64,
    pub task: String,
    pub env: String,
    pub effect: String,
    pub phase: String,
    pub began: bool,
    pub started: Millis,
    pub ended: Option<Millis>,
    pub exit_code: Option<i64>,
    pub signal: Option<i64>,
    pub message: Option<String>,
    pub log: Option<String>,
    pub reasons: String,
}

impl Store {
    /// Begins a run.
    pub fn begin_run(&mut self, start: &RunStart<'_>) -> Result<RunId, StoreError> {
        let targets = serde_json::to_string(start.targets).unwrap_or_else(|_| "[]".to_owned());
        self.write(Durable::Later, |transaction| {
            transaction.execute(
                "INSERT INTO run (env, targets, options, command, pid, started) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![start.env.as_str(), targets, start.options, start.command, start.pid, start.started],
            )?;
            Ok(RunId(transaction.last_insert_rowid()))
        })
    }

    /// Ends a run. With it everything that the run recorded is durable.
    pub fn end_run(&mut self, run: RunId, ended: Millis, exit: u8, counts: &str) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            transaction
                .execute(
                    "UPDATE run SET ended = ?2, exit = ?3, counts = ?4 WHERE id = ?1",
                    params![run.0, ended, exit, counts],
                )
                .map(drop)
        })
    }

    /// Keeps a run's events, in order.
    pub fn put_events(&mut self, run: RunId, events: &[String]) -> Result<(), StoreError> {
        self.write(Durable::Later, |transaction| {
            let mut insert = transaction.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3)")?;
            for (seq, event) in events.iter().enumerate() {
                insert.execute(params![run.0, i64::try_from(seq).unwrap_or(i64::MAX), event])?;
            }
            Ok(())
        })
    }

    /// Where an attempt's log is, relative to the root.
    pub fn put_log(&mut self, attempt: i64, log: &str) -> Result<(), StoreError> {
        self.write(Durable::Later, |transaction| {
            transaction
                .prepare_cached("UPDATE attempt SET log = ?2 WHERE id = ?1")?
                .execute(params![attempt, log])
                .map(drop)
        })
    }

    /// The last runs of an environment (or of all), newest first.
    pub fn runs(&self, env: Option<&EnvName>, limit: usize) -> Result<Vec<RunRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, env, targets, options, command, started, ended, exit, counts FROM run
                 WHERE ?1 IS NULL OR env = ?1 ORDER BY id DESC LIMIT ?2",
            )
            .map_err(self.fail("read"))?;
        statement
            .query_map(params![env.map(EnvName::as_str), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(RunRow {
                    id: RunId(row.get(0)?),
                    env: row.get(1)?,
                    targets: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                    options: row.get(3)?,
                    command: row.get(4)?,
                    started: row.get(5)?,
                    ended: row.get(6)?,
                    exit: row.get(7)?,
                    counts: row.get(8)?,
                })
            })
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))
    }

    /// Attempts, newest first: of one task (by id), of one run, or all.
    pub fn attempts(
        &self,
        env: Option<&EnvName>,
        task: Option<TaskKey>,
        run: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT a.id, a.run, t.name, a.env, a.effect, a.phase, a.began, a.started, a.ended, a.exit_code,
                        a.signal, a.message, a.log, a.reasons
                 FROM attempt a JOIN task t ON t.id = a.task
                 WHERE (?1 IS NULL OR a.env = ?1) AND (?2 IS NULL OR a.task = ?2) AND (?3 IS NULL OR a.run = ?3)
                 ORDER BY a.id DESC LIMIT ?4",
            )
            .map_err(self.fail("read"))?;
        statement
            .query_map(
                params![
                    env.map(EnvName::as_str),
                    task.map(|key| key.0),
                    run.map(|run| run.0),
                    i64::try_from(limit).unwrap_or(i64::MAX)
                ],
                |row| {
                    Ok(AttemptRow {
                        id: row.get(0)?,
                        run: row.get(1)?,
                        task: row.get(2)?,
                        env: row.get(3)?,
                        effect: row.get(4)?,
                        phase: row.get(5)?,
                        began: row.get(6)?,
                        started: row.get(7)?,
                        ended: row.get(8)?,
                        exit_code: row.get(9)?,
                        signal: row.get(10)?,
                        message: row.get(11)?,
                        log: row.get(12)?,
                        reasons: row.get(13)?,
                    })
                },
            )
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))
    }

    /// Events of a run, in order, as JSON.
    pub fn events(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT json FROM event WHERE run = ?1 ORDER BY seq")
            .map_err(self.fail("read"))?;
        statement.query_map([run.0], |row| row.get(0)).and_then(Iterator::collect).map_err(self.fail("read"))
    }

    /// Whether a run is open: begun, and neither ended nor cut.
    pub fn last_run(&self, env: &EnvName) -> Result<Option<RunRow>, StoreError> {
        Ok(self.runs(Some(env), 1)?.into_iter().next())
    }

    /// A task's id by name.
    pub fn task_key(&self, name: &str) -> Result<Option<TaskKey>, StoreError> {
        self.connection
            .query_row("SELECT id FROM task WHERE name = ?1", [name], |row| row.get(0).map(TaskKey))
            .optional()
            .map_err(self.fail("read"))
    }
}
