//! Owns what is done about upstreams that a run does not consider: refused, or their artifacts mended.
//! Does not know when a record is ground to stand on (`plan::recorded`).

use crate::engine::RunError;
use crate::engine::dispatch::Engine;
use crate::model::name::TaskId;
use crate::model::task::Input;
use crate::plan::recorded::{OutsideError, settle_outside};

impl Engine<'_> {
    /// Settles every task that tasks of the run read or need and that is not part of it.
    ///
    /// # Errors
    /// Refused, when such a task failed, is unknown or never ran.
    pub(super) fn take_recorded(&mut self) -> Result<(), RunError> {
        for (up, reader) in settle_outside(&mut self.board, self.host, &self.request.tasks)? {
            self.mend_artifacts(up, reader)?;
        }
        Ok(())
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

impl From<OutsideError> for RunError {
    fn from(error: OutsideError) -> Self {
        let message = error.to_string();
        match error {
            OutsideError::Fact(error) => Self::Fact(error),
            OutsideError::NoRecord { reader, name, .. } => {
                Self::Refused { message, hint: Some(format!("run `infra run {reader}`, which runs `{name}` first")) }
            }
        }
    }
}
