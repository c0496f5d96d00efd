//! Owns how lowered tasks become a graph: names, values, paths, subjects, cycles.
//! Does not know TOML.

use crate::kind;
use crate::manifest::expand::Surroundings;
use crate::manifest::files::template_files;
use crate::manifest::inputs::{Finder, WithOutputs};
use crate::manifest::lower::Lowered;
use crate::manifest::names::{Absent, Names, targets};
use crate::manifest::outputs::Outputs;
use crate::manifest::values::{Outcome, Spelled, Values, exporters, replace_reads, texts_of};
use crate::model::action::KindName;
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::facts::Files;
use crate::model::graph::{Edge, Graph};
use crate::model::name::{TaskId, TaskName};
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// An edge and the place that asks for it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) from: TaskId,
    pub(super) to: TaskId,
    pub(super) edge: Edge,
    pub(super) place: Place,
}

/// What linking must know beside the tasks.
pub(super) struct Around<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) surroundings: Surroundings<'a>,
    pub(super) absent: &'a Absent,
    pub(super) pools: &'a BTreeMap<String, u32>,
    pub(super) broken: bool,
}

/// Links all tasks; `None` when they are no graph.
pub(super) fn link(
    tasks: &mut [Lowered],
    outputs: &Outputs,
    around: &Around<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Graph> {
    let mut links = Vec::new();
    names(tasks, around, &mut links, problems);
    let files = WithOutputs::new(around.files, outputs);
    let all_names: Vec<String> = tasks.iter().map(|lowered| lowered.task.name.to_string()).collect();
    let included = values(tasks, outputs, around, &mut links, problems);
    let mut finder = Finder { names: &all_names, outputs, files: &files, links: &mut links, problems };
    for (lowered, included) in tasks.iter_mut().zip(included) {
        (lowered.task.inputs, lowered.task.settles) = finder.find(lowered, included);
    }
    subjects(tasks, around, problems);
    pools(tasks, around, problems);
    former_names(tasks, around, problems);
    let edges: Vec<(TaskId, TaskId, Edge)> = links.iter().map(|link| (link.from, link.to, link.edge)).collect();
    match Graph::build(tasks.len(), &edges) {
        Ok(graph) => {
            order_undoes(tasks, &graph);
            Some(graph)
        }
        Err(cycles) => {
            problems.extend(cycles.iter().map(|cycle| describe(cycle, tasks, &links)));
            None
        }
    }
}

fn names(tasks: &mut [Lowered], around: &Around<'_>, links: &mut Vec<Link>, problems: &mut Vec<Diagnostic>) {
    let mut found: Vec<(Vec<TaskId>, Vec<TaskId>, Vec<TaskId>)> = Vec::with_capacity(tasks.len());
    let names = Names { targets: targets(tasks), absent: around.absent, broken: around.broken };
    for lowered in tasks.iter() {
        let mut resolve = |key: &str, words: &[(String, Place)], edge: Option<Edge>| {
            let mut ids = Vec::new();
            for word in words {
                for id in names.resolve(lowered, key, word, tasks, problems) {
                    if !ids.contains(&id) {
                        ids.push(id);
                        links.extend(edge.map(|edge| Link {
                            from: id,
                            to: lowered.task.id,
                            edge,
                            place: word.1.clone(),
                        }));
                    }
                }
            }
            ids
        };
        let needs = resolve("needs", &lowered.needs, Some(Edge::Needs));
        let after = resolve("after", &lowered.after, Some(Edge::After));
        // Undoing asks for nothing upstream: it must not make first what it takes back.
        let undoes = resolve("undo_of", &lowered.undo_of, None);
        found.push((needs, after, undoes));
    }
    for (lowered, (needs, after, undoes)) in tasks.iter_mut().zip(found) {
        lowered.task.needs = needs;
        lowered.task.after = after;
        lowered.task.action.undoes = undoes;
    }
    undo_of_undo(tasks, problems);
}

/// An undo has no undo.
fn undo_of_undo(tasks: &[Lowered], problems: &mut Vec<Diagnostic>) {
    let is_undo =
        |id: &TaskId| tasks.get(id.index()).is_some_and(|lowered| lowered.task.action.kind == KindName::UndoOf);
    for lowered in tasks {
        if let Some(id) = lowered.task.action.undoes.iter().find(|id| is_undo(id)) {
            let name = tasks.get(id.index()).map_or("", |lowered| lowered.task.name.as_str());
            let message = format!("task `{name}` is itself an undo: it has none");
            problems.push(Diagnostic::error("undo-of-undo", &lowered.action_place, message));
        }
    }
}

/// Resolves what tasks read of each other; gives the files that each one's templates include.
fn values(
    tasks: &mut [Lowered],
    outputs: &Outputs,
    around: &Around<'_>,
    links: &mut Vec<Link>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Vec<Utf8PathBuf>> {
    let spelled = Spelled::new(tasks, &around.absent.empty, &around.absent.elsewhere, problems);
    let exporters = exporters(tasks);
    let values =
        Values { spelled: &spelled, exporters: &exporters, tasks, files: around.files, env: around.surroundings.env };
    let mut outcome = Outcome::default();
    let mut resolved = Vec::with_capacity(tasks.len());
    for lowered in tasks.iter() {
        let texts: Vec<_> =
            texts_of(&lowered.task).into_iter().map(|text| values.text(lowered, text, &mut outcome)).collect();
        let in_files = template_files(lowered, &values, outputs, around, &mut outcome);
        resolved.push((texts, in_files));
    }
    links.append(&mut outcome.links);
    problems.append(&mut outcome.problems);
    let mut all_included = Vec::with_capacity(tasks.len());
    for (lowered, (texts, (reads, included))) in tasks.iter_mut().zip(resolved) {
        if texts.iter().any(Option::is_some) {
            replace_reads(&mut lowered.task, texts);
        }
        lowered.task.action.file_reads = reads;
        all_included.push(included);
    }
    all_included
}

/// What each task owns in the world; two that own one thing are an error.
fn subjects(tasks: &mut [Lowered], around: &Around<'_>, problems: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<String, TaskName> = BTreeMap::new();
    for lowered in tasks {
        let task = &mut lowered.task;
        if !task.effect.changes_world() || task.action.kind == KindName::UndoOf {
            continue;
        }
        // Without a thing of its own a task is its own subject, in each environment by itself: nobody else
        // can change it, so there is nothing to compare.
        let own = kind::find(task.action.kind).subject(&lowered.table, around.surroundings.env, around.files);
        let Some(subject) = own else { continue };
        if let Some(owner) = owners.get(&subject) {
            let message = format!("tasks `{owner}` and `{}` both change {subject}", task.name);
            let help = "one thing in the world has one task that changes it: join them, or make one of them `read`";
            problems.push(Diagnostic::error("subject-conflict", &lowered.action_place, message).help(help));
        } else {
            owners.insert(subject.clone(), task.name.clone());
        }
        task.action.subject = Some(subject);
    }
}

fn pools(tasks: &[Lowered], around: &Around<'_>, problems: &mut Vec<Diagnostic>) {
    for lowered in tasks {
        let (Some(pool), Some(place)) = (&lowered.task.pool, &lowered.pool_place) else { continue };
        if around.pools.contains_key(pool) || around.broken {
            continue;
        }
        let help = nearest(pool, around.pools.keys().map(String::as_str)).map_or_else(
            || format!("declare it in `infra.toml`: `[pools] {pool} = 1`"),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(Diagnostic::error("unknown-pool", place, format!("unknown pool `{pool}`")).help(help));
    }
}

/// A former name is no one's name now, and was one task's.
fn former_names(tasks: &[Lowered], around: &Around<'_>, problems: &mut Vec<Diagnostic>) {
    let mut now: BTreeMap<&str, &TaskName> = BTreeMap::new();
    for lowered in tasks {
        now.insert(lowered.task.name.as_str(), &lowered.task.name);
        now.insert(lowered.task.family.as_str(), &lowered.task.family);
    }
    let mut claimed: BTreeMap<&str, &TaskName> = BTreeMap::new();
    for lowered in tasks {
        for (was, place) in &lowered.was {
            if now.contains_key(was.as_str()) || around.absent.elsewhere.contains_key(was.as_str()) {
                let message = format!("`{was}` is still declared: it is no former name of `{}`", lowered.task.name);
                problems.push(
                    Diagnostic::error("former-name", place, message).help("take it out of `was`, or remove that task"),
                );
            }
            match claimed.get(was.as_str()) {
                Some(other) if **other != lowered.task.family => {
                    let message = format!("`{was}` is a former name of `{other}` too");
                    problems.push(Diagnostic::error("former-name", place, message));
                }
                _ => {
                    claimed.insert(was, &lowered.task.family);
                }
            }
        }
    }
}

/// Undone in reverse order: downstream before upstream.
fn order_undoes(tasks: &mut [Lowered], graph: &Graph) {
    let mut place = vec![0usize; tasks.len()];
    for (index, id) in graph.order().iter().enumerate() {
        if let Some(slot) = place.get_mut(id.index()) {
            *slot = index;
        }
    }
    for lowered in tasks {
        lowered.task.action.undoes.sort_by_key(|id| std::cmp::Reverse(place.get(id.index()).copied()));
    }
}

/// `a -> b -> a`: each needs the next.
fn describe(cycle: &[TaskId], tasks: &[Lowered], links: &[Link]) -> Diagnostic {
    let name = |id: &TaskId| tasks.get(id.index()).map_or("", |lowered| lowered.task.name.as_str());
    // The path leads downstream; people read what needs what.
    let mut path: Vec<&TaskId> = cycle.iter().rev().collect();
    path.rotate_right(1);
    let first = path.first().copied();
    let words: Vec<&str> = path.iter().copied().chain(first).map(name).collect();
    let pair = |link: &&Link| first == Some(&link.to) && path.get(1).or(path.first()).copied() == Some(&link.from);
    let message = format!("tasks wait for each other: `{}`", words.join(" -> "));
    match links.iter().find(pair) {
        Some(link) => {
            let how = match link.edge {
                Edge::Needs => "needs",
                Edge::Reads => "reads",
                Edge::After => "comes after",
            };
            Diagnostic::error("cycle", &link.place, message)
                .label(format!("`{}` {how} `{}` here", name(&link.to), name(&link.from)))
                .help("take one of these edges away")
        }
        None => Diagnostic::nowhere("cycle", message),
    }
}
