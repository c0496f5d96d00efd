//! Owns `docs/commands.md`: the command line's own words, as Markdown.

use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;

/// The whole page.
pub fn reference() -> String {
    let mut cli = infra::cli::Cli::command();
    cli.build();
    let mut page = String::from(
        "# Commands\n\n<!-- generated: UPDATE_DOCS=1 cargo test --test docs -->\n\n\
         What `infra --help` and `infra COMMAND --help` say. Exit codes have [a page of their own](exit-codes.md), \
         and so has [machine output](json.md).\n\n",
    );
    let commands: Vec<&Command> =
        cli.get_subcommands().filter(|one| one.get_name() != "help" && !one.is_hide_set()).collect();
    page.push_str("| command | does |\n|---|---|\n");
    for one in &commands {
        let _ = writeln!(page, "| [`{0}`](#infra-{0}) | {1} |", one.get_name(), about(one));
    }
    page.push_str("\n## Targets\n\n```text\n");
    let after = cli.get_after_help().map(ToString::to_string).unwrap_or_default();
    let targets = after.split("Exit codes:").next().unwrap_or("").trim_start_matches("Targets:\n").trim_end();
    let _ = writeln!(page, "{targets}\n```");
    page.push_str("\n## Options of every command\n\n");
    options(&mut page, cli.get_arguments().filter(|arg| !is_built_in(arg)));
    for one in commands {
        section(&mut page, one, &format!("infra {}", one.get_name()));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// A command, and the commands that it has of its own.
fn section(page: &mut String, one: &Command, name: &str) {
    let _ = write!(page, "\n## {name}\n\n{}.\n\n", about(one));
    let usage = one.clone().render_usage().to_string().replace("Usage: ", "");
    let usage: Vec<&str> = usage.lines().map(str::trim).collect();
    let _ = writeln!(page, "```text\n{}\n```\n", usage.join("\n").trim());
    let own = one.get_arguments().filter(|arg| !is_built_in(arg) && !arg.is_global_set());
    options(page, own);
    for inner in one.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set()) {
        section(page, inner, &format!("{name} {}", inner.get_name()));
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(|about| cell(&about.to_string())).unwrap_or_default()
}

fn is_built_in(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

/// A table of arguments and options.
fn options<'a>(page: &mut String, args: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = args.map(row).collect();
    if rows.is_empty() {
        page.push_str("No options of its own.\n");
        return;
    }
    page.push_str("| option | means |\n|---|---|\n");
    page.extend(rows);
}

fn row(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    let takes = arg.get_action().takes_values();
    let mut name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => String::new(),
    };
    if takes {
        let open = if name.is_empty() { "" } else { " " };
        let _ = write!(name, "{open}{value}");
    }
    let mut help = arg.get_help().map(|help| cell(&help.to_string())).unwrap_or_default();
    let words: Vec<String> = arg.get_possible_values().iter().map(|word| format!("`{}`", word.get_name())).collect();
    if takes && !words.is_empty() {
        let _ = write!(help, " ({})", words.join(", "));
    }
    let default: Vec<String> =
        arg.get_default_values().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if takes && !default.is_empty() {
        let _ = write!(help, "; default `{}`", default.join(" "));
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(help, "; also from `{}`", variable.to_string_lossy());
    }
    format!("| `{name}` | {help} |\n")
}

/// Text that stands in a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
