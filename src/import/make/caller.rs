//! Owns variables of the caller's environment that a Makefile reads: make gets marks for their values, and scripts read
//! the variables themselves.
//! Does not know rules.

use crate::import::draft::{Draft, add};
use crate::import::environment::set_by;
use crate::import::environment::{self, REAL, is_handed_over, is_marked, mark};
use crate::import::make::words::reads;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What make is not told.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// Variables of the environment that get marks.
    names: Vec<String>,
    /// Variables of it that the file has a default for, which is taken.
    defaulted: Vec<String>,
    /// Variables that a file like `.env` sets, which get marks too.
    of_files: Vec<String>,
    path: String,
}

impl Caller {
    /// `text`: of all makefiles.
    pub(super) fn of(text: &str, env: &BTreeMap<String, String>) -> Self {
        let own = |name: &str| name.starts_with("MAKE") || ["PATH", "SHELL", "PWD", "MFLAGS", "IFS"].contains(&name);
        let asks = |name: &str| {
            reads(text, name)
                || text.lines().any(|line| {
                    line.split_whitespace().skip(1).any(|word| word == name) && line.trim_start().starts_with("if")
                })
        };
        let has_default = |name: &String| {
            text.lines()
                .filter_map(|line| line.split_once("?="))
                .any(|(left, _)| left.split_whitespace().any(|word| word == name))
        };
        let names = env.keys().filter(|name| !own(name) && asks(name)).cloned();
        let (defaulted, names) = names.partition(has_default);
        Self { names, defaulted, of_files: Vec::new(), path: env.get("PATH").cloned().unwrap_or_default() }
    }

    /// With the variables that an included file of nothing but values sets.
    pub(super) fn with_file(&mut self, text: &str) {
        for name in set_by(text) {
            add(&mut self.of_files, name);
        }
    }

    /// Variables that make gets instead.
    pub(super) fn env(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut marks = BTreeMap::new();
        for name in &self.names {
            marks.insert(name.clone(), format!("${}", mark(name)));
            if let Some(value) = env.get(name).filter(|_| is_handed_over(name)) {
                marks.insert(format!("{REAL}{name}"), value.clone());
            }
        }
        marks
    }

    /// Words of make's command line.
    pub(super) fn overrides(&self) -> impl Iterator<Item = String> + '_ {
        self.of_files.iter().map(|name| format!("{name}=${}", mark(name)))
    }

    /// What a shell that make starts does first.
    pub(super) fn first_words(&self) -> String {
        let mut words = String::new();
        for name in &self.names {
            let _ = if is_handed_over(name) {
                write!(words, "{name}=$${REAL}{name}; ")
            } else {
                write!(words, "unset {name}; ")
            };
        }
        words
    }

    pub(super) fn is_late(&self, text: &str) -> bool {
        is_marked(text) || self.has_path(text)
    }

    fn has_path(&self, text: &str) -> bool {
        self.path.len() > 8 && text.contains(&self.path)
    }

    /// A text for a shell, which names what it reads in the draft.
    ///
    /// # Errors
    /// A variable that no shell would put in there.
    pub(super) fn settled(&self, text: &str, draft: &mut Draft) -> Result<String, String> {
        let mut out = text.to_owned();
        if self.has_path(&out) {
            out = out.replace(&self.path, "${PATH}");
        }
        environment::settled(&out, draft)
    }

    /// Variables that decide what make reads or makes.
    pub(super) fn deciding(&self, text: &str) -> Vec<String> {
        let decides = |line: &str, name: &String| {
            let line = line.trim_start();
            let asks = line.starts_with("if") || line.starts_with("else if");
            let has = reads(line, name) || line.split_whitespace().skip(1).any(|word| word == name.as_str());
            (asks && has)
                || ["$(if $(", "$(filter ", "$(findstring "].iter().any(|call| line.contains(call)) && reads(line, name)
        };
        self.names.iter().filter(|name| text.lines().any(|line| decides(line, name))).cloned().collect()
    }

    /// Variables whose default is taken.
    pub(super) fn defaulted(&self) -> &[String] {
        &self.defaulted
    }

    /// Variables of files like `.env`.
    pub(super) fn of_files(&self) -> &[String] {
        &self.of_files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_what_make_was_not_told() {
        let env: BTreeMap<String, String> =
            [("HOME", "/h"), ("TOKEN", "s"), ("OTHER", "o"), ("PATH", "/a/b:/c/d:/e/f")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let caller = Caller::of("a:\n\t$(TOKEN) ${HOME}\n", &env);
        let marks = caller.env(&env);
        assert_eq!(marks["TOKEN"], "$${INFRA_ENV_TOKEN}");
        assert_eq!((marks["INFRA_ENV_HOME"].as_str(), marks.len()), ("/h", 3));
        let mut draft = Draft::default();
        let said = caller.settled("echo ${INFRA_ENV_TOKEN} ${INFRA_ENV_HOME} x:/a/b:/c/d:/e/f", &mut draft);
        assert_eq!(said.unwrap(), "echo ${TOKEN} ${HOME} x:${PATH}");
        assert_eq!(draft.pass_env, ["TOKEN"]);
        assert!(caller.settled("echo '${INFRA_ENV_TOKEN}'", &mut draft).is_err());
    }

    #[test]
    fn what_decides_is_named() {
        let env = BTreeMap::from([("CI".to_owned(), "1".to_owned()), ("NO".to_owned(), "1".to_owned())]);
        let text = "ifdef CI\nX = 1\nendif\nY = $(NO)\n";
        assert_eq!(Caller::of(text, &env).deciding(text), ["CI"]);
    }
}
