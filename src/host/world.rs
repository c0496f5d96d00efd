//! Owns the world as one invocation sees it: root, files, stores, secrets, the caller's environment. It
//! answers `model::facts::Facts`.
//! Does not know what is fresh.

use crate::host::cas::{Asides, Cas};
use crate::host::clock::Clock;
use crate::host::files::{Disk, Look, Sightings};
use crate::host::process::{self, StartError};
use crate::host::secret::{Sources, Vault};
use crate::host::store::{Store, ToolRow};
use crate::model::diagnostic::Place;
use crate::model::digest::Digest;
use crate::model::environment::{Environment, Secret, SecretSource};
use crate::model::facts::{Content, FactError, Facts, Files, SecretDigest};
use crate::model::name::{EnvName, TaskKey};
use crate::model::record::{Millis, Record};
use crate::model::task::Glob;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Name of the state folder under the root.
pub const STATE_DIR: &str = ".infra";

/// How long a secret's command may take: some ask a person to touch a key.
const SECRET_TIMEOUT: Duration = Duration::from_secs(60);

/// Whether secrets' commands may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretCommands {
    /// A run.
    MayRun,
    /// A reading command: what it can't resolve is taken as unchanged.
    NotRun,
}

/// The world.
pub struct Host {
    pub root: Utf8PathBuf,
    /// `.infra`, absolute.
    pub state: Utf8PathBuf,
    pub disk: Disk,
    pub caller_env: BTreeMap<String, String>,
    pub store: RefCell<Store>,
    environment: Environment,
    pub(super) cas: Cas,
    pub(super) asides: Asides,
    clock: Clock,
    vault: Option<Vault>,
    commands: SecretCommands,
    secrets: RefCell<BTreeMap<String, Result<String, String>>>,
    versions: RefCell<BTreeMap<String, Option<String>>>,
    search_path: String,
    programs: RefCell<BTreeMap<String, Option<Utf8PathBuf>>>,
    /// What programs hold, until something ran that may have written one.
    program_contents: RefCell<BTreeMap<String, Option<Content>>>,
    pub(super) known_tools: RefCell<Option<BTreeMap<String, ToolRow>>>,
    /// Files that places are in, read once.
    texts: RefCell<BTreeMap<Utf8PathBuf, Lines>>,
}

/// A text and where its lines begin.
struct Lines {
    text: Arc<str>,
    starts: Vec<usize>,
}

impl Host {
    /// The world for one environment. `vault` is absent in a clone that never ran.
    pub fn new(
        root: &Utf8Path,
        disk: Disk,
        store: Store,
        vault: Option<Vault>,
        environment: Environment,
        caller_env: BTreeMap<String, String>,
        commands: SecretCommands,
    ) -> Self {
        let state = root.join(STATE_DIR);
        let search_path = search_path(root, &caller_env, disk.sightings());
        Self {
            root: root.to_owned(),
            cas: Cas::new(state.join("cas")),
            asides: Asides::new(&state),
            clock: Clock::set_to(caller_env.get(crate::host::clock::TEST_NOW).and_then(|text| text.parse().ok())),
            state,
            disk,
            store: RefCell::new(store),
            environment,
            vault,
            commands,
            secrets: RefCell::default(),
            versions: RefCell::default(),
            search_path,
            programs: RefCell::default(),
            program_contents: RefCell::default(),
            known_tools: RefCell::default(),
            texts: RefCell::default(),
            caller_env,
        }
    }

    /// A path relative to the root, for people and the store.
    pub fn relative(&self, path: &Utf8Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string()
    }

    /// `file:line:column` of a place; a task that nobody wrote (`destroy`) has none.
    pub fn declared_at(&self, place: &Place) -> Option<String> {
        (!place.file.as_str().is_empty()).then(|| self.declared(place))
    }

    /// `file:line:column` of a place.
    pub fn declared(&self, place: &Place) -> String {
        let mut texts = self.texts.borrow_mut();
        let lines = texts.entry(place.file.clone()).or_insert_with(|| {
            let text = self.disk.read(&place.file).unwrap_or_default();
            let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            Lines { text, starts }
        });
        let at = place.span.start.min(lines.text.len());
        let line = lines.starts.partition_point(|start| *start <= at);
        let start = lines.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = lines.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        format!("{}:{line}:{column}", place.file)
    }

    /// Where programs are looked for: the project's own tools first, then the caller's `PATH`.
    pub fn search_path(&self) -> String {
        self.search_path.clone()
    }

    /// A program by name or by a path relative to the root; looked for once.
    pub(super) fn found(&self, word: &str) -> Option<Utf8PathBuf> {
        if let Some(known) = self.programs.borrow().get(word) {
            return known.clone();
        }
        let sightings = self.disk.sightings();
        let mut looking = |file: &Utf8Path| sightings.see(file, Look::Target);
        let found = process::find_program_seen(word, &self.search_path, &self.root, &mut looking);
        self.programs.borrow_mut().insert(word.to_owned(), found.clone());
        found
    }

    /// Forgets what programs hold: a task ran, and may have installed another.
    pub fn forget_programs(&self) {
        self.program_contents.borrow_mut().clear();
    }

    /// The environment that checks run in: the allow-list's plainest part.
    pub fn plain_env(&self) -> BTreeMap<String, String> {
        let mut env: BTreeMap<String, String> = ["HOME", "USER", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK"]
            .iter()
            .filter_map(|name| self.caller_env.get(*name).map(|value| ((*name).to_owned(), value.clone())))
            .collect();
        env.insert("PATH".to_owned(), self.search_path());
        env
    }

    /// A variable for `pass_env`: the caller's, else a dotenv file's.
    pub fn passed(&self, name: &str) -> Option<String> {
        self.caller_env.get(name).or_else(|| self.environment.dotenv.get(name)).cloned()
    }

    /// The real value of a declared secret, asked once.
    ///
    /// # Errors
    /// A lower-case fragment without the value.
    pub fn secret_value(&self, name: &str) -> Result<String, String> {
        if let Some(known) = self.secrets.borrow().get(name) {
            return known.clone();
        }
        let value = match self.environment.secrets.get(name) {
            Some(secret) if self.commands == SecretCommands::NotRun && is_command(secret) => {
                return Err(format!("secret `{name}` comes from a command, and a command that reads runs none"));
            }
            None => Err(format!("secret `{name}` is not declared")),
            Some(declared) => {
                match &declared.source {
                    SecretSource::Env(_) => {}
                    SecretSource::File(path) => self.disk.sightings().see_below(&self.root, path, Look::Target),
                    SecretSource::Command(_) => self.disk.sightings().spoil(),
                }
                let mut caller = self.environment.dotenv.clone();
                caller.extend(self.caller_env.clone());
                caller.insert("PATH".to_owned(), self.search_path());
                let sources = Sources { root: &self.root, caller: &caller, timeout: SECRET_TIMEOUT };
                sources
                    .fetch(name, declared)
                    .map(|value| value.to_string())
                    .map_err(|error| crate::host::explain(&error))
            }
        };
        self.secrets.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }

    /// Seals bytes under the project's key.
    ///
    /// # Errors
    /// When there is no key, or it can't be used.
    pub fn seal(&self, bytes: &[u8]) -> Result<String, String> {
        let vault = self.vault.as_ref().ok_or("the project has no key yet")?;
        vault.seal(bytes).map_err(|error| error.to_string())
    }

    /// Opens a sealed JSON value.
    ///
    /// # Errors
    /// When the key is gone or another.
    pub fn unseal(&self, sealed: &str) -> Result<Json, String> {
        let vault = self.vault.as_ref().ok_or("the project has no key")?;
        let bytes = vault.open(sealed).map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| format!("a sealed value is damaged: {error}"))
    }

    /// Whether a program can be found.
    ///
    /// # Errors
    /// As starting it would.
    pub fn findable(&self, program: &str, dir: &Utf8Path) -> Result<(), StartError> {
        match process::find_program(program, &self.search_path(), dir) {
            Some(_) => Ok(()),
            None => Err(process::missing(program, dir)),
        }
    }

    /// Makes a folder with mode 0700 and its parents.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn make_private_dir(&self, path: &Utf8Path) -> Result<(), String> {
        crate::host::files::make_private_dir(path).map_err(|error| error.to_string())
    }

    /// Makes a folder for outputs, relative to the root.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn make_dir(&self, path: &Utf8Path, private: bool) -> Result<(), String> {
        let full = self.root.join(path);
        if private {
            self.make_private_dir(&full)
        } else {
            crate::host::simple::make_dir(&full).map_err(|error| error.to_string())
        }
    }

    /// Removes a folder of an attempt; what can't be removed stays, it is only litter.
    pub fn remove_private_dir(&self, path: &Utf8Path) {
        crate::host::simple::remove_dir(path);
    }

    /// Removes a file of an attempt.
    pub fn remove_private_file(&self, path: &Utf8Path) {
        crate::host::simple::remove_file(path);
    }

    /// Writes a file aside and renames it into place.
    ///
    /// # Errors
    /// A lower-case fragment with the path.
    pub fn write_aside(&self, path: &Utf8Path, bytes: &[u8], mode: Option<u32>) -> Result<(), String> {
        let inside_state = path.starts_with(&self.state);
        if inside_state && let Some(parent) = path.parent() {
            self.make_private_dir(parent)?;
        }
        let mode = if inside_state { Some(mode.unwrap_or(0o600)) } else { mode };
        crate::host::files::write_aside(path, bytes, mode).map_err(|error| error.to_string())
    }

    /// Whether something was written to a file.
    pub fn is_written(&self, path: &Utf8Path) -> bool {
        crate::host::simple::has_text(path)
    }

    /// Text of an absolute path; `None` when there is none.
    ///
    /// # Errors
    /// A lower-case fragment with the path.
    pub fn read_text(&self, path: &Utf8Path) -> Result<Option<String>, String> {
        crate::host::simple::read_text(path).map_err(|error| error.to_string())
    }

    /// Mode bits of a file relative to the root.
    pub fn mode_of(&self, path: &Utf8Path) -> Option<u32> {
        crate::host::simple::mode_of(&self.root.join(path))
    }

    /// Adds lines to a log; a log that can't be written never fails a run.
    pub fn append_log(&self, log: &Utf8Path, lines: &[String]) {
        crate::host::simple::append_lines(log, lines);
    }
}

fn is_command(secret: &Secret) -> bool {
    matches!(secret.source, SecretSource::Command(_))
}

fn search_path(root: &Utf8Path, caller_env: &BTreeMap<String, String>, sightings: &Sightings) -> String {
    let mut parts: Vec<String> = [".tools/bin", ".tools/venv/bin", ".tools/kube/bin"]
        .iter()
        .map(|own| root.join(own))
        .inspect(|own| sightings.see(own, Look::Presence))
        .filter(|own| own.is_dir())
        .map(Utf8PathBuf::into_string)
        .collect();
    if let Some(path) = caller_env.get("PATH") {
        parts.push(path.clone());
    }
    parts.join(":")
}

impl Facts for Host {
    fn content(&self, path: &Utf8Path) -> Result<Content, FactError> {
        self.disk.content(path)
    }

    fn artifact(&self, path: &Utf8Path) -> Result<Content, FactError> {
        self.disk.artifact(path)
    }

    fn glob(&self, glob: &Glob) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        self.disk.glob(glob)
    }

    fn walk(&self, folder: &Utf8Path) -> Result<Arc<[Utf8PathBuf]>, FactError> {
        self.disk.walk(folder)
    }

    fn tool_version(&self, tool: &str) -> Result<Option<String>, FactError> {
        if let Some(known) = self.versions.borrow().get(tool) {
            return Ok(known.clone());
        }
        let version = self.version_of(tool);
        self.versions.borrow_mut().insert(tool.to_owned(), version.clone());
        Ok(version)
    }

    fn program(&self, word: &str) -> Option<Content> {
        if let Some(known) = self.program_contents.borrow().get(word) {
            return *known;
        }
        let content = self.found(word).and_then(|program| self.disk.content(&program).ok());
        self.program_contents.borrow_mut().insert(word.to_owned(), content);
        content
    }

    fn caller_env(&self, name: &str) -> Option<String> {
        self.passed(name)
    }

    fn keyed(&self, name: &str, value: &[u8]) -> Digest {
        match &self.vault {
            Some(vault) => vault.keyed(name, value),
            // Without a key there is no record either that this could be compared with.
            None => Digest::keyed(&[0; 32], name, b""),
        }
    }

    fn secret(&self, name: &str) -> SecretDigest {
        if self.environment.secrets.get(name).is_some_and(is_command) && self.commands == SecretCommands::NotRun {
            return SecretDigest::NotAsked;
        }
        match self.secret_value(name) {
            Ok(value) => SecretDigest::Known(self.keyed(name, value.as_bytes())),
            Err(why) => SecretDigest::Missing(why),
        }
    }

    fn record(&self, task: TaskKey, fingerprint: &Digest) -> Result<Option<Arc<Record>>, FactError> {
        let found = self.store.borrow().record(task, fingerprint);
        found.map_err(|error| FactError { what: "the store".to_owned(), why: error.to_string() })
    }

    fn records(&self, task: TaskKey, limit: usize) -> Result<Vec<Arc<Record>>, FactError> {
        let found = self.store.borrow().records(task, limit);
        found.map_err(|error| FactError { what: "the store".to_owned(), why: error.to_string() })
    }

    fn stored(&self, digest: &Digest) -> bool {
        self.cas.has(digest)
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn env(&self) -> &EnvName {
        &self.environment.name
    }
}
