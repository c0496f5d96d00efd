//! Owns the start and the exit of the program.
//! Does not know anything else.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = infra::cli::Cli::parse();
    let caller_env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    ExitCode::from(infra::command::carry_out(cli, caller_env))
}
