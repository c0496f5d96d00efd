//! The harness: a story is one project in a folder of its own, in which commands are run one after the
//! other and what they did is compared with what the design says. One noun, one room.
//! Knows nothing of the program's inside: it starts the binary and reads what it prints and leaves.

mod claims;
mod commands;
mod kube;
pub mod machines;
mod process;
mod running;
mod seen;
mod story;
mod terminal;
pub mod text;
mod tools;
mod tree;

pub use kube::{Helm, Kube};
pub use process::{alive, send};
pub use running::Running;
pub use seen::Seen;
pub use story::Story;

use std::time::Duration;

/// No single command may take longer; it is ended, and the story fails with what it printed.
const LIMIT: Duration = Duration::from_secs(120);
