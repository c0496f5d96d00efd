//! Owns colours and the look of what is written: palette, width, how much.
//! Does not know what is painted, nor how the terminal was asked (`select`).

use crate::model::effect::{Outcome, State};
use crate::report::text::ENDLESS;
use owo_colors::OwoColorize;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Failures and warnings.
    Quiet,
    #[default]
    Normal,
    /// Every step, every reason, every fresh task.
    Verbose,
}

/// How things look on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours may be used.
    pub color: bool,
    /// Columns; `text::ENDLESS` where nothing is cut.
    pub width: usize,
    /// How much is said.
    pub verbosity: Verbosity,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: false, width: ENDLESS, verbosity: Verbosity::Normal }
    }
}

/// A meaning that has a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Warn,
    Busy,
    Dim,
    Strong,
    Plain,
}

impl Look {
    /// Text in the colour of a meaning, or as it is.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        match tone {
            Tone::Good => text.green().to_string(),
            Tone::Bad => text.red().bold().to_string(),
            Tone::Warn => text.yellow().to_string(),
            Tone::Busy => text.cyan().to_string(),
            Tone::Dim => text.dimmed().to_string(),
            Tone::Strong => text.bold().to_string(),
            Tone::Plain => text.to_owned(),
        }
    }

    /// Whether everything is said.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Whether only failures are said.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }
}

/// Meaning of a state.
pub fn state(state: State) -> Tone {
    match state {
        State::Fresh => Tone::Good,
        State::Restorable | State::Running => Tone::Busy,
        State::Stale | State::Orphaned => Tone::Warn,
        State::Deferred => Tone::Dim,
        State::Failed | State::Unknown => Tone::Bad,
    }
}

/// Meaning of an outcome.
pub fn outcome(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Ran => Tone::Good,
        Outcome::Restored => Tone::Busy,
        Outcome::Fresh => Tone::Dim,
        Outcome::Failed => Tone::Bad,
        Outcome::Skipped | Outcome::Interrupted => Tone::Warn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_painted_unless_allowed() {
        let look = Look::default();
        assert_eq!(look.paint(Tone::Bad, "x"), "x");
        let look = Look { color: true, ..look };
        assert_eq!(look.paint(Tone::Good, "x"), "\u{1b}[32mx\u{1b}[39m");
        assert_eq!(look.paint(Tone::Plain, "x"), "x");
    }
}
