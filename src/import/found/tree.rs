//! Owns the files that proposals are made of, and what of the folder was passed over, with why.
//! Does not know what is found in them.

use super::{file_of, shown, under};
use crate::model::facts::{ContentKind, Files};
use camino::Utf8Path;
use std::cell::RefCell;

/// Folders whose content is somebody else's, or made.
const FOREIGN: [&str; 8] = ["node_modules", "vendor", "target", "build", "dist", "venv", "__pycache__", "testdata"];

/// How deep is looked, in folders.
const DEPTH: usize = 16;

/// How many files are looked at: a whole home folder is no project.
const MOST: usize = 20_000;

/// A folder's files, relative to it.
pub(super) struct Tree<'a> {
    files: &'a dyn Files,
    paths: Vec<String>,
    /// What git leaves out proposes nothing, but may belong to what is beside it: variables, hosts.
    ignored: Vec<String>,
    passed_over: RefCell<Vec<String>>,
}

impl<'a> Tree<'a> {
    /// Looks through a folder.
    pub(super) fn of(files: &'a dyn Files) -> Self {
        let mut tree = Self { files, paths: Vec::new(), ignored: Vec::new(), passed_over: RefCell::default() };
        tree.walk();
        tree.paths.sort_unstable();
        tree.ignored.sort_unstable();
        if tree.is_full() {
            tree.pass_over(format!("only the first {MOST} files were looked at"));
        }
        tree
    }

    /// What was not looked at, or could not be read.
    pub(super) fn passed_over(self) -> Vec<String> {
        self.passed_over.into_inner()
    }

    fn pass_over(&self, what: String) {
        let mut all = self.passed_over.borrow_mut();
        if !all.contains(&what) {
            all.push(what);
        }
    }

    fn is_full(&self) -> bool {
        self.paths.len() + self.ignored.len() >= MOST
    }

    /// Level by level: what lies at the top counts before what lies deep in a folder of many files.
    fn walk(&mut self) {
        let mut level = vec![String::new()];
        for depth in (0..=DEPTH).rev() {
            let mut next = Vec::new();
            for folder in level {
                if self.is_full() {
                    return;
                }
                self.look_into(&folder, depth == 0, &mut next);
            }
            level = next;
        }
    }

    fn look_into(&mut self, folder: &str, is_deepest: bool, next: &mut Vec<String>) {
        let names = self.files.list(Utf8Path::new(folder));
        if let Some(why) = self.files.unread(Utf8Path::new(folder)).filter(|_| names.is_empty()) {
            self.pass_over(format!("`{}` was not looked into: {why}", shown(folder)));
        }
        for name in names {
            if self.is_full() {
                return;
            }
            let path = under(folder, &name);
            let kind = self.files.kind(Utf8Path::new(&path));
            let is_ignored = self.files.is_ignored(Utf8Path::new(&path), kind);
            match kind {
                ContentKind::Folder => {
                    let is_foreign = is_ignored
                        || name.starts_with('.')
                        || FOREIGN.contains(&name.as_str())
                        || self.files.kind(&Utf8Path::new(&path).join("pyvenv.cfg")) != ContentKind::Missing;
                    match is_deepest {
                        _ if is_foreign => {}
                        true => self.pass_over(format!(
                            "`{path}` lies too deep and was not looked into: `infra init -C DIR` looks from there"
                        )),
                        false => next.push(path),
                    }
                }
                ContentKind::Missing => {}
                _ if is_ignored => self.ignored.push(path),
                _ => self.paths.push(path),
            }
        }
    }

    /// Whether a file is there, left out by git or not.
    pub(super) fn has(&self, path: &str) -> bool {
        self.beside().any(|one| one == path)
    }

    /// Every file, also those that propose nothing.
    pub(super) fn beside(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().chain(&self.ignored).map(String::as_str)
    }

    pub(super) fn text(&self, path: &str) -> String {
        self.files.read(Utf8Path::new(path)).map(|text| text.to_string()).unwrap_or_default()
    }

    /// What a file holds; one that can't be read is passed over, and why.
    pub(super) fn parsed<T>(&self, path: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let at = Utf8Path::new(path);
        let text =
            self.files.read(at).ok_or_else(|| self.files.unread(at).unwrap_or_else(|| "it is no text".to_owned()));
        match text.and_then(|text| parse(&text)) {
            Ok(read) => Some(read),
            Err(why) => {
                let why = why.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.pass_over(format!("`{path}` was passed over: it can't be read: {why}"));
                None
            }
        }
    }

    /// Files with one of these names, in any folder.
    pub(super) fn named<'b>(&'b self, names: &'b [&str]) -> impl Iterator<Item = &'b str> {
        self.paths.iter().map(String::as_str).filter(|path| names.contains(&file_of(path)))
    }

    /// Files whose names end so.
    pub(super) fn ending<'b>(&'b self, ends: &'b [&str]) -> impl Iterator<Item = &'b str> {
        self.paths.iter().map(String::as_str).filter(|path| ends.iter().any(|end| path.ends_with(end)))
    }
}
