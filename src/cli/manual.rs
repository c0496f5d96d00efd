//! Owns the manual pages, made of the grammar's own words.
//! Does not know where they are put.

use super::Cli;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::fmt::Write as _;

/// The manual page of the program, or of a command of it; `None`: there is no such command.
pub fn manual(path: &[String]) -> Option<String> {
    // `help` is told by `--help`, and has no page to be referred to.
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut command = &root;
    for name in path {
        command = command.find_subcommand(name).filter(|one| shown(one))?;
    }
    let title = std::iter::once("infra").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = section("SYNOPSIS", usage.trim_start_matches("Usage:").lines().map(str::trim));
    let mut page = Vec::new();
    // Without what is told in sections of its own below. Writing to memory does not fail.
    let bare = command.clone().after_help(None::<&str>);
    Man::new(bare).title(title).source("infra").manual("infra").render(&mut page).ok()?;
    let page = String::from_utf8(page).ok()?;
    // The renderer's synopsis has every option and none of their values.
    let (head, rest) = page.split_once(".SH SYNOPSIS\n")?;
    let (_, rest) = rest.split_once(".SH DESCRIPTION\n")?;
    let (body, version) = match rest.split_once(".SH VERSION\n") {
        Some((body, version)) => (body, format!(".SH VERSION\n{version}")),
        None => (rest, String::new()),
    };
    let mut told = String::new();
    for part in after.split("\n\n").filter(|part| !part.is_empty()) {
        let (head, lines) = part.split_once('\n').unwrap_or((part, ""));
        told.push_str(&section(
            &head.trim_end_matches(':').to_uppercase().replace("EXIT CODES", "EXIT STATUS"),
            lines.lines(),
        ));
    }
    Some(format!("{head}{usage}.SH DESCRIPTION\n{body}{told}{version}"))
}

/// A section whose lines stay as they are.
fn section<'a>(head: &str, lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = format!(".SH \"{head}\"\n.nf\n");
    for line in lines.filter(|line| !line.is_empty()) {
        // A dot or a quote at the start would be a command.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        let _ = writeln!(text, "{guard}{}", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"));
    }
    text.push_str(".fi\n");
    text
}

/// Every command that has a page, by its words; the program itself first.
pub fn manuals() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    below(&Cli::command(), &[], &mut found);
    found
}

fn below(command: &Command, path: &[String], found: &mut Vec<Vec<String>>) {
    for one in command.get_subcommands().filter(|one| shown(one)) {
        let mut path = path.to_vec();
        path.push(one.get_name().to_owned());
        found.push(path.clone());
        below(one, &path, found);
    }
}

fn shown(command: &Command) -> bool {
    command.get_name() != "help" && !command.is_hide_set()
}
