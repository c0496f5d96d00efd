//! Owns what only the text of a Makefile tells: comments, exports, options of the shell, who reads which variable.
//! Does not know rules.

use crate::import::draft::add;
use std::collections::BTreeSet;

/// `target: … ## what it does`, or the comment of two `#` above.
pub(super) fn described(text: &str, target: &str) -> Option<String> {
    let mut above = None;
    for line in text.lines() {
        if let Some((targets, rest)) = line.split_once(':')
            && !line.starts_with(['\t', '#'])
            && targets.split_whitespace().any(|one| one == target)
        {
            let said = rest.split_once("## ").map(|(_, said)| said.trim().to_owned()).or(above);
            if said.is_some() {
                return said;
            }
        }
        above = line.strip_prefix("## ").map(|said| said.trim().to_owned());
    }
    None
}

/// Variables that a Makefile exports by name; where the names are computed, what computes them.
pub(super) fn exported(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let Some(rest) = line.trim_start_matches(' ').strip_prefix("export ") else { continue };
        let rest = rest.trim();
        if rest.starts_with('$') {
            add(&mut found, rest);
            continue;
        }
        let names = rest.split(['=', ':', '?', '+', '!', '#']).next().unwrap_or("");
        let names = names.split_whitespace().filter(|name| !["define", "override"].contains(name));
        for name in names.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')) {
            add(&mut found, name);
        }
    }
    found
}

/// Variables whose value a shell computes, by themselves or through others.
pub(super) fn computed_by_shell(text: &str) -> BTreeSet<String> {
    let begins = |name: &str, left: &str, right: &str| {
        (right.contains("$(shell ") || left.ends_with('!')).then(|| name.to_owned())
    };
    through_others(text, begins)
}

/// Variables that read this one, and itself.
pub(super) fn readers(text: &str, variable: &str) -> BTreeSet<String> {
    let mut found = through_others(text, |name, _, right| reads(right, variable).then(|| name.to_owned()));
    found.insert(variable.to_owned());
    found
}

/// Whether a text reads a variable of make.
pub(super) fn reads(text: &str, name: &str) -> bool {
    ["$(", "${"].iter().any(|open| {
        let read = format!("{open}{name}");
        text.match_indices(&read).any(|(at, _)| text[at + read.len()..].starts_with([')', '}', ':']))
    })
}

/// Variables of which a definition says so, and those that read them.
fn through_others(text: &str, says_so: impl Fn(&str, &str, &str) -> Option<String>) -> BTreeSet<String> {
    let joined = text.replace("\\\n", " ");
    let mut found: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = found.len();
        for line in joined.lines().filter(|line| !line.starts_with(['\t', '#'])) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((left, right)) = line.split_once('=') else { continue };
            let name = left.trim_end_matches([':', '?', '+', '!', ' ']).trim();
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
                continue;
            }
            let through = || found.iter().any(|other| reads(right, other)).then(|| name.to_owned());
            if let Some(name) = says_so(name, left, right).or_else(through) {
                found.insert(name);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// `.SHELLFLAGS` without its `c`.
pub(super) fn shell_flags(text: &str) -> Vec<String> {
    let set = text.lines().filter_map(|line| line.strip_prefix(".SHELLFLAGS")).next_back();
    let Some(flags) = set.and_then(|rest| rest.split_once('=')) else {
        let posix = text.lines().any(|line| line.starts_with(".POSIX:"));
        return if posix { vec!["-e".to_owned()] } else { Vec::new() };
    };
    flags
        .1
        .split_whitespace()
        .filter_map(|flag| match flag {
            "-c" => None,
            flag if flag.starts_with('-') && !flag.starts_with("--") && flag.contains('c') => {
                Some(flag.replace('c', ""))
            }
            flag => Some(flag.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_names_or_what_computes_them() {
        let text = "export A B = c\nexport define D\nx\nendef\nexport $(shell sed 's/=.*//' .env)\nexport\n";
        assert_eq!(exported(text), ["A", "B", "D", "$(shell sed 's/=.*//' .env)"]);
    }

    #[test]
    fn a_variable_is_read_through_others() {
        let text = "A = x $(B:.c=.o)\nB := $(shell ls)\nC = ${A}\nD = $(BB)\n";
        let names = |found: BTreeSet<String>| found.into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names(computed_by_shell(text)), "A B C");
        assert_eq!(names(readers(text, "B")), "A B C");
    }

    #[test]
    fn the_shells_options_lose_their_c() {
        assert_eq!(shell_flags(".SHELLFLAGS := -eu -o pipefail -c\n"), ["-eu", "-o", "pipefail"]);
        assert_eq!(shell_flags(".POSIX:\n"), ["-e"]);
    }
}
