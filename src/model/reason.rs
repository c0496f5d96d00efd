//! Owns the reasons for which a task is not fresh, each with what it needs to be explained.
//! Does not know how they are found (`plan/`) or shown (`report/`).

use serde::{Deserialize, Serialize};

/// Why a task is not fresh. The kebab-case name of the variant is the word for machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// No record of it in this environment (for a pure task: in any).
    NeverRan,
    /// The last attempt failed.
    LastAttemptFailed {
        attempt: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// The last attempt was cut short.
    Interrupted { attempt: i64 },
    /// A field of the task's own table changed.
    ActionChanged {
        field: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<String>,
    },
    /// An input file has other contents.
    InputChanged { path: String, old: String, new: String },
    /// An input file that was not there.
    InputAdded { path: String },
    /// An input file that is gone.
    InputRemoved { path: String },
    /// An output is not there.
    OutputMissing { path: String },
    /// An output has other contents than the task gave it.
    OutputChanged { path: String },
    /// A value that it reads of another task changed.
    ValueChanged {
        value: String,
        old: String,
        new: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<i64>,
    },
    /// Something that it needs made something else, or changed the world again.
    UpstreamChanged {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<i64>,
    },
    /// A variable that it reads changed.
    VariableChanged { name: String, old: String, new: String },
    /// An environment variable that it declares changed.
    EnvironmentChanged { name: String, old: String, new: String },
    /// A tool has another version.
    ToolChanged { tool: String, old: String, new: String },
    /// A real thing that it was built on is gone (`new` absent) or is another.
    Incarnation {
        task: String,
        address: String,
        old: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<String>,
    },
    /// A probe says that the thing is not there.
    ProbeDisagrees { message: String },
    /// A `read` task's record is older than its time to live, or it has none.
    Expired {
        #[serde(skip_serializing_if = "Option::is_none")]
        age: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl: Option<i64>,
    },
    /// Taken back, or begun to be.
    UndoneBy {
        task: String,
        /// Whether the undo came to its end; else something of it may be left.
        complete: bool,
    },
    /// Another task began to change the same thing.
    SupersededBy { task: String },
    /// Asked for with `--force`.
    Forced,
    /// The record was written under other rules.
    FormatChanged { old: u32, new: u32 },
    /// An upstream that it reads or needs is not fresh.
    UpstreamNotFresh { task: String },
    /// The task reads values of an expired `read` task as they were last seen.
    JudgedByLastValues { task: String },
    /// A `once` task that started since its last undo must not be repeated blindly.
    StartedOnce { attempt: i64 },
    /// An attempt's end is not known.
    EndUnknown { attempt: i64 },
    /// An input changed while the task ran.
    ChangedWhileRunning { path: String },
    /// A living run works on it.
    RunningIn { run: i64 },
    /// On record but no longer declared.
    NotDeclared,
    /// An undo task: these began to change the world since their last undo.
    ToUndo { tasks: Vec<String> },
    /// An undo task: its target has no history here, its tool will be asked.
    ToAsk { tasks: Vec<String> },
    /// Could not be judged without running a secret's command: taken as unchanged.
    SecretTakenAsUnchanged { name: String },
}

impl Reason {
    /// Reasons that inform but make nothing stale.
    pub fn is_remark(&self) -> bool {
        matches!(self, Self::JudgedByLastValues { .. } | Self::SecretTakenAsUnchanged { .. })
    }
}
