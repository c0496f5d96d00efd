//! Owns make's rules as drafts: which targets are files, what is run each time, what gets lost on the way.
//! Does not know how make tells them.

use crate::import::draft::{Draft, Drafts, add, inside};
use crate::import::lines::{Errexit, lines_apart};
use crate::import::make::database::{Database, Rule};
use crate::import::make::trace::Trace;
use std::collections::{BTreeMap, BTreeSet};

/// The Makefile as make knows it.
pub(super) struct Rules<'a> {
    pub(super) known: &'a Database,
    pub(super) trace: &'a Trace,
    pub(super) text: &'a str,
    pub(super) dir: &'a str,
    pub(super) is_folder: &'a dyn Fn(&str) -> Option<bool>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A name, run each time.
    Name,
    /// A name for others, without a recipe.
    Group,
    /// A file.
    File,
    /// A folder.
    Folder,
}

impl Rules<'_> {
    pub(super) fn drafts(&self) -> Drafts {
        let mut drafts = Drafts::default();
        let twice = self.double();
        let mut rules: Vec<&Rule> = self.known.rules.iter().filter(|rule| rule.is_target()).collect();
        // make makes what it reads itself; a task that does is nobody's wish.
        let read = self.trace.answers.get("MAKEFILE_LIST").map_or("", String::as_str);
        rules.retain(|rule| !read.split_whitespace().any(|file| file == rule.target));
        rules.sort_by_key(|rule| (self.line(rule), rule.target.clone()));
        let roles: BTreeMap<&str, Role> = rules.iter().map(|rule| (rule.target.as_str(), self.role(rule))).collect();
        let computed = computed_by_shell(self.text);
        let mut by_another: BTreeSet<String> = BTreeSet::new();
        for rule in rules {
            if twice.contains(&rule.target) {
                let reason = "it has several rules with double colons, each run by itself";
                if !drafts.left_out.iter().any(|(name, _)| *name == rule.target) {
                    drafts.left_out.push((rule.target.clone(), reason.to_owned()));
                }
                continue;
            }
            if by_another.contains(&rule.target) {
                continue;
            }
            let come_to = self.trace.recipe(&rule.target);
            if come_to.is_none() && rule.recipe.iter().any(|line| !line.trim().is_empty()) {
                let reason = self
                    .trace
                    .against(&rule.target)
                    .map_or("make does not come to it".to_owned(), |said| format!("make says: {said}"));
                drafts.left_out.push((rule.target.clone(), reason));
                continue;
            }
            by_another.extend(rule.also.iter().cloned());
            drafts.tasks.push(self.draft(rule, come_to.unwrap_or_default(), &roles, &computed));
        }
        self.around(&mut drafts, &computed);
        drafts
    }

    fn around(&self, drafts: &mut Drafts, computed: &BTreeSet<String>) {
        if let Some(goal) = self.trace.answers.get(".DEFAULT_GOAL").filter(|goal| !goal.is_empty()) {
            drafts.default = Some(("`make` alone makes", goal.clone()));
        }
        for (pattern, line) in &self.known.patterns {
            if !self.known.rules.iter().any(|rule| rule.line == Some(*line)) {
                let pattern = pattern.trim();
                drafts
                    .lost
                    .push(format!("pattern rule `{pattern}` (line {line}): nothing that there is now is made by it"));
            }
        }
        if !computed.is_empty() {
            drafts.notes.push("values of variables stand in the recipes as they were when this was made".to_owned());
        }
        if self.known.export_all || self.text.lines().any(|line| line.trim() == "export") {
            drafts.lost.push("that all variables are exported: name those that recipes read under `env`".to_owned());
        }
    }

    fn draft(&self, rule: &Rule, lines: &[String], roles: &BTreeMap<&str, Role>, computed: &BTreeSet<String>) -> Draft {
        let mut draft = Draft::named(&rule.target);
        self.dir.clone_into(&mut draft.dir);
        draft.description = described(self.text, &rule.target);
        let role = roles[rule.target.as_str()];
        let mut forced = role == Role::Name;
        draft.in_turn.clone_from(&rule.needs);
        for need in &rule.needs {
            match roles.get(need.as_str()) {
                Some(Role::Folder) => draft.after.push(need.clone()),
                Some(Role::File) if role != Role::Group => self.path(need, &mut draft.inputs, &mut draft.lost, "input"),
                Some(_) => draft.needs.push(need.clone()),
                None if self.never_there(need) => forced = true,
                None => self.path(need, &mut draft.inputs, &mut draft.lost, "input"),
            }
        }
        for need in &rule.order_only {
            if roles.contains_key(need.as_str()) {
                draft.after.push(need.clone());
            }
        }
        match role {
            Role::File => {
                for path in std::iter::once(&rule.target).chain(&rule.also) {
                    self.path(path, &mut draft.outputs, &mut draft.lost, "output");
                }
            }
            Role::Folder => {
                draft.probe = vec!["test".to_owned(), "-d".to_owned(), rule.target.clone()];
            }
            Role::Name | Role::Group => {}
        }
        self.recipe(&mut draft, rule, lines);
        if forced && !draft.script.is_empty() {
            draft.run_each_time("make");
            if role == Role::Name && !rule.phony {
                draft
                    .notes
                    .push("it is not .PHONY, but its recipe does not seem to make a file of its name".to_owned());
            }
        }
        let raw = rule.recipe.join("\n");
        let names = |name: &&String| raw.contains(&format!("$({name})")) || raw.contains(&format!("${{{name}}}"));
        for name in computed.iter().filter(names) {
            draft.lost.push(format!("that `{name}` is computed by the shell: its value of now stands here"));
        }
        if raw.contains("$(MAKE)") || raw.contains("${MAKE}") {
            draft.lost.push("what the make that it starts looks at: it is one task, run as a whole".to_owned());
        }
        if raw.contains("$?") && !raw.contains("$$?") {
            draft.lost.push("`$?`, what is newer than the target: all of them stand here".to_owned());
        }
        draft
    }

    /// The script, each line in a shell of its own as make has it.
    fn recipe(&self, draft: &mut Draft, rule: &Rule, lines: &[String]) {
        let shell = self
            .trace
            .answers
            .get("SHELL")
            .map_or("sh", |shell| if shell == "/bin/sh" { "sh" } else { shell.as_str() });
        let mut flags = shell_flags(self.text);
        if self.known.one_shell {
            draft.script = lines.join("\n");
        } else {
            let raw: Vec<&String> = rule.recipe.iter().filter(|line| !line.trim().is_empty()).collect();
            let same = raw.len() == lines.len();
            let may_fail = |line: &str| line.chars().take_while(|c| " \t@+-".contains(*c)).any(|c| c == '-');
            if !same {
                draft.lost.push(
                    "whether a line may fail (`-`): they come from a `define`; here each must succeed".to_owned(),
                );
            }
            let lines: Vec<(String, bool)> = lines
                .iter()
                .enumerate()
                .map(|(at, line)| (line.clone(), same && raw.get(at).is_some_and(|raw| may_fail(raw))))
                .collect();
            match lines.as_slice() {
                [(line, false)] => draft.script.clone_from(line),
                lines => {
                    let errexit = Errexit::of(&flags);
                    draft.script = lines_apart(lines, errexit);
                    if !lines.is_empty() && errexit == Errexit::Off {
                        flags.insert(0, "-e".to_owned());
                    }
                }
            }
        }
        if !draft.script.trim().is_empty() {
            draft.with = std::iter::once(shell.to_owned()).chain(flags).collect();
            let exported = exported(self.text);
            let values = self.trace.answers.iter().filter(|(name, _)| exported.contains(name));
            draft.env = values.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
    }

    fn path(&self, path: &str, list: &mut Vec<String>, lost: &mut Vec<String>, what: &str) {
        match inside(self.dir, path) {
            Some(path) if !path.is_empty() => add(list, path),
            _ => lost.push(format!("{what} `{path}`: it lies outside of the project")),
        }
    }

    fn role(&self, rule: &Rule) -> Role {
        let lines = self.trace.recipe(&rule.target).unwrap_or_default();
        if lines.is_empty() && rule.recipe.iter().all(|line| line.trim().is_empty()) {
            return Role::Group;
        }
        if rule.phony {
            return if lines.is_empty() { Role::Group } else { Role::Name };
        }
        let there = inside(self.dir, &rule.target).and_then(|path| (self.is_folder)(&path));
        let all_mkdir = !lines.is_empty()
            && lines.iter().all(|line| line.trim_start_matches('@').trim_start().starts_with("mkdir"));
        if there == Some(true) || (there.is_none() && all_mkdir) {
            return Role::Folder;
        }
        let raw = rule.recipe.join("\n");
        let script = lines.join("\n");
        let named = ["$@", "$(@", "${@", "$*"].iter().any(|mark| raw.contains(mark));
        let base = rule.target.rsplit('/').next().unwrap_or(&rule.target);
        let written = ["> ", ">", "-o ", "touch ", "--output "]
            .iter()
            .any(|mark| script.contains(&format!("{mark}{}", rule.target)));
        let says_it = rule.target.contains(['.', '/']) && script.contains(base);
        if named || written || there == Some(false) || says_it || reads_its_stem(&script, base) {
            Role::File
        } else {
            Role::Name
        }
    }

    /// `FORCE`: no recipe, nothing that it needs, and no file.
    fn never_there(&self, name: &str) -> bool {
        let target = self.known.rules.iter().any(|rule| rule.target == name && !rule.no_target && !rule.is_target());
        target && inside(self.dir, name).is_some_and(|path| (self.is_folder)(&path).is_none())
    }

    /// Targets with several rules.
    fn double(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let doubles = self.known.rules.iter().filter(|rule| rule.double);
        doubles.filter(|rule| !seen.insert(rule.target.as_str())).map(|rule| rule.target.clone()).collect()
    }

    /// Where it stands; what stands nowhere comes last.
    fn line(&self, rule: &Rule) -> usize {
        let heads = |line: &str| {
            let (targets, _) = line.split_once(':').unwrap_or(("", ""));
            !line.starts_with(['\t', '#', '.']) && targets.split_whitespace().any(|one| one == rule.target)
        };
        let head = self.text.lines().position(heads).map(|at| at + 1);
        head.or(rule.line).unwrap_or(usize::MAX)
    }
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

/// `target: … ## what it does`, or the comment of two `#` above.
fn described(text: &str, target: &str) -> Option<String> {
    let mut above = None;
    for line in text.lines() {
        if let Some((targets, rest)) = line.split_once(':')
            && !line.starts_with(['\t', '#'])
            && targets.split_whitespace().any(|one| one == target)
        {
            let said = rest.split_once("## ").map(|(_, said)| said.trim().to_owned()).or(above);
            if said.is_some() {
                return said;
            }
        }
        above = line.strip_prefix("## ").map(|said| said.trim().to_owned());
    }
    None
}

/// Variables that a Makefile exports by name.
pub(super) fn exported(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("export ") else { continue };
        let names = rest.split(['=', ':', '?', '+', '!', '#']).next().unwrap_or("");
        for name in names.split_whitespace().filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')) {
            add(&mut found, name);
        }
    }
    found
}

/// Variables whose value a shell computes, by themselves or through others.
fn computed_by_shell(text: &str) -> BTreeSet<String> {
    let joined = text.replace("\\\n", " ");
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for line in joined.lines().filter(|line| !line.starts_with(['\t', '#'])) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((left, right)) = line.split_once('=') else { continue };
            let name = left.trim_end_matches([':', '?', '+', '!', ' ']).trim();
            let reads =
                |name: &String| right.contains(&format!("$({name})")) || right.contains(&format!("${{{name}}}"));
            if !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
                && (right.contains("$(shell ") || left.ends_with('!') || found.iter().any(reads))
            {
                found.insert(name.to_owned());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// `.SHELLFLAGS` without its `c`.
fn shell_flags(text: &str) -> Vec<String> {
    let set = text.lines().filter_map(|line| line.strip_prefix(".SHELLFLAGS")).next_back();
    let Some(flags) = set.and_then(|rest| rest.split_once('=')) else { return Vec::new() };
    flags
        .1
        .split_whitespace()
        .filter_map(|flag| match flag {
            "-c" => None,
            flag if flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with('c') => {
                Some(flag.trim_end_matches('c').to_owned())
            }
            flag => Some(flag.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::reads_its_stem;

    #[test]
    fn a_compiler_makes_what_it_does_not_name() {
        assert!(reads_its_stem("cc -c main.c", "main.o"));
        assert!(reads_its_stem("cd doc && latex src/paper.tex", "paper.dvi"));
        // Another stem, no ending, and what is only taken away.
        assert!(!reads_its_stem("cc -c domain.c", "main.o"));
        assert!(!reads_its_stem("./all.sh", "all"));
        assert!(!reads_its_stem("rm -f report.txt", "report.pdf"));
    }
}
