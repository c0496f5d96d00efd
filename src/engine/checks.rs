//! Owns the checks that a task declares: what to wait for after the steps, and its probe.
//! Does not know how a check is made (`host::check`).

use crate::engine::dispatch::Engine;
use crate::engine::job::file_name;
use crate::engine::rendered::{Rendered, rendered, surroundings};
use crate::host::Host;
use crate::host::check::{Check, Look};
use crate::kind;
use crate::kind::machine::{Done, Job, Memory};
use crate::model::name::TaskId;
use crate::model::record::Export;
use crate::model::task::ProbeCheck;
use crate::model::text::Text;
use crate::plan::board::Board;
use crate::plan::scope::{self, Masked};
use crate::template;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::time::Duration;

impl Engine<'_> {
    /// What to wait for, rendered with what the task just exported.
    pub(super) fn ready_checks(&mut self, id: TaskId, done: &Done) -> Vec<(Check, Duration)> {
        let task = self.project.task(id);
        let out: Map<String, Json> = done.exports.clone().into_iter().collect();
        let mut checks = Vec::new();
        for ready in &task.ready {
            match render_check(self.host, &self.board, id, &ready.check, &Json::Object(out.clone())) {
                Ok(Some(check)) => checks.push((check, ready.within)),
                Ok(None) => {}
                Err(message) => checks.push((Check::Impossible(message), Duration::ZERO)),
            }
        }
        checks
    }
}

/// The probe of a task, rendered with what it exported when it was recorded; `None` when there is
/// nothing to ask.
pub fn probe_check(host: &Host, board: &Board<'_>, id: TaskId) -> Option<Check> {
    let probe = board.project.task(id).probe.as_ref()?;
    let record = board.history(id).newest.as_ref()?;
    let out = record
        .exports
        .iter()
        .filter_map(|(name, export)| match export {
            Export::Plain { value } => Some((name.clone(), value.clone())),
            Export::Sealed { .. } => None,
        })
        .collect();
    if matches!(probe.check, ProbeCheck::Kind) {
        return Some(own_probe(host, board, id));
    }
    match render_check(host, board, id, &probe.check, &Json::Object(out)) {
        Ok(check) => check,
        Err(message) => Some(Check::Impossible(message)),
    }
}

/// The kind's own probe, in the environment that the task itself would get.
fn own_probe(host: &Host, board: &Board<'_>, id: TaskId) -> Check {
    let task = board.project.task(id);
    let env_name = board.project.env.name.as_str();
    let Rendered { table, declared, .. } = match rendered(host, board, task) {
        Ok(rendered) => rendered,
        Err(unprepared) => return Check::Impossible(unprepared.message),
    };
    let keep = host.state.join("env").join(env_name).join(file_name(task.name.as_str()));
    let job = Job {
        task: task.name.to_string(),
        env: env_name.to_owned(),
        attempt: 0,
        table,
        exports: BTreeMap::new(),
        root: host.root.clone(),
        // Never made: a look writes nothing.
        tmp: keep.join("look"),
        keep,
        dir: host.root.join(&task.dir),
        undo: Vec::new(),
        memory: remembered(host, board, id),
        contexts: board.project.env.kube_context.clone(),
        tools: BTreeMap::new(),
        inputs_digest: String::new(),
    };
    let mut env = surroundings(host, env_name, Some(task));
    env.extend(declared);
    let looks = kind::find(task.action.kind).looks(&job).into_iter().map(|(step, judge)| {
        let mut env = env.clone();
        env.retain(|name, _| !step.without_env.contains(name));
        env.extend(step.env);
        Look { argv: step.argv, dir: step.dir, env, judge }
    });
    Check::Looks(looks.collect())
}

/// What is on record of a task, as far as a look needs it.
fn remembered(host: &Host, board: &Board<'_>, id: TaskId) -> Memory {
    let (store, env) = (host.store.borrow(), &board.project.env.name);
    let key = board.key(id);
    Memory {
        notes: store.notes(key, env).unwrap_or_default(),
        token: store.token_and_undo(key, env).unwrap_or_default().0,
        incarnations: board.history(id).incarnations.clone(),
        ..Memory::default()
    }
}

fn render_check(
    host: &Host,
    board: &Board<'_>,
    id: TaskId,
    check: &ProbeCheck,
    out: &Json,
) -> Result<Option<Check>, String> {
    let task = board.project.task(id);
    let render = |text: &Text| -> Result<String, String> {
        let masked = Masked::new(host, board, id);
        let mut scope = scope::scope(board, task, &text.reads, &masked);
        scope.out = out.clone();
        template::render_text(text, &scope).map_err(|error| error.message)
    };
    Ok(Some(match check {
        ProbeCheck::Exec(argv) => {
            let argv = argv.iter().map(render).collect::<Result<Vec<_>, _>>()?;
            Check::Exec { argv, dir: host.root.join(&task.dir), env: host.plain_env() }
        }
        ProbeCheck::Tcp(address) => Check::Tcp(render(address)?),
        ProbeCheck::Http(url) => Check::Http(render(url)?),
        ProbeCheck::Kind => return Ok(None),
    }))
}
