//! Owns what tasks read: paths and globs as inputs, and the edges that other tasks' outputs make of them.
//! Does not know values of tasks (`values.rs`).

use crate::kind::{self, Inferred};
use crate::manifest::link::Link;
use crate::manifest::lower::Lowered;
use crate::manifest::outputs::{Outputs, Written, bad_path};
use crate::manifest::{glob, path};
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::facts::{ContentKind, Files};
use crate::model::graph::Edge;
use crate::model::name::TaskId;
use crate::model::task::{GitIgnore, Glob, Input, Origin, OutputShape};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The project's files as they will be when all tasks have run: what tasks write is there.
pub(super) struct WithOutputs<'a> {
    files: &'a dyn Files,
    outputs: &'a Outputs,
    names: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> WithOutputs<'a> {
    pub(super) fn new(files: &'a dyn Files, outputs: &'a Outputs) -> Self {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for written in outputs.all() {
            for at in written.path.ancestors().filter(|at| !at.as_str().is_empty()) {
                if let (Some(folder), Some(name)) = (at.parent(), at.file_name()) {
                    names.entry(folder.as_str()).or_default().insert(name);
                }
            }
        }
        Self { files, outputs, names }
    }
}

impl Files for WithOutputs<'_> {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        self.files.read(path)
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        match self.files.kind(path) {
            ContentKind::Missing if self.names.contains_key(path.as_str()) => ContentKind::Folder,
            ContentKind::Missing => match self.outputs.around(path) {
                Some(written) if written.path == path && written.shape == OutputShape::Folder => ContentKind::Folder,
                Some(written) if written.path == path => ContentKind::File,
                _ => ContentKind::Missing,
            },
            there => there,
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        let mut names = self.files.list(folder);
        if let Some(more) = self.names.get(folder.as_str()) {
            names.extend(more.iter().map(|name| (*name).to_owned()));
            names.sort();
            names.dedup();
        }
        names
    }
}

/// Finds the inputs of one task.
pub(super) struct Finder<'a, 'b> {
    pub(super) names: &'a [String],
    pub(super) outputs: &'a Outputs,
    pub(super) files: &'a WithOutputs<'a>,
    pub(super) links: &'b mut Vec<Link>,
    pub(super) problems: &'b mut Vec<Diagnostic>,
}

/// What the finder must know of the task.
struct Reader<'a> {
    id: TaskId,
    name: &'a str,
    in_place: &'a [Utf8PathBuf],
    /// What the task's `!` entries take away.
    without: Vec<String>,
}

impl Finder<'_, '_> {
    /// Declared and inferred inputs of a task; `included` are files that its templates include.
    /// Beside them, those that its tool may write itself.
    pub(super) fn find(&mut self, lowered: &Lowered, included: Vec<Utf8PathBuf>) -> (Vec<Input>, Vec<Utf8PathBuf>) {
        let without = lowered.inputs.iter().filter_map(|(text, place)| self.taken_away(text, place)).collect();
        let reader =
            Reader { id: lowered.task.id, name: lowered.task.name.as_str(), in_place: &lowered.task.in_place, without };
        let mut inputs = Vec::new();
        for (text, place) in lowered.inputs.iter().filter(|(text, _)| !text.starts_with('!')) {
            if glob::is_glob(text) {
                self.glob(&reader, text, place, Origin::Declared, &mut inputs);
            } else {
                match path::tidy(text) {
                    Ok(path) => self.path(&reader, &path, place, Origin::Declared, &mut inputs),
                    Err(why) => self.problems.push(bad_path(text, why, place)),
                }
            }
        }
        for path in &lowered.task.in_place {
            let input = Input::Path { path: path.clone(), origin: Origin::Declared };
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let mut inferred = kind::find(lowered.task.action.kind).infer(&lowered.table, self.files);
        inferred.paths.extend(included);
        self.inferred(&reader, &inferred, &lowered.action_place, &mut inputs);
        let mut seen = BTreeSet::new();
        inputs.retain(|input| seen.insert(key(input)));
        (inputs, inferred.settles)
    }

    /// Inputs that a kind found, or a template file includes.
    fn inferred(&mut self, reader: &Reader<'_>, inferred: &Inferred, place: &Place, inputs: &mut Vec<Input>) {
        for remark in &inferred.remarks {
            let message = format!("task `{}`: {remark}", reader.name);
            self.problems.push(Diagnostic::warning("not-inferred", place, message));
        }
        for path in inferred.paths.iter().filter(|path| !path.is_absolute() && !path.starts_with("..")) {
            self.path(reader, path, place, Origin::Inferred, inputs);
        }
        for folder in &inferred.folders {
            self.folder(reader, folder, place, inputs);
        }
        // One that begins with `!` takes away from the others.
        let (away, patterns): (Vec<&String>, Vec<&String>) =
            inferred.globs.iter().partition(|pattern| pattern.starts_with('!'));
        let without =
            reader.without.iter().cloned().chain(away.iter().map(|pattern| pattern[1..].to_owned())).collect();
        let reader = &Reader { id: reader.id, name: reader.name, in_place: reader.in_place, without };
        for pattern in patterns {
            self.glob(reader, pattern, place, Origin::Inferred, inputs);
        }
    }

    fn taken_away(&mut self, text: &str, place: &Place) -> Option<String> {
        let pattern = text.strip_prefix('!')?;
        if let Some(why) = glob::mistake(pattern).filter(|_| glob::is_glob(pattern)) {
            self.problems.push(Diagnostic::error("bad-glob", place, format!("bad glob `{pattern}`: {why}")));
        }
        match path::tidy(pattern) {
            Ok(path) if !glob::is_glob(pattern) && self.is_folder(pattern, &path) => Some(format!("{path}/**")),
            Ok(path) => Some(path.into_string()),
            Err(why) => {
                self.problems.push(bad_path(pattern, why, place));
                None
            }
        }
    }

    fn is_folder(&self, text: &str, path: &Utf8Path) -> bool {
        text.ends_with('/') || self.files.kind(path) == ContentKind::Folder
    }

    fn edge(&mut self, from: TaskId, to: TaskId, place: &Place) {
        self.links.push(Link { from, to, edge: Edge::Reads, place: place.clone() });
    }

    fn artifact(
        &mut self,
        reader: &Reader<'_>,
        written: &Written,
        path: &Utf8Path,
        place: &Place,
        inputs: &mut Vec<Input>,
    ) {
        self.edge(written.by, reader.id, place);
        inputs.push(Input::Artifact { from: written.by, path: path.to_owned(), output: written.path.clone() });
    }

    fn path(&mut self, reader: &Reader<'_>, path: &Utf8Path, place: &Place, origin: Origin, inputs: &mut Vec<Input>) {
        let outputs = self.outputs;
        if let Some(written) = outputs.around(path) {
            if written.by != reader.id {
                return self.artifact(reader, written, path, place, inputs);
            }
            if origin == Origin::Declared && !reader.in_place.iter().any(|own| own == path) {
                let message = format!("`{path}` is input and output of task `{}`", reader.name);
                let problem = Diagnostic::error("input-is-output", place, message);
                self.problems
                    .push(problem.help(format!("take it out of one of them, or write `in_place = [\"{path}\"]`")));
            }
            return;
        }
        let mut others = false;
        let mut any = false;
        for written in outputs.inside(path) {
            any = true;
            if written.by != reader.id {
                others = true;
                self.artifact(reader, written, &written.path, place, inputs);
            } else if origin == Origin::Declared && !reader.in_place.contains(&written.path) {
                let message = format!("task `{}` writes `{}` into its input `{path}`", reader.name, written.path);
                let help = format!("write `\"{path}/**\"`, which leaves out what tasks write");
                self.problems.push(Diagnostic::error("input-is-output", place, message).help(help));
            }
        }
        let there = self.files.files.kind(path);
        if there == ContentKind::Missing && origin == Origin::Declared && !any {
            self.missing(reader, path, place);
        }
        // A folder that only other tasks fill is nothing beside what they write.
        if !(others && there == ContentKind::Missing) {
            inputs.push(Input::Path { path: path.to_owned(), origin });
        }
    }

    fn missing(&mut self, reader: &Reader<'_>, path: &Utf8Path, place: &Place) {
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
        let siblings = self.files.list(folder).into_iter().map(|name| folder.join(name).into_string());
        let known: Vec<String> = siblings.chain(self.outputs.paths().map(str::to_owned)).collect();
        let help = if self.outputs.is_written_anywhere(path) {
            "a task of another environment makes it".to_owned()
        } else if let Some(near) = nearest(path.as_str(), known.iter().map(String::as_str)) {
            format!("did you mean `{near}`?")
        } else {
            "name it under the `outputs` of the task that makes it, or take it away".to_owned()
        };
        let message = format!("input `{path}` of task `{}` does not exist, and no task makes it", reader.name);
        self.problems.push(Diagnostic::error("missing-input", place, message).help(help));
    }

    /// A folder whose files are all inputs, but for what tasks write there.
    fn folder(&mut self, reader: &Reader<'_>, folder: &Utf8Path, place: &Place, inputs: &mut Vec<Input>) {
        let outputs = self.outputs;
        match outputs.around(folder) {
            Some(written) if written.by != reader.id => return self.artifact(reader, written, folder, place, inputs),
            Some(_) => return,
            None => {}
        }
        for written in outputs.inside(folder).filter(|written| written.by != reader.id) {
            self.artifact(reader, written, &written.path, place, inputs);
        }
        let mut without = reader.without.clone();
        without.extend(outputs.anywhere_near(folder.as_str()).map(|(path, shape)| pattern_of(path, shape)));
        let pattern = if folder.as_str().is_empty() { "**".to_owned() } else { format!("{folder}/**") };
        inputs.push(Input::Glob(Glob { pattern, without, ignore: GitIgnore::Disregarded }));
    }

    fn glob(&mut self, reader: &Reader<'_>, text: &str, place: &Place, origin: Origin, inputs: &mut Vec<Input>) {
        if let Some(why) = glob::mistake(text) {
            self.problems.push(Diagnostic::error("bad-glob", place, format!("bad glob `{text}`: {why}")));
            return;
        }
        let pattern = match path::tidy(text.trim_end_matches('/')) {
            Ok(path) => path.into_string(),
            Err(why) => return self.problems.push(bad_path(text, why, place)),
        };
        let prefix = glob::fixed_prefix(&pattern).to_owned();
        let outputs = self.outputs;
        if let Some(written) = outputs.around(Utf8Path::new(&prefix)) {
            if written.by != reader.id {
                return self.artifact(reader, written, Utf8Path::new(&prefix), place, inputs);
            }
            if origin == Origin::Inferred {
                return;
            }
            let message = format!("the glob `{text}` takes what task `{}` writes itself", reader.name);
            return self.problems.push(Diagnostic::error("input-is-output", place, message));
        }
        let left_out: Vec<String> = outputs
            .anywhere_near(&prefix)
            .filter(|(path, shape)| *shape == OutputShape::Folder || glob::takes(&pattern, path))
            .map(|(path, shape)| pattern_of(path, shape))
            .collect();
        let takes_output = outputs.inside(Utf8Path::new(&prefix)).find(|written| match written.shape {
            OutputShape::File => glob::takes(&pattern, written.path.as_str()),
            OutputShape::Folder => glob::takes(&pattern, written.path.join("x").as_str()),
        });
        let mut without = reader.without.clone();
        without.extend(left_out);
        if let Some(written) = takes_output
            && origin == Origin::Declared
            && !self.takes_any(&pattern, &without, Utf8Path::new(&prefix))
        {
            let by = self.names.get(written.by.index()).map_or("", String::as_str);
            let message =
                format!("the glob `{text}` takes only what tasks write, such as `{}` of task `{by}`", written.path);
            let help = format!("globs leave out what tasks write: name it in full, `\"{}\"`", written.path);
            self.problems.push(Diagnostic::error("empty-glob", place, message).help(help));
        }
        // A tool that looks for files itself does not know `.gitignore`.
        let ignore = if origin == Origin::Declared { GitIgnore::Respected } else { GitIgnore::Disregarded };
        inputs.push(Input::Glob(Glob { pattern, without, ignore }));
    }

    /// Whether a glob takes any file that is there, `.gitignore` disregarded.
    fn takes_any(&self, pattern: &str, without: &[String], prefix: &Utf8Path) -> bool {
        let mut waiting = vec![prefix.to_owned()];
        while let Some(folder) = waiting.pop() {
            for name in self.files.files.list(&folder) {
                let path = if folder.as_str().is_empty() { Utf8PathBuf::from(&name) } else { folder.join(&name) };
                if matches!(name.as_str(), ".git" | ".infra")
                    || without.iter().any(|without| glob::takes(without, path.as_str()))
                {
                    continue;
                }
                match self.files.files.kind(&path) {
                    ContentKind::Folder => waiting.push(path),
                    ContentKind::Missing => {}
                    ContentKind::File | ContentKind::Link => {
                        if glob::takes(pattern, path.as_str()) {
                            return true;
                        }
                    }
                }
            }
        }
        false
    }
}

/// What takes an output away from a glob.
fn pattern_of(path: &str, shape: OutputShape) -> String {
    match shape {
        OutputShape::File => path.to_owned(),
        OutputShape::Folder => format!("{path}/**"),
    }
}

/// What makes two inputs one.
fn key(input: &Input) -> (u8, String, u32) {
    match input {
        Input::Path { path, .. } => (0, path.to_string(), 0),
        Input::Glob(glob) => (1, glob.pattern.clone(), u32::from(glob.ignore == GitIgnore::Disregarded)),
        Input::Artifact { from, path, .. } => (2, path.to_string(), from.0),
    }
}
