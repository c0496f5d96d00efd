//! Owns the guess what a target is: a file, a folder, or a name.
//! Does not know how make tells its rules, nor the disk (it is told).

use crate::import::make::database::Rule;

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A name, run each time.
    Name,
    /// A name for others, without a recipe.
    Group,
    /// A file.
    File,
    /// A folder.
    Folder,
}

impl Role {
    /// `lines`: the recipe as make would run it; `is_folder`: what is there, `None` if nothing is.
    pub(super) fn of(rule: &Rule, lines: &[String], is_folder: Option<bool>) -> Self {
        if lines.is_empty() && (rule.phony || rule.recipe.iter().all(|line| line.trim().is_empty())) {
            return Self::Group;
        }
        if rule.phony {
            return Self::Name;
        }
        let target = rule.target.trim_end_matches('/');
        match is_folder {
            Some(true) => return Self::Folder,
            Some(false) => return Self::File,
            None if lines.iter().any(|line| makes_folder(line, target)) => return Self::Folder,
            None => {}
        }
        let script = lines.join("\n");
        let base = target.rsplit('/').next().unwrap_or(target);
        let named = rule.recipe.iter().any(|line| names_its_target(line));
        let says_it = target.contains(['.', '/']) && script.contains(base);
        if named || writes(&script, target) || says_it || reads_its_stem(&script, base) {
            Self::File
        } else {
            Self::Name
        }
    }
}

/// Whether a line of a recipe does something to `$@`; only to say it is nothing.
fn names_its_target(line: &str) -> bool {
    let names = |text: &str| ["$@", "$(@", "${@", "$*"].iter().any(|mark| text.contains(mark));
    let bare = line.trim_start_matches(['@', '-', '+', ' ', '\t']);
    let says = (bare.starts_with("echo ") || bare.starts_with("printf ")) && !bare.contains([';', '&', '|']);
    match bare.rsplit_once('>') {
        Some((_, to)) if says => names(to),
        None if says => false,
        _ => names(line),
    }
}

/// Whether a script writes to a path that it names as a whole.
fn writes(script: &str, target: &str) -> bool {
    ["> ", ">", "-o ", "touch ", "--output "].iter().any(|mark| {
        let written = format!("{mark}{target}");
        script.match_indices(&written).any(|(at, _)| ends(&script[at + written.len()..]))
    })
}

/// Whether a line makes a folder of this path, or works in what must be one.
fn makes_folder(line: &str, target: &str) -> bool {
    for command in line.split([';', '&', '|', '\n', '(', ')']) {
        let words: Vec<&str> =
            command.split_whitespace().map(|word| word.trim_start_matches('@').trim_end_matches('/')).collect();
        let last = words.last().is_some_and(|word| *word == target);
        let has = |word: &str| words.contains(&word);
        let makes = match words.first().copied().unwrap_or_default() {
            "mkdir" | "install" => (words[0] == "mkdir" || has("-d")) && has(target),
            "git" => has("clone") && last,
            "virtualenv" => last,
            "npm" | "pnpm" | "yarn" => target.rsplit('/').next() == Some("node_modules"),
            _ => has("venv") && has("-m") && last,
        };
        if makes {
            return true;
        }
    }
    // `venv/bin/pip install …`: what it works with lies in it.
    line.split(|c: char| c.is_whitespace() || "\"'=;&|()<>".contains(c))
        .any(|word| word.strip_prefix(target).is_some_and(|rest| rest.starts_with("/bin/")))
}

fn ends(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_alphanumeric() || "._-/".contains(c))
}

/// Whether a recipe names a file that differs from the target in its ending: `cc -c main.c` makes `main.o`
/// without saying so.
fn reads_its_stem(script: &str, target: &str) -> bool {
    let Some((stem, ending)) = target.rsplit_once('.') else { return false };
    let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let mut words = script.split(|c: char| !is_part(c) && c != '/').map(|word| word.rsplit('/').next().unwrap_or(word));
    let names_it = |word: &str| word.strip_prefix(stem).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'));
    !stem.is_empty() && !ending.is_empty() && words.any(names_it) && !script.trim_start().starts_with("rm ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(target: &str, recipe: &str, expanded: &str) -> Role {
        let rule = Rule { target: target.to_owned(), recipe: vec![recipe.to_owned()], ..Rule::default() };
        Role::of(&rule, &[expanded.to_owned()], None)
    }

    #[test]
    fn a_compiler_makes_what_it_does_not_name() {
        assert!(reads_its_stem("cc -c main.c", "main.o"));
        assert!(reads_its_stem("cd doc && latex src/paper.tex", "paper.dvi"));
        // Another stem, no ending, and what is only taken away.
        assert!(!reads_its_stem("cc -c domain.c", "main.o"));
        assert!(!reads_its_stem("./all.sh", "all"));
        assert!(!reads_its_stem("rm -f report.txt", "report.pdf"));
    }

    #[test]
    fn what_is_written_is_told_from_what_is_only_named() {
        assert_eq!(role("use", "cat x > use.txt", "cat x > use.txt"), Role::Name);
        assert_eq!(role("use", "cat x > use", "cat x > use"), Role::File);
        assert_eq!(role("UPPER", "@echo $@", "echo UPPER"), Role::Name);
        assert_eq!(role("UPPER", "@echo $@ > log", "echo UPPER > log"), Role::Name);
        assert_eq!(role("UPPER", "@echo $@ > $@", "echo UPPER > UPPER"), Role::File);
    }

    #[test]
    fn a_folder_is_what_is_made_as_one() {
        let of = |target: &str, script: &str| role(target, script, script);
        assert_eq!(of("build", "mkdir -p build"), Role::Folder);
        assert_eq!(of("out/a.txt", "mkdir -p out && cp a.txt out/a.txt"), Role::File);
        assert_eq!(of("venv", "python3 -m venv venv"), Role::Folder);
        assert_eq!(of(".venv", "uv venv; .venv/bin/pip install x"), Role::Folder);
        assert_eq!(of("node_modules", "npm ci"), Role::Folder);
        assert_eq!(of("lib", "git clone x lib"), Role::Folder);
    }
}
