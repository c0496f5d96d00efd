//! Owns kubectl's own probe: whether what was applied is there as we say, and what was deleted is not.
//! Does not know how a look is made, nor what its answer means for a task.

use super::command::Commands;
use super::objects::{self, Reference, list_file, objects, references, standing};
use super::record::{EACH, LAST, recorded};
use super::{Action, action};
use crate::kind::cluster::last_words;
use crate::kind::machine::{Job, Step, StepEnd};
use crate::model::probe::{Answer, Judge};
use serde_json::Value as Json;

/// How many objects are named.
const MOST: usize = 3;

/// The looks of a task.
pub fn looks(job: &Job) -> Vec<(Step, Judge)> {
    let recorded = recorded(job, LAST);
    if recorded.is_empty() {
        return Vec::new();
    }
    let judge = match action(&job.table) {
        Action::Delete => Judge::new(|code, stdout, stderr| found(code, stdout, stderr).map_or_else(|why| why, gone)),
        _ => {
            let Some(token) = job.memory.token.clone() else { return Vec::new() };
            let each: Vec<(Reference, String)> =
                job.memory.notes.get(EACH).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            Judge::new(move |code, stdout, stderr| {
                found(code, stdout, stderr).map_or_else(|why| why, |found| as_applied(found, &recorded, &token, &each))
            })
        }
    };
    vec![(Commands::new(job, "apply").read(&list_file(job)), judge)]
}

fn found(code: Option<i32>, stdout: &str, stderr: &str) -> Result<Vec<Json>, Answer> {
    if code == Some(0) {
        return objects(stdout).map_err(Answer::CannotTell);
    }
    let tail = stderr.lines().map(str::to_owned).collect();
    let end = StepEnd { code, tail, ..StepEnd::default() };
    let said = last_words(&end).unwrap_or_else(|| crate::kind::run::ended_badly(&end));
    Err(Answer::CannotTell(said))
}

fn as_applied(found: Vec<Json>, recorded: &[Reference], token: &str, each: &[(Reference, String)]) -> Answer {
    let (found, ending) = standing(found);
    if !ending.is_empty() {
        return Answer::Disagrees(format!("being deleted: {}", shown(&references(&ending))));
    }
    let there = references(&found);
    let gone: Vec<Reference> = recorded.iter().filter(|one| !there.contains(one)).cloned().collect();
    if !gone.is_empty() {
        Answer::Disagrees(format!("no longer there: {}", shown(&gone)))
    } else if objects::token(&found) == token {
        Answer::Agrees
    } else {
        let known = |one: &(Reference, String)| each.is_empty() || each.contains(one);
        let changed: Vec<Reference> =
            objects::tokens(&found).into_iter().filter(|one| !known(one)).map(|(one, _)| one).collect();
        let which = if changed.is_empty() { "an object".to_owned() } else { shown(&changed) };
        Answer::Disagrees(format!("changed or made anew by somebody else: {which}"))
    }
}

/// What is being deleted counts as gone: nobody can keep it.
fn gone(found: Vec<Json>) -> Answer {
    let (there, _) = standing(found);
    if there.is_empty() {
        return Answer::Agrees;
    }
    Answer::Disagrees(format!("there again: {}", shown(&references(&there))))
}

fn shown(references: &[Reference]) -> String {
    references.iter().take(MOST).map(Reference::shown).collect::<Vec<_>>().join(", ")
}
