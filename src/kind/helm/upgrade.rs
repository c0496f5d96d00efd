//! Owns the order of commands in `helm upgrade --install`.
//! Does not know command lines (`command`), nor how output is read (`release`).

use super::command::{Commands, Major};
use super::last::LastWords;
use super::marks::{Doing, Marks, Place};
use super::release::{Release, Standing, app_version, last_deployed};
use super::simple::{HOOKS, LAST_WORDS, hint, last_error, said};
use crate::kind::machine::{ACCEPTED, Change, Done, Heard, Job, Machine, Move, Step, StepEnd, Trouble};
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
    place: Place,
    marks: Marks,
    /// The newest revision that the release has now; 0: it is not there.
    revision: u64,
    before: Option<Release>,
    after: Option<Release>,
    looks: u32,
    /// How a release that was stuck was set free, for the report.
    freed: Option<String>,
    /// The changing step that was approved, and what is waited for once its mark stands.
    next: Option<(Step, Doing, Stage)>,
    upgrade: StepEnd,
    failure: Option<String>,
    last_words: LastWords,
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
    Approve,
    Mark,
    Free,
    Set,
    Upgrade,
    Over,
    StatusAfter,
    Metadata,
    ListAfter,
    LastWords,
}

impl Upgrading {
    /// A machine for a job.
    pub fn new(job: Job) -> Self {
        let commands = Commands::new(&job);
        Self {
            place: Place::new(&commands, ""),
            marks: Marks::default(),
            revision: 0,
            commands,
            job,
            stage: Stage::Start,
            major: Major::Four,
            before: None,
            after: None,
            looks: 0,
            freed: None,
            next: None,
            upgrade: StepEnd::default(),
            failure: None,
            last_words: LastWords::of_release(),
        }
    }

    fn begin(&mut self) -> Move {
        self.stage = Stage::Version;
        Move::Run(self.commands.version_and(&Marks::file(&self.job)))
    }

    fn version(&mut self, end: &StepEnd) -> Move {
        match Major::read(&end.stdout) {
            Ok(major) if end.is_ok() => self.major = major,
            Ok(_) => return Self::trouble(format!("`helm version` {}", ended_badly(end)), None),
            Err(message) => return Self::trouble(message, Some("helm 3 and 4 are known".to_owned())),
        }
        self.marks = Marks::read(&self.job, end);
        self.stage = Stage::List;
        Move::Run(self.commands.list())
    }

    fn listed(&mut self, end: &StepEnd) -> Move {
        match Release::listed(end) {
            Ok(Some(_)) => {
                self.stage = Stage::Status;
                Move::Run(self.commands.status())
            }
            Ok(None) => self.write_set(),
            Err(message) => Self::trouble(message, None),
        }
    }

    fn status(&mut self, end: &StepEnd) -> Move {
        let release = match Release::read(end) {
            Ok(release) => release,
            Err(message) => return Self::trouble(message, None),
        };
        self.before.clone_from(&release);
        self.revision = release.as_ref().map_or(0, |release| release.version);
        match release {
            Some(release) if release.standing() == Standing::Pending => self.stuck(&release),
            _ => self.write_set(),
        }
    }

    /// Someone else's helm may be at work. One of ours that was cut is not, or soon will not be: it left its mark
    /// before it began.
    fn stuck(&mut self, release: &Release) -> Move {
        let is_forced = self.job.memory.reasons.contains(&Reason::Forced);
        if !is_forced && !self.marks.left(&self.place, release) {
            let message =
                format!("release `{}` is {} since {}", self.place.release, release.info.status, release.since());
            let hint = format!(
                "another helm works on it, or failed or was killed at it; if nobody does, `infra run {} --force` takes \
                 it over",
                self.job.task
            );
            return Self::trouble(message, Some(hint));
        }
        if release.is_uninstalling() {
            return self.uninstall_first("was uninstalling");
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
        if let Some(revision) = last_deployed(&end.stdout) {
            self.freed = Some(format!("was {was}: rolled back to revision {revision} first"));
            return self.change(self.commands.rollback(revision, self.major), Doing::Change, Stage::Free);
        }
        self.uninstall_first(&format!("was {was} and never deployed"))
    }

    fn uninstall_first(&mut self, was: &str) -> Move {
        self.freed = Some(format!("{was}: uninstalled first"));
        self.change(self.commands.uninstall(), Doing::Uninstall, Stage::Free)
    }

    fn freed(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            let status = self.before.as_ref().map_or("stuck", |release| release.info.status.as_str());
            let message = format!(
                "release `{}` is {status} and cannot be set free: {}",
                self.place.release,
                last_error(end).unwrap_or_else(|| ended_badly(end))
            );
            return Self::trouble(message, Some(HOOKS.to_owned()));
        }
        if matches!(self.next, Some((_, Doing::Uninstall, _))) {
            self.before = None;
            self.revision = 0;
        } else {
            self.revision += 1;
        }
        self.write_set()
    }

    /// A step that changes the release: approved first, so that a refusal leaves no mark of a change.
    fn change(&mut self, step: Step, doing: Doing, then: Stage) -> Move {
        let summary = format!("runs `{}`", step.argv.join(" "));
        let destroys = (doing == Doing::Uninstall).then(|| self.place.shown()).into_iter().collect();
        self.next = Some((step, doing, then));
        self.stage = Stage::Approve;
        Move::Approve(Change { summary, destroys, is_blind: true, ..Change::default() })
    }

    fn approved(&mut self) -> Move {
        self.stage = Stage::Mark;
        let (doing, revisions) = match self.next {
            Some((_, Doing::Uninstall, _)) => (Doing::Uninstall, self.revision..=self.revision),
            // A rollback that never began leaves what it was to set free.
            Some((_, doing, Stage::Free)) => (doing, self.revision..=self.revision + 1),
            _ => (Doing::Change, self.revision + 1..=self.revision + 1),
        };
        self.marks.begin(&self.job, &self.place, doing, revisions)
    }

    fn marked(&mut self) -> Move {
        let Some((step, _, then)) = &self.next else { return Self::trouble("nothing to be done".to_owned(), None) };
        self.stage = *then;
        Move::Run(step.clone())
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
        self.change(self.commands.upgrade(self.major), Doing::Change, Stage::Upgrade)
    }

    /// A helm that came to its end leaves nothing pending; one that was killed does.
    fn ended(&mut self, end: StepEnd) -> Move {
        let was_killed = end.code.is_none();
        self.upgrade = end;
        if was_killed {
            return self.upgraded();
        }
        self.stage = Stage::Over;
        self.marks.over(&self.job)
    }

    fn upgraded(&mut self) -> Move {
        if self.upgrade.is_ok() {
            self.stage = Stage::StatusAfter;
            return Move::Run(self.commands.status());
        }
        self.stage = Stage::ListAfter;
        Move::Run(self.commands.list())
    }

    /// What is still true after a failure. A helm that made no revision began nothing: a chart that it can't find or
    /// render is no matter of pods.
    fn left(&mut self, end: &StepEnd) -> Move {
        let said = said("helm upgrade", &self.upgrade);
        let hint = hint(&said);
        let (stands, began) = match Release::listed(end) {
            Ok(None) if self.revision == 0 => ("; no release was made".to_owned(), false),
            Ok(Some((revision, status))) if revision == self.revision => {
                (format!("; the release is as it was: {status}, revision {revision}"), false)
            }
            Ok(Some((revision, status))) => {
                let before = self.before.as_ref().filter(|before| before.info.status == "deployed");
                let before = before.map(|before| format!("; revision {} was deployed before", before.version));
                (format!("; the release is {status} now, revision {revision}{}", before.unwrap_or_default()), true)
            }
            _ => (String::new(), true),
        };
        self.failure = Some(format!("{said}{stands}"));
        match hint {
            Some(hint) => self.failed(Some(hint)),
            None if !began => self.failed(None),
            None => self.ask_for_last_words(&StepEnd::default()),
        }
    }

    fn ask_for_last_words(&mut self, end: &StepEnd) -> Move {
        self.stage = Stage::LastWords;
        match self.last_words.next(&self.commands, end) {
            Some(step) => Move::Run(step),
            None => self.failed(Some(LAST_WORDS)),
        }
    }

    fn failed(&self, hint: Option<&str>) -> Move {
        let message = self.failure.clone().unwrap_or_default();
        let argv = self.commands.upgrade(self.major).argv;
        let notes = self.marks.notes(&self.job);
        Move::Fail(Trouble { message, hint: hint.map(str::to_owned), argv, notes, ..Trouble::default() })
    }

    fn done(&mut self, metadata: &StepEnd) -> Move {
        let Some(release) = &self.after else {
            self.failure = Some("the release is not there after its upgrade".to_owned());
            return self.failed(Some("somebody else took it away"));
        };
        let mut done = Done { token: Some(release.token()), notes: self.marks.notes(&self.job), ..Done::default() };
        done.notes.remove(ACCEPTED);
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
        // It had another name or namespace before: nothing is uninstalled by an upgrade, and nobody should think so.
        let here = |one: &&Place| one.cluster == self.place.cluster && **one != self.place;
        let former = self.marks.releases().iter().filter(here);
        let former: Vec<String> = former.map(|one| format!("`{}/{}`", one.namespace, one.release)).collect();
        let left = match former.as_slice() {
            [] => String::new(),
            former => format!("; not uninstalled, though no longer named: {}", former.join(", ")),
        };
        done.summary = Some(format!("{what}, revision {}{freed}{left}", release.version));
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
            Stage::Approve => self.approved(),
            Stage::Mark => self.marked(),
            Stage::Free => self.freed(&end),
            Stage::Set => self.upgrade(),
            Stage::Upgrade => self.ended(end),
            Stage::Over => self.upgraded(),
            Stage::StatusAfter => match Release::read(&end) {
                Ok(release) => {
                    self.after = release;
                    self.stage = Stage::Metadata;
                    Move::Run(self.commands.metadata())
                }
                Err(message) => Self::trouble(message, None),
            },
            Stage::Metadata => self.done(&end),
            Stage::ListAfter => self.left(&end),
            Stage::LastWords => self.ask_for_last_words(&end),
        }
    }

    fn entered(&mut self, cluster: &str) {
        self.place = Place::new(&self.commands, cluster);
    }
}
