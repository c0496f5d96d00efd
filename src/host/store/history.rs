//! Owns the reading of what the store remembers of tasks: histories, records, owners, orphans.
//! Does not know whether any of it may be believed.

use crate::host::store::{Store, StoreError};
use crate::model::digest::Digest;
use crate::model::effect::Effect;
use crate::model::name::{AttemptId, EnvName, RecordId, RunId, TaskKey};
use crate::model::record::{Attempt, History, LazyManifest, Phase, Record};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Who owns a subject on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub task: TaskKey,
    pub task_name: String,
    pub env: String,
}

/// A task on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    pub key: TaskKey,
    pub name: String,
    /// How it is undone, sealed.
    pub undo: Option<String>,
    /// When its last record was made.
    pub created: Option<i64>,
}

const RECORD: &str = "id, task, env, run, attempt, effect, format, fingerprint, manifest, artifacts,
    exports, built_on, created, seconds, void";
const ATTEMPT: &str = "id, task, env, run, effect, phase, began, started, ended, message, fingerprint";

impl Store {
    /// Ids of all tasks ever seen, by name.
    pub fn task_keys(&self) -> Result<HashMap<String, TaskKey>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT name, id FROM task").map_err(self.fail("read"))?;
        statement
            .query_map([], |row| Ok((row.get(0)?, TaskKey(row.get(1)?))))
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))
    }

    /// Histories of all tasks that have one in an environment.
    pub fn histories(&self, env: &EnvName) -> Result<HashMap<TaskKey, History>, StoreError> {
        self.histories_of(env, None)
    }

    /// History of one task in an environment.
    pub fn history(&self, task: TaskKey, env: &EnvName) -> Result<History, StoreError> {
        Ok(self.histories_of(env, Some(task))?.remove(&task).unwrap_or_default())
    }

    fn histories_of(&self, env: &EnvName, only: Option<TaskKey>) -> Result<HashMap<TaskKey, History>, StoreError> {
        let only = only.map(|key| key.0);
        let mut histories: HashMap<TaskKey, History> = HashMap::new();
        let sql = format!(
            "SELECT {RECORD} FROM memo WHERE id IN (SELECT max(id) FROM memo
             WHERE env = ?1 AND (?2 IS NULL OR task = ?2) GROUP BY task)"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(self.fail("read"))?;
        let mut rows = statement.query(params![env.as_str(), only]).map_err(self.fail("read"))?;
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            let record = self.record_of(row)?;
            let history = histories.entry(record.task).or_default();
            history.newest = Some(Arc::new(record));
        }
        let sql = format!(
            "SELECT {ATTEMPT} FROM attempt WHERE id IN (SELECT max(id) FROM attempt
             WHERE env = ?1 AND (?2 IS NULL OR task = ?2) GROUP BY task)"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(self.fail("read"))?;
        let mut rows = statement.query(params![env.as_str(), only]).map_err(self.fail("read"))?;
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            let attempt = self.attempt_of(row)?;
            let history = histories.entry(attempt.task).or_default();
            history.last = Some(attempt);
        }
        self.worlds(env, only, &mut histories)?;
        Ok(histories)
    }

    fn worlds(
        &self,
        env: &EnvName,
        only: Option<i64>,
        histories: &mut HashMap<TaskKey, History>,
    ) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT task, token, taint, changed_in, incarnations, began, rerun_allowed, seconds,
                        probe_ok, probe_at, probe_text FROM world WHERE env = ?1 AND (?2 IS NULL OR task = ?2)",
            )
            .map_err(self.fail("read"))?;
        let mut rows = statement.query(params![env.as_str(), only]).map_err(self.fail("read"))?;
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            let read = || -> rusqlite::Result<_> {
                let task = TaskKey(row.get(0)?);
                let token: Option<String> = row.get(1)?;
                let taint: Option<i64> = row.get(2)?;
                let probe_ok: Option<bool> = row.get(8)?;
                let probe = match probe_ok {
                    Some(ok) => Some((ok, row.get(9)?, row.get::<_, Option<String>>(10)?.unwrap_or_default())),
                    None => None,
                };
                Ok((
                    task,
                    effect_token(token, taint),
                    row.get::<_, Option<i64>>(3)?.map(RunId),
                    row.get::<_, String>(4)?,
                    row.get::<_, Option<i64>>(5)?.map(AttemptId),
                    row.get(6)?,
                    row.get(7)?,
                    probe,
                ))
            };
            let (task, token, changed_in, incarnations, began, rerun_allowed, typical_seconds, probe) =
                read().map_err(self.fail("read"))?;
            let history = histories.entry(task).or_default();
            history.asked = true;
            history.token = token;
            history.changed_in = changed_in;
            // "[]" is by far the commonest text; it needs no parser.
            if incarnations != "[]" {
                history.incarnations =
                    serde_json::from_str(&incarnations).map_err(|error| self.damaged("world", &error))?;
            }
            history.began = began;
            history.rerun_allowed = rerun_allowed;
            history.typical_seconds = typical_seconds;
            history.probe = probe;
        }
        Ok(())
    }

    /// The newest record, not void, of a pure task with a fingerprint, of any environment.
    pub fn record(&self, task: TaskKey, fingerprint: &Digest) -> Result<Option<Arc<Record>>, StoreError> {
        Ok(self.pure_records(task, Some(fingerprint), 1)?.pop())
    }

    /// Records, not void, of a pure task, of any environment, newest first.
    pub fn records(&self, task: TaskKey, limit: usize) -> Result<Vec<Arc<Record>>, StoreError> {
        self.pure_records(task, None, limit)
    }

    fn pure_records(
        &self,
        task: TaskKey,
        fingerprint: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        let of = if fingerprint.is_some() { "AND fingerprint = ?2" } else { "AND ?2 IS NULL" };
        let sql = format!(
            "SELECT {RECORD} FROM memo WHERE task = ?1 {of} AND void IS NULL
             AND effect = 'pure' ORDER BY id DESC LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(self.fail("read"))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let wanted = fingerprint.map(|fingerprint| fingerprint.0);
        let mut rows = statement.query(params![task.0, wanted, limit]).map_err(self.fail("read"))?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(self.fail("read"))? {
            records.push(Arc::new(self.record_of(row)?));
        }
        Ok(records)
    }

    /// Notes that a task's machine left in an environment.
    pub fn notes(&self, task: TaskKey, env: &EnvName) -> Result<BTreeMap<String, String>, StoreError> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT notes FROM world WHERE task = ?1 AND env = ?2", params![task.0, env.as_str()], |row| {
                row.get(0)
            })
            .optional()
            .map_err(self.fail("read"))?;
        match text {
            Some(text) => serde_json::from_str(&text).map_err(|error| self.damaged("world", &error)),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Value part of the token, and whether an undo began since the last start.
    pub fn token_and_undo(&self, task: TaskKey, env: &EnvName) -> Result<(Option<String>, bool), StoreError> {
        self.connection
            .query_row(
                "SELECT token, undo_began IS NOT NULL FROM world WHERE task = ?1 AND env = ?2",
                params![task.0, env.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(self.fail("read"))
    }

    /// How an attempt ended, or did not.
    pub fn phase(&self, attempt: AttemptId) -> Result<Option<Phase>, StoreError> {
        self.connection
            .query_row("SELECT phase FROM attempt WHERE id = ?1", [attempt.0], |row| row.get::<_, String>(0))
            .optional()
            .map(|word| word.and_then(|word| Phase::parse(&word)))
            .map_err(self.fail("read"))
    }

    /// Owner of a subject on record.
    pub fn owner(&self, subject: &str) -> Result<Option<Owner>, StoreError> {
        self.connection
            .query_row(
                "SELECT s.task, t.name, s.env FROM subject s JOIN task t ON t.id = s.task WHERE s.subject = ?1",
                [subject],
                |row| Ok(Owner { task: TaskKey(row.get(0)?), task_name: row.get(1)?, env: row.get(2)? }),
            )
            .optional()
            .map_err(self.fail("read"))
    }

    /// Tasks that began to change the world in an environment and were not undone since, by name. Of one
    /// that only made files or looked, nothing is left behind.
    pub fn on_record(&self, env: &EnvName) -> Result<Vec<Orphan>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT t.id, t.name, w.undo, max(m.created)
                 FROM world w JOIN task t ON t.id = w.task
                 LEFT JOIN memo m ON m.task = t.id AND m.env = ?1 AND m.void IS NULL
                 WHERE w.env = ?1 AND w.began IS NOT NULL
                 GROUP BY t.id ORDER BY t.name",
            )
            .map_err(self.fail("read"))?;
        statement
            .query_map([env.as_str()], |row| {
                Ok(Orphan { key: TaskKey(row.get(0)?), name: row.get(1)?, undo: row.get(2)?, created: row.get(3)? })
            })
            .and_then(Iterator::collect)
            .map_err(self.fail("read"))
    }

    fn record_of(&self, row: &Row<'_>) -> Result<Record, StoreError> {
        let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?.to_owned()));
        let read = || -> rusqlite::Result<_> {
            Ok(Record {
                id: RecordId(row.get(0)?),
                task: TaskKey(row.get(1)?),
                env: EnvName::new(text(2)?),
                run: RunId(row.get(3)?),
                attempt: AttemptId(row.get(4)?),
                effect: Effect::parse(&text(5)?).unwrap_or(Effect::Idempotent),
                format: row.get(6)?,
                fingerprint: Digest(row.get(7)?),
                manifest: Arc::new(LazyManifest::from_json(row.get(8)?)),
                artifacts: Vec::new(),
                exports: BTreeMap::new(),
                built_on: std::collections::BTreeSet::new(),
                created: row.get(12)?,
                seconds: row.get(13)?,
                void: None,
            })
        };
        let mut record = read().map_err(self.fail("read"))?;
        let texts =
            (|| -> rusqlite::Result<_> { Ok((text(9)?, text(10)?, text(11)?, row.get::<_, Option<String>>(14)?)) })()
                .map_err(self.fail("read"))?;
        let damaged = |error: serde_json::Error| self.damaged("memo", &error);
        if texts.0 != "[]" {
            record.artifacts = serde_json::from_str(&texts.0).map_err(damaged)?;
        }
        if texts.1 != "{}" {
            record.exports = serde_json::from_str(&texts.1).map_err(damaged)?;
        }
        if texts.2 != "[]" {
            record.built_on = serde_json::from_str(&texts.2).map_err(damaged)?;
        }
        if let Some(void) = texts.3 {
            record.void = Some(serde_json::from_str(&void).map_err(damaged)?);
        }
        Ok(record)
    }

    pub(super) fn attempt_of(&self, row: &Row<'_>) -> Result<Attempt, StoreError> {
        (|| -> rusqlite::Result<_> {
            Ok(Attempt {
                id: AttemptId(row.get(0)?),
                task: TaskKey(row.get(1)?),
                env: EnvName::new(row.get::<_, String>(2)?),
                run: RunId(row.get(3)?),
                effect: Effect::parse(&row.get::<_, String>(4)?).unwrap_or(Effect::Idempotent),
                phase: Phase::parse(&row.get::<_, String>(5)?).unwrap_or(Phase::Cut),
                began: row.get(6)?,
                started: row.get(7)?,
                ended: row.get(8)?,
                message: row.get(9)?,
                fingerprint: row.get::<_, Option<[u8; 32]>>(10)?.map(Digest),
            })
        })()
        .map_err(self.fail("read"))
    }
}

/// The whole token: the kind's value, and the last failed or cut attempt that began to change the world.
fn effect_token(value: Option<String>, taint: Option<i64>) -> Option<String> {
    match (value, taint) {
        (None, None) => None,
        (value, None) => value,
        (value, Some(attempt)) => Some(format!("{}~{attempt}", value.unwrap_or_default())),
    }
}
