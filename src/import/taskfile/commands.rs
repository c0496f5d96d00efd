//! Owns the commands of a task of a Taskfile: as text, as Task itself would run them where a template is beyond us,
//! and as one script.
//! Does not know where they stand in the file.

use crate::import::calls::is_call;
use crate::import::late::{HERE, for_shell, in_single_quotes};
use crate::import::lines::{Errexit, depending, lines_apart};
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
    /// A command that decides whether it runs.
    pub(super) only_if: Option<String>,
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
    let is_own = |at: &usize| !commands[*at].text.as_ref().is_ok_and(|text| is_call(text));
    let mut order: Vec<usize> =
        (0..commands.len()).filter(|at| commands[*at].when == When::InTurn).filter(is_own).collect();
    order.extend((0..commands.len()).rev().filter(|at| commands[*at].when == When::AtEnd));
    if order.len() != rehearsed.len() {
        return false;
    }
    for (at, text) in order.into_iter().zip(rehearsed) {
        if commands[at].text.is_err() {
            let Ok(text) = for_shell(&text.replace(root, HERE)) else { return false };
            commands[at].text = Ok(text);
        }
    }
    true
}

/// Lines as one script for a shell with `-e`, which Task gives to each of them.
///
/// # Errors
/// Why a command has no text.
pub(super) fn script(checks: Vec<String>, commands: &[Command]) -> Result<String, String> {
    let mut lines: Vec<(String, bool)> = checks.into_iter().map(|check| (check, false)).collect();
    let (mut text, mut at_end) = (String::new(), String::new());
    for command in commands {
        let mut line = command.text.clone()?;
        if let Some(condition) = &command.only_if {
            line = depending(condition, &line, "");
        }
        match command.when {
            When::InTurn => lines.push((line, command.may_fail)),
            When::AtEnd => {
                text.push_str(&lines_apart(&std::mem::take(&mut lines), Errexit::On));
                at_end = format!("; (set -e\n{line}\n){at_end}");
                let _ = writeln!(text, "trap 'set +e{}' EXIT", in_single_quotes(&at_end));
            }
        }
    }
    if text.is_empty()
        && let [(line, false)] = lines.as_slice()
    {
        return Ok(line.clone());
    }
    text.push_str(&lines_apart(&lines, Errexit::On));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, when: When) -> Command {
        let text = if text.is_empty() { Err("a template".to_owned()) } else { Ok(text.to_owned()) };
        Command { text, may_fail: false, only_if: None, when }
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
        let text = script(Vec::new(), &commands).unwrap();
        assert_eq!(
            text,
            "trap 'set +e; (set -e\na\n)' EXIT\nb\ntrap 'set +e; (set -e\necho '\\''c'\\''\n); (set -e\na\n)' EXIT\n"
        );
        assert_eq!(script(Vec::new(), &[command("a; b", When::InTurn)]).unwrap(), "a; b");
    }
}
