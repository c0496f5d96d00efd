//! Owns the order of terraform's commands in an apply, a destroy and a plan.
//! Does not know command lines (`command`), nor how output is read (`stream`, `state`).

mod ended;

use super::command::{Commands, Missing};
use super::state::{State, Wrong, is_thing, judge};
use super::stream::{self, Stream};
use super::trouble;
use crate::kind::machine::{Change, Done, Heard, Job, Machine, Move, StepEnd, Told, Trouble};
use crate::kind::texts;
use crate::model::digest::{Digest, Domain, Encoder};
use crate::model::record::Incarnation;
use std::collections::{BTreeMap, BTreeSet};

/// What a `plan` task exports.
pub const PLAN_EXPORTS: [&str; 4] = ["add", "change", "changes", "destroy"];

/// Note that holds what the module was last initialised with.
const INIT: &str = "init";

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The world is as the module says.
    Apply,
    /// Nothing of it is left.
    Destroy,
    /// It is known what an apply would do.
    Plan,
}

/// The machine of the three.
pub struct Terraforming {
    goal: Goal,
    job: Job,
    commands: Commands,
    identity: Vec<String>,
    stage: Stage,
    /// Whether `init` ran in this attempt: it is not tried twice.
    initialised: bool,
    stream: Stream,
    /// The state as it was pulled last.
    state: Option<State>,
    raw_state: String,
    notes: BTreeMap<String, String>,
    /// A failed apply, while the state is looked at once more.
    failure: Option<Trouble>,
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Init,
    Select,
    Pull,
    Vars,
    Plan,
    Approve,
    Snapshot,
    Apply,
    PullAfter,
    Output,
}

impl Terraforming {
    /// A machine for a job.
    pub fn new(job: Job, goal: Goal) -> Self {
        let commands = Commands::new(&job);
        Self {
            goal,
            identity: texts(&job.table, "identity"),
            stage: Stage::Start,
            initialised: false,
            stream: Stream::new(&commands.base, stream::Command::Plan),
            state: None,
            raw_state: String::new(),
            notes: job.memory.notes.clone(),
            failure: None,
            commands,
            job,
        }
    }

    fn begin(&mut self) -> Move {
        let key = init_key(&self.job, &self.commands);
        if key.is_some() && key.as_ref() == self.notes.get(INIT) { self.select() } else { self.init() }
    }

    fn init(&mut self) -> Move {
        self.initialised = true;
        self.stage = Stage::Init;
        // What a former command complained of is no word on this one.
        self.stream = Stream::new(&self.commands.base, stream::Command::Plan);
        Move::Run(self.commands.init(true))
    }

    fn inited(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            self.notes.remove(INIT);
            return self.fail("init", end);
        }
        if let Some(key) = init_key(&self.job, &self.commands) {
            self.notes.insert(INIT.to_owned(), key);
        }
        self.select()
    }

    fn select(&mut self) -> Move {
        let missing = if self.goal == Goal::Apply { Missing::Create } else { Missing::Fail };
        match self.commands.select(missing) {
            Some(step) => {
                self.stage = Stage::Select;
                Move::Run(step)
            }
            None => self.selected(),
        }
    }

    fn judge_select(&mut self, end: &StepEnd) -> Move {
        if end.is_ok() {
            return self.selected();
        }
        let is_missing = end.tail.iter().any(|line| line.contains("doesn't exist"));
        let workspace = self.commands.workspace.clone().unwrap_or_default();
        match self.goal {
            Goal::Destroy if is_missing => self.look(None, None),
            Goal::Plan if is_missing => self.trouble(Trouble {
                message: format!("workspace `{workspace}` of `{}` does not exist yet", self.commands.base.dir),
                hint: Some("a plan makes nothing, not even a workspace: run the task that applies it first".to_owned()),
                ..Trouble::default()
            }),
            _ => self.fail("workspace select", end),
        }
    }

    fn selected(&mut self) -> Move {
        if self.goal == Goal::Plan {
            return self.write_vars();
        }
        self.stage = Stage::Pull;
        Move::Run(self.commands.pull())
    }

    fn pulled(&mut self, end: StepEnd) -> Move {
        if !end.is_ok() {
            return self.fail("state pull", &end);
        }
        let unwritten = end.files.get(&self.commands.unwritten()).and_then(|text| State::read(text).ok().flatten());
        match State::read(&end.stdout) {
            Ok(state) => {
                self.raw_state = end.stdout;
                self.look(state, unwritten.as_ref())
            }
            Err(message) => self.trouble(Trouble { message, ..Trouble::default() }),
        }
    }

    /// The state before anything is planned: is it the one that is known?
    fn look(&mut self, state: Option<State>, unwritten: Option<&State>) -> Move {
        let wrong = judge(state.as_ref(), unwritten, &self.job.memory);
        // Nothing recorded and nothing there: whose state it is does not matter to a teardown.
        let is_empty = state.as_ref().is_none_or(|state| state.things.is_empty());
        let wrong =
            wrong.filter(|wrong| !(self.goal == Goal::Destroy && is_empty && matches!(wrong, Wrong::Foreign(_))));
        self.state = state;
        if let Some(wrong) = wrong {
            return self.trouble(trouble::refused(&self.commands, &wrong));
        }
        if self.goal == Goal::Destroy && is_empty {
            self.note_state();
            return Move::Done(Done { notes: self.notes.clone(), ..Done::nothing_there("nothing there") });
        }
        self.write_vars()
    }

    fn write_vars(&mut self) -> Move {
        self.stage = Stage::Vars;
        Move::Write { path: self.commands.vars_file.clone(), bytes: self.commands.vars(), mode: None }
    }

    fn plan(&mut self) -> Move {
        self.stage = Stage::Plan;
        self.stream = Stream::new(&self.commands.base, stream::Command::Plan);
        Move::Run(self.commands.plan(self.goal == Goal::Destroy))
    }

    fn planned(&mut self, end: &StepEnd) -> Move {
        self.stream.catch_up(&end.stdout);
        let is_change = match end.code {
            Some(0) => false,
            Some(2) => true,
            _ => return self.fail("plan", end),
        };
        if self.goal == Goal::Plan {
            return self.told_plan(is_change);
        }
        if !is_change {
            return if self.goal == Goal::Apply { self.output() } else { self.pull_after() };
        }
        self.stage = Stage::Approve;
        Move::Approve(Change {
            summary: self.stream.plan().shown(),
            destroys: self.stream.destroys.clone(),
            ..Change::default()
        })
    }

    fn told_plan(&self, is_change: bool) -> Move {
        let counts = self.stream.plan();
        // Outputs alone can differ; then no thing changes, and the plan is not empty all the same.
        let changes = if is_change { counts.total().max(1) } else { 0 };
        let values = [counts.add, counts.change, changes, counts.remove];
        let summary = if is_change { counts.shown() } else { "no changes".to_owned() };
        Move::Done(Done {
            exports: PLAN_EXPORTS.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.into())).collect(),
            notes: self.notes.clone(),
            summary: Some(summary),
            unchanged: !is_change,
            ..Done::default()
        })
    }

    fn snapshot(&mut self) -> Move {
        let Some(state) = &self.state else { return self.apply() };
        self.stage = Stage::Snapshot;
        let bytes = std::mem::take(&mut self.raw_state).into_bytes();
        let name = format!("{}-{}.tfstate", state.serial, Digest::of(Domain::Blob, &bytes).short());
        Move::Snapshot { name, bytes }
    }

    fn apply(&mut self) -> Move {
        self.stage = Stage::Apply;
        self.stream = Stream::new(&self.commands.base, stream::Command::Apply);
        Move::Run(self.commands.apply())
    }

    fn applied(&mut self, end: &StepEnd) -> Move {
        self.stream.catch_up(&end.stdout);
        if !end.is_ok() {
            let command = if self.goal == Goal::Destroy { "destroy" } else { "apply" };
            let mut failure = trouble::failed(&self.commands, command, end, &self.stream.errors);
            failure.incarnations = self.so_far();
            self.failure = Some(failure);
            if end.files.contains_key(&self.commands.unwritten()) {
                // The backend holds the state of before: the stream knows better.
                return self.give_up();
            }
        }
        self.pull_after()
    }

    fn pull_after(&mut self) -> Move {
        self.stage = Stage::PullAfter;
        Move::Run(self.commands.pull())
    }

    fn pulled_after(&mut self, end: &StepEnd) -> Move {
        let state = if end.is_ok() { State::read(&end.stdout) } else { Err(String::new()) };
        if let Ok(Some(state)) = &state {
            self.state = Some(state.clone());
            self.note_state();
        }
        if let Some(failure) = &mut self.failure {
            // What terraform could write down of a failed apply is what is there now.
            if let (Ok(_), Some(state)) = (&state, &self.state) {
                let (task, attempt) = (&self.job.task, self.job.attempt);
                let stream = Some(&self.stream);
                failure.incarnations =
                    Some(state.incarnations(&self.job.memory, stream, task, attempt, &self.identity));
            }
            return self.give_up();
        }
        match state {
            Err(message) if message.is_empty() => self.fail("state pull", end),
            Err(message) => self.trouble(Trouble { message, ..Trouble::default() }),
            Ok(_) if self.goal == Goal::Apply => self.output(),
            Ok(_) => self.destroyed(),
        }
    }

    fn incarnations(&self) -> BTreeSet<Incarnation> {
        let stream = (!self.stream.is_plan()).then_some(&self.stream);
        self.state.as_ref().map_or_else(BTreeSet::new, |state| {
            state.incarnations(&self.job.memory, stream, &self.job.task, self.job.attempt, &self.identity)
        })
    }

    fn note_state(&mut self) {
        self.state.clone().unwrap_or_default().note(&mut self.notes);
    }

    /// A command failed: for want of `init`, which then runs once, or for good.
    fn fail(&mut self, command: &str, end: &StepEnd) -> Move {
        if !self.initialised && trouble::needs_init(end, &self.stream.errors) {
            return self.init();
        }
        let trouble = trouble::failed(&self.commands, command, end, &self.stream.errors);
        self.trouble(trouble)
    }

    fn trouble(&self, trouble: Trouble) -> Move {
        Move::Fail(Trouble { notes: self.notes.clone(), ..trouble })
    }

    fn give_up(&mut self) -> Move {
        let failure = self.failure.take().unwrap_or_default();
        self.trouble(failure)
    }
}

impl Machine for Terraforming {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => self.begin(),
            Stage::Init => self.inited(&end),
            Stage::Select => self.judge_select(&end),
            Stage::Pull => self.pulled(end),
            Stage::Vars => self.plan(),
            Stage::Plan => self.planned(&end),
            Stage::Approve => self.snapshot(),
            Stage::Snapshot => self.apply(),
            Stage::Apply => self.applied(&end),
            Stage::PullAfter => self.pulled_after(&end),
            Stage::Output => self.read_output(&end),
        }
    }

    fn line(&mut self, line: &str) -> Told {
        Told { lines: self.stream.hear(line) }
    }

    /// While an apply runs: what was there, less what it destroyed, with what it created.
    fn so_far(&self) -> Option<BTreeSet<Incarnation>> {
        if self.stage != Stage::Apply {
            return None;
        }
        let memory = &self.job.memory;
        let (task, attempt) = (&self.job.task, self.job.attempt);
        let before = self
            .state
            .as_ref()
            .map_or_else(BTreeSet::new, |state| state.incarnations(memory, None, task, attempt, &self.identity));
        let mut now = self.stream.apply_to(&before, task, attempt);
        now.retain(|one| is_thing(&one.address, &self.identity));
        Some(now)
    }
}

/// What `init` depends on; `None` when the inputs are not known, so that it must run.
pub fn init_key(job: &Job, commands: &Commands) -> Option<String> {
    if job.inputs_digest.is_empty() {
        return None;
    }
    let mut encoder = Encoder::new(Domain::Field);
    encoder.text(&job.inputs_digest).text(commands.data.as_str());
    for word in commands.init(true).argv {
        encoder.text(&word);
    }
    Some(encoder.finish().short())
}
