//! Owns the arguments of the commands that answer questions, none of which writes.
//! Does not know how they are answered (`command/`).

use super::{Selection, TARGETS, completion, count, number};
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;

/// `infra status`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct StatusArgs {
    /// Tasks, stages, globs or `tag:NAME` [default: all]
    #[arg(value_name = "TARGET", add = completion::target())]
    pub targets: Vec<String>,
    /// Ask the probes now instead of showing their last answers
    #[arg(long)]
    pub probe: bool,
    /// End with exit code 10 if anything is not fresh
    #[arg(long)]
    pub exit_code: bool,
}

/// `infra why`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// The task to explain
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: String,
}

/// `infra show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The task to show
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: String,
}

/// `infra plan`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TARGETS)]
pub struct PlanArgs {
    /// Which tasks.
    #[command(flatten)]
    pub selection: Selection,
    /// End with exit code 10 if anything would run
    #[arg(long)]
    pub exit_code: bool,
}

/// `infra list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ListArgs {}

/// `infra graph`.
#[derive(Clone, Debug, Args)]
#[command(after_help = TARGETS)]
pub struct GraphArgs {
    /// Tasks, stages, globs or `tag:NAME` [default: all]
    #[arg(value_name = "TARGET", add = completion::target())]
    pub targets: Vec<String>,
    /// Notation [default: text]
    #[arg(long, value_enum)]
    pub format: Option<GraphFormat>,
}

/// Notations of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A tree for the terminal.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid, for Markdown.
    Mermaid,
    /// A picture for browsers.
    Svg,
}

/// `infra logs`.
#[derive(Clone, Debug, Default, Args)]
pub struct LogsArgs {
    /// The task [default: those that failed in the last run, else all of that run]
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: Option<String>,
    /// Of this run instead of the last one
    #[arg(long, value_name = "N", value_parser = number)]
    pub run: Option<i64>,
    /// Of this attempt
    #[arg(long, value_name = "N", conflicts_with = "run", value_parser = number)]
    pub attempt: Option<i64>,
    /// Print the path of the log instead of the log
    #[arg(long)]
    pub path: bool,
}

/// `infra history`.
#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    /// Attempts of this task instead of runs
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: Option<String>,
    /// At most N, newest first
    #[arg(long, value_name = "N", default_value = "20", value_parser = count)]
    pub limit: NonZeroUsize,
}

/// `infra outputs`.
#[derive(Clone, Debug, Default, Args)]
pub struct OutputsArgs {
    /// The task [default: all]
    #[arg(value_name = "TASK", add = completion::task())]
    pub task: Option<String>,
    /// Print this value alone: text as it is, anything else as JSON
    #[arg(long, value_name = "K", requires = "task", add = completion::key())]
    pub key: Option<String>,
    /// Show secret values instead of a mask
    #[arg(long)]
    pub reveal: bool,
}
