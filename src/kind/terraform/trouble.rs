//! Owns the words for what goes wrong with terraform: its own diagnostics, guards, hints.
//! Does not know at which point of an attempt it happened.

use super::command::Commands;
use super::diagnostic::{Diagnostic, told};
use super::state::Wrong;
use crate::kind::machine::{StepEnd, Trouble, TroubleKind};
use crate::kind::run::ended_badly;

/// This many diagnostics are in a message; the log has all.
const SHOWN: usize = 3;

/// What a failed command says, as one message with a hint where one is known.
pub fn failed(commands: &Commands, command: &str, end: &StepEnd, streamed: &[Diagnostic]) -> Trouble {
    let bin = commands.bin();
    let errors = if streamed.is_empty() { told(&end.tail) } else { streamed.to_vec() };
    if let Some(lock) = errors.iter().find(|error| error.summary.contains("acquiring the state lock")) {
        return locked(commands, lock);
    }
    let mut shown: Vec<String> = errors.iter().take(SHOWN).map(|error| error.short(&commands.base)).collect();
    if shown.is_empty() {
        shown.push(ended_badly(end));
    } else if errors.len() > SHOWN {
        shown.push(format!("and {} more", errors.len() - SHOWN));
    }
    Trouble {
        message: format!("`{bin} {command}` failed: {}", shown.join("; ")),
        hint: hint(commands, &errors, end),
        ..Trouble::default()
    }
}

/// Whether a command failed only because the module is not initialised (any more).
pub fn needs_init(end: &StepEnd, streamed: &[Diagnostic]) -> bool {
    let said = |text: &str| {
        text.contains("terraform init")
            || text.contains("tofu init")
            || text.contains("nitialization required")
            || text.contains("Module not installed")
            || text.contains("Inconsistent dependency lock file")
            || text.contains("Required plugins are not installed")
    };
    let streamed = streamed.iter().any(|error| said(&error.summary) || said(&error.detail));
    streamed || said(&end.stdout) || end.tail.iter().any(|line| said(line))
}

/// `1 resource`, `2 resources`.
pub fn resources(count: u64) -> String {
    format!("{count} resource{}", if count == 1 { "" } else { "s" })
}

/// A guard's refusal.
pub fn refused(commands: &Commands, wrong: &Wrong) -> Trouble {
    let bin = commands.bin();
    let dir = &commands.base.dir;
    let accept = format!("`infra resolve {} --accept-state`", commands.task);
    let (message, hint) = match wrong {
        Wrong::Foreign(owner) => (
            format!("the state of `{dir}` is on record for `{owner}`"),
            format!(
                "give each environment a state of its own, such as `workspace = \"{{{{ env.name }}}}\"`; {accept} hands this \
                 one over"
            ),
        ),
        Wrong::Emptied(had) => (
            format!("the state of `{dir}` is empty or missing, but held {}", resources(*had)),
            format!(
                "put the newest copy back (`{bin} state push`; those of before each apply are in `{}`), or say with \
                 {accept} that the things are gone",
                commands.snapshots
            ),
        ),
        Wrong::Replaced(then, now) => (
            format!("the state of `{dir}` is another one: its lineage was `{then}` and is `{now}`"),
            format!("if the backend was moved on purpose, say so with {accept}; else put the former state back"),
        ),
        Wrong::Older(then, now) => (
            format!("the state of `{dir}` went back: its serial was {then} and is {now}"),
            format!("an old copy was put in its place; put the newest one back, or accept this one with {accept}"),
        ),
        Wrong::Unwritten => (
            format!("`{dir}/errored.tfstate` holds a state that was never written to its backend"),
            format!("in `{dir}`: `{}`, then remove the file", by_hand(commands, "state push errored.tfstate")),
        ),
    };
    Trouble { message, hint: Some(hint), kind: TroubleKind::Refused, ..Trouble::default() }
}

/// A lock that did not become free: who holds it, since when.
fn locked(commands: &Commands, error: &Diagnostic) -> Trouble {
    let field = |name: &str| {
        let lines = error.detail.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix(name)).map(str::trim).find(|value| !value.is_empty())
    };
    let who = field("Who:").unwrap_or("someone");
    let since = field("Created:").map(|time| format!(" since {}", time.split('.').next().unwrap_or(time)));
    let what = field("Operation:").map(|word| word.trim_start_matches("OperationType").to_lowercase());
    let what = what.filter(|word| !word.is_empty()).map(|word| format!(" ({word})"));
    let message = format!(
        "the state of `{}` is locked by `{who}`{}{}",
        commands.base.dir,
        since.unwrap_or_default(),
        what.unwrap_or_default()
    );
    let hint = field("ID:").map_or_else(
        || "wait until the other one ends, then run again".to_owned(),
        |id| {
            format!(
                "wait until the other one ends; if it is surely dead: in `{}`, `{}`",
                commands.base.dir,
                by_hand(commands, &format!("force-unlock {id}"))
            )
        },
    );
    Trouble { message, hint: Some(hint), ..Trouble::default() }
}

/// A command for a person, on the same backend and workspace.
fn by_hand(commands: &Commands, command: &str) -> String {
    format!("TF_DATA_DIR={} {} {command}", commands.data, commands.bin())
}

fn hint(commands: &Commands, errors: &[Diagnostic], end: &StepEnd) -> Option<String> {
    let said = |text: &str| errors.iter().any(|error| error.summary.contains(text) || error.detail.contains(text));
    if end.files.contains_key(&commands.unwritten()) || said("errored.tfstate") {
        let push = by_hand(commands, "state push errored.tfstate");
        return Some(format!(
            "the backend did not take the new state; it lies in `{0}/errored.tfstate`. In `{0}`: `{push}`, then remove it",
            commands.base.dir
        ));
    }
    if said("Saved plan is stale") {
        return Some("something else changed the state after the plan was made; run again".to_owned());
    }
    if said("No value for required variable") {
        return Some("give it under `vars` or in one of `var_files`".to_owned());
    }
    if said("Currently selected workspace") {
        return Some(format!("the backend has no such workspace any more; remove `{}` to start anew", commands.data));
    }
    if said("Failed to query available provider packages") {
        return Some(
            "the registry could not be asked; a filesystem mirror in the CLI configuration works offline".to_owned(),
        );
    }
    None
}
