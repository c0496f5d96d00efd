//! Owns the verdict on one task: the truth rules of the design, section 4, in one place. `status`,
//! `plan`, `why` and `run` all ask this function.
//! Does not know how a verdict is carried out.

use crate::model::digest::Digest;
use crate::model::effect::{Effect, State};
use crate::model::facts::{ContentKind, FactError, Facts};
use crate::model::graph::Edge;
use crate::model::manifest::{FORMAT, Manifest};
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::model::record::{Artifact, History, Incarnation, Phase, Record, Void};
use crate::model::task::Task;
use crate::plan::board::{Board, Settled};
use crate::plan::candidate::candidate;
use crate::plan::compare::compare;
use crate::plan::fingerprint::{Walk, WalkError, walk};
use crate::plan::undo;
use crate::template::RenderError;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is true of a task now.
#[derive(Debug)]
pub struct Verdict {
    pub state: State,
    /// Why it is not fresh; for a fresh one only remarks.
    pub reasons: Vec<Reason>,
    /// The record that is believed, or that was compared with.
    pub record: Option<Arc<Record>>,
    /// The manifest as it is now; `None` for undo tasks.
    pub manifest: Option<Manifest>,
    /// Of a whole manifest.
    pub fingerprint: Option<Digest>,
    /// Artifacts to put back, when restorable.
    pub restore: Vec<Artifact>,
    /// Inputs named in full that are not there.
    pub missing: Vec<String>,
    /// A template that can't be rendered: the task can't run until that is mended.
    pub broken: Option<RenderError>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            state: State::Stale,
            reasons: Vec::new(),
            record: None,
            manifest: None,
            fingerprint: None,
            restore: Vec::new(),
            missing: Vec::new(),
            broken: None,
        }
    }
}

impl Verdict {
    /// How the task stands for those downstream, before anything ran.
    pub fn settled(&self, is_undo: bool) -> Settled {
        if is_undo {
            return if self.state == State::Fresh { Settled::Yes(None) } else { Settled::No };
        }
        match (self.state, &self.record) {
            (State::Fresh, record) => Settled::Yes(record.clone()),
            (State::Restorable, Some(record)) => Settled::Restorable(record.clone()),
            (State::Stale, Some(record)) if self.is_good_but_expired() => Settled::LastValues(record.clone()),
            _ => Settled::No,
        }
    }

    /// Whether expiry is all that is held against it.
    pub fn only_expired(&self) -> bool {
        let mut expired = false;
        for reason in &self.reasons {
            match reason {
                Reason::Expired { .. } => expired = true,
                reason if reason.is_remark() => {}
                _ => return false,
            }
        }
        expired
    }

    /// Whether there is a record, and expiry is all that is held against it.
    pub fn is_good_but_expired(&self) -> bool {
        self.only_expired() && self.record.as_ref().is_some_and(|record| record.void.is_none())
    }

    /// Runs in any case, whatever else is true.
    pub fn force(&mut self) {
        self.reasons.insert(0, Reason::Forced);
        self.state = State::Stale;
    }

    /// Reasons that make it stale, remarks left out.
    pub fn causes(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| !reason.is_remark())
    }
}

/// Judges a task whose upstreams stand on the board.
///
/// # Errors
/// When the world can't be asked.
pub fn judge(board: &Board<'_>, facts: &dyn Facts, id: TaskId) -> Result<Verdict, FactError> {
    let task = board.project.task(id);
    if task.is_undo() {
        return Ok(undo::judge(board, task));
    }
    let history = board.history(id);
    if let Some(verdict) = unknown(history) {
        return Ok(verdict);
    }
    let now = match walk(board, facts, id) {
        Ok(now) => now,
        Err(WalkError::Fact(error)) => return Err(error),
        Err(WalkError::Render(error)) => {
            let reason =
                Reason::ActionChanged { field: "template".to_owned(), old: None, new: Some(error.message.clone()) };
            return Ok(Verdict {
                reasons: vec![reason],
                record: history.newest.clone(),
                broken: Some(error),
                ..Verdict::default()
            });
        }
    };
    let whole = now.waiting.is_empty();
    let fingerprint = whole.then(|| now.manifest.fingerprint());
    let record = candidate(board, facts, task, &now, fingerprint.as_ref())?;
    let mut reasons = match &record {
        None => vec![without_record(history)],
        Some(record) => against(board, facts, task, record, &now, fingerprint.as_ref()),
    };
    let mut restore = Vec::new();
    if reasons.is_empty()
        && let Some(record) = &record
    {
        let outputs = outputs(facts, record)?;
        let all_kept = outputs.iter().all(|(artifact, _)| artifact.kept && facts.stored(&artifact.digest));
        if all_kept {
            restore = outputs.iter().map(|(artifact, _)| artifact.clone()).collect();
        }
        reasons.extend(outputs.into_iter().map(|(_, reason)| reason));
    }
    if let Some(record) = &record
        && reasons.iter().all(is_about_output)
        && let Some(disagrees) = probe(task, history, record)
    {
        reasons.push(disagrees);
    }
    if reasons.iter().all(is_about_output) {
        reasons.extend(cut(task, history, fingerprint.as_ref()));
    }
    if !reasons.iter().all(is_about_output) {
        last_end(history, &mut reasons);
    }
    let state = state(task, history, &reasons, &restore, whole);
    if state == State::Deferred {
        reasons.extend(unsettled(board, id));
    }
    if state == State::Stale
        && task.effect == Effect::Once
        && started_once(history)
        && let Some(attempt) = history.began
    {
        reasons.push(Reason::StartedOnce { attempt: attempt.0 });
    }
    reasons.extend(now.remarks);
    Ok(Verdict {
        state,
        reasons,
        record,
        manifest: Some(now.manifest),
        fingerprint,
        restore,
        missing: now.missing,
        broken: None,
    })
}

/// Whether a stale `once` task must wait for a person.
pub fn started_once(history: &History) -> bool {
    history.began.is_some() && !history.rerun_allowed
}

fn unknown(history: &History) -> Option<Verdict> {
    let last = history.last.as_ref()?;
    // What was taken back since is not in doubt.
    let in_doubt = last.phase == Phase::Cut && last.effect == Effect::Once && history.began == Some(last.id);
    (in_doubt && !history.rerun_allowed).then(|| Verdict {
        state: State::Unknown,
        reasons: vec![Reason::EndUnknown { attempt: last.id.0 }],
        record: history.newest.clone(),
        ..Verdict::default()
    })
}

fn without_record(history: &History) -> Reason {
    match &history.last {
        Some(last) if last.phase == Phase::Failed => {
            Reason::LastAttemptFailed { attempt: last.id.0, message: last.message.clone() }
        }
        Some(last) if matches!(last.phase, Phase::Cut | Phase::Interrupted) => {
            Reason::Interrupted { attempt: last.id.0 }
        }
        _ => Reason::NeverRan,
    }
}

/// Everything that speaks against a record, but its outputs and probes.
fn against(
    board: &Board<'_>,
    facts: &dyn Facts,
    task: &Task,
    record: &Record,
    now: &Walk,
    fingerprint: Option<&Digest>,
) -> Vec<Reason> {
    let history = board.history(task.id);
    let mut reasons = Vec::new();
    if let Some(void) = &record.void {
        reasons.push(voided(void, history));
    }
    if record.format != FORMAT {
        reasons.push(Reason::FormatChanged { old: record.format, new: FORMAT });
    } else if fingerprint != Some(&record.fingerprint) {
        let differences = compare(board, record.manifest.get(), now);
        if differences.is_empty() && fingerprint.is_some() && reasons.is_empty() {
            reasons.push(Reason::ActionChanged { field: "fingerprint".to_owned(), old: None, new: None });
        }
        reasons.extend(differences);
    }
    if task.effect != Effect::Pure {
        reasons.extend(gone(board, task.id, &record.built_on));
    }
    if task.effect == Effect::Read {
        reasons.extend(expired(task, record, facts));
    }
    reasons
}

fn voided(void: &Void, history: &History) -> Reason {
    let last = history.last.as_ref();
    match void {
        // The last attempt is said, where there was one after that which voided it.
        Void::NewStart { attempt } | Void::Failed { attempt } => match last {
            Some(last)
                if last.id.0 >= *attempt && matches!(last.phase, Phase::Cut | Phase::Interrupted | Phase::Open) =>
            {
                Reason::Interrupted { attempt: last.id.0 }
            }
            Some(last) if last.id.0 >= *attempt && last.phase == Phase::Failed => {
                Reason::LastAttemptFailed { attempt: last.id.0, message: last.message.clone() }
            }
            _ => Reason::LastAttemptFailed { attempt: *attempt, message: None },
        },
        Void::Superseded { task } => Reason::SupersededBy { task: task.clone() },
        Void::Undone { task } => Reason::UndoneBy { task: task.clone(), complete: history.began.is_none() },
        Void::Resolved => Reason::Forced,
        Void::ChangedWhileRunning { path } => Reason::ChangedWhileRunning { path: path.clone() },
    }
}

/// Incarnations that the record was built on and that upstream has no more.
fn gone(board: &Board<'_>, id: TaskId, built_on: &BTreeSet<Incarnation>) -> Vec<Reason> {
    let alive = board.alive(id);
    // What is no longer upstream because an edge was taken away is not gone.
    let is_there = |lost: &Incarnation| {
        let owner = board.keys.iter().position(|key| key.0.to_string() == lost.task);
        owner.is_some_and(|owner| board.histories[owner].incarnations.contains(lost))
    };
    built_on
        .difference(alive)
        .filter(|lost| !is_there(lost))
        .map(|lost| Reason::Incarnation {
            task: board.name_of(&lost.task),
            address: lost.address.clone(),
            old: lost.id.clone(),
            new: alive
                .iter()
                .find(|now| now.task == lost.task && now.address == lost.address)
                .map(|now| now.id.clone()),
        })
        .collect()
}

fn expired(task: &Task, record: &Record, facts: &dyn Facts) -> Option<Reason> {
    let age = facts.now() - record.created;
    let ttl = task.ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
    match ttl {
        Some(ttl) if (0..ttl).contains(&age) => None,
        ttl => Some(Reason::Expired { age: Some(age / 1000), ttl: ttl.map(|ttl| ttl / 1000) }),
    }
}

/// Outputs of a record that are not as it left them.
fn outputs(facts: &dyn Facts, record: &Record) -> Result<Vec<(Artifact, Reason)>, FactError> {
    let mut changed = Vec::new();
    for artifact in &record.artifacts {
        let content = facts.artifact(artifact.path.as_str().into())?;
        if content.digest == artifact.digest {
            continue;
        }
        let path = artifact.path.clone();
        let reason = if content.kind == ContentKind::Missing {
            Reason::OutputMissing { path }
        } else {
            Reason::OutputChanged { path }
        };
        changed.push((artifact.clone(), reason));
    }
    Ok(changed)
}

fn is_about_output(reason: &Reason) -> bool {
    matches!(reason, Reason::OutputMissing { .. } | Reason::OutputChanged { .. })
}

/// The last attempt was cut: what it would have said is not known, so an older record is not believed. An
/// attempt that can change the world and did not begin to was of no account; one that began voided them.
fn cut(task: &Task, history: &History, fingerprint: Option<&Digest>) -> Option<Reason> {
    let last = history.last.as_ref().filter(|last| last.phase == Phase::Cut)?;
    let counts = match task.effect {
        Effect::Pure => fingerprint.is_some() && last.fingerprint.as_ref() == fingerprint,
        Effect::Read => true,
        Effect::Idempotent | Effect::Once => false,
    };
    counts.then_some(Reason::Interrupted { attempt: last.id.0 })
}

/// A probe's last answer counts when it is younger than the record.
fn probe(task: &Task, history: &History, record: &Record) -> Option<Reason> {
    task.probe.as_ref()?;
    let (agrees, at, message) = history.probe.as_ref()?;
    (!agrees && *at >= record.created).then(|| Reason::ProbeDisagrees { message: message.clone() })
}

/// The last attempt's bad end is said first, when the task is neither fresh nor restorable anyway: an end
/// that speaks against the record has voided it.
fn last_end(history: &History, reasons: &mut Vec<Reason>) {
    let Some(last) = &history.last else { return };
    let newer = history.newest.as_ref().is_none_or(|record| last.id > record.attempt);
    if !newer {
        return;
    }
    let said = |reason: &Reason| matches!(reason, Reason::LastAttemptFailed { .. } | Reason::Interrupted { .. });
    if reasons.iter().any(said) {
        return;
    }
    match last.phase {
        Phase::Failed => {
            reasons.insert(0, Reason::LastAttemptFailed { attempt: last.id.0, message: last.message.clone() });
        }
        Phase::Cut | Phase::Interrupted => reasons.insert(0, Reason::Interrupted { attempt: last.id.0 }),
        Phase::Open | Phase::Done | Phase::Resolved => {}
    }
}

fn state(task: &Task, history: &History, reasons: &[Reason], restore: &[Artifact], whole: bool) -> State {
    if reasons.is_empty() {
        return if whole { State::Fresh } else { State::Deferred };
    }
    if reasons.iter().all(is_about_output) {
        // Where upstream is not settled, whether the record holds is not known yet; of a pure task, nor
        // whether another one will, whose outputs are there.
        match (whole, restore.is_empty()) {
            (true, false) => return State::Restorable,
            (false, false) => return State::Deferred,
            (false, true) if task.effect == Effect::Pure => return State::Deferred,
            _ => {}
        }
    }
    let failed = history.last.as_ref().is_some_and(|last| last.phase == Phase::Failed);
    let said = reasons.iter().any(|reason| matches!(reason, Reason::LastAttemptFailed { .. }));
    if failed && said && !(task.effect == Effect::Once && started_once(history)) {
        return State::Failed;
    }
    State::Stale
}

fn unsettled(board: &Board<'_>, id: TaskId) -> Vec<Reason> {
    board
        .project
        .graph
        .up(id)
        .iter()
        .filter(|(up, edge)| *edge != Edge::After && !board.settled[up.index()].is_settled())
        .map(|(up, _)| Reason::UpstreamNotFresh { task: board.project.task(*up).name.to_string() })
        .collect()
}
