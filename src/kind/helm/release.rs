//! Owns what helm tells of a release: its state, its revisions, what of it makes the token.
//! Does not know commands.

use super::command::Commands;
use crate::kind::cluster::last_words;
use crate::kind::machine::{Job, Step, StepEnd};
use crate::model::digest::{Digest, Domain};
use crate::model::probe::{Answer, Judge};
use serde::Deserialize;
use serde_json::Value as Json;

/// A release as `helm status -o json` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// Its revision.
    #[serde(default)]
    pub version: u64,
    #[serde(default)]
    pub info: Info,
    #[serde(default)]
    manifest: String,
    /// They are in no manifest.
    #[serde(default)]
    hooks: Option<Vec<Hook>>,
}

/// What helm makes at a moment: a job before an upgrade, the pod of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Hook {
    #[serde(default)]
    manifest: String,
}

/// When and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Info {
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub first_deployed: String,
    #[serde(default)]
    pub last_deployed: String,
    #[serde(default)]
    pub deleted: String,
}

/// What stands in the way of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Settled,
    /// An install, upgrade or rollback goes on, or was killed.
    Pending,
}

impl Release {
    /// The revision and the state of the release that `helm list -o json` printed; `None`: there is none.
    pub fn listed(end: &StepEnd) -> Result<Option<(u64, String)>, String> {
        if !end.is_ok() {
            let said = last_words(end).unwrap_or_else(|| crate::kind::run::ended_badly(end));
            return Err(format!("helm cannot tell of releases: {said}"));
        }
        let read: Result<Vec<Json>, _> = serde_json::from_str(&end.stdout);
        let revision = |one: &Json| one["revision"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
        let status = |one: &Json| one["status"].as_str().unwrap_or("unknown").to_owned();
        read.map(|found| found.first().map(|one| (revision(one), status(one))))
            .map_err(|error| format!("what helm lists cannot be read: {error}"))
    }

    /// The release; `None`: there is none.
    pub fn read(end: &StepEnd) -> Result<Option<Self>, String> {
        if end.is_ok() {
            let read = serde_json::from_str(&end.stdout);
            return read.map(Some).map_err(|error| format!("what helm tells of the release cannot be read: {error}"));
        }
        let said = last_words(end).unwrap_or_else(|| crate::kind::run::ended_badly(end));
        if said.contains("not found") { Ok(None) } else { Err(format!("helm cannot tell of the release: {said}")) }
    }

    /// Whether it can be changed now.
    pub fn standing(&self) -> Standing {
        if self.info.status.starts_with("pending") || self.is_uninstalling() {
            Standing::Pending
        } else {
            Standing::Settled
        }
    }

    /// Whether an uninstall goes on, failed or was killed.
    pub fn is_uninstalling(&self) -> bool {
        self.info.status == "uninstalling"
    }

    /// Since when it is as it is.
    pub fn since(&self) -> &str {
        if self.is_uninstalling() { &self.info.deleted } else { &self.info.last_deployed }
    }

    /// Digest of what it put into the cluster. What secrets hold is left out: a digest of it could be
    /// guessed.
    pub fn digest(&self) -> String {
        let documents = self.manifest.split("\n---").map(|text| text.trim_start_matches("---").trim());
        let told: Vec<String> = documents.filter(|text| !text.is_empty()).map(without_secrets).collect();
        Digest::of(Domain::Value, told.join("\n---\n").as_bytes()).hex()
    }

    /// The token: since when it is there, what it put there, and its hooks, of which the tests of a chart are made.
    pub fn token(&self) -> String {
        let mut hooks: Vec<String> =
            self.hooks.iter().flatten().map(|hook| without_secrets(hook.manifest.trim())).collect();
        hooks.sort();
        let hooks = match hooks.as_slice() {
            [] => String::new(),
            hooks => format!(" {}", Digest::of(Domain::Value, hooks.join("\n---\n").as_bytes()).hex()),
        };
        format!("{} {}{hooks}", self.info.first_deployed, self.digest())
    }
}

fn without_secrets(text: &str) -> String {
    if !text.contains("Secret") {
        return text.to_owned();
    }
    let Ok(mut object) = serde_saphyr::from_str::<Json>(text) else { return String::new() };
    if object["kind"] == "Secret"
        && let Some(object) = object.as_object_mut()
    {
        object.remove("data");
        object.remove("stringData");
    }
    object.to_string()
}

#[derive(Deserialize)]
struct Revision {
    revision: u64,
    status: String,
}

/// The newest revision that was deployed, of what `helm history -o json` printed.
pub fn last_deployed(text: &str) -> Option<u64> {
    let revisions: Vec<Revision> = serde_json::from_str(text).ok()?;
    let good = revisions.iter().filter(|one| matches!(one.status.as_str(), "deployed" | "superseded"));
    good.map(|one| one.revision).max()
}

/// The application's version, of what `helm get metadata -o json` printed.
pub fn app_version(text: &str) -> Option<String> {
    let metadata: Json = serde_json::from_str(text).ok()?;
    metadata.get("appVersion").and_then(Json::as_str).map(str::to_owned)
}

/// helm's own probe: is the release there, and the one that was recorded?
pub fn looks(job: &Job) -> Vec<(Step, Judge)> {
    let commands = Commands::new(job);
    let token = job.memory.token.clone();
    let judge = Judge::new(move |code, stdout, stderr| {
        let tail = stderr.lines().map(str::to_owned).collect();
        let end = StepEnd { code, stdout: stdout.to_owned(), tail, ..StepEnd::default() };
        match Release::read(&end) {
            Err(why) => Answer::CannotTell(why),
            Ok(None) => Answer::Disagrees("the release is not there".to_owned()),
            Ok(Some(release)) if release.info.status != "deployed" => {
                Answer::Disagrees(format!("the release is {}", release.info.status))
            }
            Ok(Some(release)) if token.as_ref().is_some_and(|token| *token != release.token()) => {
                Answer::Disagrees("the release is another than the one that was made here".to_owned())
            }
            Ok(Some(_)) => Answer::Agrees,
        }
    });
    vec![(commands.status(), judge)]
}

/// The probe of an uninstall: is the release away?
pub fn looks_for_none(job: &Job) -> Vec<(Step, Judge)> {
    let judge = Judge::new(|code, stdout, stderr| {
        let tail = stderr.lines().map(str::to_owned).collect();
        let end = StepEnd { code, stdout: stdout.to_owned(), tail, ..StepEnd::default() };
        match Release::read(&end) {
            Err(why) => Answer::CannotTell(why),
            Ok(None) => Answer::Agrees,
            // With its history kept.
            Ok(Some(release)) if release.info.status == "uninstalled" => Answer::Agrees,
            Ok(Some(release)) => Answer::Disagrees(format!("the release is there: it is {}", release.info.status)),
        }
    });
    vec![(Commands::new(job).status(), judge)]
}
