//! Owns the kind `undo_of`: the undo of other tasks, in reverse order.
//! Does not know how each of them is undone; the engine runs their own undo machines in turn.

use crate::kind::machine::{Done, Heard, Job, Machine, Move};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;

/// The kind.
pub struct UndoOf;

const KEYS: [KeySpec; 1] =
    [KeySpec::needed("tasks", Shape::Texts, When::Graph, "A task or a list: each one's own undo, in reverse order.")];

impl Kind for UndoOf {
    fn name(&self) -> KindName {
        KindName::UndoOf
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "tasks"
    }

    fn default_effect(&self, _table: &Table) -> Effect {
        Effect::Idempotent
    }

    fn tools(&self, _table: &Table) -> Vec<String> {
        Vec::new()
    }

    fn infer(&self, _table: &Table, _files: &dyn Files) -> Inferred {
        Inferred::default()
    }

    /// Never started: the engine starts the undo machines of the tasks that it undoes.
    fn start(&self, _job: Job) -> Box<dyn Machine> {
        Box::new(Nothing)
    }
}

/// A machine that is done at once.
pub struct Nothing;

impl Machine for Nothing {
    fn next(&mut self, _heard: Heard) -> Move {
        Move::Done(Done { unchanged: true, ..Done::default() })
    }
}
