//! Owns scripts for other interpreters than `sh`.
//! Does not know whose scripts they are.

use crate::import::draft::Draft;

/// Interpreters that run what follows `-c`.
const TAKE_C: [&str; 9] = ["sh", "bash", "dash", "zsh", "ksh", "ash", "python", "python3", "fish"];

/// A shell and its arguments without the `c` that ends them; `None`: it takes its script otherwise.
pub(super) fn with_of(words: &[String]) -> Option<Vec<String>> {
    let (program, arguments) = words.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    TAKE_C.contains(&name).then_some(())?;
    let mut with = vec![program.clone()];
    let mut ends = false;
    for argument in arguments {
        let flags = argument.starts_with('-') && !argument.starts_with("--");
        if flags && argument.contains('c') {
            ends = true;
            let kept = argument.replace('c', "");
            with.extend((kept != "-").then_some(kept));
        } else {
            with.push(argument.clone());
        }
    }
    ends.then_some(with)
}

/// A script that starts with `#!` these words.
pub(super) fn interpreted(draft: &mut Draft, words: &[String], text: &str) {
    let mut words = words.to_vec();
    if words.first().is_some_and(|word| word.ends_with("/env")) {
        words.remove(0);
        if words.first().is_some_and(|word| word == "-S") {
            words.remove(0);
        }
    }
    let name = words.first().map_or("sh", |word| word.rsplit('/').next().unwrap_or(word)).to_owned();
    if TAKE_C.contains(&name.as_str()) {
        draft.with = words;
        text.clone_into(&mut draft.script);
        return;
    }
    let mut end = "END".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    let file = "\"$INFRA_TMP/script\"";
    draft.script = format!("cat > {file} <<'{end}'\n{text}\n{end}\n{} {file}", words.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_loses_its_c() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(with_of(&words("bash -euo pipefail -c")).unwrap(), words("bash -euo pipefail"));
        assert_eq!(with_of(&words("sh -cu")).unwrap(), words("sh -u"));
        assert_eq!(with_of(&words("nu -c")), None);
        assert_eq!(with_of(&words("bash")), None);
    }

    #[test]
    fn another_interpreter_gets_a_file() {
        let mut draft = Draft::default();
        interpreted(&mut draft, &["/usr/bin/env".to_owned(), "perl".to_owned()], "print 1;\nEND");
        assert!(draft.script.ends_with("END\nEND_\nperl \"$INFRA_TMP/script\""), "{}", draft.script);
    }
}
