//! Owns making lines of a stream of bytes, and making them harmless to a terminal.
//! Does not know whose lines they are.

/// Cuts a stream into lines. A line longer than the limit is cut, so that memory stays bounded.
pub(super) struct Lines {
    partial: Vec<u8>,
    limit: usize,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self { partial: Vec::new(), limit }
    }

    /// Takes bytes and calls `tell` with each line that they end.
    pub(super) fn feed(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(String)) {
        while !bytes.is_empty() {
            let room = self.limit - self.partial.len();
            let end = bytes.iter().take(room).position(|&byte| byte == b'\n');
            let taken = end.unwrap_or_else(|| room.min(bytes.len()));
            self.partial.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken + usize::from(end.is_some())..];
            if end.is_some() || self.partial.len() >= self.limit {
                self.end(tell);
            }
        }
    }

    /// Tells a last line that has no newline.
    pub(super) fn finish(&mut self, tell: &mut dyn FnMut(String)) {
        if !self.partial.is_empty() {
            self.end(tell);
        }
    }

    fn end(&mut self, tell: &mut dyn FnMut(String)) {
        let text = plain(&String::from_utf8_lossy(&self.partial));
        self.partial.clear();
        tell(text);
    }
}

/// Text without control characters, colours and other escape sequences, and without characters that
/// turn the direction of writing. Of a line that was overwritten by carriage returns the last state.
pub fn plain(text: &str) -> String {
    let text = text.trim_end_matches('\r');
    let text = text.rsplit('\r').next().unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\t' => out.push(c),
            c if c.is_control() => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next() {
        Some('[') => skip_csi(chars),
        // OSC, DCS, SOS, PM, APC: text up to their end.
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        // Intermediate bytes, then one final byte.
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next();
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_go_and_text_stays() {
        let cases = [
            ("plain\ttext", "plain\ttext"),
            ("\u{1b}[1;31mred\u{1b}[0m end", "red end"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;c2VjcmV0\u{9c}x", "x"),
            ("10%\r50%\r100%\r", "100%"),
            ("a\u{8}b\u{0}c\u{9b}2Jd", "abcd"),
            ("\u{1b}(Bx\u{1b}7y", "xy"),
            ("\u{202e}evil", "evil"),
        ];
        for (text, want) in cases {
            assert_eq!(plain(text), want, "{text:?}");
        }
    }

    #[test]
    fn lines_are_cut_at_newlines_and_at_the_limit() {
        let mut told = Vec::new();
        let mut lines = Lines::new(4);
        for piece in [&b"ab"[..], b"c\n\nabcdef\n", b"x\xff"] {
            lines.feed(piece, &mut |line| told.push(line));
        }
        lines.finish(&mut |line| told.push(line));
        assert_eq!(told, ["abc", "", "abcd", "ef", "x\u{fffd}"]);
    }
}
