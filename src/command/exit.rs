//! Owns the exit codes and the errors of commands: the one place that knows all of them.
//! Does not know how an error came about.

use crate::engine::RunError;
use crate::host::store::StoreError;
use crate::model::diagnostic::Diagnostic;
use crate::model::facts::FactError;
use crate::report::diagnostics::Sources;

/// Exit codes, documented in `docs/exit-codes.md` and in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    TaskFailed = 1,
    /// Wrong usage or declaration.
    Usage = 2,
    /// Another run holds the environment.
    Held = 3,
    /// A task is unknown and must be resolved.
    Unknown = 4,
    /// A guard, an approval or trust refused.
    Refused = 5,
    /// A tool is missing or too old.
    Tool = 6,
    /// The store can't be read or written.
    Store = 7,
    /// `status` and `plan` with `--exit-code`: something is stale.
    Stale = 10,
    Interrupted = 130,
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Mistakes in what the user wrote.
    #[error("{} in the declaration", crate::report::text::count(.found.len(), "mistake"))]
    Diagnostics { found: Vec<Diagnostic>, sources: Sources },
    /// Wrong usage.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// Another run holds the environment.
    #[error("{message}")]
    Held { message: String, hint: Option<String> },
    /// A tool is missing or too old.
    #[error("{message}")]
    Tool { message: String, hint: Option<String> },
    /// Refused.
    #[error("{message}")]
    Refused { message: String, hint: Option<String> },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The world can't be asked.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// A file of the program's own can't be written.
    #[error("{0}")]
    State(String),
    /// A file that was asked for can't be written.
    #[error("{0}")]
    Unwritten(String),
    /// A run could not go on.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl CommandError {
    /// Wrong usage, with a hint.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// Mistakes on the command line: in targets.
    pub fn targets(found: Vec<Diagnostic>) -> Self {
        Self::Diagnostics { found, sources: Sources::new() }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Diagnostics { .. } | Self::Usage { .. } => Exit::Usage,
            Self::Held { .. } => Exit::Held,
            Self::Refused { .. } | Self::Run(RunError::Refused { .. }) => Exit::Refused,
            Self::Store(_) | Self::Fact(_) | Self::State(_) | Self::Unwritten(_) => Exit::Store,
            Self::Run(RunError::Store(_) | RunError::Fact(_) | RunError::State { .. }) => Exit::Store,
            Self::Tool { .. } | Self::Run(RunError::Tools(_)) => Exit::Tool,
            Self::Run(RunError::Unknown { .. }) => Exit::Unknown,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let disk = "what finished before stays recorded; free space or mend permissions, then run again";
        match self {
            Self::Usage { hint, .. }
            | Self::Held { hint, .. }
            | Self::Refused { hint, .. }
            | Self::Tool { hint, .. } => hint.clone(),
            Self::Run(RunError::Refused { hint, .. } | RunError::Unknown { hint, .. }) => hint.clone(),
            Self::Run(RunError::Tools(_)) => {
                Some("nothing was run; install what is missing, or put it into `.tools/bin` of the project".to_owned())
            }
            Self::Store(error) | Self::Run(RunError::Store(error)) => Some(error.hint()),
            Self::State(_) | Self::Run(RunError::State { .. }) => Some(disk.to_owned()),
            Self::Unwritten(_) => {
                Some("nothing was written; free space or mend permissions, then say it again".to_owned())
            }
            Self::Fact(_) | Self::Run(RunError::Fact(_)) => Some("nothing was run because of it".to_owned()),
            Self::Diagnostics { .. } => None,
        }
    }
}
