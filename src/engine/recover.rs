//! Owns what is done about attempts that a dead run left open. Nothing is guessed: they were cut.
//! Does not know what a verdict makes of that.

use crate::host::Host;
use crate::host::store::StoreError;
use crate::model::effect::Effect;
use crate::model::facts::Facts;
use crate::model::name::EnvName;
use crate::model::record::Attempt;

/// Marks open attempts as cut; the environment's lock is held, so no run of it lives. Gives one line
/// for each, about what it means.
///
/// # Errors
/// When the store can't be written.
pub fn recover(host: &Host, env: &EnvName) -> Result<Vec<String>, StoreError> {
    let mut said: Vec<String> = host
        .put_back_left_aside()
        .into_iter()
        .map(|why| format!("an output that a dead run had moved aside could not be put back: {why}"))
        .collect();
    let cut = host.store.borrow_mut().cut_open(env, host.now())?;
    if cut.is_empty() {
        return Ok(said);
    }
    let names = host.store.borrow().task_keys()?;
    let name_of = |attempt: &Attempt| {
        names.iter().find(|(_, key)| **key == attempt.task).map_or_else(String::new, |(name, _)| name.clone())
    };
    said.extend(cut.iter().map(|attempt| {
        let name = name_of(attempt);
        let means = match (attempt.effect, attempt.began) {
            (_, false) => "it had changed nothing; it runs again if it is wanted",
            (Effect::Once, true) => "its end is not known: `infra resolve` it first",
            (_, true) => "it may have changed the world; it runs again, which is safe",
        };
        format!("run {} was cut short while `{name}` (attempt {}) ran: {means}", attempt.run, attempt.id)
    }));
    Ok(said)
}
