//! Owns the shorter orders of commands: test, template, lint.
//! Does not know command lines (`command`).

use super::command::Commands;
use super::last::LastWords;
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

/// What to do where a release is tested that is not there.
const RELEASE_FIRST: &str = "the task that installs it comes first where this one `needs` it";

/// What to do where a chart's dependencies are not in it.
const DEPENDENCIES: &str = "a task with `helm = { chart = \"…\", action = \"dependencies\" }` fetches what the chart's lock \
                            names, before this one";

/// So many characters of a line of an error are told, of its beginning and of its end: a patch that was refused stands
/// whole in between.
const ERROR_ENDS: (usize, usize) = (160, 240);

/// So many lines of an error are told; the log has all of them.
const ERROR_LINES: usize = 10;

/// The command whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Set,
    Work,
    Write,
    LastWords,
}

/// Runs the chart's tests.
pub struct Testing {
    commands: Commands,
    stage: Stage,
    failure: String,
    last_words: LastWords,
}

impl Testing {
    /// A machine for a job.
    pub fn new(job: &Job) -> Self {
        let last_words = LastWords::of_release();
        Self { commands: Commands::new(job), stage: Stage::Start, failure: String::new(), last_words }
    }

    fn failed(&mut self, end: &StepEnd) -> Move {
        self.failure = said("helm test", end);
        if self.failure.contains("release: not found") {
            let (namespace, release) = (self.commands.namespace_name(), &self.commands.release);
            return self.trouble(format!("release `{namespace}/{release}` is not there"), RELEASE_FIRST);
        }
        self.stage = Stage::LastWords;
        self.last_words = LastWords::of_tests(end);
        self.ask_for_last_words(end)
    }

    fn ask_for_last_words(&mut self, end: &StepEnd) -> Move {
        match self.last_words.next(&self.commands, end) {
            Some(step) => Move::Run(step),
            None => self.trouble(self.failure.clone(), LAST_WORDS),
        }
    }

    fn trouble(&self, message: String, hint: &str) -> Move {
        let argv = self.commands.test().argv;
        Move::Fail(Trouble { message, hint: Some(hint.to_owned()), argv, ..Trouble::default() })
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
            Stage::LastWords => self.ask_for_last_words(&end),
            _ if end.is_ok() => Move::Done(Done { summary: Some("its tests passed".to_owned()), ..Done::default() }),
            _ => self.failed(&end),
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
            Work::Lint if !end.is_ok() => complained(&end),
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

/// What a lint complains of: its last line only counts charts.
fn complained(end: &StepEnd) -> Move {
    let is_complaint = |line: &str| line.starts_with("[ERROR]") || line.starts_with("[WARNING]");
    let mut told: Vec<String> = Vec::new();
    let mut inside = false;
    for line in &end.tail {
        inside = is_complaint(line) || (inside && line.starts_with(' '));
        match told.last_mut().filter(|_| !is_complaint(line)) {
            _ if !inside => {}
            Some(complaint) => complaint.extend([" ", line.trim()]),
            None => told.push(line.split_once(']').map_or(line.as_str(), |(_, rest)| rest).trim().to_owned()),
        }
    }
    if told.is_empty() {
        return failed("helm lint", end);
    }
    let told: Vec<String> = told.iter().take(ERROR_LINES).map(|line| shortened(line)).collect();
    let message = format!("`helm lint` complains: {}", told.join("; "));
    Move::Fail(Trouble { hint: hint(&message).map(str::to_owned), message, ..Trouble::default() })
}

/// How a command failed, and what to do about it.
pub(super) fn failed(command: &str, end: &StepEnd) -> Move {
    let message = said(command, end);
    Move::Fail(Trouble { hint: hint(&message).map(str::to_owned), message, ..Trouble::default() })
}

/// What to do about what helm said.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let known = [
        ("missing in charts/", DEPENDENCIES),
        ("is missing these dependencies", DEPENDENCIES),
        (
            ": path \"",
            "a chart in the project is a folder or an archive, by its path from the root; one elsewhere needs `repo`",
        ),
        ("failed to create: namespaces", "`create_namespace = true` makes the namespace"),
        (
            "cannot be imported into the current release",
            "somebody else made what it names: take it out of the chart or out of the cluster, or let the release take it \
             over once with `helm upgrade --take-ownership` by hand",
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

/// A line without its middle, where that is too much to read.
fn shortened(line: &str) -> String {
    let (first, last) = ERROR_ENDS;
    let count = line.chars().count();
    if count <= first + last {
        return line.to_owned();
    }
    let start: String = line.chars().take(first).collect();
    let end: String = line.chars().skip(count - last).collect();
    format!("{start} … {end}")
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
    let lines = end.tail[first..].iter().map(|line| shortened(&words(line))).filter(|line| !line.is_empty());
    lines.take(ERROR_LINES).reduce(|said, line| {
        let between = if said.ends_with(':') { " " } else { "; " };
        format!("{said}{between}{line}")
    })
}
