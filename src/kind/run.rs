//! Owns the kind `run`: one argv or a list of argvs, no shell.
//! Does not know how processes are started.

use crate::kind::machine::{CanChange, Done, Heard, Job, Machine, Move, Stdout, Step, StepEnd, Trouble};
use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{Inferred, Kind, Table, plain};
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::facts::{ContentKind, Files};
use crate::model::path::join;
use serde_json::Value as Json;

/// The kind.
pub struct Run;

const KEYS: [KeySpec; 1] =
    [KeySpec::needed("run", Shape::Argvs, When::Start, "One argv or a list of argvs, run in turn, no shell.")];

impl Kind for Run {
    fn name(&self) -> KindName {
        KindName::Run
    }

    fn keys(&self) -> &'static [KeySpec] {
        &KEYS
    }

    fn short_key(&self) -> &'static str {
        "run"
    }

    fn default_effect(&self, _table: &Table) -> Effect {
        Effect::Idempotent
    }

    fn tools(&self, table: &Table) -> Vec<String> {
        argvs(table.get("run")).into_iter().filter_map(|argv| argv.into_iter().next()).collect()
    }

    /// A program that lies in the project is an input.
    fn infer(&self, table: &Table, files: &dyn Files) -> Inferred {
        let dir = camino::Utf8Path::new(crate::kind::text(table, "dir").unwrap_or(""));
        let mut inferred = Inferred::default();
        for argv in argvs(table.get("run")) {
            let Some(program) = argv.first().filter(|word| word.contains('/') && !word.starts_with('/')) else {
                continue;
            };
            let path = join(dir, program);
            if files.kind(&path) == ContentKind::File {
                inferred.paths.push(path);
            }
        }
        inferred
    }

    fn runs(&self, table: &Table) -> Vec<String> {
        argvs(table.get("run")).iter().map(|argv| argv.join(" ")).collect()
    }

    fn start(&self, job: Job) -> Box<dyn Machine> {
        let argvs = argvs(job.table.get("run"));
        Box::new(Steps::new(argvs, &job))
    }
}

/// Reads one argv or a list of them; words that are no text become JSON.
pub fn argvs(value: Option<&Json>) -> Vec<Vec<String>> {
    let Some(Json::Array(items)) = value else { return Vec::new() };
    if items.iter().all(Json::is_array) {
        items.iter().filter_map(Json::as_array).map(|argv| argv.iter().map(plain).collect()).collect()
    } else {
        vec![items.iter().map(plain).collect()]
    }
}

/// Runs argvs in turn, all of which can change the world as far as anyone knows.
pub struct Steps {
    waiting: std::collections::VecDeque<Step>,
    exports_file: camino::Utf8PathBuf,
    declared: std::collections::BTreeMap<String, crate::model::value::ValueType>,
}

impl Steps {
    /// Steps from argvs.
    pub fn new(argvs: Vec<Vec<String>>, job: &Job) -> Self {
        let steps = argvs.into_iter().map(|argv| (argv.join(" "), argv)).collect();
        Self::named(steps, job)
    }

    /// Steps with names of their own.
    pub fn named(argvs: Vec<(String, Vec<String>)>, job: &Job) -> Self {
        let exports_file = job.tmp.join("exports");
        let mut waiting: std::collections::VecDeque<Step> = argvs
            .into_iter()
            .map(|(name, argv)| Step {
                name,
                argv,
                dir: job.dir.clone(),
                can_change: CanChange::Yes,
                stdout: Stdout::Log,
                ..Step::default()
            })
            .collect();
        if let Some(last) = waiting.back_mut() {
            last.read_after.push(exports_file.clone());
        }
        Self { waiting, exports_file, declared: job.exports.clone() }
    }
}

impl Machine for Steps {
    fn next(&mut self, heard: Heard) -> Move {
        let mut last = StepEnd::default();
        if let Heard::Step(end) = heard {
            if !end.is_ok() {
                return Move::Fail(Trouble { message: ended_badly(&end), ..Trouble::default() });
            }
            last = end;
        }
        if let Some(step) = self.waiting.pop_front() {
            return Move::Run(step);
        }
        let text = last.files.remove(&self.exports_file).unwrap_or_default();
        match crate::kind::exports_text::read(&text, &self.declared) {
            Ok(exports) => Move::Done(Done { exports, ..Done::default() }),
            Err(message) => Move::Fail(Trouble {
                message,
                hint: Some(
                    "write one JSON object, or `key=value` lines, to the file named by `$INFRA_EXPORTS`".to_owned(),
                ),
                ..Trouble::default()
            }),
        }
    }
}

/// How a step ended, as a fragment: `exited with code 2`, `was ended by signal 9`.
pub fn ended_badly(end: &StepEnd) -> String {
    match (end.code, end.signal) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}
