//! Owns what enters a fingerprint, and what differs between two: every entry by name, in the clear.
//! Knows nothing of which record may be believed.

use crate::memory::{Manifest, Memo, Model};
use crate::project::{Edge, Effect, Env, How, Id};
use crate::text::{Hole, action, artifact_input, first_line, output, own_file};
use crate::verdict::{Board, Reasons, Settled};
use crate::world::Content;
use std::collections::{BTreeMap, BTreeSet};

/// The manifest as it is now, as far as it is known.
pub struct Now {
    pub manifest: Manifest,
    pub waiting: BTreeSet<Id>,
    pub impossible: bool,
    /// A value that it reads does not exist.
    pub broken: bool,
}

/// Values that a task reads.
pub enum Values {
    Known(BTreeMap<Id, u32>),
    Waiting,
    /// One of them was never exported.
    Absent,
}

impl Model {
    /// Names of entries that are not the same now. What could not be found out is no difference.
    pub fn differences(&self, id: Id, memo: &Memo, now: &Now) -> BTreeSet<String> {
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
            .filter(|name| !waited(name) || now.manifest.contains_key(*name) && !name.starts_with("var "))
            .cloned()
            .collect()
    }

    pub fn explain(&self, memo: &Memo, now: &Now, differ: &BTreeSet<String>, reasons: &mut Reasons) {
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
                    if old.is_some() && new.is_some() {
                        reasons.say(said);
                    } else {
                        reasons.may.insert(said);
                    }
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
        let reads_files = !matches!(task.how, How::Template | How::Machines);
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
            let (value, taint) = self.past(up, env).token;
            return Some(format!("{value} {taint:?}"));
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
}
