//! Owns the order of commands in an apply, and in a task that only waits and reads.
//! Does not know command lines (`command`), nor how output is read (`objects`).

use super::command::Commands;
use super::objects::{self, LAST, NOTE, Reference};
use super::wait::{Next, Waits};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, Stdout, StepEnd, Trouble, TroubleKind};
use crate::kind::run::ended_badly;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A value that is read at the end.
struct Get {
    name: String,
    of: String,
    jsonpath: String,
}

/// The machine.
pub struct Applying {
    job: Job,
    commands: Commands,
    stage: Stage,
    /// Sources that were applied.
    applied: usize,
    objects: Vec<Reference>,
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
    Apply,
    List,
    Read,
    Wait,
    Get,
}

impl Applying {
    /// A machine for a job.
    pub fn new(job: Job) -> Self {
        let text = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let named = job.table.get("get").and_then(Json::as_object);
        let get = |(name, item): (&String, &Json)| Get {
            name: name.clone(),
            of: text(item, "of"),
            jsonpath: text(item, "jsonpath"),
        };
        Self {
            commands: Commands::new(&job, "apply"),
            stage: Stage::Start,
            applied: 0,
            objects: Vec::new(),
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
        self.apply()
    }

    fn apply(&mut self) -> Move {
        match self.commands.apply(self.applied) {
            Some(step) => {
                self.stage = Stage::Apply;
                Move::Run(step)
            }
            None if self.commands.sources() == 0 => self.wait(),
            None => {
                self.stage = Stage::List;
                Move::Write { path: objects::list_file(&self.job), bytes: objects::list(&self.objects), mode: None }
            }
        }
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
            Ok(found) => self.objects.extend(objects::references(&found)),
            Err(message) => return self.trouble(message, None),
        }
        self.applied += 1;
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
        self.token = Some(objects::token(&found));
        self.wait()
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
        Move::Run(self.commands.there(&format!("kubectl get {}", get.of), &words, Stdout::Collect))
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
        let all: BTreeSet<Reference> =
            objects::recorded(&self.job, NOTE).into_iter().chain(self.objects.iter().cloned()).collect();
        let last: BTreeSet<&Reference> = self.objects.iter().collect();
        BTreeMap::from([
            (NOTE.to_owned(), serde_json::to_string(&all).unwrap_or_default()),
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
            Stage::Apply => self.applied(&end),
            Stage::List => {
                self.stage = Stage::Read;
                Move::Run(self.commands.read(&objects::list_file(&self.job)))
            }
            Stage::Read => self.read(&end),
            Stage::Wait => {
                let next = self.waits.next(&self.commands, &end);
                self.waited(next)
            }
            Stage::Get => self.got(&end),
        }
    }
}
