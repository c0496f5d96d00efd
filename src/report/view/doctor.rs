//! Owns the answer of `infra doctor`, as data.
//! Does not know how it was found.

use serde::Serialize;

/// `infra doctor`.
#[derive(Clone, Debug, Serialize)]
pub struct DoctorView {
    /// Absent where the declaration has mistakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Area by area.
    pub findings: Vec<FindingView>,
    pub ok: usize,
    pub warnings: usize,
    pub problems: usize,
}

impl DoctorView {
    /// The findings, counted.
    pub fn of(env: Option<String>, findings: Vec<FindingView>) -> Self {
        let count = |mark| findings.iter().filter(|one| one.verdict == mark).count();
        let (ok, warnings, problems) = (count(Mark::Ok), count(Mark::Warning), count(Mark::Problem));
        Self { env, findings, ok, warnings, problems }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct FindingView {
    pub area: Area,
    pub name: String,
    pub verdict: Mark,
    /// What there is; never a secret's value.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

impl FindingView {
    /// All is well.
    pub fn ok(area: Area, name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { area, name: name.into(), verdict: Mark::Ok, found: found.into(), todo: None }
    }

    /// It may do harm.
    pub fn warning(area: Area, name: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { verdict: Mark::Warning, todo: Some(todo.into()), ..Self::ok(area, name, found) }
    }

    /// Something will not work.
    pub fn problem(area: Area, name: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { verdict: Mark::Problem, todo: Some(todo.into()), ..Self::ok(area, name, found) }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    Project,
    Tools,
    Secrets,
    Environment,
    State,
    Machine,
}

impl Area {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Tools => "tools",
            Self::Secrets => "secrets",
            Self::Environment => "environment",
            Self::State => "state",
            Self::Machine => "machine",
        }
    }
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    Ok,
    Warning,
    Problem,
}

impl Mark {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}
