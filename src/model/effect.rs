//! Owns what a task does to the world and the states a task can be in.
//! Does not know how either is decided.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a task does to the world; decides which record may be believed (design, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Same inputs give the same outputs, and that is all it does.
    Pure,
    /// Observes the world.
    Read,
    /// Changes the world, safe to repeat.
    Idempotent,
    /// Changes the world, must not be repeated blindly.
    Once,
}

impl Effect {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 4] = [Self::Pure, Self::Read, Self::Idempotent, Self::Once];

    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::Once => "once",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.word() == word)
    }

    /// Whether a task of this effect may change the world.
    pub fn changes_world(self) -> bool {
        matches!(self, Self::Idempotent | Self::Once)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is known of a task in an environment, as `status` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A record may be believed: nothing to do.
    Fresh,
    /// All in order but an artifact, which is put back from the store without running.
    Restorable,
    /// Has a reason of its own to run.
    Stale,
    /// No reason of its own, but an upstream that it reads or needs is not fresh.
    Deferred,
    /// An attempt is under way in a living run.
    Running,
    /// The last attempt failed.
    Failed,
    /// A `once` task whose end is not known: a person must say (`infra resolve`).
    Unknown,
    /// On record, but no longer declared.
    Orphaned,
}

impl State {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Restorable => "restorable",
            Self::Stale => "stale",
            Self::Deferred => "deferred",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Orphaned => "orphaned",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a task ended in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Executed and succeeded.
    Ran,
    /// Not executed: a record was believed.
    Fresh,
    /// Not executed: its artifacts were put back.
    Restored,
    /// Executed and failed, or could not be started.
    Failed,
    /// Not executed: left out on request, or something upstream failed.
    Skipped,
    /// Ended by a signal that the user sent.
    Interrupted,
}

impl Outcome {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Fresh => "fresh",
            Self::Restored => "restored",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether what follows may build on it.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Ran | Self::Fresh | Self::Restored)
    }
}
