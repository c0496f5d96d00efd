//! Owns the commands of a task of a Taskfile: as text, as Task itself would run them where a template is beyond us,
//! and as one script.
//! Does not know where they stand in the file.

use crate::import::draft::lines_apart;
use crate::import::taskfile::variables::HERE;
use std::fmt::Write as _;

/// When a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    InTurn,
    /// At the end, however it ends (`defer`).
    AtEnd,
}

/// One command.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// `Err`: why its template can't be filled.
    pub(super) text: Result<String, String>,
    pub(super) may_fail: bool,
    pub(super) when: When,
}

/// The question how Task would run a task: it runs nothing, but computes variables.
pub fn rehearsal(file: &str, task: &str, vars: &[(String, String)]) -> Vec<String> {
    let mut argv: Vec<String> =
        ["task", "--taskfile", file, "--dry", "--force", "--verbose", "--color=false", task].map(str::to_owned).into();
    argv.extend(vars.iter().map(|(name, value)| format!("{name}={value}")));
    argv
}

/// The commands of one task in what Task said.
pub(super) fn rehearsed(said: &str, task: &str) -> Vec<String> {
    let head = format!("task: [{task}] ");
    let mut commands: Vec<String> = Vec::new();
    let mut is_ours = false;
    for line in said.lines() {
        if let Some(command) = line.strip_prefix(&head) {
            commands.push(command.to_owned());
            is_ours = true;
        } else if line.starts_with("task: ") {
            is_ours = false;
        } else if let (true, Some(last)) = (is_ours, commands.last_mut()) {
            last.push('\n');
            last.push_str(line);
        }
    }
    commands.into_iter().map(|command| command.trim_end().to_owned()).collect()
}

/// Fills what could not be filled with what Task would run, if that is as many commands; gives whether it did.
pub(super) fn fill_in(commands: &mut [Command], rehearsed: &[String], root: &str) -> bool {
    // What is put off runs last, the latest first.
    let mut order: Vec<usize> = (0..commands.len()).filter(|at| commands[*at].when == When::InTurn).collect();
    order.extend((0..commands.len()).rev().filter(|at| commands[*at].when == When::AtEnd));
    if order.len() != rehearsed.len() {
        return false;
    }
    for (at, text) in order.into_iter().zip(rehearsed) {
        if commands[at].text.is_err() {
            commands[at].text = Ok(text.replace(root, HERE));
        }
    }
    true
}

/// Lines as one script, and whether it needs a shell that ends at the first line that fails.
///
/// # Errors
/// Why a command has no text.
pub(super) fn script(checks: Vec<String>, commands: &[Command]) -> Result<(String, bool), String> {
    let mut lines: Vec<(String, bool)> = checks.into_iter().map(|check| (check, false)).collect();
    let (mut text, mut at_end) = (String::new(), String::new());
    for command in commands {
        let line = command.text.clone()?;
        match command.when {
            When::InTurn => lines.push((line, command.may_fail)),
            When::AtEnd => {
                text.push_str(&lines_apart(&std::mem::take(&mut lines)));
                at_end = format!("( {line}\n){}{at_end}", if at_end.is_empty() { "" } else { "; " });
                let _ = writeln!(text, "trap '{}' EXIT", at_end.replace('\'', r"'\''"));
            }
        }
    }
    if text.is_empty()
        && let [(line, false)] = lines.as_slice()
    {
        return Ok((line.clone(), false));
    }
    text.push_str(&lines_apart(&lines));
    Ok((text, true))
}

/// Whether a value that a shell computes stands where none would: between single quotes.
pub(super) fn is_quoted_away(line: &str) -> bool {
    ["$(", HERE].iter().any(|mark| line.match_indices(mark).any(|(at, _)| line[..at].matches('\'').count() % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, when: When) -> Command {
        let text = if text.is_empty() { Err("a template".to_owned()) } else { Ok(text.to_owned()) };
        Command { text, may_fail: false, when }
    }

    #[test]
    fn what_task_would_run_is_read() {
        let said = "task: \"x\" started\ntask: [x] echo 1\necho 2\n\ntask: [y] echo y\ntask: \"y\" finished\n\
                    task: [x] cd /p/bin\ntask: \"x\" finished\n";
        assert_eq!(rehearsed(said, "x"), ["echo 1\necho 2", "cd /p/bin"]);
        let mut commands = [command("", When::AtEnd), command("kept", When::InTurn)];
        assert!(fill_in(&mut commands, &rehearsed(said, "x"), "/p"));
        assert_eq!(commands[0].text.as_deref(), Ok("cd \u{2}/bin"));
        assert_eq!(commands[1].text.as_deref(), Ok("kept"));
        assert!(!fill_in(&mut commands, &rehearsed(said, "y"), "/p"));
    }

    #[test]
    fn what_is_put_off_runs_last() {
        let commands = [command("a", When::AtEnd), command("b", When::InTurn), command("echo 'c'", When::AtEnd)];
        let (text, _) = script(Vec::new(), &commands).unwrap();
        assert_eq!(text, "trap '( a\n)' EXIT\nb\ntrap '( echo '\\''c'\\''\n); ( a\n)' EXIT\n");
        assert_eq!(script(Vec::new(), &[command("a; b", When::InTurn)]).unwrap(), ("a; b".to_owned(), false));
    }

    #[test]
    fn single_quotes_hide_what_is_computed() {
        assert!(is_quoted_away("echo 'a $(b)'") && is_quoted_away("x 'y' '\u{2}/z'"));
        assert!(!is_quoted_away("echo 'a' $(b) '") && !is_quoted_away("echo a"));
    }
}
