//! Owns memo records and what the store remembers of a task in an environment.
//! Does not know how they are stored (`host/store`) or believed (`plan/verdict`).

use crate::model::digest::{Digest, Domain, Encoder};
use crate::model::effect::Effect;
use crate::model::manifest::Manifest;
use crate::model::name::{AttemptId, EnvName, RecordId, RunId, TaskKey};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A moment: milliseconds since the epoch, by the host's clock.
pub type Millis = i64;

/// An output as it was when the task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Relative to the root.
    pub path: String,
    /// Digest of its content (design, section 4, `content(path)`).
    pub digest: Digest,
    /// Whether it can be put back.
    pub kept: bool,
    /// Bytes, of a folder all its files together.
    pub size: u64,
}

/// A value as it was when the task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Export {
    /// In the clear.
    Plain {
        /// Its value.
        value: Json,
    },
    /// Sealed under the project's key.
    Sealed {
        /// Base64 of nonce and cipher text.
        sealed: String,
        /// Keyed digest: what downstream sees.
        digest: Digest,
    },
}

impl Export {
    /// What downstream sees of it.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Plain { value } => crate::model::value::digest(value),
            Self::Sealed { digest, .. } => *digest,
        }
    }

    /// Text for people: the value, or a mask.
    pub fn shown(&self) -> String {
        match self {
            Self::Plain { value } => crate::model::value::canonical(value),
            Self::Sealed { digest, .. } => format!("•••••• (keyed {})", digest.short()),
        }
    }
}

/// Identity of one real thing behind a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// Task that made it (name at the time).
    pub task: String,
    /// Address in its tool: `terraform_data.vm["w1"]`, `cluster`.
    pub address: String,
    /// The tool's id of it.
    pub id: String,
    /// Attempt in which its creation was reported: an id can come back.
    pub generation: i64,
}

/// Digest of a set of incarnations, to compare sets quickly.
pub fn incarnations_digest(set: &BTreeSet<Incarnation>) -> Digest {
    let mut encoder = Encoder::new(Domain::Incarnations);
    for one in set {
        encoder.text(&one.task).text(&one.address).text(&one.id).number(one.generation.unsigned_abs());
    }
    encoder.finish()
}

/// Why a record may no longer be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Void {
    /// A newer attempt of the same task began to change its subject.
    NewStart { attempt: i64 },
    /// Another task began to change the same subject.
    Superseded { task: String },
    /// An undo began.
    Undone { task: String },
    /// A failed attempt with the same fingerprint (pure tasks).
    Failed { attempt: i64 },
    /// A person said so (`infra resolve --rerun`), or an input changed while it ran.
    Resolved,
    /// An input changed while it ran.
    ChangedWhileRunning { path: String },
}

/// The evidence that a task is done.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: RecordId,
    pub task: TaskKey,
    pub env: EnvName,
    pub run: RunId,
    pub attempt: AttemptId,
    pub effect: Effect,
    /// `model::manifest::FORMAT` at the time.
    pub format: u32,
    pub fingerprint: Digest,
    pub manifest: std::sync::Arc<LazyManifest>,
    pub artifacts: Vec<Artifact>,
    pub exports: BTreeMap<String, Export>,
    /// What it was built on; empty for pure tasks.
    pub built_on: BTreeSet<Incarnation>,
    pub created: Millis,
    pub seconds: f64,
    pub void: Option<Void>,
}

impl Record {
    /// Digest of all outputs and exports: what those that need a pure or read task see.
    pub fn made(&self) -> Digest {
        let mut encoder = Encoder::new(Domain::Made);
        encoder.number(self.artifacts.len() as u64);
        for artifact in &self.artifacts {
            encoder.text(&artifact.path).digest(&artifact.digest);
        }
        encoder.number(self.exports.len() as u64);
        for (key, export) in &self.exports {
            encoder.text(key).digest(&export.digest());
        }
        encoder.finish()
    }
}

/// A manifest that is decoded only when something must be explained.
#[derive(Debug)]
pub struct LazyManifest {
    json: Vec<u8>,
    parsed: std::sync::OnceLock<Manifest>,
}

impl LazyManifest {
    /// From the store.
    pub fn from_json(json: Vec<u8>) -> Self {
        Self { json, parsed: std::sync::OnceLock::new() }
    }

    /// From memory.
    pub fn from_manifest(manifest: Manifest) -> Self {
        let parsed = std::sync::OnceLock::new();
        let json = serde_json::to_vec(&manifest).unwrap_or_default();
        let _ = parsed.set(manifest);
        Self { json, parsed }
    }

    /// The encoded form.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The manifest; empty when it can't be read (then every entry counts as changed).
    pub fn get(&self) -> &Manifest {
        self.parsed.get_or_init(|| serde_json::from_slice(&self.json).unwrap_or_default())
    }
}

/// How an attempt ended, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its intent is durable; nothing is known of its end.
    Open,
    /// Succeeded; its memo is in the store.
    Done,
    /// Ended and failed.
    Failed,
    /// Ended by a signal that the user sent.
    Interrupted,
    /// Cut short by a crash: its end is not known.
    Cut,
    /// A person resolved it.
    Resolved,
}

impl Phase {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cut => "cut",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Failed, Self::Interrupted, Self::Cut, Self::Resolved]
            .into_iter()
            .find(|phase| phase.word() == word)
    }
}

/// One try of one task.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: AttemptId,
    pub task: TaskKey,
    pub env: EnvName,
    pub run: RunId,
    pub effect: Effect,
    pub phase: Phase,
    /// Whether a step that can change the world was begun.
    pub began: bool,
    pub started: Millis,
    pub ended: Option<Millis>,
    pub message: Option<String>,
    pub fingerprint: Option<Digest>,
}

/// Everything the store remembers of a task in an environment, for one judgement.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The newest record of this environment, void or not.
    pub newest: Option<std::sync::Arc<Record>>,
    /// The last attempt of this environment.
    pub last: Option<Attempt>,
    /// Effect token.
    pub token: Option<String>,
    /// The run that last changed the token or made the newest record.
    pub changed_in: Option<RunId>,
    /// The real things behind it now.
    pub incarnations: BTreeSet<Incarnation>,
    /// The last attempt that began to change the world since the last complete undo.
    pub began: Option<AttemptId>,
    /// Whether its thing is known: it was begun or undone here, or its tool was asked what is there.
    pub asked: bool,
    /// Whether a `once` task was allowed to run again (`infra resolve --rerun`).
    pub rerun_allowed: bool,
    /// Average duration, seconds.
    pub typical_seconds: Option<f64>,
    /// The last probe answer: agreed, when, message.
    pub probe: Option<(bool, Millis, String)>,
}
