//! Owns what a story claims of its last command and of the state that it left.
//! Does not know how commands are started.

use crate::support::story::Story;
use crate::support::text::includes;
use crate::support::tree::{find_bytes, walk};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

impl Story {
    /// Exactly these tasks of the target came out so.
    #[track_caller]
    fn came_out<const N: usize>(&self, outcome: &str, tasks: [&str; N]) -> &Self {
        let seen = self.last();
        let found: BTreeSet<String> =
            seen.outcomes().into_iter().filter(|(_, found)| found == outcome).map(|(task, _)| task).collect();
        let wanted: BTreeSet<String> = tasks.iter().map(|task| (*task).to_owned()).collect();
        if found != wanted {
            seen.fail(&format!("tasks that came out `{outcome}`\n  expected {wanted:?}\n  found    {found:?}"));
        }
        self
    }

    /// Exactly these were executed and succeeded.
    #[track_caller]
    pub fn ran<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("ran", tasks)
    }

    /// Exactly these were believed.
    #[track_caller]
    pub fn fresh<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("fresh", tasks)
    }

    /// Exactly these were put back.
    #[track_caller]
    pub fn restored<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("restored", tasks)
    }

    /// Exactly these failed.
    #[track_caller]
    pub fn failed<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("failed", tasks)
    }

    /// Exactly these were left out.
    #[track_caller]
    pub fn skipped<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("skipped", tasks)
    }

    /// Exactly these were interrupted.
    #[track_caller]
    pub fn interrupted<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        self.came_out("interrupted", tasks)
    }

    /// Nothing was executed, not even tried.
    #[track_caller]
    pub fn nothing_ran(&self) -> &Self {
        let seen = self.last();
        if !seen.started().is_empty() {
            seen.fail(&format!("started: {:?}", seen.started()));
        }
        self.ran([])
    }

    /// A task of the last run has a reason with these fields.
    #[track_caller]
    pub fn because(&self, task: &str, reason: Json) -> &Self {
        let seen = self.last();
        let found = seen.reasons(task);
        if !found.iter().any(|one| includes(one, &reason)) {
            seen.fail(&format!("reasons of `{task}`\n  expected {reason}\n  found    {}", Json::Array(found)));
        }
        self
    }

    /// No reason of a task in the last run is of this kind.
    #[track_caller]
    pub fn not_because(&self, task: &str, kind: &str) -> &Self {
        let seen = self.last();
        if seen.reasons(task).iter().any(|one| one["kind"] == kind) {
            seen.fail(&format!("`{task}` has a reason `{kind}`"));
        }
        self
    }

    /// `infra status --json` calls tasks so: `"a=fresh b=stale"`, each named one compared.
    #[track_caller]
    pub fn states(&self, wanted: &str) -> &Self {
        self.states_in("", wanted)
    }

    /// As `states`, with further words for `status`.
    #[track_caller]
    pub fn states_in(&self, words: &str, wanted: &str) -> &Self {
        let before = self.last();
        let seen = self.try_infra(&format!("status --json {words}"));
        if seen.code != Some(0) {
            seen.fail("expected exit code 0");
        }
        let json = seen.json();
        for pair in wanted.split_whitespace() {
            let (name, state) = pair.rsplit_once('=').expect("task=state");
            let found = json["tasks"].as_array().and_then(|tasks| tasks.iter().find(|task| task["name"] == name));
            match found {
                Some(task) if task["state"] == state => {}
                Some(task) => seen.fail(&format!(
                    "state of `{name}`\n  expected {state}\n  found    {} {}",
                    task["state"], task["reasons"]
                )),
                None if state == "none" => {}
                None => seen.fail(&format!("`{name}` is not shown")),
            }
        }
        self.keep(before);
        self
    }

    /// `infra status --json` gives a task a reason with these fields.
    #[track_caller]
    pub fn status_reason(&self, task: &str, reason: Json) -> &Self {
        let before = self.last();
        let seen = self.try_infra("status --json");
        let json = seen.json();
        let found = json["tasks"].as_array().and_then(|tasks| tasks.iter().find(|one| one["name"] == task)).cloned();
        let reasons = found.map(|task| task["reasons"].clone()).unwrap_or_default();
        if !reasons.as_array().is_some_and(|all| all.iter().any(|one| includes(one, &reason))) {
            seen.fail(&format!("reasons of `{task}`\n  expected {reason}\n  found    {reasons}"));
        }
        self.keep(before);
        self
    }

    /// Tasks started in this order.
    #[track_caller]
    pub fn order<const N: usize>(&self, tasks: [&str; N]) -> &Self {
        let seen = self.last();
        if seen.started() != tasks {
            seen.fail(&format!("order\n  expected {tasks:?}\n  found    {:?}", seen.started()));
        }
        self
    }

    /// Stdout has this text.
    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stdout.contains(text) {
            seen.fail(&format!("stdout has no `{text}`"));
        }
        self
    }

    /// Stderr has this text.
    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stderr.contains(text) {
            seen.fail(&format!("stderr has no `{text}`"));
        }
        self
    }

    /// Stdout and stderr together have this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let seen = self.last();
        if !seen.stdout.contains(text) && !seen.stderr.contains(text) {
            seen.fail(&format!("nothing says `{text}`"));
        }
        self
    }

    /// How often a line was written to `../log`, where tasks of stories say that they really ran.
    pub fn times(&self, word: &str) -> usize {
        fs::read_to_string(self.path("../log")).unwrap_or_default().lines().filter(|line| *line == word).count()
    }

    /// The value of an export, as `infra outputs --json` says it.
    #[track_caller]
    pub fn value(&self, task: &str, key: &str) -> Json {
        self.value_in("", task, key)
    }

    /// As `value`, with further words for `outputs`.
    #[track_caller]
    pub fn value_in(&self, words: &str, task: &str, key: &str) -> Json {
        let before = self.last();
        let seen = self.try_infra(&format!("outputs --json {task} {words}"));
        let json = seen.json();
        let value = json["tasks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["name"] == task)
            .flat_map(|one| one["values"].as_array().cloned().unwrap_or_default())
            .find(|value| value["key"] == key)
            .unwrap_or_else(|| seen.fail(&format!("`{task}` has no value `{key}`")));
        self.keep(before);
        value["value"].clone()
    }

    /// Files under the project by path, but SQLite's `-shm` and an empty `-wal`.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        walk(&self.root(), &self.root(), &mut tree);
        tree
    }

    /// Nothing that was printed has this text.
    #[track_caller]
    pub fn nowhere_printed(&self, canary: &str) -> &Self {
        let mut found = Vec::new();
        find_bytes(&self.base().join("io"), canary.as_bytes(), &mut found);
        assert!(found.is_empty(), "`{canary}` is in {found:?}");
        self
    }

    /// No file below the story's folder, and nothing that was printed, has this text.
    #[track_caller]
    pub fn nowhere(&self, canary: &str) -> &Self {
        let mut found = Vec::new();
        for folder in ["project", "home", "tmp", "io"] {
            find_bytes(&self.base().join(folder), canary.as_bytes(), &mut found);
        }
        assert!(found.is_empty(), "`{canary}` is in {found:?}");
        self
    }
}
