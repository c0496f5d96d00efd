//! Owns what a task remembers of its releases: all that it ever installed, and the one that it is changing just
//! now.
//! Does not know commands, nor when a change begins or ends.

use super::command::Commands;
use super::release::Release;
use crate::kind::machine::{Job, Move, StepEnd};
use crate::model::reason::Reason;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Note that holds every release that was installed and not undone.
const NOTE: &str = "releases";

/// Where a release is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The cluster's uid.
    pub cluster: String,
    pub namespace: String,
    pub release: String,
}

/// What is done to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    Change,
    Uninstall,
}

/// A change that began, and the revisions that it may leave pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    place: Place,
    doing: Doing,
    first: u64,
    last: u64,
}

/// What is remembered. It is written down before anything changes, so that an attempt that is killed leaves it
/// too; the end of an attempt keeps it in the notes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The attempt that wrote it.
    attempt: i64,
    releases: BTreeSet<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
}

impl Place {
    /// Where the release of a job's table is, in the cluster of this uid.
    pub fn new(commands: &Commands, cluster: &str) -> Self {
        let (namespace, release) = (commands.namespace_name().to_owned(), commands.release.clone());
        Self { cluster: cluster.to_owned(), namespace, release }
    }

    /// For who must agree that it is destroyed.
    pub fn shown(&self) -> String {
        format!("helm release `{}/{}`", self.namespace, self.release)
    }
}

impl Marks {
    /// Where they are written.
    pub fn file(job: &Job) -> Utf8PathBuf {
        job.keep.join("releases.json")
    }

    /// Those of a job; the file was read after a step.
    pub fn read(job: &Job, end: &StepEnd) -> Self {
        let noted: Option<Self> = job.memory.notes.get(NOTE).and_then(|text| serde_json::from_str(text).ok());
        let noted = noted.unwrap_or_default();
        // Whoever said that all is undone has taken back what the file holds, too.
        let is_undone = |reason: &Reason| matches!(reason, Reason::UndoneBy { complete: true, .. });
        let text = end.files.get(&Self::file(job)).filter(|_| !job.memory.reasons.iter().any(is_undone));
        let Some(written) = text.and_then(|text| serde_json::from_str::<Self>(text).ok()) else { return noted };
        let releases = if written.attempt > noted.attempt { written.releases } else { noted.releases };
        Self { releases, ..written }
    }

    /// A change of a release begins, and may leave one of these revisions pending.
    #[must_use]
    pub fn begin(&mut self, job: &Job, place: &Place, doing: Doing, revisions: RangeInclusive<u64>) -> Move {
        if doing == Doing::Change {
            self.releases.insert(place.clone());
        }
        self.begun = Some(Begun { place: place.clone(), doing, first: *revisions.start(), last: *revisions.end() });
        self.write(job)
    }

    /// The change is over: what is pending from now on is somebody else's.
    #[must_use]
    pub fn over(&mut self, job: &Job) -> Move {
        self.begun = None;
        self.write(job)
    }

    /// The release was uninstalled.
    #[must_use]
    pub fn gone(&mut self, job: &Job, place: &Place) -> Move {
        self.releases.remove(place);
        self.over(job)
    }

    /// Whether it was a change of ours that left a release as it is.
    pub fn left(&self, place: &Place, release: &Release) -> bool {
        self.begun.as_ref().is_some_and(|begun| {
            begun.place == *place
                && (begun.first..=begun.last).contains(&release.version)
                && (begun.doing == Doing::Uninstall || !release.is_uninstalling())
        })
    }

    /// Forgets releases of other clusters.
    pub fn only_of(&mut self, cluster: &str) {
        self.releases.retain(|place| place.cluster == cluster);
    }

    /// Every release that was installed and not undone.
    pub fn releases(&self) -> &BTreeSet<Place> {
        &self.releases
    }

    /// What the next attempt finds in its notes; what else stands there stays.
    pub fn notes(&self, job: &Job) -> BTreeMap<String, String> {
        let mut notes = job.memory.notes.clone();
        let noted = Self { attempt: job.attempt, releases: self.releases.clone(), begun: None };
        notes.insert(NOTE.to_owned(), serde_json::to_string(&noted).unwrap_or_default());
        notes
    }

    fn write(&mut self, job: &Job) -> Move {
        self.attempt = job.attempt;
        Move::Write { path: Self::file(job), bytes: serde_json::to_vec(self).unwrap_or_default(), mode: None }
    }
}
