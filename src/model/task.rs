//! Owns one task as it is in one environment: lowered, instances expanded, names resolved.
//! Does not know TOML, nor whether it is fresh.

use crate::model::action::{Action, KindName};
use crate::model::diagnostic::Place;
use crate::model::effect::Effect;
use crate::model::name::{TaskId, TaskName};
use crate::model::text::{Text, Tree};
use crate::model::value::ValueType;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A task in one environment.
#[derive(Clone, Debug)]
pub struct Task {
    /// Place in the graph.
    pub id: TaskId,
    /// Full name, with the instance's key.
    pub name: TaskName,
    /// Name without the instance's key; the same as `name` for a plain task.
    pub family: TaskName,
    /// Key of the instance (`a`, or `x,y`), of a `foreach` or `matrix` task.
    pub instance: Option<String>,
    /// Where `[task.NAME]` stands.
    pub place: Place,
    pub description: Option<String>,
    pub stage: Option<String>,
    pub tags: Vec<String>,
    /// Order and what they made.
    pub needs: Vec<TaskId>,
    /// Order only.
    pub after: Vec<TaskId>,
    pub action: Action,
    pub effect: Effect,
    /// Declared and inferred inputs.
    pub inputs: Vec<Input>,
    /// Declared files and folders, in the order written.
    pub outputs: Vec<Output>,
    /// Declared exports.
    pub exports: BTreeMap<String, ValueType>,
    /// Declared environment.
    pub env: BTreeMap<String, Text>,
    /// Variables taken from the caller (or from dotenv files).
    pub pass_env: Vec<String>,
    /// Working folder, relative to the root; empty for the root itself.
    pub dir: Utf8PathBuf,
    /// How long a `read` record may be believed; `None`: not at all.
    pub ttl: Option<Duration>,
    pub probe: Option<Probe>,
    /// Argvs that take back what the task did.
    pub undo: Vec<Vec<Text>>,
    /// Former names.
    pub was: Vec<String>,
    /// Paths that are input and output at once.
    pub in_place: Vec<Utf8PathBuf>,
    /// Inputs that its tool may write itself (terraform's lock file): they enter by what they hold after
    /// the attempt.
    pub settles: Vec<Utf8PathBuf>,
    pub on_failure: OnFailure,
    pub ready: Vec<Ready>,
    pub retry: Option<Retry>,
    pub timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub pool: Option<String>,
    pub terminal: Terminal,
    pub watch: WatchMay,
    /// What `item` is bound to.
    pub item: Option<Json>,
    /// What `matrix.X` is bound to.
    pub matrix: BTreeMap<String, Json>,
}

impl Task {
    /// Whether this task takes back what others did.
    pub fn is_undo(&self) -> bool {
        self.action.kind == KindName::UndoOf
    }
}

/// What a failure means to those that depend on the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Dependants do not run.
    Stop,
    /// `allow_failure`: dependants run all the same.
    GoOn,
}

/// Who has the terminal while the task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// The program; the tool's stdin is closed.
    Ours,
    /// `interactive`: handed to the tool.
    Handed,
}

/// Whether watch mode may run a task that changes the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchMay {
    /// Left stale, named.
    Leave,
    /// `watch = true`.
    Run,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file or folder named in full, or inferred; missing is an error unless a task makes it.
    Path { path: Utf8PathBuf, origin: Origin },
    /// A glob, with what is taken away from it.
    Glob(Glob),
    /// A path that another task writes, at it, in it or around it.
    Artifact {
        from: TaskId,
        /// The path as this task names it.
        path: Utf8PathBuf,
        /// The declared output of `from` that holds it.
        output: Utf8PathBuf,
    },
}

/// Who said that a path is an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written under `inputs`.
    Declared,
    /// Found by the kind; it may be missing (then its absence is the input).
    Inferred,
}

/// A glob over the project, relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// The pattern.
    pub pattern: String,
    /// Patterns that take away (`!` ones, and what tasks of any environment declare as outputs).
    pub without: Vec<String>,
    /// Whether `.gitignore` counts.
    pub ignore: GitIgnore,
}

/// Whether a glob respects `.gitignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitIgnore {
    /// Ignored files are left out.
    Respected,
    /// The glob lies in a declared output folder.
    Disregarded,
}

/// One declared output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Relative to the root, no trailing slash.
    pub path: Utf8PathBuf,
    pub shape: OutputShape,
    pub keep: Keep,
}

/// File or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputShape {
    File,
    /// Written with a trailing `/`.
    Folder,
}

/// Whether an output goes into the content-addressed store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Kept and restorable.
    Kept,
    /// Secret: 0600, never kept.
    Secret,
}

/// A read-only check that a thing is still there.
#[derive(Clone, Debug)]
pub struct Probe {
    pub check: ProbeCheck,
    /// How long an answer is good for; `None`: one run.
    pub ttl: Option<Duration>,
    pub place: Place,
}

/// What a probe does.
#[derive(Clone, Debug)]
pub enum ProbeCheck {
    /// 0 agrees, 1 disagrees, anything else can't tell.
    Exec(Vec<Text>),
    /// `host:port` accepts a connection.
    Tcp(Text),
    /// A GET answers below 400.
    Http(Text),
    /// The kind's own.
    Kind,
}

/// Something of the world to wait for after the steps.
#[derive(Clone, Debug)]
pub struct Ready {
    pub check: ProbeCheck,
    /// Give up after.
    pub within: Duration,
}

/// More tries.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Tries after the first.
    pub max: u32,
    /// First and longest pause.
    pub backoff: (Duration, Duration),
    /// Texts of which one must be in the output or error; empty: any failure.
    pub when: Vec<String>,
}

/// Everything templates may stand in, for one walk over a task's texts.
impl Task {
    /// Calls `see` with the field's name for every tree of the task that is rendered late.
    pub fn each_tree<'a>(&'a self, see: &mut dyn FnMut(&str, &'a Tree)) {
        for (field, tree) in &self.action.table {
            see(field, tree);
        }
    }
}
