//! Owns the answer of `infra show`, as data.
//! Does not know how it was found.

use crate::model::effect::{Effect, State};
use crate::report::view::Carries;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// `infra show TASK`.
#[derive(Clone, Debug, Serialize)]
pub struct ShowView {
    pub env: String,
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
    pub state: State,
    /// `file:line:column`.
    pub declared: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// The kind's table, as far as it is known; secrets masked, what waits as it is written.
    pub action: BTreeMap<String, Json>,
    /// Tasks whose values it reads and that are not known yet.
    pub waits_for: Vec<String>,
    /// Working folder, relative to the root; empty: the root.
    pub dir: String,
    /// Names of declared environment variables.
    pub environment: Vec<String>,
    /// Names of variables that are taken from the caller.
    pub pass_env: Vec<String>,
    pub reads: ReadsView,
    pub inputs: Vec<InputView>,
    pub outputs: Vec<OutputView>,
    /// Name → type.
    pub exports: BTreeMap<String, String>,
    /// What it depends on, each with what the edge carries.
    pub upstream: Vec<NeighbourView>,
    /// What depends on it.
    pub downstream: Vec<NeighbourView>,
    pub settings: SettingsView,
    /// Argvs that take it back.
    pub undo: Vec<Vec<Json>>,
    /// Tasks that it takes back.
    pub undoes: Vec<String>,
}

/// What its templates read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReadsView {
    /// `task.key`.
    pub values: Vec<String>,
    pub variables: Vec<String>,
    pub secrets: Vec<String>,
}

/// One input.
#[derive(Clone, Debug, Serialize)]
pub struct InputView {
    /// A path, or a glob.
    pub path: String,
    pub origin: InputOrigin,
    /// The task that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// Who said that something is an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputOrigin {
    /// Written under `inputs`.
    Declared,
    /// Found by the kind.
    Inferred,
    /// A glob, declared or found by the kind.
    Glob,
    /// Another task's output.
    Artifact,
}

impl InputOrigin {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Inferred => "inferred",
            Self::Glob => "glob",
            Self::Artifact => "artifact",
        }
    }
}

/// One output.
#[derive(Clone, Debug, Serialize)]
pub struct OutputView {
    /// With a slash at its end where it is a folder.
    pub path: String,
    /// Secret: 0600, and not kept.
    pub secret: bool,
}

/// A task beside this one.
#[derive(Clone, Debug, Serialize)]
pub struct NeighbourView {
    pub task: String,
    pub carries: Carries,
}

/// How it is run and asked, not what it makes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SettingsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<f64>,
    /// Tries after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// `exec`, `tcp`, `http` or `kind`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<&'static str>,
    /// What the world is waited for with, after its steps.
    pub ready: Vec<&'static str>,
    pub allow_failure: bool,
    pub interactive: bool,
    pub watch: bool,
    pub in_place: Vec<String>,
    /// Former names.
    pub was: Vec<String>,
    /// The thing in the world that it owns and that others could own too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}
