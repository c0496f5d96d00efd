//! Owns the start and the exit of the program.
//! Does not know anything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let cli = match infra::cli::read(&words) {
        Ok(cli) => cli,
        Err(unread) => return ExitCode::from(unread.tell()),
    };
    let caller_env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    ExitCode::from(infra::command::carry_out(cli, caller_env))
}
