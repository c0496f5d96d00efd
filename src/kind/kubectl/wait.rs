//! Owns waiting for objects: they may not exist yet, and at the end each says what was wrong.
//! Does not know what is applied before.

use super::command::Commands;
use super::objects::{objects, says};
use crate::kind::Table;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Move, Stdout, Step, StepEnd};
use crate::kind::run::ended_badly;
use serde_json::Value as Json;
use std::time::Duration;

/// Pause between two looks for an object that is not there yet.
const PAUSE: Duration = Duration::from_secs(1);
const USUAL: &str = "5m";
/// Seconds of one wait for a job.
const SLICE: u64 = 5;
/// Prints a line for each object: its name, and since when it is being deleted.
const GOING: &str = "custom-columns=NAME:.metadata.name,GOING:.metadata.deletionTimestamp";

/// One thing that must come true.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wait {
    what: String,
    of: String,
    selector: Option<String>,
    /// Another than the task's.
    namespace: Option<String>,
    within: String,
}

/// What is waited for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The command that looks whether it is there, or the pause before the next look.
    Exists,
    Pause,
    Holds,
    Tell,
}

/// How the waiting goes on.
pub enum Next {
    Move(Move),
    /// Everything came true.
    Over,
    /// Something did not; why.
    Failed(String),
}

/// All waits of a task, one after the other.
pub struct Waits {
    waits: Vec<Wait>,
    at: usize,
    phase: Phase,
    pauses: u64,
    failed: String,
}

/// What is wrong with the waits of a table.
pub fn wrong(table: &Table) -> Vec<String> {
    let known = |what: &str| {
        matches!(what, "rollout" | "create" | "delete")
            || what.starts_with("condition=")
            || what.starts_with("jsonpath=")
    };
    let wrong = read(table).into_iter().filter(|wait| !wait.what.is_empty() && !known(&wait.what));
    wrong
        .map(|wait| {
            format!(
                "`for = \"{}\"` is none of `rollout`, `create`, `delete`, `condition=NAME`, `jsonpath=…`",
                wait.what
            )
        })
        .collect()
}

fn read(table: &Table) -> Vec<Wait> {
    let items = match table.get("wait") {
        Some(Json::Array(items)) => items.iter().collect(),
        Some(one @ Json::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
    let wait = |item: &Json| Wait {
        what: text(item, "for").unwrap_or_default(),
        of: text(item, "of").unwrap_or_default(),
        selector: text(item, "selector"),
        namespace: text(item, "namespace"),
        within: text(item, "within").unwrap_or_else(|| USUAL.to_owned()),
    };
    items.into_iter().map(wait).collect()
}

impl Waits {
    /// The waits of a table.
    pub fn new(table: &Table) -> Self {
        Self { waits: read(table), at: 0, phase: Phase::Exists, pauses: 0, failed: String::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// The first move of the wait that is next.
    pub fn begin(&mut self, commands: &Commands) -> Next {
        let Some(wait) = self.waits.get(self.at) else { return Next::Over };
        self.pauses = 0;
        if wait.what == "delete" {
            self.phase = Phase::Holds;
            return Next::Move(Move::Run(wait.holds(commands)));
        }
        self.phase = Phase::Exists;
        Next::Move(Move::Run(wait.exists(commands)))
    }

    /// What follows the end of a command or of a pause.
    pub fn next(&mut self, commands: &Commands, end: &StepEnd) -> Next {
        let Some(wait) = self.waits.get(self.at).cloned() else { return Next::Over };
        match self.phase {
            Phase::Exists if !end.is_ok() => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                Next::Failed(format!("{} cannot be asked for: {said}", wait.shown()))
            }
            Phase::Exists if stays(&end.stdout) => {
                if wait.what == "create" {
                    return self.came_true(commands);
                }
                self.pauses = 0;
                self.phase = Phase::Holds;
                Next::Move(Move::Run(wait.holds(commands)))
            }
            Phase::Exists => {
                self.pauses += 1;
                if self.pauses > seconds(&wait.within) {
                    return Next::Failed(format!(
                        "{} does not exist, {} after it was asked for",
                        wait.shown(),
                        wait.within
                    ));
                }
                self.phase = Phase::Pause;
                Next::Move(Move::Wait(PAUSE))
            }
            Phase::Pause => {
                self.phase = Phase::Exists;
                Next::Move(Move::Run(wait.exists(commands)))
            }
            Phase::Holds if end.is_ok() => self.came_true(commands),
            // In slices: what can never come true any more is seen after each.
            Phase::Holds => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                self.failed = format!("{} within {}: {said}", wait.what, wait.within);
                self.phase = Phase::Tell;
                Next::Move(Move::Run(wait.tell(commands)))
            }
            Phase::Tell => {
                const MOST: usize = 5;
                let told = objects(&end.stdout).unwrap_or_default();
                let is_lost = told.iter().any(has_failed);
                if !is_lost && wait.slices().is_some_and(|slices| self.pauses + 1 < slices) {
                    self.pauses += 1;
                    self.phase = Phase::Holds;
                    return Next::Move(Move::Run(wait.holds(commands)));
                }
                let lines: Vec<String> = told.iter().take(MOST).map(says).collect();
                let told = if lines.is_empty() { String::new() } else { format!("; {}", lines.join("; ")) };
                Next::Failed(format!("{} did not come to `{}`{told}", wait.shown(), self.failed))
            }
        }
    }

    fn came_true(&mut self, commands: &Commands) -> Next {
        self.at += 1;
        self.begin(commands)
    }
}

impl Wait {
    fn shown(&self) -> String {
        let selector = self.selector.as_ref().map(|selector| format!(" with {selector}")).unwrap_or_default();
        format!("`{}`{selector}", self.of)
    }

    fn picked(&self) -> Vec<&str> {
        let mut words = vec![self.of.as_str()];
        if let Some(selector) = &self.selector {
            words.extend(["--selector", selector]);
        }
        words
    }

    /// How often it is waited for: a job that failed never completes, which kubectl does not see.
    fn slices(&self) -> Option<u64> {
        self.what.eq_ignore_ascii_case("condition=complete").then(|| seconds(&self.within).div_ceil(SLICE))
    }

    fn exists(&self, commands: &Commands) -> Step {
        let mut words = vec!["get"];
        words.extend(self.picked());
        words.extend(["-o", GOING, "--no-headers", "--ignore-not-found"]);
        commands.there(&format!("kubectl get {}", self.of), &words, self.namespace.as_deref(), Stdout::Collect)
    }

    fn holds(&self, commands: &Commands) -> Step {
        let timeout = match self.slices() {
            Some(_) => format!("--timeout={}s", SLICE.min(seconds(&self.within).max(1))),
            None => format!("--timeout={}", self.within),
        };
        let what = format!("--for={}", self.what);
        let mut words = if self.what == "rollout" { vec!["rollout", "status"] } else { vec!["wait", &what] };
        words.extend(self.picked());
        if self.what != "rollout" && self.selector.is_none() && !self.of.contains('/') {
            words.push("--all");
        }
        words.push(&timeout);
        commands.there(
            &format!("kubectl wait {} {}", self.what, self.of),
            &words,
            self.namespace.as_deref(),
            Stdout::Log,
        )
    }

    fn tell(&self, commands: &Commands) -> Step {
        let mut words = vec!["get"];
        words.extend(self.picked());
        words.extend(["-o", "json", "--ignore-not-found"]);
        commands.there(&format!("kubectl get {}", self.of), &words, self.namespace.as_deref(), Stdout::Collect)
    }
}

/// Whether an object says that it failed, for good.
fn has_failed(object: &Json) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == "Failed" && condition["status"] == "True")
}

/// Whether an object is there that is not being deleted.
fn stays(columns: &str) -> bool {
    columns.lines().any(|line| line.trim_end().ends_with("<none>"))
}

/// Whole seconds of `1h30m`; the shape was checked before.
fn seconds(text: &str) -> u64 {
    let mut total = 0;
    let mut number = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let count: u64 = std::mem::take(&mut number).parse().unwrap_or(0);
        match c {
            'm' if rest.peek() == Some(&'s') => {
                rest.next();
            }
            's' => total += count,
            'm' => total += count * 60,
            'h' => total += count * 3600,
            'd' => total += count * 86_400,
            _ => {}
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_the_checker_takes_them() {
        assert!(has_failed(&serde_json::json!({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})));
        assert_eq!(["10s", "1h30m", "500ms", "2d", "5m"].map(seconds), [10, 5400, 0, 172_800, 300]);
    }
}
