//! Owns how prose is broken into the lines of a terminal.
//! Does not know what it says. Of colours it knows that they take no columns.

use crate::report::text;

/// Lines that fit into a width: the first begins behind `lead` columns, the others `indent` columns in. Where the first
/// word has no room behind the lead, the first line is empty. A word that fits nowhere is left to the terminal: it is a
/// path or an address, and is there to be copied.
pub fn flow(lead: usize, indent: usize, text: &str, across: usize) -> Vec<String> {
    if lead.saturating_add(width(text)) <= across {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let (mut at, mut begun) = (lead, false);
    for piece in pieces(text, across.saturating_sub(indent)) {
        let wide = width(piece);
        if at > indent && at + usize::from(begun) + wide > across {
            lines.push(" ".repeat(indent));
            (at, begun) = (indent, false);
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if begun { " " } else { "" });
            line.push_str(piece);
        }
        at += usize::from(begun) + wide;
        begun = true;
    }
    lines
}

/// A line of prose with its end; where it does not fit it goes on below, so far in.
pub fn prose(text: &str, indent: usize, across: usize) -> String {
    let own = text.trim_start();
    let lead = text.len() - own.len();
    format!("{}{}\n", &text[..lead], flow(lead, indent, own, across).join("\n"))
}

/// Columns of a text that may have colours in it.
fn width(text: &str) -> usize {
    let mut parts = text.split('\u{1b}');
    let plain = parts.next().map_or(0, text::width);
    plain + parts.map(|part| text::width(part.split_once('m').map_or(part, |(_, rest)| rest))).sum::<usize>()
}

/// Words; what stands between backticks is one, where it fits into a line: it is there to be copied.
pub(super) fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut quoted = false;
        let blank = |c: char| {
            quoted ^= c == '`';
            c == ' ' && !quoted
        };
        let whole = rest.find(blank).unwrap_or(rest.len());
        let end = if width(&rest[..whole]) <= room { whole } else { rest.find(' ').unwrap_or(rest.len()) };
        pieces.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::ENDLESS;

    #[test]
    fn words_stay_whole_and_so_do_commands() {
        let hint = "`infra run --resume` goes on from here";
        assert_eq!(flow(6, 2, hint, 40), ["`infra run --resume` goes on from", "  here"]);
        assert_eq!(flow(6, 2, &format!("say {hint}"), 26), ["say", "  `infra run --resume`", "  goes on from here"]);
        assert_eq!(flow(6, 2, "two  blanks", ENDLESS), ["two  blanks"]);
        let colored = "\u{1b}[1m\u{1b}[31mabc\u{1b}[0m def";
        assert_eq!(flow(0, 2, colored, 7), [colored]);
        assert_eq!(prose("  last good: run 2, just now", 4, 20), "  last good: run 2,\n    just now\n");
    }

    #[test]
    fn what_has_no_room_behind_its_lead_begins_below() {
        assert_eq!(flow(20, 2, "exited with code 7", 24), ["", "  exited with code 7"]);
        assert_eq!(
            flow(4, 2, "/a/path/that/is/longer/than/a/line x", 12),
            ["", "  /a/path/that/is/longer/than/a/line", "  x"]
        );
        assert_eq!(flow(0, 2, "", 10), [""]);
    }
}
