//! Owns what must be known of a glob before it is used: whether it is one, whether it is well formed,
//! its fixed prefix, and whether it takes a path.
//! Does not know the files (`host/files` walks them, by the crate `globset`, whose rules these are).

/// Whether a path has any of the letters that make it a glob.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// What is wrong with a glob.
pub(super) fn mistake(glob: &str) -> Option<&'static str> {
    let mut braces = 0usize;
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => {
                return Some("it ends with `\\`");
            }
            '[' => {
                let mut class = chars.clone();
                let mut first = class.next();
                if matches!(first, Some('!' | '^')) {
                    first = class.next();
                }
                // A `]` that comes first stands for itself.
                if first.is_none() || !class.any(|c| c == ']') {
                    return Some("a `[` is not closed by `]`");
                }
                chars = class_end(chars);
            }
            '{' => braces += 1,
            '}' if braces == 0 => return Some("a `}` has no `{`"),
            '}' => braces -= 1,
            _ => {}
        }
    }
    if braces > 0 {
        return Some("a `{` is not closed by `}`");
    }
    glob.split('/').any(|part| part.contains("**") && part != "**").then_some("`**` must stand alone between `/`")
}

fn class_end(chars: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let mut rest = chars;
    if matches!(rest.as_str().chars().next(), Some('!' | '^')) {
        rest.next();
    }
    rest.next();
    for c in rest.by_ref() {
        if c == ']' {
            break;
        }
    }
    rest
}

/// The folder that all its files lie in: the parts before the first that is not plain.
pub(super) fn fixed_prefix(glob: &str) -> &str {
    let special = glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len());
    glob[..special].rfind('/').map_or("", |slash| &glob[..slash])
}

/// Whether it takes a path.
pub(super) fn takes(glob: &str, path: &str) -> bool {
    alternatives(glob).iter().any(|glob| {
        let parts: Vec<&str> = glob.split('/').collect();
        let names: Vec<&str> = path.split('/').collect();
        takes_parts(&parts, &names)
    })
}

fn takes_parts(parts: &[&str], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), None) => rest.is_empty(),
        (Some((&"**", rest)), Some((_, more))) => takes_parts(rest, names) || takes_parts(parts, more),
        (Some((part, rest)), Some((name, more))) => takes_name(part, name) && takes_parts(rest, more),
        _ => false,
    }
}

fn takes_name(part: &str, name: &str) -> bool {
    let mut chars = part.chars();
    let Some(c) = chars.next() else { return name.is_empty() };
    match c {
        '*' => {
            let rest = chars.as_str();
            takes_name(rest, name) || name.char_indices().any(|(at, c)| takes_name(rest, &name[at + c.len_utf8()..]))
        }
        '?' => tail(name).is_some_and(|(_, more)| takes_name(chars.as_str(), more)),
        '[' => {
            let end = class_end(chars.clone());
            let class = &chars.as_str()[..chars.as_str().len() - end.as_str().len()];
            tail(name).is_some_and(|(first, more)| in_class(class, first) && takes_name(end.as_str(), more))
        }
        '\\' => {
            let literal = chars.next();
            tail(name).is_some_and(|(first, more)| Some(first) == literal && takes_name(chars.as_str(), more))
        }
        c => tail(name).is_some_and(|(first, more)| first == c && takes_name(chars.as_str(), more)),
    }
}

fn tail(name: &str) -> Option<(char, &str)> {
    let mut chars = name.chars();
    chars.next().map(|first| (first, chars.as_str()))
}

fn in_class(class: &str, c: char) -> bool {
    let class = class.strip_suffix(']').unwrap_or(class);
    let (negated, class) = match class.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, class),
    };
    let letters: Vec<char> = class.chars().collect();
    let mut found = false;
    let mut at = 0;
    while let Some(first) = letters.get(at) {
        match (letters.get(at + 1), letters.get(at + 2)) {
            (Some('-'), Some(last)) => {
                found |= (*first..=*last).contains(&c);
                at += 3;
            }
            _ => {
                found |= *first == c;
                at += 1;
            }
        }
    }
    found != negated
}

/// The glob once for each choice of its `{a,b}`.
fn alternatives(glob: &str) -> Vec<String> {
    let Some(open) = glob.find('{') else { return vec![glob.to_owned()] };
    let mut depth = 0usize;
    let mut start = open + 1;
    let mut choices = Vec::new();
    for (at, c) in glob.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&glob[start..at]);
                start = at + 1;
            }
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    choices.push(&glob[start..at]);
                    let (before, after) = (&glob[..open], &glob[at + 1..]);
                    return choices
                        .iter()
                        .flat_map(|choice| alternatives(&format!("{before}{choice}{after}")))
                        .collect();
                }
            }
            _ => {}
        }
    }
    vec![glob.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_globs() {
        for good in ["a/**/*.yml", "*.{tf,json}", "x[!a-c].y", "[]]", "a\\*"] {
            assert_eq!(mistake(good), None, "{good}");
        }
        assert_eq!(mistake("a[b"), Some("a `[` is not closed by `]`"));
        assert_eq!(mistake("a{b,c"), Some("a `{` is not closed by `}`"));
        assert_eq!(mistake("b}"), Some("a `}` has no `{`"));
        assert_eq!(mistake("a/**b"), Some("`**` must stand alone between `/`"));
    }

    #[test]
    fn prefixes_and_matches() {
        assert_eq!(fixed_prefix("dist/js/*.js"), "dist/js");
        assert_eq!(fixed_prefix("**/x"), "");
        assert_eq!(fixed_prefix("di*/x"), "");
        for (glob, path) in [
            ("a/**/*.yml", "a/b/c.yml"),
            ("a/**/*.yml", "a/c.yml"),
            ("dist/**", "dist/a/b"),
            ("*.{tf,json}", "x.json"),
            ("x[a-c]", "xb"),
        ] {
            assert!(takes(glob, path), "{glob} {path}");
        }
        for (glob, path) in [("a/*.yml", "a/b/c.yml"), ("x[!a-c]", "xb"), ("*.tf", "a.tfx"), ("?", "")] {
            assert!(!takes(glob, path), "{glob} {path}");
        }
    }
}
