//! Owns the doing: a dispatcher that linearises processes, timers and signals, and carries out verdicts.
//! Does not print: it tells `event::Listener`s. Only this layer writes the store during a run.

mod approval;
mod attempt;
mod checks;
pub mod destroy_task;
mod dispatch;
mod finish;
mod finished;
mod job;
mod outputs;
mod pace;
mod recorded;
pub mod recover;
mod rendered;
pub mod request;
mod retry;
mod settle;
mod start;
mod state;
pub mod tools;
pub mod undo_order;
pub mod undoing;
mod upstream;

pub use checks::probe_check;
pub use dispatch::Engine;
pub use finished::Finished;
pub use request::{Approval, Approver, OnTaskFailure, Request};

use crate::host::store::StoreError;
use crate::model::facts::FactError;

/// A run could not go on. What finished stays recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store can't be read or written: exit code 7.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The world can't be asked: exit code 7.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// A file of the run can't be written: exit code 7.
    #[error("cannot write `{path}`: {why}")]
    State { path: String, why: String },
    /// Refused before anything ran: exit code 5.
    #[error("{message}")]
    Refused { message: String, hint: Option<String> },
    /// A tool is missing or too old: exit code 6.
    #[error("{}", .0.join("\n"))]
    Tools(Vec<String>),
    /// A task must be resolved first: exit code 4.
    #[error("{message}")]
    Unknown { message: String, hint: Option<String> },
}
