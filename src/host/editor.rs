//! Owns the starting of a person's own editor at a line of a file.
//! Does not know what is edited, nor where the editor's name comes from.

use crate::host::explain;
use camino::Utf8Path;
use std::process::Command;

/// Editors that take `+LINE FILE`.
const PLUS: [&str; 10] = ["vi", "vim", "nvim", "gvim", "view", "nano", "emacs", "emacsclient", "micro", "kak"];
/// Those that take `--goto FILE:LINE`, and return at once unless told to wait.
const GOTO: [&str; 4] = ["code", "code-insiders", "codium", "cursor"];
/// Those that take `FILE:LINE`.
const COLON: [&str; 4] = ["hx", "helix", "subl", "zed"];

/// Why an editor did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// A shell looks for it and did not find it.
    #[error("editor `{0}` was not found")]
    NotFound(String),
    /// It was left with another exit code than 0.
    #[error("editor `{editor}` ended with {how}")]
    Failed { editor: String, how: String },
    /// Not even a shell could be started.
    #[error("editor `{editor}` could not be started: {why}")]
    NotStarted { editor: String, why: String },
}

/// Opens a file at a line and waits until the editor is left. `editor` may hold arguments, as `$EDITOR` may.
///
/// # Errors
/// When it can't be started, or says that it failed.
pub fn open(editor: &str, file: &Utf8Path, line: usize, dir: &Utf8Path) -> Result<(), EditorError> {
    // As git does it: what is in `$EDITOR` is a command of the shell.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), editor])
        .args(arguments(editor, file, line))
        .current_dir(dir)
        .status()
        .map_err(|error| EditorError::NotStarted { editor: editor.to_owned(), why: explain(&error) })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(126 | 127) => Err(EditorError::NotFound(editor.to_owned())),
        Some(code) => Err(EditorError::Failed { editor: editor.to_owned(), how: format!("exit code {code}") }),
        None => Err(EditorError::Failed { editor: editor.to_owned(), how: "a signal".to_owned() }),
    }
}

/// What an editor is told; one that is not known gets the file alone.
fn arguments(editor: &str, file: &Utf8Path, line: usize) -> Vec<String> {
    let mut words = editor.split_whitespace();
    let program = words.next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    if PLUS.contains(&program) {
        return vec![format!("+{line}"), file.to_string()];
    }
    if GOTO.contains(&program) {
        let waits = words.any(|word| word == "--wait" || word == "-w");
        let wait = (!waits).then(|| "--wait".to_owned());
        return wait.into_iter().chain(["--goto".to_owned(), format!("{file}:{line}")]).collect();
    }
    vec![if COLON.contains(&program) { format!("{file}:{line}") } else { file.to_string() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_editor_is_told_the_line_in_its_way() {
        let told = |editor| arguments(editor, "tasks/t.toml".into(), 7).join(" ");
        for editor in ["vi", "/usr/bin/vim", "nvim -p", "nano", "emacs -nw", "emacsclient -t"] {
            assert_eq!(told(editor), "+7 tasks/t.toml", "{editor}");
        }
        assert_eq!(told("code"), "--wait --goto tasks/t.toml:7");
        assert_eq!(told("code --wait"), "--goto tasks/t.toml:7");
        assert_eq!(told("hx"), "tasks/t.toml:7");
        assert_eq!((told("ed"), told("")), ("tasks/t.toml".to_owned(), "tasks/t.toml".to_owned()));
    }
}
