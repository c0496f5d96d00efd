//! Owns the arguments of the commands that look after a project: its files, its tools, what it keeps.
//! Does not know what they do (`command/`).

use clap::Args;

/// `infra edit`.
#[derive(Clone, Debug, Args)]
pub struct EditArgs {
    /// The task to edit
    #[arg(value_name = "TASK")]
    pub task: String,
}

/// `infra doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {}
