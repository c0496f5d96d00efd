//! Owns `infra check`: every mistake of every file, in one go.
//! Does not know how mistakes are found (`manifest/`).

use crate::command::context::Context;
use crate::command::exit::{CommandError, Exit};
use crate::model::diagnostic::Severity;

/// Checks.
///
/// # Errors
/// When there is no project.
pub fn check(context: &Context) -> Result<u8, CommandError> {
    let root = context.root()?;
    let loaded = context.load(&root);
    let sources = loaded.sources();
    let found = &loaded.loaded.diagnostics;
    context.show(found, &sources);
    if found.is_empty() && !context.global.json {
        let tasks = loaded.loaded.project.as_ref().map_or(0, |project| project.tasks.len());
        context.note(&format!("no mistakes in {}", crate::report::text::count(tasks, "task")));
    }
    let wrong = found.iter().any(|one| one.severity == Severity::Error);
    Ok(if wrong { Exit::Usage as u8 } else { 0 })
}
