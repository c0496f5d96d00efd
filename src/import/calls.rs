//! Owns calls of other tasks in the middle of a script, or at its end: the called task's own script stands there, if
//! it is nothing but one; else the call is said to be lost.
//! Does not know any tool.

use crate::import::draft::{Draft, Drafts, add};
use crate::import::lines::{Errexit, lines_apart};
use std::collections::BTreeMap;

/// Around the name of a called task, on a line of its own.
const MARK: char = '\u{6}';
const NEXT: char = '\u{7}';

/// More than so many letters are not written into a script, however often it calls.
const LONG: usize = 4000;

/// What becomes of a call that can't stand where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Else {
    /// The called task is needed.
    Before,
    /// It is not done.
    Lost,
}

/// A line that calls a task, which may fail or not; `what`: what is lost where it can't.
pub(super) fn call(name: &str, may_fail: bool, or: Else, what: &str) -> String {
    let kind = match (or, may_fail) {
        (Else::Before, false) => 'b',
        (Else::Before, true) => 'B',
        (Else::Lost, _) => 'l',
    };
    format!("{MARK}{kind}{name}{NEXT}{}{MARK}", what.replace('\n', " "))
}

/// Whether a text calls a task.
pub(super) fn is_call(text: &str) -> bool {
    text.contains(MARK)
}

/// A call in a script.
struct Call<'a> {
    name: &'a str,
    may_fail: bool,
    or: Else,
    what: &'a str,
}

/// `None`: the line is no call.
fn parsed(line: &str) -> Option<Call<'_>> {
    let inside = line.trim().strip_prefix(MARK)?.strip_suffix(MARK)?;
    let (name, what) = inside.split_once(NEXT)?;
    let or = if name.starts_with('l') { Else::Lost } else { Else::Before };
    Some(Call { name: name.get(1..)?, may_fail: name.starts_with('B'), or, what })
}

/// Sees to the calls of all scripts.
pub(super) fn settle(drafts: &mut Drafts) {
    // What is called may call, too. Those that call each other in a circle are left at the end.
    for _ in 0..=drafts.tasks.len() {
        let by_name: BTreeMap<&str, &Draft> = drafts.tasks.iter().map(|task| (task.name.as_str(), task)).collect();
        let is_ready = |task: &&Draft| is_call(&task.script) && called(task).all(|name| !calls(&by_name, name));
        let settled: Vec<Draft> = drafts.tasks.iter().filter(is_ready).map(|task| without(task, &by_name)).collect();
        if settled.is_empty() {
            break;
        }
        put(drafts, settled);
    }
    let rest = drafts.tasks.iter().filter(|task| is_call(&task.script));
    let rest: Vec<Draft> = rest.map(|task| without(task, &BTreeMap::new())).collect();
    put(drafts, rest);
}

fn put(drafts: &mut Drafts, settled: Vec<Draft>) {
    for one in settled {
        if let Some(task) = drafts.tasks.iter_mut().find(|task| task.name == one.name) {
            *task = one;
        }
    }
}

fn called(task: &Draft) -> impl Iterator<Item = &str> {
    task.script.lines().filter_map(parsed).map(|call| call.name)
}

fn calls(by_name: &BTreeMap<&str, &Draft>, name: &str) -> bool {
    by_name.get(name).is_some_and(|task| is_call(&task.script))
}

/// A task with scripts in place of calls, or with neither.
fn without(task: &Draft, by_name: &BTreeMap<&str, &Draft>) -> Draft {
    let parts: Option<Vec<&Draft>> = called(task).map(|name| by_name.get(name).copied()).collect();
    let parts = parts.filter(|parts| {
        let letters: usize = parts.iter().map(|part| part.script.len()).sum();
        letters < LONG && parts.iter().all(|part| can_stand_in(part, task))
    });
    let mut whole = Draft { script: String::new(), ..task.clone() };
    let mut names = Vec::new();
    for line in task.script.lines() {
        let Some(Call { name, may_fail, or, what }) = parsed(line) else {
            whole.script.extend([line, "\n"]);
            continue;
        };
        match parts.as_ref().and_then(|parts| parts.iter().find(|part| part.name == name)) {
            Some(part) => {
                add(&mut names, format!("`{name}`"));
                stand_in(&mut whole, part, may_fail);
            }
            None => {
                if or == Else::Before {
                    add(&mut whole.needs, name);
                    add(&mut whole.in_turn, name);
                }
                if may_fail {
                    add(&mut whole.lost, format!("that `{name}` may fail"));
                }
                if !what.is_empty() {
                    add(&mut whole.lost, what);
                }
            }
        }
    }
    if !names.is_empty() {
        whole.notes.push(format!("it does what {} do, where they are called", names.join(", ")));
    }
    whole
}

/// Whether a task is nothing but a script for the shell and place of another.
fn can_stand_in(part: &Draft, task: &Draft) -> bool {
    let program = |draft: &Draft| draft.with.first().map(|shell| shell.rsplit('/').next().unwrap_or(shell).to_owned());
    let options = |draft: &Draft| draft.with.iter().skip(1).filter(|word| *word != "-e").cloned().collect::<Vec<_>>();
    let is_bare = [&part.needs, &part.after, &part.inputs, &part.outputs].iter().all(|list| list.is_empty());
    part.probe == ["false"]
        && is_bare
        && !part.interactive
        && part.is_for_sh()
        && task.is_for_sh()
        && (program(part) == program(task)
            || (program(part).as_deref(), program(task).as_deref()) == (Some("sh"), Some("bash")))
        && options(part) == options(task)
        && part.env == task.env
        && part.dir == task.dir
}

fn stand_in(whole: &mut Draft, part: &Draft, may_fail: bool) {
    let script = part.script.trim_end();
    let errexit = Errexit::of(part.with.get(1..).unwrap_or_default());
    whole.script.push_str(&lines_apart(&[(script.to_owned(), may_fail)], errexit));
    for name in &part.pass_env {
        add(&mut whole.pass_env, name);
    }
    for lost in &part.lost {
        add(&mut whole.lost, lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, script: &str) -> Draft {
        let with = vec!["sh".to_owned(), "-e".to_owned()];
        let mut task = Draft { script: script.to_owned(), with, ..Draft::named(name) };
        task.run_each_time("Task");
        task
    }

    fn settled(called: Draft, or: Else) -> Draft {
        let script = format!("echo 1\n{}\necho 2\n", call(&called.name, false, or, "its place"));
        let mut drafts = Drafts { tasks: vec![task("all", &script), called], ..Drafts::default() };
        settle(&mut drafts);
        drafts.tasks.remove(0)
    }

    #[test]
    fn a_script_stands_where_it_is_called() {
        let all = settled(task("a", "echo a; cd b"), Else::Before);
        assert_eq!(all.script, "echo 1\n(\necho a; cd b\n)\necho 2\n");
        assert!(all.needs.is_empty() && all.lost.is_empty(), "{all:?}");
    }

    #[test]
    fn what_is_more_than_a_script_does_not() {
        let mut a = task("a", "echo a");
        a.outputs.push("a.txt".to_owned());
        let all = settled(a.clone(), Else::Before);
        assert_eq!(
            (all.script.as_str(), all.needs, all.lost),
            ("echo 1\necho 2\n", vec!["a".to_owned()], vec!["its place".to_owned()])
        );
        let all = settled(a, Else::Lost);
        assert!(all.needs.is_empty() && all.lost == ["its place"]);
    }

    #[test]
    fn calls_of_calls_are_followed_and_circles_are_not() {
        let b = task("b", "echo b");
        let a = task("a", &call("b", false, Else::Lost, "x"));
        let all = task("all", &call("a", false, Else::Lost, "x"));
        let mut drafts = Drafts { tasks: vec![all, a, b], ..Drafts::default() };
        settle(&mut drafts);
        assert!(drafts.tasks[0].script.contains("echo b") && drafts.tasks[0].lost.is_empty());
        let circle = task("c", &call("c", false, Else::Lost, "x"));
        let mut drafts = Drafts { tasks: vec![circle], ..Drafts::default() };
        settle(&mut drafts);
        assert_eq!((drafts.tasks[0].script.as_str(), drafts.tasks[0].lost.len()), ("", 1));
    }
}
