//! Owns kubectl's command lines.
//! Does not know in which order they run, nor what their output means.

use crate::kind::cluster::{Cluster, REQUEST_TIMEOUT};
use crate::kind::machine::{CanChange, Job, Stdout, Step};
use crate::kind::{flag, texts};
use camino::{Utf8Path, Utf8PathBuf};

/// Name under which our fields are owned.
pub const MANAGER: &str = "infra";

/// How long objects may take to go when the task says nothing.
const DELETE_TIMEOUT: &str = "--timeout=5m";

/// Everything that command lines are made of.
pub struct Commands {
    pub cluster: Cluster,
    sources: Vec<Source>,
    force_conflicts: bool,
}

/// Where objects are written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    flag: &'static str,
    /// Absolute.
    path: Utf8PathBuf,
}

/// What of a path is a folder of kustomize: said so by `-k`, or by its name having no dot and no file; the
/// engine's files tell the rest.
pub fn kustomized(word: &str) -> Option<&str> {
    word.strip_prefix("-k ").map(str::trim)
}

impl Commands {
    /// Command lines of a job, over the objects that a key of its table names.
    pub fn new(job: &Job, key: &str) -> Self {
        let source = |word: &String| match kustomized(word) {
            Some(folder) => Source { flag: "--kustomize", path: job.root.join(folder) },
            None => Source { flag: "--filename", path: job.root.join(word) },
        };
        Self {
            cluster: Cluster::new(job),
            sources: texts(&job.table, key).iter().map(source).collect(),
            force_conflicts: flag(&job.table, "force_conflicts"),
        }
    }

    /// How many sources there are: kubectl takes one folder of kustomize at a time.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Applies one source; prints the objects as they are then.
    pub fn apply(&self, index: usize) -> Option<Step> {
        let Source { flag, path } = self.sources.get(index)?;
        let manager = format!("--field-manager={MANAGER}");
        let mut words = vec!["apply", "--server-side", &manager, flag, path.as_str(), "-o", "json"];
        if *flag == "--filename" {
            words.push("--recursive");
        }
        if self.force_conflicts {
            words.push("--force-conflicts");
        }
        let name = format!("kubectl apply {}", self.shown(path));
        Some(Step { can_change: CanChange::Yes, ..self.there(&name, &words, Stdout::Collect) })
    }

    /// The objects of a file of references as they are, with who owns which field.
    pub fn read(&self, list: &Utf8Path) -> Step {
        let words = ["get", "--filename", list.as_str(), "--ignore-not-found", "--show-managed-fields", "-o", "json"];
        self.there("kubectl get", &words, Stdout::Collect)
    }

    /// Deletes what one source names.
    pub fn delete(&self, index: usize) -> Option<Step> {
        let Source { flag, path } = self.sources.get(index)?;
        let mut words = vec!["delete", flag, path.as_str(), "--ignore-not-found", "--wait", DELETE_TIMEOUT];
        if *flag == "--filename" {
            words.push("--recursive");
        }
        let name = format!("kubectl delete {}", self.shown(path));
        Some(Step { can_change: CanChange::Yes, ..self.there(&name, &words, Stdout::Log) })
    }

    /// Deletes what a file of references names.
    pub fn delete_all(&self, list: &Utf8Path) -> Step {
        let words = ["delete", "--filename", list.as_str(), "--ignore-not-found", "--wait", DELETE_TIMEOUT];
        Step { can_change: CanChange::Yes, ..self.there("kubectl delete", &words, Stdout::Log) }
    }

    /// Renders a folder of kustomize; asks no cluster.
    pub fn render(&self, folder: &Utf8Path) -> Step {
        let argv = ["kubectl", "kustomize", folder.as_str()].map(str::to_owned).into();
        self.cluster.step("kubectl kustomize", argv, Stdout::Collect)
    }

    /// A question or a wait.
    pub fn there(&self, name: &str, words: &[&str], stdout: Stdout) -> Step {
        let mut argv = self.cluster.kubectl(words);
        if let Some(namespace) = &self.cluster.namespace {
            argv.extend(["--namespace".to_owned(), namespace.clone()]);
        }
        if !words.iter().any(|word| matches!(*word, "wait" | "rollout" | "delete")) {
            argv.push(REQUEST_TIMEOUT.to_owned());
        }
        self.cluster.step(name, argv, stdout)
    }

    fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(self.cluster.root()).unwrap_or(path).to_string()
    }
}
