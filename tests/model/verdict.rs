//! Owns the naive rules of freshness: section 4 of the design, read slowly. No caches, no digests, no SQL.

use crate::memory::{End, Manifest, Memo, Model, Past};
use crate::project::{Edge, Effect, Env, How, Id};
use crate::text::{Hole, action, artifact_input, first_line, output, own_file};
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
    fn say(&mut self, reason: impl Into<String>) {
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

/// The manifest as it is now, as far as it is known.
pub struct Now {
    pub manifest: Manifest,
    pub waiting: BTreeSet<Id>,
    pub impossible: bool,
    /// A value that it reads does not exist.
    pub broken: bool,
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
        let cut = past.last.as_ref().is_some_and(|last| last.end == End::Cut);
        if cut && self.started_once(id, env) {
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
            None => self.without_record(&past, &mut reasons),
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
            if cut && Self::in_doubt(task.effect, &past, &now) {
                reasons.say("interrupted");
                restorable = false;
            }
        } else if newer && (failed || cut) {
            reasons.say(if failed { "last-attempt-failed" } else { "interrupted" });
        }
        if past.last.as_ref().is_some_and(|last| last.end == End::Resolved) {
            // What is said of a task about which a person has decided is theirs.
            reasons.may.extend(["never-ran", "last-attempt-failed", "interrupted", "forced"].map(str::to_owned));
        }
        let outputs_only = !reasons.must.is_empty() && reasons.must.iter().all(|reason| reason.starts_with("output-"));
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

    fn without_record(&self, past: &Past, reasons: &mut Reasons) {
        reasons.say(match past.last.as_ref().map(|last| last.end) {
            Some(End::Failed) => "last-attempt-failed",
            Some(End::Cut) => "interrupted",
            _ => "never-ran",
        });
    }

    fn against(&self, id: Id, memo: &Memo, now: &Now, reasons: &mut Reasons) {
        match memo.void.as_deref() {
            // A new start says nothing by itself: what came of it, or of the one after it, does.
            Some("new start" | "last-attempt-failed") => reasons.say(match self.last_end(memo) {
                Some(End::Cut) => "interrupted",
                _ => "last-attempt-failed",
            }),
            Some(void) => reasons.say(void),
            None => {}
        }
        let differ = self.differences(id, memo, now);
        self.explain(memo, now, &differ, reasons);
        let task = self.project.task(id);
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

    /// Names of entries that are not the same now. What could not be found out is no difference.
    fn differences(&self, id: Id, memo: &Memo, now: &Now) -> BTreeSet<String> {
        let waiting: BTreeSet<String> = now.waiting.iter().map(|up| self.identity(*up)).collect();
        let scripted = self.project.task(id).how != How::Template;
        let waited = |name: &str| {
            let mut words = name.split(' ');
            match words.next() {
                Some("value" | "artifact" | "upstream") => words.next().is_some_and(|task| waiting.contains(task)),
                // The action's text reads a value that is waited for.
                // What a variable makes of it is not known before that.
                Some("action" | "var") if scripted => self
                    .project
                    .values(id.task)
                    .iter()
                    .any(|up| self.project.instances(*up).iter().any(|up| now.waiting.contains(up))),
                _ => false,
            }
        };
        let names: BTreeSet<&String> = memo.manifest.keys().chain(now.manifest.keys()).collect();
        names
            .into_iter()
            .filter(|name| memo.manifest.get(*name) != now.manifest.get(*name))
            .filter(|name| !waited(name))
            .cloned()
            .collect()
    }

    fn explain(&self, memo: &Memo, now: &Now, differ: &BTreeSet<String>, reasons: &mut Reasons) {
        let called = |task: &str| {
            let known = |(_, key): &(&String, &u32)| key.to_string() == task;
            let in_store = self.names.iter().find(known).map(|(name, _)| name.clone());
            let now = self.project.ids().into_iter().find(|id| self.identity(*id) == task);
            now.map(|id| self.project.name(id)).or(in_store).unwrap_or_default()
        };
        let mut by_cause = false;
        for name in differ {
            let mut words = name.splitn(3, ' ');
            let (what, first, rest) = (words.next(), words.next().unwrap_or(""), words.next().unwrap_or(""));
            let (old, new) = (memo.manifest.get(name), now.manifest.get(name));
            match what {
                Some("path" | "artifact") => {
                    let path = if what == Some("path") { first } else { rest };
                    reasons.say(match (old, new) {
                        (None, _) => format!("input-added {path}"),
                        (_, None) => format!("input-removed {path}"),
                        _ => format!("input-changed {path}"),
                    });
                }
                Some("var") => {
                    by_cause = true;
                    let said = format!("variable-changed vars.{first}");
                    // One that is read now and was not, or the other way round, changed the action.
                    if old.is_some() && new.is_some() { reasons.say(said) } else { drop(reasons.may.insert(said)) }
                }
                Some("value") => {
                    by_cause = true;
                    if new.is_some() {
                        reasons.say(format!("value-changed {}.k", called(first)));
                    }
                }
                Some("upstream") => reasons.say(format!("upstream-changed {}", called(first))),
                Some("program") => reasons.say(format!("tool-changed {first}")),
                _ => {}
            }
        }
        if differ.iter().any(|name| name.starts_with("field") || name.starts_with("action")) {
            let others = differ.iter().any(|name| name.starts_with("field"));
            if others || !by_cause || reasons.must.is_empty() {
                reasons.say("action-changed");
            } else {
                reasons.may.insert("action-changed".to_owned());
            }
        }
    }

    /// Everything that enters the fingerprint.
    pub fn walk(&self, board: &Board, id: Id, env: Env) -> Now {
        let project = &self.project;
        let task = project.task(id);
        let mut now = Now { manifest: Manifest::new(), waiting: BTreeSet::new(), impossible: false, broken: false };
        let mut put = |name: String, value: String| drop(now.manifest.insert(name, value));
        put("field effect".into(), task.effect.word().into());
        put("field made".into(), format!("{:?} {} {:?}", task.out, task.exports, output(project, id)));
        put("field item".into(), format!("{:?}", id.key));
        put("field how".into(), format!("{:?}", task.how));
        // A template looks at nothing but its own file.
        let reads_files = task.how != How::Template;
        for file in task.files.iter().filter(|_| reads_files) {
            let (says, comment) = project.files[*file];
            put(format!("path in/f{file}"), format!("{says} {comment}"));
        }
        for folder in task.folders.iter().filter(|_| reads_files) {
            for (file, says) in &project.folders[*folder] {
                put(format!("path src/g{folder}/x{file}.txt"), says.to_string());
            }
        }
        for var in &task.vars {
            put(format!("var v{var}"), project.var(env, *var).to_string());
        }
        if let Some((path, text)) = own_file(project, task, id.task) {
            if task.effect == Effect::Pure && task.how == How::Script {
                put(format!("program {}", path.trim_start_matches("scripts/")), text.clone());
            }
            put(format!("path {path}"), text);
        }
        self.walk_upstream(board, id, env, &mut now);
        now
    }

    fn walk_upstream(&self, board: &Board, id: Id, env: Env, now: &mut Now) {
        let project = &self.project;
        for (up, edge) in self.real_ups(id) {
            if !board[&up].is_settled() {
                now.waiting.insert(up);
            } else if edge == Edge::Needs
                && let Some(made) = self.made(board, up, env)
            {
                now.manifest.insert(format!("upstream {}", self.identity(up)), made);
            }
        }
        for up in project.artifacts(id.task) {
            self.walk_artifact(board, id, up, now);
        }
        match self.values(board, id) {
            Values::Known(values) => {
                let fill = |hole: Hole| self.fill(hole, id, env, &values);
                now.manifest.insert("action".into(), action(project, id.task, &fill));
            }
            // The table of a template does not say what its file reads.
            Values::Waiting if project.task(id).how == How::Template => {
                let fill = |hole: Hole| self.fill(hole, id, env, &BTreeMap::new());
                now.manifest.insert("action".into(), action(project, id.task, &fill));
            }
            Values::Waiting => {}
            Values::Absent => now.broken = true,
        }
        for up in project.values(id.task).into_iter().flat_map(|up| project.instances(up)) {
            if let Some(value) = board[&up].memo().and_then(|memo| memo.value) {
                now.manifest.insert(format!("value {} k", self.identity(up)), value.to_string());
            }
        }
    }

    fn walk_artifact(&self, board: &Board, id: Id, up: usize, now: &mut Now) {
        let from = Id { task: up, key: None };
        let made = output(&self.project, from).expect("an output");
        let input = artifact_input(&self.project, id.task, up);
        let path = input.trim_end_matches("/**").to_owned();
        let recorded = board[&from].memo().and_then(|memo| memo.outs.get(&made));
        let content = match (&board[&from], recorded) {
            (Settled::No, _) => return,
            (_, Some(content)) if path == made => content.clone(),
            (Settled::Restorable(_), _) => {
                now.waiting.insert(from);
                return;
            }
            _ => self.world.content(&path),
        };
        now.impossible |= content == Content::Missing;
        if content != Content::Missing {
            now.manifest.insert(format!("artifact {} {path}", self.identity(from)), format!("{content:?}"));
        }
    }

    /// What those see that need a task: what a pure or read task made, the effect token of the others.
    fn made(&self, board: &Board, up: Id, env: Env) -> Option<String> {
        let task = self.project.task(up);
        if task.effect.changes_world() {
            return Some(self.past(up, env).token);
        }
        board[&up].memo().map(Memo::made)
    }

    /// Values that a task reads, by task.
    pub fn values(&self, board: &Board, id: Id) -> Values {
        let sources = self.project.values(id.task).into_iter().flat_map(|up| self.project.instances(up));
        let sources: Vec<Id> = sources.collect();
        if sources.iter().any(|up| !board[up].is_settled()) {
            return Values::Waiting;
        }
        let value = |up: &Id| board[up].memo().and_then(|memo| memo.value).map(|value| (*up, value));
        sources.iter().map(value).collect::<Option<_>>().map_or(Values::Absent, Values::Known)
    }

    /// Fills a hole of a text.
    pub fn fill(&self, hole: Hole, id: Id, env: Env, values: &BTreeMap<Id, u32>) -> String {
        match hole {
            Hole::Item => id.key.map(String::from).unwrap_or_default(),
            Hole::Env => env.to_owned(),
            Hole::Var(var) => self.project.var(env, var).to_string(),
            Hole::Value(up) => match self.project.tasks[up].keys {
                None => values[&Id { task: up, key: None }].to_string(),
                Some(_) => {
                    let each = values.iter().filter(|(id, _)| id.task == up);
                    let each: Vec<String> = each
                        .map(|(id, value)| format!("\"{}\":{value}", id.key.map(String::from).unwrap_or_default()))
                        .collect();
                    format!("{{{}}}", each.join(","))
                }
            },
        }
    }

    /// First line of what a task sees.
    pub fn line(&self, id: Id, env: Env, values: &BTreeMap<Id, u32>) -> String {
        first_line(&self.project, id.task, &|hole| self.fill(hole, id, env, values))
    }

    fn judge_undo(&self, id: Id, past: &Past, env: Env) -> Verdict {
        let to_undo = self.to_undo(id, env);
        let mut verdict = Verdict::new("stale", "");
        verdict.reasons = Reasons::default();
        if to_undo.is_empty() {
            verdict.state = "fresh";
            return verdict;
        }
        let names: BTreeSet<String> = to_undo.iter().map(|id| self.project.name(*id)).collect();
        verdict.reasons.say(format!("to-undo {}", names.into_iter().collect::<Vec<_>>().join(" ")));
        // Where all that is to be undone was begun after the last attempt, its bad end is of the past.
        let began = to_undo.iter().filter_map(|id| self.past(*id, env).began).map(|recipe| recipe.number).min();
        let last = past.last.as_ref().filter(|last| began.is_some_and(|began| began < last.number));
        match last.map(|last| last.end) {
            Some(End::Failed) => {
                verdict.state = "failed";
                verdict.reasons.say("last-attempt-failed");
            }
            Some(End::Cut) => verdict.reasons.say("interrupted"),
            _ => {}
        }
        verdict
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

pub enum Values {
    Known(BTreeMap<Id, u32>),
    Waiting,
    /// One of them was never exported.
    Absent,
}
