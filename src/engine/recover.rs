//! Owns what is done about attempts that a dead run left open. Nothing is guessed: they were cut.
//! Does not know what a verdict makes of that.

use crate::engine::job::attempt_folder;
use crate::host::Host;
use crate::host::store::StoreError;
use crate::model::effect::Effect;
use crate::model::facts::Facts;
use crate::model::name::EnvName;
use crate::model::record::{Attempt, Phase};

/// Marks open attempts as cut; the environment's lock is held, so no run of it lives. Gives one line
/// for each, about what it means.
///
/// # Errors
/// When the store can't be written.
pub fn recover(host: &Host, env: &EnvName) -> Result<Vec<String>, StoreError> {
    let cut = host.store.borrow_mut().cut_open(env, host.now())?;
    let mut said = put_back(host)?;
    if cut.is_empty() {
        return Ok(said);
    }
    let names = host.store.borrow().task_keys()?;
    for attempt in &cut {
        let name = names.iter().find(|(_, key)| **key == attempt.task).map_or("", |(name, _)| name.as_str());
        // What it wrote for its tool, or the tool for us, may hold secrets in the clear.
        host.remove_private_dir(&attempt_folder(host, attempt.run, name, attempt.id).join("tmp"));
        said.push(line(attempt, name));
    }
    Ok(said)
}

/// Outputs that dead runs had moved aside go back, unless their attempt came to its commit. Attempts that
/// are open now are those of a living run of another environment: theirs are left alone.
fn put_back(host: &Host) -> Result<Vec<String>, StoreError> {
    let mut said = Vec::new();
    for attempt in host.left_aside() {
        let phase = host.store.borrow().phase(attempt)?;
        if phase == Some(Phase::Open) {
            continue;
        }
        let troubles = host.end_left_aside(attempt, phase == Some(Phase::Done));
        said.extend(
            troubles
                .into_iter()
                .map(|why| format!("an output that a dead run had moved aside could not be put back: {why}")),
        );
    }
    Ok(said)
}

/// Lets a reading command see what the next run of an environment finds when it has recovered. No run of
/// it may live.
///
/// # Errors
/// When the store can't be read.
pub fn foresee(host: &Host, env: &EnvName) -> Result<(), StoreError> {
    let left = host.left_aside();
    if left.is_empty() {
        return Ok(());
    }
    let store = host.store.borrow();
    let cut: Vec<_> = store.open_attempts(env)?.into_iter().map(|attempt| attempt.id).collect();
    for attempt in left {
        let goes_back = match store.phase(attempt)? {
            Some(Phase::Open) => cut.contains(&attempt),
            phase => phase != Some(Phase::Done),
        };
        if goes_back {
            host.see_left_aside(attempt);
        }
    }
    Ok(())
}

fn line(attempt: &Attempt, name: &str) -> String {
    let means = match (attempt.effect, attempt.began) {
        (_, false) => "it had changed nothing; it runs again if it is wanted",
        (Effect::Once, true) => "its end is not known: `infra resolve` it first",
        (_, true) => "it may have changed the world; it runs again, which is safe",
    };
    format!("run {} was cut short while `{name}` (attempt {}) ran: {means}", attempt.run, attempt.id)
}
