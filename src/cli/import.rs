//! Owns the words of `infra init` and `infra import`.
//! Does not know what they do.

use super::completion;
use clap::{Args, ValueEnum};

/// `infra init`.
#[derive(Clone, Copy, Debug, Args)]
pub struct InitArgs {
    /// Write `infra.toml` and `tasks/proposed.toml` instead of printing the tasks
    #[arg(long)]
    pub write: bool,
}

/// `infra import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Whose file it is; the tool itself reads it
    #[arg(value_enum)]
    pub tool: ImportTool,
    /// The file [default: the one that the tool looks for]
    #[arg(value_name = "FILE", add = completion::file())]
    pub file: Option<String>,
    /// Write `tasks/imported.toml`, which must not be there yet, and `infra.toml` where there is none, instead of printing
    #[arg(long)]
    pub write: bool,
}

/// Tools whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportTool {
    Make,
    Just,
    Task,
    Doit,
}
