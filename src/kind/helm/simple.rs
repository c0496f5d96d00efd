//! Owns the shorter orders of commands: test, template, lint.
//! Does not know command lines (`command`).

use super::command::Commands;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use crate::kind::text;
use camino::Utf8PathBuf;

/// Where to look after a failure in the cluster.
pub(super) const LAST_WORDS: &str = "the log ends with what its pods and the cluster's warnings say";

/// What to do where a hook stands in the way of an uninstall.
pub(super) const HOOKS: &str = "mend what it complains of, and do it again; `helm uninstall --no-hooks` by hand passes \
                                over what hooks complain of";

/// So many lines of an error are told; the log has all of them.
const ERROR_LINES: usize = 10;

/// The command whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Set,
    Work,
    Write,
    Pods,
    Events,
}

/// Runs the chart's tests.
pub struct Testing {
    commands: Commands,
    stage: Stage,
    failure: String,
}

impl Testing {
    /// A machine for a job.
    pub fn new(job: &Job) -> Self {
        Self { commands: Commands::new(job), stage: Stage::Start, failure: String::new() }
    }
}

impl Machine for Testing {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => {
                self.stage = Stage::Work;
                Move::Run(self.commands.test())
            }
            Stage::Pods => {
                self.stage = Stage::Events;
                Move::Run(self.commands.events())
            }
            Stage::Events => Move::Fail(Trouble {
                message: std::mem::take(&mut self.failure),
                hint: Some(LAST_WORDS.to_owned()),
                argv: self.commands.test().argv,
                ..Trouble::default()
            }),
            _ if end.is_ok() => Move::Done(Done { summary: Some("its tests passed".to_owned()), ..Done::default() }),
            _ => {
                self.failure = said("helm test", &end);
                self.stage = Stage::Pods;
                Move::Run(self.commands.pods())
            }
        }
    }
}

/// What is done with a chart alone.
pub enum Work {
    /// Rendered into a file (absolute).
    Template { to: Utf8PathBuf },
    /// Checked.
    Lint,
}

/// Works on the chart; asks no cluster.
pub struct Working {
    commands: Commands,
    work: Work,
    stage: Stage,
}

impl Working {
    /// A machine that renders the chart of a job.
    pub fn template(job: &Job) -> Self {
        let to = job.root.join(text(&job.table, "to").unwrap_or_default());
        Self { commands: Commands::new(job), work: Work::Template { to }, stage: Stage::Start }
    }

    /// A machine that checks the chart of a job.
    pub fn lint(job: &Job) -> Self {
        Self { commands: Commands::new(job), work: Work::Lint, stage: Stage::Start }
    }

    fn worked(&mut self, end: StepEnd) -> Move {
        match &self.work {
            Work::Template { .. } if !end.is_ok() => failed("helm template", &end),
            Work::Lint if !end.is_ok() => failed("helm lint", &end),
            Work::Template { to } => {
                self.stage = Stage::Write;
                Move::Write { path: to.clone(), bytes: end.stdout.into_bytes(), mode: Some(0o644) }
            }
            Work::Lint => Move::Done(Done { summary: Some("no complaint".to_owned()), ..Done::default() }),
        }
    }
}

impl Machine for Working {
    fn next(&mut self, heard: Heard) -> Move {
        match (self.stage, self.commands.set_file.clone()) {
            (Stage::Start, Some(path)) => {
                self.stage = Stage::Set;
                Move::Write { path, bytes: self.commands.set(), mode: None }
            }
            (Stage::Start, None) | (Stage::Set, _) => {
                self.stage = Stage::Work;
                Move::Run(match self.work {
                    Work::Template { .. } => self.commands.template(),
                    Work::Lint => self.commands.lint(),
                })
            }
            (Stage::Work, _) => self.worked(heard.end()),
            _ => Move::Done(Done { summary: Some("rendered".to_owned()), ..Done::default() }),
        }
    }
}

/// How a command failed, and what to do about it.
pub(super) fn failed(command: &str, end: &StepEnd) -> Move {
    let message = said(command, end);
    Move::Fail(Trouble { hint: hint(&message).map(str::to_owned), message, ..Trouble::default() })
}

/// What to do about what helm said.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let known = [
        (
            "missing in charts/",
            "a task with `helm = { chart = \"…\", action = \"dependencies\" }` fetches what the chart's lock names, \
             before this one",
        ),
        (
            "conflict occurred while applying",
            "somebody else set the field that it names: take the field out of the chart, so that it stays theirs, or take \
             it over once with `helm upgrade --force-conflicts` by hand",
        ),
        ("Hook pre-delete", HOOKS),
        ("Hook post-delete", HOOKS),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
}

/// How a command failed, with its last words.
pub(super) fn said(command: &str, end: &StepEnd) -> String {
    let said = last_error(end).map(|said| format!(": {said}")).unwrap_or_default();
    format!("`{command}` {}{said}", ended_badly(end))
}

/// What helm complained of, as a fragment: its last error may have several lines, of which the first ones name
/// what was not ready.
pub(super) fn last_error(end: &StepEnd) -> Option<String> {
    let Some(first) = end.tail.iter().rposition(|line| line.starts_with("Error: ")) else { return last_words(end) };
    // That it failed is said anyhow.
    let words = |line: &str| {
        let line = line.trim_start_matches("Error: ").trim_start_matches("UPGRADE FAILED: ");
        line.trim_start_matches("INSTALLATION FAILED: ").trim().trim_start_matches("* ").to_owned()
    };
    let lines = end.tail[first..].iter().map(|line| words(line)).filter(|line| !line.is_empty());
    lines.take(ERROR_LINES).reduce(|said, line| {
        let between = if said.ends_with(':') { " " } else { "; " };
        format!("{said}{between}{line}")
    })
}
