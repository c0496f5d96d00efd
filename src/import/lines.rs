//! Owns lines that a tool gives to a shell each by itself, as one script.
//! Does not know whose lines they are.

use crate::import::calls::is_call;
use std::fmt::Write as _;

/// What the tool's own shell does where a command in the middle of a line fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errexit {
    /// It goes on.
    Off,
    /// It ends there.
    On,
}

impl Errexit {
    /// By the options that the tool gives its shell.
    pub fn of(flags: &[String]) -> Self {
        let ends = flags
            .iter()
            .any(|flag| flag == "errexit" || (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('e')));
        if ends { Self::On } else { Self::Off }
    }
}

/// Puts each line of a script into a shell of its own that the next line does not see, where that makes a difference;
/// `-e` of the outer shell ends the script at the first line that fails. Lines that may fail are marked.
pub fn lines_apart(lines: &[(String, bool)], errexit: Errexit) -> String {
    let mut script = String::new();
    for (line, may_fail) in lines {
        let end = if *may_fail { " || true" } else { "" };
        let _ = match (errexit, is_plain(line)) {
            (_, true) => writeln!(script, "{line}{end}"),
            (Errexit::Off, false) => writeln!(script, "(set +e\n{line}\n){end}"),
            // The other options of the shell hold within as well.
            (Errexit::On, false) if !may_fail => writeln!(script, "(\n{line}\n)"),
            // What stands before `||` is never ended by `-e`.
            (Errexit::On, false) => writeln!(script, "set +e\n(set -e\n{line}\n)\nset -e"),
        };
    }
    script
}

/// Lines that do one thing if a condition holds, and else another (nothing: empty), in a shell with `-e`. The
/// condition itself is ended by the first command in it that fails.
pub fn depending(condition: &str, then: &str, or: &str) -> String {
    let or = if or.is_empty() { String::new() } else { format!("else\n{or}\n") };
    match holds(condition, Errexit::On) {
        Some(plain) => format!("if {plain}; then\n{then}\n{or}fi"),
        None => format!("set +e\n(set -e\n{condition}\n)\nif [ $? = 0 ]; then\nset -e\n{then}\n{or}fi\nset -e"),
    }
}

/// Whether one of these words stands between single quotes, where no shell puts in what it stands for.
pub(super) fn is_in_single_quotes(line: &str, word: &str) -> bool {
    let (mut single, mut double, mut escaped) = (false, false, false);
    for (at, c) in line.char_indices() {
        if single && line[at..].starts_with(word) {
            return true;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if !single => escaped = true,
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            _ => {}
        }
    }
    false
}

/// A command as it can stand where the shell asks whether it holds; `None`: there `-e` would be lost.
pub(super) fn holds(command: &str, errexit: Errexit) -> Option<&str> {
    (errexit == Errexit::Off || is_plain(command) || is_test(command)).then_some(command)
}

/// Whether what a line does can't be seen by the next one, and it is a single command.
fn is_plain(line: &str) -> bool {
    const SEEN: [&str; 15] = [
        "cd", "set", "exit", "export", "exec", ".", "unset", "umask", "trap", "shift", "eval", "read", "alias",
        "source", "pushd",
    ];
    is_call(line)
        || (!line.contains([';', '&', '|', '\n', '#', '=', '(', '{'])
            && !SEEN.contains(&line.split_whitespace().next().unwrap_or("")))
}

/// `[ "$A" = b ]`, with nothing after it.
fn is_test(line: &str) -> bool {
    let inside = line.trim().strip_prefix("[ ").and_then(|rest| rest.strip_suffix(" ]"));
    inside.is_some_and(|inside| !inside.contains([']', ';', '\n', '#', '(', '`', '&', '|']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_could_be_seen_by_the_next_gets_a_shell_of_its_own() {
        let lines = [("cd x && make".to_owned(), false), ("echo a".to_owned(), false), ("rm b".to_owned(), true)];
        assert_eq!(lines_apart(&lines, Errexit::Off), "(set +e\ncd x && make\n)\necho a\nrm b || true\n");
        assert_eq!(lines_apart(&lines, Errexit::On), "(\ncd x && make\n)\necho a\nrm b || true\n");
        let lines = [("a; b".to_owned(), true)];
        assert_eq!(lines_apart(&lines, Errexit::On), "set +e\n(set -e\na; b\n)\nset -e\n");
    }

    #[test]
    fn the_shells_own_options_say_where_a_line_ends() {
        let of = |flags: &str| Errexit::of(&flags.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!((of("-euo pipefail"), of("-ue"), of("-o errexit")), (Errexit::On, Errexit::On, Errexit::On));
        assert_eq!((of("-u"), of("-o pipefail"), of("--norc")), (Errexit::Off, Errexit::Off, Errexit::Off));
    }

    #[test]
    fn a_condition_of_several_commands_keeps_its_errexit() {
        assert_eq!(depending("test -f a", "b", ""), "if test -f a; then\nb\nfi");
        assert_eq!(depending("[ \"$A\" = b ]", "b", "c"), "if [ \"$A\" = b ]; then\nb\nelse\nc\nfi");
        assert!(depending("a; b", "c", "").starts_with("set +e\n(set -e\na; b\n)\nif [ $? = 0 ]; then\nset -e\nc\n"));
        assert!(holds("[ a ] && b ]", Errexit::On).is_none());
    }
}
