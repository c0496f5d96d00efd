//! Owns the words of `infra run`: how they are written, and which tasks they mean.

use crate::project::{Effect, Env, Id, Project};
use crate::run::Request;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub env: Env,
    /// Places of tasks; none: all of them, by a glob.
    pub targets: Vec<usize>,
    pub reach: Reach,
    pub skip: Option<usize>,
    pub force: bool,
    pub keep_going: bool,
    pub jobs: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Up,
    /// `NAME+`
    Down,
    /// `NAME!`
    Alone,
    /// `--only NAME`
    Only,
    /// `--from X` of what is upstream of the targets
    From(usize),
}

impl Words {
    fn named(&self, project: &Project) -> Vec<usize> {
        self.targets.iter().copied().filter(|task| project.is_declared(*task)).collect()
    }

    /// After `run` or `plan`. `None`: nothing of it is declared.
    pub fn selection(&self, project: &Project) -> Option<Vec<String>> {
        let named = self.named(project);
        if named.is_empty() != self.targets.is_empty() {
            return None;
        }
        let name = |task: usize| project.tasks[task].name.clone();
        let mut words = Vec::new();
        if named.is_empty() {
            words.push(if self.reach == Reach::Down { "*+".to_owned() } else { "*".to_owned() });
        }
        for task in named {
            match self.reach {
                Reach::Up | Reach::From(_) => words.push(name(task)),
                Reach::Down => words.push(format!("{}+", name(task))),
                Reach::Alone => words.push(format!("{}!", name(task))),
                Reach::Only => words.extend(["--only".to_owned(), name(task)]),
            }
        }
        if let Reach::From(from) = self.reach {
            if !project.is_declared(from) {
                return None;
            }
            words.extend(["--from".to_owned(), name(from)]);
        }
        if let Some(skip) = self.skip.filter(|skip| project.is_declared(*skip)) {
            words.extend(["--skip".to_owned(), name(skip)]);
        }
        if self.force {
            words.push("--force".to_owned());
        }
        Some(words)
    }

    /// The whole command.
    pub fn command(&self, project: &Project) -> Option<Vec<String>> {
        let mut command: Vec<String> = ["run", "--json", "-e", self.env].map(str::to_owned).to_vec();
        command.push(format!("-j{}", self.jobs));
        command.extend(self.selection(project)?);
        if self.keep_going {
            command.push("--keep-going".to_owned());
        }
        Some(command)
    }

    /// Which tasks the words mean. Globs pick no undo.
    pub fn request(&self, project: &Project) -> Request {
        let named: BTreeSet<Id> = if self.targets.is_empty() {
            project.ids().into_iter().filter(|id| !project.task(*id).is_undo()).collect()
        } else {
            self.named(project).into_iter().flat_map(|task| project.instances(task)).collect()
        };
        let chosen = match self.reach {
            Reach::Alone | Reach::Only if !self.targets.is_empty() => named.clone(),
            Reach::Down => project.reach(&named, true),
            Reach::From(from) => {
                let from: BTreeSet<Id> = project.instances(from).into_iter().collect();
                let down = project.reach(&from, true);
                project.reach(&named, false).intersection(&down).copied().collect()
            }
            _ => project.reach(&named, false),
        };
        let exact = |id: &Id| !self.targets.is_empty() && id.key.is_none();
        let may_force = |id: &Id| project.task(*id).effect != Effect::Once || exact(id);
        let forced = if self.force { named.iter().copied().filter(may_force).collect() } else { BTreeSet::new() };
        let skipped = self.skip.into_iter().flat_map(|skip| project.instances(skip)).collect();
        Request { chosen, skipped, forced, keep_going: self.keep_going }
    }
}
