//! Owns what tasks of kubectl and helm share: which cluster they speak to, and whether it is the one they spoke to
//! before.
//! Does not know what they do there.

mod entering;
pub mod span;
mod words;

pub use entering::{Entering, Purpose};
pub use words::last_words;

use crate::kind::machine::{ACCEPTED, Ground, Job, Memory, Move, Stdout, Step, StepEnd, Trouble, TroubleKind};
use crate::kind::{Table, text};
use crate::model::reason::Reason;
use crate::model::record::Incarnation;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Variables that would lead a tool to another cluster behind the task's back; a star stands for any end. Where a
/// kubeconfig names no cluster kubectl goes where those of a pod lead.
const UNWANTED: [&str; 6] =
    ["KUBECONFIG", "KUBECTL_EXTERNAL_DIFF", "KUBERNETES_*", "HELM_KUBE*", "HELM_NAMESPACE", "HELM_DEBUG"];

/// How long one question to the API may take.
pub const REQUEST_TIMEOUT: &str = "--request-timeout=30s";

/// The cluster of a task.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Absolute; a task that speaks to no cluster has none.
    kubeconfig: Option<Utf8PathBuf>,
    context: Option<String>,
    pub namespace: Option<String>,
    keep: Utf8PathBuf,
    dir: Utf8PathBuf,
}

/// Why a cluster did not say which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NoAnswer {
    /// Nothing answered there, or there is no kubeconfig. It may be gone, or down for a while.
    Silent(String),
    /// Something answered, or nobody could ask.
    Other(String),
}

/// What an undo finds of the cluster in which the task made what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    There {
        uid: String,
    },
    /// It is gone, and what was in it too; why that is known.
    Gone(String),
}

/// How tools say that nothing answered.
const SILENCE: [&str; 9] = [
    "connection refused",
    "was refused",
    "no such host",
    "no such file or directory",
    "no route to host",
    "network is unreachable",
    "i/o timeout",
    "deadline exceeded",
    "client.timeout exceeded",
];

/// Whether a tool says that nothing answered.
pub fn is_silence(said: &str) -> bool {
    let lower = said.to_lowercase();
    SILENCE.iter().any(|words| lower.contains(words))
}

/// What is wrong with a table that must name a cluster.
pub fn wrong(table: &Table, what: &str) -> Vec<String> {
    if table.contains_key("kubeconfig") {
        return Vec::new();
    }
    vec![format!("{what} needs `kubeconfig`: the caller's own `~/.kube/config` and `KUBECONFIG` are never read")]
}

/// The kubeconfig as an input: one that lies in the project.
pub fn input(table: &Table) -> Option<Utf8PathBuf> {
    let path = text(table, "kubeconfig").filter(|path| !path.starts_with('/') && !path.starts_with(".."))?;
    Some(crate::model::path::join(Utf8Path::new(""), path))
}

/// Where something is, for the subject of what owns it.
pub fn place(table: &Table) -> String {
    let context = text(table, "context").map(|context| format!(", context {context}")).unwrap_or_default();
    format!("{}{context}", text(table, "kubeconfig").unwrap_or("?"))
}

impl Cluster {
    /// The cluster that a job names.
    pub fn new(job: &Job) -> Self {
        Self {
            kubeconfig: text(&job.table, "kubeconfig").map(|path| job.root.join(path)),
            context: text(&job.table, "context")
                .or_else(|| meant(&job.table, job.contexts.as_deref()))
                .map(str::to_owned),
            namespace: text(&job.table, "namespace").map(str::to_owned),
            keep: job.keep.clone(),
            dir: job.root.clone(),
        }
    }

    /// The project's root.
    pub fn root(&self) -> &Utf8Path {
        &self.dir
    }

    /// A step that speaks to the cluster, or to none.
    pub fn step(&self, name: &str, argv: Vec<String>, stdout: Stdout) -> Step {
        let folder = |name: &str| self.keep.join(name).to_string();
        let env = [
            // Discovery is remembered by address: of another cluster at the same one it would be wrong.
            ("KUBECACHEDIR", folder("kube-cache")),
            ("HELM_CACHE_HOME", folder("helm/cache")),
            ("HELM_CONFIG_HOME", folder("helm/config")),
            ("HELM_DATA_HOME", folder("helm/data")),
            // Without one named, `~/.kube/config` would be read.
            ("KUBECONFIG", self.kubeconfig.as_ref().map_or_else(|| "/dev/null".to_owned(), ToString::to_string)),
        ];
        Step {
            name: name.to_owned(),
            argv,
            dir: self.dir.clone(),
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            without_env: UNWANTED.iter().filter(|name| **name != "KUBECONFIG").map(|name| (*name).to_owned()).collect(),
            stdout,
            ..Step::default()
        }
    }

    /// A command line of kubectl.
    pub fn kubectl(&self, words: &[&str]) -> Vec<String> {
        let mut argv = vec!["kubectl".to_owned()];
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        argv.extend(self.flags("--context"));
        argv
    }

    /// Flags that name the cluster; tools differ in how they call the context.
    pub fn flags(&self, context: &str) -> Vec<String> {
        let mut flags = Vec::new();
        if let Some(kubeconfig) = &self.kubeconfig {
            flags.extend(["--kubeconfig".to_owned(), kubeconfig.to_string()]);
        }
        if let Some(name) = &self.context {
            flags.extend([context.to_owned(), name.clone()]);
        }
        flags
    }

    /// Whether the environment allows the task's context.
    fn allowed(&self, job: &Job) -> Result<(), Trouble> {
        let Some(allowed) = &job.contexts else { return Ok(()) };
        if self.context.as_ref().is_some_and(|context| allowed.contains(context)) {
            return Ok(());
        }
        let list = allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        let (message, hint) = match &self.context {
            Some(context) => (
                format!("context `{context}` is not allowed in environment `{}`", job.env),
                format!("`kube_context` of the environment allows {list}"),
            ),
            None => (
                format!("the task names no context, and environment `{}` allows only {list}", job.env),
                "give the task a `context`".to_owned(),
            ),
        };
        Err(Trouble { message, hint: Some(hint), kind: TroubleKind::Refused, ..Trouble::default() })
    }

    /// The first move of a task that speaks to it: asks which cluster it is, if the environment allows it at all.
    fn enter(&self, job: &Job) -> Move {
        match self.allowed(job) {
            Ok(()) => Move::Run(self.ask()),
            Err(trouble) => Move::Fail(trouble),
        }
    }

    /// The uid of the cluster that answered, if it is the environment's.
    fn entered(&self, job: &Job, end: &StepEnd) -> Result<String, Trouble> {
        let uid = uid(end).map_err(|why| self.unreachable(&why))?;
        self.guard(job, &uid)?;
        Ok(uid)
    }

    /// What an undo finds. A cluster that does not answer may only be down for a while, and another one at its
    /// address may be a mistake in the kubeconfig: neither is taken for its end unless what it stood on is
    /// undone too.
    fn found(&self, job: &Job, end: &StepEnd) -> Result<Found, Trouble> {
        let goes = job.memory.ground == Ground::Goes;
        let undone = format!("if it is gone for good: {}", resolve(job, "--undone"));
        match uid(end) {
            Ok(uid) if !self.is_another(job, &uid) || job.memory.notes.contains_key(ACCEPTED) => {
                Ok(Found::There { uid })
            }
            Ok(_) if goes => Ok(Found::Gone("gone with the cluster that it was in; this is another one".to_owned())),
            Ok(uid) => Err(Trouble {
                message: format!(
                    "this is another cluster ({uid}) than the one in which `{}` made what it made",
                    job.task
                ),
                hint: Some(format!("nothing was changed; see where {} leads; {undone}", self.config_name())),
                kind: TroubleKind::Refused,
                ..Trouble::default()
            }),
            Err(NoAnswer::Silent(said)) if goes => Ok(Found::Gone(format!("gone with its cluster: {said}"))),
            Err(NoAnswer::Silent(said)) => Err(Trouble {
                message: format!("its cluster does not answer, and may come back: {said}"),
                hint: Some(format!("nothing was changed; bring it up and do it again; {undone}")),
                ..Trouble::default()
            }),
            Err(why) => Err(self.unreachable(&why)),
        }
    }

    /// It could not be asked which one it is.
    fn unreachable(&self, why: &NoAnswer) -> Trouble {
        let (NoAnswer::Silent(said) | NoAnswer::Other(said)) = why;
        let config = self.config_name();
        if self.kubeconfig.as_ref().is_some_and(|path| said.starts_with(&format!("stat {path}: "))) {
            return Trouble {
                message: format!("the kubeconfig {config} is not there"),
                hint: Some("nothing was changed; what makes it must run before".to_owned()),
                ..Trouble::default()
            };
        }
        let known = [
            (
                "forbidden",
                "the account needs `get` on namespace `kube-system`, whose uid tells clusters apart".to_owned(),
            ),
            // The address that kubectl takes for want of another.
            (
                "localhost:8080",
                format!("{config} may be empty: kubectl asks there where a kubeconfig names no cluster"),
            ),
            ("must be logged in", format!("the token or certificate in {config} is not valid, or not any more")),
            (
                "context was not found",
                format!("`kubectl config get-contexts --kubeconfig {}` lists those of it", self.config()),
            ),
        ];
        let lower = said.to_lowercase();
        let hint = known.into_iter().find(|(words, _)| lower.contains(words)).map(|(_, hint)| hint);
        let hint = hint.unwrap_or_else(|| format!("see that it is up and that {config} is right"));
        Trouble {
            message: format!("the cluster cannot be asked which one it is: {said}"),
            hint: Some(format!("nothing was changed; {hint}")),
            ..Trouble::default()
        }
    }

    /// Asks which cluster it is.
    fn ask(&self) -> Step {
        let words = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}", REQUEST_TIMEOUT];
        self.step("kubectl get namespace kube-system", self.kubectl(&words), Stdout::Collect)
    }

    /// The cluster as a real thing behind a task.
    fn incarnation(&self, job: &Job, uid: &str) -> Incarnation {
        Incarnation { task: job.task.clone(), address: self.address(), id: uid.to_owned(), generation: 0 }
    }

    /// Notes of a success: with them what was accepted by a person is no longer open.
    fn note(uid: Option<&str>) -> BTreeMap<String, String> {
        uid.map(|uid| ("cluster".to_owned(), uid.to_owned())).into_iter().collect()
    }

    /// The kubeconfig as the project has it.
    fn config(&self) -> &str {
        self.kubeconfig.as_ref().map_or("kubeconfig", |path| path.strip_prefix(&self.dir).unwrap_or(path).as_str())
    }

    fn config_name(&self) -> String {
        format!("`{}`", self.config())
    }

    /// The way to it, as people read it.
    pub fn address(&self) -> String {
        // Contexts of different kubeconfigs often have the same name.
        let context = self.context.as_ref().map(|context| format!("{context} ")).unwrap_or_default();
        format!("cluster {context}({})", self.config())
    }

    /// Whether this is the environment's cluster. Another one is expected where what the task stands on is
    /// another: its upstream, or its kubeconfig.
    fn guard(&self, job: &Job, uid: &str) -> Result<(), Trouble> {
        let known = known(&job.memory, &self.address());
        if job.memory.notes.contains_key(ACCEPTED) {
            return Ok(());
        }
        if known.is_empty() || known.contains(&uid) || job.memory.undo_began || expects_another(&job.memory) {
            return Ok(());
        }
        let message = format!(
            "this is another cluster than environment `{}` had so far: kube-system is {uid}, and was {}",
            job.env,
            known.join(" or ")
        );
        let accept = resolve(job, "--accept-state");
        let hint = format!("see where {} leads; if the cluster was made anew, {accept} says so", self.config_name());
        Err(Trouble { message, hint: Some(hint), kind: TroubleKind::Refused, ..Trouble::default() })
    }

    /// Whether the cluster is another than the one on which the task made what it made.
    fn is_another(&self, job: &Job, uid: &str) -> bool {
        let own = job.memory.incarnations.iter().filter(|one| one.address == self.address());
        let mut own = own.peekable();
        own.peek().is_some() && own.all(|one| one.id != uid)
    }
}

/// Whether something that the task stands on is another, or its declaration leads elsewhere. What is in the kubeconfig
/// is no word on it: a context that somebody switched is the commonest of accidents.
fn expects_another(memory: &Memory) -> bool {
    memory.reasons.iter().any(|reason| match reason {
        Reason::UpstreamChanged { .. } | Reason::Incarnation { .. } => true,
        Reason::ActionChanged { field, .. } => field.ends_with(".kubeconfig") || field.ends_with(".context"),
        _ => false,
    })
}

/// The context that is meant where a table names a kubeconfig and none: the one that the environment allows,
/// if it allows one alone.
pub fn meant<'a, T>(table: &BTreeMap<String, T>, allowed: Option<&'a [String]>) -> Option<&'a str> {
    match allowed {
        Some([one]) if table.contains_key("kubeconfig") && !table.contains_key("context") => Some(one),
        _ => None,
    }
}

fn known<'a>(memory: &'a Memory, address: &str) -> Vec<&'a str> {
    let all = memory.incarnations.iter().chain(&memory.around).filter(|one| one.address == address);
    let mut known: Vec<&str> = all.map(|one| one.id.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// The uid of the cluster that answered.
fn uid(end: &StepEnd) -> Result<String, NoAnswer> {
    let uid = end.stdout.trim();
    if end.is_ok() && !uid.is_empty() {
        return Ok(uid.to_owned());
    }
    let said = last_words(end).unwrap_or_else(|| crate::kind::run::ended_badly(end));
    Err(if is_silence(&said) { NoAnswer::Silent(said) } else { NoAnswer::Other(said) })
}

/// The command by which a person says what nobody can be asked about; which environment is meant stands in it.
fn resolve(job: &Job, flag: &str) -> String {
    let quote = if job.task.contains(['[', '*', ' ']) { "'" } else { "" };
    format!("`infra resolve {quote}{}{quote} -e {} {flag}`", job.task, job.env)
}
