//! Owns names and ids: tasks, environments, runs, attempts.
//! Does not know what they name.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Place of a task in the graph of one load; not stable between loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

impl TaskId {
    /// As an index into arrays kept per task.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Row of a task in the store; stable over renames with `was`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskKey(pub i64);

/// Id of one try of one task; grows by one over the life of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId(pub i64);

/// Id of a memo record; grows by one over the life of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordId(pub i64);

/// Number of one invocation of `run` or `destroy`; grows by one over the life of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub i64);

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
    )*};
}
shown!(TaskId, TaskKey, AttemptId, RecordId, RunId);

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);
        impl $name {
            /// Wraps text that was checked elsewhere.
            pub fn new(text: impl AsRef<str>) -> Self { Self(Arc::from(text.as_ref())) }
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
        impl std::borrow::Borrow<str> for $name { fn borrow(&self) -> &str { &self.0 } }
    };
}

text_name!(
    /// Full name of a task: `configure`, `platform/configure`, `host[a]`, `test[x,y]`.
    TaskName
);
text_name!(
    /// Name of an environment.
    EnvName
);

/// Name of the task that `infra destroy` runs as; nobody else's.
pub const DESTROY: &str = "destroy";

/// Whether text may name a task, stage, tag or environment: a letter or digit first, then
/// letters, digits, `-`, `_` and `.`.
pub fn is_plain_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// How templates spell a name: `-`, `/` and `.` become `_`.
pub fn template_name(name: &str) -> String {
    name.replace(['-', '/', '.'], "_")
}
