//! Owns what overrules records from outside of an attempt: a probe's answer, a person's word.
//! Does not know when either is asked for.

use crate::host::store::journal::{nothing_left, own, void};
use crate::host::store::{Durable, Store, StoreError};
use crate::kind::machine::ACCEPTED;
use crate::model::name::{EnvName, TaskKey};
use crate::model::record::{Millis, Phase, Void};
use rusqlite::{Transaction, params};

impl Store {
    /// Remembers a probe's answer.
    pub fn put_probe(
        &mut self,
        task: TaskKey,
        env: &EnvName,
        agrees: bool,
        at: Millis,
        text: &str,
    ) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            transaction
                .execute(
                    "INSERT INTO world (task, env, probe_ok, probe_at, probe_text) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (task, env) DO UPDATE SET probe_ok = ?3, probe_at = ?4, probe_text = ?5",
                    params![task.0, env.as_str(), agrees, at, text],
                )
                .map(drop)
        })
    }

    /// A person says how an attempt whose end is not known ended.
    pub fn resolve(
        &mut self,
        task: TaskKey,
        env: &EnvName,
        phase: Phase,
        rerun: bool,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            transaction.execute(
                "UPDATE attempt SET phase = ?3, message = ?4
                 WHERE id = (SELECT max(id) FROM attempt WHERE task = ?1 AND env = ?2)",
                params![task.0, env.as_str(), phase.word(), reason],
            )?;
            transaction.execute(
                "UPDATE world SET rerun_allowed = ?3, began = CASE WHEN ?4 THEN NULL ELSE began END
                 WHERE task = ?1 AND env = ?2",
                params![task.0, env.as_str(), rerun, phase == Phase::Failed],
            )?;
            if phase == Phase::Failed {
                // What it recorded, if it did, is not so: else an edit and back would make it look done.
                let last: i64 = transaction.query_row(
                    "SELECT max(id) FROM attempt WHERE task = ?1 AND env = ?2",
                    params![task.0, env.as_str()],
                    |row| row.get(0),
                )?;
                void(transaction, task.0, env.as_str(), &Void::Failed { attempt: last })?;
            }
            Ok(())
        })
    }

    /// Forgets what is known of a subject, so that the next run takes it as it finds it.
    pub fn accept_state(
        &mut self,
        task: TaskKey,
        task_name: &str,
        env: &EnvName,
        subject: Option<&str>,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            remark(transaction, task, env, &format!("accepted: {reason}"))?;
            transaction.execute(
                "INSERT INTO world (task, env, notes) VALUES (?1, ?2, json_object(?3, 'yes'))
                 ON CONFLICT (task, env) DO UPDATE SET notes = json_object(?3, 'yes')",
                params![task.0, env.as_str(), ACCEPTED],
            )?;
            if let Some(subject) = subject {
                own(transaction, subject, task.0, task_name, env.as_str())?;
            }
            void(transaction, task.0, env.as_str(), &Void::Resolved)
        })
    }

    /// A person says that nothing is left of what a task did.
    pub fn undone_by_hand(&mut self, task: TaskKey, env: &EnvName, reason: &str) -> Result<(), StoreError> {
        self.write(Durable::Now, |transaction| {
            remark(transaction, task, env, &format!("gone: {reason}"))?;
            // No attempt has a number below zero: to those that need it, it is another than it ever was.
            let taint: i64 = transaction.query_row(
                "SELECT -coalesce(max(id), 0) FROM attempt WHERE task = ?1 AND env = ?2",
                params![task.0, env.as_str()],
                |row| row.get(0),
            )?;
            nothing_left(transaction, BY_HAND, task.0, env.as_str(), taint)?;
            transaction
                .execute(
                    "UPDATE attempt SET phase = ?3 WHERE task = ?1 AND env = ?2 AND phase = ?4",
                    params![task.0, env.as_str(), Phase::Resolved.word(), Phase::Cut.word()],
                )
                .map(drop)
        })
    }
}

/// What undid a task of which a person said so; no task can have this name.
const BY_HAND: &str = "infra resolve";

/// Adds to what the history says of the last attempt.
fn remark(transaction: &Transaction<'_>, task: TaskKey, env: &EnvName, text: &str) -> rusqlite::Result<()> {
    transaction
        .execute(
            "UPDATE attempt SET message = coalesce(message || '; ', '') || ?3
             WHERE id = (SELECT max(id) FROM attempt WHERE task = ?1 AND env = ?2)",
            params![task.0, env.as_str(), text],
        )
        .map(drop)
}
