//! Owns upstreams that a run does not consider: they are taken as recorded, or refused.
//! Does not know why they were left out.

use crate::engine::RunError;
use crate::engine::dispatch::Engine;
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::record::Phase;
use crate::model::task::Input;
use crate::plan::board::Settled;
use crate::plan::forecast::forecast;

impl Engine<'_> {
    /// Settles every task that tasks of the run read or need and that is not part of it.
    ///
    /// # Errors
    /// Refused, when such a task failed, is unknown or never ran.
    pub(super) fn take_recorded(&mut self) -> Result<(), RunError> {
        let mut inside = vec![false; self.project.tasks.len()];
        for id in &self.request.tasks {
            inside[id.index()] = true;
        }
        let mut wanted: Vec<(TaskId, TaskId)> = Vec::new();
        for id in &self.request.tasks {
            for (up, edge) in self.project.graph.up(*id) {
                if !inside[up.index()] && *edge != Edge::After {
                    wanted.push((*up, *id));
                }
            }
        }
        self.judge_outside(&wanted, &inside)?;
        for (up, reader) in wanted {
            if !self.board.settled[up.index()].is_settled() {
                let settled = self.as_recorded(up);
                if !settled.is_settled() {
                    return Err(self.refuse(up, reader));
                }
                self.board.settled[up.index()] = settled;
            }
            self.mend_artifacts(up, reader)?;
        }
        Ok(())
    }

    /// What is fresh outside the run is known as such: a pure task may be so by a record of another
    /// environment.
    fn judge_outside(&mut self, wanted: &[(TaskId, TaskId)], inside: &[bool]) -> Result<(), RunError> {
        let seeds: Vec<TaskId> = wanted.iter().map(|(up, _)| *up).collect();
        let mut closure = self.project.graph.upstream(&seeds);
        for (flag, inside) in closure.iter_mut().zip(inside) {
            *flag &= !inside;
        }
        forecast(&mut self.board, self.host, &closure)?;
        Ok(())
    }

    /// A task as its record says, whatever the world looks like now.
    pub(super) fn as_recorded(&self, id: TaskId) -> Settled {
        if self.project.task(id).is_undo() {
            return Settled::Yes(None);
        }
        match &self.board.history(id).newest {
            Some(record) if record.void.is_none() => Settled::Yes(Some(record.clone())),
            _ => Settled::No,
        }
    }

    fn refuse(&self, up: TaskId, reader: TaskId) -> RunError {
        let (name, reader) = (&self.project.task(up).name, &self.project.task(reader).name);
        let history = self.board.history(up);
        let state = match &history.last {
            None => "never ran",
            Some(last) if last.phase == Phase::Cut => "was cut short",
            Some(last) if last.phase == Phase::Failed => "failed",
            Some(_) if history.newest.is_some() => "was undone or is no longer true",
            Some(_) => "did not succeed",
        };
        RunError::Refused {
            message: format!("`{reader}` reads `{name}`, which {state} in `{}`", self.project.env.name),
            hint: Some(format!("run `infra run {reader}`, which runs `{name}` first")),
        }
    }

    /// An altered artifact that is read is put back first.
    fn mend_artifacts(&mut self, up: TaskId, reader: TaskId) -> Result<(), RunError> {
        let reads: Vec<String> = self
            .project
            .task(reader)
            .inputs
            .iter()
            .filter_map(|input| match input {
                Input::Artifact { from, output, .. } if *from == up => Some(output.to_string()),
                _ => None,
            })
            .collect();
        let Some(record) = self.board.settled[up.index()].record().cloned() else { return Ok(()) };
        for artifact in record.artifacts.iter().filter(|artifact| reads.contains(&artifact.path)) {
            let content = crate::model::facts::Facts::artifact(self.host, artifact.path.as_str().into())?;
            if content.digest == artifact.digest {
                continue;
            }
            let name = self.project.task(up).name.to_string();
            self.host.restore(artifact).map_err(|error| RunError::Refused {
                message: format!(
                    "artifact `{}` of `{name}` was altered and cannot be put back: {error}",
                    artifact.path
                ),
                hint: Some(format!("run `infra run {name}`")),
            })?;
            self.warn(format!("artifact `{}` of `{name}` was altered; it was put back", artifact.path));
        }
        Ok(())
    }
}
