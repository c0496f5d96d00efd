//! Owns ansible's command lines: arguments, environment, the files they need.
//! Does not know in which order they run, nor what their output means.

use crate::kind::machine::{CanChange, Job, Stdout, Step};
use crate::kind::{flag, plain, text, texts};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The callback plugin, written beside each play.
pub const PLUGIN: &str = include_str!("infra_events.py");

/// Inventory of a task that names none: the machine itself, with the interpreter that runs ansible.
/// Without it ansible would fall back to the system's own inventory file.
pub const LOCALHOST: &str =
    "localhost ansible_connection=local ansible_python_interpreter=\"{{ ansible_playbook_python }}\"\n";

/// Interpreter on hosts whose inventory names none (`ansible_python_interpreter` there wins). Ansible
/// would search for one, and find version managers' shims that work only in their user's shell.
const INTERPRETER: &str = "/usr/bin/python3";

/// Where modules are unpacked: on the hosts below the remote user's home, as ansible does by itself
/// (a fixed place below `/tmp` could be made by another user beforehand). The local connection runs
/// with this environment and so finds a folder of the task's, and the caller's home stays clean. The
/// text is expanded by the host's shell.
const REMOTE_TEMP: &str = "${INFRA_ANSIBLE_TMP:-$HOME/.ansible}/tmp";

/// A unix socket's path has at most 108 bytes; ssh adds a hash and a suffix of its own to the folder.
const LONGEST_SOCKET_FOLDER: usize = 70;

/// Everything that command lines are made of.
pub struct Commands {
    programs: BTreeMap<String, String>,
    dir: Utf8PathBuf,
    keep: Utf8PathBuf,
    tmp: Utf8PathBuf,
    root: Utf8PathBuf,
    playbooks: Vec<String>,
    inventory: Vec<String>,
    config: Option<Utf8PathBuf>,
    pub galaxy: Option<Utf8PathBuf>,
    limit: Option<String>,
    options: Vec<String>,
    vars_files: Vec<String>,
    vars: Option<Json>,
}

/// Which pass of a play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It does what it says.
    Do,
    /// It only looks.
    Check,
}

impl Commands {
    /// Command lines of a job, for its own playbooks or those given.
    pub fn new(job: &Job, playbooks: Vec<String>) -> Self {
        let table = &job.table;
        let mut options = Vec::new();
        if let Some(forks) = table.get("forks").filter(|value| !value.is_null()) {
            options.push(format!("--forks={}", plain(forks)));
        }
        if flag(table, "become") {
            options.push("--become".to_owned());
        }
        for (key, option) in [("tags", "--tags"), ("skip_tags", "--skip-tags")] {
            let tags = texts(table, key);
            if !tags.is_empty() {
                options.push(format!("{option}={}", tags.join(",")));
            }
        }
        Self {
            programs: job.tools.iter().map(|(name, path)| (name.clone(), path.to_string())).collect(),
            dir: job.dir.clone(),
            keep: job.keep.clone(),
            tmp: job.tmp.clone(),
            root: job.root.clone(),
            playbooks,
            inventory: texts(table, "inventory"),
            config: text(table, "config").map(|path| job.root.join(path)),
            galaxy: text(table, "galaxy").map(|path| job.root.join(path)),
            limit: text(table, "limit").filter(|limit| !limit.is_empty()).map(str::to_owned),
            options,
            vars_files: texts(table, "vars_files"),
            vars: table.get("vars").filter(|vars| !vars.is_null()).cloned(),
        }
    }

    /// Files that must lie there before anything runs.
    pub fn files(&self) -> Vec<(Utf8PathBuf, Vec<u8>)> {
        let mut files = vec![(self.plugins().join("infra_events.py"), PLUGIN.as_bytes().to_vec())];
        if self.config.is_none() {
            files.push((self.config_file(), b"[defaults]\n".to_vec()));
        }
        if self.is_localhost() {
            files.push((self.localhost_file(), LOCALHOST.as_bytes().to_vec()));
        }
        if let Some(vars) = &self.vars {
            files.push((self.vars_file(), vars.to_string().into_bytes()));
        }
        files
    }

    /// Lists what the inventory resolves to. It holds variables, so it is never logged.
    pub fn inventory(&self) -> Step {
        let mut args = vec!["--list".to_owned()];
        args.extend(self.inventory_args());
        // So that inventory plugins and group variables beside the playbook are found.
        if let Some(folder) = self.playbooks.first().and_then(|path| Utf8Path::new(path).parent()) {
            args.push(format!("--playbook-dir={}", self.root.join(folder)));
        }
        self.step("ansible-inventory", args, Stdout::Collect)
    }

    /// Installs roles and collections for this task, where it alone finds them.
    pub fn install(&self, requirements: &Utf8Path) -> Step {
        let args = ["install", "-r", requirements.as_str()].map(str::to_owned).to_vec();
        self.step("ansible-galaxy", args, Stdout::Log)
    }

    /// Plays.
    pub fn play(&self, pass: Pass) -> Step {
        let mut args = self.inventory_args();
        args.extend(self.options.iter().cloned());
        if pass == Pass::Check {
            args.push("--check".to_owned());
        }
        args.extend(self.vars_files.iter().map(|path| format!("--extra-vars=@{}", self.root.join(path))));
        if self.vars.is_some() {
            // Last, so that they win; in a file, so that no value is in the list of processes.
            args.push(format!("--extra-vars=@{}", self.vars_file()));
        }
        args.extend(self.playbooks.iter().map(|path| self.root.join(path).to_string()));
        let mut step = self.step("ansible-playbook", args, Stdout::Log);
        step.can_change = if pass == Pass::Do { CanChange::Yes } else { CanChange::No };
        let events = self.events_file(pass);
        step.env.insert("INFRA_ANSIBLE_EVENTS".to_owned(), events.to_string());
        step.read_after.push(events);
        step
    }

    /// Where the plugin writes.
    pub fn events_file(&self, pass: Pass) -> Utf8PathBuf {
        self.tmp.join(if pass == Pass::Do { "events.jsonl" } else { "events-check.jsonl" })
    }

    /// Whether the task names neither hosts nor a configuration that could.
    fn is_localhost(&self) -> bool {
        self.inventory.is_empty() && self.config.is_none()
    }

    /// How the inventory is called in messages.
    pub fn shown_inventory(&self) -> String {
        if self.inventory.is_empty() { "localhost".to_owned() } else { self.inventory.join(", ") }
    }

    fn inventory_args(&self) -> Vec<String> {
        let mut args: Vec<String> = self
            .inventory
            .iter()
            .map(|one| if is_host_list(one) { one.clone() } else { self.root.join(one).to_string() })
            .map(|one| format!("--inventory={one}"))
            .collect();
        if self.is_localhost() {
            args.push(format!("--inventory={}", self.localhost_file()));
        }
        args.extend(self.limit.iter().map(|limit| format!("--limit={limit}")));
        args
    }

    fn plugins(&self) -> Utf8PathBuf {
        self.tmp.join("callback_plugins")
    }

    fn config_file(&self) -> Utf8PathBuf {
        self.tmp.join("ansible.cfg")
    }

    fn localhost_file(&self) -> Utf8PathBuf {
        self.tmp.join("localhost.ini")
    }

    fn vars_file(&self) -> Utf8PathBuf {
        self.tmp.join("vars.json")
    }

    fn env(&self) -> BTreeMap<String, String> {
        let config = self.config.clone().unwrap_or_else(|| self.config_file());
        let mut env = BTreeMap::from(
            [
                ("ANSIBLE_CALLBACK_PLUGINS", self.plugins().as_str()),
                ("ANSIBLE_CONFIG", config.as_str()),
                ("ANSIBLE_HOME", self.keep.join("ansible").as_str()),
                // A missing inventory, or a pattern that matches nothing, would else end well.
                ("ANSIBLE_HOST_PATTERN_MISMATCH", "error"),
                ("ANSIBLE_INVENTORY_UNPARSED_FAILED", "1"),
                ("ANSIBLE_LOCAL_TEMP", self.tmp.join("local").as_str()),
                ("ANSIBLE_NOCOLOR", "1"),
                ("ANSIBLE_PYTHON_INTERPRETER", INTERPRETER),
                ("ANSIBLE_REMOTE_TEMP", REMOTE_TEMP),
                ("ANSIBLE_RETRY_FILES_ENABLED", "0"),
                ("INFRA_ANSIBLE_TMP", self.tmp.join("modules").as_str()),
                ("PYTHONDONTWRITEBYTECODE", "1"),
                ("PYTHONUNBUFFERED", "1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let sockets = self.keep.join("cp");
        if sockets.as_str().len() <= LONGEST_SOCKET_FOLDER {
            env.insert("ANSIBLE_SSH_CONTROL_PATH_DIR".to_owned(), sockets.to_string());
        }
        env
    }

    fn step(&self, program: &str, words: Vec<String>, stdout: Stdout) -> Step {
        let mut argv = vec![self.programs.get(program).cloned().unwrap_or_else(|| program.to_owned())];
        argv.extend(words);
        Step { name: program.to_owned(), argv, dir: self.dir.clone(), env: self.env(), stdout, ..Step::default() }
    }
}

/// `a,b,` is a list of hosts, anything else a path.
pub fn is_host_list(inventory: &str) -> bool {
    inventory.contains(',')
}
