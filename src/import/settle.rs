//! Owns what must hold among the drafts of one file before they are written: plain names, edges that lead somewhere,
//! paths of which each has one writer. What does not hold is taken out, and said.
//! Does not know TOML, nor the disk (it asks).

use crate::import::draft::{Draft, Drafts, add};
use crate::import::{calls, name, order};
use std::collections::{BTreeMap, BTreeSet};

/// Variables of the caller that every task gets, and what a shell sets itself.
pub const HANDED_OVER: [&str; 12] =
    ["PATH", "HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR", "SSH_AUTH_SOCK", "PWD", "OLDPWD", "IFS", "UID"];

/// What else a shell sets.
const SHELLS_OWN: [&str; 11] =
    ["REPLY", "RANDOM", "SECONDS", "LINENO", "PPID", "HOSTNAME", "OSTYPE", "EUID", "FUNCNAME", "PIPESTATUS", "OPTARG"];

/// Settles the drafts; gives the tool's names by ours. `there`: whether something is at a path of the project.
pub fn settle(drafts: &mut Drafts, there: &dyn Fn(&str) -> bool) -> BTreeMap<String, String> {
    calls::settle(drafts);
    order::keep(drafts);
    hollow(drafts);
    let names: Vec<String> = drafts.tasks.iter().map(|task| task.name.clone()).collect();
    let plain = name::plain(&names);
    one_writer_each(&mut drafts.tasks);
    let made: Vec<String> = drafts.tasks.iter().flat_map(|task| task.outputs.clone()).collect();
    for task in &mut drafts.tasks {
        edges(task, &plain);
        inputs(task, &made, there);
        if asks(&task.script) && !task.interactive {
            task.interactive = true;
            task.notes.push("it asks, so it gets the terminal".to_owned());
        }
        for name in unseen_variables(task) {
            task.lost.push(format!("`${name}` of your environment: if it is needed, name it under `pass_env`"));
        }
        task.name = plain[&task.name].clone();
    }
    plain.into_iter().map(|(old, new)| (new, old)).collect()
}

/// A task that only calls others, none of which is there, would do nothing and say that all is well.
fn hollow(drafts: &mut Drafts) {
    loop {
        let names: BTreeSet<String> = drafts.tasks.iter().map(|task| task.name.clone()).collect();
        let calls = |task: &Draft| task.needs.iter().chain(&task.after).cloned().collect::<Vec<_>>();
        let is_hollow = |task: &Draft| {
            let calls = calls(task);
            task.script.trim().is_empty()
                && task.inputs.is_empty()
                && !calls.is_empty()
                && calls.iter().all(|name| !names.contains(name))
        };
        let out: Vec<Draft> = drafts.tasks.iter().filter(|task| is_hollow(task)).cloned().collect();
        if out.is_empty() {
            return;
        }
        drafts.tasks.retain(|task| !is_hollow(task));
        let why = |task: &Draft| format!("it does nothing but `{}`, which is not imported", calls(task).join("`, `"));
        drafts.left_out.extend(out.iter().map(|task| (task.name.clone(), why(task))));
    }
}

/// Takes tasks out by their plain names, and the edges to them.
pub fn leave_out(drafts: &mut Drafts, names: &BTreeMap<String, String>) {
    for (name, reason) in names {
        drafts.tasks.retain(|task| task.name != *name);
        drafts.left_out.push((name.clone(), reason.clone()));
        hollow(drafts);
        for task in &mut drafts.tasks {
            let before = task.needs.len() + task.after.len();
            task.needs.retain(|need| need != name);
            task.after.retain(|need| need != name);
            if task.needs.len() + task.after.len() < before {
                task.lost.push(format!("that it comes after `{name}`, which is left out"));
            }
        }
    }
}

/// The first that writes a path, or a folder around it, is the one.
fn one_writer_each(tasks: &mut [Draft]) {
    let mut written: Vec<(String, String)> = Vec::new();
    for task in tasks {
        let mut kept = Vec::new();
        for output in std::mem::take(&mut task.outputs) {
            let clash = written.iter().find(|(path, _)| overlap(path, &output)).cloned();
            match clash {
                Some((path, other)) if other != task.name => task.lost.push(format!(
                    "output `{output}`: `{other}` writes `{path}`, and a path has one task that writes it"
                )),
                Some(_) => {}
                None => {
                    written.push((output.clone(), task.name.clone()));
                    kept.push(output);
                }
            }
        }
        task.outputs = kept;
    }
}

/// Whether one path is the other, or lies in it.
fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    let within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    a == b || within(a, b) || within(b, a)
}

/// Names become plain ones; what leads nowhere is said.
fn edges(task: &mut Draft, plain: &BTreeMap<String, String>) {
    let own = task.name.clone();
    let mut seen = BTreeSet::new();
    for list in [&mut task.needs, &mut task.after] {
        for name in std::mem::take(list) {
            match plain.get(&name) {
                Some(_) if name == own => task.lost.push("that it needs itself".to_owned()),
                Some(plain) if seen.insert(plain.clone()) => list.push(plain.clone()),
                Some(_) => {}
                None => task.lost.push(format!("that it comes after `{name}`, which is not imported")),
            }
        }
    }
}

/// Inputs that are there or are made stay.
fn inputs(task: &mut Draft, made: &[String], there: &dyn Fn(&str) -> bool) {
    let mut kept = Vec::new();
    for input in std::mem::take(&mut task.inputs) {
        if task.outputs.iter().any(|output| overlap(output, &input)) {
            task.lost.push(format!("input `{input}`: the task writes it itself (see `in_place`)"));
        } else if input.contains(['*', '?', '{', '[', '!'])
            || there(&input)
            || made.iter().any(|out| overlap(out, &input))
        {
            add(&mut kept, input);
        } else {
            task.lost.push(format!("input `{input}`: it is not there, and no imported task makes it"));
        }
    }
    task.inputs = kept;
}

/// Whether a script asks a person something.
fn asks(script: &str) -> bool {
    ["read -p", "read -rp", "read -r -p", "gum input", "gum confirm", "gum choose", "gum write", "| fzf"]
        .iter()
        .any(|mark| script.contains(mark))
}

/// Upper-case variables that a script reads, and that neither it nor the task sets.
fn unseen_variables(task: &Draft) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let script = &task.script;
    for (at, _) in script.match_indices('$') {
        let rest = &script[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let name: String =
            rest.chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect();
        let whole = !rest[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        // One with a default (`${A:-b}`) may be missing.
        let defaulted = rest[name.len()..].starts_with([':', '-', '=', '+']) && script[at + 1..].starts_with('{');
        let ours = name.starts_with("LC_")
            || name.starts_with("INFRA_")
            || name.starts_with("BASH_")
            || SHELLS_OWN.contains(&name.as_str())
            || HANDED_OVER.contains(&name.as_str());
        let set = task.env.iter().map(|(own, _)| own).chain(&task.pass_env).any(|own| *own == name)
            || script.contains(&format!("{name}="))
            || script.contains(&format!("for {name} in"))
            || script.contains(&format!("read {name}"));
        if name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name.len() > 1
            && whole
            && !defaulted
            && !ours
            && !set
        {
            found.insert(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, script: &str) -> Draft {
        Draft { script: script.to_owned(), ..Draft::named(name) }
    }

    #[test]
    fn what_leads_nowhere_is_taken_out_and_said() {
        let mut a = task("a/b", "cp $SRC out; echo $HOME ${X:-1}");
        a.needs = vec!["c".to_owned(), "a/b".to_owned(), "gone".to_owned()];
        a.inputs = vec!["missing".to_owned(), "there".to_owned(), "x/y".to_owned(), "*.c".to_owned()];
        a.outputs = vec!["out".to_owned()];
        let mut c = task("c", ":");
        c.outputs = vec!["x/".to_owned(), "out/z".to_owned()];
        let mut drafts = Drafts { tasks: vec![a, c], ..Drafts::default() };
        let names = settle(&mut drafts, &|path| path == "there");
        assert_eq!(names["a-b"], "a/b");
        let (a, c) = (&drafts.tasks[0], &drafts.tasks[1]);
        assert_eq!(a.needs, ["c"]);
        assert_eq!(a.inputs, ["there", "x/y", "*.c"]);
        assert_eq!(c.outputs, ["x/"]);
        assert_eq!(a.lost.len(), 4, "{:?}", a.lost);
        assert!(a.lost.iter().any(|lost| lost.contains("$SRC")), "{:?}", a.lost);
        leave_out(&mut drafts, &BTreeMap::from([("c".to_owned(), "why".to_owned())]));
        assert!(drafts.tasks[0].needs.is_empty() && drafts.left_out.len() == 1);
    }
}
