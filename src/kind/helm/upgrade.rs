//! Owns the order of commands in `helm upgrade --install`.
//! Does not know command lines (`command`), nor how output is read (`release`).

use super::command::{Commands, Major};
use super::release::{Release, Standing, app_version, last_deployed};
use super::simple::{LAST_WORDS, hint, said};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Trouble, TroubleKind};
use crate::kind::run::ended_badly;
use crate::model::reason::Reason;
use serde_json::Value as Json;
use std::time::Duration;

/// A helm that is still at work gets so many looks, with so long a pause between, before its release is
/// taken over.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// The machine.
pub struct Upgrading {
    job: Job,
    commands: Commands,
    stage: Stage,
    major: Major,
    before: Option<Release>,
    after: Option<Release>,
    looks: u32,
    /// How a release that was stuck was set free, for the report.
    freed: Option<String>,
    failure: Option<String>,
}

/// The command, or other move, whose end is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    Version,
    List,
    Status,
    Pause,
    History,
    Free,
    Set,
    Upgrade,
    StatusAfter,
    Metadata,
    Pods,
    Events,
}

impl Upgrading {
    /// A machine for a job.
    pub fn new(job: Job) -> Self {
        Self {
            commands: Commands::new(&job),
            job,
            stage: Stage::Start,
            major: Major::Four,
            before: None,
            after: None,
            looks: 0,
            freed: None,
            failure: None,
        }
    }

    fn begin(&mut self) -> Move {
        self.stage = Stage::Version;
        Move::Run(self.commands.version())
    }

    fn version(&mut self, end: &StepEnd) -> Move {
        match Major::read(&end.stdout) {
            Ok(major) if end.is_ok() => self.major = major,
            Ok(_) => return Self::trouble(format!("`helm version` {}", ended_badly(end)), None),
            Err(message) => return Self::trouble(message, Some("helm 3 and 4 are known".to_owned())),
        }
        self.stage = Stage::List;
        Move::Run(self.commands.list())
    }

    fn listed(&mut self, end: &StepEnd) -> Move {
        match Release::is_listed(end) {
            Ok(true) => {
                self.stage = Stage::Status;
                Move::Run(self.commands.status())
            }
            Ok(false) => self.write_set(),
            Err(message) => Self::trouble(message, None),
        }
    }

    fn status(&mut self, end: &StepEnd) -> Move {
        let release = match Release::read(end) {
            Ok(release) => release,
            Err(message) => return Self::trouble(message, None),
        };
        if let (Some(_), Some(owner)) = (&release, &self.job.memory.foreign_owner) {
            return Move::Fail(Trouble {
                message: format!("release `{}` is on record as made by {owner}", self.commands.release),
                hint: Some(format!("`infra resolve {} --accept-state` hands it over", self.job.task)),
                kind: TroubleKind::Refused,
                ..Trouble::default()
            });
        }
        self.before.clone_from(&release);
        match release {
            Some(release) if release.standing() == Standing::Pending => self.stuck(&release),
            _ => self.write_set(),
        }
    }

    /// Someone else's helm may be at work. One of ours that was cut is not, or soon will not be.
    fn stuck(&mut self, release: &Release) -> Move {
        let ours = |reason: &Reason| {
            matches!(reason, Reason::Interrupted { .. } | Reason::LastAttemptFailed { .. } | Reason::Forced)
        };
        if !self.job.memory.reasons.iter().any(ours) {
            let Self { commands, .. } = self;
            let message = format!(
                "release `{}` is {} since {}",
                commands.release, release.info.status, release.info.last_deployed
            );
            let hint = format!(
                "another helm works on it, or was killed; if nobody does, `infra run {} --force` takes it over",
                self.job.task
            );
            return Self::trouble(message, Some(hint));
        }
        if self.looks < LOOKS {
            self.looks += 1;
            self.stage = Stage::Pause;
            return Move::Wait(PAUSE);
        }
        self.stage = Stage::History;
        Move::Run(self.commands.history())
    }

    fn free(&mut self, end: &StepEnd) -> Move {
        let was = self.before.as_ref().map(|release| release.info.status.clone()).unwrap_or_default();
        self.stage = Stage::Free;
        if let Some(revision) = last_deployed(&end.stdout) {
            self.freed = Some(format!("was {was}: rolled back to revision {revision} first"));
            return Move::Run(self.commands.rollback(revision, self.major));
        }
        self.freed = Some(format!("was {was} and never deployed: uninstalled first"));
        Move::Run(self.commands.uninstall())
    }

    fn write_set(&mut self) -> Move {
        match self.commands.set_file.clone() {
            Some(path) => {
                self.stage = Stage::Set;
                Move::Write { path, bytes: self.commands.set(), mode: None }
            }
            None => self.upgrade(),
        }
    }

    fn upgrade(&mut self) -> Move {
        self.stage = Stage::Upgrade;
        Move::Run(self.commands.upgrade(self.major))
    }

    fn upgraded(&mut self, end: &StepEnd) -> Move {
        if end.is_ok() {
            self.stage = Stage::StatusAfter;
            return Move::Run(self.commands.status());
        }
        let said = said("helm upgrade", end);
        if let Some(hint) = hint(&said) {
            return Self::trouble(said, Some(hint.to_owned()));
        }
        self.failure = Some(said);
        self.stage = Stage::Pods;
        Move::Run(self.commands.pods())
    }

    fn done(&self, metadata: &StepEnd) -> Move {
        let Some(release) = &self.after else {
            return Self::trouble("the release is not there after its upgrade".to_owned(), None);
        };
        let mut done = Done { token: Some(release.token()), ..Done::default() };
        done.exports.insert("revision".to_owned(), Json::from(release.version));
        done.exports.insert("manifest_digest".to_owned(), Json::String(release.digest()));
        let app_version = app_version(&metadata.stdout).unwrap_or_default();
        done.exports.insert("app_version".to_owned(), Json::String(app_version));
        done.unchanged = self.before.as_ref().is_some_and(|before| before.token() == release.token());
        let what = match (&self.before, done.unchanged) {
            (None, _) => "installed",
            (Some(_), true) => "no changes",
            (Some(_), false) => "upgraded",
        };
        let freed = self.freed.as_ref().map(|freed| format!("; {freed}")).unwrap_or_default();
        done.summary = Some(format!("{what}, revision {}{freed}", release.version));
        Move::Done(done)
    }

    fn trouble(message: String, hint: Option<String>) -> Move {
        Move::Fail(Trouble { message, hint, ..Trouble::default() })
    }
}

impl Machine for Upgrading {
    fn next(&mut self, heard: Heard) -> Move {
        let end = heard.end();
        match self.stage {
            Stage::Start => self.begin(),
            Stage::Version => self.version(&end),
            Stage::List => self.listed(&end),
            Stage::Status => self.status(&end),
            Stage::Pause => {
                self.stage = Stage::Status;
                Move::Run(self.commands.status())
            }
            Stage::History => self.free(&end),
            Stage::Free if end.is_ok() => self.write_set(),
            Stage::Free => {
                let said = last_words(&end).unwrap_or_else(|| ended_badly(&end));
                Self::trouble(
                    format!("release `{}` is stuck and cannot be set free: {said}", self.commands.release),
                    None,
                )
            }
            Stage::Set => self.upgrade(),
            Stage::Upgrade => self.upgraded(&end),
            Stage::StatusAfter => match Release::read(&end) {
                Ok(release) => {
                    self.after = release;
                    self.stage = Stage::Metadata;
                    Move::Run(self.commands.metadata())
                }
                Err(message) => Self::trouble(message, None),
            },
            Stage::Metadata => self.done(&end),
            Stage::Pods => {
                self.stage = Stage::Events;
                Move::Run(self.commands.events())
            }
            Stage::Events => {
                let message = self.failure.take().unwrap_or_default();
                let argv = self.commands.upgrade(self.major).argv;
                let hint = Some(LAST_WORDS.to_owned());
                Move::Fail(Trouble { message, hint, argv, ..Trouble::default() })
            }
        }
    }
}
