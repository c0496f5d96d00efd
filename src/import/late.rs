//! Owns values that are known only when a task runs: what a shell computes, what the environment has, where the tool's
//! file lies. Marks stand for them, until a script gets what computes them.
//! Does not know any tool, nor its templates.

use crate::import::draft::{Draft, add};
use crate::import::settle::HANDED_OVER;
use std::fmt::Write as _;

/// Stands for the absolute path of the folder in which the tool's file lies, which is no matter of a task file.
pub(super) const HERE: &str = "\u{2}";

/// A mark: the variable's name, the folder of its command, the command. Marks may stand in the command.
const BEGIN: char = '\u{3}';
const NEXT: char = '\u{4}';
const END: char = '\u{5}';

/// What a command prints that runs in a folder; empty: where the task runs. One that begins with `=` is no command, but
/// what a shell takes for the value itself.
pub(super) fn computed(name: &str, folder: &str, command: &str) -> String {
    format!("{BEGIN}{name}{NEXT}{folder}{NEXT}{}{END}", command.trim())
}

/// A variable of the caller's environment, and what stands for it when it is empty.
pub(super) fn of_environment(name: &str, default: &str) -> String {
    format!("{BEGIN}{name}{NEXT}{default}{NEXT}{END}")
}

/// Whether a value is one of the environment, and no more: its name.
pub(super) fn name_of_environment(value: &str) -> Option<&str> {
    let inside = value.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let (name, rest) = inside.split_once(NEXT)?;
    (rest == NEXT.to_string()).then_some(name)
}

/// Whether a value is known only when the task runs.
pub(super) fn is_late(text: &str) -> bool {
    text.contains(BEGIN) || text.contains(HERE)
}

/// Whether such a value stands in a text that a shell takes as it is: `<<'END'`.
pub(super) fn is_in_document(script: &str) -> bool {
    const QUOTED: [&str; 7] = ["<<'", "<<\"", "<<-'", "<<-\"", "<<\\", " << '", " << \""];
    is_late(script) && QUOTED.iter().any(|mark| script.contains(mark))
}

/// A text for a shell that computes the values in it, wherever they stand.
///
/// # Errors
/// One stands where none would, or where only a shell could tell: a document may have quotes that are none.
pub(super) fn for_shell(text: &str) -> Result<String, String> {
    let (out, is_open) = unquoted(text);
    if is_in_document(text) || (is_late(text) && text.contains("<<") && (is_open || out != text)) {
        return Err("a value that is computed when it runs stands where no shell would compute it".to_owned());
    }
    Ok(out)
}

/// A text in which letters are escaped, but for those of the commands that compute its values.
pub(super) fn escaped(text: &str, escape: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, mark, after)) = first(rest) {
        out.push_str(&escape(before));
        if mark.command.is_empty() {
            out.push_str(&of_environment(mark.name, &escape(mark.folder)));
        } else {
            out.push_str(&rest[before.len()..rest.len() - after.len()]);
        }
        rest = after;
    }
    out.push_str(&escape(rest));
    out
}

/// A text as it stands between single quotes.
pub(super) fn in_single_quotes(text: &str) -> String {
    escaped(text, |text| text.replace('\'', r"'\''"))
}

/// A text as it stands between double quotes, where a shell reads nothing but its values.
pub(super) fn in_double_quotes(text: &str) -> String {
    let escape = |c: char| if "\\\"$`".contains(c) { vec!['\\', c] } else { vec![c] };
    escaped(text, |text| text.chars().flat_map(escape).collect())
}

/// A line in which no such value stands between single quotes, where no shell would compute it: they end before it, and
/// begin again.
pub(super) fn out_of_quotes(line: &str) -> String {
    unquoted(line).0
}

/// Such a line, and whether a quote is open at its end.
fn unquoted(line: &str) -> (String, bool) {
    let mut out = String::new();
    let (mut single, mut double, mut escaped, mut comment) = (false, false, false, false);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let whole = match first(rest) {
            Some(("", _, after)) => &rest[..rest.len() - after.len()],
            _ => &rest[..c.len_utf8()],
        };
        let is_value = c == BEGIN || whole == HERE;
        match c {
            _ if comment => comment = c != '\n',
            _ if escaped => escaped = false,
            '\\' if !single => escaped = true,
            '#' if !single && !double => {
                comment = out.is_empty() || out.ends_with(|c: char| c.is_whitespace() || ";&|(".contains(c));
            }
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            _ => {}
        }
        if is_value && single {
            out.extend(["'\"", whole, "\"'"]);
        } else {
            out.push_str(whole);
        }
        rest = &rest[whole.len()..];
    }
    (out, single || double)
}

/// A text as people know it.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, mark, after)) = first(rest) {
        let is_named = mark.command.is_empty() || mark.command.starts_with('=');
        let command = if is_named { mark.name.to_owned() } else { format!("({})", shown(mark.command)) };
        let _ = write!(out, "{before}${command}");
        rest = after;
    }
    out.push_str(rest);
    out.replace(HERE, "{{.ROOT_DIR}}")
}

struct Mark<'a> {
    name: &'a str,
    folder: &'a str,
    command: &'a str,
}

/// What stands before the first mark, the mark, and what stands after it.
fn first(text: &str) -> Option<(&str, Mark<'_>, &str)> {
    let from = text.find(BEGIN)?;
    let mut depth = 0_usize;
    let (to, _) = text[from..].char_indices().find(|(_, c)| {
        depth = match *c {
            BEGIN => depth + 1,
            END => depth - 1,
            _ => depth,
        };
        depth == 0
    })?;
    let inside = &text[from + BEGIN.len_utf8()..from + to];
    let (name, rest) = inside.split_once(NEXT)?;
    let (folder, command) = rest.split_once(NEXT)?;
    Some((&text[..from], Mark { name, folder, command }, &text[from + to + END.len_utf8()..]))
}

/// What a draft's scripts get in place of marks.
pub(super) struct Place<'a> {
    /// Folder of the first Taskfile, relative to the project.
    pub(super) top: &'a str,
    /// Where the scripts run.
    pub(super) dir: &'a str,
    pub(super) failing: Failing,
}

/// What ends a script when a command fails whose output is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// The shell's `-e`.
    ByOption,
    /// Each line says so.
    ByLine,
}

impl Place<'_> {
    /// A script whose marks are variables that its first lines set. What it takes from the environment is named in the
    /// draft.
    pub(super) fn settled(&self, script: &str, draft: &mut Draft) -> String {
        let mut head = Head { place: self, script, known: Vec::new(), lines: String::new() };
        let text = head.text(script, draft);
        if head.lines.is_empty() && text == script && !script.contains(HERE) {
            return text;
        }
        let mut text = format!("{}{text}", head.lines);
        if text.contains(HERE) {
            let above = if self.dir == self.top {
                "$PWD".to_owned()
            } else {
                format!("$(cd {} && pwd)", way(self.dir, self.top))
            };
            text = format!("root_dir={above}\n{}", text.replace(HERE, "$root_dir"));
        }
        text
    }

    /// The folder of a command, from where the scripts run; empty: the same.
    fn folder(&self, folder: &str) -> String {
        if folder.is_empty() || (folder == HERE && self.dir == self.top) { String::new() } else { folder.to_owned() }
    }
}

/// The first lines of a script while they are made.
struct Head<'a> {
    place: &'a Place<'a>,
    script: &'a str,
    /// What each line sets: the folder and the command, and the shell's variable.
    known: Vec<(String, String)>,
    lines: String,
}

impl Head<'_> {
    fn text(&mut self, text: &str, draft: &mut Draft) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, mark, after)) = first(rest) {
            out.push_str(before);
            if mark.command.is_empty() {
                if !HANDED_OVER.contains(&mark.name) {
                    add(&mut draft.pass_env, mark.name);
                }
                let default = if mark.folder.is_empty() { String::new() } else { format!(":-{}", mark.folder) };
                let _ = write!(out, "${{{}{default}}}", mark.name);
            } else {
                let name = self.variable(&mark, draft);
                let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                let _ = if goes_on { write!(out, "${{{name}}}") } else { write!(out, "${name}") };
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The variable that a line sets.
    fn variable(&mut self, mark: &Mark<'_>, draft: &mut Draft) -> String {
        let what = format!("{}{NEXT}{}", mark.folder, mark.command);
        if let Some((_, name)) = self.known.iter().find(|(known, _)| *known == what) {
            return name.clone();
        }
        let command = self.text(mark.command, draft);
        let mut name: String =
            mark.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        let taken = |name: &str| {
            [format!("${name}"), format!("${{{name}"), format!("{name}="), format!(" {name} in ")]
                .iter()
                .any(|use_of_it| self.script.contains(use_of_it))
                || self.known.iter().any(|(_, known)| known == name)
        };
        while taken(&name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        let folder = self.place.folder(mark.folder);
        let several = command.contains([';', '\n', '&']);
        let _ = match (folder.as_str(), self.place.failing) {
            _ if command.starts_with('=') => writeln!(self.lines, "{name}{command}"),
            ("", Failing::ByLine) => writeln!(self.lines, "{name}=$({command}) || exit"),
            (folder, Failing::ByLine) => {
                writeln!(self.lines, "{name}=$(cd \"{folder}\" || exit; {command}) || exit")
            }
            ("", Failing::ByOption) if !several => writeln!(self.lines, "{name}=$({command})"),
            ("", Failing::ByOption) => writeln!(self.lines, "{name}=$(set -e; {command})"),
            (folder, Failing::ByOption) => {
                writeln!(self.lines, "{name}=$(set -e; cd \"{folder}\"; {command})")
            }
        };
        self.known.push((what, name.clone()));
        name
    }
}

/// The absolute path of a folder of the project.
pub(super) fn rooted_at(top: &str, dir: &str) -> String {
    if dir == top { HERE.to_owned() } else { format!("{HERE}/{}", way(top, dir)) }
}

/// The way from one folder of the project to another.
fn way(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    up.chain(to[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_quotes_end_before_what_is_computed() {
        let late = computed("A", "", "echo 'x'");
        assert_eq!(out_of_quotes(&format!("echo 'a {late}'")), format!("echo 'a '\"{late}\"''"));
        assert_eq!(out_of_quotes("x 'y' '\u{2}/z'"), "x 'y' ''\"\u{2}\"'/z'");
        for line in [format!("echo 'a' \"it's {late}\" '"), format!("echo \\'{late}"), "echo 'é'".to_owned()] {
            assert_eq!(out_of_quotes(&line), line);
        }
        let comment = format!("# it's\necho {late} '' # it's {late}");
        assert_eq!(for_shell(&comment), Ok(comment.clone()));
        assert_eq!(for_shell(&format!("echo a#'{late}'")), Ok(format!("echo a#''\"{late}\"''")));
    }

    #[test]
    fn what_may_stand_in_a_document_is_refused() {
        let late = computed("A", "", "echo 'x'");
        for text in ["cat <<'END'\nA\nEND", "cat <<E\nit's A\nE", "cat <<E\nit's\nE\necho 'A'"] {
            assert!(for_shell(&text.replace('A', &late)).is_err(), "{text}");
            assert_eq!(for_shell(text).as_deref(), Ok(text));
        }
        let plain = format!("cat <<E\n{late}\nE");
        assert_eq!(for_shell(&plain), Ok(plain.clone()));
    }

    #[test]
    fn letters_of_commands_are_not_escaped() {
        let late = computed("A", "", "echo '$x'");
        assert_eq!(in_single_quotes(&format!("it's {late}'")), format!("it'\\''s {late}'\\''"));
        assert_eq!(in_double_quotes(&format!("$a \"{late}\" `\\")), format!("\\$a \\\"{late}\\\" \\`\\\\"));
        assert_eq!(in_single_quotes(&of_environment("A", "it's")), of_environment("A", "it'\\''s"));
    }

    #[test]
    fn a_script_sets_what_it_reads_first() {
        let place = Place { top: "", dir: "web", failing: Failing::ByOption };
        let mut draft = Draft::default();
        let inner = computed("INNER", "", "date");
        let outer = computed("OUTER", HERE, &format!("echo {inner}"));
        let script = format!("echo {outer}x {inner} {}", of_environment("TOKEN", ""));
        let settled = place.settled(&script, &mut draft);
        assert_eq!(
            settled,
            "root_dir=$(cd .. && pwd)\ninner=$(date)\nouter=$(set -e; cd \"$root_dir\"; echo $inner)\n\
             echo ${outer}x $inner ${TOKEN}"
        );
        assert_eq!(draft.pass_env, ["TOKEN"]);
        assert_eq!(shown(&outer), "$(echo $(date))");
        assert_eq!(place.settled("echo a", &mut draft), "echo a");
    }

    #[test]
    fn a_variable_of_the_environment_is_known_by_its_name() {
        assert_eq!(name_of_environment(&of_environment("HOME", "")), Some("HOME"));
        assert_eq!(name_of_environment(&of_environment("HOME", "x")), None);
        assert_eq!(name_of_environment("HOME"), None);
    }
}
