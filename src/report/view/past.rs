//! Owns the answers about what is on record: runs, attempts, logs, values, artifacts.
//! Does not know where it is kept.

use crate::model::effect::Outcome;
use serde::Serialize;
use serde_json::Value as Json;

/// `infra history` and `infra history TASK`: runs or attempts, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryView {
    pub env: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptView>>,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    pub run: i64,
    /// `run`, `watch`, `destroy`, `resolve`.
    pub command: String,
    pub targets: Vec<String>,
    /// Milliseconds since the epoch.
    pub started: i64,
    pub age_seconds: i64,
    /// Absent while it runs, or when it was cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Absent while it runs, or when it was cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How many tasks ended how, without those that are none.
    pub counts: Vec<CountView>,
}

/// How many tasks ended in one way.
#[derive(Clone, Debug, Serialize)]
pub struct CountView {
    pub outcome: Outcome,
    pub tasks: usize,
}

/// One attempt.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptView {
    pub attempt: i64,
    pub run: i64,
    pub task: String,
    /// Milliseconds since the epoch.
    pub started: i64,
    pub age_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// `open`, `done`, `failed`, `interrupted`, `cut` or `resolved`.
    pub phase: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `infra outputs`.
#[derive(Clone, Debug, Serialize)]
pub struct OutputsView {
    pub env: String,
    pub tasks: Vec<MadeView>,
}

/// What one task made.
#[derive(Clone, Debug, Serialize)]
pub struct MadeView {
    pub name: String,
    pub values: Vec<ValueView>,
    pub artifacts: Vec<ArtifactView>,
}

/// One exported value.
#[derive(Clone, Debug, Serialize)]
pub struct ValueView {
    pub key: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    pub secret: bool,
    /// Absent when it is secret and was not to be revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// `infra outputs TASK --key KEY`.
#[derive(Clone, Debug, Serialize)]
pub struct KeyView {
    pub env: String,
    pub task: String,
    pub key: String,
    pub value: Json,
}

/// `infra resolve`.
#[derive(Clone, Debug, Serialize)]
pub struct ResolvedView {
    pub env: String,
    pub task: String,
    /// `done`, `failed`, `rerun`, `accept-state` or `undone`.
    pub resolved: &'static str,
}

/// One artifact.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactView {
    pub path: String,
    pub digest: String,
    pub size: u64,
    /// Whether it can be put back.
    pub kept: bool,
}

/// `infra logs`.
#[derive(Clone, Debug, Serialize)]
pub struct LogsView {
    pub env: String,
    pub logs: Vec<LogView>,
}

/// One log.
#[derive(Clone, Debug, Serialize)]
pub struct LogView {
    pub task: String,
    pub run: i64,
    pub attempt: i64,
    /// Relative to the root.
    pub path: String,
    /// Absent when only the path was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
}
