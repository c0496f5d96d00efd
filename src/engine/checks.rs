//! Owns the checks that a task declares: what to wait for after the steps, and its probe.
//! Does not know how a check is made (`host::check`).

use crate::engine::dispatch::Engine;
use crate::host::check::Check;
use crate::kind::machine::Done;
use crate::model::name::TaskId;
use crate::model::record::Export;
use crate::model::task::ProbeCheck;
use crate::model::text::Text;
use crate::plan::scope::{self, Masked};
use crate::template;
use serde_json::{Map, Value as Json};
use std::time::Duration;

impl Engine<'_> {
    /// What to wait for, rendered with what the task just exported.
    pub(super) fn ready_checks(&mut self, id: TaskId, done: &Done) -> Vec<(Check, Duration)> {
        let task = self.project.task(id);
        let out: Map<String, Json> = done.exports.clone().into_iter().collect();
        let mut checks = Vec::new();
        for ready in &task.ready {
            match self.render_check(id, &ready.check, Json::Object(out.clone())) {
                Ok(Some(check)) => checks.push((check, ready.within)),
                Ok(None) => {}
                Err(message) => checks.push((Check::Impossible(message), Duration::ZERO)),
            }
        }
        checks
    }

    /// A probe, rendered with what the task exported when it was recorded.
    pub(super) fn check_of(&self, id: TaskId, check: &ProbeCheck) -> Option<Check> {
        let record = self.board.history(id).newest.as_ref()?;
        let out = record
            .exports
            .iter()
            .filter_map(|(name, export)| match export {
                Export::Plain { value } => Some((name.clone(), value.clone())),
                Export::Sealed { .. } => None,
            })
            .collect();
        match self.render_check(id, check, Json::Object(out)) {
            Ok(check) => check,
            Err(message) => Some(Check::Impossible(message)),
        }
    }

    fn render_check(&self, id: TaskId, check: &ProbeCheck, out: Json) -> Result<Option<Check>, String> {
        let task = self.project.task(id);
        let render = |text: &Text| -> Result<String, String> {
            let masked = Masked::new(self.host, &self.board, id);
            let mut scope = scope::scope(&self.board, task, &text.reads, &masked);
            scope.out = out.clone();
            template::render_text(text, &scope).map_err(|error| error.message)
        };
        Ok(Some(match check {
            ProbeCheck::Exec(argv) => {
                let argv = argv.iter().map(render).collect::<Result<Vec<_>, _>>()?;
                Check::Exec { argv, dir: self.host.root.join(&task.dir), env: self.host.plain_env() }
            }
            ProbeCheck::Tcp(address) => Check::Tcp(render(address)?),
            ProbeCheck::Http(url) => Check::Http(render(url)?),
            ProbeCheck::Kind => return Ok(None),
        }))
    }
}
