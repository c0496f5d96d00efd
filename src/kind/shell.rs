//! Owns the kind `shell`: a script, run by `sh -eu` or what `with` names.
//! Does not know how processes are started.

use crate::kind::machine::{Job, Machine};
use crate::kind::run::Steps;
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, text, texts};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::Files;

/// The kind.
pub struct Shell;

const KEYS: [KeySpec; 2] = [
    KeySpec::needed("script", Shape::Text, When::Start, "The script."),
    KeySpec::new("with", Shape::Texts, When::Graph, "The shell and its options; default `sh -eu`."),
];

impl Kind for Shell {
    fn name(&self) -> KindName {
        KindName::Shell
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "script"
    }

    fn default_effect(&self, _table: &Table) -> Effect {
        Effect::Idempotent
    }

    fn tools(&self, table: &Table) -> Vec<String> {
        shell(table).into_iter().take(1).collect()
    }

    fn infer(&self, _table: &Table, _files: &dyn Files) -> Inferred {
        Inferred::default()
    }

    fn runs(&self, table: &Table) -> Vec<String> {
        text(table, "script").unwrap_or("").trim().lines().map(str::to_owned).collect()
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        let mut argv = shell(&job.table);
        // A single line tells more than that a shell runs it.
        let name = match self.runs(&job.table).as_slice() {
            [line] => line.clone(),
            _ => argv.join(" "),
        };
        argv.push("-c".to_owned());
        argv.push(text(&job.table, "script").unwrap_or("").to_owned());
        Box::new(Steps::named(vec![(name, argv)], &job))
    }
}

fn shell(table: &Table) -> Vec<String> {
    let with = texts(table, "with");
    if with.is_empty() { vec!["sh".to_owned(), "-eu".to_owned()] } else { with }
}
