//! Owns runs that are ended at any moment from outside. Where exactly is not known, so the rules are not
//! asked what ran; but whatever was cut, nothing that is called fresh may be other than a run from scratch
//! makes it, and a run that comes to its end makes it all.

use crate::generate::project;
use crate::memory::Model;
use crate::op::Op;
use crate::place::Place;
use crate::project::{ENVS, Effect, Env, Id};
use crate::random::Random;
use crate::scratch::Scratch;
use crate::told::{said_of, told_by};
use crate::verdict::{Board, Settled};
use std::collections::BTreeSet;

/// Longest time before a run is ended, in microseconds: some come to their end.
const LONGEST: usize = 120_000;

/// Plays one story.
///
/// # Errors
/// What went wrong, and where it can be looked at.
pub fn play(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed ^ 0x006b_696c_6c73);
    let mut story = Story::new(&mut random);
    for round in 0..5 {
        let env = random.pick(&ENVS);
        let wrong = |what: String| format!("seed {seed}, round {round}, {env}: {what}");
        story.edit(&mut random);
        for _ in 0..=random.below(2) {
            story.cut(env, random.below(LONGEST));
            story.nothing_fresh_is_wrong(env).map_err(wrong)?;
        }
        if random.chance(60) {
            story.comes_to_its_end(env).map_err(wrong)?;
        }
    }
    story.comes_to_its_end(ENVS[0]).map_err(|what| format!("seed {seed}, at last: {what}"))
}

struct Story {
    model: Model,
    place: Place,
}

impl Story {
    /// A project of tasks that may be repeated and don't fail.
    fn new(random: &mut Random) -> Self {
        let mut project = project(random);
        for task in &mut project.tasks {
            task.declared = !task.is_undo();
            (task.may_fail, task.probe, task.ttl) = (false, false, true);
            if task.effect == Effect::Once {
                task.effect = Effect::Idempotent;
            }
        }
        let (model, mut place) = (Model::new(project), Place::new());
        place.sync(&model);
        Self { model, place }
    }

    fn edit(&mut self, random: &mut Random) {
        let number = u32::try_from(random.below(3)).expect("few");
        let task = random.below(self.model.project.tasks.len());
        let ops = [
            Op::File(random.below(3), number),
            Op::Comment(random.below(3), number),
            Op::Var(random.below(3), false, Some(number)),
            Op::Version(task, number),
            Op::Delete(task, None),
        ];
        let op = ops[random.below(ops.len())].clone();
        self.look_around();
        op.edit(&mut self.model, &mut Vec::new());
        self.place.sync(&self.model);
    }

    /// Takes the disk as it is.
    fn look_around(&mut self) {
        self.place.sweep();
        self.place.look_around(&mut self.model.world);
    }

    fn words(env: Env) -> Vec<String> {
        ["run", "--json", "*", "-j2", "-e", env].map(str::to_owned).to_vec()
    }

    /// A run, ended after so many microseconds; what its scripts still do is waited for.
    fn cut(&mut self, env: Env, micros: usize) {
        self.model.now += 60;
        self.place.infra_cut(&Self::words(env), self.model.now, micros);
        self.look_around();
    }

    fn wrong(&self, env: Env, ids: &BTreeSet<Id>) -> Result<(), String> {
        let board: Board = self.model.project.ids().into_iter().map(|id| (id, Settled::No)).collect();
        let odd = BTreeSet::new();
        let mut scratch = Scratch::anew(&self.model, env, &board, &odd);
        for id in ids {
            if let Some(what) = scratch.wrong(*id) {
                return Err(format!(
                    "`{}` counts as done, but {what} ({})",
                    self.model.project.name(*id),
                    self.place.path().display()
                ));
            }
        }
        Ok(())
    }

    fn nothing_fresh_is_wrong(&mut self, env: Env) -> Result<(), String> {
        let words = ["status", "--json", "-e", env].map(str::to_owned);
        let seen = self.place.infra(&words, self.model.now + 30);
        if seen.code != Some(0) {
            return Err(format!("status: {:?} {}", seen.code, seen.stderr));
        }
        let said = said_of(&seen.json()?["tasks"]);
        let fresh = |id: &Id| said.get(&self.model.project.name(*id)).is_some_and(|one| one.state == "fresh");
        let ids = self.model.project.ids().into_iter().filter(fresh).collect();
        self.wrong(env, &ids).inspect_err(|_| self.place.keep())
    }

    /// A run that nobody ends makes everything; the next one executes nothing.
    fn comes_to_its_end(&mut self, env: Env) -> Result<(), String> {
        for again in [false, true] {
            self.model.now += 60;
            let seen = self.place.infra(&Self::words(env), self.model.now);
            let (trace, _) = told_by(&seen.events()?);
            if seen.code != Some(0) || again && !trace.is_empty() {
                self.place.keep();
                let which = if again { "again" } else { "once" };
                return Err(format!("{which}: exit {:?}\n{}{}", seen.code, seen.stdout, seen.stderr));
            }
        }
        self.look_around();
        let ids = self.model.project.ids().into_iter().collect();
        self.wrong(env, &ids).inspect_err(|_| self.place.keep())
    }
}
