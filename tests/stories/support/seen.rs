//! Owns what a command did: its exit, what it printed, the events in it.
//! Does not know how it was started.

use crate::support::text::clip;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a command did.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub command: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Seen {
    /// Lines of stdout that are JSON objects, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<Json> {
        self.stdout
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| self.fail(&format!("no JSON line: {error}: {line}")))
            })
            .collect()
    }

    /// Events of one name.
    #[track_caller]
    pub fn events_of(&self, name: &str) -> Vec<Json> {
        self.events().into_iter().filter(|event| event["event"] == name).collect()
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| self.fail(&format!("stdout is no JSON document: {error}")))
    }

    /// Outcome by task.
    #[track_caller]
    pub fn outcomes(&self) -> BTreeMap<String, String> {
        let mut outcomes = BTreeMap::new();
        for event in self.events_of("task-finished") {
            let task = event["task"].as_str().unwrap_or_default().to_owned();
            let outcome = event["outcome"].as_str().unwrap_or_default().to_owned();
            if outcomes.insert(task.clone(), outcome).is_some() {
                self.fail(&format!("`{task}` has two task-finished events"));
            }
        }
        outcomes
    }

    /// Tasks in the order in which they started.
    #[track_caller]
    pub fn started(&self) -> Vec<String> {
        self.events_of("task-started")
            .iter()
            .map(|event| event["task"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Reasons with which a task was settled.
    #[track_caller]
    pub fn reasons(&self, task: &str) -> Vec<Json> {
        self.events_of("task-finished")
            .iter()
            .filter(|event| event["task"] == task)
            .flat_map(|event| event["reasons"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// Ends the story.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}\n--- $ {}\n--- exit {:?} signal {:?}\n--- stdout\n{}\n--- stderr\n{}\n---",
            self.command,
            self.code,
            self.signal,
            clip(&self.stdout),
            clip(&self.stderr)
        )
    }
}
