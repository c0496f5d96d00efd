//! Owns what the files of `template` tasks read, checked as if the text stood in the manifest.
//! Does not know minijinja (`template.rs`).

use crate::manifest::frame::{Frame, May};
use crate::manifest::link::Around;
use crate::manifest::lower::Lowered;
use crate::manifest::node::{Node, Source, Syntax, Value};
use crate::manifest::outputs::Outputs;
use crate::manifest::values::{Outcome, Values, What};
use crate::model::action::KindName;
use crate::model::diagnostic::{Diagnostic, Place};
use crate::model::text::{Read, Tree};
use crate::template;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a task's template files read beyond its table, and the files that they include.
pub(super) fn template_files(
    lowered: &Lowered,
    values: &Values<'_>,
    outputs: &Outputs,
    around: &Around<'_>,
    outcome: &mut Outcome,
) -> (BTreeSet<Read>, Vec<Utf8PathBuf>) {
    let mut reads = BTreeSet::new();
    let mut included = Vec::new();
    if lowered.task.action.kind != KindName::Template {
        return (reads, included);
    }
    let files = match lowered.task.action.table.get("files") {
        Some(Tree::List(files)) => files.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for (index, file) in files.iter().enumerate() {
        let Tree::Table(file) = file else { continue };
        let Some(Tree::Plain(Json::String(from))) = file.get("from") else { continue };
        let path = crate::model::path::join(Utf8Path::new(""), from);
        let secret = matches!(file.get("secret"), Some(Tree::Plain(Json::Bool(true))));
        let found = match template::reads_of_file(&path, around.files) {
            Ok(found) => found,
            // One that another task makes is read when it is there.
            Err(_) if around.files.read(&path).is_none() && outputs.around(&path).is_some() => continue,
            Err(mut problem) => {
                if problem.place.is_none() {
                    problem.place = Some(lowered.from_places.get(index).unwrap_or(&lowered.action_place).clone());
                    problem.help = missing_help(&path, around);
                }
                outcome.problems.push(problem);
                continue;
            }
        };
        let own = own_vars(file.get("vars"));
        let kept: BTreeSet<Read> = found.reads.into_iter().filter(|read| !own.has(read)).collect();
        check(lowered, &path, &kept, &found.places, if secret { May::Secrets } else { May::Values }, around, outcome);
        let place = |read: &Read, _: What| found.places.get(read).cloned().unwrap_or_default();
        reads.extend(values.reads(lowered, &kept, place, outcome));
        included.extend(found.files.into_iter().filter(|file| *file != path));
    }
    (reads, included)
}

fn missing_help(path: &Utf8Path, around: &Around<'_>) -> Option<String> {
    let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
    let names = around.files.list(folder);
    crate::model::diagnostic::nearest(path.file_name()?, names.iter().map(String::as_str))
        .map(|near| format!("did you mean `{}`?", folder.join(near)))
}

/// Variables of one file alone.
enum OwnVars {
    Named(BTreeSet<String>),
    /// A template gives the table: its names are not known yet.
    Late,
}

impl OwnVars {
    fn has(&self, read: &Read) -> bool {
        match (self, read) {
            (Self::Named(names), Read::Var(name)) => names.contains(name),
            _ => false,
        }
    }
}

fn own_vars(tree: Option<&Tree>) -> OwnVars {
    match tree {
        Some(Tree::Table(vars)) => OwnVars::Named(vars.keys().cloned().collect()),
        Some(Tree::Plain(Json::Object(vars))) => OwnVars::Named(vars.keys().cloned().collect()),
        Some(Tree::Text(_)) => OwnVars::Late,
        _ => OwnVars::Named(BTreeSet::new()),
    }
}

fn check(
    lowered: &Lowered,
    path: &Utf8Path,
    reads: &BTreeSet<Read>,
    places: &std::collections::BTreeMap<Read, Place>,
    may: May,
    around: &Around<'_>,
    outcome: &mut Outcome,
) {
    let nothing = Source {
        path: Arc::from(path),
        text: Arc::from(""),
        root: Node { span: 0..0, value: Value::Table(Vec::new()) },
        syntax: Syntax::Good,
    };
    let matrix = Json::Object(lowered.task.matrix.iter().map(|(axis, value)| (axis.clone(), value.clone())).collect());
    let frame = Frame {
        source: &nothing,
        vars: around.surroundings.vars,
        secrets: around.surroundings.secrets,
        settings: around.surroundings.settings,
        env: around.surroundings.env,
        item: lowered.task.item.as_ref(),
        matrix: &matrix,
    };
    for read in reads {
        let Some((code, message, help)) = frame.objection(read, path.as_str(), may) else { continue };
        let place = places.get(read).cloned().unwrap_or_default();
        let mut problem = Diagnostic::error(code, &place, message);
        problem.help = help;
        outcome.problems.push(problem);
    }
}
