//! Owns the data base that `make -p` prints: targets, what they are made of, and their recipes unexpanded.
//! Does not know what make would do with it.

use crate::import::draft::add;
use std::collections::BTreeSet;

/// One rule of a target; a target with double colons has several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) target: String,
    pub(super) double: bool,
    pub(super) needs: Vec<String>,
    pub(super) order_only: Vec<String>,
    pub(super) phony: bool,
    /// Unexpanded, without the tab; lines that a backslash goes on with are one.
    pub(super) recipe: Vec<String>,
    /// Where the recipe stands in a file; `None`: nowhere, or built in.
    pub(super) line: Option<usize>,
    /// Made by the same recipe at the same time.
    pub(super) also: Vec<String>,
    /// Named as something that others need, and no target.
    pub(super) no_target: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) rules: Vec<Rule>,
    /// Pattern rules of the file: their text and line.
    pub(super) patterns: Vec<(String, usize)>,
    pub(super) one_shell: bool,
    pub(super) export_all: bool,
    /// Targets that set a variable for themselves and all that they need, and the variable.
    pub(super) set_for: Vec<(String, String)>,
}

impl Database {
    pub(super) fn read(answer: &str) -> Self {
        let mut known = Self::default();
        let data = answer.split_once("\n# Make data base").map_or("", |(_, data)| data);
        let (before, files) = data.split_once("\n# Files\n").unwrap_or((data, ""));
        let implicit = before.split_once("\n# Implicit Rules\n").map_or("", |(_, text)| text);
        for rule in rules(implicit) {
            if let Some(line) = rule.line {
                known.patterns.push((format!("{}: {}", rule.target, rule.needs.join(" ")), line));
            }
        }
        known.set_for = set_for(files);
        let mut phony = Vec::new();
        let files = rules(files);
        let suffixes =
            files.iter().find(|rule| rule.target == ".SUFFIXES").map_or(Vec::new(), |rule| rule.needs.clone());
        for rule in files {
            match rule.target.as_str() {
                ".PHONY" => phony.clone_from(&rule.needs),
                ".ONESHELL" => known.one_shell = true,
                ".EXPORT_ALL_VARIABLES" => known.export_all = true,
                target if is_special(target, &suffixes) => {}
                _ => known.rules.push(rule),
            }
        }
        for rule in &mut known.rules {
            rule.phony |= phony.contains(&rule.target);
        }
        known
    }

    /// What a target needs, and what that needs.
    pub(super) fn below(&self, target: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![target];
        while let Some(one) = open.pop() {
            for rule in self.rules.iter().filter(|rule| rule.target == one) {
                for need in rule.needs.iter().chain(&rule.order_only) {
                    if seen.insert(need.clone()) {
                        open.push(need);
                    }
                }
            }
        }
        seen
    }

    /// Targets that something can be asked of.
    pub(super) fn goals(&self) -> Vec<String> {
        let mut goals = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.is_target()) {
            add(&mut goals, rule.target.clone());
        }
        goals
    }
}

impl Rule {
    pub(super) fn is_target(&self) -> bool {
        !self.no_target
            && (self.phony || !self.recipe.is_empty() || !self.needs.is_empty() || !self.order_only.is_empty())
    }
}

fn rules(text: &str) -> Vec<Rule> {
    let mut found: Vec<Rule> = Vec::new();
    let mut no_target = false;
    // Goes on with the line above.
    let mut open = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix('\t').or(open.then_some(line)) {
            if let Some(rule) = found.last_mut() {
                match rule.recipe.last_mut().filter(|_| open) {
                    Some(last) => last.extend(["\n", command]),
                    None => rule.recipe.push(command.to_owned()),
                }
            }
            open = line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        } else if line == "# Not a target:" {
            no_target = true;
        } else if let Some(said) = line.strip_prefix('#') {
            if let Some(rule) = found.last_mut() {
                heard(rule, said.trim());
            }
        } else if let Some(rule) = header(line) {
            open = false;
            found.push(Rule { no_target: std::mem::take(&mut no_target), ..rule });
        }
    }
    with_blanks(&mut found);
    found
}

/// Names are printed without marks around blanks: those that stand at the head of a rule are known.
fn with_blanks(found: &mut [Rule]) {
    let spaced: BTreeSet<String> =
        found.iter().map(|rule| rule.target.clone()).filter(|target| target.contains(' ')).collect();
    if spaced.is_empty() {
        return;
    }
    for rule in found {
        for list in [&mut rule.needs, &mut rule.order_only] {
            let mut words = std::mem::take(list);
            while !words.is_empty() {
                let longest =
                    (1..=words.len()).rev().find(|many| *many == 1 || spaced.contains(&words[..*many].join(" ")));
                let rest = words.split_off(longest.unwrap_or(1));
                list.push(words.join(" "));
                words = rest;
            }
        }
    }
}

/// `debug: FLAGS = -g`
fn set_for(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut is_private = false;
    for line in text.lines() {
        if line.starts_with('#') {
            is_private = line.contains(" private") || line.contains("override");
            continue;
        }
        let Some((target, rest)) = line.split_once(": ").filter(|_| !line.starts_with('\t')) else { continue };
        let mut words = rest.split_whitespace();
        if let (Some(name), Some("=" | ":=" | "::=" | "?=" | "+=" | "!=")) = (words.next(), words.next())
            && !is_private
            && !name.starts_with('.')
        {
            found.push((target.to_owned(), name.to_owned()));
        }
    }
    found
}

/// Targets that only say how make works, and the old form of pattern rules: `.c.o`.
fn is_special(target: &str, suffixes: &[String]) -> bool {
    const SPECIAL: [&str; 16] = [
        ".PHONY",
        ".SUFFIXES",
        ".DEFAULT",
        ".PRECIOUS",
        ".INTERMEDIATE",
        ".NOTINTERMEDIATE",
        ".SECONDARY",
        ".SECONDEXPANSION",
        ".DELETE_ON_ERROR",
        ".IGNORE",
        ".LOW_RESOLUTION_TIME",
        ".SILENT",
        ".NOTPARALLEL",
        ".POSIX",
        ".WAIT",
        super::ASK,
    ];
    let is_old = |suffix: &String| {
        target.strip_prefix(suffix).is_some_and(|rest| rest.is_empty() || suffixes.contains(&rest.to_owned()))
    };
    SPECIAL.contains(&target) || suffixes.iter().any(is_old)
}

fn heard(rule: &mut Rule, said: &str) {
    if said.starts_with("Phony target") {
        rule.phony = true;
    } else if let Some(also) = said.strip_prefix("Also makes: ") {
        rule.also = also.split_whitespace().map(str::to_owned).collect();
    } else if let Some((_, place)) = said.split_once("recipe to execute (from '") {
        rule.line = place.rsplit_once("line ").and_then(|(_, line)| line.trim_end_matches("):").parse().ok());
    }
}

/// `a.o: a.c | build`; a line that sets a variable of a target is none.
fn header(line: &str) -> Option<Rule> {
    let at = line.match_indices(':').map(|(at, _)| at).find(|at| {
        let after = &line[at + 1..];
        after.is_empty() || after.starts_with([' ', ':'])
    })?;
    let (target, rest) = (line[..at].trim(), &line[at + 1..]);
    let double = rest.starts_with(':');
    let rest = rest.trim_start_matches(':');
    let words: Vec<&str> = rest.split_whitespace().collect();
    let sets = |word: &&str| matches!(*word, "=" | ":=" | "::=" | "?=" | "+=" | "!=" | "define");
    if target.is_empty() || words.iter().take(3).any(sets) {
        return None;
    }
    let bar = words.iter().position(|word| *word == "|").unwrap_or(words.len());
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Some(Rule {
        target: target.to_owned(),
        double,
        needs: own(&words[..bar]),
        order_only: words.get(bar + 1..).map(own).unwrap_or_default(),
        ..Rule::default()
    })
}
