//! Owns the reading of dotenv files: `KEY=VALUE` lines, quotes, `export`, comments.
//! Does not know which variables are wanted.

use crate::model::diagnostic::{Diagnostic, Place};
use camino::Utf8Path;
use std::collections::BTreeMap;

/// Reads a file into `into`; a later value replaces an earlier one.
pub(super) fn read(path: &Utf8Path, text: &str, into: &mut BTreeMap<String, String>, problems: &mut Vec<Diagnostic>) {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim();
        let offset = start + (line.len() - line.trim_start().len());
        start += line.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let assignment = content.strip_prefix("export ").unwrap_or(content).trim_start();
        let parsed = assignment.split_once('=').and_then(|(key, value)| {
            let key = key.trim();
            let plain = !key.is_empty()
                && !key.starts_with(|c: char| c.is_ascii_digit())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            Some((plain.then_some(key)?, unquote(value.trim())?))
        });
        match parsed {
            Some((key, value)) => {
                into.insert(key.to_owned(), value);
            }
            None => {
                let place = Place { file: path.to_owned(), span: offset..offset + content.len() };
                // The line itself may hold a secret, so only its number is said.
                let message = format!("line {} of `{path}` is no `KEY=VALUE`", number + 1);
                problems.push(Diagnostic::error("bad-dotenv", &place, message));
            }
        }
    }
}

/// Why a file may not be read here as other tools read it: a line that is none here, or a value in which they put in
/// variables or read escapes in ways of their own.
pub fn odd(path: &Utf8Path, text: &str) -> Option<String> {
    let mut problems = Vec::new();
    read(path, text, &mut BTreeMap::new(), &mut problems);
    if let Some(problem) = problems.first() {
        return Some(problem.message.clone());
    }
    let is_odd = |line: &str| {
        let value = line.split_once('=').map_or("", |(_, value)| value.trim());
        !line.trim().starts_with('#') && !value.starts_with('\'') && value.contains(['$', '\\'])
    };
    let number = text.lines().position(is_odd)? + 1;
    Some(format!("line {number} of `{path}` has a `$` or a backslash, which not every tool reads alike"))
}

/// A value without its quotes; `None` when a quote is not closed.
fn unquote(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (inside, after) = rest.split_once('\'')?;
        return is_end(after).then(|| inside.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        // An unquoted value ends where a comment starts.
        let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
        return Some(value[..end].trim_end().to_owned());
    };
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return is_end(chars.as_str()).then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                other @ ('"' | '\\' | '$' | '`') => out.push(other),
                other => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    None
}

fn is_end(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_quotes_export_and_comments() {
        let mut vars = BTreeMap::new();
        let mut problems = Vec::new();
        let text = "# a\nA=1 # one\nexport B='x # y'\nC=\"a\\nb\" # c\nD=\n 3=x\nE=\"open\nF=a#b\n";
        read(Utf8Path::new(".env"), text, &mut vars, &mut problems);
        let got: Vec<(&str, &str)> = vars.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(got, [("A", "1"), ("B", "x # y"), ("C", "a\nb"), ("D", ""), ("F", "a#b")]);
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["line 6 of `.env` is no `KEY=VALUE`", "line 7 of `.env` is no `KEY=VALUE`"]);
    }

    #[test]
    fn what_other_tools_read_in_their_own_way_is_odd() {
        let odd = |text: &str| odd(Utf8Path::new(".env"), text).unwrap_or_default();
        assert_eq!(odd("# $A\nA='$B\\'\nB=1 # x\n\n"), "");
        assert!(odd("A=1\nB=\"$A\"\n").starts_with("line 2 of `.env` has a `$`"));
        assert!(odd("A=a\\nb\n").contains("backslash") && odd("A: b\n").contains("is no `KEY=VALUE`"));
    }
}
