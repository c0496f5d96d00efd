//! Owns the grammar of the command line; its doc comments are the manual that `--help` prints.
//! Does not know what a command does (`command/`). The only module that knows clap.

use crate::report::paint::Verbosity;
use crate::report::select::{ColorWish, Wishes};
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::str::FromStr;

mod completion;
mod import;
mod line;
mod manual;
mod questions;
mod upkeep;

pub use completion::{Candidate, PathKind, Shell, candidates};
pub use import::{ImportArgs, ImportTool, InitArgs};
pub use line::{Unread, read};
pub use manual::{manual, manuals};
pub use questions::{
    GraphArgs, GraphFormat, HistoryArgs, ListArgs, LogsArgs, OutputsArgs, PlanArgs, ShowArgs, StatusArgs, WhyArgs,
};
pub use upkeep::{
    Age, ArtifactsArgs, ArtifactsCommand, CleanArgs, CompleteArgs, CompletionArgs, DoctorArgs, EditArgs, GetArgs,
    ManArgs, Size,
};

/// Heading of the options that select tasks.
const SELECTION: &str = "Selection";

/// What may stand where tasks are named.
const TARGETS: &str = "\
Targets:
  NAME         a task, else a stage, with everything upstream (`+NAME` is the same)
  stage:NAME   a stage, even where a task has its name
  NAME+        with everything downstream
  NAME!        it alone
  verify-*     a glob over task names
  tag:NAME     every task with this tag";

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  a task failed, or `doctor` found a problem
    2  wrong usage or declaration
    3  another run holds the environment
    4  a task's end is unknown and must be resolved (`infra resolve`)
    5  refused: a guard, an approval or trust
    6  a tool is missing or too old
    7  the store can't be read or written
   10  something is stale (`status` and `plan` with `--exit-code`)
  130  interrupted";

/// A build system for infrastructure.
///
/// Tasks are declared in `tasks/*.toml`. `infra run` executes those that are stale, and only those;
/// `infra why TASK` says why one is.
#[derive(Clone, Debug, Parser)]
#[command(name = "infra", version, after_help = format!("{TARGETS}\n\n{EXIT_CODES}"), arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Look for the project from DIR upwards instead of from the current folder
    #[arg(short = 'C', long, value_name = "DIR", add = completion::folder(), global = true)]
    pub directory: Option<String>,
    /// Environment to work in [default: `default_env` of `infra.toml`]
    #[arg(short, long, value_name = "ENV", env = "INFRA_ENV", hide_env_values = true, value_parser = NonEmptyStringValueParser::new(), add = completion::environment(), global = true)]
    pub env: Option<String>,
    /// Set a variable for this invocation, before all files; may be repeated
    #[arg(long, value_name = "K=V", add = completion::variable(), global = true)]
    pub set: Vec<Setting>,
    /// Write JSON to standard output: one document, for `run` one event a line
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours; `auto` heeds NO_COLOR, TERM and whether it is a terminal
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// Say only what failed
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
    /// Say every step, every reason and every fresh task, with the tools' own output
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

impl Global {
    /// How output is wanted.
    pub fn wishes(&self) -> Wishes {
        let color = match self.color {
            Color::Auto => ColorWish::Auto,
            Color::Always => ColorWish::Always,
            Color::Never => ColorWish::Never,
        };
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        Wishes { json: self.json, color, verbosity }
    }
}

/// `--set K=V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the variable.
    pub name: String,
    /// Its value, as written.
    pub value: String,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Self { name: name.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err("write NAME=VALUE"),
        }
    }
}

/// How many, of which none would be no answer.
fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a number, 1 or more")
}

/// The number of a run or of an attempt.
fn number(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "write its number, as `infra history` shows it")
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run what is stale, up to the targets
    Run(RunArgs),
    /// Find every mistake in every file; run nothing
    Check(CheckArgs),
    /// Look at the folder and propose tasks for what is there; run nothing
    Init(InitArgs),
    /// Make tasks out of a file of make, just, Task or doit, and say what could not be carried over; run nothing
    Import(ImportArgs),
    /// Print the JSON Schema of `infra.toml` or of `tasks/*.toml`
    Schema(SchemaArgs),
    /// Say which tasks are fresh and why the others are not; run nothing
    Status(StatusArgs),
    /// Explain one task: what changed since its last good run, old and new
    Why(WhyArgs),
    /// Say what `run` would do, and why; run nothing
    Plan(PlanArgs),
    /// List the tasks that are declared
    List(ListArgs),
    /// Show one task: where it is declared, what it does, what it reads, makes and is read by
    Show(ShowArgs),
    /// Open the file that declares a task in $VISUAL or $EDITOR, then check the project
    Edit(EditArgs),
    /// Draw how tasks depend on each other
    Graph(GraphArgs),
    /// Show what a task printed
    Logs(LogsArgs),
    /// Show past runs, or the attempts of one task
    History(HistoryArgs),
    /// Show what tasks made: values and artifacts
    Outputs(OutputsArgs),
    /// List the artifacts on record, show one, or copy one elsewhere
    Artifacts(ArtifactsArgs),
    /// Drop old artifacts and logs; each task's newest stay, and so do records and states
    Clean(CleanArgs),
    /// Run again whenever an input changes: tasks that are pure, that read, or that say `watch = true`
    Watch(WatchArgs),
    /// Look at all that a run will need: tools, secrets, state, disk, clock; write nothing
    Doctor(DoctorArgs),
    /// Undo everything on record in the environment, last made first
    Destroy(DestroyArgs),
    /// Say what came of a task whose end is not known
    Resolve(ResolveArgs),
    /// Print a script that completes commands, options and names of the project in a shell
    Completion(CompletionArgs),
    /// Print what may stand at a word of a command line: what those scripts ask
    #[command(hide = true)]
    Complete(CompleteArgs),
    /// Print the manual page of the program, or of a command
    #[command(hide = true)]
    Man(ManArgs),
}

/// Which tasks of the graph are meant.
#[derive(Clone, Debug, Default, Args)]
pub struct Selection {
    /// Tasks, stages, globs or `tag:NAME` [default: `default` of `infra.toml`]
    #[arg(value_name = "TARGET", add = completion::target())]
    pub targets: Vec<String>,
    /// This task alone, everything upstream as recorded; may be repeated
    #[arg(long, value_name = "TARGET", add = completion::target(), help_heading = SELECTION, conflicts_with_all = ["from", "until"])]
    pub only: Vec<String>,
    /// From this task on: it, and what lies downstream of it within the targets; may be repeated
    #[arg(long, value_name = "TARGET", add = completion::target(), help_heading = SELECTION)]
    pub from: Vec<String>,
    /// Up to this task, and no further; may be repeated
    #[arg(long, value_name = "TARGET", add = completion::target(), help_heading = SELECTION)]
    pub until: Vec<String>,
    /// Leave this task as recorded; may be repeated
    #[arg(long, value_name = "TARGET", add = completion::target(), help_heading = SELECTION)]
    pub skip: Vec<String>,
    /// Run the named targets even if fresh; a `once` task only when it is named in full
    #[arg(long, help_heading = SELECTION)]
    pub force: bool,
}

/// `infra run`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct RunArgs {
    /// Which tasks.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would run, like `infra plan`, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Go on with the last run that did not finish: its targets, environment and variables
    #[arg(long, conflicts_with_all = ["targets", "only", "from", "until", "skip", "force"])]
    pub resume: bool,
    /// Run again whenever an input changes, until interrupted
    #[arg(long, conflicts_with_all = ["dry_run", "resume", "force"])]
    pub watch: bool,
    /// After a failure, run everything that does not depend on what failed
    #[arg(short, long)]
    pub keep_going: bool,
    /// After a failure, interrupt the tasks that are still running
    #[arg(long, conflicts_with = "keep_going")]
    pub fail_fast: bool,
    /// At most N tasks at a time [default: number of processors]
    #[arg(short, long, value_name = "N", value_parser = count)]
    pub jobs: Option<NonZeroUsize>,
    /// Wait for another run of the same environment to end instead of refusing
    #[arg(long)]
    pub wait: bool,
    /// Approve what `approve` in `infra.toml` would ask about
    #[arg(long)]
    pub yes: bool,
    /// Write how each task ended as JUnit XML, however the run ends
    #[arg(long, value_name = "FILE", add = completion::file(), conflicts_with_all = ["dry_run", "watch"])]
    pub junit: Option<String>,
}

/// `infra check`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CheckArgs {}

/// `infra schema`.
#[derive(Clone, Copy, Debug, Args)]
pub struct SchemaArgs {
    /// Schema of `infra.toml` (`project`) or of `tasks/*.toml` (`tasks`) [default: both in one document]
    #[arg(value_enum)]
    pub file: Option<SchemaFile>,
}

/// Files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaFile {
    Project,
    Tasks,
}

/// `infra watch`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct WatchArgs {
    /// Tasks, stages, globs or `tag:NAME` [default: `default` of `infra.toml`]
    #[arg(value_name = "TARGET", add = completion::target())]
    pub targets: Vec<String>,
    /// At most N tasks at a time [default: number of processors]
    #[arg(short, long, value_name = "N", value_parser = count)]
    pub jobs: Option<NonZeroUsize>,
}

/// `infra destroy`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct DestroyArgs {
    /// Undo only these, and what was built on them [default: everything on record]
    #[arg(value_name = "TARGET", add = completion::target())]
    pub targets: Vec<String>,
    /// Undo only what is on record but no longer declared
    #[arg(long, conflicts_with = "targets")]
    pub orphans: bool,
    /// Do not ask; needed where nobody can answer
    #[arg(long)]
    pub yes: bool,
    /// Wait for another run of the same environment to end instead of refusing
    #[arg(long)]
    pub wait: bool,
}

/// `infra resolve`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("verdict").required(true).multiple(false))]
pub struct ResolveArgs {
    /// The task that is unknown or refused, or whose undo finds nobody to ask
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: String,
    /// It did what it should, and is not repeated
    #[arg(long, group = "verdict")]
    pub done: bool,
    /// It failed, and is known to have failed
    #[arg(long, group = "verdict")]
    pub failed: bool,
    /// It may be run again, once
    #[arg(long, group = "verdict")]
    pub rerun: bool,
    /// The terraform state, or the cluster, that was refused is the right one: believe it from now on
    #[arg(long, group = "verdict")]
    pub accept_state: bool,
    /// What it made is gone, or was taken back by hand: nothing of it is left to undo
    #[arg(long, group = "verdict")]
    pub undone: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests;
