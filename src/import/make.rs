//! Owns what make says of a Makefile: how it is asked, and how its answer becomes drafts.
//! Does not know how make is started.
//!
//! make is asked twice, and runs no recipe either time: `-n` prints them, and where make would run one all the same
//! (`$(MAKE)`, `+`) a shell that does nothing gets it. What a recipe reads by `$(shell …)` is computed, as `make -n`
//! does. Targets whose recipe depends on what else is made are then asked for alone.

mod caller;
mod database;
mod role;
mod rules;
mod trace;
mod words;

use crate::import::draft::Drafts;
use caller::Caller;
use database::Database;
use std::collections::{BTreeMap, BTreeSet};
use trace::Trace;

/// File names that make looks for.
pub const FILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

const MARK: &str = "%: export INFRA_RECIPE := 1";
/// The target that asks.
const ASK: &str = ".infra-ask";
const ANSWER: &str = "@infra-import ";
/// Stands for the end of a line in an answer.
const LINE: char = '\u{1}';
/// The last words of a whole answer.
const END: &str = "# Finished Make data base";
/// So many targets are asked for alone.
const ALONE: usize = 100;

/// What make printed.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its answer.
    pub out: String,
    /// Its complaints.
    pub err: String,
}

/// Where the Makefile lies.
pub struct Place<'a> {
    /// Absolute path of the project.
    pub root: &'a str,
    /// Folder of the Makefile, relative to the project; empty: the project.
    pub dir: &'a str,
    /// Whether a path of the project is a folder, `None` when nothing is there.
    pub is_folder: &'a dyn Fn(&str) -> Option<bool>,
}

/// A Makefile that make is asked about.
#[derive(Debug)]
pub struct Makefile<'a> {
    file: &'a str,
    /// Its own text, and that of those that it includes.
    text: String,
    caller: Caller,
    known: Database,
    /// Files that make reads, and does not make.
    read: Vec<String>,
    /// Files that make would read, and which are not there.
    missing: Vec<String>,
    /// Files of nothing but values, like `.env`.
    values: Vec<String>,
}

impl<'a> Makefile<'a> {
    /// `env`: the caller's environment.
    pub fn new(file: &'a str, text: &str, env: &BTreeMap<String, String>) -> Self {
        let (read, missing, values) = (Vec::new(), Vec::new(), Vec::new());
        let caller = Caller::of(text, env);
        Self { file, text: text.to_owned(), caller, known: Database::default(), read, missing, values }
    }

    /// Variables that make gets beside those that it needs itself.
    pub fn env(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.caller.env(env)
    }

    /// The question which targets there are.
    pub fn first_question(&self) -> Vec<String> {
        let mut argv = self.common();
        argv.extend(["-p".to_owned(), "--debug=v".to_owned(), format!("--eval={ASK}: ;"), ASK.to_owned()]);
        argv
    }

    /// Takes the first answer. `read`: a file beside the Makefile → the text there.
    ///
    /// # Errors
    /// When the answer is not whole.
    pub fn hear(
        &mut self,
        first: &str,
        env: &BTreeMap<String, String>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), &'static str> {
        self.known = whole(first)?;
        let mut text = self.text.clone();
        let mut of_values = Vec::new();
        for line in first.lines().filter_map(|line| line.strip_prefix("Reading makefile '")) {
            let Some((path, _)) = line.split_once('\'').filter(|(path, _)| *path != self.file) else { continue };
            match read(path) {
                Some(more) if is_of_values(path, &more) => {
                    self.values.push(path.to_owned());
                    of_values.push(more);
                }
                Some(more) => text = format!("{text}\n{more}"),
                None if path.starts_with('/') => {}
                None => self.missing.push(path.to_owned()),
            }
            self.read.push(path.to_owned());
        }
        self.text = text;
        self.caller = Caller::of(&self.text, env);
        for values in &of_values {
            self.caller.with_file(values);
        }
        Ok(())
    }

    /// The question what each target does.
    pub fn second_question(&self) -> Vec<String> {
        let exported: Vec<String> = words::exported(&self.text).into_iter().filter(|name| name != "SHELL").collect();
        let value = format!("$(subst $(infra-newline),{LINE},$($v))");
        let mut argv = self.common();
        argv.push("-p".to_owned());
        argv.push("--eval=define infra-newline\n\n\nendef".to_owned());
        argv.push(format!(
            "--eval={ASK}: ; $(foreach v,SHELL .DEFAULT_GOAL,$(info {ANSWER}$v={value}))\
             $(foreach v,{},$(info {ANSWER}export $v={value}))",
            exported.join(" ")
        ));
        argv.extend(self.tracing());
        argv.push(ASK.to_owned());
        argv.extend(self.goals());
        argv
    }

    /// Targets to ask for alone, once the second answer is there.
    pub fn alone(&self, second: &Said) -> Vec<String> {
        let trace = Trace::read(&second.out, &second.err);
        let given_up = second.err.lines().any(|line| line.contains("***") && !line.contains("No rule to make target"));
        let by_goal = self.text.contains("MAKECMDGOALS");
        let others: BTreeSet<String> = self.set_by_others().into_iter().map(|(target, _, _)| target).collect();
        let mut goals = self.goals();
        goals.retain(|goal| by_goal || others.contains(goal) || (given_up && trace.recipe(goal).is_none()));
        if by_goal && goals.len() > ALONE {
            goals.clear();
        }
        goals.truncate(ALONE);
        goals
    }

    /// The question what one target does.
    pub fn alone_question(&self, goal: &str) -> Vec<String> {
        let mut argv = self.common();
        argv.extend(self.tracing());
        argv.push(goal.to_owned());
        argv
    }

    /// The drafts. `alone`: what make said of the targets that were asked for alone.
    ///
    /// # Errors
    /// When the answer is not whole.
    pub fn drafts(&self, second: &Said, alone: &[(String, Said)], place: &Place<'_>) -> Result<Drafts, &'static str> {
        let known = whole(&second.out)?;
        let mut trace = Trace::read(&second.out, &second.err);
        for (goal, said) in alone {
            trace.with(goal, Trace::read(&said.out, &said.err));
        }
        let (text, by_others) = (&self.text, self.set_by_others());
        let rules = rules::Rules { known: &known, trace: &trace, makefile: self, text, place, by_others: &by_others };
        Ok(rules.drafts())
    }

    /// Targets that read a variable which another target sets for all that it needs: target, variable, the other.
    fn set_by_others(&self) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        for (setter, variable) in &self.known.set_for {
            let readers = words::readers(&self.text, variable);
            let reads = |target: &str| {
                let own = self.known.rules.iter().filter(|rule| rule.target == target);
                own.flat_map(|rule| &rule.recipe).any(|line| readers.iter().any(|name| words::reads(line, name)))
            };
            let below = self.known.below(setter);
            found.extend(
                below.into_iter().filter(|target| reads(target)).map(|it| (it, variable.clone(), setter.clone())),
            );
        }
        found
    }

    /// Targets that something can be asked of; make makes what it reads itself.
    fn goals(&self) -> Vec<String> {
        self.known.goals().into_iter().filter(|goal| goal != self.file && !self.read.contains(goal)).collect()
    }

    fn common(&self) -> Vec<String> {
        // Does nothing for a recipe, and what it should for `$(shell …)`.
        let shell = format!(
            r#".SHELLFLAGS=-c 'test -n "$$INFRA_RECIPE" || {{ {}eval "$$1"; }}' infra"#,
            self.caller.first_words()
        );
        let mut argv: Vec<String> = ["make", "-n", "-f", self.file, &shell].map(str::to_owned).to_vec();
        argv.push(format!("--eval={MARK}"));
        argv
    }

    /// Options for recipes, whatever is there. What make reads is not made: it would start again and again.
    fn tracing(&self) -> Vec<String> {
        let mut options = ["-B", "-k", "--trace"].map(str::to_owned).to_vec();
        options.extend(self.read.iter().flat_map(|path| ["-o".to_owned(), path.clone()]));
        options.extend(self.caller.overrides());
        options
    }
}

/// Whether a file is one like `.env`.
fn is_of_values(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    (name.starts_with(".env") || name.ends_with(".env"))
        && lines.all(|line| crate::import::environment::set_by(line).len() == 1)
}

fn whole(answer: &str) -> Result<Database, &'static str> {
    if answer.contains(END) { Ok(Database::read(answer)) } else { Err("its answer is cut off, at a million letters") }
}
