//! Owns what `make -n --trace` prints: each target's recipe expanded, and what make itself said of its settings.
//! Does not know rules.

use crate::import::make::{ANSWER, LINE};
use std::collections::BTreeMap;

/// What make would do.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Expanded recipes, in logical lines; of a target with double colons, all of them.
    recipes: BTreeMap<String, Vec<String>>,
    /// Values that were asked for.
    pub(super) answers: BTreeMap<String, String>,
    /// Variables that recipes get in their environment.
    pub(super) exports: BTreeMap<String, String>,
    /// What made make give up on a target that it was asked for alone.
    given_up: BTreeMap<String, String>,
    /// Complaints about a target.
    complaints: Vec<String>,
}

impl Trace {
    pub(super) fn read(printed: &str, complaints: &str) -> Self {
        let printed = printed.split("\n# Make data base").next().unwrap_or("");
        let mut trace = Self::default();
        let mut now: Option<String> = None;
        let mut open = false;
        for line in printed.lines() {
            if let Some(answer) = line.strip_prefix(ANSWER) {
                if let Some((name, value)) = answer.split_once('=') {
                    let value = value.replace(LINE, "\n");
                    match name.strip_prefix("export ") {
                        Some(name) => trace.exports.insert(name.to_owned(), value),
                        None => trace.answers.insert(name.to_owned(), value),
                    };
                }
            } else if let Some(target) = (!open).then(|| begins(line)).flatten() {
                trace.recipes.entry(target.clone()).or_default();
                now = Some(target);
            } else if (open || !said_by_make(line))
                && let Some(lines) = now.as_ref().and_then(|target| trace.recipes.get_mut(target))
            {
                match lines.last_mut().filter(|_| open) {
                    Some(last) => last.extend(["\n", line]),
                    None => lines.push(line.to_owned()),
                }
                open = line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
            }
        }
        trace.complaints = complaints.lines().filter(|line| line.contains("***")).map(str::to_owned).collect();
        trace
    }

    /// With what make said of a target alone.
    pub(super) fn with(&mut self, goal: &str, mut alone: Self) {
        match alone.recipes.remove(goal) {
            Some(recipe) => {
                self.recipes.insert(goal.to_owned(), recipe);
            }
            None => {
                let said = alone.complaints.into_iter().next();
                self.given_up.extend(said.map(|said| (goal.to_owned(), said)));
            }
        }
    }

    /// A target's recipe; `None`: make would not come to it.
    pub(super) fn recipe(&self, target: &str) -> Option<&[String]> {
        self.recipes.get(target).map(Vec::as_slice)
    }

    /// What make said against a target.
    pub(super) fn against(&self, target: &str) -> Option<String> {
        let named = |line: &&String| line.contains(&format!("'{target}'"));
        let line = self.complaints.iter().find(named).or_else(|| self.given_up.get(target))?;
        let said = line.split_once("*** ").map_or(line.as_str(), |(_, said)| said);
        Some(said.trim_end_matches("  Stop.").trim_end_matches('.').to_owned())
    }
}

/// `Makefile:3: update target 'a' due to: b`, `Makefile:3: target 'a' does not exist`.
fn begins(line: &str) -> Option<String> {
    let (_, said) = line.split_once(": ")?;
    let quoted = said
        .strip_prefix("update target '")
        .map(|rest| rest.split_once("' due to: "))
        .or_else(|| said.strip_prefix("target '").map(|rest| rest.split_once("' does not exist")))??;
    Some(quoted.0.to_owned())
}

fn said_by_make(line: &str) -> bool {
    line.starts_with("make: ")
        || line.starts_with("make[")
        || line.starts_with("# GNU Make")
        || line.starts_with("# Built for")
        || line.starts_with("# Copyright")
        || line.starts_with("# License")
        || line.starts_with("# This is free")
        || line.starts_with("# There is NO")
        || line.is_empty()
}
