//! Owns what every command starts with: root, looks, the loaded project, the world, the board.
//! Does not know what a command does with them.

use crate::cli::{Color, Global};
use crate::command::exit::CommandError;
use crate::engine::recover;
use crate::host::files::{Disk, Sightings, StatCache};
use crate::host::lock;
use crate::host::secret::Vault;
use crate::host::signatures::stat_rows;
use crate::host::store::Store;
use crate::host::world::{Host, STATE_DIR, SecretCommands};
use crate::manifest::{self, Options};
use crate::model::diagnostic::Diagnostic;
use crate::model::name::{RunId, TaskId};
use crate::model::project::Project;
use crate::model::record::Phase;
use crate::plan::board::Board;
use crate::report::diagnostics::{self, Sources};
use crate::report::folded::{self, Fold};
use crate::report::paint::Verbosity;
use crate::report::select::{Choice, ColorWish, Surroundings, Wishes, choose};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

/// What every command has.
pub struct Context {
    pub global: Global,
    pub choice: Choice,
    pub caller_env: BTreeMap<String, String>,
    /// The list of all that is looked at, if anybody keeps one.
    pub sightings: Sightings,
    unwritten: OnceLock<String>,
}

impl Context {
    /// From the command line and the caller.
    pub fn new(global: Global, caller_env: BTreeMap<String, String>) -> Self {
        let wishes = Wishes {
            json: global.json,
            color: match global.color {
                Color::Auto => ColorWish::Auto,
                Color::Always => ColorWish::Always,
                Color::Never => ColorWish::Never,
            },
            verbosity: match (global.quiet, global.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
        };
        let mut around = Surroundings::read(|name| caller_env.get(name).cloned());
        around.stdout_terminal = std::io::stdout().is_terminal();
        around.stderr_terminal = std::io::stderr().is_terminal();
        if around.columns.is_none() {
            around.columns = crate::host::simple::terminal_columns();
        }
        let choice = choose(&wishes, &around);
        Self { global, choice, caller_env, sightings: Sightings::default(), unwritten: OnceLock::new() }
    }

    /// This invocation, as locks are signed.
    pub fn holder(&self, command: &str) -> lock::Holder {
        let text = |name: &str| self.caller_env.get(name).cloned();
        let start = text(crate::host::clock::TEST_NOW).and_then(|text| text.parse().ok());
        lock::Holder {
            pid: std::process::id(),
            host: crate::host::simple::host_name(),
            user: text("USER").or_else(|| text("LOGNAME")).unwrap_or_else(|| "somebody".to_owned()),
            run: 0,
            since: crate::host::clock::Clock::set_to(start).now(),
            command: command.to_owned(),
        }
    }

    /// The folder that the command starts in.
    ///
    /// # Errors
    /// When there is none.
    pub fn folder(&self) -> Result<Utf8PathBuf, CommandError> {
        let start = match &self.global.directory {
            Some(directory) if Utf8Path::new(directory).is_absolute() => Utf8PathBuf::from(directory),
            Some(directory) => here()?.join(directory),
            None => here()?,
        };
        start
            .canonicalize_utf8()
            .ok()
            .filter(|start| start.is_dir())
            .ok_or_else(|| CommandError::usage(format!("there is no folder `{start}`"), "correct `--directory`"))
    }

    /// The project's root: the nearest folder upwards with `infra.toml` or `tasks/*.toml`.
    ///
    /// # Errors
    /// When there is none.
    pub fn root(&self) -> Result<Utf8PathBuf, CommandError> {
        let start = self.folder()?;
        project_around(&start).map(Utf8Path::to_owned).ok_or_else(|| {
            CommandError::usage(
                format!("no project here: neither `{start}` nor a folder above it has `infra.toml` or `tasks/*.toml`"),
                "`infra init` looks at the folder and proposes tasks; `-C DIR` names another folder",
            )
        })
    }

    /// Loads the project; mistakes end the command, warnings are said by `check`.
    pub fn load(&self, root: &Utf8Path) -> Loaded {
        let disk = Disk::seen_by(root, StatCache::default(), self.sightings.clone());
        let options = Options {
            env: self.global.env.clone(),
            set: self.global.set.iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
        };
        Loaded { loaded: manifest::load(&disk, &options) }
    }

    /// The project, its world and its board, opened for reading.
    ///
    /// # Errors
    /// Mistakes in the declaration; a store that can't be read.
    pub fn open_to_read(&self) -> Result<Opened, CommandError> {
        let root = self.root()?;
        let project = self.load(&root).project()?;
        self.opened_to_read(root, project)
    }

    /// A project's world and its board, opened for reading.
    ///
    /// # Errors
    /// A store that can't be read.
    pub fn opened_to_read(&self, root: Utf8PathBuf, project: Project) -> Result<Opened, CommandError> {
        let state = root.join(STATE_DIR);
        let store = Store::open_to_read(&state)?;
        let vault = Vault::load(&state).map_err(|error| CommandError::State(error.to_string()))?;
        let opened = self.opened(root, project, store, vault, SecretCommands::NotRun)?;
        if opened.living_run().is_none() {
            recover::foresee(&opened.host, &opened.project.env.name)?;
        }
        Ok(opened)
    }

    /// Puts a world together.
    pub(super) fn opened(
        &self,
        root: Utf8PathBuf,
        project: Project,
        store: Store,
        vault: Option<Vault>,
        commands: SecretCommands,
    ) -> Result<Opened, CommandError> {
        let disk = Disk::seen_by(&root, StatCache::new(stat_rows(store.files()?)), self.sightings.clone());
        let env = project.env.clone();
        let host = Host::new(&root, disk, store, vault, env, self.caller_env.clone(), commands);
        Ok(Opened { root, project, host })
    }

    /// Refuses `--json` where what is printed is a text of its own.
    ///
    /// # Errors
    /// With `--json`.
    pub fn no_json(&self, what: &str) -> Result<(), CommandError> {
        if self.global.json {
            return Err(CommandError::usage(format!("{what} has no form in JSON"), "leave `--json` out"));
        }
        Ok(())
    }

    /// Writes data to stdout. Nobody reading is no error; what else goes wrong is kept (`unwritten`).
    pub fn out(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| if text.is_empty() || text.ends_with('\n') { Ok(()) } else { stdout.write_all(b"\n") })
            .and_then(|()| stdout.flush());
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            let _ = self.unwritten.set(crate::host::reason(&error));
        }
    }

    /// Why data could not be written to stdout, if it could not.
    pub fn unwritten(&self) -> Option<CommandError> {
        self.unwritten.get().map(|why| CommandError::State(format!("standard output cannot be written: {why}")))
    }

    /// Writes to stderr what nobody misses who asked for quiet, or who is a program.
    pub fn note(&self, text: &str) {
        if !self.choice.stderr.is_quiet() && !self.global.json {
            self.say(text);
        }
    }

    /// Writes talk to stderr.
    #[expect(clippy::unused_self, reason = "who may write has a context")]
    pub fn say(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| if text.is_empty() || text.ends_with('\n') { Ok(()) } else { stderr.write_all(b"\n") });
    }

    /// Shows mistakes: to people on stderr, as data on stdout with `--json`.
    pub fn show(&self, found: &[Diagnostic], sources: &Sources) {
        if self.global.json {
            self.out(&diagnostics::json(found, sources));
        } else if !found.is_empty() {
            self.say(&diagnostics::human(found, sources, &self.choice.stderr));
            if self.choice.fold == Fold::GitHub {
                let folder = self.root().ok().and_then(|root| self.checked_out(&root));
                self.say(&folded::annotations(found, sources, folder.as_deref()));
            }
        }
    }

    /// The project's folder below the top of what GitHub Actions checked out; `None`: it lies elsewhere.
    pub fn checked_out(&self, root: &Utf8Path) -> Option<String> {
        let top = Utf8Path::new(self.caller_env.get("GITHUB_WORKSPACE")?).canonicalize_utf8().ok()?;
        root.strip_prefix(top).ok().map(ToString::to_string)
    }
}

/// The root of the project that a folder belongs to. A role of ansible has a folder `tasks` too: that is no project.
pub(super) fn project_around(folder: &Utf8Path) -> Option<&Utf8Path> {
    let has_tasks = |folder: &Utf8Path| crate::host::simple::may_hold(&folder.join("tasks"), ".toml");
    folder.ancestors().find(|folder| folder.join("infra.toml").is_file() || has_tasks(folder))
}

/// The current folder.
fn here() -> Result<Utf8PathBuf, CommandError> {
    let hint = "go to another folder, or name one with `-C DIR`";
    let here = std::env::current_dir().map_err(|_| CommandError::usage("the current folder is gone", hint))?;
    Utf8PathBuf::from_path_buf(here).map_err(|here| {
        CommandError::usage(format!("the name of the current folder is not UTF-8: `{}`", here.display()), hint)
    })
}

/// A loaded project, with its mistakes.
pub struct Loaded {
    pub loaded: manifest::Loaded,
}

impl Loaded {
    /// Text of the files, for diagnostics.
    pub fn sources(&self) -> Sources {
        self.loaded.sources.iter().map(|(path, text)| (path.clone(), text.to_string())).collect()
    }

    /// The project, or its mistakes.
    ///
    /// # Errors
    /// The mistakes.
    pub fn project(self) -> Result<Project, CommandError> {
        let sources = if self.loaded.project.is_some() { Sources::default() } else { self.sources() };
        match self.loaded.project {
            Some(project) => Ok(project),
            None => Err(CommandError::Diagnostics { found: self.loaded.diagnostics, sources }),
        }
    }
}

/// A project and its world.
pub struct Opened {
    pub root: Utf8PathBuf,
    pub project: Project,
    pub host: Host,
}

impl Opened {
    /// A board with the histories of the project's tasks. Attempts that no living run makes were cut.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn board(&self) -> Result<Board<'_>, CommandError> {
        let store = self.host.store.borrow();
        let mut histories = store.histories(&self.project.env.name)?;
        if self.living_run().is_none() {
            for history in histories.values_mut() {
                if let Some(last) = history.last.as_mut().filter(|last| last.phase == Phase::Open) {
                    last.phase = Phase::Cut;
                }
            }
        }
        Ok(Board::new(&self.project, &store.task_keys()?, histories))
    }

    /// The run that works on a task now.
    pub fn running(board: &Board<'_>, id: TaskId) -> Option<RunId> {
        let last = board.history(id).last.as_ref()?;
        (last.phase == Phase::Open).then_some(last.run)
    }

    /// The run that holds the environment now.
    pub fn living_run(&self) -> Option<lock::Held> {
        lock::read_holder(&self.host.state, self.project.env.name.as_str())
    }
}
