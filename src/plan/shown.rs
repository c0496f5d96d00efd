//! Owns a task's own table as far as it is known now, for people: secrets masked, and what waits for a
//! value of another task as it is written.
//! Does not know what enters a fingerprint (`fingerprint`).

use crate::model::name::TaskId;
use crate::model::record::Export;
use crate::model::task::Task;
use crate::model::text::{Text, Tree};
use crate::plan::board::Board;
use crate::plan::scope::{self, Reveal};
use crate::template::{self, Scope};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a task does, as far as it is known.
#[derive(Debug, Default)]
pub struct Shown {
    /// Key of the kind's table → its value.
    pub table: BTreeMap<String, Json>,
    /// Argvs that take it back.
    pub undo: Vec<Vec<Json>>,
    /// Tasks whose values are not known yet.
    pub waits: Vec<TaskId>,
}

/// Secrets, by nothing but a mask: none is asked for.
struct Hidden<'a>(&'a str);

impl Reveal for Hidden<'_> {
    fn export(&self, export: &Export) -> Json {
        match export {
            Export::Plain { value } => value.clone(),
            Export::Sealed { .. } => Json::String(self.0.to_owned()),
        }
    }

    fn secret(&self, _: &str) -> Json {
        Json::String(self.0.to_owned())
    }
}

/// Renders what can be rendered, with `mask` for every secret. Upstreams must be settled on the board.
pub fn shown(board: &Board<'_>, task: &Task, mask: &str) -> Shown {
    let reads = scope::reads_with_undo(task);
    let scope = scope::scope(board, task, &reads, &Hidden(mask));
    let mut shown = Shown {
        table: task.action.table.iter().map(|(key, tree)| (key.clone(), known(board, &scope, tree))).collect(),
        undo: task.undo.iter().map(|argv| argv.iter().map(|word| text(board, &scope, word)).collect()).collect(),
        waits: Vec::new(),
    };
    scope::waits_for(board, &reads, &mut shown.waits);
    shown.waits.sort_unstable();
    shown.waits.dedup();
    shown
}

fn known(board: &Board<'_>, scope: &Scope, tree: &Tree) -> Json {
    match tree {
        Tree::Text(one) => text(board, scope, one),
        Tree::Plain(value) => value.clone(),
        Tree::List(items) => Json::Array(items.iter().map(|item| known(board, scope, item)).collect()),
        Tree::Table(items) => {
            Json::Object(items.iter().map(|(key, item)| (key.clone(), known(board, scope, item))).collect())
        }
    }
}

/// A text rendered, or as it is written where something that it reads is not known.
fn text(board: &Board<'_>, scope: &Scope, text: &Text) -> Json {
    let mut waits = Vec::new();
    scope::waits_for(board, &text.reads, &mut waits);
    let rendered = if waits.is_empty() { template::render(text, scope).ok() } else { None };
    rendered.unwrap_or_else(|| Json::String(text.source.to_string()))
}
