//! Owns what a story's project looks like on disk: `infra.toml`, `tasks/t.toml`, scripts, templates, inputs.
//! The same texts, their holes filled with values, are what the rules compare.

use crate::machines::{module, table};
use crate::project::{Effect, How, Id, Out, Project, Task};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A place in a text that is filled.
#[derive(Clone, Copy)]
pub enum Hole {
    Item,
    Env,
    Var(usize),
    /// Value `k` of a task.
    Value(usize),
}

/// As a template.
fn template(project: &Project, hole: Hole) -> String {
    match hole {
        Hole::Item => "{{ item }}".to_owned(),
        Hole::Env => "{{ env.name }}".to_owned(),
        Hole::Var(var) => format!("{{{{ vars.v{var} }}}}"),
        Hole::Value(up) if project.tasks[up].keys.is_some() => {
            format!("{{{{ tasks.{}.k | tojson }}}}", project.tasks[up].name)
        }
        Hole::Value(up) => format!("{{{{ tasks.{}.k }}}}", project.tasks[up].name),
    }
}

pub type Fill<'a> = &'a dyn Fn(Hole) -> String;

/// The first line that a task sees: its version, variables, values.
pub fn first_line(project: &Project, task: usize, fill: Fill<'_>) -> String {
    let declared = &project.tasks[task];
    format!("v{}{}", declared.version, rest_of_line(project, task, fill))
}

/// The same without its version.
pub fn rest_of_line(project: &Project, task: usize, fill: Fill<'_>) -> String {
    let declared = &project.tasks[task];
    let mut line = String::new();
    if declared.keys.is_some() {
        write!(line, " {}", fill(Hole::Item)).expect("text");
    }
    for var in &declared.vars {
        write!(line, " {}", fill(Hole::Var(*var))).expect("text");
    }
    for up in project.values(task) {
        write!(line, " {}", fill(Hole::Value(up))).expect("text");
    }
    line
}

/// What a task looks at after its first line, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// A file of the project, comments and all.
    File(String),
    /// Without its comments.
    Text(String),
    /// All files of a folder.
    Folder(String),
    /// An artifact of a task; `none` when it is not there.
    Artifact(String),
    /// What a task made of the world, by its label.
    World(String),
    /// The first of the things that a task made, by its label.
    FirstThing(String),
    /// The world outside.
    Outside(String),
}

pub fn looks(project: &Project, id: Id, label: &str) -> Vec<Look> {
    let task = project.task(id);
    let mut looks = Vec::new();
    for file in &task.files {
        let path = format!("in/f{file}");
        looks.push(if task.strips { Look::Text(path) } else { Look::File(path) });
    }
    for folder in &task.folders {
        looks.push(Look::Folder(format!("src/g{folder}")));
    }
    for up in project.artifacts(id.task) {
        looks.push(Look::Artifact(first_file(project, up)));
    }
    // Whoever reads a value of machines goes there, unless it only makes files.
    for up in project.values(id.task).into_iter().filter(|_| task.effect != Effect::Pure && !task.is_machines()) {
        if project.tasks[up].is_machines() {
            looks.push(Look::FirstThing(format!("w{}", project.tasks[up].mark)));
        }
    }
    for up in project.needs(id.task) {
        let needed = &project.tasks[up];
        if needed.keys.is_some() {
            continue;
        }
        if needed.effect.changes_world() {
            looks.push(Look::World(format!("w{}", needed.mark)));
        } else if needed.out != Out::Nothing {
            looks.push(Look::Artifact(first_file(project, up)));
        }
    }
    if task.effect == Effect::Read {
        looks.push(Look::Outside(label.to_owned()));
    }
    looks
}

/// The declared output of a task.
pub fn output(project: &Project, id: Id) -> Option<String> {
    let label = project.label(id);
    match project.task(id).out {
        Out::Nothing => None,
        Out::File => Some(format!("out/{label}")),
        Out::Folder => Some(format!("out/{label}d")),
    }
}

fn first_file(project: &Project, task: usize) -> String {
    let path = output(project, Id { task, key: None }).expect("an output");
    if project.tasks[task].out == Out::Folder { format!("{path}/a") } else { path }
}

/// How an artifact is named under `inputs`: the output itself, a file in it, or a glob in it.
pub fn artifact_input(project: &Project, reader: usize, up: usize) -> String {
    let path = output(project, Id { task: up, key: None }).expect("an output");
    match (project.tasks[up].out, (reader + up) % 3) {
        (Out::Folder, 1) => format!("{path}/a"),
        (Out::Folder, 2) => format!("{path}/**"),
        _ => path,
    }
}

fn uses_env(project: &Project, task: usize) -> bool {
    let needs_world = |up: &usize| project.tasks[*up].effect.changes_world();
    let goes_there = project.tasks[task].effect != Effect::Pure
        && project.values(task).into_iter().any(|up| project.tasks[up].is_machines());
    goes_there || project.tasks[task].effect.changes_world() || project.needs(task).iter().any(needs_world)
}

/// The script's body; `env` and `label` are the shell's words for them.
fn body(project: &Project, task: usize, label: &str, env: &str, line: &str) -> String {
    let declared = &project.tasks[task];
    let mut text = format!("W={label}; . ../lib.sh\nsay '{line}'\n");
    let of = Id { task, key: None };
    for look in looks(project, of, label) {
        let line = match look {
            Look::File(path) | Look::Artifact(path) => format!("see {path}"),
            Look::Text(path) => format!("see_text {path}"),
            Look::Folder(path) => format!("see_all {path}"),
            Look::FirstThing(label) => format!("see_first ../world/{env}/{label}"),
            Look::World(label) => format!("see ../world/{env}/{label}"),
            Look::Outside(label) => format!("see ../seen/{label}"),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str("sum\n");
    match declared.out {
        Out::Nothing => {}
        Out::File => writeln!(text, "file out/{label}").expect("text"),
        Out::Folder => writeln!(text, "folder out/{label}d").expect("text"),
    }
    if declared.effect.changes_world() {
        writeln!(text, "world {env}").expect("text");
    }
    if declared.exports {
        text.push_str("export_k\n");
    }
    if let Some(file) = declared.files.first() {
        writeln!(text, "M=in/f{file}").expect("text");
    }
    text.push_str("end\n");
    text
}

/// What the action's table says, its holes filled: the script, the argv, the template's paths.
pub fn action(project: &Project, task: usize, fill: Fill<'_>) -> String {
    let declared = &project.tasks[task];
    let mark = declared.mark;
    let item = if declared.keys.is_some() { format!(".{}", fill(Hole::Item)) } else { String::new() };
    let env = if uses_env(project, task) { fill(Hole::Env) } else { "-".to_owned() };
    match &declared.how {
        How::Shell => {
            let line = first_line(project, task, fill);
            format!("'''\n{}'''", body(project, task, &format!("w{mark}{item}"), &env, &line))
        }
        How::Script => {
            let line = first_line(project, task, fill).replace('"', "\\\"");
            format!("[\"scripts/w{mark}.sh\", \"w{mark}{item}\", \"{env}\", \"{line}\"]")
        }
        How::Template => format!("{{ from = \"templates/w{mark}.j2\", to = \"out/w{mark}{item}\" }}"),
        How::Machines => table(project, task, fill, &fill(Hole::Env)),
        How::Undo(_) => String::new(),
    }
}

pub fn words<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

fn key_value(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{key} = {value}").expect("text");
}

fn declare(project: &Project, task: usize) -> String {
    let declared = &project.tasks[task];
    let name = |up: &usize| project.tasks[*up].name.clone();
    let mut text = format!("[task.{}]\n", declared.name);
    if declared.noise > 0 {
        key_value(&mut text, "description", &format!("\"text {}\"", declared.noise));
    }
    if let How::Undo(of) = &declared.how {
        let of: Vec<String> = of.iter().filter(|up| project.tasks[**up].declared).map(name).collect();
        key_value(&mut text, "undo_of", &words(&of));
        return text;
    }
    if !declared.was.is_empty() {
        key_value(&mut text, "was", &words(&declared.was));
    }
    if let Some(keys) = &declared.keys {
        let keys: Vec<String> = keys.iter().map(char::to_string).collect();
        key_value(&mut text, "foreach", &words(&keys));
    }
    if !matches!(declared.how, How::Template | How::Machines) {
        key_value(&mut text, "effect", &format!("\"{}\"", declared.effect.word()));
    }
    if declared.effect == Effect::Read && declared.ttl {
        key_value(&mut text, "ttl", "\"25m15s\"");
    }
    if declared.may_fail {
        key_value(&mut text, "allow_failure", "true");
    }
    for (key, ups) in [("needs", project.needs(task)), ("after", project.after(task))] {
        if !ups.is_empty() {
            let names: Vec<String> = ups.iter().map(name).collect();
            key_value(&mut text, key, &words(&names));
        }
    }
    let inputs = inputs(project, task);
    if !inputs.is_empty() {
        key_value(&mut text, "inputs", &words(&inputs));
    }
    declare_made(&mut text, project, task);
    let key = match declared.how {
        How::Script => "run",
        How::Template => "template",
        How::Machines => "terraform",
        _ => "shell",
    };
    key_value(&mut text, key, &action(project, task, &|hole| template(project, hole)));
    text
}

fn inputs(project: &Project, task: usize) -> Vec<String> {
    let declared = &project.tasks[task];
    if matches!(declared.how, How::Template | How::Machines) {
        return Vec::new();
    }
    let files = declared.files.iter().map(|file| format!("in/f{file}"));
    let folders = declared.folders.iter().map(|folder| format!("src/g{folder}/*.txt"));
    let artifacts = project.artifacts(task).into_iter().map(|up| artifact_input(project, task, up));
    files.chain(folders).chain(artifacts).collect()
}

fn declare_made(text: &mut String, project: &Project, task: usize) {
    let declared = &project.tasks[task];
    let item = if declared.keys.is_some() { ".{{ item }}" } else { "" };
    let mark = declared.mark;
    if !matches!(declared.how, How::Template | How::Machines) {
        match declared.out {
            Out::Nothing => {}
            Out::File => key_value(text, "outputs", &format!("[\"out/w{mark}{item}\"]")),
            Out::Folder => key_value(text, "outputs", &format!("[\"out/w{mark}{item}d/\"]")),
        }
    }
    if declared.exports {
        key_value(text, "exports", "{ k = \"int\" }");
    }
    if declared.is_machines() {
        return;
    }
    if project.probes(task) {
        let probe = format!("{{ exec = [\"sh\", \"../probe.sh\", \"w{mark}{item}\"], ttl = \"25m15s\" }}");
        key_value(text, "probe", &probe);
    }
    if declared.has_undo {
        let undo = format!("[\"sh\", \"../undo.sh\", \"w{mark}{item}\", \"{{{{ env.name }}}}\"]");
        key_value(text, "undo", &undo);
    }
}

/// Text of a task's own file: a script, or a template.
pub fn own_file(project: &Project, task: &Task, place: usize) -> Option<(String, String)> {
    let mark = task.mark;
    match task.how {
        How::Script => {
            let text = body(project, place, "$1", "$2", "$3").replace("'$3'", "\"$3\"");
            Some((format!("scripts/w{mark}.sh"), format!("#!/bin/sh -eu\n{text}")))
        }
        How::Template => {
            let line = first_line(project, place, &|hole| template(project, hole));
            Some((format!("templates/w{mark}.j2"), format!("{line}\n")))
        }
        How::Machines => Some((format!("tf/w{mark}/main.tf"), module(task.noise))),
        _ => None,
    }
}

/// Every file of the project by path.
pub fn files(project: &Project) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut settings = String::from("[vars]\n");
    for (var, value) in project.vars.iter().enumerate() {
        key_value(&mut settings, &format!("v{var}"), &value.to_string());
    }
    settings.push_str("\n[env.local]\n\n[env.dev]\n");
    let own: Vec<String> = (0..project.vars.len())
        .filter_map(|var| project.dev_vars[var].map(|value| format!("v{var} = {value}")))
        .collect();
    key_value(&mut settings, "vars", &format!("{{ {} }}", own.join(", ")));
    files.insert("infra.toml".to_owned(), settings);
    let tasks: Vec<String> =
        (0..project.tasks.len()).filter(|task| project.is_declared(*task)).map(|task| declare(project, task)).collect();
    files.insert("tasks/t.toml".to_owned(), tasks.join("\n"));
    for (place, task) in project.tasks.iter().enumerate().filter(|(_, task)| task.declared) {
        files.extend(own_file(project, task, place));
    }
    for (file, (says, comment)) in project.files.iter().enumerate() {
        files.insert(format!("in/f{file}"), format!("{says}\n# {comment}\n"));
    }
    for (folder, inside) in project.folders.iter().enumerate() {
        for (file, says) in inside {
            files.insert(format!("src/g{folder}/x{file}.txt"), format!("{says}\n"));
        }
    }
    files
}

/// Labels that tasks have in the world.
pub fn labels(project: &Project) -> BTreeSet<String> {
    project.ids().into_iter().map(|id| project.label(id)).collect()
}
