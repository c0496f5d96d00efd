//! Owns just's functions: what can be computed while a justfile is read is, the rest is left to a shell.
//! Does not know where they stand.

use crate::import::draft::inside;
use crate::import::just::expression::{Text, late, plain};
use crate::import::late::{HERE, computed};

/// Functions of which the answer is so on this machine.
const OF_THE_MACHINE: [&str; 3] = ["os", "os_family", "arch"];

const OS: &str = if cfg!(target_os = "linux") {
    "linux"
} else if cfg!(target_os = "macos") {
    "macos"
} else {
    "other"
};

const ARCH: &str = if cfg!(target_arch = "x86_64") {
    "x86_64"
} else if cfg!(target_arch = "aarch64") {
    "aarch64"
} else {
    "other"
};

/// Whether a justfile's dump asks what machine this is.
pub(super) fn asks_for_the_machine(dump: &str) -> bool {
    OF_THE_MACHINE.iter().any(|name| dump.contains(&format!("[\"call\",\"{name}\"")))
}

/// What a function gives for arguments that are known now; `None`: it is none of these.
pub(super) fn known(name: &str, given: &[String]) -> Option<Result<Text, String>> {
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    Some(match (name, words.as_slice()) {
        // There are only paths in it: none of the shell's letters is of the machine.
        ("justfile_directory" | "justfile_dir", []) => Ok(late(HERE.to_owned(), Vec::new())),
        ("absolute_path", [path]) => match inside("", path) {
            Some(path) => Ok(late(format!("{HERE}/{path}"), Vec::new())),
            None => return None,
        },
        ("just_executable", []) => Ok(plain("just")),
        ("os", []) if OS != "other" => Ok(plain(OS)),
        ("arch", []) if ARCH != "other" => Ok(plain(ARCH)),
        ("os_family", []) => Ok(plain(if cfg!(unix) { "unix" } else { "windows" })),
        ("num_cpus", []) => Ok(command("cpus", "getconf _NPROCESSORS_ONLN")),
        ("home_directory" | "home_dir", []) => Ok(late(computed("home", "", "=$HOME"), Vec::new())),
        ("require" | "which", [program]) if is_plain(program) => {
            let or = if name == "which" { " || true" } else { "" };
            Ok(command(&format!("{program}_path"), &format!("command -v {program}{or}")))
        }
        ("shell", [script]) => Ok(command("value", script)),
        ("datetime" | "datetime_utc", [format]) if !format.contains('\'') => {
            let utc = if name == "datetime" { "" } else { "-u " };
            Ok(command("now", &format!("date {utc}'+{format}'")))
        }
        ("error", [message]) => Err(format!("just ends here: {message};")),
        _ => return text(name, &words).map(|text| text.map(|text| plain(&text))),
    })
}

fn command(name: &str, command: &str) -> Text {
    late(computed(name, HERE, command), Vec::new())
}

/// Whether a shell takes a word as it is.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+".contains(c))
}

/// Functions that only work on letters.
fn text(name: &str, given: &[&str]) -> Option<Result<String, String>> {
    let of_path = |part: Option<&str>| {
        let of = given.first().copied().unwrap_or_default();
        part.map(str::to_owned).ok_or_else(|| format!("`{name}()` of `{of}`"))
    };
    Some(match (name, given) {
        ("uppercase", [text]) => Ok(text.to_uppercase()),
        ("lowercase", [text]) => Ok(text.to_lowercase()),
        ("trim", [text]) => Ok(text.trim().to_owned()),
        ("trim_start", [text]) => Ok(text.trim_start().to_owned()),
        ("trim_end", [text]) => Ok(text.trim_end().to_owned()),
        ("trim_start_match", [text, one]) => Ok(text.strip_prefix(one).unwrap_or(text).to_owned()),
        ("trim_end_match", [text, one]) => Ok(text.strip_suffix(one).unwrap_or(text).to_owned()),
        ("trim_start_matches", [text, one]) => Ok(text.trim_start_matches(one).to_owned()),
        ("trim_end_matches", [text, one]) => Ok(text.trim_end_matches(one).to_owned()),
        ("capitalize", [text]) => {
            let mut letters = text.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            Ok(format!("{first}{}", letters.as_str().to_lowercase()))
        }
        ("quote", [text]) => Ok(format!("'{}'", text.replace('\'', r"'\''"))),
        ("replace", [text, from, to]) => Ok(text.replace(from, to)),
        ("append", [suffix, text]) => Ok(each(text, |word| format!("{word}{suffix}"))),
        ("prepend", [prefix, text]) => Ok(each(text, |word| format!("{prefix}{word}"))),
        ("join", [first, second, rest @ ..]) => {
            let join = |left: String, right: &&str| camino::Utf8Path::new(&left).join(right).into_string();
            Ok(std::iter::once(second).chain(rest).fold((*first).to_owned(), join))
        }
        ("file_name", [path]) => of_path(camino::Utf8Path::new(path).file_name()),
        ("file_stem", [path]) => of_path(camino::Utf8Path::new(path).file_stem()),
        ("extension", [path]) => of_path(camino::Utf8Path::new(path).extension()),
        ("parent_directory" | "parent_dir", [path]) => {
            of_path(camino::Utf8Path::new(path).parent().map(camino::Utf8Path::as_str))
        }
        ("without_extension", [path]) => {
            let path = camino::Utf8Path::new(path);
            of_path(path.file_stem()).map(|stem| path.with_file_name(stem).into_string())
        }
        _ => return None,
    })
}

fn each(text: &str, change: impl Fn(&str) -> String) -> String {
    text.split_whitespace().map(change).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_worked_on_as_just_does() {
        let of = |name: &str, given: &[&str]| text(name, given).unwrap().unwrap();
        assert_eq!(of("trim_end_match", &["a.txt", ".txt"]), "a");
        assert_eq!(of("trim_start_matches", &["xxa", "x"]), "a");
        assert_eq!(of("capitalize", &["aBC"]), "Abc");
        assert_eq!(of("append", &["-s", "a b"]), "a-s b-s");
        assert_eq!(of("join", &["a", "b/", "c"]), "a/b/c");
        assert_eq!(of("join", &["a", "/b"]), "/b");
        assert_eq!(of("join", &["", "x"]), "x");
        assert_eq!(of("without_extension", &["a/b.tar.gz"]), "a/b.tar");
        assert_eq!(of("parent_dir", &["a/b.c"]), "a");
        assert!(text("extension", &["a"]).unwrap().is_err() && text("uuid", &[]).is_none());
    }

    #[test]
    fn what_the_machine_knows_is_asked_for_when_it_runs() {
        let said = known("require", &["terraform".to_owned()]).unwrap().unwrap();
        assert!(said.late && said.text.contains("command -v terraform"));
        assert!(known("error", &["no".to_owned()]).unwrap().is_err());
        assert!(asks_for_the_machine(r#"["call","os"]"#) && !asks_for_the_machine(r#"["call","once"]"#));
    }
}
