//! Owns the answers of `infra artifacts` and `infra clean`, as data.
//! Does not know how they were found.

use serde::Serialize;

/// `infra artifacts`.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactsView {
    pub env: String,
    /// Newest first.
    pub artifacts: Vec<KeptView>,
}

/// An artifact that a record names.
#[derive(Clone, Debug, Serialize)]
pub struct KeptView {
    pub task: String,
    pub path: String,
    pub digest: String,
    pub size: u64,
    pub run: i64,
    pub age_seconds: i64,
    /// Whether it can be put back now.
    pub kept: bool,
    /// Whether the task's newest record names it.
    pub newest: bool,
}

/// `infra artifacts show`.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactShownView {
    pub env: String,
    pub digest: String,
    pub size: u64,
    pub kept: bool,
    /// `file`, `executable`, `link` or `folder`; absent when it is not kept.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub nature: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// Who made it, newest first.
    pub made: Vec<MakerView>,
}

/// A record that names an artifact.
#[derive(Clone, Debug, Serialize)]
pub struct MakerView {
    pub task: String,
    pub path: String,
    pub run: i64,
    pub age_seconds: i64,
}

/// `infra artifacts get`.
#[derive(Clone, Debug, Serialize)]
pub struct GotView {
    pub env: String,
    pub task: String,
    pub got: Vec<CopiedView>,
}

/// An artifact that was copied.
#[derive(Clone, Debug, Serialize)]
pub struct CopiedView {
    pub path: String,
    pub to: String,
    pub size: u64,
}

/// `infra clean`.
#[derive(Clone, Debug, Serialize)]
pub struct CleanView {
    /// Nothing was dropped, only told.
    pub dry_run: bool,
    pub artifacts: DroppedView,
    pub logs: DroppedView,
    pub freed_bytes: u64,
    /// What stays of both.
    pub kept_bytes: u64,
    /// By how much that is more than was asked for: the rest is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_bytes: Option<u64>,
    pub dropped: Vec<DroppedOneView>,
}

/// How much of one sort was dropped.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DroppedView {
    pub files: usize,
    pub bytes: u64,
}

/// One file or folder that was dropped.
#[derive(Clone, Debug, Serialize)]
pub struct DroppedOneView {
    /// Relative to the root.
    pub path: String,
    pub bytes: u64,
    pub age_seconds: i64,
}
