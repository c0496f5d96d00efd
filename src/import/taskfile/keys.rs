//! Owns what single keys of a task of a Taskfile say: which are lost, what `if` asks, which variables are read.
//! Does not know what becomes of them.

use crate::import::draft::Draft;
use crate::import::late::for_shell;
use crate::import::taskfile::variables::Variables;
use crate::import::taskfile::yaml::entries;
use serde_json::Value as Json;

/// Keys that change only how a task is shown or compared.
const QUIET: [&str; 14] = [
    "cmds",
    "cmd",
    "deps",
    "desc",
    "summary",
    "sources",
    "generates",
    "status",
    "preconditions",
    "vars",
    "env",
    "dir",
    "silent",
    "internal",
];
const QUIET_TOO: [&str; 13] = [
    "method",
    "run",
    "label",
    "prefix",
    "ignore_error",
    "interval",
    "failfast",
    "if",
    "set",
    "shopt",
    "platforms",
    "prompt",
    "requires",
];

/// Whether a template reads a variable, by itself or through variables of its file.
pub(super) fn reads(what: &Json, vars: &Json, name: &str) -> bool {
    let mut texts = vec![what.to_string()];
    let mut open = entries(vars);
    let names = |text: &String, name: &str| {
        let whole = |at: usize| !text[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.match_indices(&format!(".{name}")).any(|(at, found)| whole(at + found.len()))
    };
    loop {
        if texts.iter().any(|text| names(text, name)) {
            return true;
        }
        let (read, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(own, _)| texts.iter().any(|text| names(text, own)));
        if read.is_empty() {
            return false;
        }
        texts.extend(read.into_iter().map(|(_, value)| value.to_string()));
        open = rest;
    }
}

/// What `if` asks, of a task or of a command.
pub(super) fn condition(one: &Json, vars: &Variables) -> Result<Option<String>, String> {
    let said = one["if"].as_str().map(str::trim).filter(|text| !text.is_empty());
    said.map(|text| vars.fill(text).and_then(|text| for_shell(&text))).transpose()
}

/// What is lost, key by key.
pub(super) fn lost(task: &Json, draft: &mut Draft) {
    for (key, value) in task.as_object().into_iter().flatten() {
        match key.as_str() {
            "aliases" => draft.lost.push("its other names (`aliases`): a task has one name".to_owned()),
            "interactive" if *value == true => draft.interactive = true,
            "watch" if *value == true => draft.notes.push("see `watch` of a task".to_owned()),
            key if QUIET.contains(&key) || QUIET_TOO.contains(&key) || *value == false => {}
            key => draft.lost.push(format!("`{key}`")),
        }
    }
}
