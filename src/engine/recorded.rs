//! Owns what is done about tasks that a run takes as recorded: refused, or their artifacts put back.
//! Does not know when a record is ground to stand on (`plan::recorded`).

use crate::engine::RunError;
use crate::engine::dispatch::Engine;
use crate::model::name::TaskId;
use crate::model::record::Artifact;
use crate::plan::board::Settled;
use crate::plan::recorded::{OutsideError, altered_for, as_recorded, settle_outside, whole_again};
use crate::plan::verdict;

impl Engine<'_> {
    /// Settles every task that tasks of the run read or need and that is not part of it.
    ///
    /// # Errors
    /// Refused, when such a task failed, is unknown or never ran.
    pub(super) fn take_recorded(&mut self) -> Result<(), RunError> {
        for (up, artifact) in settle_outside(&mut self.board, self.host, &self.request.tasks)? {
            self.put_back_for_readers(up, &artifact)?;
            whole_again(&mut self.board, up);
        }
        Ok(())
    }

    /// Settles a task of `--skip`. Without a record, or with what is read of it lost, it stays unsettled
    /// and holds what follows.
    pub(super) fn leave_out(&mut self, id: TaskId) -> Result<(), RunError> {
        self.board.refresh_alive(id);
        let verdict = verdict::judge(&self.board, self.host, id)?;
        self.board.settled[id.index()] = as_recorded(&self.board, id, &verdict);
        let readers = self.project.graph.down(id).iter().map(|(down, _)| *down);
        let readers: Vec<TaskId> = readers.filter(|reader| self.request.tasks.contains(reader)).collect();
        for reader in readers {
            let altered = match altered_for(&self.board, self.host, id, reader) {
                Ok(altered) => altered,
                Err(OutsideError::Fact(error)) => return Err(error.into()),
                Err(lost) => {
                    self.warn(lost.to_string());
                    self.board.settled[id.index()] = Settled::No;
                    return Ok(());
                }
            };
            for artifact in altered {
                self.put_back_for_readers(id, &artifact)?;
                whole_again(&mut self.board, id);
            }
        }
        Ok(())
    }

    fn put_back_for_readers(&mut self, up: TaskId, artifact: &Artifact) -> Result<(), RunError> {
        let (name, path) = (self.project.task(up).name.to_string(), artifact.path.clone());
        self.host.restore(artifact).map_err(|error| RunError::Refused {
            message: format!("artifact `{path}` of `{name}` was altered and cannot be put back: {error}"),
            hint: Some(format!("run `infra run {name}`")),
        })?;
        self.warn(format!("artifact `{path}` of `{name}` was altered; it was put back"));
        Ok(())
    }
}

impl From<OutsideError> for RunError {
    fn from(error: OutsideError) -> Self {
        let message = error.to_string();
        let hint = match error {
            OutsideError::Fact(error) => return Self::Fact(error),
            OutsideError::NoRecord { reader, name, .. } => {
                format!("run `infra run {reader}`, which runs `{name}` first")
            }
            OutsideError::Lost { name, .. } => format!("run `infra run {name}`"),
        };
        Self::Refused { message, hint: Some(hint) }
    }
}
