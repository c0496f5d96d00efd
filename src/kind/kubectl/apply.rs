//! Owns the order of commands in an apply, and in a task that only waits and reads.
//! Does not know command lines (`command`), nor how output is read (`objects`).

use super::command::Commands;
use super::objects::{self, Reference};
use super::parts::{self, Part};
use super::record::{self, LAST, NOTE, Record};
use super::wait::{Next, Waits};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, Stdout, StepEnd, Trouble, TroubleKind};
use crate::kind::run::ended_badly;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A value that is read at the end.
struct Get {
    name: String,
    of: String,
    jsonpath: String,
    /// Another than the task's.
    namespace: Option<String>,
}

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
    ending: Ending,
    token: Option<String>,
    waits: Waits,
    gets: VecDeque<Get>,
    exports: BTreeMap<String, Json>,
    secrets: BTreeSet<String>,
}

/// What is done about objects that were applied while they were being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    /// None was seen.
    Unseen,
    /// They are waited for, and everything is applied once more.
    Awaited(String),
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Look,
    Journal,
    /// A part of a source is written.
    Part,
    Apply,
    Established,
    List,
    Read,
    EndingList,
    Ended,
    Wait,
    Get,
}

impl Applying {
    /// A machine for a job.
    pub fn new(job: Job) -> Self {
        let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
        let named = job.table.get("get").and_then(Json::as_object);
        let get = |(name, item): (&String, &Json)| Get {
            name: name.clone(),
            of: text(item, "of").unwrap_or_default(),
            jsonpath: text(item, "jsonpath").unwrap_or_default(),
            namespace: text(item, "namespace"),
        };
        Self {
            commands: Commands::new(&job, "apply"),
            stage: Stage::Start,
            looked: 0,
            parts: Vec::new(),
            at: 0,
            record: Record::of(&job),
            objects: Vec::new(),
            ending: Ending::Unseen,
            token: None,
            waits: Waits::new(&job.table),
            gets: named.into_iter().flatten().map(get).collect(),
            exports: BTreeMap::new(),
            secrets: BTreeSet::new(),
            job,
        }
    }

    fn begin(&mut self) -> Move {
        if let Some(owner) = self.job.memory.foreign_owner.clone() {
            return Move::Fail(Trouble {
                message: format!("these objects are on record as made by {owner}"),
                hint: Some(format!("`infra resolve {} --accept-state` hands them over", self.job.task)),
                kind: TroubleKind::Refused,
                ..Trouble::default()
            });
        }
        self.look()
    }

    /// Reads what will be applied; when that is known it is on record before anything is made.
    fn look(&mut self) -> Move {
        match self.commands.look(self.looked) {
            Some(mut step) => {
                self.stage = Stage::Look;
                step.read_after.push(record::journal(&self.job));
                Move::Run(step)
            }
            None if self.commands.sources() == 0 => self.wait(),
            None => {
                self.stage = Stage::Journal;
                Move::Write { path: record::journal(&self.job), bytes: self.record.journal_text(), mode: None }
            }
        }
    }

    fn looked(&mut self, end: &StepEnd) -> Move {
        let found = match objects::objects(&end.stdout) {
            Ok(found) if end.is_ok() => found,
            Ok(_) => {
                let said = last_words(end).unwrap_or_else(|| ended_badly(end));
                return self.trouble(format!("what is to be applied cannot be read: {said}"), None);
            }
            Err(message) => return self.trouble(message, None),
        };
        let namespace = self.commands.cluster.namespace.as_deref();
        self.record.read_journal(&self.job, end);
        self.record.intend(objects::references(&found).into_iter().map(|one| one.within(namespace)));
        self.parts.extend(parts::parts(self.looked, &found, namespace));
        self.looked += 1;
        self.look()
    }

    fn apply(&mut self) -> Move {
        match self.parts.get(self.at) {
            Some(Part::Whole(source)) => match self.commands.apply(*source) {
                Some(step) => {
                    self.stage = Stage::Apply;
                    Move::Run(step)
                }
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
        self.stage = Stage::Apply;
        Move::Run(self.commands.apply_part(*source, &self.part_file(), namespace.as_deref()))
    }

    fn applied(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            if let Some(conflict) = objects::conflict(end) {
                let hint = "take the field out of the manifest, or say `force_conflicts = true` to own it from now on";
                return self.trouble(format!("conflict: {conflict}"), Some(hint.to_owned()));
            }
            let said = last_words(end).map(|said| format!(": {said}")).unwrap_or_default();
            return self.trouble(format!("`kubectl apply` {}{said}", ended_badly(end)), None);
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
        self.wait()
    }

    /// An apply to an object that is being deleted is taken, and lost: it ends first, and is made anew then.
    fn await_end(&mut self, ending: &[Json]) -> Move {
        let shown = ending.iter().map(objects::ending).collect::<Vec<_>>().join(", ");
        if let Ending::Awaited(_) = self.ending {
            return self.trouble(format!("being deleted, again, after the apply: {shown}"), None);
        }
        self.ending = Ending::Awaited(shown);
        self.stage = Stage::EndingList;
        Move::Write { path: self.ending_file(), bytes: objects::list(&objects::references(ending)), mode: None }
    }

    fn ended(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            let shown = if let Ending::Awaited(shown) = &self.ending { shown.clone() } else { String::new() };
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return self.trouble(format!("being deleted, and does not go: {shown}: {said}"), None);
        }
        self.at = 0;
        self.objects.clear();
        self.apply()
    }

    fn part_file(&self) -> Utf8PathBuf {
        self.job.tmp.join(format!("part-{}.json", self.at))
    }

    fn ending_file(&self) -> Utf8PathBuf {
        self.job.tmp.join("ending.json")
    }

    fn wait(&mut self) -> Move {
        self.stage = Stage::Wait;
        let next = self.waits.begin(&self.commands);
        self.waited(next)
    }

    fn waited(&mut self, next: Next) -> Move {
        match next {
            Next::Move(next) => next,
            Next::Failed(message) => self.trouble(message, None),
            Next::Over => self.get(),
        }
    }

    fn get(&mut self) -> Move {
        self.stage = Stage::Get;
        let Some(get) = self.gets.front() else { return self.done() };
        let path = format!("jsonpath-as-json={}", get.jsonpath);
        let words = ["get", &get.of, "-o", &path];
        Move::Run(self.commands.there(
            &format!("kubectl get {}", get.of),
            &words,
            get.namespace.as_deref(),
            Stdout::Collect,
        ))
    }

    fn got(&mut self, end: &StepEnd) -> Move {
        let Some(get) = self.gets.pop_front() else { return self.done() };
        if !end.is_ok() {
            let said = last_words(end).unwrap_or_else(|| ended_badly(end));
            return self.trouble(format!("value `{}` cannot be read of `{}`: {said}", get.name, get.of), None);
        }
        // kubectl gives the list of all that the path picks; one is meant alone.
        let value = match serde_json::from_str::<Vec<Json>>(&end.stdout) {
            Ok(found) if found.is_empty() => {
                return self.trouble(format!("`{}` has nothing at `{}`", get.of, get.jsonpath), None);
            }
            Ok(mut found) if found.len() == 1 => found.remove(0),
            Ok(found) => Json::Array(found),
            Err(error) => return self.trouble(format!("value `{}` cannot be read: {error}", get.name), None),
        };
        if get.of.to_lowercase().starts_with("secret") {
            self.secrets.insert(get.name.clone());
        }
        self.exports.insert(get.name, value);
        self.get()
    }

    fn done(&mut self) -> Move {
        let notes = self.notes();
        let unchanged = self.token.is_some() && self.token == self.job.memory.token;
        let mut parts = Vec::new();
        match self.objects.len() {
            0 => {}
            1 => parts.push("1 object".to_owned()),
            many => parts.push(format!("{many} objects")),
        }
        if unchanged {
            parts.push("no changes".to_owned());
        }
        if self.waits.len() > 0 {
            parts.push(format!("{} came true", self.waits.len()));
        }
        Move::Done(Done {
            exports: std::mem::take(&mut self.exports),
            secret_exports: std::mem::take(&mut self.secrets),
            token: self.token.take(),
            notes,
            summary: (!parts.is_empty()).then(|| parts.join(", ")),
            unchanged,
            ..Done::default()
        })
    }

    /// Every object that was ever applied is on record until it is undone, also one that left the files.
    fn notes(&self) -> BTreeMap<String, String> {
        if self.commands.sources() == 0 {
            return BTreeMap::new();
        }
        let last: BTreeSet<&Reference> = self.objects.iter().collect();
        BTreeMap::from([
            (NOTE.to_owned(), self.record.note()),
            (LAST.to_owned(), serde_json::to_string(&last).unwrap_or_default()),
        ])
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
                Move::Run(self.commands.ended(&self.ending_file()))
            }
            Stage::Ended => self.ended(&end),
            Stage::Wait => {
                let next = self.waits.next(&self.commands, &end);
                self.waited(next)
            }
            Stage::Get => self.got(&end),
        }
    }
}
