//! Owns the arguments of the commands that look after a project: its files, its tools, what it keeps.
//! Does not know what they do (`command/`).

use super::{Shell, completion};
use crate::manifest::duration;
use clap::{ArgGroup, Args, Subcommand};
use std::str::FromStr;
use std::time::Duration;

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

/// `infra man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The command [default: the program]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `infra artifacts`.
#[derive(Clone, Debug, Default, Args)]
pub struct ArtifactsArgs {
    /// Also those of older records
    #[arg(long)]
    pub all: bool,
    /// What to do with one, instead of listing them.
    #[command(subcommand)]
    pub command: Option<ArtifactsCommand>,
}

/// What is done with an artifact.
#[derive(Clone, Debug, Subcommand)]
pub enum ArtifactsCommand {
    /// Show one artifact: what it is, and which runs made it
    Show(ShowArtifactArgs),
    /// Copy what a task made last into a folder, where nothing may be in the way
    Get(GetArgs),
}

/// `infra artifacts show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArtifactArgs {
    /// Its path, or four digits or more of its digest
    #[arg(value_name = "ARTIFACT", add = completion::artifact())]
    pub artifact: String,
}

/// `infra artifacts get`.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// The task that made it
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: String,
    /// This one alone [default: all that it made]
    #[arg(value_name = "PATH", add = completion::artifact())]
    pub path: Option<String>,
    /// The folder; the artifact's own path is kept below it
    #[arg(long, value_name = "DIR", add = completion::folder())]
    pub to: String,
}

/// `infra clean`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("limit").required(true).multiple(true))]
pub struct CleanArgs {
    /// Drop what was made longer ago than this, such as `30d` or `12h`
    #[arg(long, value_name = "AGE", group = "limit")]
    pub older_than: Option<Age>,
    /// Drop the oldest until no more than this stays, such as `2GiB` or `500MB`
    #[arg(long, value_name = "SIZE", group = "limit")]
    pub max_size: Option<Size>,
    /// Say what would be dropped, and drop nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A duration on the command line, written as in task files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        duration::parse(text).map(Self).ok_or(duration::HELP)
    }
}

/// Bytes on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const UNITS: [(&str, u64); 10] = [
            ("", 1),
            ("B", 1),
            ("kB", 1000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("TB", 1_000_000_000_000),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("TiB", 1 << 40),
        ];
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = UNITS.iter().find(|(word, _)| word.eq_ignore_ascii_case(unit.trim()));
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, unit))| number.checked_mul(*unit));
        bytes.map(Self).ok_or("write `500MB`, `2GiB` or a number of bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_or_binary() {
        let of = |text: &str| text.parse::<Size>().map(|size| size.0).ok();
        assert_eq!((of("2GiB"), of("500 MB"), of("7")), (Some(2 << 30), Some(500_000_000), Some(7)));
        assert_eq!((of("1.5G"), of("GiB"), of("-1"), of("99999999TiB")), (None, None, None, None));
    }
}
