//! Owns the order of ansible's commands, and the judgement of a play by what its callback told.
//! Does not know command lines (`command`).

use super::command::{Commands, Pass};
use super::events::{Events, Outcome, Stats, inventory_hosts};
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::kind::run::ended_badly;
use crate::kind::{flag, text, texts};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Exit code of a play that the user interrupted.
const INTERRUPTED: i32 = 99;

/// This many hosts or tasks are in a message; the log has all.
const SHOWN: usize = 5;

/// Note that holds the inputs for which roles and collections were installed.
const GALAXY: &str = "galaxy";

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The hosts are as the playbooks say.
    Play,
    /// The `undo` playbook has run.
    Undo,
}

/// The machine.
pub struct Playing {
    job: Job,
    goal: Goal,
    pass: Pass,
    commands: Commands,
    stage: Stage,
    files: VecDeque<(Utf8PathBuf, Vec<u8>)>,
    notes: BTreeMap<String, String>,
    /// The result of the first pass, while the second one checks it.
    done: Option<Done>,
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Write,
    Install,
    Inventory,
    Play,
    Check,
}

impl Playing {
    /// A machine for a job.
    pub fn new(job: Job, goal: Goal) -> Self {
        let playbooks = match goal {
            Goal::Play => texts(&job.table, "playbook"),
            Goal::Undo => texts(&job.table, "undo"),
        };
        let is_check = goal == Goal::Play && flag(&job.table, "check");
        let commands = Commands::new(&job, playbooks);
        Self {
            goal,
            pass: if is_check { Pass::Check } else { Pass::Do },
            stage: Stage::Write,
            files: commands.files().into(),
            notes: job.memory.notes.clone(),
            done: None,
            commands,
            job,
        }
    }

    fn write(&mut self) -> Move {
        match self.files.pop_front() {
            Some((path, bytes)) => Move::Write { path, bytes, mode: None },
            None => self.install(),
        }
    }

    fn install(&mut self) -> Move {
        let inputs = &self.job.inputs_digest;
        let is_known = !inputs.is_empty() && self.notes.get(GALAXY) == Some(inputs);
        match self.commands.galaxy.clone().filter(|_| !is_known) {
            Some(requirements) => {
                self.stage = Stage::Install;
                Move::Run(self.commands.install(&requirements))
            }
            None => self.inventory(),
        }
    }

    fn installed(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            return self.trouble("`ansible-galaxy` failed", end, None);
        }
        self.notes.insert(GALAXY.to_owned(), self.job.inputs_digest.clone());
        self.inventory()
    }

    fn inventory(&mut self) -> Move {
        self.stage = Stage::Inventory;
        Move::Run(self.commands.inventory())
    }

    fn judge_inventory(&mut self, end: &StepEnd) -> Move {
        let shown = self.commands.shown_inventory();
        let hint = Some("is it made by a task that did not run, or does it read a state that is empty?".to_owned());
        if !end.is_ok() {
            return self.trouble(&format!("the inventory `{shown}` cannot be read"), end, hint);
        }
        match inventory_hosts(&end.stdout) {
            Ok(hosts) if !hosts.is_empty() => self.play(),
            Ok(_) if self.goal == Goal::Undo => Move::Done(Done {
                incarnations: None,
                notes: self.notes.clone(),
                ..Done::nothing_there("no host is left")
            }),
            Ok(_) => {
                let limit = text(&self.job.table, "limit").filter(|limit| !limit.is_empty());
                let limit = limit.map(|limit| format!(" within `{limit}`")).unwrap_or_default();
                self.fail(format!("the inventory `{shown}` resolves to no host{limit}"), hint)
            }
            Err(why) => self.fail(format!("what `ansible-inventory` says of `{shown}` cannot be read: {why}"), None),
        }
    }

    fn play(&mut self) -> Move {
        self.stage = Stage::Play;
        Move::Run(self.commands.play(self.pass))
    }

    fn played(&mut self, end: &StepEnd) -> Move {
        let stats = match self.judge(end, self.pass) {
            Ok((stats, _)) => stats,
            Err(trouble) => return Move::Fail(trouble),
        };
        let changed = stats.changed();
        let done = Done {
            exports: stats.exports(),
            // A play that changed nothing leaves the token of the one that did.
            token: self.job.memory.token.clone().filter(|_| changed == 0),
            notes: self.notes.clone(),
            summary: Some(summary(&stats)),
            unchanged: changed == 0,
            ..Done::default()
        };
        if self.goal == Goal::Undo || self.pass == Pass::Check || !flag(&self.job.table, "idempotent") {
            return Move::Done(done);
        }
        self.done = Some(done);
        self.stage = Stage::Check;
        Move::Run(self.commands.play(Pass::Check))
    }

    fn checked(&mut self, end: &StepEnd) -> Move {
        let (stats, events) = match self.judge(end, Pass::Check) {
            Ok(both) => both,
            Err(trouble) => {
                let message = format!("the checking pass: {}", trouble.message);
                return Move::Fail(Trouble { message, ..trouble });
            }
        };
        let mut done = self.done.take().unwrap_or_default();
        if stats.changed() == 0 {
            done.summary = done.summary.map(|summary| format!("{summary}, and 0 when checked again"));
            return Move::Done(done);
        }
        let tasks = events.changed.iter().map(|(task, hosts)| format!("`{task}` on {}", names(hosts)));
        self.fail(
            format!("not idempotent, these would change something again: {}", list(tasks.collect())),
            Some("give each a condition (`creates`, `changed_when`), or leave `idempotent` out".to_owned()),
        )
    }

    /// Judges a pass by what the callback told; the exit code alone is ambiguous.
    fn judge(&self, end: &StepEnd, pass: Pass) -> Result<(Stats, Events), Trouble> {
        let mut events = Events::read(end.files.get(&self.commands.events_file(pass)).map_or("", String::as_str));
        let trouble = |message: String, hint: Option<String>| Trouble {
            message,
            hint,
            notes: self.notes.clone(),
            ..Trouble::default()
        };
        if end.code == Some(INTERRUPTED) {
            return Err(trouble("the play was interrupted".to_owned(), None));
        }
        let Some(stats) = events.stats.take() else {
            let message = if end.is_ok() {
                "the play ended well, but our callback plugin was not heard".to_owned()
            } else {
                format!("the play did not start: {}", said(end))
            };
            let hint = message.contains("couldn't resolve module").then(|| {
                "only collections that come with ansible, lie beside the playbook or are named by `galaxy` are seen, not \
                 those of the user's home"
                    .to_owned()
            });
            return Err(trouble(message, hint));
        };
        if end.is_ok() {
            return Ok((stats, events));
        }
        let (failed, unreachable) = (stats.failed_hosts(), stats.unreachable_hosts());
        let mut parts = Vec::new();
        if !failed.is_empty() {
            parts.push(format!("failed on {}{}", names(&failed), self.first(&events.failed)));
        }
        if !unreachable.is_empty() {
            parts.push(format!("could not reach {}{}", names(&unreachable), self.first(&events.unreachable)));
        }
        if parts.is_empty() {
            parts.push(format!("the play was given up: {}", said(end)));
        }
        let hint = failed.is_empty() && !unreachable.is_empty();
        let hint = hint.then(|| "are the hosts up, and does `ssh` reach them with this user and key?".to_owned());
        Err(trouble(parts.join("; "), hint))
    }

    /// The first failure in a bracket: task, message, place.
    fn first(&self, outcomes: &[Outcome]) -> String {
        let Some(first) = outcomes.first() else { return String::new() };
        let line = first.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message");
        let place = match first.place.rsplit_once(':') {
            Some((path, number)) => {
                let path = Utf8Path::new(path);
                format!(", `{}:{number}`", path.strip_prefix(&self.job.root).unwrap_or(path))
            }
            None => String::new(),
        };
        format!(" (task `{}`: {line}{place})", first.task)
    }

    fn fail(&self, message: String, hint: Option<String>) -> Move {
        Move::Fail(Trouble { message, hint, notes: self.notes.clone(), ..Trouble::default() })
    }

    fn trouble(&self, what: &str, end: &StepEnd, hint: Option<String>) -> Move {
        self.fail(format!("{what}: {}", said(end)), hint)
    }
}

impl Machine for Playing {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Write => self.write(),
            Stage::Install => self.installed(&end),
            Stage::Inventory => self.judge_inventory(&end),
            Stage::Play => self.played(&end),
            Stage::Check => self.checked(&end),
        }
    }
}

/// `3 hosts, changed = 4`.
fn summary(stats: &Stats) -> String {
    let hosts = match stats.hosts.len() {
        0 => "no host was touched".to_owned(),
        1 => "1 host".to_owned(),
        many => format!("{many} hosts"),
    };
    format!("{hosts}, changed = {}", stats.changed())
}

/// What a command said of its failure: its own error lines, else how it ended.
fn said(end: &StepEnd) -> String {
    let error = |line: &String| {
        let line = line.trim();
        line.strip_prefix("[ERROR]: ").or_else(|| line.strip_prefix("ERROR! ")).map(str::to_owned)
    };
    let errors: BTreeSet<String> = end.tail.iter().filter_map(error).collect();
    if errors.is_empty() { ended_badly(end) } else { list(errors.into_iter().collect()) }
}

/// Names in backticks.
fn names<'a, T: AsRef<str> + 'a>(names: impl IntoIterator<Item = &'a T>) -> String {
    list(names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect())
}

/// The first few, and how many more.
fn list(mut items: Vec<String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    items.truncate(SHOWN);
    if more > 0 {
        items.push(format!("and {more} more"));
    }
    items.join(", ")
}
