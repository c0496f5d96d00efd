//! Owns which shell a script of a Taskfile needs: Task has one of its own, which takes most of what bash takes.
//! Does not know tasks.

use serde_json::Value as Json;

/// Options of the shell that a file, task or command sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    set: Vec<String>,
    shopt: Vec<String>,
}

impl Options {
    pub(super) fn of(what: &Json) -> Self {
        let words = |key: &str| {
            let list = what[key].as_array().into_iter().flatten();
            list.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        Self { set: words("set"), shopt: words("shopt") }
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.set.extend(other.set);
        self.shopt.extend(other.shopt);
        self
    }

    /// A command that these hold for alone.
    pub(super) fn around(&self, command: &str) -> String {
        let mut lines = String::new();
        for option in &self.set {
            lines.extend(["set ", &word(option), "\n"]);
        }
        format!("{lines}{}{command}", self.lines())
    }

    /// First lines of a script.
    pub(super) fn lines(&self) -> String {
        if self.shopt.is_empty() { String::new() } else { format!("shopt -s {}\n", self.shopt.join(" ")) }
    }

    /// The shell of a script, and its arguments.
    pub(super) fn shell(&self, script: &str) -> Vec<String> {
        let needs_bash =
            !self.shopt.is_empty() || self.set.iter().any(|option| option == "pipefail") || is_bash(script);
        let mut with = vec![if needs_bash { "bash" } else { "sh" }.to_owned(), "-e".to_owned()];
        for option in self.set.iter().filter(|option| !["e", "errexit"].contains(&option.as_str())) {
            with.extend(word(option).split(' ').map(str::to_owned));
        }
        with
    }
}

fn word(option: &str) -> String {
    if option.len() == 1 { format!("-{option}") } else { format!("-o {option}") }
}

/// Whether a script is more than `sh` takes, which would fail on it or, worse, do something else.
fn is_bash(script: &str) -> bool {
    const MARKS: [&str; 13] = [
        "[[",
        "<<<",
        "&>",
        "|&",
        "<(",
        ">(",
        "pipefail",
        " == ",
        "echo -e",
        "read -p",
        "read -r -p",
        "$RANDOM",
        "${RANDOM",
    ];
    const WORDS: [&str; 10] =
        ["source", "shopt", "declare", "typeset", "mapfile", "readarray", "let", "function", "pushd", "popd"];
    let has_word =
        |is: &dyn Fn(&str) -> bool| script.split(|c: char| c.is_whitespace() || ";&|(){}".contains(c)).any(is);
    let bare = without_quoted(script);
    MARKS.iter().any(|mark| script.contains(mark))
        || has_word(&|word| WORDS.contains(&word))
        || (has_word(&|word| word == "echo") && has_escapes(script))
        || ["$'", "+="].iter().any(|mark| bare.contains(mark))
        || script.split("$((").skip(1).any(|rest| rest.split("))").next().is_some_and(|sum| sum.contains("**")))
        || preceded(script, "((", |before| before != Some('$'))
        || preceded(script, "=(", |before| before.is_some_and(|c| c.is_ascii_alphanumeric() || "_+".contains(c)))
        || script.match_indices("${").any(|(at, _)| is_of_bash(&script[at + 2..]))
        || has_braces(&bare)
}

/// Whether there is what `echo` of some shells reads as another letter: `\n`, `\t`.
fn has_escapes(script: &str) -> bool {
    script.match_indices('\\').any(|(at, _)| script[at + 1..].starts_with(|c: char| "abcefnrtv0\\".contains(c)))
}

fn preceded(script: &str, mark: &str, by: impl Fn(Option<char>) -> bool) -> bool {
    script.match_indices(mark).any(|(at, _)| by(script[..at].chars().next_back()))
}

/// `${x//a/b}`, `${x^^}`, `${x:0:3}`, `${!x}`, `${x[0]}`: what stands behind `${`.
fn is_of_bash(inside: &str) -> bool {
    let name = inside.trim_start_matches('#');
    let rest = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let counts = rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == ' '));
    inside.starts_with('!') || counts || rest.starts_with(['/', '^', ',', '[', '@'])
}

/// `{a,b}`, `{1..3}`
fn has_braces(script: &str) -> bool {
    preceded(script, "{", |before| before != Some('$'))
        && script.split('{').zip(script.split('{').skip(1)).any(|(before, after)| {
            let inside = after.split(['}', '{']).next().unwrap_or_default();
            let closes = after[inside.len()..].starts_with('}');
            closes
                && !before.ends_with('$')
                && !inside.contains(char::is_whitespace)
                && (inside.contains(',') || inside.contains(".."))
        })
}

/// A script without what stands between quotes; of `$'` both letters stay.
fn without_quoted(script: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in script.chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => {
                quote = Some(c);
                if c == '\'' && out.ends_with('$') {
                    out.push(c);
                }
            }
            (Some(open), c) if c == open => quote = None,
            (None, c) => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_only_bash_takes_is_told_from_what_sh_takes() {
        for script in [
            "mkdir -p a/{b,c}",
            "for i in {1..3}; do :; done",
            "[[ -f a ]]",
            "cat <<< x",
            "a &> b",
            "source x",
            "x=(a b)",
            "echo ${x^^}",
            "echo ${x//a/b}",
            "echo ${x:0:3}",
            "echo ${a[0]}",
            "((i++))",
            "[ a == b ]",
            "diff <(a) <(b)",
            "echo a$'b'",
            "x+=b",
            "echo \"$RANDOM\"",
            "echo $((2 ** 3))",
            "echo 'a\\nb'",
        ] {
            assert!(is_bash(script), "{script}");
        }
        for script in [
            "echo '{a,b}' \"{1..2}\"",
            "echo $((1 + 2))",
            "x=$(a)",
            "echo ${x:-a} ${x%.c} ${#x} ${x:+y}",
            "{ a; b; }",
            "a > b 2>&1 && c",
            "resource x",
            "grep 'a$' x && awk '{n+=1}' y && echo \"\\$b\"",
            "printf 'a\\n'",
            "docker ps --format {{.Names}}",
        ] {
            assert!(!is_bash(script), "{script}");
        }
    }

    #[test]
    fn options_are_the_shells_own() {
        let options = Options::of(&json!({"set": ["pipefail", "x", "e"], "shopt": ["globstar"]}));
        assert_eq!(options.shell("a"), ["bash", "-e", "-o", "pipefail", "-x"]);
        assert_eq!(options.around("a"), "set -o pipefail\nset -x\nset -e\nshopt -s globstar\na");
        assert_eq!(Options::default().shell("a"), ["sh", "-e"]);
    }
}
