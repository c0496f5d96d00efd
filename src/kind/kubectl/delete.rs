//! Owns the order of commands in a delete: of what files name, or of what is on record.
//! Does not know command lines (`command`), nor whose an object is (`record`).

use super::command::Commands;
use super::objects::{self, Reference};
use super::record::{self, Foreign, LAST, NOTE, Record};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Change, Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};

/// The machine.
pub struct Deleting {
    job: Job,
    commands: Commands,
    stage: Stage,
    what: What,
    /// Sources that were read.
    sources: usize,
    /// What is asked for.
    wanted: BTreeSet<Reference>,
    /// What is there and is deleted.
    chosen: Vec<Reference>,
    /// What is left alone, and why.
    left: Vec<String>,
    /// Objects of kinds that the cluster does not know any more.
    unknown: usize,
    failed: String,
}

/// What is deleted.
enum What {
    Files,
    /// An undo: everything that was ever applied, or may have been.
    Record(Record),
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    /// What the files name, or what the journal holds.
    Look,
    List,
    Read,
    Choose,
    Approve,
    Delete,
    Left,
    Forget,
}

impl Deleting {
    /// Deletes what the files of a job's table name.
    pub fn of_files(job: Job) -> Self {
        Self::new(job, "delete", What::Files)
    }

    /// Deletes what a job applied.
    pub fn of_record(job: Job) -> Self {
        let record = Record::of(&job);
        Self::new(job, "apply", What::Record(record))
    }

    fn new(job: Job, key: &str, what: What) -> Self {
        Self {
            commands: Commands::new(&job, key),
            job,
            stage: Stage::Start,
            what,
            sources: 0,
            wanted: BTreeSet::new(),
            chosen: Vec::new(),
            left: Vec::new(),
            unknown: 0,
            failed: String::new(),
        }
    }

    fn look(&mut self) -> Move {
        self.stage = Stage::Look;
        match &self.what {
            What::Files => match self.commands.look(self.sources) {
                Some(step) => Move::Run(step),
                None => self.ask(),
            },
            What::Record(_) => Move::Run(self.commands.remember(record::journal(&self.job))),
        }
    }

    fn looked(&mut self, end: &StepEnd) -> Move {
        if let What::Record(record) = &mut self.what {
            record.read_journal_whole(&self.job, end);
            self.wanted.extend(record.all());
            return self.ask();
        }
        match objects::objects(&end.stdout) {
            Ok(found) if end.is_ok() || objects::is_of_none(end) => {
                let namespace = self.commands.cluster.namespace.as_deref();
                self.wanted.extend(objects::references(&found).into_iter().map(|one| one.within(namespace)));
            }
            Ok(_) => return trouble(format!("what is to be deleted cannot be read: {}", said(end))),
            Err(message) => return trouble(message),
        }
        self.sources += 1;
        self.look()
    }

    /// What is there of it? A look at a task that deletes files asks the same again.
    fn ask(&mut self) -> Move {
        if self.wanted.is_empty() {
            return self.forget();
        }
        self.stage = Stage::List;
        let wanted: Vec<Reference> = self.wanted.iter().cloned().collect();
        Move::Write { path: self.list_file(), bytes: objects::list(&wanted), mode: None }
    }

    fn read(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            // Objects of a kind went with it; kubectl tells nothing of the others until it is left out.
            let unknown = objects::unknown_kinds(end);
            let before = self.wanted.len();
            self.wanted
                .retain(|one| !unknown.iter().any(|(version, kind)| (&one.api_version, &one.kind) == (version, kind)));
            self.unknown += before - self.wanted.len();
            if self.wanted.len() == before {
                return trouble(format!("what is there cannot be read: {}", said(end)));
            }
            return self.ask();
        }
        let found = match objects::objects(&end.stdout) {
            Ok(found) => found,
            Err(message) => return trouble(message),
        };
        let mut chosen = BTreeSet::new();
        let claims = record::claims(&self.job);
        for object in &found {
            let Some(reference) = Reference::of(object) else { continue };
            let whose = match &self.what {
                What::Files => Ok(()),
                What::Record(record) => record.whose(object, &claims),
            };
            match whose {
                Ok(()) => drop(chosen.insert(reference)),
                Err(Foreign::Another) => self.left.push(format!("{} (made by somebody else)", reference.shown())),
                Err(Foreign::Claimed) => self.left.push(format!("{} (another task applies it)", reference.shown())),
            }
        }
        self.left.sort();
        self.left.dedup();
        self.chosen = chosen.into_iter().collect();
        if self.chosen.is_empty() {
            return self.forget();
        }
        self.stage = Stage::Choose;
        Move::Write { path: self.chosen_file(), bytes: objects::list(&self.chosen), mode: None }
    }

    fn delete(&mut self) -> Move {
        self.stage = Stage::Delete;
        Move::Run(self.commands.delete_all(&self.chosen_file()))
    }

    fn deleted(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            self.failed = format!("`kubectl delete` {}: {}", ended_badly(end), said(end));
            self.stage = Stage::Left;
            return Move::Run(self.commands.read(&self.chosen_file()));
        }
        self.forget()
    }

    /// What is still there, and what holds it up: kubectl tells only that it waited.
    fn left(&self, end: &StepEnd) -> Move {
        const MOST: usize = 5;
        let found = objects::objects(&end.stdout).unwrap_or_default();
        let left: Vec<String> = found.iter().take(MOST).map(objects::ending).collect();
        let left = if left.is_empty() { String::new() } else { format!("; still there: {}", left.join(", ")) };
        trouble(format!("{}{left}", self.failed))
    }

    /// After a complete undo nothing is on record.
    fn forget(&mut self) -> Move {
        match self.what {
            What::Files => self.done(),
            What::Record(_) => {
                self.stage = Stage::Forget;
                Move::Write { path: record::journal(&self.job), bytes: b"[]".to_vec(), mode: None }
            }
        }
    }

    fn done(&self) -> Move {
        let mut parts = Vec::new();
        match (self.chosen.len(), self.wanted.is_empty() && self.unknown == 0, &self.what) {
            (0, true, What::Record(_)) => parts.push("nothing on record".to_owned()),
            (0, ..) => parts.push("nothing was there".to_owned()),
            (many, ..) => parts.push(format!("{many} deleted")),
        }
        if self.unknown > 0 {
            parts.push(format!("{} of a kind that is no longer known", self.unknown));
        }
        if !self.left.is_empty() {
            parts.push(format!("left alone: {}", self.left.join(", ")));
        }
        let summary = parts.join("; ");
        match self.what {
            What::Files => {
                let wanted: Vec<&Reference> = self.wanted.iter().collect();
                let mut notes = BTreeMap::from([(LAST.to_owned(), serde_json::to_string(&wanted).unwrap_or_default())]);
                // What it applied before its table said otherwise.
                notes.extend(self.job.memory.notes.get_key_value(NOTE).map(|(key, text)| (key.clone(), text.clone())));
                Move::Done(Done { notes, summary: Some(summary), ..Done::default() })
            }
            What::Record(_) if self.chosen.is_empty() => {
                Move::Done(Done { notes: no_objects(), ..Done::nothing_there(summary) })
            }
            What::Record(_) => Move::Done(Done {
                incarnations: Some(BTreeSet::new()),
                notes: no_objects(),
                summary: Some(summary),
                ..Done::default()
            }),
        }
    }

    fn list_file(&self) -> Utf8PathBuf {
        match self.what {
            What::Files => objects::list_file(&self.job),
            What::Record(_) => self.job.tmp.join("objects.json"),
        }
    }

    fn chosen_file(&self) -> Utf8PathBuf {
        self.job.tmp.join("chosen.json")
    }
}

fn said(end: &StepEnd) -> String {
    last_words(end).unwrap_or_else(|| ended_badly(end))
}

fn trouble(message: String) -> Move {
    Move::Fail(Trouble { message, ..Trouble::default() })
}

fn no_objects() -> BTreeMap<String, String> {
    [NOTE, LAST].map(|note| (note.to_owned(), "[]".to_owned())).into()
}

impl Machine for Deleting {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => self.look(),
            Stage::Look => self.looked(&end),
            Stage::List => {
                self.stage = Stage::Read;
                Move::Run(self.commands.read(&self.list_file()))
            }
            Stage::Read => self.read(&end),
            // An undo is agreed to as a whole.
            Stage::Choose if matches!(self.what, What::Record(_)) => self.delete(),
            Stage::Choose => {
                self.stage = Stage::Approve;
                let destroys = self.chosen.iter().map(Reference::placed).collect();
                let from = self.commands.cluster.address();
                let summary = format!("deletes {} from {from}", objects::some_shown(&self.chosen));
                Move::Approve(Change { summary, destroys, ..Change::default() })
            }
            Stage::Approve => self.delete(),
            Stage::Delete => self.deleted(&end),
            Stage::Left => self.left(&end),
            Stage::Forget => self.done(),
        }
    }
}
