//! Owns the arguments of the commands that look after a project: its files, its tools, what it keeps.
//! Does not know what they do (`command/`).

use super::{Shell, completion};
use clap::Args;

/// `infra edit`.
#[derive(Clone, Debug, Args)]
pub struct EditArgs {
    /// The task to edit
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: String,
}

/// `infra doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {}

/// `infra completion`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionArgs {
    /// Whose script
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `infra complete`.
#[derive(Clone, Debug, Args)]
pub struct CompleteArgs {
    /// Number of the word that is completed; the program's name is 0
    #[arg(long, value_name = "N")]
    pub index: usize,
    /// The command line
    #[arg(value_name = "WORD", last = true)]
    pub words: Vec<String>,
}
