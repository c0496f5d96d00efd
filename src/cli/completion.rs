//! Owns what may stand at a word of a command line: grammar from clap, names from the project.
//! Does not know how the project is loaded, nor the shells.

use super::{Cli, Global};
use crate::command::completion::{Offer, names};
use clap::{CommandFactory, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};
use std::ffi::{OsStr, OsString};

/// Shells that have a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What may stand at a word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// This word.
    Word { value: String, help: Option<String> },
    /// A path behind a beginning that stays (`--junit=`, `-C`): shells know best how those are completed.
    Path { kind: PathKind, behind: String },
}

/// Which paths are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    Files,
    Folders,
}

impl PathKind {
    const ALL: [Self; 2] = [Self::Files, Self::Folders];

    /// The word that the scripts know.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Folders => "folders",
        }
    }

    /// Stands for the path among clap's candidates: nobody types it.
    fn mark(self) -> String {
        format!("\u{1}{}", self.word())
    }
}

/// What may stand at a word of a command line. Nothing where nothing is known.
pub fn candidates(words: &[String], index: usize) -> Vec<Candidate> {
    let current = words.get(index).map_or("", String::as_str);
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let found = complete(&mut Cli::command(), words, index, None).unwrap_or_default();
    found
        .into_iter()
        // Options are offered to who begins one: beside tasks they would be in the way.
        .filter(|one| current.starts_with('-') || !one.get_value().to_string_lossy().starts_with('-'))
        .map(|one| {
            let value = one.get_value().to_string_lossy().into_owned();
            let path = PathKind::ALL.into_iter().find_map(|kind| Some((kind, value.strip_suffix(&kind.mark())?)));
            match path {
                Some((kind, behind)) => Candidate::Path { kind, behind: behind.to_owned() },
                None => {
                    let help = one.get_help().and_then(|help| help.to_string().lines().next().map(ToOwned::to_owned));
                    Candidate::Word { value, help }
                }
            }
        })
        .collect()
}

/// Completes the path of a file.
pub(super) fn file() -> ArgValueCompleter {
    path(PathKind::Files)
}

/// Completes the path of a folder.
pub(super) fn folder() -> ArgValueCompleter {
    path(PathKind::Folders)
}

fn path(kind: PathKind) -> ArgValueCompleter {
    ArgValueCompleter::new(move |_: &OsStr| vec![CompletionCandidate::new(kind.mark())])
}

/// Completes the name of a task.
pub(super) fn task() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offer(current, Offer::Tasks))
}

/// Completes a target; `+NAME` is one.
pub(super) fn target() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let text = current.to_string_lossy();
        match text.strip_prefix('+') {
            Some(rest) => offer(OsStr::new(rest), Offer::Tasks).into_iter().map(|one| one.add_prefix("+")).collect(),
            None => offer(current, Offer::Targets),
        }
    })
}

/// Completes the name of an environment.
pub(super) fn environment() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offer(current, Offer::Environments))
}

/// Completes `NAME=` of `--set`.
pub(super) fn variable() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offer(current, Offer::Variables))
}

/// Completes the key of a value.
pub(super) fn key() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offer(current, Offer::Keys))
}

/// Completes the path of an artifact.
pub(super) fn artifact() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| offer(current, Offer::Artifacts))
}

fn offer(current: &OsStr, offer: Offer) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let caller_env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let line = asked();
    let mut global = global_of(&line);
    if offer == Offer::Environments {
        // The one on the line may be the one that is not written to its end.
        global.env = None;
    } else if global.env.is_none() {
        global.env = std::env::var("INFRA_ENV").ok().filter(|env| !env.is_empty());
    }
    names(global, caller_env, offer, &line)
        .into_iter()
        .filter(|(name, _)| name.starts_with(&*current))
        .map(|(name, help)| CompletionCandidate::new(name).help(help.map(Into::into)))
        .collect()
}

/// The line that is being completed: what stands behind this program's own `--`.
fn asked() -> Vec<String> {
    std::env::args().skip_while(|word| word != "--").skip(1).collect()
}

/// Folder and environment of a line.
fn global_of(words: &[String]) -> Global {
    let mut global = Global::default();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        for (slot, short, long) in [(&mut global.directory, "-C", "--directory"), (&mut global.env, "-e", "--env")] {
            if word == short || word == long {
                *slot = words.next().cloned();
                break;
            }
            let value = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
            if let Some(value) = value.or_else(|| word.strip_prefix(short).filter(|rest| !rest.is_empty())) {
                *slot = Some(value.to_owned());
                break;
            }
        }
    }
    global.env = global.env.filter(|env| !env.is_empty());
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_and_environment_are_taken_from_the_line() {
        let of = |line: &str| {
            let global = global_of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
            (global.directory.unwrap_or_default(), global.env.unwrap_or_default())
        };
        let is = |directory: &str, env: &str| (directory.to_owned(), env.to_owned());
        assert_eq!(of("infra -C a run -e dev x"), is("a", "dev"));
        assert_eq!(of("infra run --env=dev --directory b/c x"), is("b/c", "dev"));
        assert_eq!(of("infra run -Ca --env "), is("a", ""));
        assert_eq!(of("infra run x"), is("", ""));
    }

    #[test]
    fn commands_options_and_values_are_offered() {
        let at = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let found = candidates(&words, words.len() - 1);
            let word = |one| match one {
                Candidate::Word { value, .. } => value,
                Candidate::Path { kind, behind } => format!("{behind}({})", kind.word()),
            };
            found.into_iter().map(word).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(at("infra sta"), "status");
        assert_eq!(at("infra graph --for"), "--format");
        assert_eq!(at("infra graph --format m"), "mermaid");
        assert_eq!(at("infra graph --format=d"), "--format=dot");
        assert_eq!(at("infra completion "), "bash zsh fish");
        assert_eq!(
            (at("infra -C x"), at("infra -Cx"), at("infra run --junit=x")),
            ("(folders)".to_owned(), "-C(folders)".to_owned(), "--junit=(files)".to_owned())
        );
        assert_eq!(
            (at("infra import make "), at("infra artifacts get a --to x")),
            ("(files)".to_owned(), "(folders)".to_owned())
        );
        assert!(!at("infra ").contains("complete "), "{}", at("infra "));
    }
}
