//! Owns terraform's command lines: arguments, environment, folders.
//! Does not know in which order they run, nor what their output means.

use super::backend;
use super::diagnostic::{Base, VARS_FILE};
use crate::kind::machine::{CanChange, Job, Stdout, Step};
use crate::kind::{plain, text, texts};
use camino::Utf8PathBuf;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Variables that would change a command behind the task's back. Declared `TF_VAR_*` stay: they are
/// in the fingerprint.
const UNWANTED: [&str; 9] = [
    "TF_WORKSPACE",
    "TF_CLI_ARGS",
    "TF_CLI_ARGS_init",
    "TF_CLI_ARGS_plan",
    "TF_CLI_ARGS_apply",
    "TF_CLI_ARGS_output",
    "TF_CLI_ARGS_validate",
    "TF_CLI_ARGS_state_pull",
    "TF_CLI_ARGS_workspace_select",
];

/// How long a command waits for another's state lock.
const LOCK_TIMEOUT: &str = "-lock-timeout=60s";

/// Everything that command lines are made of.
pub struct Commands {
    /// Name of the task.
    pub task: String,
    /// Folder of the states of before, as people find it.
    pub snapshots: Utf8PathBuf,
    bin: String,
    program: String,
    /// The root module, absolute.
    pub dir: Utf8PathBuf,
    pub base: Base,
    /// `TF_DATA_DIR`: providers, modules, backend and workspace of this task in this environment.
    pub data: Utf8PathBuf,
    /// Values of `vars`, written before a plan.
    pub vars_file: Utf8PathBuf,
    pub plan_file: Utf8PathBuf,
    var_files: Vec<Utf8PathBuf>,
    backend: Vec<(String, String)>,
    pub workspace: Option<String>,
    parallelism: Option<u64>,
    vars: Option<Json>,
}

/// Whether a workspace may be made when it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make it.
    Create,
    /// Say so.
    Fail,
}

impl Commands {
    /// Command lines of a job.
    pub fn new(job: &Job) -> Self {
        let table = &job.table;
        let bin = text(table, "bin").unwrap_or("terraform").to_owned();
        let workspace = text(table, "workspace").filter(|name| !name.is_empty()).map(str::to_owned);
        // The data folder remembers which workspace is selected; one for each makes that a fact of
        // the task instead of history.
        let data = match &workspace {
            Some(name) => format!("data-{name}"),
            None => "data".to_owned(),
        };
        let base = Base { root: job.root.clone(), dir: super::infer::root_module(table) };
        let snapshots = job.keep.join("snapshots");
        Self {
            task: job.task.clone(),
            snapshots: snapshots.strip_prefix(&job.root).map_or_else(|_| snapshots.clone(), camino::Utf8Path::to_owned),
            program: job.tools.get(&bin).map_or_else(|| bin.clone(), ToString::to_string),
            dir: job.root.join(&base.dir),
            base,
            data: job.keep.join(data),
            vars_file: job.tmp.join(VARS_FILE),
            plan_file: job.tmp.join("tfplan"),
            var_files: texts(table, "var_files").iter().map(|path| job.root.join(path)).collect(),
            backend: backend::settings(table),
            workspace,
            parallelism: table.get("parallelism").and_then(Json::as_u64),
            vars: table.get("vars").filter(|vars| !vars.is_null()).cloned(),
            bin,
        }
    }

    /// Name of the program, for messages.
    pub fn bin(&self) -> &str {
        &self.bin
    }

    /// What `vars` holds, as a file of variables.
    pub fn vars(&self) -> Vec<u8> {
        self.vars.clone().unwrap_or_else(|| json!({})).to_string().into_bytes()
    }

    /// `init`, with the backend or without.
    pub fn init(&self, with_backend: bool) -> Step {
        let mut args = vec!["init".to_owned(), "-input=false".to_owned(), "-no-color".to_owned()];
        if with_backend {
            // Never a question about moving state: the guards tell when another state turns up.
            args.push("-reconfigure".to_owned());
            args.push(LOCK_TIMEOUT.to_owned());
            args.extend(self.backend.iter().map(|(key, value)| format!("-backend-config={key}={value}")));
        } else {
            args.push("-backend=false".to_owned());
        }
        self.step("init", args, Stdout::Log)
    }

    /// Selects the task's workspace; `None`: it has none of its own.
    pub fn select(&self, missing: Missing) -> Option<Step> {
        let workspace = self.workspace.clone()?;
        let mut args = vec!["workspace".to_owned(), "select".to_owned(), "-no-color".to_owned()];
        if missing == Missing::Create {
            args.push("-or-create".to_owned());
        }
        args.push(workspace);
        Some(self.step("workspace select", args, Stdout::Log))
    }

    /// Reads the state. It holds secrets, so it is never logged.
    pub fn pull(&self) -> Step {
        let args = ["state", "pull", "-no-color"].map(str::to_owned).to_vec();
        let mut step = self.step("state pull", args, Stdout::Collect);
        step.read_after.push(self.unwritten());
        step
    }

    /// Where terraform leaves a state that its backend would not take.
    pub fn unwritten(&self) -> Utf8PathBuf {
        self.dir.join("errored.tfstate")
    }

    /// Plans into `plan_file`; exit code 2 means that there is something to do.
    pub fn plan(&self, destroy: bool) -> Step {
        let mut args: Vec<String> = ["plan", "-input=false", "-no-color", "-json", "-detailed-exitcode", LOCK_TIMEOUT]
            .map(str::to_owned)
            .into();
        args.push(format!("-out={}", self.plan_file));
        args.extend(self.parallelism());
        if destroy {
            args.push("-destroy".to_owned());
        }
        args.extend(self.var_files.iter().map(|path| format!("-var-file={path}")));
        if self.vars.is_some() {
            // Last, so that it wins.
            args.push(format!("-var-file={}", self.vars_file));
        }
        self.step(if destroy { "plan -destroy" } else { "plan" }, args, Stdout::Stream)
    }

    /// Asks what is behind the state, and takes no lock: a look must not wait for others, nor keep them
    /// waiting. Values of `vars` go by the environment, for a look writes no file; one that `var_files`
    /// names too has its value from there.
    pub fn refresh(&self) -> Step {
        let mut args: Vec<String> =
            ["plan", "-refresh-only", "-input=false", "-no-color", "-json", "-lock=false"].map(str::to_owned).into();
        args.extend(self.parallelism());
        args.extend(self.var_files.iter().map(|path| format!("-var-file={path}")));
        let mut step = self.step("plan -refresh-only", args, Stdout::Collect);
        for (name, value) in self.vars.iter().filter_map(Json::as_object).flatten() {
            step.env.insert(format!("TF_VAR_{name}"), plain(value));
        }
        step
    }

    /// Applies exactly what was planned.
    pub fn apply(&self) -> Step {
        let mut args: Vec<String> =
            ["apply", "-input=false", "-no-color", "-json", LOCK_TIMEOUT].map(str::to_owned).into();
        args.extend(self.parallelism());
        args.push(self.plan_file.to_string());
        let mut step = self.step("apply", args, Stdout::Stream);
        step.can_change = CanChange::Yes;
        // A local state is made with the mask in force, and it holds secrets.
        step.umask = Some(0o077);
        step.read_after.push(self.unwritten());
        step
    }

    /// Reads the outputs, secret ones too.
    pub fn output(&self) -> Step {
        self.step("output", ["output", "-json", "-no-color"].map(str::to_owned).into(), Stdout::Collect)
    }

    /// Checks the configuration alone.
    pub fn validate(&self) -> Step {
        self.step("validate", ["validate", "-json", "-no-color"].map(str::to_owned).into(), Stdout::Collect)
    }

    fn parallelism(&self) -> Option<String> {
        self.parallelism.map(|number| format!("-parallelism={number}"))
    }

    fn step(&self, name: &str, words: Vec<String>, stdout: Stdout) -> Step {
        let mut argv = vec![self.program.clone()];
        argv.extend(words);
        Step {
            name: format!("{} {name}", self.bin),
            argv,
            dir: self.dir.clone(),
            env: BTreeMap::from([
                ("TF_IN_AUTOMATION".to_owned(), "1".to_owned()),
                ("TF_INPUT".to_owned(), "0".to_owned()),
                ("CHECKPOINT_DISABLE".to_owned(), "1".to_owned()),
                ("TF_DATA_DIR".to_owned(), self.data.to_string()),
            ]),
            without_env: UNWANTED.map(str::to_owned).into(),
            stdout,
            ..Step::default()
        }
    }
}
