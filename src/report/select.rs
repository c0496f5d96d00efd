//! Owns the choice of the report and its look: from what was asked, and from where it is shown.
//! Does not know how the surroundings are found out: the caller asks environment and terminal.

use crate::event::Listener;
use crate::report::folded::{Fold, Folded};
use crate::report::json::Json;
use crate::report::live::{Hold, Live};
use crate::report::paint::{Look, Verbosity};
use crate::report::plain::Plain;
use crate::report::text::ENDLESS;
use std::io::Write;

/// Below this width a live region says too little.
const LIVE_FROM: usize = 24;
/// Width of a terminal that does not tell its own.
const USUAL: usize = 80;

/// When colours are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ColorWish {
    #[default]
    Auto,
    Always,
    Never,
}

/// What was asked on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    pub json: bool,
    pub color: ColorWish,
    pub verbosity: Verbosity,
}

/// Where output goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    pub stdout_terminal: bool,
    pub stderr_terminal: bool,
    /// Columns of the terminal, when it tells.
    pub columns: Option<usize>,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// `FORCE_COLOR` or `CLICOLOR_FORCE` is set.
    pub force_color: bool,
    /// `CI` is set.
    pub ci: bool,
    /// `TERM` is `dumb` or not set.
    pub dumb: bool,
    /// What folds output here.
    pub fold: Fold,
}

impl Surroundings {
    /// Reads the variables that matter through `variable`; the rest is filled in by the caller.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|text| !text.is_empty());
        let set = |name: &str| text(name).is_some_and(|text| text != "0" && text != "false");
        Self {
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
            no_color: text("NO_COLOR").is_some(),
            force_color: set("FORCE_COLOR") || set("CLICOLOR_FORCE"),
            ci: set("CI"),
            dumb: text("TERM").is_none_or(|term| term == "dumb"),
            fold: match (set("GITHUB_ACTIONS"), set("GITLAB_CI")) {
                (true, _) => Fold::GitHub,
                (_, true) => Fold::GitLab,
                _ => Fold::Nowhere,
            },
            ..Self::default()
        }
    }
}

/// How a run is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Live,
    Plain,
    Json,
}

/// How a run is reported, and how both streams look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub mode: Mode,
    /// How output is folded, in plain lines; where quiet is wanted, what failed is still annotated.
    pub fold: Fold,
    pub stdout: Look,
    pub stderr: Look,
}

/// Chooses. `NO_COLOR` means plain lines as well: who sets it wants text and nothing clever.
pub fn choose(wishes: &Wishes, around: &Surroundings) -> Choice {
    let color = |terminal: bool| match wishes.color {
        ColorWish::Always => true,
        ColorWish::Never => false,
        ColorWish::Auto => !around.no_color && (around.force_color || (terminal && !around.dumb)),
    };
    let columns = around.columns.filter(|columns| *columns > 0).unwrap_or(USUAL);
    let look = |terminal: bool| Look {
        color: color(terminal),
        width: if terminal { columns } else { ENDLESS },
        verbosity: wishes.verbosity,
    };
    let unwanted = around.no_color && wishes.color != ColorWish::Always;
    let able = around.stderr_terminal && !around.dumb && !around.ci && columns >= LIVE_FROM;
    let mode = if wishes.json {
        Mode::Json
    } else if able && !unwanted && wishes.verbosity != Verbosity::Quiet {
        Mode::Live
    } else {
        Mode::Plain
    };
    let folds = mode == Mode::Plain && !around.stderr_terminal;
    let fold = if folds { around.fold } else { Fold::Nowhere };
    Choice { mode, fold, stdout: look(around.stdout_terminal), stderr: look(around.stderr_terminal) }
}

/// Who reports a run, and the handle that lets others use the terminal meanwhile.
pub struct Voice {
    pub listener: Box<dyn Listener + Send>,
    pub hold: Hold,
}

/// The reporter that was chosen. People read `stderr`, machines `stdout`. `folder` is the project's below the
/// top of what CI checked out.
pub fn voice(
    choice: &Choice,
    folder: Option<String>,
    stdout: impl Write + Send + 'static,
    stderr: impl Write + Send + 'static,
) -> Voice {
    match choice.mode {
        Mode::Json => Voice { listener: Box::new(Json::new(stdout)), hold: Hold::default() },
        Mode::Plain if choice.fold != Fold::Nowhere => {
            let folded = Folded::new(choice.fold, folder, choice.stderr, stderr);
            Voice { listener: Box::new(folded), hold: Hold::default() }
        }
        Mode::Plain => Voice { listener: Box::new(Plain::new(choice.stderr, stderr)), hold: Hold::default() },
        Mode::Live => {
            let live = Live::on_stderr(choice.stderr, stderr);
            let hold = live.hold();
            Voice { listener: Box::new(live), hold }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings { stdout_terminal: true, stderr_terminal: true, columns: Some(100), ..Surroundings::default() }
    }

    fn mode(wishes: Wishes, around: Surroundings) -> (Mode, bool) {
        let choice = choose(&wishes, &around);
        (choice.mode, choice.stderr.color)
    }

    #[test]
    fn a_terminal_is_live_and_everything_else_is_plain() {
        let wishes = Wishes::default();
        assert_eq!(mode(wishes, terminal()), (Mode::Live, true));
        assert_eq!(mode(wishes, Surroundings { stderr_terminal: false, ..terminal() }), (Mode::Plain, false));
        assert_eq!(mode(wishes, Surroundings { ci: true, ..terminal() }), (Mode::Plain, true));
        assert_eq!(mode(wishes, Surroundings { dumb: true, ..terminal() }), (Mode::Plain, false));
        assert_eq!(mode(wishes, Surroundings { no_color: true, ..terminal() }), (Mode::Plain, false));
        assert_eq!(mode(wishes, Surroundings { columns: Some(20), ..terminal() }), (Mode::Plain, true));
        assert_eq!(mode(wishes, Surroundings { columns: None, ..terminal() }), (Mode::Live, true));
    }

    #[test]
    fn flags_win_over_surroundings() {
        let json = Wishes { json: true, ..Wishes::default() };
        assert_eq!(mode(json, terminal()).0, Mode::Json);
        let always = Wishes { color: ColorWish::Always, ..Wishes::default() };
        assert_eq!(mode(always, Surroundings { no_color: true, ..terminal() }), (Mode::Live, true));
        assert_eq!(mode(always, Surroundings::default()), (Mode::Plain, true));
        let never = Wishes { color: ColorWish::Never, ..Wishes::default() };
        assert_eq!(mode(never, terminal()), (Mode::Live, false));
        let quiet = Wishes { verbosity: Verbosity::Quiet, ..Wishes::default() };
        assert_eq!(mode(quiet, terminal()).0, Mode::Plain);
    }

    #[test]
    fn only_terminals_cut_lines() {
        let choice = choose(&Wishes::default(), &Surroundings { stdout_terminal: false, ..terminal() });
        assert_eq!((choice.stdout.width, choice.stderr.width), (ENDLESS, 100));
    }

    #[test]
    fn variables_are_read_as_their_conventions_say() {
        let read = |pairs: &'static [(&str, &str)]| {
            Surroundings::read(move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let around = read(&[("NO_COLOR", ""), ("CI", "false"), ("TERM", "xterm"), ("COLUMNS", "x")]);
        assert!(!around.no_color && !around.ci && !around.dumb && around.columns.is_none());
        let around = read(&[("NO_COLOR", "1"), ("CI", "true"), ("COLUMNS", "120"), ("FORCE_COLOR", "1")]);
        assert!(around.no_color && around.ci && around.dumb && around.force_color && around.columns == Some(120));
    }
}
