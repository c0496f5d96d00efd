//! Owns the one walk over everything that enters a task's fingerprint. The manifest that it makes
//! gives both the digest and the explanation, so that `why` can't disagree with `run`.
//! Does not know what was recorded before.

mod inputs;

use crate::kind;
use crate::model::action::KindName;
use crate::model::digest::{Digest, Domain, Encoder};
use crate::model::effect::Effect;
use crate::model::facts::{FactError, Facts};
use crate::model::graph::Edge;
use crate::model::manifest::{Entry, EntryKey, Manifest, Note};
use crate::model::name::TaskId;
use crate::model::reason::Reason;
use crate::model::task::{OutputShape, Task};
use crate::model::text::{Read, Tree};
use crate::model::value::canonical;
use crate::plan::board::{Board, Settled};
use crate::plan::scope::{self, Masked};
use crate::template::{self, RenderError, Scope};
use camino::Utf8Path;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What the walk found.
#[derive(Debug, Default)]
pub struct Walk {
    pub manifest: Manifest,
    /// Upstreams that are not settled and without which the manifest is not whole.
    pub waiting: Vec<TaskId>,
    /// Fields and variables that read a value which is waited for.
    pub unrendered: BTreeSet<EntryKey>,
    /// Some glob was not looked at: what it takes is made by a task that is waited for.
    pub unlisted: bool,
    /// Remarks for people: secrets taken as unchanged, last values of an expired task.
    pub remarks: Vec<Reason>,
    /// Inputs named in full that are not there.
    pub missing: Vec<String>,
}

/// Why a manifest can't be made.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The world could not be asked.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// A template reads something that is not there.
    #[error("{}", .0.message)]
    Render(RenderError),
}

impl From<RenderError> for WalkError {
    fn from(error: RenderError) -> Self {
        Self::Render(error)
    }
}

/// Makes the manifest of a task from the world as it is now.
///
/// # Errors
/// When a file can't be read or a template can't be rendered.
pub fn walk(board: &Board<'_>, facts: &dyn Facts, id: TaskId) -> Result<Walk, WalkError> {
    let task = board.project.task(id);
    let mut walk = Walk::default();
    spec(&mut walk, board, facts, task)?;
    inputs::inputs(&mut walk, board, facts, task)?;
    upstream(&mut walk, board, task);
    walk.manifest.seal();
    walk.waiting.sort_unstable();
    walk.waiting.dedup();
    Ok(walk)
}

fn push(walk: &mut Walk, key: EntryKey, digest: Digest, shown: Option<String>) {
    walk.manifest.entries.push(Entry { key, digest, shown });
}

fn field(walk: &mut Walk, name: &str, value: &str) {
    let digest = Digest::of(Domain::Field, value.as_bytes());
    push(walk, EntryKey::Field { name: name.to_owned() }, digest, Some(shorten(value)));
}

/// Texts are kept short: they serve explanations only.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn spec(walk: &mut Walk, board: &Board<'_>, facts: &dyn Facts, task: &Task) -> Result<(), WalkError> {
    let kind = kind::find(task.action.kind);
    let reads = scope::reads(task);
    let masked = Masked::new(facts, board, task.id);
    // A task that reads nothing needs no scope: the commonest case by far in large graphs.
    let scope = if reads.is_empty() { None } else { Some(scope::scope(board, task, &reads, &masked)) };
    let empty = Scope::default();
    let scope = scope.as_ref().unwrap_or(&empty);

    field(walk, "kind", &format!("{}/{}", task.action.kind.word(), kind.rule()));
    for (key, tree) in &task.action.table {
        let name = field_name(task.action.kind, key, kind.short_key());
        tree_field(walk, board, scope, &name, tree)?;
    }
    if let Some(context) = kind::cluster::meant(&task.action.table, board.project.env.kube_context.as_deref()) {
        // As if it were written out: which cluster is spoken to.
        let text = canonical(&Json::String(context.to_owned()));
        let name = field_name(task.action.kind, "context", kind.short_key());
        push(walk, EntryKey::Field { name }, Digest::of(Domain::Field, text.as_bytes()), Some(text));
    }
    for (name, text) in &task.env {
        let tree = Tree::Text(text.clone());
        let waits = scope::waits(board, &tree);
        if waits.is_empty() {
            let value = template::render_text(text, scope)?;
            let secret = reads_secret(board, &text.reads);
            let digest = Digest::of(Domain::Value, value.as_bytes());
            let shown = if secret { None } else { Some(shorten(&value)) };
            push(walk, EntryKey::Env { name: name.clone() }, digest, shown);
            notes(walk, board, &format!("env.{name}"), &text.reads);
        } else {
            walk.unrendered.insert(EntryKey::Env { name: name.clone() });
        }
        walk.waiting.extend(waits);
    }
    for name in &task.pass_env {
        let (digest, shown) = match facts.caller_env(name) {
            Some(value) => (facts.keyed(name, value.as_bytes()), None),
            None => (Digest::of(Domain::Missing, b"env"), Some("(not set)".to_owned())),
        };
        push(walk, EntryKey::Env { name: name.clone() }, digest, shown);
    }
    for name in reads.iter().filter_map(|read| if let Read::Secret(name) = read { Some(name) } else { None }) {
        let (digest, unasked) = masked.secret_digest(name);
        push(walk, EntryKey::Secret { name: name.clone() }, digest, None);
        if unasked {
            walk.remarks.push(Reason::SecretTakenAsUnchanged { name: name.clone() });
        }
    }
    file_vars(walk, task, scope);
    if !task.dir.as_str().is_empty() {
        field(walk, "dir", task.dir.as_str());
    }
    field(walk, "effect", task.effect.word());
    if !task.outputs.is_empty() {
        let list: Vec<String> = task
            .outputs
            .iter()
            .map(|output| match output.shape {
                OutputShape::File => output.path.to_string(),
                OutputShape::Folder => format!("{}/", output.path),
            })
            .collect();
        field(walk, "outputs", &list.join(" "));
    }
    for (name, value_type) in &task.exports {
        field(walk, &format!("exports.{name}"), &value_type.to_string());
    }
    if !task.in_place.is_empty() {
        let list: Vec<&str> = task.in_place.iter().map(|path| path.as_str()).collect();
        field(walk, "in_place", &list.join(" "));
    }
    if let Some(item) = &task.item {
        field(walk, "item", &canonical(item));
    }
    for (axis, value) in &task.matrix {
        field(walk, &format!("matrix.{axis}"), &canonical(value));
    }
    tools(walk, board, facts, task)
}

/// A key of a kind's table as people are told of it: `run`, `terraform.dir`.
pub fn field_name(kind: KindName, key: &str, short: &str) -> String {
    if key == short && matches!(kind, KindName::Run | KindName::Shell | KindName::Template | KindName::UndoOf) {
        kind.word().to_owned()
    } else {
        format!("{}.{key}", kind.word())
    }
}

fn tree_field(walk: &mut Walk, board: &Board<'_>, scope: &Scope, name: &str, tree: &Tree) -> Result<(), WalkError> {
    let waits = scope::waits(board, tree);
    if !waits.is_empty() {
        walk.unrendered.insert(EntryKey::Field { name: name.to_owned() });
        walk.waiting.extend(waits);
        return Ok(());
    }
    let text = canonical(&template::render_tree(tree, scope)?);
    let reads = tree.reads();
    let digest = Digest::of(Domain::Field, text.as_bytes());
    let shown = if reads_secret(board, &reads) { None } else { Some(shorten(&text)) };
    push(walk, EntryKey::Field { name: name.to_owned() }, digest, shown);
    notes(walk, board, name, &reads);
    Ok(())
}

fn reads_secret(board: &Board<'_>, reads: &BTreeSet<Read>) -> bool {
    reads.iter().any(|read| match read {
        Read::Secret(_) => true,
        Read::TaskValue { task, item, key } => scope::sources(board, task, item.as_deref()).iter().any(|id| {
            board.settled[id.index()]
                .record()
                .and_then(|record| record.exports.get(key))
                .is_some_and(|export| matches!(export, crate::model::record::Export::Sealed { .. }))
        }),
        _ => false,
    })
}

fn notes(walk: &mut Walk, board: &Board<'_>, field: &str, reads: &BTreeSet<Read>) {
    for read in reads {
        let name = match read {
            Read::Var(name) => name,
            Read::TaskValue { task, key, .. } => {
                let note = Note { field: field.to_owned(), name: format!("tasks.{task}.{key}"), shown: String::new() };
                walk.manifest.notes.push(note);
                continue;
            }
            Read::Secret(name) => {
                let note = Note { field: field.to_owned(), name: format!("secrets.{name}"), shown: String::new() };
                walk.manifest.notes.push(note);
                continue;
            }
            _ => continue,
        };
        if let Some(variable) = board.project.env.vars.get(name) {
            let shown = shorten(&kind::plain(&variable.value));
            walk.manifest.notes.push(Note { field: field.to_owned(), name: name.clone(), shown });
        }
    }
}

/// Of a template file only what it uses enters: each variable by itself.
fn file_vars(walk: &mut Walk, task: &Task, scope: &Scope) {
    for read in &task.action.file_reads {
        let (name, value) = match read {
            Read::Var(name) => (format!("vars.{name}"), scope.vars.get(name).cloned()),
            Read::AllVars => ("vars".to_owned(), Some(scope.vars.clone())),
            Read::EnvName => ("env.name".to_owned(), Some(Json::String(scope.env_name.clone()))),
            _ => continue,
        };
        let value = value.unwrap_or(Json::Null);
        let text = canonical(&value);
        push(
            walk,
            EntryKey::Var { name },
            Digest::of(Domain::Value, text.as_bytes()),
            Some(shorten(&kind::plain(&value))),
        );
    }
}

fn tools(walk: &mut Walk, board: &Board<'_>, facts: &dyn Facts, task: &Task) -> Result<(), WalkError> {
    let table = known_table(task);
    for tool in kind::find(task.action.kind).tools(&table) {
        let name = Utf8Path::new(&tool).file_name().unwrap_or(&tool).to_owned();
        if let Some(listed) = required_name(&name).into_iter().find(|name| board.project.requires.contains_key(*name)) {
            let version = facts.tool_version(listed)?;
            let shown = version.unwrap_or_else(|| "(not found)".to_owned());
            let digest = Digest::of(Domain::Value, shown.as_bytes());
            push(walk, EntryKey::Tool { name: listed.to_owned() }, digest, Some(shown));
        }
        if task.effect == Effect::Pure
            && task.action.kind == KindName::Run
            && let Some(content) = facts.program(&tool)
        {
            push(walk, EntryKey::Program { name }, content.digest, None);
        }
    }
    Ok(())
}

/// Names under which `[requires]` may list a program.
pub fn required_name(program: &str) -> Vec<&str> {
    match program {
        "ansible-playbook" | "ansible-inventory" | "ansible-galaxy" => vec![program, "ansible", "ansible-core"],
        _ => vec![program],
    }
}

/// The table as far as it is known without values of other tasks: what is a template reads null.
pub fn known_table(task: &Task) -> kind::Table {
    fn known(tree: &Tree) -> Json {
        match tree {
            Tree::Text(text) if text.is_template() => Json::Null,
            Tree::Text(text) => Json::String(text.source.to_string()),
            Tree::Plain(value) => value.clone(),
            Tree::List(items) => Json::Array(items.iter().map(known).collect()),
            Tree::Table(items) => Json::Object(items.iter().map(|(key, tree)| (key.clone(), known(tree))).collect()),
        }
    }
    task.action.table.iter().map(|(key, tree)| (key.clone(), known(tree))).collect()
}

fn upstream(walk: &mut Walk, board: &Board<'_>, task: &Task) {
    for read in scope::reads(task) {
        let Read::TaskValue { task: name, item, key } = &read else { continue };
        for id in scope::sources(board, name, item.as_deref()) {
            let Some(record) = board.settled[id.index()].record() else { continue };
            let entry = EntryKey::Value { task: board.key(id).to_string(), key: key.clone() };
            let (digest, shown) = match record.exports.get(key) {
                Some(export) => (export.digest(), shorten(&export.shown())),
                None => (Digest::of(Domain::Missing, b"value"), "(not exported)".to_owned()),
            };
            push(walk, entry, digest, Some(shown));
        }
    }
    for (up, edge) in board.project.graph.up(task.id) {
        match &board.settled[up.index()] {
            Settled::No if *edge != Edge::After => walk.waiting.push(*up),
            Settled::LastValues(_) if *edge != Edge::After => {
                let name = board.project.task(*up).name.to_string();
                walk.remarks.push(Reason::JudgedByLastValues { task: name });
            }
            _ => {}
        }
        if *edge != Edge::Needs || !board.settled[up.index()].is_settled() {
            continue;
        }
        if let Some(digest) = made(board, *up) {
            push(walk, EntryKey::Upstream { task: board.key(*up).to_string() }, digest, None);
        }
    }
}

/// What those that need a task see of it: the digest of what a pure or read task made, the effect token
/// of the others; nothing of an undo task, which is order only.
pub fn made(board: &Board<'_>, id: TaskId) -> Option<Digest> {
    let task = board.project.task(id);
    if task.is_undo() {
        return None;
    }
    if task.effect.changes_world() {
        let token = board.history(id).token.clone().unwrap_or_default();
        return Some(Encoder::new(Domain::Made).text(&token).finish());
    }
    board.settled[id.index()].record().map(|record| record.made())
}

/// Values that a task's templates read and that their tasks did not export: `(task, key)`.
pub fn absent_values(board: &Board<'_>, task: &Task) -> Vec<(String, String)> {
    let mut absent = Vec::new();
    for read in scope::reads_with_undo(task) {
        let Read::TaskValue { task: name, item, key } = &read else { continue };
        for id in scope::sources(board, name, item.as_deref()) {
            let exports = board.settled[id.index()].record().map(|record| &record.exports);
            if exports.is_some_and(|exports| !exports.contains_key(key)) {
                absent.push((board.project.task(id).name.to_string(), key.clone()));
            }
        }
    }
    absent
}
