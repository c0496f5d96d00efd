//! Owns the answer key: what a run from scratch would make, computed from the project alone. It knows no
//! records but those of `read` tasks (what they saw) and what a person vouched for.

use crate::machines;
use crate::memory::Model;
use crate::project::{Effect, Env, How, Id};
use crate::text::rest_of_line;
use crate::verdict::{Board, Settled};
use crate::world::{Content, World, written};
use std::collections::{BTreeMap, BTreeSet};

/// What is made, task by task; `None`: it can't be told.
pub struct Scratch<'a> {
    model: &'a Model,
    env: Env,
    board: &'a Board,
    /// Upstreams of which no record can be asked for.
    odd: &'a BTreeSet<Id>,
    known: BTreeMap<Id, Option<Made>>,
    /// Reads see the world as it is now, not as it was when they were recorded.
    anew: bool,
}

#[derive(Clone, Debug)]
struct Made {
    sum: u32,
    /// Machines: what is there.
    world: Option<String>,
    out: Option<(String, Content)>,
}

impl<'a> Scratch<'a> {
    pub fn new(model: &'a Model, env: Env, board: &'a Board, odd: &'a BTreeSet<Id>) -> Self {
        Self { model, env, board, odd, known: BTreeMap::new(), anew: false }
    }

    /// Where no record is known: everything as it is now.
    pub fn anew(model: &'a Model, env: Env, board: &'a Board, odd: &'a BTreeSet<Id>) -> Self {
        Self { anew: true, ..Self::new(model, env, board, odd) }
    }

    fn made(&mut self, id: Id) -> Option<Made> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let made = self.make(id);
        self.known.insert(id, made.clone());
        made
    }

    fn make(&mut self, id: Id) -> Option<Made> {
        let project = &self.model.project;
        let task = project.task(id);
        if self.odd.contains(&id) {
            return None;
        }
        if task.is_machines() {
            return self.machines(id);
        }
        if !self.anew && (task.effect == Effect::Read || self.model.past(id, self.env).vouched) {
            // What was seen, or vouched for, is what it is.
            let memo = self.board[&id].memo()?;
            let out = memo.outs.first_key_value().map(|(path, content)| (path.clone(), content.clone()));
            return (task.effect == Effect::Read).then_some(Made { sum: memo.sum, world: None, out });
        }
        let mut world = World { seen: self.model.world.seen.clone(), ..World::default() };
        let mut values = BTreeMap::new();
        for up in self.model.project.values(id.task) {
            for up in project.instances(up) {
                let made = self.made(up)?;
                values.insert(up, made.world.as_deref().map_or(made.sum % 4, machines::value));
            }
        }
        for (up, _) in self.model.real_ups(id).collect::<Vec<_>>() {
            let made = self.made(up)?;
            if let Some((path, content)) = &made.out {
                world.put(path, content);
            }
            let text = made.world.unwrap_or_else(|| format!("{}\n", made.sum));
            world.made.insert((self.env, project.label(up)), text);
        }
        let line = self.model.line(id, self.env, &values);
        let sum = world.sum(project, id, self.env, &line);
        Some(Made { sum, world: None, out: written(project, id, &line, sum) })
    }

    /// What an apply would make of the machines that are there: if it would change nothing, they are it.
    fn machines(&mut self, id: Id) -> Option<Made> {
        let project = &self.model.project;
        let mut values = BTreeMap::new();
        for up in project.values(id.task).into_iter().flat_map(|up| project.instances(up)) {
            let made = self.made(up)?;
            values.insert(up, made.world.as_deref().map_or(made.sum % 4, machines::value));
        }
        let line = rest_of_line(project, id.task, &|hole| self.model.fill(hole, id, self.env, &values));
        let there = self.model.world.made.get(&(self.env, project.label(id))).cloned().unwrap_or_default();
        let world = machines::applied(project, id.task, &line, &there, 0);
        Some(Made { sum: 0, world: Some(world), out: None })
    }

    /// What is wrong with a task that counts as done: what lies there is not what it would make.
    pub fn wrong(&mut self, id: Id) -> Option<String> {
        let made = self.made(id)?;
        let (project, world) = (&self.model.project, &self.model.world);
        let label = project.label(id);
        if let Some((path, content)) = &made.out
            && world.content(path) != *content
            && !matches!(self.board[&id], Settled::Restorable(_))
        {
            return Some(format!("`{path}` holds {:?}; a run from scratch makes {content:?}", world.content(path)));
        }
        let there = world.made.get(&(self.env, label.clone()));
        let wanted = made.world.clone().unwrap_or_else(|| format!("{}\n", made.sum));
        let changes = project.task(id).effect.changes_world() && !matches!(project.task(id).how, How::Undo(_));
        (changes && there != Some(&wanted))
            .then(|| format!("the world of `{label}` holds {there:?}; a run from scratch makes {wanted:?}"))
    }
}
