//! Owns terraform's machine-readable stream: what it says to people, and what a machine must remember of it.
//! Does not know which command printed it.

use super::diagnostic::{Base, Diagnostic};
use crate::model::record::Incarnation;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was heard of one command.
#[derive(Debug, Default)]
pub struct Stream {
    base: Base,
    command: Command,
    heard: usize,
    /// Counts of the command's own operation.
    pub counts: Option<Counts>,
    planned: Counts,
    /// Addresses that the plan destroys or replaces.
    pub destroys: Vec<String>,
    /// Ids of what was created, by address.
    pub created: BTreeMap<String, String>,
    /// What was destroyed, as address and id.
    pub destroyed: BTreeSet<(String, String)>,
    dying: BTreeMap<String, String>,
    pub errors: Vec<Diagnostic>,
}

/// Which command a stream is of: an apply repeats its plan, which was told already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Command {
    #[default]
    Plan,
    Apply,
}

/// Numbers of things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub add: u64,
    pub change: u64,
    pub remove: u64,
    pub import: u64,
}

impl Counts {
    /// `+2 ~1 -0`.
    pub fn shown(&self) -> String {
        let import = if self.import > 0 { format!(" (import {})", self.import) } else { String::new() };
        format!("+{} ~{} -{}{import}", self.add, self.change, self.remove)
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.add + self.change + self.remove + self.import
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    #[serde(rename = "@message")]
    text: String,
    #[serde(rename = "type")]
    kind: String,
    change: Option<Planned>,
    hook: Option<Hook>,
    changes: Option<Summary>,
    diagnostic: Option<Diagnostic>,
    outputs: BTreeMap<String, OutputSeen>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Planned {
    resource: Resource,
    action: String,
    reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Hook {
    resource: Resource,
    action: String,
    id_value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource {
    addr: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Summary {
    #[serde(flatten)]
    counts: Counts,
    operation: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputSeen {
    sensitive: bool,
}

impl Stream {
    /// For a command that is about to run.
    pub fn new(base: &Base, command: Command) -> Self {
        Self { base: base.clone(), command, ..Self::default() }
    }

    /// Whether it is of a plan: nothing was applied.
    pub fn is_plan(&self) -> bool {
        self.command == Command::Plan
    }

    /// Takes one line in; what it says to people comes back.
    pub fn hear(&mut self, line: &str) -> Vec<String> {
        self.heard += 1;
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            // Not of the stream: a provider that prints, a crash.
            return vec![line.to_owned()];
        };
        match message.kind.as_str() {
            "version" | "refresh_start" | "refresh_complete" | "provision_start" | "provision_complete" => Vec::new(),
            "planned_change" => message.change.map_or_else(Vec::new, |change| self.planned(&change)),
            "resource_drift" => message.change.map_or_else(Vec::new, |change| {
                vec![format!("outside change: {} {}", sign(&change.action), change.resource.addr)]
            }),
            "change_summary" => self.summary(&message.changes.unwrap_or_default(), message.text),
            "outputs" => self.outputs(&message.outputs),
            "apply_start" => {
                let hook = message.hook.unwrap_or_default();
                if let (true, Some(id)) = (hook.action == "delete", hook.id_value) {
                    self.dying.insert(hook.resource.addr, id);
                }
                vec![message.text]
            }
            "apply_complete" => {
                self.completed(message.hook.unwrap_or_default());
                vec![message.text]
            }
            "diagnostic" => message.diagnostic.map_or_else(Vec::new, |diagnostic| {
                let lines = diagnostic.lines(&self.base);
                if diagnostic.severity == "error" {
                    self.errors.push(diagnostic);
                }
                lines
            }),
            _ => vec![message.text],
        }
    }

    /// Takes in what a step collected, where nothing was heard line by line.
    pub fn catch_up(&mut self, stdout: &str) {
        if self.heard == 0 {
            for line in stdout.lines() {
                self.hear(line);
            }
        }
    }

    /// What is planned: the tool's own sum, or what its single messages add up to.
    pub fn plan(&self) -> Counts {
        self.counts.unwrap_or(self.planned)
    }

    /// Things as they are after what was heard, from what they were before.
    pub fn apply_to(&self, former: &BTreeSet<Incarnation>, task: &str, attempt: i64) -> BTreeSet<Incarnation> {
        let mut now: BTreeSet<Incarnation> = former
            .iter()
            .filter(|one| !self.destroyed.contains(&(one.address.clone(), one.id.clone())))
            .cloned()
            .collect();
        for (address, id) in &self.created {
            now.retain(|one| one.address != *address);
            now.insert(Incarnation {
                task: task.to_owned(),
                address: address.clone(),
                id: id.clone(),
                generation: attempt,
            });
        }
        now
    }

    fn planned(&mut self, change: &Planned) -> Vec<String> {
        let address = &change.resource.addr;
        match change.action.as_str() {
            "create" => self.planned.add += 1,
            "update" => self.planned.change += 1,
            "import" => self.planned.import += 1,
            "delete" => self.planned.remove += 1,
            "replace" => {
                self.planned.add += 1;
                self.planned.remove += 1;
            }
            _ => {}
        }
        if matches!(change.action.as_str(), "delete" | "replace") {
            self.destroys.push(address.clone());
        }
        if self.command == Command::Apply {
            return Vec::new();
        }
        let reason = change.reason.as_ref().map(|reason| format!(" ({})", reason.replace('_', " ")));
        vec![format!("{} {address}{}", sign(&change.action), reason.unwrap_or_default())]
    }

    fn summary(&mut self, summary: &Summary, text: String) -> Vec<String> {
        let is_plan = summary.operation == "plan";
        if is_plan != (self.command == Command::Plan) {
            return Vec::new();
        }
        self.counts = Some(summary.counts);
        vec![text]
    }

    /// Names only: a value that terraform calls harmless may be declared secret by the task.
    fn outputs(&self, outputs: &BTreeMap<String, OutputSeen>) -> Vec<String> {
        if self.command == Command::Plan || outputs.is_empty() {
            return Vec::new();
        }
        let shown = |(name, output): (&String, &OutputSeen)| {
            if output.sensitive { format!("{name} (sensitive)") } else { name.clone() }
        };
        vec![format!("Outputs: {}", outputs.iter().map(shown).collect::<Vec<_>>().join(", "))]
    }

    fn completed(&mut self, hook: Hook) {
        let address = hook.resource.addr;
        match hook.action.as_str() {
            "create" => {
                let id = hook.id_value.unwrap_or_else(|| address.clone());
                self.created.insert(address, id);
            }
            "delete" => {
                // The message of the end has no id; that of the start had.
                let id = self.dying.remove(&address).unwrap_or_else(|| address.clone());
                self.destroyed.insert((address, id));
            }
            _ => {}
        }
    }
}

/// The sign of an action, as in terraform's own plans.
fn sign(action: &str) -> &'static str {
    match action {
        "create" => "+",
        "update" => "~",
        "delete" => "-",
        "replace" => "-/+",
        "read" => "<=",
        "import" => "import",
        "forget" | "remove" => "forget",
        _ => "=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Lines of terraform 1.11.4, without what is not read.
    const REPLACE: &str = r#"{"@message":"terraform_data.a: Plan to replace","change":{"resource":{"addr":"terraform_data.a"},"action":"replace","reason":"cannot_update"},"type":"planned_change"}"#;
    const PLANNED: &str = r#"{"@message":"Plan: 2 to add, 0 to change, 3 to destroy.","changes":{"add":2,"change":0,"import":0,"remove":3,"operation":"plan"},"type":"change_summary"}"#;
    const APPLIED: &str = r#"{"@message":"Apply complete! Resources: 1 added, 0 changed, 1 destroyed.","changes":{"add":1,"change":0,"import":0,"remove":1,"operation":"apply"},"type":"change_summary"}"#;
    const DESTROYING: &str = r#"{"@message":"terraform_data.a: Destroying... [id=1]","hook":{"resource":{"addr":"terraform_data.a"},"action":"delete","id_key":"id","id_value":"1"},"type":"apply_start"}"#;
    const DESTROYED: &str = r#"{"@message":"terraform_data.a: Destruction complete after 0s","hook":{"resource":{"addr":"terraform_data.a"},"action":"delete","elapsed_seconds":0},"type":"apply_complete"}"#;
    const CREATED: &str = r#"{"@message":"terraform_data.a: Creation complete after 0s [id=2]","hook":{"resource":{"addr":"terraform_data.a"},"action":"create","id_key":"id","id_value":"2","elapsed_seconds":0},"type":"apply_complete"}"#;
    const OUTPUTS: &str = r#"{"@message":"Outputs: 2","outputs":{"ips":{"sensitive":false,"value":["canary-1"]},"tok":{"sensitive":true,"value":"canary-2"}},"type":"outputs"}"#;
    const ERROR: &str = r#"{"@message":"Error: local-exec provisioner error","diagnostic":{"severity":"error","summary":"local-exec provisioner error","detail":"Error running command 'x': exit status 3.\n\nOutput: boo\n","address":"terraform_data.b","range":{"filename":"../m/main.tf","start":{"line":5,"column":29,"byte":156}},"snippet":{"code":"canary-3","values":[]}},"type":"diagnostic"}"#;

    fn base() -> Base {
        Base { root: "/p".into(), dir: "tf/env".into() }
    }

    fn told(stream: &mut Stream, lines: &[&str]) -> Vec<String> {
        lines.iter().flat_map(|line| stream.hear(line)).collect()
    }

    #[test]
    fn a_plan_is_told_and_counted() {
        let mut stream = Stream::new(&base(), Command::Plan);
        assert_eq!(
            told(&mut stream, &[REPLACE, PLANNED, OUTPUTS]),
            ["-/+ terraform_data.a (cannot update)", "Plan: 2 to add, 0 to change, 3 to destroy."]
        );
        assert_eq!(stream.plan().shown(), "+2 ~0 -3");
        assert_eq!(stream.destroys, ["terraform_data.a"]);
        let mut cut = Stream::new(&base(), Command::Plan);
        told(&mut cut, &[REPLACE]);
        assert_eq!(cut.plan().shown(), "+1 ~0 -1");
    }

    #[test]
    fn an_apply_gives_things_and_hides_values() {
        let mut stream = Stream::new(&base(), Command::Apply);
        let lines = told(&mut stream, &[REPLACE, PLANNED, DESTROYING, DESTROYED, CREATED, APPLIED, OUTPUTS]);
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(lines[4], "Outputs: ips, tok (sensitive)");
        assert_eq!(stream.counts.unwrap().shown(), "+1 ~0 -1");
        let one = |id: &str, generation| Incarnation {
            task: "t".to_owned(),
            address: "terraform_data.a".to_owned(),
            id: id.to_owned(),
            generation,
        };
        let before = BTreeSet::from([one("1", 3)]);
        assert_eq!(stream.apply_to(&before, "t", 7), BTreeSet::from([one("2", 7)]));
    }

    #[test]
    fn a_diagnostic_has_its_place_in_the_project() {
        let mut stream = Stream::new(&base(), Command::Apply);
        let lines = told(&mut stream, &[ERROR, "panic: not json"]);
        assert_eq!(
            lines,
            [
                "error: local-exec provisioner error",
                "  at `tf/m/main.tf:5`, terraform_data.b",
                "  Error running command 'x': exit status 3.",
                "  ",
                "  Output: boo",
                "panic: not json"
            ]
        );
        assert_eq!(
            stream.errors[0].short(&base()),
            "local-exec provisioner error: Error running command 'x': exit status 3. (`tf/m/main.tf:5`)"
        );
    }
}
