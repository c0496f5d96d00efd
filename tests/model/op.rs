//! Owns what happens in a story: edits of the project and of the world, and commands. An edit that has no
//! place (its task is gone, its output is not there) does nothing, so that any part of a story is a story.

use crate::memory::Model;
use crate::project::{Effect, Env, How, Id, Out, Project, Task};
use crate::taken_back::{Destroy, Said};
use crate::text::output;
use crate::words::Words;
use crate::world::{Answer, Content, Hook};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    // Edits of the project.
    File(usize, u32),
    Comment(usize, u32),
    Folder(usize, u32, Option<u32>),
    Var(usize, bool, Option<u32>),
    Version(usize, u32),
    Noise(usize, u32),
    Strips(usize),
    ReadsVar(usize, usize),
    Needs(usize, usize),
    After(usize, usize),
    Value(usize, usize),
    Artifact(usize, usize),
    Exports(usize),
    MayFail(usize),
    Effect(usize, Effect),
    Ttl(usize),
    Key(usize, char),
    Rename {
        task: usize,
        to: String,
        was: bool,
    },
    DropWas(usize),
    Vanish(usize),
    /// Remembers the project, as `git commit` would; and goes back to what was remembered.
    Commit,
    Checkout(usize),
    // Edits of what lies around it.
    Hook(usize, Option<char>, Option<Hook>),
    UndoHook(usize, Option<char>, Option<Hook>),
    Seen(usize, Option<char>, u32),
    Probe(usize),
    Answer(usize, Option<char>, Option<Answer>),
    Delete(usize, Option<char>),
    Alter(usize, Option<char>),
    Clock(i64),
    DropKept,
    // Commands.
    Run(Words),
    Destroy(Env, Vec<usize>, bool),
    Resolve(Env, usize, Option<char>, Said),
}

/// Name of the story's next file or task: never one that a declared task has or had.
fn is_free(project: &Project, name: &str) -> bool {
    !project.tasks.iter().any(|task| task.name == name || task.was.iter().any(|was| was == name))
}

impl Op {
    /// Changes the model as the edit changes the disk. `None`: it has no place here. Gives what a person
    /// would say was done.
    pub fn edit(&self, model: &mut Model, commits: &mut Vec<Project>) -> Option<String> {
        match self {
            Self::Commit => {
                commits.push(model.project.clone());
                Some("(this is remembered as one commit)".to_owned())
            }
            Self::Checkout(number) => {
                let project = commits.get(number % commits.len().max(1))?.clone();
                let now = &model.project;
                let renamed = |then: &Task| now.tasks.iter().any(|now| now.mark == then.mark && now.name != then.name);
                if project.tasks.iter().any(renamed) {
                    // Its records went along with the new name: two would own one thing of the world.
                    return None;
                }
                let changed = project != model.project;
                model.project = project;
                changed.then(|| "git checkout: back to an earlier commit".to_owned())
            }
            Self::Hook(..)
            | Self::UndoHook(..)
            | Self::Answer(..)
            | Self::Seen(..)
            | Self::Delete(..)
            | Self::Alter(..) => self.around(model),
            Self::Clock(by) => {
                model.now += by;
                Some(format!("{by} seconds pass"))
            }
            Self::DropKept => {
                model.kept.clear();
                Some("rm -r .infra/cas".to_owned())
            }
            _ => self.project(&mut model.project),
        }
    }

    fn project(&self, project: &mut Project) -> Option<String> {
        let before = project.clone();
        self.change(project)?;
        (*project != before).then(|| format!("edit: {self:?}"))
    }

    fn change(&self, project: &mut Project) -> Option<()> {
        let count = project.tasks.len();
        let toggle = |set: &mut BTreeSet<usize>, one: usize| {
            if !set.remove(&one) {
                set.insert(one);
            }
        };
        match *self {
            Self::File(file, says) => project.files.get_mut(file)?.0 = says,
            Self::Comment(file, says) => project.files.get_mut(file)?.1 = says,
            Self::Folder(folder, file, Some(says)) => drop(project.folders.get_mut(folder)?.insert(file, says)),
            Self::Folder(folder, file, None) => drop(project.folders.get_mut(folder)?.remove(&file)),
            Self::Var(var, true, value) => *project.dev_vars.get_mut(var)? = value,
            Self::Var(var, false, value) => *project.vars.get_mut(var)? = value?,
            Self::Vanish(task) => {
                let task = project.tasks.get_mut(task)?;
                task.declared = !task.declared;
            }
            Self::Version(task, ..)
            | Self::Noise(task, ..)
            | Self::Strips(task)
            | Self::ReadsVar(task, ..)
            | Self::Needs(task, ..)
            | Self::After(task, ..)
            | Self::Value(task, ..)
            | Self::Artifact(task, ..)
            | Self::Exports(task)
            | Self::MayFail(task)
            | Self::Effect(task, ..)
            | Self::Ttl(task)
            | Self::Probe(task)
            | Self::Key(task, ..)
            | Self::DropWas(task) => {
                let vars = project.vars.len();
                let one = project.tasks.get_mut(task).filter(|one| one.declared && !one.is_undo())?;
                let before = |up: usize| (up < task && task < count).then_some(up);
                match *self {
                    Self::Version(_, version) => one.version = version,
                    Self::Noise(_, noise) => one.noise = noise,
                    Self::Strips(_) => one.strips = !one.strips,
                    Self::ReadsVar(_, var) => toggle(&mut one.vars, var % vars),
                    Self::Needs(_, up) => toggle(&mut one.needs, before(up)?),
                    Self::After(_, up) => toggle(&mut one.after, before(up)?),
                    Self::Value(_, up) => toggle(&mut one.values, before(up)?),
                    Self::Artifact(_, up) => toggle(&mut one.artifacts, before(up)?),
                    Self::Exports(_) if !matches!(one.how, How::Template | How::Machines) => one.exports = !one.exports,
                    Self::MayFail(_) => one.may_fail = !one.may_fail,
                    Self::Effect(_, effect) if !matches!(one.how, How::Template | How::Machines) => one.effect = effect,
                    Self::Ttl(_) => one.ttl = !one.ttl,
                    Self::Probe(_) => one.probe = !one.probe,
                    Self::Key(_, key) => {
                        let keys = one.keys.as_mut().filter(|keys| **keys != BTreeSet::from([key]))?;
                        if !keys.remove(&key) {
                            keys.insert(key);
                        }
                    }
                    Self::DropWas(_) => one.was.clear(),
                    _ => return None,
                }
            }
            Self::Rename { task, ref to, was } => rename(project, task, to, was)?,
            _ => return None,
        }
        Some(())
    }

    fn around(&self, model: &mut Model) -> Option<String> {
        let id = |task: usize, key: Option<char>| -> Option<Id> {
            let instances = model.project.instances(task);
            instances.iter().find(|id| id.key == key).or(instances.first()).copied()
        };
        match *self {
            Self::Hook(task, key, hook) => {
                let id = id(task, key)?;
                let task = model.project.task(id);
                if task.how == How::Template || task.is_undo() {
                    return None;
                }
                // What writes nothing and is not pure may pass off an old output as new: a lie, and allowed.
                let fits = match hook {
                    Some(Hook::WritesNothing | Hook::Meddles) => !task.is_machines(),
                    Some(Hook::PlanFails) => task.is_machines(),
                    _ => true,
                };
                if !fits {
                    return None;
                }
                if hook == Some(Hook::Meddles) && task.files.is_empty() {
                    return None;
                }
                // Of a folder the program makes the folder itself, and may it be empty.
                if hook == Some(Hook::WritesNothing) && (task.effect != Effect::Pure || task.out != Out::File) {
                    return None;
                }
                set_hook(model, model.project.label(id), hook)
            }
            Self::UndoHook(task, key, hook) => {
                let id = id(task, key)?;
                let fits = |task: &Task| task.is_undo() || task.has_undo && !task.is_machines();
                if !model.project.tasks.iter().all(fits) {
                    // Which of those without an undo come before one that fails is not for the rules to say.
                    return None;
                }
                let hook = match hook {
                    Some(Hook::FailsEarly | Hook::InfraDiesEarly) | None => hook,
                    _ => return None,
                };
                set_hook(model, format!("undo-{}", model.project.label(id)), hook)
            }
            Self::Answer(task, key, answer) => {
                let id = id(task, key)?;
                if !model.project.probes(id.task) {
                    return None;
                }
                let label = model.project.label(id);
                let before = model.world.answers.get(&label).copied();
                match answer {
                    Some(answer) => drop(model.world.answers.insert(label.clone(), answer)),
                    None => drop(model.world.answers.remove(&label)),
                }
                (before != answer).then(|| match answer {
                    Some(answer) => format!("echo {} > ../probes/{label}", answer.word()),
                    None => format!("rm ../probes/{label}"),
                })
            }
            Self::Seen(task, key, says) => {
                let id = id(task, key)?;
                if model.project.task(id).effect != Effect::Read {
                    return None;
                }
                let label = model.project.label(id);
                let before = model.world.seen.insert(label.clone(), says);
                (before != Some(says)).then(|| format!("echo {says} > ../seen/{label}"))
            }
            Self::Delete(task, key) => {
                let path = output(&model.project, id(task, key)?)?;
                if model.world.content(&path) == Content::Missing {
                    return None;
                }
                model.world.put(&path, &Content::Missing);
                Some(format!("rm -r {path}"))
            }
            Self::Alter(task, key) => {
                let path = output(&model.project, id(task, key)?)?;
                let altered = match model.world.content(&path) {
                    Content::Missing => return None,
                    Content::File(text) => Content::File(format!("{text}meddled\n")),
                    Content::Folder(mut files) => {
                        files.insert("more".to_owned(), "meddled\n".to_owned());
                        Content::Folder(files)
                    }
                };
                model.world.put(&path, &altered);
                Some(format!("meddle with {path}"))
            }
            _ => None,
        }
    }

    /// The words of a command.
    pub fn command(&self, project: &Project) -> Option<Vec<String>> {
        let name = |task: &usize| Some(project.tasks[*task].name.clone()).filter(|_| project.is_declared(*task));
        match self {
            Self::Run(words) => words.command(project),
            Self::Destroy(env, of, orphans) => {
                let mut command: Vec<String> = ["destroy", "--yes", "-e", env].map(str::to_owned).to_vec();
                if *orphans {
                    command.push("--orphans".to_owned());
                } else {
                    command.extend(of.iter().filter(|task| !project.tasks[**task].is_undo()).filter_map(name));
                }
                Some(command)
            }
            Self::Resolve(env, task, key, said) => {
                let id = project.instances(*task).into_iter().find(|id| id.key == *key)?;
                let task = project.task(id);
                if task.effect != Effect::Once || task.is_undo() {
                    return None;
                }
                Some(["resolve", &project.name(id), said.flag(), "-e", env].map(str::to_owned).to_vec())
            }
            _ => None,
        }
    }

    /// What a destroy is asked for.
    pub fn destroys(&self, project: &Project) -> Option<Destroy> {
        let Self::Destroy(_, of, orphans) = self else { return None };
        let named = of.iter().filter(|task| !project.tasks[**task].is_undo() && project.is_declared(**task));
        let seeds: BTreeSet<Id> = named.flat_map(|task| project.instances(*task)).collect();
        Some(match (orphans, seeds.is_empty()) {
            (true, _) => Destroy::Orphans,
            (false, true) => Destroy::All,
            (false, false) => Destroy::These(seeds),
        })
    }
}

fn set_hook(model: &mut Model, label: String, hook: Option<Hook>) -> Option<String> {
    match hook {
        Some(hook) => {
            let said = format!("echo {} > ../hooks/{label}", hook.word());
            (model.world.hooks.insert(label, hook) != Some(hook)).then_some(said)
        }
        None => model.world.hooks.remove(&label).map(|_| format!("rm ../hooks/{label}")),
    }
}

fn rename(project: &mut Project, task: usize, to: &str, was: bool) -> Option<()> {
    let is_free = is_free(project, to);
    let mark = project.tasks.iter().map(|task| task.mark).max()? + 1;
    let task = project.tasks.get_mut(task).filter(|task| task.declared && is_free)?;
    let old = std::mem::replace(&mut task.name, to.to_owned());
    if was && !task.is_undo() {
        task.was = vec![old];
    } else {
        // Nobody can know that it is the same: in the world it is another, too.
        task.was.clear();
        task.mark = mark;
    }
    Some(())
}
