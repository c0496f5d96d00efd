//! Owns what a look at the world answers, and how the end of a looking command is read.
//! Does not know who looks, nor what an answer means for a task.

use std::fmt;
use std::sync::Arc;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The thing is there.
    Agrees,
    /// It is not; why, as a fragment.
    Disagrees(String),
    /// Nobody knows; why, as a fragment.
    CannotTell(String),
}

/// Reads the end of a command that looked: its exit code (`None`: ended by a signal), and what it
/// wrote to stdout and to stderr.
#[derive(Clone)]
pub struct Judge(Arc<Read>);

type Read = dyn Fn(Option<i32>, &str, &str) -> Answer + Send + Sync;

impl Judge {
    /// A judge that reads so.
    pub fn new(read: impl Fn(Option<i32>, &str, &str) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// What an end says.
    pub fn read(&self, code: Option<i32>, stdout: &str, stderr: &str) -> Answer {
        (self.0)(code, stdout, stderr)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}
