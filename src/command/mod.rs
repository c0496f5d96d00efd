//! Owns the commands, one file each, and the map from errors to exit codes and hints.
//! Does not know how anything is done: it puts the layers below together.

mod approve;
mod check;
mod choose;
mod context;
mod destroy;
pub mod exit;
mod history;
mod list;
mod outputs;
mod plan;
mod probe;
mod resolve;
mod run;
mod schema;
mod status;
mod watch;
mod why;

use crate::cli::{Cli, Command};
use crate::report::diagnostics::Sources;
use crate::report::paint::Tone;
use context::Context;
use exit::CommandError;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Carries out a command. Gives the exit code.
pub fn carry_out(cli: Cli, caller_env: BTreeMap<String, String>) -> u8 {
    let json = cli.global.json;
    let mut context = match Context::new(cli.global, caller_env) {
        Ok(context) => context,
        Err(error) => {
            // There is no context to say it with.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("error: {error}\n").as_bytes());
            return error.exit() as u8;
        }
    };
    let result = match &cli.command {
        Command::Run(args) => run::run(&mut context, args),
        Command::Check(_) => check::check(&context),
        Command::Schema(args) => Ok(schema::schema(&context, *args)),
        Command::Status(args) => status::status(&context, args),
        Command::Why(args) => why::why(&context, args),
        Command::Plan(args) => plan::plan(&context, args),
        Command::List(_) => list::list(&context),
        Command::Graph(args) => list::graph(&context, args),
        Command::Logs(args) => history::logs(&context, args),
        Command::History(args) => history::history(&context, args),
        Command::Outputs(args) => outputs::outputs(&context, args),
        Command::Watch(args) => {
            let selection = crate::cli::Selection { targets: args.targets.clone(), ..Default::default() };
            watch::watch(&context, &selection, args.jobs.map(std::num::NonZeroUsize::get))
        }
        Command::Destroy(args) => destroy::destroy(&context, args),
        Command::Resolve(args) => resolve::resolve(&context, args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            report(&context, &error, json);
            error.exit() as u8
        }
    }
}

fn report(context: &Context, error: &CommandError, json: bool) {
    if let CommandError::Diagnostics(found) = error {
        // Those of files were shown where they were found; those of the command line were not.
        let loose: Vec<_> = found.iter().filter(|one| one.place.is_none()).cloned().collect();
        if loose.len() == found.len() {
            context.show(found, &Sources::new());
        }
        return;
    }
    if json {
        let document = serde_json::json!({
            "v": crate::event::VERSION,
            "error": { "message": error.to_string(), "hint": error.hint(), "exit": error.exit() as u8 },
        });
        context.out(&document.to_string());
        return;
    }
    let look = &context.choice.stderr;
    let mut text = format!("{} {error}\n", look.paint(Tone::Bad, "error:"));
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "{} {hint}", look.paint(Tone::Warn, "hint:"));
    }
    context.say(&text);
}
