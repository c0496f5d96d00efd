//! Owns the forms in which tools print a secret: encoded, escaped, quoted, line by line.
//! Does not know how text is searched.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// Fewest characters of a value that is looked for.
const SHORTEST: usize = 4;
/// Fewest characters of a piece of base64 that is looked for: shorter ones turn up by chance.
const SHORTEST_BASE64: usize = 6;

/// All patterns of one secret.
pub(super) fn of(secret: &str) -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    add_value(secret, &mut patterns);
    if let Ok(json @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str::<Json>(secret) {
        add_leaves(&json, &mut patterns);
    }
    patterns.into_iter().map(String::into_bytes).collect()
}

/// Tools take a JSON secret apart and print its leaves.
fn add_leaves(json: &Json, patterns: &mut Vec<String>) {
    match json {
        Json::String(text) => add_value(text, patterns),
        Json::Array(items) => items.iter().for_each(|item| add_leaves(item, patterns)),
        Json::Object(fields) => fields.values().for_each(|field| add_leaves(field, patterns)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn add_value(value: &str, patterns: &mut Vec<String>) {
    let trimmed = value.trim();
    if trimmed.chars().count() < SHORTEST {
        return;
    }
    let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST);
    for text in [value, trimmed].into_iter().chain(lines) {
        patterns.push(text.to_owned());
        add_base64(text.as_bytes(), patterns);
        add_hex(text.as_bytes(), patterns);
        add_json(text, patterns);
        add_percent(text, patterns);
        add_shell(text, patterns);
    }
}

fn add_base64(bytes: &[u8], patterns: &mut Vec<String>) {
    patterns.push(STANDARD.encode(bytes));
    patterns.push(STANDARD_NO_PAD.encode(bytes));
    patterns.push(URL_SAFE_NO_PAD.encode(bytes));
    // Inside a longer text the value begins at any of three alignments; only the characters that
    // depend on nothing but the value are looked for.
    for shift in 0..3 {
        let mut shifted = vec![0; shift];
        shifted.extend_from_slice(bytes);
        let skip = (shift * 8).div_ceil(6);
        let whole = shifted.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            if let Some(piece) = encoded.get(skip..whole).filter(|piece| piece.len() >= SHORTEST_BASE64) {
                patterns.push(piece.to_owned());
            }
        }
    }
}

fn add_hex(bytes: &[u8], patterns: &mut Vec<String>) {
    let lower = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    patterns.push(lower.to_uppercase());
    patterns.push(lower);
}

fn add_json(text: &str, patterns: &mut Vec<String>) {
    let plain = escape_json(text, |_| false);
    // JSON inside JSON is escaped twice.
    patterns.push(escape_json(&plain, |_| false));
    patterns.push(plain.replace('/', "\\/"));
    patterns.push(plain);
    // Python writes everything beyond ASCII as \u…, Go writes < > & so.
    patterns.push(escape_json(text, |c| !c.is_ascii()));
    patterns.push(escape_json(text, |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')));
}

fn escape_json(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || also(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn add_percent(text: &str, patterns: &mut Vec<String>) {
    let encode = |space: &str, upper: bool| {
        text.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b' ' => out.push_str(space),
                b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
                b if upper => {
                    let _ = write!(out, "%{b:02X}");
                }
                b => {
                    let _ = write!(out, "%{b:02x}");
                }
            }
            out
        })
    };
    patterns.extend([encode("%20", true), encode("%20", false), encode("+", true)]);
}

fn add_shell(text: &str, patterns: &mut Vec<String>) {
    patterns.push(text.replace('\'', "'\\''"));
    patterns.push(text.replace('\'', "'\"'\"'"));
    let mut double = String::with_capacity(text.len());
    let mut bare = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            double.push('\\');
        }
        if !c.is_alphanumeric() && !"-._/,:@%+=".contains(c) {
            bare.push('\\');
        }
        double.push(c);
        bare.push(c);
    }
    patterns.extend([double, bare]);
}

#[cfg(test)]
mod tests {
    use crate::host::mask::Masks;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const SECRET: &str = "p@ss w'ord/\"é<1>";

    #[test]
    fn every_form_is_hidden() {
        let masks = Masks::new(&[SECRET.to_owned()]);
        let shown = [
            SECRET.to_owned(),
            serde_json::to_string(SECRET).unwrap(),
            "p@ss w'ord/\\\"\\u00e9<1>".to_owned(),
            "p@ss w'ord/\\\"é\\u003c1\\u003e".to_owned(),
            "p%40ss%20w%27ord%2F%22%C3%A9%3C1%3E".to_owned(),
            "p%40ss+w%27ord%2F%22%C3%A9%3C1%3E".to_owned(),
            "'p@ss w'\\''ord/\"é<1>'".to_owned(),
            STANDARD.encode(SECRET),
        ];
        for text in shown {
            let masked = masks.mask(&format!("before {text} after"));
            let rest = masked.replace("••••••", "").replace(['\'', '"', '='], "");
            assert_eq!(rest, "before  after", "{text}");
        }
    }

    #[test]
    fn base64_is_hidden_at_every_alignment() {
        let masks = Masks::new(&["correct-horse".to_owned()]);
        for before in ["", "u", "us", "user:"] {
            let masked = masks.mask(&STANDARD.encode(format!("{before}correct-horse and more")));
            assert!(masked.contains("••••••"), "{before}: {masked}");
        }
    }

    #[test]
    fn leaves_of_a_json_secret_are_hidden() {
        let masks = Masks::new(&[r#"{"user":"root","keys":["topsecret"]}"#.to_owned()]);
        assert_eq!(masks.mask("key topsecret"), "key ••••••");
    }
}
