//! Owns how text is measured, cut and cleaned for a terminal, and how times are spelled.
//! Does not know what the text is about, nor colours.

use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar as _;

/// Width that is never reached: for pipes, whose readers cut for themselves.
pub const ENDLESS: usize = usize::MAX;

/// Columns that a character takes on a terminal; control characters take none.
fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Columns that text without colour codes takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The text when it fits, else its beginning and `…`.
pub fn fit(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let mut cut = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(columns(c)) else { break };
        left = rest;
        cut.push(c);
    }
    if room > 0 {
        cut.push('…');
    }
    cut
}

/// The text in lines that fit; words stay whole where they can.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    /// Narrower than this nothing can be read.
    const LEAST: usize = 12;
    if width(text) <= room {
        return vec![text.to_owned()];
    }
    let options = textwrap::Options::new(room.max(LEAST)).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// A line that goes on below itself, a little further in, where the terminal ends.
pub fn hung(indent: usize, line: &str, width: usize) -> String {
    /// How much further in.
    const FURTHER: usize = 2;
    let parts = wrapped(line, width.saturating_sub(indent + FURTHER));
    let line =
        |(at, part): (usize, &String)| format!("{}{part}\n", " ".repeat(indent + if at == 0 { 0 } else { FURTHER }));
    parts.iter().enumerate().map(line).collect()
}

/// Text padded with blanks to a width.
pub fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Text on one line that can't move the cursor: control characters are spelled out or blanks.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => clean.push(' '),
            '\r' => {}
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                clean.extend(c.escape_unicode());
            }
            c => clean.push(c),
        }
    }
    clean
}

/// Old and new text cut to what differs: their common beginning goes first, then their ends.
pub fn pair(old: &str, new: &str, room: usize) -> (String, String) {
    const SHORTEST: usize = 8;
    let (old, new) = (clean(old), clean(new));
    if width(&old).saturating_add(width(&new)) <= room {
        return (old, new);
    }
    let each = (room / 2).max(SHORTEST);
    let common = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    let start = common.saturating_sub(3);
    let one = |text: &str| {
        if start < 4 || width(text) <= each {
            return fit(text, each);
        }
        let rest: String = text.chars().skip(start).collect();
        fit(&format!("…{rest}"), each)
    };
    (one(&old), one(&new))
}

/// Whether text is a digest in hex.
pub fn is_digest(text: &str) -> bool {
    text.len() >= 8
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Two digests cut to the shortest beginning of at least four digits in which they differ.
pub fn digests(old: &str, new: &str) -> (String, String) {
    let common = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    let cut = |text: &str| match text.char_indices().nth((common + 1).max(4)) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    (cut(old), cut(new))
}

/// A duration: `12 ms`, `2.1 s`, `1 min 5 s`, `2 h 3 min`.
pub fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = std::time::Duration::try_from_secs_f64(seconds.round()).map_or(u64::MAX, |whole| whole.as_secs());
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A duration of which nobody wants the last digit: `3 s`, `2 min`, `1 h 5 min`.
pub fn about(rough: f64) -> String {
    let step = if rough >= 3600.0 {
        60.0
    } else if rough >= 600.0 {
        30.0
    } else {
        1.0
    };
    let rough = (rough / step).round() * step;
    if rough < 60.0 { format!("{:.0} s", rough.max(1.0)) } else { seconds(rough) }
}

/// A moment as people in all time zones read it: `2026-01-31 12:00:00 UTC`. `at` in milliseconds since 1970.
pub fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| "at an unknown time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// How long something usually takes: `<1 s`, else as [`about`] has it.
pub fn usually(rough: f64) -> String {
    if rough < 1.0 { "<1 s".to_owned() } else { about(rough) }
}

/// How long ago: `just now`, `40 s ago`, `2 h ago`, `3 d ago`; negative ages are clocks that moved.
pub fn ago(age: i64) -> String {
    match age {
        i64::MIN..0 => "in the future".to_owned(),
        0..2 => "just now".to_owned(),
        2..120 => format!("{age} s ago"),
        120..7200 => format!("{} min ago", age / 60),
        7200..172_800 => format!("{} h ago", age / 3600),
        _ => format!("{} d ago", age / 86_400),
    }
}

/// Bytes for people: `999 B`, `1.2 kB`, `5.0 GB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // One decimal of a size for people needs no more than 53 bits.
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// `1 task`, `2 tasks`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Names with commas, at most so many, then `(+N more)`.
pub fn names<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} (+{more} more)", shown.join(", ")),
    }
}

/// An argv as a line that a shell would read the same.
pub fn command(argv: &[String]) -> String {
    let quoted: Vec<String> = argv.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

/// A word as a shell would read it: names of tasks may have blanks and brackets.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.chars().any(char::is_control) {
        let mut inner = String::new();
        for c in word.chars() {
            match c {
                '\\' | '\'' => inner.extend(['\\', c]),
                '\n' => inner.push_str("\\n"),
                '\t' => inner.push_str("\\t"),
                c if c.is_control() => {
                    let _ = write!(inner, "\\u{:04x}", u32::from(c));
                }
                c => inner.push(c),
            }
        }
        format!("$'{inner}'")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns_and_not_by_bytes() {
        assert_eq!(fit("héllo", 5), "héllo");
        assert_eq!(fit("héllo!", 5), "héll…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(pad("漢", 4), "漢  ");
    }

    #[test]
    fn no_text_moves_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\u{202e}"), "a\\u{1b}[2Jb c\\u{202e}");
    }

    #[test]
    fn a_pair_keeps_what_differs() {
        let (old, new) = (r#"["10.0.0.11","10.0.0.12"]"#, r#"["10.0.0.11","10.0.0.13"]"#);
        assert_eq!(pair(old, new, 100), (old.to_owned(), new.to_owned()));
        assert_eq!(pair(old, new, 20), ("…0.12\"]".to_owned(), "…0.13\"]".to_owned()));
        assert_eq!(pair("abcdefghij", "klmnopqrst", 4), ("abcdefg…".to_owned(), "klmnopq…".to_owned()));
    }

    #[test]
    fn digests_are_cut_where_they_differ() {
        assert_eq!(digests("9c1e77aa", "44b0aa11"), ("9c1e…".to_owned(), "44b0…".to_owned()));
        assert_eq!(digests("9c1e77aa", "9c1e71aa"), ("9c1e77…".to_owned(), "9c1e71…".to_owned()));
        assert!(is_digest("9c1e77aa"));
        assert!(!is_digest("deadbeef") && !is_digest("missing") && !is_digest("12"));
    }

    #[test]
    fn durations_and_ages_read_well() {
        let spelled: Vec<String> = [0.0121, 2.14, 59.96, 65.0, 120.0, 7380.0].into_iter().map(seconds).collect();
        assert_eq!(spelled, ["12 ms", "2.1 s", "1 min", "1 min 5 s", "2 min", "2 h 3 min"]);
        assert_eq!(seconds(f64::NAN), "0 ms");
        assert_eq!([0.2, 59.7, 3700.0].map(about), ["1 s", "1 min", "1 h 2 min"]);
        assert_eq!(
            [-3, 0, 61, 7300, 200_000].map(ago),
            ["in the future", "just now", "61 s ago", "2 h ago", "2 d ago"]
        );
    }

    #[test]
    fn an_argv_can_be_pasted_into_a_shell() {
        let argv = ["sh", "-c", "echo 'a b'", "", "x=1", "a\nb"].map(str::to_owned);
        assert_eq!(command(&argv), r"sh -c 'echo '\''a b'\''' '' x=1 $'a\nb'");
    }

    #[test]
    fn long_lists_say_how_many_more() {
        assert_eq!(names(&["a", "b", "c"], 2), "a, b (+1 more)");
        assert_eq!(names(&["a"], 2), "a");
        assert_eq!((count(1, "task"), count(0, "task")), ("1 task".to_owned(), "0 tasks".to_owned()));
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!([999, 1000, 999_960, 5_000_000_000].map(size), ["999 B", "1.0 kB", "1.0 MB", "5.0 GB"]);
    }
}
