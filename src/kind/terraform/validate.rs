//! Owns the order of terraform's commands in a check of the configuration alone.
//! Does not know backends: it touches none.

use super::command::Commands;
use super::diagnostic::Diagnostic;
use super::trouble;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd};
use serde::Deserialize;

/// The machine.
pub struct Validating {
    commands: Commands,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Init,
    Validate,
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
}

impl Validating {
    /// A machine for a job.
    pub fn new(job: &Job) -> Self {
        let mut commands = Commands::new(job);
        // Initialised without a backend, so it may not share the data folder of an apply.
        commands.data = job.keep.join("validate");
        Self { commands, stage: Stage::Start }
    }

    fn judge(&self, end: &StepEnd) -> Move {
        let verdict: Result<Verdict, _> = serde_json::from_str(&end.stdout);
        let diagnostics = verdict.map(|verdict| verdict.diagnostics).unwrap_or_default();
        let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(|one| one.severity == "error");
        if !end.is_ok() {
            return Move::Fail(trouble::failed(&self.commands, "validate", end, &errors));
        }
        let summary = match warnings.as_slice() {
            [] => "valid".to_owned(),
            [first, rest @ ..] => {
                let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
                format!("valid; warning: {}{more}", first.short(&self.commands.base))
            }
        };
        Move::Done(Done { summary: Some(summary), unchanged: true, ..Done::default() })
    }
}

impl Machine for Validating {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            // Always: it is cheap without a backend, and a check must not depend on history.
            Stage::Start => {
                self.stage = Stage::Init;
                Move::Run(self.commands.init(false))
            }
            Stage::Init if end.is_ok() => {
                self.stage = Stage::Validate;
                Move::Run(self.commands.validate())
            }
            Stage::Init => Move::Fail(trouble::failed(&self.commands, "init", &end, &[])),
            Stage::Validate => self.judge(&end),
        }
    }
}
