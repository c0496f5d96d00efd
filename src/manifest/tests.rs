//! Owns the fake project that the tests of the manifest load, and their words for mistakes.
//! Does not know disks.

mod edges;
mod happy;
mod wrong;

use super::*;
use crate::model::diagnostic::Severity;
use crate::model::task::Task;
use std::collections::BTreeSet;

/// Files in a map.
#[derive(Default)]
struct Fake(BTreeMap<Utf8PathBuf, Arc<str>>);

impl Files for Fake {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        self.0.get(path).cloned()
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        if self.0.contains_key(path) {
            ContentKind::File
        } else if path.as_str().is_empty() || self.0.keys().any(|file| file.starts_with(path)) {
            ContentKind::Folder
        } else {
            ContentKind::Missing
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(folder).ok());
        let names: BTreeSet<String> = below.filter_map(|rest| Some(rest.components().next()?.to_string())).collect();
        names.into_iter().collect()
    }
}

/// A project of files, loaded.
fn load_files(files: &[(&str, &str)], options: &Options) -> Loaded {
    let fake = Fake(files.iter().map(|(path, text)| (Utf8PathBuf::from(*path), Arc::from(*text))).collect());
    load(&fake, options)
}

fn in_env(env: &str) -> Options {
    Options { env: Some(env.to_owned()), set: Vec::new() }
}

/// Loads files that hold no mistake.
#[track_caller]
fn project(files: &[(&str, &str)]) -> Project {
    project_in(files, &Options::default())
}

#[track_caller]
fn project_in(files: &[(&str, &str)], options: &Options) -> Project {
    let loaded = load_files(files, options);
    let shown: Vec<String> = loaded.diagnostics.iter().map(|problem| show(&loaded, problem)).collect();
    match loaded.project {
        Some(project) => project,
        None => panic!("{}", shown.join("\n")),
    }
}

/// Loads one file of tasks beside `infra.toml` that hold no mistake.
#[track_caller]
fn tasks(infra: &str, text: &str) -> Project {
    project(&[("infra.toml", infra), ("tasks/a.toml", text)])
}

#[track_caller]
fn task<'a>(project: &'a Project, name: &str) -> &'a Task {
    project.find(name).expect(name)
}

/// `code: message [underlined] / help`
fn show(loaded: &Loaded, problem: &Diagnostic) -> String {
    let underlined = problem.place.as_ref().map_or_else(String::new, |place| {
        let text = loaded.sources.get(&place.file).and_then(|text| text.get(place.span.clone())).unwrap_or("?");
        format!(" [{}]", text.lines().next().unwrap_or(""))
    });
    let help = problem.help.as_ref().map(|help| format!(" / {help}")).unwrap_or_default();
    let warning = if problem.severity == Severity::Warning { "warning " } else { "" };
    format!("{warning}{}: {}{underlined}{help}", problem.code, problem.message)
}

/// All mistakes of files.
fn mistakes_in(files: &[(&str, &str)], options: &Options) -> Vec<String> {
    let loaded = load_files(files, options);
    loaded.diagnostics.iter().map(|problem| show(&loaded, problem)).collect()
}

/// All mistakes of one file of tasks.
fn mistakes(text: &str) -> Vec<String> {
    mistakes_in(&[("tasks/a.toml", text)], &Options::default())
}

/// All mistakes of one file of tasks with an `infra.toml`.
fn mistakes_with(infra: &str, text: &str) -> Vec<String> {
    mistakes_in(&[("infra.toml", infra), ("tasks/a.toml", text)], &Options::default())
}
