//! Owns an environment: a named place with its own variables, secrets and policy.
//! Does not know the tasks that run in it.

use crate::model::diagnostic::Place;
use crate::model::name::EnvName;
use camino::Utf8PathBuf;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// When a person must agree before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approve {
    /// Never ask.
    #[default]
    Never,
    /// Before any change; where a tool can tell that there is none, not.
    OnChange,
    /// Before something is destroyed or replaced, and before an undo takes anything back.
    OnDestroy,
    /// Today as `OnChange`.
    Always,
}

impl Approve {
    /// Words for the four policies.
    pub const WORDS: [&'static str; 4] = ["never", "on-change", "on-destroy", "always"];

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "never" => Self::Never,
            "on-change" => Self::OnChange,
            "on-destroy" => Self::OnDestroy,
            "always" => Self::Always,
            _ => return None,
        })
    }
}

/// Where a secret comes from. Its value is never part of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of the caller.
    Env(String),
    /// A file, mode 0600.
    File(Utf8PathBuf),
    /// What a command prints.
    Command(Vec<String>),
}

/// A declared secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where its value comes from.
    pub source: SecretSource,
    /// Whether it rotates: then only its name is an input.
    pub rotation: Rotation,
    /// Where it is declared.
    pub place: Place,
}

/// Whether a new value of a secret makes what reads it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// A new value is a new input.
    Stays,
    /// `rotates = true`: a new value changes nothing.
    Rotates,
}

/// A variable's value and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its value.
    pub value: Json,
    /// `--set`, `env/dev.toml:3`, `infra.toml:9`: for explanations only.
    pub origin: String,
}

/// One environment with all that precedence settled: flags > environment file > `[env.X]` > `[vars]`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EnvName,
    /// All variables.
    pub vars: BTreeMap<String, Variable>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Approval policy.
    pub approve: Approve,
    /// Kubernetes contexts that are allowed; `None`: no rule.
    pub kube_context: Option<Vec<String>>,
    /// Variables from dotenv files: what `pass_env` may take beside the caller's.
    pub dotenv: BTreeMap<String, String>,
}
