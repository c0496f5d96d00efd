//! Owns one attempt under way: carries out the machine's moves and hears its processes.
//! Does not know what the moves mean, nor how the end is recorded (`finish`).

use crate::engine::RunError;
use crate::engine::approval::Agreed;
use crate::engine::dispatch::{Engine, Message};
use crate::engine::job::Prepared;
use crate::engine::undoing::UndoQueue;
use crate::event::Event;
use crate::host::cas::Aside;
use crate::host::lock::PathLocks;
use crate::host::mask::Masks;
use crate::host::process::{self, Ended, ProcessEvent, Running, StartError, Stdin};
use crate::host::store::Intent;
use crate::kind::machine::{CanChange, Done, Heard, Job, Machine, Move, Stdout, Step, StepEnd, Taken, Trouble};
use crate::model::name::{AttemptId, TaskId};
use crate::model::reason::Reason;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The signal of Ctrl-C, and how a shell says that it ended what it ran.
const SIGINT: i32 = 2;
const BY_SIGINT: i32 = 128 + SIGINT;

/// Lines of the log's end that a failure shows.
const TAIL: usize = 20;

/// Why a running tool was sent a SIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupted {
    User,
    Timeout,
    FailFast,
}

/// What was made durable before the first step that can change the world.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Began {
    /// The taint that stood before.
    pub taint_before: Option<i64>,
}

/// One attempt under way.
pub(super) struct Live {
    pub attempt: AttemptId,
    /// Counts the tries of this run.
    pub number: u32,
    pub machine: Option<Box<dyn Machine>>,
    pub job: Job,
    pub env: BTreeMap<String, String>,
    pub masks: Arc<Masks>,
    pub log: Utf8PathBuf,
    pub reasons: Vec<Reason>,
    pub started: Instant,
    pub step: Option<Step>,
    pub running: Option<Running>,
    pub tail: VecDeque<String>,
    /// So many lines at its end are of the step that runs.
    pub of_step: usize,
    pub last_end: StepEnd,
    /// The intent, once it is durable.
    pub began: Option<Began>,
    pub agreed: Agreed,
    /// The terminal is its own.
    pub handed: bool,
    pub interrupted: Option<(Interrupted, Instant)>,
    pub killed: bool,
    pub grace: Duration,
    pub deadline: Option<Instant>,
    pub asides: Vec<Aside>,
    pub undo: Option<UndoQueue>,
    /// Things that the machine said it will change.
    pub claims: Vec<String>,
    pub done: Option<Done>,
    _locks: PathLocks,
}

impl Live {
    pub(super) fn new(
        attempt: AttemptId,
        number: u32,
        prepared: Prepared,
        reasons: Vec<Reason>,
        locks: PathLocks,
    ) -> Self {
        Self {
            attempt,
            number,
            machine: None,
            job: prepared.job,
            env: prepared.env,
            masks: prepared.masks,
            log: prepared.log,
            reasons,
            started: Instant::now(),
            step: None,
            running: None,
            tail: VecDeque::new(),
            of_step: 0,
            last_end: StepEnd::default(),
            began: None,
            agreed: Agreed::Nothing,
            handed: false,
            interrupted: None,
            killed: false,
            grace: Duration::from_secs(10),
            deadline: None,
            asides: Vec::new(),
            undo: None,
            claims: Vec::new(),
            done: None,
            _locks: locks,
        }
    }

    fn keep_line(&mut self, line: &str) {
        if line.trim().is_empty() {
            // The end of a log is shown for what it says.
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
        self.of_step = (self.of_step + 1).min(TAIL);
    }
}

impl Engine<'_> {
    /// Lets the machine say what comes next, until it waits for something.
    pub(super) fn advance(&mut self, id: TaskId, heard: Heard) -> Result<(), RunError> {
        let mut heard = heard;
        loop {
            let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
            let Some(machine) = live.machine.as_mut() else { return Ok(()) };
            heard = match machine.next(heard) {
                Move::Run(step) => return self.run_step(id, step),
                Move::Write { path, bytes, mode } => match self.host.write_aside(&path, &bytes, mode) {
                    Ok(()) => Heard::Written,
                    Err(why) => return self.fail(id, Trouble { message: why, ..Trouble::default() }),
                },
                Move::Snapshot { name, bytes } => {
                    let path = live.job.keep.join("snapshots").join(name);
                    match self.host.write_aside(&path, &bytes, Some(0o600)) {
                        Ok(()) => Heard::Written,
                        Err(why) => return self.fail(id, Trouble { message: why, ..Trouble::default() }),
                    }
                }
                Move::Approve(change) => match self.ask_approval(id, &change) {
                    Ok(()) => Heard::Approved,
                    Err(trouble) => return self.end_badly(id, trouble),
                },
                Move::Claim(things) => match self.claim(id, things) {
                    Ok(taken) => Heard::Claimed(taken),
                    Err(why) => return self.fail(id, Trouble { message: why, ..Trouble::default() }),
                },
                Move::Wait(pause) => {
                    let (sender, attempt) = (self.sender.clone(), live.attempt);
                    std::thread::spawn(move || {
                        std::thread::sleep(pause);
                        let _ = sender.send(Message::Pause(id, attempt));
                    });
                    return Ok(());
                }
                Move::Done(done) => return self.machine_done(id, done),
                Move::Fail(trouble) => return self.fail(id, trouble),
            };
        }
    }

    /// Things that a machine says it will change: its own from its first change on, unless it takes something back.
    /// Gives the first that is another's.
    fn claim(&mut self, id: TaskId, things: Vec<String>) -> Result<Option<Taken>, String> {
        let Some(live) = self.live.get_mut(&id) else { return Ok(None) };
        let key = live.undo.as_ref().map_or_else(|| Some(self.board.key(id)), UndoQueue::current_key);
        let env = self.project.env.name.as_str();
        let store = self.host.store.borrow();
        let mut taken = None;
        for thing in &things {
            let owner = store.owner(thing).map_err(|error| error.to_string())?;
            let foreign = owner.filter(|owner| Some(owner.task) != key || owner.env != env);
            taken = taken.or(foreign.map(|owner| Taken {
                thing: thing.clone(),
                owner: format!("`{}` in environment `{}`", owner.task_name, owner.env),
            }));
        }
        if live.undo.is_none() {
            live.claims = things;
        }
        Ok(taken)
    }

    fn run_step(&mut self, id: TaskId, step: Step) -> Result<(), RunError> {
        if let Some(live) = self.live.get(&id)
            && live.interrupted.is_some()
        {
            // Interrupted between two steps: the next one does not start.
            return self.fail(id, Trouble { message: "interrupted".to_owned(), ..Trouble::default() });
        }
        let changes = step.can_change == CanChange::Yes && self.project.task(id).effect.changes_world();
        if changes {
            let change = self.blind_change(id, &step);
            if let Err(trouble) = self.ask_approval(id, &change) {
                return self.end_badly(id, trouble);
            }
            // A program that can't be started must void nothing: it is looked for before the intent.
            if let Some(program) = step.argv.first()
                && let Err(error) = self.host.findable(program, &step.dir)
            {
                return self.fail_to_start(id, &error);
            }
            self.intend(id)?;
        }
        let task = self.project.task(id).name.to_string();
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        let attempt = live.attempt;
        let mut env = live.env.clone();
        for name in &step.without_env {
            match name.strip_suffix('*') {
                Some(prefix) => env.retain(|name, _| !name.starts_with(prefix)),
                None => drop(env.remove(name)),
            }
        }
        env.extend(step.env.clone());
        let handed = live.handed;
        let command = process::Command {
            argv: step.argv.clone(),
            dir: step.dir.clone(),
            env,
            log: live.log.clone(),
            stdin: if handed { Stdin::Terminal } else { Stdin::Closed },
            stdout: match step.stdout {
                Stdout::Log => process::Stdout::Log,
                Stdout::Collect => process::Stdout::Collect,
                Stdout::Stream => process::Stdout::Stream,
            },
            follow: step.follow.clone(),
            umask: step.umask,
            mark: attempt.to_string(),
            masks: live.masks.clone(),
        };
        let argv: Vec<String> = step.argv.iter().map(|word| live.masks.mask(word)).collect();
        let name = live.masks.mask(&step.name);
        let sender = self.sender.clone();
        let started =
            process::start(command, Box::new(move |event| drop(sender.send(Message::Process(id, attempt, event)))));
        match started {
            Ok(running) => {
                live.of_step = 0;
                live.step = Some(step);
                live.running = Some(running);
                self.tell(Event::TaskStep { task, attempt: attempt.0, step: name, argv });
                Ok(())
            }
            Err(error) => {
                live.step = Some(step);
                self.fail_to_start(id, &error)
            }
        }
    }

    fn fail_to_start(&mut self, id: TaskId, error: &StartError) -> Result<(), RunError> {
        let missing = matches!(error, StartError::NotFound { .. });
        if missing {
            self.note_failure(id, 6);
        }
        let hint = missing.then(|| "nothing was started, so nothing is in doubt".to_owned());
        self.fail(id, Trouble { message: error.to_string(), hint, ..Trouble::default() })
    }

    /// Makes the intent durable, once an attempt.
    fn intend(&mut self, id: TaskId) -> Result<(), RunError> {
        let Some(live) = self.live.get(&id) else { return Ok(()) };
        if live.began.is_some() {
            return self.intend_undo_target(id);
        }
        if live.undo.is_some() {
            if let Some(live) = self.live.get_mut(&id) {
                live.began = Some(Began::default());
            }
            return self.intend_undo_target(id);
        }
        let task = self.project.task(id);
        let recipe = self.recipe(id, &live.job, &live.env);
        let attempt = live.attempt;
        let subjects: Vec<String> = if crate::kind::find(task.action.kind).claims() {
            live.claims.clone()
        } else {
            task.action.subject.iter().cloned().collect()
        };
        self.sync_kept()?;
        let taint = self.host.store.borrow_mut().intend(&Intent {
            attempt,
            task: self.board.key(id),
            task_name: task.name.as_str(),
            env: &self.project.env.name,
            subjects: &subjects,
            undo: recipe.as_deref(),
        })?;
        if let Some(live) = self.live.get_mut(&id) {
            live.began = Some(Began { taint_before: taint });
        }
        Ok(())
    }

    pub(super) fn on_process(&mut self, id: TaskId, event: ProcessEvent) -> Result<(), RunError> {
        match event {
            ProcessEvent::Line { stream, text } => {
                self.on_line(id, stream, &text);
                Ok(())
            }
            ProcessEvent::Ended(ended) => self.on_ended(id, ended),
        }
    }

    fn on_line(&mut self, id: TaskId, stream: process::Stream, text: &str) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let structured = match stream {
            process::Stream::Followed => true,
            process::Stream::Out => live.step.as_ref().is_some_and(|step| step.stdout == Stdout::Stream),
            process::Stream::Err => false,
        };
        let lines = if structured {
            let Some(machine) = live.machine.as_mut() else { return };
            let told: Vec<String> = machine.line(text).lines.iter().map(|line| live.masks.mask(line)).collect();
            self.host.append_log(&live.log, &told);
            told
        } else {
            vec![text.to_owned()]
        };
        let attempt = live.attempt.0;
        for line in &lines {
            live.keep_line(line);
        }
        let task = self.project.task(id).name.to_string();
        for line in lines {
            self.tell(Event::TaskOutput { task: task.clone(), attempt, line });
        }
    }

    fn on_ended(&mut self, id: TaskId, ended: Ended) -> Result<(), RunError> {
        let Some(live) = self.live.get_mut(&id) else { return Ok(()) };
        live.running = None;
        // Ctrl-C goes to the tool that has the terminal, and not to us: it is meant for the run all the same.
        let by_keys = live.handed
            && live.interrupted.is_none()
            && (ended.signal == Some(SIGINT) || ended.code == Some(BY_SIGINT));
        if by_keys {
            live.interrupted = Some((Interrupted::User, Instant::now()));
        }
        let mut end = StepEnd {
            code: ended.code,
            signal: ended.signal,
            stdout: ended.collected,
            tail: live.tail.iter().skip(live.tail.len().saturating_sub(live.of_step)).cloned().collect(),
            took: Duration::try_from_secs_f64(ended.seconds).unwrap_or_default(),
            files: BTreeMap::new(),
        };
        if let Some(step) = &live.step {
            for path in &step.read_after {
                if let Ok(Some(text)) = self.host.read_text(path) {
                    end.files.insert(path.clone(), text);
                }
            }
        }
        live.last_end = StepEnd { stdout: String::new(), files: BTreeMap::new(), ..end.clone() };
        self.host.forget_programs();
        if by_keys {
            self.stop_all();
        }
        let swept = ended.swept.len();
        if let Some(lost) = ended.log_lost {
            self.notice(id, format!("the log lacks its end: {lost}"));
        }
        if swept > 0 {
            let what = if swept == 1 {
                "1 process that it left behind was".to_owned()
            } else {
                format!("{swept} processes that it left behind were")
            };
            self.notice(id, format!("{what} ended"));
        }
        self.advance(id, Heard::Step(end))
    }
}
