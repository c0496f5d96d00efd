//! Owns waiting for objects: they may not exist yet, and at the end each says what was wrong.
//! Does not know what is applied before.

use super::command::{Commands, NAMESPACE};
use super::objects::{ending, objects, says};
use crate::kind::Table;
use crate::kind::cluster::{is_silence, last_words, span};
use crate::kind::machine::{Move, Stdout, Step, StepEnd};
use crate::kind::run::ended_badly;
use serde_json::Value as Json;
use std::time::Duration;

/// Pause between two looks for an object that is not there yet.
const PAUSE: Duration = Duration::from_secs(1);
const USUAL: &str = "5m";
/// Seconds of one wait, where objects may change that are waited for.
const SLICE: u64 = 5;
/// Objects that are named at the end.
const MOST: usize = 5;
/// Characters of a value that are shown.
const LONGEST: usize = 100;
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
    /// Something did not; why, and the command line that waited, where another one came after it.
    Failed(String, Vec<String>),
}

/// All waits of a task, one after the other.
pub struct Waits {
    waits: Vec<Wait>,
    at: usize,
    phase: Phase,
    /// Seconds that this wait took so far.
    spent: u64,
    /// Whether only the time of a slice was over.
    goes_on: bool,
    /// How it failed, and by which command line.
    failed: (String, Vec<String>),
}

/// What is wrong with the waits of a table.
pub fn wrong(table: &Table) -> Vec<String> {
    let named = |what: &str, before: &str| what.strip_prefix(before).is_some_and(|name| !name.is_empty());
    let known = |what: &str| {
        matches!(what, "rollout" | "create" | "delete") || named(what, "condition=") || named(what, "jsonpath=")
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
        Self { waits: read(table), at: 0, phase: Phase::Exists, spent: 0, goes_on: false, failed: Default::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// The first move of the wait that is next.
    pub fn begin(&mut self, commands: &Commands) -> Next {
        let Some(wait) = self.waits.get(self.at).cloned() else { return Next::Over };
        self.spent = 0;
        if wait.what == "delete" { self.hold(&wait, commands) } else { self.look(&wait, commands) }
    }

    fn look(&mut self, wait: &Wait, commands: &Commands) -> Next {
        self.phase = Phase::Exists;
        Next::Move(Move::Run(wait.exists(commands)))
    }

    fn hold(&mut self, wait: &Wait, commands: &Commands) -> Next {
        self.phase = Phase::Holds;
        Next::Move(Move::Run(wait.holds(commands, self.spent)))
    }

    /// What follows the end of a command or of a pause.
    pub fn next(&mut self, commands: &Commands, end: &StepEnd) -> Next {
        let Some(wait) = self.waits.get(self.at).cloned() else { return Next::Over };
        match self.phase {
            Phase::Exists if end.is_ok() && stays(&end.stdout) => {
                if wait.what == "create" {
                    return self.came_true(commands);
                }
                self.hold(&wait, commands)
            }
            Phase::Exists => {
                let said = (!end.is_ok()).then(|| last_words(end).unwrap_or_else(|| ended_badly(end)));
                let passes = said.as_ref().is_none_or(|said| may_pass(said));
                self.spent += PAUSE.as_secs() + end.took.as_secs();
                if passes && self.spent <= span::seconds(&wait.within) {
                    self.phase = Phase::Pause;
                    return Next::Move(Move::Wait(PAUSE));
                }
                let message = match said {
                    Some(said) if passes => {
                        let after = format!(", {} after it was asked for", wait.within);
                        format!("{} cannot be asked for{after}: {said}", wait.shown(commands))
                    }
                    Some(said) => format!("{} cannot be asked for: {said}", wait.shown(commands)),
                    None => wait.missing(commands),
                };
                Next::Failed(message, Vec::new())
            }
            Phase::Pause => self.look(&wait, commands),
            Phase::Holds if end.is_ok() => self.came_true(commands),
            Phase::Holds => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                let is_over_time = is_over_time(&said);
                let slice = wait.slice(self.spent).filter(|_| is_over_time).unwrap_or(0);
                self.spent += slice.max(end.took.as_secs());
                let has_time = self.spent < span::seconds(&wait.within);
                // What is silent for a moment, or went between the look and the wait, is looked for again.
                if has_time && wait.what != "delete" && (may_pass(&said) || said.contains("no matching resources")) {
                    self.spent += PAUSE.as_secs();
                    self.phase = Phase::Pause;
                    return Next::Move(Move::Wait(PAUSE));
                }
                let goes_on = is_over_time && has_time;
                self.goes_on = goes_on;
                // Objects come and go, as the pods of a rollout do: it is looked anew which of them are meant.
                if goes_on && wait.slice(self.spent).is_some() && !wait.is_of_a_job() {
                    return self.look(&wait, commands);
                }
                let why = if is_over_time { format!(" within {}", wait.within) } else { format!(": {said}") };
                let message = format!("{} did not come to `{}`{why}", wait.shown(commands), wait.what);
                self.failed = (message, wait.holds(commands, 0).argv);
                self.phase = Phase::Tell;
                Next::Move(Move::Run(wait.tell(commands)))
            }
            Phase::Tell => {
                let found = objects(&end.stdout).unwrap_or_default();
                let is_lost = found.iter().any(has_failed);
                // In slices: what can never come true any more is seen after each.
                if wait.is_of_a_job() && !is_lost && self.goes_on {
                    return self.hold(&wait, commands);
                }
                let (message, argv) = std::mem::take(&mut self.failed);
                let told = wait.told(&found, &end.stdout);
                let told: Vec<String> = [message].into_iter().chain(told.into_iter().take(MOST)).collect();
                Next::Failed(told.join("; "), argv)
            }
        }
    }

    fn came_true(&mut self, commands: &Commands) -> Next {
        self.at += 1;
        self.begin(commands)
    }
}

impl Wait {
    fn is_one(&self) -> bool {
        self.of.contains('/')
    }

    fn is_of_a_job(&self) -> bool {
        self.what.eq_ignore_ascii_case("condition=complete")
    }

    fn with(&self, commands: &Commands) -> String {
        let selector = self.selector.as_ref().map(|selector| format!(" with {selector}")).unwrap_or_default();
        let namespace = self.namespace.as_ref().or(commands.cluster.namespace.as_ref());
        // What is in no namespace is asked for without one, mostly.
        let named = namespace.filter(|name| *name != NAMESPACE);
        let namespace = named.map(|name| format!(" in `{name}`")).unwrap_or_default();
        format!("{selector}{namespace}")
    }

    fn shown(&self, commands: &Commands) -> String {
        format!("`{}`{}", self.of, self.with(commands))
    }

    fn missing(&self, commands: &Commands) -> String {
        if self.is_one() {
            return format!("{} does not exist, {} after it was asked for", self.shown(commands), self.within);
        }
        format!("there are no `{}`{}, {} after they were asked for", self.of, self.with(commands), self.within)
    }

    fn picked(&self) -> Vec<&str> {
        let mut words = vec![self.of.as_str()];
        if let Some(selector) = &self.selector {
            words.extend(["--selector", selector]);
        }
        words
    }

    /// Seconds of the next wait where it is waited again and again: a job that failed never completes, and of a kind
    /// there may be other objects by now; kubectl sees neither.
    fn slice(&self, spent: u64) -> Option<u64> {
        let changes = self.is_of_a_job() || !(self.is_one() || matches!(self.what.as_str(), "rollout" | "delete"));
        changes.then(|| SLICE.min(span::seconds(&self.within).saturating_sub(spent)).max(1))
    }

    fn exists(&self, commands: &Commands) -> Step {
        let mut words = vec!["get"];
        words.extend(self.picked());
        words.extend(["-o", GOING, "--no-headers", "--ignore-not-found"]);
        self.asks(commands, &words)
    }

    fn holds(&self, commands: &Commands, spent: u64) -> Step {
        let timeout = match self.slice(spent) {
            Some(slice) => format!("--timeout={slice}s"),
            // Of a rollout, none at all would be for ever.
            None if spent == 0 && span::seconds(&self.within) > 0 => format!("--timeout={}", span::flag(&self.within)),
            // What it took until it was there is part of it.
            None => format!("--timeout={}s", span::seconds(&self.within).saturating_sub(spent).max(1)),
        };
        let what = format!("--for={}", self.what);
        let mut words = if self.what == "rollout" { vec!["rollout", "status"] } else { vec!["wait", &what] };
        words.extend(self.picked());
        if self.what != "rollout" && self.selector.is_none() && !self.is_one() {
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

    /// What a `jsonpath=` looks at, where that may be shown.
    fn expression(&self) -> Option<&str> {
        let text = self.what.strip_prefix("jsonpath=").filter(|_| !super::get::is_secret(&self.of))?;
        let (start, end) = (text.find('{')?, text.rfind('}')?);
        text.get(start..=end).filter(|text| !text.contains(','))
    }

    fn tell(&self, commands: &Commands) -> Step {
        let columns = self
            .expression()
            .map(|expression| format!("custom-columns=KIND:.kind,NAME:.metadata.name,IS:{expression}"));
        let mut words = vec!["get"];
        words.extend(self.picked());
        words.extend(["--ignore-not-found", "-o", columns.as_deref().unwrap_or("json")]);
        if columns.is_some() {
            words.push("--no-headers");
        }
        self.asks(commands, &words)
    }

    /// What each object says of itself.
    fn told(&self, found: &[Json], columns: &str) -> Vec<String> {
        if self.what == "delete" {
            return found.iter().map(|object| format!("still there: {}", ending(object))).collect();
        }
        let Some(expression) = self.expression() else { return found.iter().filter_map(says).collect() };
        let told = |line: &str| {
            let (kind, rest) = line.trim().split_once(' ')?;
            // A value of several lines goes on in lines that begin with no kind.
            if !kind.starts_with(|c: char| c.is_ascii_uppercase()) {
                return None;
            }
            let (name, value) = rest.trim().split_once(' ')?;
            let object = format!("{}/{name}", kind.to_lowercase());
            Some(match value.trim() {
                "<none>" => format!("{object} has nothing at `{expression}`"),
                value if value.chars().count() > LONGEST => {
                    let start: String = value.chars().take(LONGEST).collect();
                    format!("{object} has `{start}…` at `{expression}`")
                }
                value => format!("{object} has `{value}` at `{expression}`"),
            })
        };
        columns.lines().filter_map(told).collect()
    }

    fn asks(&self, commands: &Commands, words: &[&str]) -> Step {
        commands.there(&format!("kubectl get {}", self.of), words, self.namespace.as_deref(), Stdout::Collect)
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

/// Whether what kubectl complains of may be otherwise soon: who makes a kind may not have come so far, and an API
/// that starts anew is silent for a moment.
fn may_pass(said: &str) -> bool {
    const WORDS: [&str; 4] =
        ["doesn't have a resource type", "no matches for kind", "unable to handle the request", "etcdserver:"];
    WORDS.iter().any(|words| said.contains(words)) || is_silence(said)
}

fn is_over_time(said: &str) -> bool {
    said.contains("timed out waiting") || said.contains("deadline exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_is_waited_for() {
        assert!(may_pass("the server doesn't have a resource type \"foos\""));
        assert!(may_pass("The connection to the server 127.0.0.1:1 was refused"));
        assert!(!may_pass("Error from server (Forbidden): pods is forbidden"));
        assert!(has_failed(&serde_json::json!({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})));
    }
}
