//! Owns make's rules as drafts: which targets are files, what is run each time, what gets lost on the way.
//! Does not know how make tells them.

use crate::import::draft::{Draft, Drafts, add, inside};
use crate::import::lines::{Errexit, lines_apart};
use crate::import::make::database::{Database, Rule};
use crate::import::make::role::Role;
use crate::import::make::trace::Trace;
use crate::import::make::words::{computed_by_shell, described, reads, shell_flags};
use crate::import::make::{ALONE, Makefile, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The Makefile as make knows it.
pub(super) struct Rules<'a> {
    pub(super) known: &'a Database,
    pub(super) trace: &'a Trace,
    pub(super) makefile: &'a Makefile<'a>,
    pub(super) text: &'a str,
    pub(super) place: &'a Place<'a>,
    /// Targets that read a variable which another target sets: target, variable, the other.
    pub(super) by_others: &'a [(String, String, String)],
}

impl Rules<'_> {
    pub(super) fn drafts(&self) -> Drafts {
        let mut drafts = Drafts::default();
        let twice = self.double();
        let mut rules: Vec<&Rule> = self.known.rules.iter().filter(|rule| rule.is_target()).collect();
        // make makes what it reads itself; a task that does is nobody's wish.
        rules.retain(|rule| rule.target != self.makefile.file && !self.makefile.read.contains(&rule.target));
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
            match self.draft(rule, come_to.unwrap_or_default(), &roles, &computed) {
                Ok(draft) => drafts.tasks.push(draft),
                Err(reason) => drafts.left_out.push((self.own(&rule.target), reason)),
            }
        }
        self.around(&mut drafts, &computed);
        drafts
    }

    fn around(&self, drafts: &mut Drafts, computed: &BTreeSet<String>) {
        if let Some(goal) = self.trace.answers.get(".DEFAULT_GOAL").filter(|goal| !goal.is_empty()) {
            drafts.default = Some(("`make` alone makes", self.own(goal)));
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
        for name in self.makefile.caller.deciding(self.text) {
            drafts.lost.push(format!("what `{name}` of your environment decides: it is as it was when this was made"));
        }
        for name in self.makefile.caller.defaulted() {
            drafts
                .lost
                .push(format!("`{name}` of your environment, which goes before `{name} ?=`: the default stands here"));
        }
        if self.text.contains("MAKECMDGOALS") {
            let how = if self.makefile.goals().len() > ALONE { "all targets at once" } else { "that alone" };
            drafts.lost.push(format!(
                "`MAKECMDGOALS`, what make is asked for: each task is as make has it when it is asked for {how}"
            ));
        }
        for path in &self.makefile.missing {
            let made = |rule: &Rule| rule.target == *path && rule.recipe.iter().any(|line| !line.trim().is_empty());
            if self.makefile.known.rules.iter().any(made) {
                drafts.lost.push(format!(
                    "what `{path}` holds, which make would make first and then read: make it, and import again"
                ));
            }
        }
        for path in &self.makefile.values {
            let remark = |path: &str| format!("`{path}`: name it under `dotenv` of [project] in infra.toml");
            match self.inside(path) {
                Some(path) => drafts.dotenv.push((path.clone(), remark(&path))),
                None => drafts.lost.push(format!("{}, once it lies in the project", remark(path))),
            }
        }
        if self.known.export_all || self.text.lines().any(|line| line.trim() == "export") {
            drafts.lost.push("that all variables are exported: name those that recipes read under `env`".to_owned());
        }
    }

    fn draft(
        &self,
        rule: &Rule,
        lines: &[String],
        roles: &BTreeMap<&str, Role>,
        computed: &BTreeSet<String>,
    ) -> Result<Draft, String> {
        if let Some(name) =
            std::iter::once(&rule.target).chain(&rule.needs).find(|name| self.makefile.caller.is_late(name))
        {
            return Err(format!("`{name}` is known only from your environment"));
        }
        let mut draft = Draft::named(&self.own(&rule.target));
        self.place.dir.clone_into(&mut draft.dir);
        draft.description = described(self.text, &rule.target);
        let role = roles[rule.target.as_str()];
        let mut forced = role == Role::Name;
        draft.in_turn = rule.needs.iter().map(|need| self.own(need)).collect();
        for need in &rule.needs {
            match roles.get(need.as_str()) {
                Some(Role::Folder) => draft.after.push(self.own(need)),
                Some(Role::File) if role != Role::Group => self.path(need, &mut draft.inputs, &mut draft.lost, "input"),
                Some(_) => draft.needs.push(self.own(need)),
                None if self.never_there(need) => forced = true,
                None => self.path(need, &mut draft.inputs, &mut draft.lost, "input"),
            }
        }
        for need in &rule.order_only {
            if roles.contains_key(need.as_str()) {
                draft.after.push(self.own(need));
            }
        }
        match role {
            Role::File => {
                for path in std::iter::once(&rule.target).chain(&rule.also) {
                    self.path(path, &mut draft.outputs, &mut draft.lost, "output");
                }
            }
            Role::Folder => {
                draft.probe = vec!["test".to_owned(), "-d".to_owned(), self.own(&rule.target)];
            }
            Role::Name | Role::Group => {}
        }
        self.recipe(&mut draft, rule, lines)?;
        if forced && !draft.script.is_empty() {
            draft.run_each_time("make");
            if role == Role::Name && !rule.phony {
                draft
                    .notes
                    .push("it is not .PHONY, but its recipe does not seem to make a file of its name".to_owned());
            }
        }
        let raw = rule.recipe.join("\n");
        for name in computed.iter().filter(|name| reads(&raw, name)) {
            draft.lost.push(format!("that `{name}` is computed by the shell: its value of now stands here"));
        }
        if raw.contains("$(MAKE)") || raw.contains("${MAKE}") {
            draft.lost.push("what the make that it starts looks at: it is one task, run as a whole".to_owned());
        }
        if raw.contains("$?") && !raw.contains("$$?") {
            draft.lost.push("`$?`, what is newer than the target: all of them stand here".to_owned());
        }
        for (target, variable, setter) in self.by_others {
            if *target == rule.target {
                draft.lost.push(format!("`{variable}` as `{setter}` sets it for what it needs: here it is as without"));
            } else if *setter == rule.target {
                draft.lost.push(format!("that it sets `{variable}` for `{target}` too"));
            }
        }
        Ok(draft)
    }

    /// A target's name; that of an absolute path in the Makefile's folder is relative.
    fn own(&self, target: &str) -> String {
        let here = format!("{}/", self.here());
        target.strip_prefix(&here).unwrap_or(target).to_owned()
    }

    /// Absolute path of the Makefile's folder.
    fn here(&self) -> String {
        if self.place.dir.is_empty() {
            self.place.root.to_owned()
        } else {
            format!("{}/{}", self.place.root, self.place.dir)
        }
    }

    /// A path of a rule as one of the project.
    fn inside(&self, path: &str) -> Option<String> {
        match path.strip_prefix(self.place.root).and_then(|rest| rest.strip_prefix('/')) {
            Some(rest) => inside("", rest),
            None => inside(self.place.dir, path),
        }
    }

    /// The script, each line in a shell of its own as make has it.
    fn recipe(&self, draft: &mut Draft, rule: &Rule, lines: &[String]) -> Result<(), String> {
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
            let script = std::mem::take(&mut draft.script);
            let exports = self.exports(draft);
            draft.script = self.makefile.caller.settled(&format!("{exports}{script}"), draft)?;
            draft.relocate(&self.here());
        }
        Ok(())
    }

    /// Variables that make hands to its recipes: those that only a shell can compute are set by these lines.
    fn exports(&self, draft: &mut Draft) -> String {
        let caller = &self.makefile.caller;
        let mut lines = String::new();
        for (name, value) in &self.trace.exports {
            if caller.of_files().contains(name) {
                add(&mut draft.pass_env, name.as_str());
            } else if caller.is_late(value) || value.contains(&self.here()) {
                let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('`', "\\`");
                let _ = writeln!(lines, "export {name}=\"{value}\"");
            } else {
                draft.env.push((name.clone(), value.clone()));
            }
        }
        lines
    }

    fn path(&self, path: &str, list: &mut Vec<String>, lost: &mut Vec<String>, what: &str) {
        match self.inside(path) {
            Some(path) if !path.is_empty() => add(list, path),
            _ => lost.push(format!("{what} `{path}`: it lies outside of the project")),
        }
    }

    fn role(&self, rule: &Rule) -> Role {
        let lines = self.trace.recipe(&rule.target).unwrap_or_default();
        let is_folder = self.inside(&rule.target).and_then(|path| (self.place.is_folder)(&path));
        Role::of(rule, lines, is_folder)
    }

    /// `FORCE`: no recipe, nothing that it needs, and no file.
    fn never_there(&self, name: &str) -> bool {
        let target = self.known.rules.iter().any(|rule| rule.target == name && !rule.no_target && !rule.is_target());
        target && self.inside(name).is_some_and(|path| (self.place.is_folder)(&path).is_none())
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
