//! Owns the order of commands in an apply, and in a task that only waits and reads.
//! Does not know command lines (`command`), nor how output is read (`objects`).

use super::command::Commands;
use super::conflict::{self, Conflict};
use super::get::Get;
use super::objects::{self, Reference};
use super::parts::{self, Part};
use super::record::{self, EACH, LAST, NOTE, Record};
use super::told::Told;
use super::wait::{Next, Waits};
use crate::kind::cluster::last_words;
use crate::kind::flag;
use crate::kind::machine::{Change, Done, Heard, Job, Machine, Move, Step, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use crate::model::reason::Reason;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const IMMUTABLE: &str = "it can only be made anew: delete the object, or give it another name";

/// The machine.
pub struct Applying {
    job: Job,
    commands: Commands,
    stage: Stage,
    /// Sources whose objects were read.
    looked: usize,
    parts: Vec<Part>,
    /// Parts that were applied.
    at: usize,
    record: Record,
    objects: Vec<Reference>,
    /// Objects that were applied while they were being deleted: waited for, once.
    awaited: Option<String>,
    /// What stood in the way, and the command line that told of it.
    conflicts: Vec<Conflict>,
    last: Vec<String>,
    wanted: Vec<Reference>,
    each: Vec<(Reference, String)>,
    token: Option<String>,
    waits: Waits,
    gets: VecDeque<Get>,
    exports: BTreeMap<String, Json>,
    secrets: BTreeSet<String>,
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Look,
    Journal,
    Approve,
    /// A part of a source is written.
    Part,
    Apply,
    Established,
    List,
    Read,
    EndingList,
    Ended,
    ConflictList,
    Conflict,
    Wait,
    Get,
}

impl Applying {
    /// A machine for a job.
    pub fn new(job: Job) -> Self {
        Self {
            commands: Commands::new(&job, "apply"),
            stage: Stage::Start,
            looked: 0,
            parts: Vec::new(),
            at: 0,
            record: Record::of(&job),
            objects: Vec::new(),
            awaited: None,
            conflicts: Vec::new(),
            last: Vec::new(),
            wanted: Vec::new(),
            each: Vec::new(),
            token: None,
            waits: Waits::new(&job.table),
            gets: Get::all(&job.table).collect(),
            exports: BTreeMap::new(),
            secrets: BTreeSet::new(),
            job,
        }
    }

    fn begin(&mut self) -> Move {
        self.look()
    }

    /// Reads what will be applied; when that is known, and agreed to, it is on record before anything is made.
    fn look(&mut self) -> Move {
        match self.commands.look(self.looked) {
            Some(mut step) => {
                self.stage = Stage::Look;
                step.read_after.push(record::journal(&self.job));
                Move::Run(step)
            }
            None if self.commands.sources() == 0 => self.wait(),
            None => self.approve(),
        }
    }

    /// Not before it is agreed to: what was refused was never made by us.
    fn journal(&mut self) -> Move {
        self.stage = Stage::Journal;
        Move::Write { path: record::journal(&self.job), bytes: self.record.journal_text(), mode: None }
    }

    fn looked(&mut self, end: &StepEnd) -> Move {
        let found = match objects::objects(&end.stdout) {
            Ok(found) if end.is_ok() => found,
            Ok(_) if objects::is_of_none(end) => {
                return self.trouble("there is no object in what is to be applied".to_owned(), None);
            }
            Ok(_) => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                return self.trouble(format!("what is to be applied cannot be read: {said}"), None);
            }
            Err(message) => return self.trouble(message, None),
        };
        let namespace = self.commands.cluster.namespace.as_deref();
        self.record.read_journal(&self.job, end);
        if let Some(why) = objects::unfit(&found) {
            return self.trouble(format!("in `{}`: {why}", self.commands.source(self.looked)), None);
        }
        for one in objects::references(&found).into_iter().map(|one| one.within(namespace)) {
            if self.wanted.contains(&one) {
                let hint = "the last one would count; take the other out";
                let message = format!("{} stands twice in what is to be applied", one.shown());
                return self.trouble(message, Some(hint.to_owned()));
            }
            self.wanted.push(one);
        }
        self.record.intend(self.wanted.iter().cloned());
        self.parts.extend(parts::parts(self.looked, &found, namespace));
        self.looked += 1;
        self.look()
    }

    /// What is asked of a person, where the environment wants one to agree.
    fn approve(&mut self) -> Move {
        self.stage = Stage::Approve;
        let summary = format!("applies {} to {}", objects::some_shown(&self.wanted), self.commands.cluster.address());
        let runs = self.wanted.iter().map(Reference::placed).collect();
        Move::Approve(Change { summary, runs, ..Change::default() })
    }

    fn apply(&mut self) -> Move {
        match self.parts.get(self.at) {
            Some(Part::Whole(source)) => match self.commands.apply(*source) {
                Some(step) => self.applying(step),
                None => self.list(),
            },
            Some(Part::Some { objects, .. }) => {
                self.stage = Stage::Part;
                Move::Write { path: self.part_file(), bytes: parts::file(objects), mode: None }
            }
            Some(Part::Established(names)) => {
                self.stage = Stage::Established;
                Move::Run(self.commands.established(names))
            }
            None => self.list(),
        }
    }

    fn list(&mut self) -> Move {
        self.stage = Stage::List;
        Move::Write { path: objects::list_file(&self.job), bytes: objects::list(&self.objects), mode: None }
    }

    fn apply_part(&mut self) -> Move {
        let Some(Part::Some { source, namespace, .. }) = self.parts.get(self.at) else { return self.list() };
        let step = self.commands.apply_part(*source, &self.part_file(), namespace.as_deref());
        self.applying(step)
    }

    fn applied(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            self.conflicts = conflict::conflicts(end);
            if !self.conflicts.is_empty() {
                self.stage = Stage::ConflictList;
                return Move::Write { path: self.aside(), bytes: objects::list(&self.wanted), mode: None };
            }
            let said = last_words(end).map(|said| format!(": {said}")).unwrap_or_default();
            let hint = said.contains("field is immutable").then(|| IMMUTABLE.to_owned());
            return self.trouble(format!("`kubectl apply` {}{said}", ended_badly(end)), hint);
        }
        match objects::objects(&end.stdout) {
            Ok(found) => {
                self.record.applied(&found);
                self.objects.extend(objects::references(&found));
            }
            Err(message) => return self.trouble(message, None),
        }
        self.at += 1;
        self.apply()
    }

    fn established(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return self.trouble(format!("the cluster does not learn the kinds that were applied: {said}"), None);
        }
        self.at += 1;
        self.apply()
    }

    fn read(&mut self, end: &StepEnd) -> Move {
        let found = match objects::objects(&end.stdout) {
            Ok(found) if end.is_ok() => found,
            Ok(_) => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                return self.trouble(format!("what was applied cannot be read: {said}"), None);
            }
            Err(message) => return self.trouble(message, None),
        };
        let (found, ending) = objects::standing(found);
        if !ending.is_empty() {
            return self.await_end(&ending);
        }
        self.token = Some(objects::token(&found));
        self.each = objects::tokens(&found);
        self.wait()
    }

    /// An apply to an object that is being deleted is taken, and lost: it ends first, and is made anew then.
    fn await_end(&mut self, ending: &[Json]) -> Move {
        let shown = ending.iter().map(objects::ending).collect::<Vec<_>>().join(", ");
        if self.awaited.is_some() {
            return self.trouble(format!("being deleted, again, after the apply: {shown}"), None);
        }
        self.awaited = Some(shown);
        self.stage = Stage::EndingList;
        Move::Write { path: self.aside(), bytes: objects::list(&objects::references(ending)), mode: None }
    }

    fn ended(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            let shown = self.awaited.clone().unwrap_or_default();
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return self.trouble(format!("being deleted, and does not go: {shown}: {said}"), None);
        }
        self.at = 0;
        self.objects.clear();
        self.apply()
    }

    /// Of which objects the fields are that stood in the way, as far as they can be read.
    fn conflict(&self, end: &StepEnd) -> Move {
        let found = objects::objects(&end.stdout).unwrap_or_default();
        let hint = "take the field out of the manifest, or say `force_conflicts = true` to own it from now on";
        Move::Fail(Trouble {
            message: format!("conflict: {}", conflict::told(&self.conflicts, &found)),
            hint: Some(hint.to_owned()),
            argv: self.last.clone(),
            notes: self.notes(),
            ..Trouble::default()
        })
    }

    fn applying(&mut self, step: Step) -> Move {
        self.stage = Stage::Apply;
        self.last.clone_from(&step.argv);
        Move::Run(step)
    }

    fn part_file(&self) -> Utf8PathBuf {
        self.job.tmp.join(format!("part-{}.json", self.at))
    }

    /// A list of some of the objects.
    fn aside(&self) -> Utf8PathBuf {
        self.job.tmp.join("some.json")
    }

    fn wait(&mut self) -> Move {
        self.stage = Stage::Wait;
        let next = self.waits.begin(&self.commands);
        self.waited(next)
    }

    fn waited(&mut self, next: Next) -> Move {
        match next {
            Next::Move(next) => next,
            Next::Failed(message, argv) => {
                Move::Fail(Trouble { message, argv, notes: self.notes(), ..Trouble::default() })
            }
            Next::Over => self.get(),
        }
    }

    fn get(&mut self) -> Move {
        self.stage = Stage::Get;
        let Some(get) = self.gets.front() else { return self.done() };
        Move::Run(get.step(&self.commands))
    }

    fn got(&mut self, end: &StepEnd) -> Move {
        let Some(get) = self.gets.pop_front() else { return self.done() };
        let value = match get.value(end, self.job.exports.get(&get.name)) {
            Ok(value) => value,
            Err(message) => return self.trouble(message, None),
        };
        if get.is_secret() {
            self.secrets.insert(get.name.clone());
        }
        self.exports.insert(get.name, value);
        self.get()
    }

    fn done(&mut self) -> Move {
        let notes = self.notes();
        let unchanged = self.token.is_some() && self.token == self.job.memory.token;
        let disagreed = |reason: &Reason| matches!(reason, Reason::ProbeDisagrees { .. });
        let told = Told {
            objects: self.objects.len(),
            unchanged,
            was_put_right: self.job.memory.reasons.iter().any(disagreed),
            forces: flag(&self.job.table, "force_conflicts"),
            waits: self.waits.len(),
            left: self.record.besides(&self.objects),
        };
        let summary = told.summary();
        Move::Done(Done {
            exports: std::mem::take(&mut self.exports),
            secret_exports: std::mem::take(&mut self.secrets),
            token: self.token.take(),
            notes,
            summary,
            unchanged,
            ..Done::default()
        })
    }

    /// Every object that was ever applied is on record until it is undone, also one that left the files.
    fn notes(&self) -> BTreeMap<String, String> {
        if self.commands.sources() == 0 {
            return BTreeMap::new();
        }
        // Of an apply that was not looked at to its end nobody knows what is there.
        let last: BTreeSet<&Reference> = self.objects.iter().filter(|_| self.each_is_known()).collect();
        BTreeMap::from([
            (NOTE.to_owned(), self.record.note()),
            (LAST.to_owned(), serde_json::to_string(&last).unwrap_or_default()),
            (EACH.to_owned(), serde_json::to_string(&self.each).unwrap_or_default()),
        ])
    }

    fn each_is_known(&self) -> bool {
        !self.each.is_empty()
    }

    fn trouble(&self, message: String, hint: Option<String>) -> Move {
        Move::Fail(Trouble { message, hint, notes: self.notes(), ..Trouble::default() })
    }
}

impl Machine for Applying {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => self.begin(),
            Stage::Look => self.looked(&end),
            Stage::Approve => self.journal(),
            Stage::Journal => self.apply(),
            Stage::Part => self.apply_part(),
            Stage::Apply => self.applied(&end),
            Stage::Established => self.established(&end),
            Stage::List => {
                self.stage = Stage::Read;
                Move::Run(self.commands.read(&objects::list_file(&self.job)))
            }
            Stage::Read => self.read(&end),
            Stage::EndingList => {
                self.stage = Stage::Ended;
                Move::Run(self.commands.ended(&self.aside()))
            }
            Stage::Ended => self.ended(&end),
            Stage::ConflictList => {
                self.stage = Stage::Conflict;
                Move::Run(self.commands.read(&self.aside()))
            }
            Stage::Conflict => self.conflict(&end),
            Stage::Wait => {
                let next = self.waits.next(&self.commands, &end);
                self.waited(next)
            }
            Stage::Get => self.got(&end),
        }
    }
}
