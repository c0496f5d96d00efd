//! Owns small helpers over text and JSON.
//! Does not know stories.

use serde_json::Value as Json;

pub(super) fn clip(text: &str) -> String {
    const MOST: usize = 12_000;
    if text.len() <= MOST {
        return text.to_owned();
    }
    let mut from = text.len() - MOST;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    format!("[…]{}", &text[from..])
}

/// Whether `found` has all of `wanted`, objects by their fields.
pub(super) fn includes(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (Json::Object(found), Json::Object(wanted)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|found| includes(found, value)))
        }
        _ => found == wanted,
    }
}

/// Takes the common indentation and a first empty line away.
pub(super) fn unindent(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    if indent == 0 {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(line.get(indent..).unwrap_or(""));
        out.push('\n');
    }
    out
}

/// Lines that differ.
pub(super) fn diff(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let mut out = String::from("expected (-) and found (+)\n");
    for line in &old {
        let mark = if new.contains(line) { ' ' } else { '-' };
        out.push_str(&format!("{mark} {line}\n"));
    }
    for line in new.iter().filter(|line| !old.contains(line)) {
        out.push_str(&format!("+ {line}\n"));
    }
    out
}
