//! Owns `infra man`: a manual page as the program has it.
//! Does not know how pages are made of the grammar (`cli`).

use crate::cli::{ManArgs, manual, manuals};
use crate::command::context::Context;
use crate::command::exit::CommandError;

/// Prints a page.
///
/// # Errors
/// An unknown command; `--json`.
pub fn man(context: &Context, args: &ManArgs) -> Result<u8, CommandError> {
    context.no_json("a manual page")?;
    match manual(&args.command) {
        Some(page) => context.out(&page),
        None => {
            let known: Vec<String> =
                manuals().into_iter().map(|path| path.join(" ")).filter(|path| !path.is_empty()).collect();
            return Err(CommandError::usage(
                format!("there is no command `{}`", args.command.join(" ")),
                format!("these have a page: {}", crate::report::text::names(&known, known.len())),
            ));
        }
    }
    Ok(0)
}
