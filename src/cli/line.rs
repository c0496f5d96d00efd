//! Owns the reading of the command line, and what is said of one that asks for help or can't be read.
//! Does not know what a command does.

use crate::cli::Cli;
use crate::report::json::{self, ErrorView, Failed};
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;

/// The variable that stands for `--env`.
const ENV: &str = "INFRA_ENV";

/// A command line that is no command: a wish for help, or a mistake.
#[derive(Debug)]
pub struct Unread {
    error: clap::Error,
    /// A program asks: it gets a mistake as a document.
    json: bool,
}

/// Reads the command line; its first word is the program.
///
/// # Errors
/// No command; `tell` says so.
pub fn read(words: &[OsString]) -> Result<Cli, Unread> {
    // What is said of a mistake depends on options that may stand behind it.
    let options: Vec<&str> =
        words.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let color = options.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--color") {
        Some("") => options.get(at + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    let color = match color {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let json = options.contains(&"--json");
    let mut command = Cli::command().color(color);
    if std::env::var_os(ENV).is_some_and(|env| env.is_empty()) {
        // CI systems set a variable that nobody filled in to nothing.
        command = command.mut_arg("env", |arg| arg.env(Resettable::Reset));
    }
    let matches = command
        .try_get_matches_from_mut(words)
        .map_err(|error| Unread { error: with_tip(error, &command, &options), json })?;
    Cli::from_arg_matches(&matches).map_err(|error| Unread { error: error.format(&mut command), json })
}

/// Who comes from a tool that runs `TOOL TASK` is told how a task is run here.
fn with_tip(mut error: clap::Error, command: &clap::Command, words: &[&str]) -> clap::Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand).cloned() else { return error };
    let is_inner =
        words.iter().take_while(|word| **word != unknown).any(|word| command.find_subcommand(word).is_some());
    if !is_inner {
        // Letters make `deploy` like `destroy`; nobody is led from the one to the other.
        let destroys = |similar: &ContextValue| matches!(similar, ContextValue::Strings(all) if all.iter().any(|one| one == "destroy"));
        if !unknown.starts_with("des") && error.get(ContextKind::SuggestedSubcommand).is_some_and(destroys) {
            error.remove(ContextKind::SuggestedSubcommand);
        }
        let tip = format!("a task is run with 'infra run {unknown}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

impl Unread {
    /// Says it where it belongs. Gives the exit code.
    pub fn tell(&self) -> u8 {
        let exit = u8::try_from(self.error.exit_code()).unwrap_or(2);
        let is_answer = matches!(self.error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if self.json && !is_answer {
            let document = json::document(&Failed { error: self.view(exit) }) + "\n";
            let _ = std::io::stdout().write_all(document.as_bytes());
        } else {
            // Nobody reading is no error.
            let _ = self.error.print();
        }
        exit
    }

    fn view(&self, exit: u8) -> ErrorView {
        let text = self.error.render().to_string();
        let mut parts = text.trim().splitn(2, "\n\n");
        let message = parts.next().unwrap_or_default().trim_start_matches("error: ").trim().to_owned();
        let hint = parts.next().map(|rest| rest.trim().to_owned()).filter(|rest| !rest.is_empty());
        ErrorView { message, hint, exit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(line: &str) -> Unread {
        let words: Vec<OsString> = std::iter::once("infra").chain(line.split(' ')).map(OsString::from).collect();
        read(&words).unwrap_err()
    }

    #[test]
    fn a_mistake_is_a_document_for_a_program() {
        let mistake = unread("status --nope --json");
        let view = mistake.view(2);
        assert!(mistake.json && view.message.contains("unexpected argument '--nope'"), "{view:?}");
        assert!(view.hint.is_some_and(|hint| hint.contains("Usage: infra status")));
        assert!(!unread("run -j 0").json && !unread("run -j 0 -- --json").json);
    }

    #[test]
    fn who_names_a_task_is_told_how_it_is_run() {
        let said = |line: &str| unread(line).error.render().to_string();
        assert!(said("-C x deploy").contains("tip: a task is run with 'infra run deploy'"), "{}", said("deploy"));
        assert!(unread("deploy --json").view(2).hint.is_some_and(|hint| hint.contains("infra run deploy")));
        assert!(!said("deploy").contains("destroy") && said("destry").contains("'destroy'"), "{}", said("deploy"));
        for line in ["artifacts zzz", "run --nope"] {
            assert!(!said(line).contains("a task is run"), "{}", said(line));
        }
    }

    #[test]
    fn colours_are_those_that_are_wished_for() {
        let text = |line: &str| unread(line).error.render().ansi().to_string();
        let colored = |line: &str| format!("{:?}", unread(line).error).contains("color_when: Always");
        assert!(text("statu").contains("statu"));
        assert!(colored("--color always statu") && colored("statu --color=always"));
        assert!(!colored("--color never statu") && !colored("statu"));
    }
}
