//! Owns the task `destroy`, which stands in no file: it undoes what it is given.
//! Does not know how anything is undone (`undoing`).

use crate::model::action::{Action, KindName};
use crate::model::effect::Effect;
use crate::model::graph::{Edge, Graph};
use crate::model::name::{DESTROY, TaskId, TaskName};
use crate::model::project::Project;
use crate::model::task::{OnFailure, Task, Terminal, WatchMay};
use std::collections::BTreeMap;

/// A project with one more task, `destroy`, which undoes the given ones in the order given. It keeps
/// no edges: it is run alone.
///
/// # Errors
/// Never for a project that was built: its graph has no cycle.
pub fn with_destroy(project: Project, targets: Vec<TaskId>) -> Result<(Project, TaskId), Vec<Vec<TaskId>>> {
    let mut project = project;
    let id = TaskId(u32::try_from(project.tasks.len()).unwrap_or(u32::MAX));
    let mut edges: Vec<(TaskId, TaskId, Edge)> = Vec::new();
    for task in &project.tasks {
        edges.extend(project.graph.up(task.id).iter().map(|(up, edge)| (*up, task.id, *edge)));
    }
    project.graph = Graph::build(project.tasks.len() + 1, &edges)?;
    let name = TaskName::new(DESTROY);
    project.tasks.push(Task {
        id,
        name: name.clone(),
        family: name,
        instance: None,
        place: crate::model::diagnostic::Place::default(),
        description: None,
        stage: None,
        tags: Vec::new(),
        needs: Vec::new(),
        after: Vec::new(),
        action: Action {
            kind: KindName::UndoOf,
            table: BTreeMap::new(),
            file_reads: std::collections::BTreeSet::new(),
            undoes: targets,
            subject: None,
        },
        effect: Effect::Idempotent,
        inputs: Vec::new(),
        outputs: Vec::new(),
        exports: BTreeMap::new(),
        env: BTreeMap::new(),
        pass_env: Vec::new(),
        dir: camino::Utf8PathBuf::new(),
        ttl: None,
        probe: None,
        undo: Vec::new(),
        was: Vec::new(),
        in_place: Vec::new(),
        settles: Vec::new(),
        on_failure: OnFailure::Stop,
        ready: Vec::new(),
        retry: None,
        timeout: None,
        grace: None,
        pool: None,
        terminal: Terminal::Ours,
        watch: WatchMay::Leave,
        item: None,
        matrix: BTreeMap::new(),
    });
    Ok((project, id))
}
