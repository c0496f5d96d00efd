//! Owns the writing of attempts: intent before anything that changes the world, one commit point after.
//! Does not know when it is called (`engine/`).

use crate::host::store::{Durable, Store, StoreError};
use crate::model::digest::Digest;
use crate::model::effect::Effect;
use crate::model::manifest::FORMAT;
use crate::model::manifest::Manifest;
use crate::model::name::{AttemptId, EnvName, RecordId, RunId, TaskKey};
use crate::model::reason::Reason;
use crate::model::record::{Artifact, Export, Incarnation, Millis, Phase, Void};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// A new attempt.
#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    pub task: TaskKey,
    pub env: &'a EnvName,
    pub run: RunId,
    pub effect: Effect,
    pub started: Millis,
    pub fingerprint: Option<Digest>,
    pub reasons: &'a [Reason],
}

/// How a task is undone, sealed under the project's key: it may hold secrets.
pub type UndoSpec = String;

/// What becomes durable before the first step that can change the world.
#[derive(Clone, Debug)]
pub struct Intent<'a> {
    pub attempt: AttemptId,
    pub task: TaskKey,
    pub task_name: &'a str,
    pub env: &'a EnvName,
    /// Things that it owns from now on.
    pub subjects: &'a [String],
    pub undo: Option<&'a str>,
}

/// How a world row changes at an end.
#[derive(Clone, Debug, Default)]
pub struct WorldUpdate {
    /// Value part of the token; `None`: as before.
    pub token: Option<String>,
    pub incarnations: Option<BTreeSet<Incarnation>>,
    pub notes: BTreeMap<String, String>,
}

/// A successful end.
#[derive(Debug)]
pub struct Commit<'a> {
    pub attempt: AttemptId,
    pub task: TaskKey,
    pub env: &'a EnvName,
    pub run: RunId,
    pub effect: Effect,
    pub fingerprint: Digest,
    pub manifest: &'a Manifest,
    pub artifacts: &'a [Artifact],
    pub exports: &'a BTreeMap<String, Export>,
    pub built_on: &'a BTreeSet<Incarnation>,
    pub world: WorldUpdate,
    pub ended: Millis,
    pub seconds: f64,
    pub void: Option<Void>,
    pub durable: Durable,
    /// The taint as it was before this attempt's intent: put back, since the attempt succeeded.
    pub taint_before: Option<i64>,
}

/// An end that is no success.
#[derive(Debug)]
pub struct Ending<'a> {
    pub attempt: AttemptId,
    pub task: TaskKey,
    pub env: &'a EnvName,
    pub effect: Effect,
    pub phase: Phase,
    pub ended: Millis,
    pub message: &'a str,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub fingerprint: Option<Digest>,
    pub world: Option<WorldUpdate>,
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

impl Store {
    /// Gives every name an id; moves the ids of former names along.
    pub fn adopt_names(&mut self, names: &[(&str, &[String])]) -> Result<(), StoreError> {
        let known = self.task_keys()?;
        let missing: Vec<_> = names.iter().filter(|(name, _)| !known.contains_key(*name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.write(Durable::Now, |transaction| {
            let mut insert = transaction.prepare_cached("INSERT INTO task (name) VALUES (?1)")?;
            let mut rename = transaction.prepare_cached("UPDATE task SET name = ?1 WHERE id = ?2")?;
            for (name, was) in missing {
                match was.iter().find_map(|old| known.get(old)) {
                    Some(key) => rename.execute(params![name, key.0])?,
                    None => insert.execute([name])?,
                };
            }
            Ok(())
        })
    }

    /// Begins an attempt. Of one that has not come to its intent nothing has to outlive a power loss.
    pub fn begin(&mut self, new: &NewAttempt<'_>) -> Result<AttemptId, StoreError> {
        self.write(Durable::Later, |transaction| {
            let reasons = json(&new.reasons)?;
            transaction
                .prepare_cached(
                    "INSERT INTO attempt (task, env, run, effect, phase, started, fingerprint, reasons)
                     VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6, ?7)",
                )?
                .execute(params![
                    new.task.0,
                    new.env.as_str(),
                    new.run.0,
                    new.effect.word(),
                    new.started,
                    new.fingerprint.map(|digest| digest.0),
                    reasons
                ])?;
            Ok(AttemptId(transaction.last_insert_rowid()))
        })
    }

    /// Makes durable that a step which can change the world is about to start: voids every record on
    /// the subject, notes how to undo it. Gives the taint that stood before.
    pub fn intend(&mut self, intent: &Intent<'_>) -> Result<Option<i64>, StoreError> {
        self.write(Durable::Now, |transaction| {
            let (task, env, attempt) = (intent.task.0, intent.env.as_str(), intent.attempt.0);
            void(transaction, task, env, &Void::NewStart { attempt })?;
            for subject in intent.subjects {
                own(transaction, subject, task, intent.task_name, env)?;
            }
            let taint: Option<i64> = world_taint(transaction, task, env)?;
            transaction.execute(
                "INSERT INTO world (task, env, taint, began, undo) VALUES (?1, ?2, ?3, ?3, ?4)
                 ON CONFLICT (task, env) DO UPDATE SET taint = ?3, began = ?3, undo = ?4,
                    undo_began = NULL, rerun_allowed = 0",
                params![task, env, attempt, intent.undo],
            )?;
            transaction.execute("UPDATE attempt SET began = 1 WHERE id = ?1", [attempt])?;
            Ok(taint)
        })
    }

    /// Makes durable that the undo of a task is about to start: its records say nothing any more, and
    /// what needs it sees another token, even if what is made anew looks the same to its tool.
    pub fn intend_undo(
        &mut self,
        attempt: AttemptId,
        undo_task: &str,
        target: TaskKey,
        env: &EnvName,
    ) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            void(transaction, target.0, env.as_str(), &Void::Undone { task: undo_task.to_owned() })?;
            transaction.execute(
                "INSERT INTO world (task, env, undo_began, taint) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (task, env) DO UPDATE SET undo_began = ?3, taint = ?3",
                params![target.0, env.as_str(), attempt.0],
            )?;
            transaction.execute("UPDATE attempt SET began = 1 WHERE id = ?1", [attempt.0])?;
            Ok(())
        })
    }

    /// The undo of a task is complete: nothing of it is left. Of one that had begun the token is another
    /// now, also where it has no undo and only went with what it lived on.
    pub fn undone(
        &mut self,
        attempt: AttemptId,
        undo_task: &str,
        target: TaskKey,
        env: &EnvName,
    ) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| nothing_left(transaction, undo_task, target.0, env.as_str(), attempt.0))
    }

    /// The one commit point: artifacts, exports, token, incarnations, memo, attempt done.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<RecordId, StoreError> {
        self.write(commit.durable, |transaction| {
            let (task, env) = (commit.task.0, commit.env.as_str());
            let void = commit.void.as_ref().map(json).transpose()?;
            let manifest = serde_json::to_vec(commit.manifest)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            transaction
                .prepare_cached(
                    "INSERT INTO memo (task, env, run, attempt, effect, format, fingerprint, manifest, artifacts,
                        exports, built_on, created, seconds, void)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                )?
                .execute(params![
                    task,
                    env,
                    commit.run.0,
                    commit.attempt.0,
                    commit.effect.word(),
                    FORMAT,
                    commit.fingerprint.0,
                    manifest,
                    json(&commit.artifacts)?,
                    json(commit.exports)?,
                    json(commit.built_on)?,
                    commit.ended,
                    commit.seconds,
                    void
                ])?;
            let record = RecordId(transaction.last_insert_rowid());
            transaction
                .prepare_cached(
                    "INSERT INTO world (task, env, seconds, changed_in) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (task, env) DO UPDATE SET seconds = coalesce(seconds * 0.6 + ?3 * 0.4, ?3),
                        changed_in = ?4",
                )?
                .execute(params![task, env, commit.seconds, commit.run.0])?;
            if commit.effect.changes_world() {
                // A probe that did not find the thing says nothing of the one that was made since, even if
                // the clock was set back meanwhile.
                transaction.execute(
                    "UPDATE world SET taint = ?3, rerun_allowed = 0, probe_ok = nullif(probe_ok, 0)
                     WHERE task = ?1 AND env = ?2",
                    params![task, env, commit.taint_before],
                )?;
            }
            update_world(transaction, task, env, &commit.world)?;
            transaction
                .prepare_cached("UPDATE attempt SET phase = 'done', ended = ?2, exit_code = 0 WHERE id = ?1")?
                .execute(params![commit.attempt.0, commit.ended])?;
            Ok(record)
        })
    }

    /// An attempt of an undo task succeeded. It has no memo.
    pub fn finish(&mut self, attempt: AttemptId, ended: Millis) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            transaction
                .execute("UPDATE attempt SET phase = 'done', ended = ?2 WHERE id = ?1", params![attempt.0, ended])
                .map(drop)
        })
    }

    /// An end that is no success.
    pub fn end(&mut self, ending: &Ending<'_>) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            let (task, env) = (ending.task.0, ending.env.as_str());
            transaction.execute(
                "UPDATE attempt SET phase = ?2, ended = ?3, message = ?4, exit_code = ?5, signal = ?6
                 WHERE id = ?1",
                params![
                    ending.attempt.0,
                    ending.phase.word(),
                    ending.ended,
                    ending.message,
                    ending.exit_code,
                    ending.signal
                ],
            )?;
            let by = json(&Void::Failed { attempt: ending.attempt.0 })?;
            match ending.effect {
                Effect::Pure => {
                    if let Some(fingerprint) = ending.fingerprint {
                        transaction.execute(
                            "UPDATE memo SET void = ?3 WHERE task = ?1 AND fingerprint = ?2 AND void IS NULL",
                            params![task, fingerprint.0, by],
                        )?;
                    }
                }
                Effect::Read => {
                    transaction.execute(
                        "UPDATE memo SET void = ?3 WHERE task = ?1 AND env = ?2 AND void IS NULL",
                        params![task, env, by],
                    )?;
                }
                Effect::Idempotent | Effect::Once => {}
            }
            if let Some(world) = &ending.world {
                update_world(transaction, task, env, world)?;
            }
            Ok(())
        })
    }
}

pub(super) fn void(transaction: &Transaction<'_>, task: i64, env: &str, by: &Void) -> rusqlite::Result<()> {
    transaction
        .execute(
            "UPDATE memo SET void = ?3 WHERE task = ?1 AND env = ?2 AND void IS NULL",
            params![task, env, json(by)?],
        )
        .map(drop)
}

/// Makes a task the owner of a subject; what another task or environment has on record of it is void.
pub(super) fn own(
    transaction: &Transaction<'_>,
    subject: &str,
    task: i64,
    name: &str,
    env: &str,
) -> rusqlite::Result<()> {
    let other: Option<(i64, String)> = transaction
        .query_row("SELECT task, env FROM subject WHERE subject = ?1", [subject], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((other_task, other_env)) = other
        && (other_task, other_env.as_str()) != (task, env)
    {
        let by = if other_env == env { name.to_owned() } else { format!("{name} in {env}") };
        void(transaction, other_task, &other_env, &Void::Superseded { task: by })?;
    }
    transaction
        .execute("INSERT OR REPLACE INTO subject (subject, task, env) VALUES (?1, ?2, ?3)", params![subject, task, env])
        .map(drop)
}

/// Nothing is left in the world of what a task did. Of one that had begun the token gets this taint.
pub(super) fn nothing_left(
    transaction: &Transaction<'_>,
    by: &str,
    task: i64,
    env: &str,
    taint: i64,
) -> rusqlite::Result<()> {
    void(transaction, task, env, &Void::Undone { task: by.to_owned() })?;
    transaction.execute(
        "INSERT INTO world (task, env) VALUES (?1, ?2)
         ON CONFLICT (task, env) DO UPDATE SET taint = CASE WHEN began IS NULL THEN taint ELSE ?3 END,
            began = NULL, undo_began = NULL, undo = NULL, incarnations = '[]', notes = '{}',
            rerun_allowed = 0",
        params![task, env, taint],
    )?;
    transaction.execute("DELETE FROM subject WHERE task = ?1 AND env = ?2", params![task, env])?;
    Ok(())
}

fn world_taint(transaction: &Transaction<'_>, task: i64, env: &str) -> rusqlite::Result<Option<i64>> {
    transaction
        .query_row("SELECT taint FROM world WHERE task = ?1 AND env = ?2", params![task, env], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

fn update_world(transaction: &Transaction<'_>, task: i64, env: &str, update: &WorldUpdate) -> rusqlite::Result<()> {
    if let Some(token) = &update.token {
        transaction.execute("UPDATE world SET token = ?3 WHERE task = ?1 AND env = ?2", params![task, env, token])?;
    }
    if let Some(incarnations) = &update.incarnations {
        transaction.execute(
            "UPDATE world SET incarnations = ?3 WHERE task = ?1 AND env = ?2",
            params![task, env, json(incarnations)?],
        )?;
    }
    if !update.notes.is_empty() {
        transaction.execute(
            "UPDATE world SET notes = ?3 WHERE task = ?1 AND env = ?2",
            params![task, env, json(&update.notes)?],
        )?;
    }
    Ok(())
}
