//! Owns what our callback plugin says of a play: outcomes of tasks, counts of hosts, exported statistics.
//! Does not know how the play was started; the plugin is `infra_events.py`.

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// Key under which ansible keeps what was set for the whole run.
const WHOLE_RUN: &str = "_run";

/// What a play did, as far as it was told.
#[derive(Debug, Default)]
pub struct Events {
    /// Tasks that failed and were not forgiven, in the order they did.
    pub failed: Vec<Outcome>,
    pub unreachable: Vec<Outcome>,
    /// Tasks that changed something, with the hosts.
    pub changed: BTreeMap<String, BTreeSet<String>>,
    /// The final counts; `None`: the play did not come to its end.
    pub stats: Option<Stats>,
}

/// The end of one task on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Outcome {
    pub host: String,
    pub task: String,
    pub message: String,
    /// `file:line`, absolute.
    pub place: String,
    status: String,
    ignored: bool,
}

/// Counts by host, and what `set_stats` was given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stats {
    pub hosts: BTreeMap<String, Counts>,
    custom: BTreeMap<String, Json>,
}

/// Counts of tasks on one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub changed: u64,
    pub failures: u64,
    pub unreachable: u64,
}

impl Events {
    /// Reads the plugin's file. A line that was cut is left out.
    pub fn read(text: &str) -> Self {
        let mut events = Self::default();
        for line in text.lines() {
            let Ok(json) = serde_json::from_str::<Json>(line) else { continue };
            match json.get("event").and_then(Json::as_str) {
                Some("result") => events.take(serde_json::from_value(json).unwrap_or_default()),
                // Counts go on over several playbooks of one call: the last are the sum.
                Some("stats") => events.stats = serde_json::from_value(json).ok(),
                _ => {}
            }
        }
        events
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome.status.as_str() {
            "failed" if !outcome.ignored => self.failed.push(outcome),
            "unreachable" => self.unreachable.push(outcome),
            "changed" => {
                self.changed.entry(outcome.task).or_default().insert(outcome.host);
            }
            _ => {}
        }
    }
}

impl Stats {
    /// Changes over all hosts.
    pub fn changed(&self) -> u64 {
        self.hosts.values().map(|counts| counts.changed).sum()
    }

    /// Hosts with a failure that was not forgiven.
    pub fn failed_hosts(&self) -> Vec<&str> {
        self.hosts_where(|counts| counts.failures > 0)
    }

    /// Hosts that could not be reached.
    pub fn unreachable_hosts(&self) -> Vec<&str> {
        self.hosts_where(|counts| counts.unreachable > 0)
    }

    fn hosts_where(&self, is: impl Fn(&Counts) -> bool) -> Vec<&str> {
        self.hosts.iter().filter(|(_, counts)| is(counts)).map(|(host, _)| host.as_str()).collect()
    }

    /// What the play exports: statistics of the run by name, those of hosts as a map from the host;
    /// `changed` and `hosts` unless the play gives them itself.
    pub fn exports(&self) -> BTreeMap<String, Json> {
        let mut by_host: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
        let mut exports = BTreeMap::from([
            ("changed".to_owned(), Json::from(self.changed())),
            ("hosts".to_owned(), self.hosts.keys().cloned().collect()),
        ]);
        for (host, values) in &self.custom {
            let Json::Object(values) = values else { continue };
            for (name, value) in values {
                if host == WHOLE_RUN {
                    exports.insert(name.clone(), value.clone());
                } else {
                    by_host.entry(name.clone()).or_default().insert(host.clone(), value.clone());
                }
            }
        }
        for (name, values) in by_host {
            exports.entry(name).or_insert(Json::Object(values));
        }
        exports
    }
}

/// Hosts that an inventory resolves to, out of `ansible-inventory --list`.
///
/// # Errors
/// When it is not the JSON that the tool prints.
pub fn inventory_hosts(text: &str) -> Result<BTreeSet<String>, String> {
    let groups: BTreeMap<String, Json> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let listed = groups.values().filter_map(|group| group.get("hosts")?.as_array()).flatten();
    Ok(listed.filter_map(Json::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // What the plugin wrote under ansible-core 2.19, cut to one or two hosts.
    const PLAYED: &str = r#"
{"event": "result", "host": "b", "status": "changed", "task": "x : write"}
{"event": "result", "host": "a", "status": "changed", "task": "x : write"}
{"custom": {"_run": {"ips": ["a", "b"], "ver": "1.2"}, "a": {"n": 1}, "b": {"n": 2}}, "event": "stats", "hosts": {"a": {"changed": 1, "failures": 0, "ignored": 0, "ok": 3, "rescued": 0, "skipped": 2, "unreachable": 0}, "b": {"changed": 1, "failures": 0, "ignored": 0, "ok": 3, "rescued": 0, "skipped": 2, "unreachable": 0}}}
{"event": "resu"#;
    const BAD: &str = r#"
{"event": "result", "host": "a", "ignored": true, "message": "m", "place": "/p/site.yml:4", "status": "failed", "task": "may fail"}
{"event": "result", "host": "a", "ignored": false, "message": "non-zero return code: bad", "place": "/p/site.yml:5", "status": "failed", "task": "fails"}
{"event": "result", "host": "z", "message": "Connection refused", "place": "/p/site.yml:1", "status": "unreachable", "task": "x : write"}
{"custom": {}, "event": "stats", "hosts": {"a": {"changed": 0, "failures": 1, "unreachable": 0}, "z": {"changed": 0, "failures": 0, "unreachable": 1}}}"#;

    #[test]
    fn a_play_is_read() {
        let events = Events::read(PLAYED);
        let stats = events.stats.unwrap();
        assert_eq!(stats.changed(), 2);
        assert_eq!(events.changed["x : write"].len(), 2);
        assert_eq!(
            json!(stats.exports()),
            json!({ "changed": 2, "hosts": ["a", "b"], "ips": ["a", "b"], "n": { "a": 1, "b": 2 }, "ver": "1.2" })
        );
    }

    #[test]
    fn failed_is_told_from_unreachable_and_from_forgiven() {
        let events = Events::read(BAD);
        assert_eq!(events.failed.iter().map(|one| one.task.as_str()).collect::<Vec<_>>(), ["fails"]);
        assert_eq!(events.unreachable[0].host, "z");
        let stats = events.stats.unwrap();
        assert_eq!((stats.failed_hosts(), stats.unreachable_hosts()), (vec!["a"], vec!["z"]));
        assert!(Events::read("").stats.is_none());
    }

    #[test]
    fn an_inventory_is_the_union_of_its_groups() {
        let text = r#"{"_meta": {"hostvars": {}, "profile": "inventory_legacy"}, "all": {"children": ["ungrouped", "web"]},
            "web": {"hosts": ["a", "b"]}, "db": {"hosts": ["b"]}}"#;
        assert_eq!(inventory_hosts(text).unwrap().into_iter().collect::<Vec<_>>(), ["a", "b"]);
        let empty = r#"{"_meta": {"hostvars": {}}, "all": {"children": ["ungrouped", "empty"]}}"#;
        assert!(inventory_hosts(empty).unwrap().is_empty());
        assert!(inventory_hosts("oops").is_err());
    }
}
