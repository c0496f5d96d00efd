//! Owns the order in which a tool comes to what a task builds on, and which edges do not tell: it is kept where a task
//! can do all of it by itself, else it is said, or the task is left out.
//! Does not know any tool.

use crate::import::draft::{Draft, Drafts, add};
use crate::import::lines::{Errexit, lines_apart};
use std::collections::{BTreeMap, BTreeSet};

/// More than so many scripts are not written into one.
const MANY: usize = 6;

/// What becomes of a task whose order edges do not tell.
enum Fate {
    /// It does everything itself.
    Whole(Box<Draft>),
    /// Another order would take away what is made.
    LeftOut(String),
    Said(String),
}

/// Sees to the order of all tasks.
pub(super) fn keep(drafts: &mut Drafts) {
    let fates: Vec<(usize, Fate)> = {
        let graph = Graph::of(&drafts.tasks);
        (0..drafts.tasks.len()).filter_map(|at| graph.fate(at).map(|fate| (at, fate))).collect()
    };
    let mut out = BTreeSet::new();
    for (at, fate) in fates {
        match fate {
            Fate::Whole(whole) => drafts.tasks[at] = *whole,
            Fate::Said(what) => drafts.tasks[at].lost.push(what),
            Fate::LeftOut(reason) => {
                drafts.left_out.push((drafts.tasks[at].name.clone(), reason));
                out.insert(drafts.tasks[at].name.clone());
            }
        }
    }
    drafts.tasks.retain(|task| !out.contains(&task.name));
}

/// The first two parts whose order edges do not tell, and the first two of which one takes files away.
#[derive(Default)]
struct Unordered {
    lost: Option<(usize, usize)>,
    taken: Option<(usize, usize)>,
}

struct Graph<'a> {
    tasks: &'a [Draft],
    by_name: BTreeMap<&'a str, usize>,
    /// What each comes after.
    before: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn of(tasks: &'a [Draft]) -> Self {
        let by_name: BTreeMap<&str, usize> =
            tasks.iter().enumerate().map(|(at, task)| (task.name.as_str(), at)).collect();
        let mut made: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, task) in tasks.iter().enumerate() {
            made.extend(task.outputs.iter().map(|path| (path.trim_end_matches('/'), at)));
        }
        let edges = |task: &Draft| {
            let named = task.needs.iter().chain(&task.after).filter_map(|name| by_name.get(name.as_str()));
            let read = task.inputs.iter().filter_map(|path| made.get(path.trim_end_matches('/')));
            named.chain(read).copied().collect()
        };
        let before = tasks.iter().map(edges).collect();
        Self { tasks, by_name, before }
    }

    /// A task, and all that comes before it.
    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            open.extend(self.before[at].iter().copied().filter(|before| seen.insert(*before)));
        }
        seen
    }

    fn fate(&self, at: usize) -> Option<Fate> {
        let task = &self.tasks[at];
        let parts: Vec<usize> =
            task.in_turn.iter().filter_map(|name| self.by_name.get(name.as_str()).copied()).collect();
        let Unordered { lost, taken } = self.unordered(at, &parts);
        let name = |at: usize| &self.tasks[at].name;
        let (first, second) = lost?;
        if let Some(whole) = self.whole(task, &parts) {
            return Some(Fate::Whole(Box::new(whole)));
        }
        if let Some((first, second)) = taken {
            let (first, second) = (name(first), name(second));
            return Some(Fate::LeftOut(format!(
                "it does `{first}`, then `{second}`; here both would run at the same time, and one of them only takes files away: ask for one, then for the other"
            )));
        }
        let (first, second) = (name(first), name(second));
        Some(Fate::Said(format!("that `{first}` comes before `{second}` here: they may run at the same time")))
    }

    /// Parts of which something of one comes before something of the other only because the tool comes to it first.
    /// Files that do not need each other may be made in any order.
    fn unordered(&self, at: usize, parts: &[usize]) -> Unordered {
        let acts = |at: &usize| !self.tasks[*at].script.trim().is_empty();
        let each_time = |at: &usize| is_each_time(&self.tasks[*at]) && acts(at);
        let takes = |at: usize| is_each_time(&self.tasks[at]) && takes_away(&self.tasks[at].script);
        let all = self.reached(at);
        if parts.len() < 2 || !all.iter().any(each_time) {
            return Unordered::default();
        }
        let some_take = all.iter().any(|at| takes(*at));
        // What was come to, and for which part.
        let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
        let mut lost = None;
        for part in parts {
            let later = self.reached(*part);
            for second in later.iter().filter(|second| acts(second) && !seen.contains_key(second)) {
                let before = self.reached(*second);
                let firsts = seen.iter().filter(|(first, _)| acts(first) && !later.contains(first));
                for (first, of) in firsts.filter(|(first, _)| !before.contains(first)) {
                    if each_time(first) || each_time(second) {
                        lost = lost.or(Some((*of, *part)));
                        if takes(*first) != takes(*second) {
                            return Unordered { lost, taken: Some((*of, *part)) };
                        }
                        if !some_take {
                            return Unordered { lost, taken: None };
                        }
                    }
                }
            }
            for at in later {
                seen.entry(at).or_insert(*part);
            }
        }
        Unordered { lost, taken: None }
    }

    /// A task without a script of its own that does what its parts do, if that is nothing but scripts.
    fn whole(&self, task: &Draft, parts: &[usize]) -> Option<Draft> {
        let parts: Vec<&Draft> = parts.iter().map(|part| &self.tasks[*part]).collect();
        let shell = |part: &Draft| part.with.iter().filter(|word| *word != "-e").cloned().collect::<Vec<_>>();
        let first = parts.first()?;
        let alike = |part: &&Draft| {
            is_each_time(part)
                && part.is_for_sh()
                && !part.interactive
                && [&part.needs, &part.after, &part.inputs, &part.outputs].iter().all(|list| list.is_empty())
                && shell(part) == shell(first)
                && part.env == first.env
                && part.dir == first.dir
        };
        let only = task.needs.iter().chain(&task.after).all(|name| task.in_turn.contains(name));
        if !task.script.is_empty() || !only || !task.inputs.is_empty() || parts.len() > MANY || !parts.iter().all(alike)
        {
            return None;
        }
        let mut whole = Draft { needs: Vec::new(), after: Vec::new(), ..task.clone() };
        for part in &parts {
            let options = part.with.get(1..).unwrap_or_default();
            let script = part.script.trim_end().to_owned();
            whole.script.push_str(&lines_apart(&[(script, false)], Errexit::of(options)));
            for name in &part.pass_env {
                add(&mut whole.pass_env, name);
            }
            for lost in &part.lost {
                add(&mut whole.lost, lost);
            }
        }
        whole.with = shell(first);
        if Errexit::of(&whole.with[1..]) == Errexit::Off {
            whole.with.insert(1, "-e".to_owned());
        }
        whole.env.clone_from(&first.env);
        whole.dir.clone_from(&first.dir);
        whole.probe.clone_from(&first.probe);
        let names: Vec<String> = parts.iter().map(|part| format!("`{}`", part.name)).collect();
        whole.notes.push(format!(
            "it does what {} do, one after the other; if they may run at the same time, give it `needs` instead",
            names.join(", ")
        ));
        Some(whole)
    }
}

fn is_each_time(task: &Draft) -> bool {
    task.probe == ["false"]
}

/// Whether a script does nothing but take files away.
fn takes_away(script: &str) -> bool {
    const QUIET: [&str; 16] = [
        "echo", "printf", "cd", "true", ":", "test", "[", "set", "if", "then", "fi", "for", "do", "done", "else",
        "mkdir",
    ];
    let mut takes = false;
    for command in script.split([';', '&', '|', '\n', '(', ')']) {
        let mut words = command.split_whitespace().skip_while(|word| matches!(*word, "sudo" | "then" | "do" | "else"));
        match words.next() {
            None => {}
            Some("rm" | "rmdir" | "unlink") => takes = true,
            Some(word) if QUIET.contains(&word) => {}
            _ if words.any(|word| matches!(word, "clean" | "distclean" | "-delete" | "prune" | "rm")) => takes = true,
            _ => return false,
        }
    }
    takes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, script: &str) -> Draft {
        let mut task = Draft { script: script.to_owned(), with: vec!["sh".to_owned()], ..Draft::named(name) };
        task.run_each_time("make");
        task
    }

    fn group(name: &str, parts: &[&str]) -> Draft {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        Draft { needs: parts.clone(), in_turn: parts, ..Draft::named(name) }
    }

    fn kept(tasks: Vec<Draft>) -> Drafts {
        let mut drafts = Drafts { tasks, ..Drafts::default() };
        keep(&mut drafts);
        drafts
    }

    fn file(name: &str, from: &[&str]) -> Draft {
        Draft {
            inputs: from.iter().map(|path| (*path).to_owned()).collect(),
            outputs: vec![name.to_owned()],
            script: format!("touch {name}"),
            ..Draft::named(name)
        }
    }

    #[test]
    fn scripts_alone_are_done_one_after_the_other() {
        let drafts = kept(vec![task("a", "echo a"), task("b", "cd b; echo"), group("all", &["a", "b"])]);
        assert_eq!(drafts.tasks[2].script, "echo a\n(set +e\ncd b; echo\n)\n");
        assert!(drafts.tasks[2].needs.is_empty() && drafts.tasks[2].with == ["sh", "-e"]);
        assert!(drafts.tasks[0].lost.is_empty() && drafts.tasks[0].script == "echo a");
    }

    #[test]
    fn what_takes_away_what_is_made_is_not_done_beside_it() {
        let drafts = kept(vec![task("clean", "rm -f x"), file("x", &[]), group("rebuild", &["clean", "x"])]);
        assert_eq!(drafts.left_out.len(), 1);
        let drafts = kept(vec![task("lint", "check"), file("x", &[]), group("all", &["lint", "x"])]);
        assert_eq!(drafts.tasks[2].lost, ["that `lint` comes before `x` here: they may run at the same time"]);
    }

    #[test]
    fn who_cleans_is_told_from_who_works() {
        for script in
            ["rm -f a", "cd x && rm -r y || true", "cargo clean", "for f in a b; do rm $f; done", "find . -delete"]
        {
            assert!(takes_away(script), "{script}");
        }
        for script in ["echo rm", "rm -f a; touch a", "echo", "cargo build", "mkdir a"] {
            assert!(!takes_away(script), "{script}");
        }
    }

    #[test]
    fn what_edges_tell_is_not_said() {
        let mut test = task("test", "./x");
        test.inputs = vec!["x".to_owned()];
        let tasks = vec![file("x", &["y"]), file("y", &[]), file("z", &[]), test, group("all", &["x", "test"])];
        let drafts = kept(tasks);
        assert!(drafts.tasks.iter().all(|task| task.lost.is_empty()) && drafts.left_out.is_empty());
        let drafts = kept(vec![file("x", &[]), file("z", &[]), group("all", &["x", "z"])]);
        assert!(drafts.tasks[2].lost.is_empty() && drafts.tasks[2].needs.len() == 2);
    }
}
