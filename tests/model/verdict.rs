//! Owns the naive rules of freshness: section 4 of the design, read slowly. No caches, no digests, no SQL.

use crate::manifest::Now;
use crate::memory::{End, Manifest, Memo, Model, Past};
use crate::project::{Edge, Effect, Env, How, Id};
use crate::world::Content;
use std::collections::{BTreeMap, BTreeSet};

/// How long a `read` task's record is good for, in seconds.
pub const TTL: i64 = 1515;

/// How a task stands for those that read it.
#[derive(Clone, Debug)]
pub enum Settled {
    No,
    /// Done, with its record; an undo task and one that may fail and did have none.
    Yes(Option<Memo>),
    /// Its outputs must be put back first.
    Restorable(Memo),
    /// Expired, and nothing else speaks against it.
    LastValues(Memo),
}

impl Settled {
    pub fn memo(&self) -> Option<&Memo> {
        match self {
            Self::No => None,
            Self::Yes(memo) => memo.as_ref(),
            Self::Restorable(memo) | Self::LastValues(memo) => Some(memo),
        }
    }

    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::No)
    }
}

pub type Board = BTreeMap<Id, Settled>;

/// Reasons that must be said, and those that may be said beside them.
#[derive(Clone, Debug, Default)]
pub struct Reasons {
    pub must: BTreeSet<String>,
    pub may: BTreeSet<String>,
}

impl Reasons {
    pub fn say(&mut self, reason: impl Into<String>) {
        self.must.insert(reason.into());
    }

    pub fn agree(&self, said: &BTreeSet<String>) -> bool {
        self.must.is_subset(said) && said.iter().all(|one| self.must.contains(one) || self.may.contains(one))
    }
}

#[derive(Clone, Debug)]
pub struct Verdict {
    pub state: &'static str,
    pub reasons: Reasons,
    pub memo: Option<Memo>,
    pub manifest: Manifest,
    /// It can't start: something that it reads is not there.
    pub impossible: bool,
}

impl Verdict {
    fn new(state: &'static str, reason: &str) -> Self {
        let mut reasons = Reasons::default();
        reasons.say(reason);
        Self { state, reasons, memo: None, manifest: Manifest::new(), impossible: false }
    }
}

impl Model {
    /// Judges everything as it is before a run.
    pub fn forecast(&self, env: Env) -> (BTreeMap<Id, Verdict>, Board) {
        let (mut verdicts, mut board) = (BTreeMap::new(), Board::new());
        for id in self.project.ids() {
            let verdict = self.judge(&board, id, env);
            board.insert(id, self.settled(id, &verdict));
            verdicts.insert(id, verdict);
        }
        (verdicts, board)
    }

    pub fn settled(&self, id: Id, verdict: &Verdict) -> Settled {
        let expired = BTreeSet::from(["expired".to_owned()]);
        match (verdict.state, &verdict.memo) {
            ("fresh", _) if self.project.task(id).is_undo() => Settled::Yes(None),
            ("fresh", memo) => Settled::Yes(memo.clone()),
            ("restorable", Some(memo)) => Settled::Restorable(memo.clone()),
            ("stale", Some(memo)) if verdict.reasons.must == expired => Settled::LastValues(memo.clone()),
            _ => Settled::No,
        }
    }

    /// The verdict on one task, its upstreams settled.
    pub fn judge(&self, board: &Board, id: Id, env: Env) -> Verdict {
        let task = self.project.task(id);
        let past = self.past(id, env);
        if let How::Undo(_) = task.how {
            return self.judge_undo(id, &past, env);
        }
        let ended = past.last.as_ref().map(|last| last.end);
        let (cut, interrupted) = (ended == Some(End::Cut), ended == Some(End::Interrupted));
        // What was begun as `once` stays in doubt, whatever the task is called now.
        let began = |number: u64| past.began.as_ref().is_some_and(|recipe| recipe.number == number);
        let in_doubt = past.last.as_ref().is_some_and(|last| last.effect == Effect::Once && began(last.number));
        if cut && in_doubt && !past.rerun {
            return Verdict::new("unknown", "end-unknown");
        }
        let now = self.walk(board, id, env);
        if now.broken {
            let mut verdict = Verdict::new("stale", "action-changed");
            verdict.impossible = true;
            return verdict;
        }
        let whole = now.waiting.is_empty();
        let memo = self.candidate(id, env, &now);
        let mut reasons = Reasons::default();
        match &memo {
            None => Self::without_record(&past, &mut reasons),
            Some(memo) => self.against(id, memo, &now, &mut reasons),
        }
        let failed = past.last.as_ref().is_some_and(|last| last.end == End::Failed);
        let newest = self.newest(id, env).map_or(0, |newest| newest.attempt);
        let newer = past.last.as_ref().is_some_and(|last| last.number > newest);
        let mut restorable = false;
        if reasons.must.is_empty()
            && let Some(memo) = &memo
        {
            restorable = self.outputs(memo, &mut reasons);
            // A probe's answer speaks against what was made before it was asked.
            let disagrees = self.project.probes(id.task) && past.probe.is_some_and(|(agrees, _)| !agrees);
            if disagrees {
                reasons.say("probe-disagrees");
            }
            if !disagrees && cut && Self::in_doubt(task.effect, &past, &now) {
                reasons.say("interrupted");
            }
        }
        let about_outputs = reasons.must.iter().all(|reason| reason.starts_with("output-"));
        restorable &= about_outputs;
        if !about_outputs && newer && (failed || cut || interrupted) {
            reasons.say(if failed { "last-attempt-failed" } else { "interrupted" });
        }
        if past.last.as_ref().is_some_and(|last| last.end == End::Resolved) {
            // What is said of a task about which a person has decided is theirs.
            reasons.may.extend(["never-ran", "last-attempt-failed", "interrupted", "forced"].map(str::to_owned));
        }
        let outputs_only = !reasons.must.is_empty() && about_outputs;
        let state = match (reasons.must.is_empty(), restorable, whole) {
            (true, _, true) => "fresh",
            (false, true, true) => "restorable",
            (true, _, false) | (_, true, false) => "deferred",
            // Another record may yet be believed, whose outputs are there.
            (false, false, false) if outputs_only && task.effect == Effect::Pure => "deferred",
            _ if self.started_once(id, env) => {
                reasons.say("started-once");
                "stale"
            }
            _ if failed && reasons.must.contains("last-attempt-failed") => "failed",
            _ => "stale",
        };
        if state == "deferred" {
            for (up, _) in self.real_ups(id).filter(|(up, _)| !board[up].is_settled()) {
                reasons.say(format!("upstream-not-fresh {}", self.project.name(up)));
            }
        }
        for (up, _) in self.real_ups(id).filter(|(up, _)| matches!(board[up], Settled::LastValues(_))) {
            reasons.may.insert(format!("judged-by-last-values {}", self.project.name(up)));
        }
        Verdict { state, reasons, memo, manifest: now.manifest, impossible: now.impossible }
    }

    /// Whether a `once` task started since its last undo, and no person allowed it to run again.
    pub fn started_once(&self, id: Id, env: Env) -> bool {
        let (task, past) = (self.project.task(id), self.past(id, env));
        task.effect == Effect::Once && !task.is_undo() && past.began.is_some() && !past.rerun
    }

    /// Upstreams that carry more than order.
    pub fn real_ups(&self, id: Id) -> impl Iterator<Item = (Id, Edge)> {
        self.project.ups(id).into_iter().filter(|(_, edge)| *edge != Edge::After)
    }

    /// Which record may be believed; without one, which it is compared with.
    fn candidate(&self, id: Id, env: Env, now: &Now) -> Option<Memo> {
        let newest = self.newest(id, env);
        if self.project.task(id).effect != Effect::Pure {
            return newest.cloned();
        }
        let key = self.key(id)?;
        let believable = |memo: &&Memo| {
            memo.task == key
                && memo.void.is_none()
                && memo.effect == Effect::Pure
                && self.differences(id, memo, now).is_empty()
        };
        let newest_first = newest.into_iter().chain(self.memos.iter().rev());
        newest_first.into_iter().find(believable).or(newest).cloned()
    }

    /// Whether a cut attempt leaves an older record in doubt. One that began to change the world voided it.
    fn in_doubt(effect: Effect, past: &Past, now: &Now) -> bool {
        match effect {
            Effect::Pure => {
                now.waiting.is_empty() && past.last.as_ref().is_some_and(|last| last.manifest == now.manifest)
            }
            Effect::Read => true,
            _ => false,
        }
    }

    fn without_record(past: &Past, reasons: &mut Reasons) {
        reasons.say(match past.last.as_ref().map(|last| last.end) {
            Some(End::Failed) => "last-attempt-failed",
            Some(End::Cut | End::Interrupted) => "interrupted",
            _ => "never-ran",
        });
    }

    fn against(&self, id: Id, memo: &Memo, now: &Now, reasons: &mut Reasons) {
        match memo.void.as_deref() {
            // A new start says nothing by itself: what came of it, or of the one after it, does.
            Some("new start" | "last-attempt-failed") => reasons.say(match self.last_end(memo) {
                Some(End::Cut | End::Interrupted) => "interrupted",
                _ => "last-attempt-failed",
            }),
            Some(void) => reasons.say(void),
            None => {}
        }
        let differ = self.differences(id, memo, now);
        self.explain(memo, now, &differ, reasons);
        let task = self.project.task(id);
        if task.effect != Effect::Pure && !memo.built_on.is_subset(&self.alive(id, memo.env)) {
            reasons.say("incarnation");
        }
        if task.effect == Effect::Read {
            let age = self.now - memo.created;
            if !task.ttl || !(0..TTL).contains(&age) {
                reasons.say("expired");
            }
        }
    }

    fn last_end(&self, memo: &Memo) -> Option<End> {
        self.pasts.get(&(memo.task, memo.env)).and_then(|past| past.last.as_ref()).map(|last| last.end)
    }

    /// Outputs of a record that are not as it left them. Gives whether all can be put back.
    fn outputs(&self, memo: &Memo, reasons: &mut Reasons) -> bool {
        let mut all_kept = true;
        for (path, content) in &memo.outs {
            let found = self.world.content(path);
            if found == *content {
                continue;
            }
            all_kept &= self.is_kept(content);
            let what = if found == Content::Missing { "missing" } else { "changed" };
            reasons.say(format!("output-{what} {path}"));
        }
        all_kept && !reasons.must.is_empty()
    }

    fn judge_undo(&self, id: Id, past: &Past, env: Env) -> Verdict {
        let to_undo = self.to_undo(id, env);
        let mut verdict = Verdict::new("stale", "");
        verdict.reasons = Reasons::default();
        let to_ask = self.to_ask(id, env);
        if to_undo.is_empty() && to_ask.is_empty() {
            verdict.state = "fresh";
            return verdict;
        }
        for (what, targets) in [("to-undo", &to_undo), ("to-ask", &to_ask)] {
            let names: BTreeSet<String> = targets.iter().map(|id| self.project.name(*id)).collect();
            if !names.is_empty() {
                verdict.reasons.say(format!("{what} {}", names.into_iter().collect::<Vec<_>>().join(" ")));
            }
        }
        // Where all that is to be undone was begun after the last attempt, its bad end is of the past.
        let began = to_undo.iter().filter_map(|id| self.past(*id, env).began).map(|recipe| recipe.number).min();
        let last =
            past.last.as_ref().filter(|last| !to_ask.is_empty() || began.is_some_and(|began| began < last.number));
        match last.map(|last| last.end) {
            Some(End::Failed) => {
                verdict.state = "failed";
                verdict.reasons.say("last-attempt-failed");
            }
            Some(End::Cut | End::Interrupted) => verdict.reasons.say("interrupted"),
            _ => {}
        }
        verdict
    }

    /// Targets of an undo of whose things nothing is known here, and whose tool can be asked.
    pub fn to_ask(&self, id: Id, env: Env) -> BTreeSet<Id> {
        let How::Undo(of) = &self.project.task(id).how else { return BTreeSet::new() };
        let targets = of.iter().flat_map(|of| self.project.instances(*of));
        targets.filter(|target| self.project.task(*target).is_machines() && !self.past(*target, env).asked).collect()
    }

    /// Targets of an undo that began to change the world since their last complete undo.
    pub fn to_undo(&self, id: Id, env: Env) -> BTreeSet<Id> {
        let How::Undo(of) = &self.project.task(id).how else { return BTreeSet::new() };
        let targets = of.iter().flat_map(|of| self.project.instances(*of));
        targets.filter(|target| self.past(*target, env).began.is_some()).collect()
    }

    /// What began to change the world, was not taken back, and is no longer declared.
    pub fn orphans(&self, env: Env) -> BTreeSet<String> {
        let declared: BTreeSet<u32> = self.project.ids().into_iter().filter_map(|id| self.key(id)).collect();
        let began = |key: &u32| self.pasts.get(&(*key, env)).is_some_and(|past| past.began.is_some());
        let left = self.names.iter().filter(|(_, key)| !declared.contains(key) && began(key));
        left.map(|(name, _)| name.clone()).collect()
    }
}
