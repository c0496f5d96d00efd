//! Owns the order of commands in a delete: of what files name, or of what is on record.
//! Does not know command lines (`command`).

use super::command::Commands;
use super::objects::{self, LAST, NOTE, Reference};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use std::collections::{BTreeMap, BTreeSet};

/// The machine.
pub struct Deleting {
    job: Job,
    commands: Commands,
    stage: Stage,
    what: What,
    deleted: usize,
}

/// What is deleted.
enum What {
    Files,
    /// An undo: everything that was ever applied.
    Record(Vec<Reference>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    List,
    Delete,
}

impl Deleting {
    /// Deletes what the files of a job's table name.
    pub fn of_files(job: Job) -> Self {
        Self::new(job, "delete", What::Files)
    }

    /// Deletes what a job applied.
    pub fn of_record(job: Job) -> Self {
        let recorded = objects::recorded(&job, NOTE);
        Self::new(job, "apply", What::Record(recorded))
    }

    fn new(job: Job, key: &str, what: What) -> Self {
        Self { commands: Commands::new(&job, key), job, stage: Stage::Start, what, deleted: 0 }
    }

    fn work(&mut self) -> Move {
        match &self.what {
            What::Files => self.delete(),
            What::Record(recorded) if recorded.is_empty() => Self::nothing("nothing on record"),
            What::Record(recorded) => {
                self.stage = Stage::List;
                Move::Write { path: self.job.tmp.join("objects.json"), bytes: objects::list(recorded), mode: None }
            }
        }
    }

    fn delete(&mut self) -> Move {
        self.stage = Stage::Delete;
        match self.commands.delete(self.deleted) {
            Some(step) => {
                self.deleted += 1;
                Move::Run(step)
            }
            None => Move::Done(Done { summary: Some("deleted".to_owned()), ..Done::default() }),
        }
    }

    fn deleted(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            let said = last_words(end).map(|said| format!(": {said}")).unwrap_or_default();
            let message = format!("`kubectl delete` {}{said}", ended_badly(end));
            return Move::Fail(Trouble { message, ..Trouble::default() });
        }
        match &self.what {
            What::Files => self.delete(),
            What::Record(recorded) => Move::Done(Done {
                incarnations: Some(BTreeSet::new()),
                notes: no_objects(),
                summary: Some(format!("{} deleted", recorded.len())),
                ..Done::default()
            }),
        }
    }

    fn nothing(summary: &str) -> Move {
        Move::Done(Done { notes: no_objects(), ..Done::nothing_there(summary) })
    }
}

fn no_objects() -> BTreeMap<String, String> {
    [NOTE, LAST].map(|note| (note.to_owned(), "[]".to_owned())).into()
}

impl Machine for Deleting {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => self.work(),
            Stage::List => {
                self.stage = Stage::Delete;
                Move::Run(self.commands.delete_all(&self.job.tmp.join("objects.json")))
            }
            Stage::Delete => self.deleted(&end),
        }
    }
}
