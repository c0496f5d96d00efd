//! Owns what make says of a Makefile: how it is asked, and how its answer becomes drafts.
//! Does not know how make is started.
//!
//! make is asked twice, and runs no recipe either time: `-n` prints them, and where make would run one all the same
//! (`$(MAKE)`, `+`, an included file that has to be made first) a shell that does nothing gets it.

mod database;
mod rules;
mod trace;

use crate::import::draft::Drafts;
use database::Database;
use trace::Trace;

/// File names that make looks for.
pub const FILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// Does nothing for a recipe, and what it should for `$(shell …)`.
const SHELL: &str = r#".SHELLFLAGS=-c 'test -n "$$INFRA_RECIPE" || eval "$$1"' infra"#;
const MARK: &str = "%: export INFRA_RECIPE := 1";
/// The target that asks.
const ASK: &str = ".infra-ask";
const ANSWER: &str = "@infra-import ";
/// The last words of a whole answer.
const END: &str = "# Finished Make data base";

/// The question which targets there are.
pub fn first_question(file: &str) -> Vec<String> {
    let mut argv = common(file);
    argv.extend([format!("--eval={ASK}: ;"), ASK.to_owned()]);
    argv
}

/// The question what each target does. `first`: the first answer; `text`: the Makefile.
///
/// # Errors
/// When the answer is not whole.
pub fn second_question(file: &str, first: &str, text: &str) -> Result<Vec<String>, &'static str> {
    let known = whole(first)?;
    let mut names = ["SHELL", ".DEFAULT_GOAL", "MAKEFILE_LIST"].map(str::to_owned).to_vec();
    names.extend(rules::exported(text));
    let mut argv = common(file);
    argv.extend(["-B", "-k", "--trace"].map(str::to_owned));
    let asked = names.join(" ");
    argv.push(format!("--eval={ASK}: ; $(foreach v,{asked},$(info {ANSWER}$v=$($v)))"));
    argv.push(ASK.to_owned());
    argv.extend(known.goals());
    Ok(argv)
}

/// The drafts. `second`, `complaints`: what make answered and what it complained of; `dir`: folder of the Makefile;
/// `is_folder`: whether a path of the project is one, `None` when nothing is there.
///
/// # Errors
/// When the answer is not whole.
pub fn drafts(
    second: &str,
    complaints: &str,
    text: &str,
    dir: &str,
    is_folder: &dyn Fn(&str) -> Option<bool>,
) -> Result<Drafts, &'static str> {
    let known = whole(second)?;
    let trace = Trace::read(second.split("\n# Make data base").next().unwrap_or(""), complaints);
    Ok(rules::Rules { known: &known, trace: &trace, text, dir, is_folder }.drafts())
}

fn common(file: &str) -> Vec<String> {
    let words = ["make", "-p", "-n", "-f", file, SHELL];
    let mut argv: Vec<String> = words.map(str::to_owned).to_vec();
    argv.push(format!("--eval={MARK}"));
    argv
}

fn whole(answer: &str) -> Result<Database, &'static str> {
    if answer.contains(END) { Ok(Database::read(answer)) } else { Err("its answer is cut off, at a million letters") }
}
