//! Owns helm's command lines, of helm 3 and helm 4.
//! Does not know in which order they run, nor what their output means.

use super::marks::Place;
use crate::kind::cluster::{Cluster, REQUEST_TIMEOUT, span};
use crate::kind::machine::{CanChange, Job, Stdout, Step};
use crate::kind::{text, texts};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;

/// Revisions that are kept; helm's own default.
const HISTORY: &str = "10";
/// How long a node may take to tell what a container printed.
const LOGS_TIMEOUT: &str = "--request-timeout=5s";
/// Namespace of a release that names none.
pub const NAMESPACE: &str = "default";

/// What differs between the two that are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Major {
    Three,
    Four,
}

impl Major {
    /// Of what `helm version` printed: `v3.20.2`.
    pub fn read(version: &str) -> Result<Self, String> {
        let version = version.trim();
        match version.trim_start_matches('v').split('.').next() {
            Some("3") => Ok(Self::Three),
            Some("4") => Ok(Self::Four),
            _ => Err(format!("helm {version} is neither 3 nor 4")),
        }
    }
}

/// Everything that command lines are made of.
pub struct Commands {
    pub release: String,
    pub cluster: Cluster,
    /// Absolute; where `set` is written, if the task has it.
    pub set_file: Option<Utf8PathBuf>,
    set: Option<Json>,
    /// A folder or an archive, absolute; or a name in a repository.
    pub chart: String,
    chart_flags: Vec<String>,
    values: Vec<Utf8PathBuf>,
    create_namespace: bool,
    wait: bool,
    timeout: String,
}

impl Commands {
    /// Command lines of a job.
    pub fn new(job: &Job) -> Self {
        let table = &job.table;
        let chart = text(table, "chart").unwrap_or_default();
        let set = table.get("set").filter(|set| !set.is_null()).cloned();
        let mut chart_flags = Vec::new();
        for (flag, key) in [("--version", "version"), ("--repo", "repo")] {
            if let Some(value) = text(table, key) {
                chart_flags.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        // A path of the project is one from its root; a name in a repository stays as it is.
        let is_path = text(table, "repo").is_none() && !chart.contains("://");
        let mut cluster = Cluster::new(job);
        // Said always: else helm takes the one that the kubeconfig's context names.
        cluster.namespace.get_or_insert_with(|| NAMESPACE.to_owned());
        Self {
            release: text(table, "release").unwrap_or_default().to_owned(),
            cluster,
            set_file: set.as_ref().map(|_| job.tmp.join("set.json")),
            set,
            chart: if is_path { job.root.join(chart).into_string() } else { chart.to_owned() },
            chart_flags,
            values: texts(table, "values").iter().map(|path| job.root.join(path)).collect(),
            create_namespace: crate::kind::flag(table, "create_namespace"),
            wait: table.get("wait").and_then(Json::as_bool).unwrap_or(true),
            timeout: span::flag(text(table, "timeout").unwrap_or("5m")),
        }
    }

    /// Namespace of the release.
    pub fn namespace_name(&self) -> &str {
        self.cluster.namespace.as_deref().unwrap_or(NAMESPACE)
    }

    /// The same for the release that is at another place.
    pub fn turn_to(&mut self, place: &Place) {
        self.release.clone_from(&place.release);
        self.cluster.namespace = Some(place.namespace.clone());
    }

    /// What `set` holds, as a file of values: JSON is YAML.
    pub fn set(&self) -> Vec<u8> {
        self.set.clone().unwrap_or_default().to_string().into_bytes()
    }

    /// Which helm it is.
    fn version(&self) -> Step {
        let argv = ["helm", "version", "--template", "{{.Version}}"].map(str::to_owned).into();
        self.cluster.step("helm version", argv, Stdout::Collect)
    }

    /// Which helm it is, with the content of a file.
    pub fn version_and(&self, file: &Utf8Path) -> Step {
        Step { read_after: vec![file.to_owned()], ..self.version() }
    }

    /// Makes a repository known to this task's helm, with its index as it is now.
    pub fn repo_add(&self, number: usize, address: &str) -> Step {
        let name = format!("infra-{number}");
        let argv = ["helm", "repo", "add", &name, address, "--force-update"].map(str::to_owned).into();
        self.cluster.step("helm repo add", argv, Stdout::Log)
    }

    /// Fetches what the chart's lock names. The repositories' indexes were fetched just now.
    pub fn dependency_build(&self) -> Step {
        let argv = ["helm", "dependency", "build", &self.chart, "--skip-refresh"].map(str::to_owned).into();
        self.cluster.step("helm dependency build", argv, Stdout::Log)
    }

    /// Whether there is a release of that name: `helm status` would call its absence an error.
    pub fn list(&self) -> Step {
        // A dot in a name is one, and no pattern.
        let filter = format!("^{}$", self.release.replace('.', "\\."));
        let mut words = vec!["list", "--filter", &filter, "-o", "json"];
        // helm 4 lists all of them by default, and helm 3 those that are deployed.
        words.extend(["--deployed", "--failed", "--pending", "--uninstalling", "--uninstalled"]);
        self.asks("helm list", &words)
    }

    /// The same, with the content of a file.
    pub fn list_and(&self, file: &Utf8Path) -> Step {
        Step { read_after: vec![file.to_owned()], ..self.list() }
    }

    /// The release as it is. Its manifest may hold secrets, so it is never logged.
    pub fn status(&self) -> Step {
        self.asks("helm status", &["status", &self.release, "-o", "json"])
    }

    /// Its revisions.
    pub fn history(&self) -> Step {
        self.asks("helm history", &["history", &self.release, "-o", "json"])
    }

    /// Chart and application version of the release.
    pub fn metadata(&self) -> Step {
        self.asks("helm get metadata", &["get", "metadata", &self.release, "-o", "json"])
    }

    /// Installs or upgrades.
    pub fn upgrade(&self, major: Major) -> Step {
        let mut words = vec!["upgrade".to_owned(), self.release.clone(), self.chart.clone(), "--install".to_owned()];
        words.extend(self.chart_flags.clone());
        words.extend(self.value_flags());
        if self.create_namespace {
            words.push("--create-namespace".to_owned());
        }
        words.extend(self.waiting(major));
        words.extend(["--history-max".to_owned(), HISTORY.to_owned()]);
        self.changes("helm upgrade", words)
    }

    /// Back to a revision that was deployed.
    pub fn rollback(&self, revision: u64, major: Major) -> Step {
        let mut words = vec!["rollback".to_owned(), self.release.clone(), revision.to_string()];
        words.extend(self.waiting(major));
        self.changes("helm rollback", words)
    }

    /// Takes the release away.
    pub fn uninstall(&self) -> Step {
        let words = ["uninstall", &self.release, "--wait", "--timeout", &self.timeout];
        self.changes("helm uninstall", words.map(str::to_owned).into())
    }

    /// Runs the chart's tests.
    pub fn test(&self) -> Step {
        // Without `--logs`: a test that passed is not failed by a log that can't be had.
        let words = ["test", &self.release, "--timeout", &self.timeout].map(str::to_owned).to_vec();
        self.there("helm test", words, Stdout::Log)
    }

    /// Renders the chart; asks no cluster.
    pub fn template(&self) -> Step {
        let mut argv = vec!["helm".to_owned(), "template".to_owned(), self.release.clone(), self.chart.clone()];
        argv.extend(self.chart_flags.clone());
        argv.extend(self.namespace());
        argv.extend(self.value_flags());
        self.cluster.step("helm template", argv, Stdout::Collect)
    }

    /// Checks the chart; asks no cluster.
    pub fn lint(&self) -> Step {
        let mut argv = vec!["helm".to_owned(), "lint".to_owned(), "--strict".to_owned(), self.chart.clone()];
        argv.extend(self.namespace());
        argv.extend(self.value_flags());
        self.cluster.step("helm lint", argv, Stdout::Log)
    }

    /// What the release's pods say, for the screen of a failure.
    pub fn pods(&self) -> Step {
        let selector = self.selector();
        self.shows("kubectl get pods", &["get", "pods", "-l", &selector, "-o", "wide", "--ignore-not-found"])
    }

    /// What the containers of a pod printed last.
    pub fn logs(&self, pod: &str) -> Step {
        self.shows("kubectl logs", &["logs", pod, "--all-containers", "--prefix", "--tail=10", "--ignore-errors"])
    }

    /// The same of the release's pods.
    pub fn logs_of_pods(&self) -> Step {
        let selector = self.selector();
        let words = ["logs", "-l", &selector, "--all-containers", "--prefix", "--tail=3", "--ignore-errors"];
        self.shows("kubectl logs", &words)
    }

    fn selector(&self) -> String {
        format!("app.kubernetes.io/instance={}", self.release)
    }

    /// What the cluster complained of there.
    pub fn events(&self) -> Step {
        let words =
            ["get", "events", "--field-selector", "type=Warning", "--sort-by=.lastTimestamp", "--ignore-not-found"];
        self.shows("kubectl get events", &words)
    }

    fn shows(&self, name: &str, words: &[&str]) -> Step {
        let mut argv = self.cluster.kubectl(words);
        argv.extend(self.namespace());
        // A node that is gone answers nothing for each container that was on it.
        let timeout = if words.first() == Some(&"logs") { LOGS_TIMEOUT } else { REQUEST_TIMEOUT };
        argv.push(timeout.to_owned());
        // Whether there was anything decides what is asked next.
        self.cluster.step(name, argv, Stdout::Stream)
    }

    fn waiting(&self, major: Major) -> Vec<String> {
        let mut words = Vec::new();
        match (self.wait, major) {
            (true, Major::Three) => words.push("--wait".to_owned()),
            (true, Major::Four) => words.push("--wait=watcher".to_owned()),
            (false, _) => {}
        }
        words.extend(["--timeout".to_owned(), self.timeout.clone()]);
        words
    }

    fn value_flags(&self) -> Vec<String> {
        // Last, so that it wins. On a command line everybody could read it.
        let files = self.values.iter().chain(&self.set_file);
        files.flat_map(|file| ["--values".to_owned(), file.to_string()]).collect()
    }

    fn namespace(&self) -> Vec<String> {
        vec!["--namespace".to_owned(), self.namespace_name().to_owned()]
    }

    fn asks(&self, name: &str, words: &[&str]) -> Step {
        self.there(name, words.iter().map(|word| (*word).to_owned()).collect(), Stdout::Collect)
    }

    fn changes(&self, name: &str, words: Vec<String>) -> Step {
        Step { can_change: CanChange::Yes, ..self.there(name, words, Stdout::Log) }
    }

    fn there(&self, name: &str, words: Vec<String>, stdout: Stdout) -> Step {
        let mut argv = vec!["helm".to_owned()];
        argv.extend(words);
        argv.extend(self.namespace());
        argv.extend(self.cluster.flags("--kube-context"));
        self.cluster.step(name, argv, stdout)
    }
}
