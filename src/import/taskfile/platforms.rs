//! Owns `platforms` of a Taskfile as a question that a shell answers.
//! Does not know what depends on the answer.

use serde_json::Value as Json;

/// Systems and machines as Task names them, and as `uname` does.
const SYSTEMS: [(&str, &[&str]); 6] = [
    ("linux", &["Linux"]),
    ("darwin", &["Darwin"]),
    ("windows", &["MINGW*", "MSYS*", "CYGWIN*"]),
    ("freebsd", &["FreeBSD"]),
    ("openbsd", &["OpenBSD"]),
    ("netbsd", &["NetBSD"]),
];
const MACHINES: [(&str, &[&str]); 4] =
    [("amd64", &["x86_64"]), ("arm64", &["aarch64", "arm64"]), ("386", &["i?86"]), ("arm", &["arm*"])];

/// Lines that are run on these platforms alone; `None`: one of them is unknown. `or`: what is run on others.
pub(super) fn on(platforms: &Json, lines: &str, or: &str) -> Option<String> {
    let each: Option<Vec<String>> = platforms.as_array()?.iter().map(|one| patterns(one.as_str()?)).collect();
    let or = if or.is_empty() { String::new() } else { format!("*)\n{or}\n;;\n") };
    let patterns = each?.join(" | ");
    Some(format!("case \"$(uname -s)-$(uname -m)\" in\n{patterns})\n{lines}\n;;\n{or}esac"))
}

fn patterns(platform: &str) -> Option<String> {
    let of = |table: &[(&str, &'static [&'static str])], word: &str| {
        table.iter().find(|(name, _)| *name == word).map(|(_, names)| *names)
    };
    let (systems, machines) = match platform.split_once('/') {
        Some((system, machine)) => (of(&SYSTEMS, system)?, of(&MACHINES, machine)?),
        None => match of(&SYSTEMS, platform) {
            Some(systems) => (systems, &["*"][..]),
            None => (&["*"][..], of(&MACHINES, platform)?),
        },
    };
    let pairs = systems.iter().flat_map(|system| machines.iter().map(move |machine| format!("{system}-{machine}")));
    Some(pairs.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_platform_is_what_uname_says() {
        assert_eq!(patterns("linux").unwrap(), "Linux-*");
        assert_eq!(patterns("darwin/arm64").unwrap(), "Darwin-aarch64 | Darwin-arm64");
        assert_eq!(patterns("amd64").unwrap(), "*-x86_64");
        assert!(patterns("plan9").is_none() && on(&json!(["linux", "plan9"]), "a", "").is_none());
        let text = on(&json!(["linux"]), "a", "exit 0").unwrap();
        assert_eq!(text, "case \"$(uname -s)-$(uname -m)\" in\nLinux-*)\na\n;;\n*)\nexit 0\n;;\nesac");
    }
}
