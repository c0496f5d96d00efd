//! Owns the order of commands in an uninstall: of the release that is named, or of all that are on record.
//! Does not know command lines (`command`), nor how it is remembered what is there (`marks`).

use super::command::Commands;
use super::marks::{Doing, Marks, Place};
use super::release::Release;
use super::simple::failed;
use crate::kind::machine::{Change, Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use std::collections::{BTreeSet, VecDeque};

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The release that the table names.
    Named,
    /// An undo: that one, and every other that the task ever installed.
    Recorded,
}

/// Takes releases away, where they are there.
pub struct Uninstalling {
    job: Job,
    commands: Commands,
    stage: Stage,
    what: What,
    place: Place,
    marks: Marks,
    waiting: VecDeque<Place>,
    uninstalled: Vec<String>,
    /// Those that are in another cluster than the one that was entered.
    elsewhere: BTreeSet<String>,
    /// The revision that the release has now.
    revision: u64,
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    /// The first look: the marks are read with it.
    Marks,
    List,
    Approve,
    Mark,
    Uninstall,
    Gone,
}

impl Uninstalling {
    /// A machine for a job.
    pub fn new(job: Job, what: What) -> Self {
        let commands = Commands::new(&job);
        Self {
            place: Place::new(&commands, ""),
            commands,
            job,
            stage: Stage::Start,
            what,
            marks: Marks::default(),
            waiting: VecDeque::new(),
            uninstalled: Vec::new(),
            elsewhere: BTreeSet::new(),
            revision: 0,
        }
    }

    fn remembered(&mut self, end: &StepEnd) {
        self.marks = Marks::read(&self.job, end);
        if self.what == What::Named {
            return;
        }
        let here = self.place.cluster.clone();
        for place in self.marks.releases().iter().filter(|place| **place != self.place) {
            if place.cluster == here {
                self.waiting.push_back(place.clone());
            } else {
                self.elsewhere.insert(told(place));
            }
        }
        // They are told once.
        self.marks.only_of(&here);
    }

    fn listed(&mut self, end: &StepEnd) -> Move {
        match Release::listed(end) {
            Ok(None) => self.go_on(),
            Ok(Some((revision, _))) => {
                self.revision = revision;
                self.stage = Stage::Approve;
                let summary = format!("runs `{}`", self.commands.uninstall().argv.join(" "));
                let destroys = vec![self.place.shown()];
                Move::Approve(Change { summary, destroys, is_blind: true, ..Change::default() })
            }
            Err(message) => Move::Fail(Trouble { message, ..Trouble::default() }),
        }
    }

    fn uninstalled(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            // The mark stays: helm leaves a release as `uninstalling` where it fails.
            return failed("helm uninstall", end);
        }
        self.uninstalled.push(told(&self.place));
        self.stage = Stage::Gone;
        self.marks.gone(&self.job, &self.place)
    }

    fn go_on(&mut self) -> Move {
        let Some(place) = self.waiting.pop_front() else { return self.done() };
        self.commands.turn_to(&place);
        self.place = place;
        self.stage = Stage::List;
        Move::Run(self.commands.list())
    }

    fn done(&self) -> Move {
        let elsewhere = self.elsewhere.iter().cloned().collect::<Vec<_>>().join(", ");
        let left = match elsewhere.as_str() {
            "" => String::new(),
            left => format!("; not asked for {left}, installed in another cluster"),
        };
        match self.uninstalled.as_slice() {
            [] => Move::Done(Done::nothing_there(format!("nothing there{left}"))),
            [_] => Self::summed(format!("uninstalled{left}")),
            many => Self::summed(format!("uninstalled {}{left}", many.join(", "))),
        }
    }

    fn summed(summary: String) -> Move {
        Move::Done(Done { incarnations: Some(BTreeSet::new()), summary: Some(summary), ..Done::default() })
    }
}

fn told(place: &Place) -> String {
    format!("`{}/{}`", place.namespace, place.release)
}

impl Machine for Uninstalling {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => {
                self.stage = Stage::Marks;
                Move::Run(self.commands.list_and(&Marks::file(&self.job)))
            }
            Stage::Marks => {
                self.remembered(&end);
                self.listed(&end)
            }
            Stage::List => self.listed(&end),
            // Not before: a refusal leaves no mark of a change.
            Stage::Approve => {
                self.stage = Stage::Mark;
                self.marks.begin(&self.job, &self.place, Doing::Uninstall, self.revision..=self.revision)
            }
            Stage::Mark => {
                self.stage = Stage::Uninstall;
                Move::Run(self.commands.uninstall())
            }
            Stage::Uninstall => self.uninstalled(&end),
            Stage::Gone => self.go_on(),
        }
    }

    fn entered(&mut self, cluster: &str) {
        self.place = Place::new(&self.commands, cluster);
    }
}
