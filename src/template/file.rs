//! Owns template files: what they and the files they include read, and their rendering.
//! Does not know what the text is for.

use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::facts::Files;
use crate::model::text::Read;
use crate::template::context::{Context, RenderError, Scope, View, missing, nearest_path, with_start, words};
use crate::template::engine::ENGINE;
use crate::template::reads::{self, MustExist};
use camino::{Utf8Path, Utf8PathBuf};
use minijinja::ErrorKind;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Folder in which a template is looked for that is not beside the one that names it.
const SHARED: &str = "templates";

/// What a template file reads, with all that it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReads {
    /// What is read.
    pub reads: BTreeSet<Read>,
    /// Where each is read first.
    pub places: BTreeMap<Read, Place>,
    /// The file itself and those that it includes, extends or imports, sorted; one that is looked for
    /// and not there (`ignore missing`) too, since its coming would make a difference.
    pub files: Vec<Utf8PathBuf>,
}

/// Finds what a template file reads, and all that it includes. An included name is looked for beside
/// the file that names it, then under `templates/`.
///
/// # Errors
/// When a file is missing or is no valid template.
pub fn reads_of_file(path: &Utf8Path, files: &dyn Files) -> Result<FileReads, Diagnostic> {
    Ok(gather(path, files)?.0)
}

fn gather(path: &Utf8Path, files: &dyn Files) -> Result<(FileReads, BTreeMap<Utf8PathBuf, Arc<str>>), Diagnostic> {
    let mut found = FileReads::default();
    let mut sources: BTreeMap<Utf8PathBuf, Arc<str>> = BTreeMap::new();
    let mut looked_for: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    let Some(source) = files.read(path) else {
        return Err(Diagnostic::nowhere("missing-template", format!("no template `{path}`")));
    };
    let mut waiting = vec![(path.to_owned(), source)];
    while let Some((path, source)) = waiting.pop() {
        if sources.contains_key(&path) {
            continue;
        }
        let place = Place { file: path.clone(), span: 0..source.len() };
        let in_file = reads::find(&source).map_err(|problem| problem.at(&place, &source))?;
        for (read, span) in in_file.reads {
            found.places.entry(read.clone()).or_insert_with(|| Place { file: path.clone(), span });
            found.reads.insert(read);
        }
        for (name, span, must) in in_file.files {
            let mut candidates = candidates(&path, &name).into_iter();
            match candidates.find_map(|candidate| files.read(&candidate).map(|source| (candidate, source))) {
                Some(included) => waiting.push(included),
                None if must == MustExist::No => looked_for.extend(self::candidates(&path, &name)),
                None => {
                    let place = Place { file: path.clone(), span };
                    return Err(no_such(&path, &name, &place, files));
                }
            }
        }
        sources.insert(path, source);
    }
    looked_for.extend(sources.keys().cloned());
    found.files = looked_for.into_iter().collect();
    Ok((found, sources))
}

fn candidates(from: &Utf8Path, name: &str) -> [Utf8PathBuf; 2] {
    let beside = from.parent().unwrap_or_else(|| Utf8Path::new(""));
    [crate::model::path::join(beside, name), crate::model::path::join(Utf8Path::new(SHARED), name)]
}

fn no_such(from: &Utf8Path, name: &str, place: &Place, files: &dyn Files) -> Diagnostic {
    let beside = from.parent().unwrap_or_else(|| Utf8Path::new(""));
    let mut names = files.list(beside);
    names.extend(files.list(Utf8Path::new(SHARED)));
    let diagnostic = Diagnostic::error("missing-template", place, format!("no template `{name}`"));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("it is looked for in `{beside}/` and in `{SHARED}/`")),
    }
}

/// Renders a template file. `extra_vars` overlay `vars` for this file alone.
///
/// # Errors
/// When it or a file that it includes is missing or no valid template, or something is not defined.
pub fn render_file(
    path: &Utf8Path,
    files: &dyn Files,
    scope: &Scope,
    extra_vars: &Json,
) -> Result<String, RenderError> {
    let (found, sources) = gather(path, files).map_err(|problem| RenderError {
        message: problem.message,
        place: problem.place,
        help: problem.help,
    })?;
    let vars = overlay(&scope.vars, extra_vars);
    let view = View { vars: &vars, ..scope.view() };
    let context = Context::of_reads(&found.reads, &view);
    let known: BTreeSet<String> = sources.keys().map(|path| path.as_str().to_owned()).collect();
    let mut engine = ENGINE.clone();
    engine.set_path_join_callback(move |name, parent| {
        let paths = candidates(Utf8Path::new(parent), name);
        paths
            .into_iter()
            .map(Utf8PathBuf::into_string)
            .find(|path| known.contains(path))
            .unwrap_or_else(|| name.to_owned())
            .into()
    });
    for (path, source) in &sources {
        engine
            .add_template_owned(path.as_str().to_owned(), source.to_string())
            .map_err(|error| explain(&error, &found, &sources, &view))?;
    }
    engine
        .get_template(path.as_str())
        .and_then(|template| template.render(context.value()))
        .map_err(|error| explain(&error, &found, &sources, &view))
}

/// `vars` with some of them replaced.
fn overlay(vars: &Json, extra: &Json) -> Json {
    let mut all = vars.as_object().cloned().unwrap_or_default();
    all.extend(extra.as_object().cloned().unwrap_or_else(Map::new));
    Json::Object(all)
}

fn explain(
    error: &minijinja::Error,
    found: &FileReads,
    sources: &BTreeMap<Utf8PathBuf, Arc<str>>,
    view: &View<'_>,
) -> RenderError {
    let innermost = innermost(error);
    if innermost.kind() == ErrorKind::UndefinedError {
        for (read, place) in &found.places {
            if let Some((message, help)) = missing(read, view) {
                return RenderError { message, place: Some(place.clone()), help };
            }
        }
    }
    let file = innermost.name().map(Utf8PathBuf::from).filter(|file| sources.contains_key(file));
    let place = file.map(|file| {
        let span = innermost.range().unwrap_or(0..0);
        let span = sources.get(&file).map_or(span.clone(), |source| with_start(source, span));
        Place { file, span }
    });
    let snippet = place
        .as_ref()
        .and_then(|place| sources.get(&place.file)?.get(place.span.clone()))
        .map(str::trim)
        .filter(|snippet| !snippet.is_empty());
    let help =
        snippet.filter(|_| innermost.kind() == ErrorKind::UndefinedError).and_then(|path| nearest_path(path, view));
    RenderError { message: words(innermost, snippet), place, help }
}

/// The error of the included file, not that of the include.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut at = error;
    while let Some(source) = std::error::Error::source(at).and_then(|source| source.downcast_ref::<minijinja::Error>())
    {
        at = source;
    }
    at
}
