//! Owns the questions that planning asks of the world: one trait, answered by `host` with caches and
//! by tests with a map.
//! Does not know the answers.

use crate::model::digest::Digest;
use crate::model::name::{EnvName, TaskKey};
use crate::model::record::{Millis, Record};
use crate::model::task::Glob;
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;

/// Content of a path (design, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub digest: Digest,
    pub kind: ContentKind,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    Missing,
    File,
    Link,
    Folder,
}

/// A secret's digest, or that it can't be had without running something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretDigest {
    /// Keyed digest of its value.
    Known(Digest),
    /// Its source is a command and this is a reading command: taken as unchanged.
    NotAsked,
    /// It can't be had; why.
    Missing(String),
}

/// What planning must know of the world.
pub trait Facts {
    /// Content of a path relative to the root.
    fn content(&self, path: &Utf8Path) -> Result<Content, FactError>;
    /// Content of an output: a link is its text, wherever it leads.
    fn artifact(&self, path: &Utf8Path) -> Result<Content, FactError>;
    /// Files that a glob takes, sorted, relative to the root.
    fn glob(&self, glob: &Glob) -> Result<Arc<[Utf8PathBuf]>, FactError>;
    /// Files in a folder named in full, sorted, relative to the root, `.gitignore` disregarded.
    fn walk(&self, folder: &Utf8Path) -> Result<Arc<[Utf8PathBuf]>, FactError>;
    /// Version of a tool that `[requires]` lists; `None` when it is not installed.
    fn tool_version(&self, tool: &str) -> Result<Option<String>, FactError>;
    /// Content digest of the program that an argv's first word means; `None` when there is none.
    fn program(&self, word: &str) -> Option<Content>;
    /// Value of a variable of the caller (or of a dotenv file), for `pass_env`.
    fn caller_env(&self, name: &str) -> Option<String>;
    /// Keyed digest of text that may be secret.
    fn keyed(&self, name: &str, value: &[u8]) -> Digest;
    /// Keyed digest of a declared secret.
    fn secret(&self, name: &str) -> SecretDigest;
    /// The newest record of a pure task with this fingerprint, of any environment, not void.
    fn record(&self, task: TaskKey, fingerprint: &Digest) -> Result<Option<Arc<Record>>, FactError>;
    /// Records of a pure task, of any environment, not void, newest first, at most so many.
    fn records(&self, task: TaskKey, limit: usize) -> Result<Vec<Arc<Record>>, FactError>;
    /// Whether the content-addressed store holds this artifact whole.
    fn stored(&self, digest: &Digest) -> bool;
    /// The present moment.
    fn now(&self) -> Millis;
    /// The environment.
    fn env(&self) -> &EnvName;
}

/// The world could not be asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot read `{what}`: {why}")]
pub struct FactError {
    /// Path or thing.
    pub what: String,
    /// The system's or tool's words.
    pub why: String,
}

/// Read-only access to the project's files, for the layers that may do no I/O themselves.
pub trait Files {
    /// Text of a file relative to the root; `None` when there is none (or it is no text).
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>>;
    /// Why there is no text, or no list, of what is there: a lower-case fragment.
    fn unread(&self, path: &Utf8Path) -> Option<String> {
        let _ = path;
        None
    }
    /// Whether `.gitignore` leaves a path out, in a folder that it does not leave out.
    fn is_ignored(&self, path: &Utf8Path, kind: ContentKind) -> bool {
        let _ = (path, kind);
        false
    }
    /// Whether something is at a path, and what.
    fn kind(&self, path: &Utf8Path) -> ContentKind;
    /// Names in a folder, sorted; empty when there is none.
    fn list(&self, folder: &Utf8Path) -> Vec<String>;
}
