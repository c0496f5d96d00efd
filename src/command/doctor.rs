//! Owns `infra doctor`: everything that a run will need, looked at before it is needed.
//! Does not know how each thing is looked at: one file an area.

mod credentials;
mod machine;
mod state;
mod tools;

use crate::command::context::{Context, Opened};
use crate::command::exit::{CommandError, Exit};
use crate::host::secret::Vault;
use crate::host::store::Store;
use crate::host::world::{STATE_DIR, SecretCommands};
use crate::manifest::Loaded;
use crate::model::diagnostic::Severity;
use crate::report::text::count;
use crate::report::view::{Area, DoctorView, FindingView, Mark};
use crate::report::{doctor as picture, json};
use camino::{Utf8Path, Utf8PathBuf};

/// Looks at everything; writes nothing, runs no secret's command.
///
/// # Errors
/// When there is no project.
pub fn doctor(context: &Context) -> Result<u8, CommandError> {
    let root = context.root()?;
    let loaded = context.load(&root).loaded;
    let files: Vec<Utf8PathBuf> = loaded.sources.keys().cloned().collect();
    let mut findings = vec![declaration(context, &loaded)];
    let env = loaded.project.as_ref().map(|project| project.env.name.to_string());
    let extent = if loaded.project.is_some() { Extent::Whole } else { Extent::InPart };
    let mut inputs = Vec::new();
    let mut last = None;
    let mut about_state = state::kept(context, &root);
    if let Some(lost) = state::lost(&root) {
        add(&mut about_state, lost);
    }
    if let Some(project) = loaded.project.or(loaded.partial) {
        let store = store(&root, &mut about_state)?;
        last = store.runs(None, 1)?.first().map(|run| run.ended.unwrap_or(run.started));
        inputs = store.files()?.into_iter().map(|row| row.path.into()).collect();
        let vault = vault(&root, &mut about_state);
        let opened = context.opened(root.clone(), project, store, vault, SecretCommands::NotRun)?;
        findings.extend(tools::tools(&opened, extent));
        findings.extend(credentials::secrets(&opened, extent));
        findings.extend(credentials::passed(&opened));
        about_state.extend(state::held(&opened));
    }
    findings.extend(about_state);
    findings.extend(machine::disk(&root));
    findings.extend(machine::clock(context, &root, files.into_iter().chain(inputs), last));
    findings.extend(machine::terminal(context));
    let view = DoctorView::of(env, findings);
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::doctor(&view, &context.choice.stdout));
    }
    Ok(if view.problems > 0 { Exit::TaskFailed as u8 } else { 0 })
}

/// How much of the declaration is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    /// What mistakes left of it.
    InPart,
}

impl Extent {
    /// That nobody does something with a thing.
    fn nobody(self, does: &str) -> String {
        match self {
            Self::Whole => format!("{does} by no task here"),
            Self::InPart => format!("{does} by no task that could be looked at"),
        }
    }
}

fn declaration(context: &Context, loaded: &Loaded) -> FindingView {
    const NAME: &str = "declaration";
    let mut check = "`infra check".to_owned();
    for (flag, word) in context.global.env.iter().map(|env| ("-e", env.clone())).chain(set(context)) {
        check.extend([" ", flag, " ", &word]);
    }
    check.push_str("` tells them");
    match &loaded.project {
        None => {
            let wrong: Vec<_> = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error).collect();
            let first = wrong.first().map_or("", |one| one.message.as_str());
            let which = if wrong.len() > 1 { ", the first" } else { "" };
            let found = format!("{}{which}: {first}", count(wrong.len(), "mistake"));
            let chosen = loaded.partial.as_ref().map(|project| project.env.name.as_str());
            let found = match (chosen, &context.global.env) {
                (Some(chosen), Some(asked)) if chosen != asked => format!("{found}; what follows is of `{chosen}`"),
                _ => found,
            };
            FindingView::problem(Area::Project, NAME, found, check)
        }
        Some(project) => {
            let found = format!("{} in {}", count(project.tasks.len(), "task"), project.env.name);
            match loaded.diagnostics.len() {
                0 => FindingView::ok(Area::Project, NAME, found),
                said => {
                    let found = format!("{found}, {}", count(said, "warning"));
                    FindingView::warning(Area::Project, NAME, found, check)
                }
            }
        }
    }
}

/// What `--set` says, without the values.
fn set(context: &Context) -> impl Iterator<Item = (&'static str, String)> {
    context.global.set.iter().map(|one| ("--set", format!("{}=…", one.name)))
}

/// The store, or an empty one where it can't be read: the rest is still to be looked at.
fn store(root: &Utf8Path, findings: &mut Vec<FindingView>) -> Result<Store, CommandError> {
    let state = root.join(STATE_DIR);
    if state::is_in_the_way(&state) {
        return Ok(Store::without_file(&state)?);
    }
    match Store::open_to_read(&state) {
        Ok(store) => Ok(store),
        Err(error) => {
            add(findings, FindingView::problem(Area::State, "state.db", error.to_string(), error.hint()));
            Ok(Store::without_file(&state)?)
        }
    }
}

fn vault(root: &Utf8Path, findings: &mut Vec<FindingView>) -> Option<Vault> {
    let state = root.join(STATE_DIR);
    if state::is_in_the_way(&state) {
        return None;
    }
    Vault::load(&state).unwrap_or_else(|error| {
        add(findings, FindingView::problem(Area::State, "key", error.to_string(), state::NO_KEY));
        None
    })
}

/// Instead of what was said of it before: that its mode is right, or wrong, which is why.
fn add(findings: &mut Vec<FindingView>, finding: FindingView) {
    let known = findings.iter_mut().find(|one| one.name == finding.name);
    match known {
        Some(known) if known.verdict == Mark::Problem => {}
        Some(known) => *known = finding,
        None => findings.push(finding),
    }
}

/// Names of tasks, the first ones.
fn users(opened: &Opened, ids: &[crate::model::name::TaskId]) -> String {
    const NAMED: usize = 3;
    let names: Vec<&str> = ids.iter().map(|id| opened.project.task(*id).name.as_str()).collect();
    crate::report::text::names(&names, NAMED)
}
