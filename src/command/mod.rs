//! Owns the commands, one file each, and the map from errors to exit codes and hints.
//! Does not know how anything is done: it puts the layers below together.

mod approve;
mod artifacts;
mod check;
mod choose;
mod clean;
pub mod completion;
mod context;
mod destroy;
mod doctor;
mod edit;
pub mod exit;
mod history;
mod hold;
mod import;
mod init;
mod list;
mod logs;
mod man;
mod outputs;
mod overlay;
mod plan;
mod probe;
mod resolve;
mod run;
mod schema;
mod show;
mod status;
mod still;
mod watch;
mod why;

use crate::cli::{Cli, Command};
use crate::report::flow::flow;
use crate::report::json::{self, ErrorView};
use crate::report::paint::Tone;
use context::Context;
use exit::CommandError;
use std::collections::BTreeMap;

/// Carries out a command. Gives the exit code.
pub fn carry_out(cli: Cli, caller_env: BTreeMap<String, String>) -> u8 {
    crate::host::signals::outlive_file_limits();
    let mut context = Context::new(cli.global, caller_env);
    let result = match &cli.command {
        Command::Run(args) => run::run(&mut context, args),
        Command::Check(_) => check::check(&context),
        Command::Schema(args) => Ok(schema::schema(&context, *args)),
        Command::Status(args) => status::status(&context, args),
        Command::Why(args) => why::why(&context, args),
        Command::Plan(args) => plan::plan(&context, args),
        Command::Init(args) => init::init(&context, *args),
        Command::Import(args) => import::import(&context, args),
        Command::List(_) => list::list(&context),
        Command::Show(args) => show::show(&context, args),
        Command::Edit(args) => edit::edit(&context, args),
        Command::Graph(args) => list::graph(&context, args),
        Command::Logs(args) => logs::logs(&context, args),
        Command::History(args) => history::history(&context, args),
        Command::Outputs(args) => outputs::outputs(&context, args),
        Command::Watch(args) => {
            let selection = crate::cli::Selection { targets: args.targets.clone(), ..Default::default() };
            let args = crate::cli::RunArgs { jobs: args.jobs, ..Default::default() };
            watch::watch(&context, &selection, &args)
        }
        Command::Destroy(args) => destroy::destroy(&context, args),
        Command::Artifacts(args) => artifacts::artifacts(&context, args),
        Command::Clean(args) => clean::clean(&context, args),
        Command::Completion(args) => completion::script(&context, *args),
        Command::Complete(args) => Ok(completion::complete(&context, args)),
        Command::Man(args) => man::man(&context, args),
        Command::Doctor(_) => doctor::doctor(&context),
        Command::Resolve(args) => resolve::resolve(&context, args),
    };
    let code = match &result {
        Ok(code) => *code,
        Err(error) => {
            report(&context, error);
            error.exit() as u8
        }
    };
    match context.unwritten().filter(|_| result.is_ok()) {
        Some(error) => {
            say_error(&context, &error);
            error.exit() as u8
        }
        None => code,
    }
}

fn report(context: &Context, error: &CommandError) {
    if let CommandError::Diagnostics { found, sources } = error {
        context.show(found, sources);
        return;
    }
    if context.global.json {
        let error = ErrorView { message: error.to_string(), hint: error.hint(), exit: error.exit() as u8 };
        context.out(&json::document(&json::Failed { error }));
        return;
    }
    say_error(context, error);
}

fn say_error(context: &Context, error: &CommandError) {
    let mut text = said(context, ("error:", Tone::Bad), &error.to_string());
    if let Some(hint) = error.hint() {
        text += &said(context, ("hint:", Tone::Warn), &hint);
    }
    context.say(&text);
}

/// A word and a text, as wide as the terminal.
fn said(context: &Context, (word, tone): (&str, Tone), text: &str) -> String {
    const FURTHER: usize = 2;
    let look = &context.choice.stderr;
    let mut said = look.paint(tone, word);
    for (at, line) in text.lines().enumerate() {
        said.push_str(if at == 0 { " " } else { "\n" });
        said.push_str(&flow(if at == 0 { word.len() + 1 } else { 0 }, FURTHER, line, look.width).join("\n"));
    }
    said.push('\n');
    said
}
