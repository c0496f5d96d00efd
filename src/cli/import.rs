//! Owns the words of `infra import`.
//! Does not know what it does.

use clap::{Args, ValueEnum};

/// `infra import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Whose file it is; the tool itself reads it
    #[arg(value_enum)]
    pub tool: ImportTool,
    /// The file [default: the one that the tool looks for]
    #[arg(value_name = "FILE")]
    pub file: Option<String>,
    /// Write `tasks/imported.toml`, which must not be there yet, instead of printing it
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
