//! Owns the kind `ansible`.
//! Does not know processes.

use crate::kind::machine::{Done, Heard, Job, Machine, Move};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;

/// The kind.
pub struct Ansible;

const KEYS: [KeySpec; 1] = [KeySpec::needed("playbook", Shape::Text, When::Graph, "")];

impl Kind for Ansible {
    fn name(&self) -> KindName {
        KindName::Ansible
    }
    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }
    fn short_key(&self) -> &'static str {
        "playbook"
    }
    fn default_effect(&self, _table: &Table) -> Effect {
        Effect::Idempotent
    }
    fn tools(&self, _table: &Table) -> Vec<String> {
        vec![]
    }
    fn infer(&self, _table: &Table, _files: &dyn Files) -> Inferred {
        Inferred::default()
    }
    fn start(&self, _job: Job) -> Box<dyn Machine> {
        Box::new(Stub)
    }
}

struct Stub;
impl Machine for Stub {
    fn next(&mut self, _heard: Heard) -> Move {
        Move::Done(Done::default())
    }
}
