//! Owns the dependencies of a chart in the project: which archives its lock names, and the order of the commands
//! that fetch them.
//! Does not know what is done with the chart.

use super::command::Commands;
use super::simple::said;
use crate::kind::Inferred;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble};
use crate::model::facts::Files;
use crate::model::path::join;
use crate::model::task::Keep;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::{BTreeSet, VecDeque};

/// What helm calls the file; made by `helm dependency update`.
pub(super) const LOCK: &str = "Chart.lock";

/// One dependency as the lock pins it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Locked {
    name: String,
    version: String,
    /// `https://…`, `oci://…`, `file://…`, `@alias`; empty: it lies in `charts/` and is not fetched.
    repository: String,
}

fn locked(lock: &str) -> Vec<Locked> {
    let read: Json = serde_saphyr::from_str(lock).unwrap_or_default();
    let word = |one: &Json, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = read["dependencies"].as_array().into_iter().flatten();
    all.map(|one| Locked {
        name: word(one, "name"),
        version: word(one, "version"),
        repository: word(one, "repository"),
    })
    .collect()
}

/// What fetching reads: the chart's file and its lock, and folders that the lock names.
pub(super) fn infer(chart: &Utf8Path, files: &dyn Files) -> Inferred {
    let mut inferred = Inferred::default();
    let lock = join(chart, LOCK);
    let text = files.read(&lock);
    if text.is_none() {
        inferred.remarks.push(format!("`{lock}` is not there: `helm dependency update {chart}` makes it"));
    }
    inferred.paths.extend([join(chart, "Chart.yaml"), lock]);
    for one in text.iter().flat_map(|text| locked(text)) {
        if let Some(folder) = one.repository.strip_prefix("file://").filter(|folder| !folder.starts_with('/')) {
            inferred.folders.push(join(chart, folder));
        }
    }
    inferred
}

/// The archives that fetching writes.
pub(super) fn outputs(chart: &Utf8Path, files: &dyn Files) -> Vec<(Utf8PathBuf, Keep)> {
    let text = files.read(&join(chart, LOCK));
    let fetched = text.iter().flat_map(|text| locked(text)).filter(|one| !one.repository.is_empty());
    // Two aliases of one chart are one archive.
    let archives: BTreeSet<Utf8PathBuf> =
        fetched.map(|one| join(chart, &format!("charts/{}-{}.tgz", one.name, one.version))).collect();
    archives.into_iter().map(|archive| (archive, Keep::Kept)).collect()
}

/// Fetches what the lock names.
pub(super) struct Fetching {
    commands: Commands,
    chart: String,
    lock: Utf8PathBuf,
    stage: Stage,
    count: usize,
    repositories: VecDeque<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Lock,
    Add,
    Build,
}

impl Fetching {
    /// A machine for a job.
    pub(super) fn new(job: &Job) -> Self {
        let commands = Commands::new(job);
        let lock = Utf8Path::new(&commands.chart).join(LOCK);
        let chart = crate::kind::text(&job.table, "chart").unwrap_or_default().to_owned();
        Self { commands, chart, lock, stage: Stage::Start, count: 0, repositories: VecDeque::new() }
    }

    fn read(&mut self, end: &StepEnd) -> Move {
        let Some(lock) = end.files.get(&self.lock) else {
            return Move::Fail(Trouble {
                message: format!("`{}` has no `{LOCK}`, which says what to fetch", self.chart),
                hint: Some(format!("`helm dependency update {}` makes it: commit it", self.chart)),
                ..Trouble::default()
            });
        };
        let all = locked(lock);
        if let Some(one) = all.iter().find(|one| is_alias(&one.repository)) {
            return Move::Fail(Trouble {
                message: format!("`{}` names its repository by an alias, `{}`", one.name, one.repository),
                hint: Some(format!(
                    "aliases are of somebody's own helm, which is never read: write the address in \
                     `{}/Chart.yaml`, then `helm dependency update {0}`",
                    self.chart
                )),
                ..Trouble::default()
            });
        }
        let addresses: BTreeSet<&String> =
            all.iter().map(|one| &one.repository).filter(|one| one.starts_with("http")).collect();
        self.repositories = addresses.into_iter().cloned().collect();
        self.count = all.len();
        self.go_on()
    }

    fn go_on(&mut self) -> Move {
        if let Some(address) = self.repositories.pop_front() {
            self.stage = Stage::Add;
            return Move::Run(self.commands.repo_add(self.repositories.len(), &address));
        }
        self.stage = Stage::Build;
        Move::Run(self.commands.dependency_build())
    }
}

fn is_alias(repository: &str) -> bool {
    repository.starts_with('@') || repository.starts_with("alias:")
}

impl Machine for Fetching {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        let command = match self.stage {
            Stage::Start => {
                self.stage = Stage::Lock;
                return Move::Run(self.commands.version_and(&self.lock));
            }
            Stage::Lock => "helm version",
            Stage::Add => "helm repo add",
            Stage::Build => "helm dependency build",
        };
        if !end.is_ok() {
            return Move::Fail(Trouble { message: said(command, &end), ..Trouble::default() });
        }
        match self.stage {
            Stage::Lock => self.read(&end),
            Stage::Build => Move::Done(Done { summary: Some(counted(self.count)), ..Done::default() }),
            _ => self.go_on(),
        }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 chart".to_owned() } else { format!("{count} charts") }
}
