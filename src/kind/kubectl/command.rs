//! Owns kubectl's command lines.
//! Does not know in which order they run, nor what their output means.

use crate::kind::cluster::{Cluster, REQUEST_TIMEOUT};
use crate::kind::machine::{CanChange, Job, Stdout, Step};
use crate::kind::{flag, texts};
use camino::{Utf8Path, Utf8PathBuf};

/// Name under which our fields are owned.
pub const MANAGER: &str = "infra";

/// Namespace of objects that name none, where the task names none either.
pub const NAMESPACE: &str = "default";

/// How long objects may take to go when the task says nothing.
const DELETE_TIMEOUT: &str = "--timeout=5m";

/// How long the cluster may take to learn a kind.
const ESTABLISH_TIMEOUT: &str = "--timeout=60s";

/// How long an object that was being deleted may take to go, before it is made anew.
const END_TIMEOUT: &str = "--timeout=60s";

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
        let mut cluster = Cluster::new(job);
        // Said always: else kubectl takes the one that the kubeconfig's context names, which is switched soon.
        cluster.namespace.get_or_insert_with(|| NAMESPACE.to_owned());
        Self {
            cluster,
            sources: texts(&job.table, key).iter().map(source).collect(),
            force_conflicts: flag(&job.table, "force_conflicts"),
        }
    }

    /// How many sources there are: kubectl takes one folder of kustomize at a time.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// The objects of a source as they are written; asks no cluster, so that kinds that come with it are no
    /// mistake.
    pub fn look(&self, index: usize) -> Option<Step> {
        let Source { flag, path } = self.sources.get(index)?;
        let words = ["patch", "--local", flag, path.as_str(), "--type=merge", "--patch={}", "-o", "json"];
        let mut argv = self.cluster.kubectl(&words);
        if *flag == "--filename" {
            argv.push("--recursive".to_owned());
        }
        Some(self.cluster.step(&format!("kubectl read {}", self.shown(path)), argv, Stdout::Collect))
    }

    /// Reads a file that outlived the last attempt.
    pub fn remember(&self, file: Utf8PathBuf) -> Step {
        let argv = ["kubectl", "version", "--client", "-o", "json"].map(str::to_owned).into();
        Step { read_after: vec![file], ..self.cluster.step("kubectl version", argv, Stdout::Collect) }
    }

    /// Applies one source; prints the objects as they are then.
    pub fn apply(&self, index: usize) -> Option<Step> {
        let Source { flag, path } = self.sources.get(index)?;
        let mut words = vec![*flag, path.as_str()];
        if *flag == "--filename" {
            words.push("--recursive");
        }
        Some(self.applying(index, &words, self.cluster.namespace.as_deref()))
    }

    /// Applies objects of a source that were written to a file.
    pub fn apply_part(&self, index: usize, file: &Utf8Path, namespace: Option<&str>) -> Step {
        self.applying(index, &["--filename", file.as_str()], namespace)
    }

    fn applying(&self, index: usize, objects: &[&str], namespace: Option<&str>) -> Step {
        let manager = format!("--field-manager={MANAGER}");
        let mut words = vec!["apply", "--server-side", &manager];
        words.extend(objects);
        words.extend(["-o", "json"]);
        if self.force_conflicts {
            words.push("--force-conflicts");
        }
        let name = format!("kubectl apply {}", self.source(index));
        Step { can_change: CanChange::Yes, ..self.inside(&name, &words, namespace, Stdout::Collect) }
    }

    /// Waits until definitions are established.
    pub fn established(&self, names: &[String]) -> Step {
        let names: Vec<String> = names.iter().map(|name| format!("customresourcedefinition/{name}")).collect();
        let mut words = vec!["wait", "--for=condition=Established", ESTABLISH_TIMEOUT];
        words.extend(names.iter().map(String::as_str));
        self.inside("kubectl wait condition=Established", &words, None, Stdout::Log)
    }

    /// Waits for the end of what a file of references names.
    pub fn ended(&self, list: &Utf8Path) -> Step {
        let words = ["wait", "--for=delete", END_TIMEOUT, "--filename", list.as_str()];
        self.inside("kubectl wait delete", &words, None, Stdout::Log)
    }

    /// The objects of a file of references as they are, with who owns which field.
    pub fn read(&self, list: &Utf8Path) -> Step {
        let words = ["get", "--filename", list.as_str(), "--ignore-not-found", "--show-managed-fields", "-o", "json"];
        self.inside("kubectl get", &words, None, Stdout::Collect)
    }

    /// Deletes what a file of references names.
    pub fn delete_all(&self, list: &Utf8Path) -> Step {
        let words = ["delete", "--filename", list.as_str(), "--ignore-not-found", "--wait", DELETE_TIMEOUT];
        Step { can_change: CanChange::Yes, ..self.inside("kubectl delete", &words, None, Stdout::Log) }
    }

    /// Renders a folder of kustomize; asks no cluster.
    pub fn render(&self, folder: &Utf8Path) -> Step {
        let argv = ["kubectl", "kustomize", folder.as_str()].map(str::to_owned).into();
        self.cluster.step("kubectl kustomize", argv, Stdout::Collect)
    }

    /// A question or a wait, in a namespace or in the task's.
    pub fn there(&self, name: &str, words: &[&str], namespace: Option<&str>, stdout: Stdout) -> Step {
        self.inside(name, words, namespace.or(self.cluster.namespace.as_deref()), stdout)
    }

    /// A command line that names a namespace, or none: kubectl refuses one that its objects do not name.
    fn inside(&self, name: &str, words: &[&str], namespace: Option<&str>, stdout: Stdout) -> Step {
        let mut argv = self.cluster.kubectl(words);
        if let Some(namespace) = namespace {
            argv.extend(["--namespace".to_owned(), namespace.to_owned()]);
        }
        if !words.iter().any(|word| matches!(*word, "wait" | "rollout" | "delete")) {
            argv.push(REQUEST_TIMEOUT.to_owned());
        }
        self.cluster.step(name, argv, stdout)
    }

    /// A source as the task names it.
    pub fn source(&self, index: usize) -> String {
        self.sources.get(index).map(|source| self.shown(&source.path)).unwrap_or_default()
    }

    fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(self.cluster.root()).unwrap_or(path).to_string()
    }
}
