//! Owns the choice of the record that a task is held against: the one that may be believed, by effect.
//! Does not know what else speaks against it (`verdict`).

use crate::model::digest::Digest;
use crate::model::effect::Effect;
use crate::model::facts::{FactError, Facts};
use crate::model::manifest::FORMAT;
use crate::model::record::Record;
use crate::model::task::Task;
use crate::plan::board::Board;
use crate::plan::compare::compare;
use crate::plan::fingerprint::Walk;
use std::sync::Arc;

/// How far back an old record of a pure task is looked for, while its fingerprint is not known.
const LOOK_BACK: usize = 64;

/// The record that may be believed; without one the newest, to explain by. `fingerprint` is that of a whole
/// manifest.
///
/// # Errors
/// When the store can't be asked.
pub fn candidate(
    board: &Board<'_>,
    facts: &dyn Facts,
    task: &Task,
    now: &Walk,
    fingerprint: Option<&Digest>,
) -> Result<Option<Arc<Record>>, FactError> {
    let newest = board.history(task.id).newest.clone();
    if task.effect != Effect::Pure {
        return Ok(newest);
    }
    let agrees = |record: &Record| match fingerprint {
        Some(fingerprint) => record.fingerprint == *fingerprint,
        // Upstream may yet make what one of its records was built on: no reason of its own to run.
        None => record.format == FORMAT && compare(board, record.manifest.get(), now).is_empty(),
    };
    if newest.as_ref().is_some_and(|record| record.void.is_none() && agrees(record)) {
        return Ok(newest);
    }
    let key = board.key(task.id);
    let older = match fingerprint {
        Some(fingerprint) => facts.record(key, fingerprint)?,
        None => facts.records(key, LOOK_BACK)?.into_iter().find(|record| agrees(record)),
    };
    Ok(older.or(newest))
}
