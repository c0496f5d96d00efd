//! Owns how mistakes are shown: source, underline and help to people, one document to machines.
//! Does not know how they were found, and reads no file: the text of the sources is given.

// Own renderer, not miette's `fancy`: its graphical handler draws one report at a time with box
// characters, decides about colour and width by the process's environment, and brings textwrap and
// three `supports-*` crates. Here many mistakes are one text, plain ASCII, the same everywhere.

use crate::event::VERSION;
use crate::model::diagnostic::{Diagnostic, Place, Severity};
use crate::report::flow::{flow, prose};
use crate::report::paint::{Look, Tone};
use crate::report::text::{clean, count, width};
use camino::Utf8PathBuf;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Text of the files that places point into, by path relative to the root.
pub type Sources = BTreeMap<Utf8PathBuf, String>;

/// Shortest part of a long source line that is shown.
const SHORTEST: usize = 24;

/// A position as people and editors count it: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    line: usize,
    column: usize,
}

/// What `check --json` tells.
#[derive(Debug, Serialize)]
struct Document<'a> {
    v: u32,
    diagnostics: Vec<One<'a>>,
}

#[derive(Debug, Serialize)]
struct One<'a> {
    severity: Severity,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    /// The first column behind the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

/// All mistakes for people, ordered by place, with a last line that counts them. Empty without any.
pub fn human(diagnostics: &[Diagnostic], sources: &Sources, look: &Look) -> String {
    let mut text = String::new();
    let ordered = ordered(diagnostics);
    for diagnostic in &ordered {
        one(&mut text, diagnostic, sources, look);
        text.push('\n');
    }
    if !ordered.is_empty() {
        let errors = ordered.iter().filter(|one| one.severity == Severity::Error).count();
        let mut counts = Vec::new();
        if errors > 0 {
            counts.push(look.paint(Tone::Bad, &count(errors, "error")));
        }
        if errors < ordered.len() {
            counts.push(look.paint(Tone::Warn, &count(ordered.len() - errors, "warning")));
        }
        text.push_str(&counts.join(", "));
        text.push('\n');
    }
    text
}

/// All mistakes for machines: one JSON document, without a line end.
pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let diagnostics = ordered(diagnostics)
        .into_iter()
        .map(|diagnostic| {
            let place = diagnostic.place.as_ref();
            let span = place.and_then(|place| span(place, sources));
            One {
                severity: diagnostic.severity,
                code: diagnostic.code,
                message: &diagnostic.message,
                file: place.map(|place| place.file.as_str()),
                line: span.map(|(start, _)| start.line),
                column: span.map(|(start, _)| start.column),
                end_line: span.map(|(_, end)| end.line),
                end_column: span.map(|(_, end)| end.column),
                label: diagnostic.label.as_deref(),
                help: diagnostic.help.as_deref(),
            }
        })
        .collect();
    serde_json::to_string(&Document { v: VERSION, diagnostics }).unwrap_or_default()
}

/// `file:line:column` of a place; the file alone when its text is not at hand.
pub fn position(place: &Place, sources: &Sources) -> String {
    match span(place, sources) {
        Some((start, _)) => format!("{}:{}:{}", place.file, start.line, start.column),
        None => place.file.to_string(),
    }
}

fn ordered(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|one| one.place.as_ref().map(|place| (&place.file, place.span.start, place.span.end)));
    ordered.dedup();
    ordered
}

fn one(text: &mut String, diagnostic: &Diagnostic, sources: &Sources, look: &Look) {
    let (word, tone) = match diagnostic.severity {
        Severity::Error => ("error", Tone::Bad),
        Severity::Warning => ("warning", Tone::Warn),
    };
    let head = look.paint(tone, &format!("{word}[{}]", diagnostic.code));
    let said = look.paint(Tone::Strong, &clean(&diagnostic.message));
    *text += &prose(&format!("{head}: {said}"), 2, look.width);
    let mut gutter = 2;
    if let Some(place) = &diagnostic.place {
        let spot = span(place, sources).zip(sources.get(&place.file));
        gutter = spot.map_or(2, |((start, _), _)| start.line.to_string().len() + 2);
        let arrow = look.paint(Tone::Dim, &format!("{}-->", " ".repeat(gutter - 1)));
        let _ = writeln!(text, "{arrow} {}", position(place, sources));
        if let Some(((start, end), source)) = spot {
            snippet(text, source, (start, end), diagnostic.label.as_deref(), tone, look);
        }
    }
    if let Some(help) = &diagnostic.help {
        for (index, line) in help.lines().enumerate() {
            let lead = if index == 0 { "= help:" } else { "       " };
            let lines = flow(gutter + lead.len() + 1, gutter + lead.len() + 1, &clean(line), look.width);
            let _ = writeln!(text, "{}{} {}", " ".repeat(gutter), look.paint(Tone::Dim, lead), lines.join("\n"));
        }
    }
}

/// The line with what is wrong underlined; of several lines, the first.
fn snippet(
    text: &mut String,
    source: &str,
    (start, end): (Point, Point),
    label: Option<&str>,
    tone: Tone,
    look: &Look,
) {
    let line = source.lines().nth(start.line - 1).unwrap_or_default();
    let length = line.chars().count();
    let from = (start.column - 1).min(length);
    let to = if end.line > start.line { length } else { (end.column - 1).min(length) }.max(from);
    let before = show(&line.chars().take(from).collect::<String>());
    let marked = show(&line.chars().skip(from).take(to - from).collect::<String>());
    let after = show(&line.chars().skip(to).collect::<String>());
    let number = start.line.to_string();
    let blank = " ".repeat(number.len());
    let room = look.width.saturating_sub(number.len() + 4).max(SHORTEST);
    let (shown, before) = window(&before, &marked, &after, room);
    let carets = "^".repeat(width(&marked).clamp(1, room.saturating_sub(before).max(1)));
    let label = label.map(|label| format!(" {}", clean(label))).unwrap_or_default();
    let more = if end.line > start.line && label.is_empty() { "..." } else { "" };
    let bar = look.paint(Tone::Dim, "|");
    let _ = writeln!(text, " {blank} {bar}");
    let _ = writeln!(text, " {} {bar} {shown}", look.paint(Tone::Dim, &number));
    let mark = look.paint(tone, &format!("{carets}{more}{label}"));
    let _ = writeln!(text, " {blank} {bar} {}{mark}", " ".repeat(before));
}

/// The part of a line that fits, and the columns before the mark in it.
fn window(before: &str, marked: &str, after: &str, room: usize) -> (String, usize) {
    let cut = |text: &str| crate::report::text::fit(text, room).trim_end().to_owned();
    let whole = format!("{before}{marked}{after}");
    let lead = width(before);
    if width(&whole) <= room || lead.saturating_add(width(marked)) < room {
        return (cut(&whole), lead);
    }
    let keep = (room / 4).min(lead);
    let tail: String = before.chars().skip(before.chars().count().saturating_sub(keep)).collect();
    (cut(&format!("…{tail}{marked}{after}")), width(&tail) + 1)
}

fn show(text: &str) -> String {
    clean(&text.replace('\t', "    "))
}

fn span(place: &Place, sources: &Sources) -> Option<(Point, Point)> {
    let source = sources.get(&place.file)?;
    let start = point(source, place.span.start);
    Some((start, point(source, place.span.end.max(place.span.start))))
}

fn point(source: &str, byte: usize) -> Point {
    let mut byte = byte.min(source.len());
    while !source.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &source[..byte];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Point { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tasks/x.toml";
    const SOURCE: &str = "[task.x]\nrun = [\"a\"]\nefect = \"pure\"\n\tneeds = [\n  \"prövison\",\n]\n";

    fn sources() -> Sources {
        Sources::from([(FILE.into(), SOURCE.to_owned())])
    }

    fn place(marked: &str) -> Place {
        let start = SOURCE.find(marked).unwrap();
        Place { file: FILE.into(), span: start..start + marked.len() }
    }

    fn many() -> Vec<Diagnostic> {
        vec![
            Diagnostic::warning("unknown-task", &place("\"prövison\""), "unknown task `prövison`").label("in `needs`"),
            Diagnostic::error("unknown-key", &place("efect"), "unknown key `efect`").help("did you mean `effect`?"),
            Diagnostic::error("needs", &place("needs = [\n  \"prövison\",\n]"), "`needs` is odd"),
            Diagnostic::nowhere("no-tasks", "there are no tasks").help("write `tasks/NAME.toml`\nor `infra.toml`"),
            Diagnostic::error("unreadable", &Place { file: "b.toml".into(), span: 0..0 }, "can't be read"),
        ]
    }

    #[test]
    fn many_mistakes_are_one_text_in_order() {
        assert_eq!(
            human(&many(), &sources(), &Look::default()),
            "\
error[no-tasks]: there are no tasks
  = help: write `tasks/NAME.toml`
          or `infra.toml`

error[unreadable]: can't be read
 --> b.toml

error[unknown-key]: unknown key `efect`
  --> tasks/x.toml:3:1
   |
 3 | efect = \"pure\"
   | ^^^^^
   = help: did you mean `effect`?

error[needs]: `needs` is odd
  --> tasks/x.toml:4:2
   |
 4 |     needs = [
   |     ^^^^^^^^^...

warning[unknown-task]: unknown task `prövison`
  --> tasks/x.toml:5:3
   |
 5 |   \"prövison\",
   |   ^^^^^^^^^^ in `needs`

4 errors, 1 warning
"
        );
    }

    #[test]
    fn no_mistake_is_no_text() {
        assert_eq!(human(&[], &sources(), &Look::default()), "");
        assert_eq!(json(&[], &sources()), r#"{"v":1,"diagnostics":[]}"#);
    }

    #[test]
    fn machines_get_positions_from_one() {
        let one = [many().swap_remove(1)];
        assert_eq!(
            json(&one, &sources()),
            r#"{"v":1,"diagnostics":[{"severity":"error","code":"unknown-key","message":"unknown key `efect`","file":"tasks/x.toml","line":3,"column":1,"end_line":3,"end_column":6,"help":"did you mean `effect`?"}]}"#
        );
        let nowhere = [Diagnostic::nowhere("no-tasks", "none")];
        assert_eq!(
            json(&nowhere, &sources()),
            r#"{"v":1,"diagnostics":[{"severity":"error","code":"no-tasks","message":"none"}]}"#
        );
    }

    #[test]
    fn the_same_mistake_is_told_once() {
        let twice = [many().swap_remove(1), many().swap_remove(1)];
        assert!(human(&twice, &sources(), &Look::default()).ends_with("\n1 error\n"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let source = format!("x = \"{}\" efect {}\n", "a".repeat(100), "b".repeat(100));
        let start = source.find("efect").unwrap();
        let one = [Diagnostic::error("k", &Place { file: FILE.into(), span: start..start + 5 }, "m")];
        let text = human(&one, &Sources::from([(FILE.into(), source)]), &Look { width: 45, ..Look::default() });
        assert_eq!(
            text,
            "\
error[k]: m
  --> tasks/x.toml:1:108
   |
 1 | …aaaaaaaa\" efect bbbbbbbbbbbbbbbbbbbbbb…
   |            ^^^^^

1 error
"
        );
    }

    #[test]
    fn a_place_outside_its_file_is_no_panic() {
        let wrong = Place { file: FILE.into(), span: 900..901 };
        let inside = Place { file: FILE.into(), span: SOURCE.find('ö').unwrap() + 1..3 };
        let both = [Diagnostic::error("k", &wrong, "m"), Diagnostic::error("k", &inside, "m")];
        let text = human(&both, &sources(), &Look::default());
        assert!(text.contains("--> tasks/x.toml:7:1\n") && text.contains("--> tasks/x.toml:5:6\n"), "{text}");
    }
}
