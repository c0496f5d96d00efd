//! Owns one attempt: what its start and its end leave behind, and what a script does in between.
//! Knows nothing of what is chosen, nor of what an end means for the others of the run.

use crate::machines::{applied, is_same, value};
use crate::manifest::Values;
use crate::memory::{Attempt, End, Memo, Recipe};
use crate::project::{Effect, How, Id, Task};
use crate::run::{At, Run, Why};
use crate::text::{output, rest_of_line};
use crate::verdict::{Settled, Verdict};
use crate::world::{Content, Hook, MEDDLED, objects, written};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

impl Run<'_> {
    pub fn start(&mut self, name: &str) -> Result<(), String> {
        let id = self.find(name, At::Queued)?;
        if self.stopping {
            return Err(format!("started after a failure: `{name}`"));
        }
        self.at.insert(id, At::Running);
        self.came.executed.insert(id);
        // Inputs are hashed when it starts: another may have changed them since it was judged.
        let manifest = self.model.judge(&self.board, id, self.env).manifest;
        self.verdicts.get_mut(&id).expect("a verdict").manifest = manifest;
        let (env, model) = (self.env, &mut *self.model);
        model.attempts += 1;
        let number = model.attempts;
        let task = model.project.task(id).clone();
        let manifest = self.verdicts[&id].manifest.clone();
        model.past_mut(id, env).last = Some(Attempt { number, end: End::Cut, effect: task.effect, manifest });
        if task.is_undo() {
            return Ok(());
        }
        // Machines are planned first: whether they change is not known yet.
        if task.effect.changes_world() && !task.is_machines() {
            self.begin_to_change(id);
        }
        let model = &mut *self.model;
        if task.effect == Effect::Pure
            && let Some(path) = output(&model.project, id)
        {
            let old = model.world.content(&path);
            model.world.put(&path, &Content::Missing);
            if old != Content::Missing {
                self.aside.insert(id, (path, old));
            }
        }
        Ok(())
    }

    /// The intent: from here on something in the world may be another.
    fn begin_to_change(&mut self, id: Id) {
        let (env, model) = (self.env, &mut *self.model);
        let (task, key) = (model.project.task(id).clone(), model.key(id).expect("an id"));
        let number = model.past(id, env).last.expect("an attempt").number;
        model.void("new start", |memo| memo.task == key && memo.env == env);
        let ups = model.grounds(id);
        let (label, machines) = (model.project.label(id), task.is_machines());
        let past = model.past_mut(id, env);
        past.began = Some(Recipe { number, label, has_undo: task.has_undo, machines, ups });
        past.rerun = false;
        past.vouched = false;
        past.asked = true;
        // Whatever comes of it, the token is another; success takes that back, and says its own.
        self.taints.insert(id, past.token.1);
        past.token.1 = Some(number);
    }

    pub fn end(&mut self, name: &str, undone: &mut VecDeque<String>) -> Result<(), String> {
        let id = self.find(name, At::Running)?;
        let verdict = self.verdicts.remove(&id).expect("a verdict");
        if self.model.project.task(id).is_undo() {
            let done = self.model.undo(id, self.env, undone, &mut self.came)?;
            self.over(id, verdict, done.map(|()| None));
        } else {
            let done = self.execute(id);
            self.over(id, verdict, done);
        }
        self.judge_ready();
        Ok(())
    }

    /// What is remembered of an attempt that ended. `Err`: it failed.
    fn over(&mut self, id: Id, verdict: Verdict, done: Result<Option<Made>, ()>) {
        let (env, task) = (self.env, self.model.project.task(id).clone());
        let key = self.model.key(id).expect("an id");
        let last = self.model.past(id, env).last.expect("an attempt");
        let number = last.number;
        let aside = self.aside.remove(&id);
        let label = self.model.project.label(id);
        let interrupts = !task.is_undo() && scripted(&task) && self.model.hook(&label) == Some(Hook::Interrupts);
        let end = match done {
            Ok(_) => End::Done,
            Err(()) if interrupts => End::Interrupted,
            Err(()) => End::Failed,
        };
        self.model.past_mut(id, env).last = Some(Attempt { end, ..last });
        let Ok(made) = done else {
            if let Some((path, content)) = aside {
                self.model.world.put(&path, &content);
            }
            match task.effect {
                _ if task.is_undo() => {}
                Effect::Pure => {
                    self.model
                        .void("last-attempt-failed", |memo| memo.task == key && memo.manifest == verdict.manifest);
                }
                Effect::Read => self.model.void("last-attempt-failed", |memo| memo.task == key && memo.env == env),
                _ => {}
            }
            if interrupts {
                (self.stopping, self.interrupted) = (true, true);
                self.held.insert(id, Why::Interrupted);
                return self.settle(id, "interrupted", Some(verdict));
            }
            self.note_failure(id);
            return self.fail(id, verdict);
        };
        let Some(made) = made else {
            self.board.insert(id, Settled::Yes(None));
            return self.settle(id, "ran", Some(verdict));
        };
        let taint = self.taints.remove(&id);
        let past = self.model.past_mut(id, env);
        past.asked = true;
        if task.effect.changes_world() {
            past.token.0 = made.token.clone().unwrap_or_else(|| number.to_string());
            past.token.1 = taint.unwrap_or(past.token.1);
        }
        // What a probe said of the thing before says nothing of it now, unless it was there.
        past.probe = past.probe.filter(|(agrees, _)| *agrees);
        self.model.kept.extend(made.outs.values().flat_map(objects));
        let built_on = if task.effect == Effect::Pure { BTreeSet::new() } else { self.model.alive(id, env) };
        let memo = Memo {
            task: key,
            env,
            effect: task.effect,
            manifest: verdict.manifest.clone(),
            outs: made.outs,
            value: made.value,
            sum: made.sum,
            created: self.model.now,
            attempt: number,
            built_on,
            void: made.void,
        };
        self.model.memos.push(memo.clone());
        self.board.insert(id, Settled::Yes(Some(memo)));
        self.settle(id, "ran", Some(verdict));
    }

    /// What a script does.
    pub fn execute(&mut self, id: Id) -> Result<Option<Made>, ()> {
        if self.model.project.task(id).is_machines() {
            return self.apply(id);
        }
        let (env, model) = (self.env, &mut *self.model);
        let label = model.project.label(id);
        let task = model.project.task(id).clone();
        let hook = model.hook(&label).filter(|_| scripted(&task));
        if scripted(&task) {
            self.came.log.push(label.clone());
        }
        if matches!(hook, Some(Hook::FailsEarly | Hook::Dies | Hook::InfraDiesEarly | Hook::Interrupts)) {
            return Err(());
        }
        let Values::Known(values) = model.values(&self.board, id) else { panic!("a task ran without its values") };
        let line = model.line(id, env, &values);
        let sum = model.world.sum(&model.project, id, env, &line);
        let mut outs = BTreeMap::new();
        if let Some((path, content)) = written(&model.project, id, &line, sum) {
            if hook != Some(Hook::WritesNothing) {
                model.world.put(&path, &content);
            }
            outs.insert(path.clone(), model.world.content(&path));
        }
        if task.effect.changes_world() {
            model.world.made.insert((env, label), format!("{sum}\n"));
        }
        if matches!(hook, Some(Hook::FailsLate | Hook::InfraDiesLate))
            || outs.values().any(|out| *out == Content::Missing)
        {
            return Err(());
        }
        let mut void = None;
        if hook == Some(Hook::Meddles)
            && let Some(file) = task.files.first()
        {
            self.came.meddled = true;
            let before = std::mem::replace(&mut model.project.files[*file], MEDDLED);
            void = (before != MEDDLED).then(|| "changed-while-running".to_owned());
        }
        Ok(Some(Made { outs, value: task.exports.then_some(sum % 4), sum, token: None, void }))
    }
}

impl Run<'_> {
    /// What the stand-in for terraform does: nothing, where the plan is empty.
    fn apply(&mut self, id: Id) -> Result<Option<Made>, ()> {
        let env = self.env;
        let (label, task) = (self.model.project.label(id), self.model.project.task(id).clone());
        let (key, at) = (self.model.key(id).expect("an id"), (env, label.clone()));
        let number = self.model.past(id, env).last.expect("an attempt").number;
        let hook = self.model.hook(&label);
        if hook == Some(Hook::PlanFails) {
            return Err(());
        }
        let Values::Known(values) = self.model.values(&self.board, id) else { panic!("a task ran without its values") };
        let line = rest_of_line(&self.model.project, id.task, &|hole| self.model.fill(hole, id, env, &values));
        let before = self.model.world.made.get(&at).cloned().unwrap_or_default();
        let mut serial = self.model.world.serials.get(&at).copied().unwrap_or(0);
        let after = applied(&self.model.project, id.task, &line, &before, serial + 1);
        let mut made_now = String::new();
        if !is_same(&before, &after) {
            self.begin_to_change(id);
            self.came.log.push(label);
            if matches!(hook, Some(Hook::FailsEarly | Hook::Dies | Hook::InfraDiesEarly | Hook::Interrupts)) {
                return Err(());
            }
            serial += 1;
            made_now = format!("#{serial}");
            self.model.world.serials.insert(at.clone(), serial);
            self.model.world.made.insert(at, after.clone());
            if hook == Some(Hook::InfraDiesLate) {
                return Err(());
            }
        }
        self.model.remember_things(key, env, &after, &made_now, number);
        if hook == Some(Hook::FailsLate) && !made_now.is_empty() {
            return Err(());
        }
        let value = task.exports.then(|| value(&after));
        Ok(Some(Made { outs: BTreeMap::new(), value, sum: 0, token: Some(format!("{env} {serial}")), void: None }))
    }
}

/// Whether it has a script, which hooks can be put into.
fn scripted(task: &Task) -> bool {
    task.how != How::Template
}

/// What a script made.
pub struct Made {
    outs: BTreeMap<String, Content>,
    value: Option<u32>,
    sum: u32,
    /// What the tool knows of its last change; else it is the attempt.
    token: Option<String>,
    /// An input changed while it ran.
    void: Option<String>,
}
