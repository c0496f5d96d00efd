//! Owns rendering a folder of kustomize into a file.
//! Does not know a cluster: it asks none.

use super::command::Commands;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use crate::kind::text;
use camino::Utf8PathBuf;

/// The machine.
pub struct Rendering {
    commands: Commands,
    folder: Utf8PathBuf,
    to: Utf8PathBuf,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Render,
    Write,
}

impl Rendering {
    /// A machine for a job.
    pub fn new(job: &Job) -> Self {
        let path = |key: &str| job.root.join(text(&job.table, key).unwrap_or_default());
        let (folder, to) = (path("render"), path("to"));
        Self { commands: Commands::new(job, "render"), folder, to, stage: Stage::Start }
    }
}

impl Machine for Rendering {
    fn next(&mut self, heard: Heard) -> Move {
        match (self.stage, heard) {
            (Stage::Start, _) => {
                self.stage = Stage::Render;
                Move::Run(self.commands.render(&self.folder))
            }
            (Stage::Render, Heard::Step(end)) if end.is_ok() => {
                self.stage = Stage::Write;
                Move::Write { path: self.to.clone(), bytes: end.stdout.into_bytes(), mode: Some(0o644) }
            }
            (Stage::Render, heard) => {
                let end = if let Heard::Step(end) = heard { end } else { StepEnd::default() };
                let said = last_words(&end).map(|said| format!(": {said}")).unwrap_or_default();
                let message = format!("`kubectl kustomize` {}{said}", ended_badly(&end));
                Move::Fail(Trouble { message, ..Trouble::default() })
            }
            (Stage::Write, _) => Move::Done(Done { summary: Some("rendered".to_owned()), ..Done::default() }),
        }
    }
}
