//! Owns the manual pages, made of the grammar's own words.
//! Does not know where they are put.

use super::Cli;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

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
    let mut page = Vec::new();
    // Writing to memory does not fail.
    Man::new(command.clone()).title(title).source("infra").manual("infra").render(&mut page).ok()?;
    String::from_utf8(page).ok()
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
