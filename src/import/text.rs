//! Owns drafts as the text of a task file, with what could not be carried over as comments beside the tasks.
//! Does not know how drafts are made.

use crate::import::draft::{Draft, Drafts, Settings};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A file of tasks. `names`: the tool's names by ours; `origin`: the file that was read.
pub fn render(drafts: &Drafts, names: &BTreeMap<String, String>, origin: &str) -> String {
    let mut out = made_from(origin);
    if let Some((words, old, new)) = alone(drafts, names) {
        let how = match drafts.settings {
            Settings::Told => {
                format!("here `infra run {new}`, or `default = [\"{new}\"]` under [project] of infra.toml")
            }
            Settings::Written => "here `infra run` alone does, as infra.toml says".to_owned(),
        };
        comment(&mut out, "", &format!("{words} `{old}`: {how}"));
    }
    for note in &drafts.notes {
        comment(&mut out, "", note);
    }
    for lost in &drafts.lost {
        comment(&mut out, "not carried over: ", lost);
    }
    for (name, reason) in &drafts.left_out {
        comment(&mut out, "not carried over: ", &format!("task `{name}`: {reason}"));
    }
    for task in &drafts.tasks {
        out.push('\n');
        let old = names.get(&task.name).filter(|old| **old != task.name);
        if let Some(old) = old {
            comment(&mut out, "", &format!("there it is `{old}`"));
        }
        table(&mut out, task);
    }
    out
}

/// The `infra.toml` that goes with the file of tasks; `None`: nothing needs to be said there.
pub fn project(drafts: &Drafts, names: &BTreeMap<String, String>, origin: &str, folder: &str) -> Option<String> {
    let default = alone(drafts, names);
    if drafts.settings == Settings::Told || (default.is_none() && drafts.dotenv.is_empty()) {
        return None;
    }
    let mut out = made_from(origin);
    let _ = writeln!(out, "[project]\nname = {}", quoted(folder));
    if let Some((words, old, new)) = default {
        comment(&mut out, "", &format!("{words} `{old}`, and so does `infra run`"));
        list(&mut out, "default", std::slice::from_ref(new));
    }
    list(&mut out, "dotenv", &drafts.dotenv.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>());
    Some(out)
}

fn made_from(origin: &str) -> String {
    format!("# Made from {} by `infra import`; from here on it is yours.\n", one_line(origin))
}

/// What the tool does when it is started alone: the words for that, its name there, and here.
fn alone<'a>(
    drafts: &'a Drafts,
    names: &'a BTreeMap<String, String>,
) -> Option<(&'static str, &'a String, &'a String)> {
    let (words, old) = drafts.default.as_ref()?;
    let new = names.iter().find(|(_, one)| *one == old).map_or(old, |(new, _)| new);
    drafts.tasks.iter().any(|task| task.name == *new).then_some((words, old, new))
}

fn table(out: &mut String, task: &Draft) {
    for note in &task.notes {
        comment(out, "", note);
    }
    for lost in &task.lost {
        comment(out, "not carried over: ", lost);
    }
    let key = if task.name.contains('.') { quoted(&task.name) } else { task.name.clone() };
    let _ = writeln!(out, "[task.{key}]");
    if let Some(description) = task.description.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let _ = writeln!(out, "description = {}", quoted(description));
    }
    list(out, "tags", &task.tags);
    list(out, "needs", &task.needs);
    list(out, "after", &task.after);
    list(out, "inputs", &task.inputs.iter().map(|path| raw(path)).collect::<Vec<_>>());
    list(out, "outputs", &task.outputs.iter().map(|path| raw(path)).collect::<Vec<_>>());
    if !task.env.is_empty() {
        let pairs: Vec<String> =
            task.env.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(&raw(value)))).collect();
        let _ = writeln!(out, "env = {{ {} }}", pairs.join(", "));
    }
    list(out, "pass_env", &task.pass_env);
    if !task.dir.is_empty() {
        let _ = writeln!(out, "dir = {}", quoted(&raw(&task.dir)));
    }
    if task.interactive {
        out.push_str("interactive = true\n");
    }
    if !task.probe.is_empty() {
        let words: Vec<String> = task.probe.iter().map(|word| quoted(&raw(word))).collect();
        let _ = writeln!(out, "probe = {{ exec = [{}] }}", words.join(", "));
    }
    let script = if task.script.trim().is_empty() { ":".to_owned() } else { task.script.trim_end().to_owned() };
    let script = multiline(&raw(&script));
    if task.with.is_empty() {
        let _ = writeln!(out, "shell = {script}");
    } else {
        let words: Vec<String> = task.with.iter().map(|word| quoted(&raw(word))).collect();
        let _ = writeln!(out, "shell.with = [{}]", words.join(", "));
        let _ = writeln!(out, "shell.script = {script}");
    }
}

fn list(out: &mut String, key: &str, words: &[String]) {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    if words.is_empty() {
        return;
    }
    let line = format!("{key} = [{}]", words.join(", "));
    if line.chars().count() <= 120 {
        let _ = writeln!(out, "{line}");
    } else {
        let _ = writeln!(out, "{key} = [\n  {},\n]", words.join(",\n  "));
    }
}

pub(super) fn comment(out: &mut String, mark: &str, text: &str) {
    let _ = writeln!(out, "# {mark}{}", one_line(text));
}

/// A comment is one line, without what TOML forbids in it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A TOML string on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML string that keeps lines and letters as they are where it can.
fn multiline(text: &str) -> String {
    let odd = text.chars().any(|c| c.is_control() && !"\n\t".contains(c));
    match (text.contains('\n'), odd) {
        (_, true) => quoted(text),
        (false, false) if !text.contains(['"', '\\', '\t']) => quoted(text),
        (false, false) if !text.contains('\'') => format!("'{text}'"),
        _ if text.contains("'''") => {
            format!("\"\"\"\n{}\n\"\"\"", text.replace('\\', "\\\\").replace("\"\"\"", "\"\"\\\""))
        }
        _ => format!("'''\n{text}\n'''"),
    }
}

/// Text that is no template, though it looks like one.
pub(super) fn raw(text: &str) -> String {
    if !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return text.to_owned();
    }
    // Where the text itself could end such a passage, its letters are given by an expression.
    let text =
        if text.contains("endraw") { text.replace("{%", "{% endraw %}{{ '{%' }}{% raw %}") } else { text.to_owned() };
    format!("{{% raw %}}{text}{{% endraw %}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_written_with_what_it_lost() {
        let task = Draft {
            name: "a.o".to_owned(),
            description: Some("Say \"hi\"".to_owned()),
            needs: vec!["b".to_owned()],
            script: "echo ${#x}\necho '''".to_owned(),
            with: vec!["sh".to_owned(), "-e".to_owned()],
            lost: vec!["this\nand that".to_owned()],
            ..Draft::default()
        };
        let drafts = Drafts { tasks: vec![task], left_out: vec![("z".into(), "odd".into())], ..Drafts::default() };
        let names = BTreeMap::from([("a.o".to_owned(), "x/a.o".to_owned())]);
        let wanted = r#"# Made from Makefile by `infra import`; from here on it is yours.
# not carried over: task `z`: odd

# there it is `x/a.o`
# not carried over: this and that
[task."a.o"]
description = "Say \"hi\""
needs = ["b"]
shell.with = ["sh", "-e"]
shell.script = """
{% raw %}echo ${#x}
echo '''{% endraw %}
"""
"#;
        assert_eq!(render(&drafts, &names, "Makefile"), wanted);
    }

    #[test]
    fn text_is_written_so_that_it_is_read_as_it_was() {
        for text in
            ["a", "a \"b\" \\c", "it's", "two\nlines\n\\", "it'''s\n\"\"\" \\n \"", "a \"\nb'", "\u{1}'''", "tab\there"]
        {
            let toml: toml::Table = format!("x = {}", multiline(text)).parse().unwrap();
            assert_eq!(toml["x"].as_str().unwrap().trim_end(), text.trim_end(), "{text:?}");
        }
    }
}
