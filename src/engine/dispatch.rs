//! Owns the dispatcher: the state of every task of a run, and the one loop that linearises what happens.
//! Does not know how an attempt is carried out (`attempt`), nor how a verdict is reached (`plan`).

use crate::engine::RunError;
use crate::engine::attempt::Live;
use crate::engine::finished::Finished;
use crate::engine::request::{Approver, OnTaskFailure, Request};
use crate::engine::retry::Between;
use crate::engine::state::{States, Stop, TaskState};
use crate::engine::upstream::Held;
use crate::event::{Event, Level, Listener};
use crate::host::Host;
use crate::host::process::ProcessEvent;
use crate::host::store::RunStart;
use crate::model::facts::Facts;
use crate::model::name::{AttemptId, RunId, TaskId};
use crate::model::project::Project;
use crate::model::task::OnFailure;
use crate::plan::board::Board;
use crate::plan::schedule;
use crate::plan::verdict::Verdict;
use std::collections::BTreeMap;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What reaches the loop.
pub(super) enum Message {
    /// From a process of an attempt.
    Process(TaskId, AttemptId, ProcessEvent),
    /// A signal to this program.
    Signal,
    /// A pause between tries, or one that a machine asked for, is over.
    Pause(TaskId, AttemptId),
    /// A readiness check ended.
    Ready(TaskId, AttemptId, Result<(), String>),
    /// A probe answered.
    Probed(TaskId, crate::model::probe::Answer),
}

/// Runs one request.
pub struct Engine<'a> {
    pub(super) host: &'a Host,
    pub(super) project: &'a Project,
    pub(super) board: Board<'a>,
    pub(super) request: Request,
    pub(super) listener: &'a mut dyn Listener,
    pub(super) approver: &'a mut dyn Approver,
    /// Zero as long as nothing was started: a run that finds everything fresh writes nothing.
    pub(super) run: RunId,
    /// Events that are told when it is known whether the run starts anything.
    pub(super) untold: Option<Vec<Event>>,
    pub(super) started: Instant,
    /// When everything that was recorded was last made durable.
    pub(super) synced: Instant,
    states: States,
    waiting_for: Vec<usize>,
    pub(super) queue: Vec<TaskId>,
    /// When queued tasks were judged, and how many attempts had ended by then.
    pub(super) queued: BTreeMap<TaskId, (Instant, usize)>,
    pub(super) remaining: Vec<f64>,
    pub(super) verdicts: Vec<Option<Verdict>>,
    pub(super) live: BTreeMap<TaskId, Live>,
    pub(super) events: Vec<String>,
    pub(super) stop: Stop,
    /// Tasks that did not run because of another, and which.
    pub(super) held: BTreeMap<TaskId, Held>,
    /// Number of the next try, of queued tasks that were tried before.
    pub(super) tries: BTreeMap<TaskId, u32>,
    /// Tasks that wait for a path, and when it is looked at again.
    pub(super) lock_waits: BTreeMap<TaskId, Instant>,
    /// Tasks between two tries.
    pub(super) between: BTreeMap<TaskId, Between>,
    pub(super) finished: Finished,
    /// Worst exit code that a failure asks for.
    pub(super) exit: u8,
    /// Threads that kill; waited for before the program ends.
    pub(super) killers: Vec<std::thread::JoinHandle<()>>,
    pub(super) sender: UnboundedSender<Message>,
    pub(super) receiver: UnboundedReceiver<Message>,
}

impl<'a> Engine<'a> {
    /// A run that holds its environment. The board's histories are read.
    ///
    pub fn new(
        host: &'a Host,
        project: &'a Project,
        board: Board<'a>,
        request: Request,
        listener: &'a mut dyn Listener,
        approver: &'a mut dyn Approver,
    ) -> Self {
        let count = project.tasks.len();
        let (sender, receiver) = unbounded_channel();
        let mut verdicts = Vec::new();
        verdicts.resize_with(count, || None);
        let mut engine = Self {
            host,
            project,
            board,
            request,
            listener,
            approver,
            run: RunId(0),
            untold: Some(Vec::new()),
            held: BTreeMap::new(),
            started: Instant::now(),
            synced: Instant::now(),
            states: States::new(count),
            waiting_for: vec![0; count],
            queue: Vec::new(),
            queued: BTreeMap::new(),
            remaining: Vec::new(),
            verdicts,
            live: BTreeMap::new(),
            events: Vec::new(),
            stop: Stop::No,
            tries: BTreeMap::new(),
            lock_waits: BTreeMap::new(),
            between: BTreeMap::new(),
            finished: Finished::default(),
            exit: 0,
            killers: Vec::new(),
            sender,
            receiver,
        };
        engine.prepare();
        engine
    }

    fn prepare(&mut self) {
        let mut chosen = vec![false; self.project.tasks.len()];
        for id in &self.request.tasks {
            chosen[id.index()] = true;
        }
        for id in &self.request.tasks {
            self.states.set(*id, TaskState::Waiting);
            self.waiting_for[id.index()] =
                self.project.graph.up(*id).iter().filter(|(up, _)| chosen[up.index()]).count();
        }
        self.remaining = schedule::remaining(&self.board, &chosen);
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// When the run can't go on; what finished stays recorded.
    pub fn run(mut self) -> Result<Finished, RunError> {
        let first: Vec<TaskId> =
            self.request.tasks.iter().copied().filter(|id| self.waiting_for[id.index()] == 0).collect();
        let result = self.take_recorded().and_then(|()| self.judge_all(first)).and_then(|()| {
            // A null run ends here, without a runtime.
            if !self.is_idle() {
                self.work()?;
            }
            self.announce()
        });
        self.end(result)
    }

    /// Begins the run on record, if it does or fails anything, and tells what was held back.
    fn announce(&mut self) -> Result<(), RunError> {
        let Some(untold) = self.untold.take() else { return Ok(()) };
        if !self.is_idle() || self.exit != 0 || self.finished.restored > 0 {
            self.run = self.host.store.borrow_mut().begin_run(&RunStart {
                env: &self.project.env.name,
                targets: &self.request.words,
                options: &self.request.options,
                command: self.request.command,
                pid: std::process::id(),
                started: self.host.now(),
            })?;
        }
        let tasks: Vec<String> = self.request.tasks.iter().map(|id| self.project.task(*id).name.to_string()).collect();
        let estimate = if self.is_idle() { None } else { self.estimate() };
        self.tell(Event::RunStarted {
            run: self.run.0,
            command: self.request.command.to_owned(),
            env: self.project.env.name.to_string(),
            targets: self.request.words.clone(),
            changed: self.request.changed.clone(),
            tasks,
            at: self.host.now(),
            estimate,
        });
        for event in untold {
            self.tell(event);
        }
        Ok(())
    }

    fn work(&mut self) -> Result<(), RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| RunError::State { path: "(runtime)".to_owned(), why: error.to_string() })?;
        let _signals = crate::host::signals::listen({
            let sender = self.sender.clone();
            move |_| drop(sender.send(Message::Signal))
        });
        runtime.block_on(async {
            let result = self.turn().await;
            if let Err(error) = &result {
                // Nothing may go on behind our back, and nothing is torn down without need.
                self.abandon(error).await;
            }
            result
        })
    }

    /// The loop.
    async fn turn(&mut self) -> Result<(), RunError> {
        loop {
            // While only probes are asked nobody knows yet whether there is anything to do.
            if !self.only_asks() {
                self.announce()?;
            }
            self.start_what_fits()?;
            if self.is_idle() {
                return Ok(());
            }
            let tick = self.next_tick();
            tokio::select! {
                message = self.receiver.recv() => {
                    if let Some(message) = message {
                        self.take(message)?;
                    }
                }
                () = tokio::time::sleep(tick) => self.on_tick(),
            }
        }
    }

    /// Probes are asked, and nothing else is under way.
    fn only_asks(&self) -> bool {
        self.queue.is_empty() && self.stop == Stop::No && self.states.worked_on() == 0
    }

    /// Nothing runs, and nothing can start.
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.states.worked_on() == 0 && self.states.asked() == 0
    }

    /// Whether an attempt is being made of some task now, for pools and places.
    pub(super) fn running(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.live.keys().copied()
    }

    fn take(&mut self, message: Message) -> Result<(), RunError> {
        match message {
            Message::Signal => {
                self.on_signal();
                self.announce()?;
            }
            Message::Process(id, attempt, event) => {
                if self.live.get(&id).is_some_and(|live| live.attempt == attempt) {
                    self.on_process(id, event)?;
                }
            }
            Message::Pause(id, attempt) => self.on_pause(id, attempt)?,
            Message::Ready(id, attempt, result) => {
                if self.live.get(&id).is_some_and(|live| live.attempt == attempt) {
                    self.on_ready(id, result)?;
                }
            }
            Message::Probed(id, answer) => self.on_probed(id, answer)?,
        }
        Ok(())
    }

    /// The one place where a task's state changes.
    pub(super) fn set_state(&mut self, id: TaskId, state: TaskState) {
        self.states.set(id, state);
    }

    pub(super) fn state(&self, id: TaskId) -> &TaskState {
        self.states.get(id)
    }

    /// Downstream tasks whose last upstream this was.
    pub(super) fn released(&mut self, id: TaskId) -> Vec<TaskId> {
        let mut released = Vec::new();
        let graph = &self.project.graph;
        for (down, _) in graph.down(id) {
            let left = &mut self.waiting_for[down.index()];
            if *self.states.get(*down) == TaskState::Waiting && *left > 0 {
                *left -= 1;
                if *left == 0 {
                    released.push(*down);
                }
            }
        }
        released
    }

    pub(super) fn tell(&mut self, event: Event) {
        if let Some(untold) = self.untold.as_mut() {
            untold.push(event);
            return;
        }
        self.listener.hear(&event);
        // Output lines are in the logs; the ledger keeps what happened.
        if !matches!(event, Event::TaskOutput { .. })
            && let Ok(json) = serde_json::to_string(&event)
        {
            self.events.push(json);
        }
    }

    pub(super) fn notice(&mut self, id: TaskId, message: impl Into<String>) {
        let task = self.project.task(id).name.to_string();
        self.tell(Event::TaskNotice { task, message: message.into() });
    }

    pub(super) fn warn(&mut self, message: impl Into<String>) {
        self.tell(Event::Notice { level: Level::Warning, message: message.into() });
    }

    /// A failure's part in the exit code: the first one that says more than 1 wins.
    pub(super) fn note_exit(&mut self, exit: u8) {
        if self.exit <= 1 {
            self.exit = exit;
        }
    }

    /// As above, for a task's failure; one that may fail asks for nothing.
    pub(super) fn note_failure(&mut self, id: TaskId, exit: u8) {
        if self.project.task(id).on_failure == OnFailure::Stop {
            self.note_exit(exit);
        }
    }

    pub(super) fn fails_fast(&self) -> bool {
        self.request.on_failure == OnTaskFailure::FailFast
    }

    fn estimate(&self) -> Option<f64> {
        // What is queued runs, and so does what waits for it, as far as anyone knows now.
        let busy = |id: &TaskId| !matches!(self.state(*id), TaskState::Settled(_) | TaskState::Outside);
        let left: Vec<TaskId> = self.request.tasks.iter().copied().filter(busy).collect();
        schedule::estimate(&self.board, &left, self.request.jobs)
    }
}
