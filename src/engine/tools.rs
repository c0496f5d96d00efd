//! Owns the check of `[requires]` before anything runs.
//! Does not know how a version is found (`host`).

use crate::engine::RunError;
use crate::kind;
use crate::model::facts::Facts;
use crate::model::name::TaskId;
use crate::model::project::Project;
use crate::plan::fingerprint::{known_table, required_name};
use std::collections::{BTreeMap, BTreeSet};

/// Checks the tools that tasks use against `[requires]`: all that is wrong at once.
///
/// # Errors
/// Tools that are missing or too old; a version that can't be asked.
pub fn check(project: &Project, facts: &dyn Facts, tasks: &[TaskId]) -> Result<(), RunError> {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in tasks {
        let task = project.task(*id);
        for tool in kind::find(task.action.kind).tools(&known_table(task)) {
            let file = camino::Utf8Path::new(&tool).file_name().unwrap_or(&tool).to_owned();
            for name in required_name(&file) {
                if project.requires.contains_key(name) {
                    used.entry(name.to_owned()).or_default().insert(task.name.to_string());
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for (tool, tasks) in used {
        let Some(wanted) = project.requires.get(&tool) else { continue };
        let what = match facts.tool_version(&tool)? {
            Some(found) if fits(&found, wanted) => continue,
            Some(found) => format!("tool `{tool}` is {found}"),
            None if facts.program(&tool).is_some() => {
                format!("tool `{tool}` is installed, but tells no version when it is asked for one")
            }
            None => format!("tool `{tool}` is not installed"),
        };
        wrong.push(format!("{what}; `[requires]` wants {wanted} for {}", users(&tasks)));
    }
    if wrong.is_empty() { Ok(()) } else { Err(RunError::Tools(wrong)) }
}

/// The tasks that use a tool, the first ones by name.
fn users(tasks: &BTreeSet<String>) -> String {
    const NAMED: usize = 3;
    let named: Vec<String> = tasks.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match tasks.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Whether a version fits a requirement such as `>=1.9, <2`.
pub fn fits(found: &str, wanted: &str) -> bool {
    let Ok(wanted) = semver::VersionReq::parse(wanted.trim()) else { return false };
    padded(found).is_some_and(|version| wanted.matches(&version))
}

/// `1.9` and `2.19.14rc1` as versions; a pre-release counts as its release, since tools name theirs
/// in ways of their own.
fn padded(text: &str) -> Option<semver::Version> {
    let numbers: Vec<u64> = text
        .trim_start_matches('v')
        .split('.')
        .take(3)
        .map_while(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect();
    let major = *numbers.first()?;
    Some(semver::Version::new(major, numbers.get(1).copied().unwrap_or(0), numbers.get(2).copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(fits("1.11.4", ">=1.9"));
        assert!(!fits("1.8.9", ">=1.9"));
        assert!(fits("v2.19.14rc1", ">=2.19, <3"));
        assert!(!fits("", ">=1"));
    }
}
