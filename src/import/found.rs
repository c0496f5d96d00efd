//! Owns what a folder holds that tasks could drive, as proposals: a task each, and why.
//! Does not know whether a proposal passes `infra check`, nor where it goes (`command/init`).

mod cluster;
mod machines;
mod scripts;

use crate::import::text::{comment, quoted, raw};
use crate::import::{doit, just, make, name, taskfile};
use crate::model::facts::{ContentKind, Files};
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Folders whose content is somebody else's, or made.
const FOREIGN: [&str; 8] = ["node_modules", "vendor", "target", "build", "dist", "venv", "__pycache__", "testdata"];

/// How deep is looked, in folders.
const DEPTH: usize = 5;

/// How many files are looked at: a whole home folder is no project.
const MOST: usize = 20_000;

/// A task that could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Its name: plain, and no two alike.
    pub name: String,
    /// What was found, a sentence without its full stop.
    pub why: String,
    /// What else stands above it.
    pub notes: Vec<String>,
    /// Lines of its table.
    pub keys: Vec<String>,
    /// Why it is only a comment so far.
    pub held_back: Option<String>,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub proposals: Vec<Proposal>,
    /// Files that `infra import TOOL` reads: file and tool.
    pub imports: Vec<(String, &'static str)>,
    /// What concerns the whole search.
    pub notes: Vec<String>,
}

/// A folder's files, relative to it.
struct Tree<'a> {
    files: &'a dyn Files,
    paths: Vec<String>,
}

/// Looks through a folder. Nothing is run.
pub fn look(files: &dyn Files) -> Found {
    let mut tree = Tree { files, paths: Vec::new() };
    tree.walk("", DEPTH);
    let terraform = machines::terraform(&tree);
    let mut proposals = terraform.clone();
    proposals.extend(machines::ansible(&tree, &terraform));
    proposals.extend(cluster::kustomizations(&tree));
    proposals.extend(cluster::charts(&tree));
    proposals.extend(scripts::package_json(&tree));
    proposals.extend(scripts::compose(&tree));
    let mut taken = BTreeSet::new();
    for proposal in &mut proposals {
        proposal.name = name::free(&proposal.name, &mut taken);
    }
    let known: [(&[&str], &'static str); 4] =
        [(&make::FILES, "make"), (&just::FILES, "just"), (&taskfile::FILES, "task"), (&doit::FILES, "doit")];
    let file = |names: &[&str]| names.iter().find(|name| tree.has(name)).map(|name| (*name).to_owned());
    let imports = known.iter().filter_map(|(names, tool)| Some((file(names)?, *tool))).collect();
    let mut notes = Vec::new();
    if tree.paths.len() >= MOST {
        notes.push(format!("only the first {MOST} files were looked at"));
    }
    Found { proposals, imports, notes }
}

impl Found {
    /// The text of a file of tasks.
    pub fn render(&self) -> String {
        let mut out = "# Proposed by `infra init`; from here on it is yours.\n".to_owned();
        for note in &self.notes {
            comment(&mut out, "", note);
        }
        for (file, tool) in &self.imports {
            comment(&mut out, "", &format!("{file} is there: `infra import {tool}` makes tasks of it"));
        }
        for one in &self.proposals {
            out.push('\n');
            comment(&mut out, "", &one.why);
            for note in &one.notes {
                comment(&mut out, "", note);
            }
            if let Some(why) = &one.held_back {
                comment(&mut out, "held back: ", why);
            }
            let mark = if one.held_back.is_some() { "# " } else { "" };
            let key = if one.name.contains('.') { quoted(&one.name) } else { one.name.clone() };
            let _ = writeln!(out, "{mark}[task.{key}]");
            for line in &one.keys {
                let _ = writeln!(out, "{mark}{line}");
            }
        }
        out
    }
}

/// What an empty folder begins with.
pub fn starter() -> Proposal {
    Proposal {
        name: "hello".to_owned(),
        why: "nothing that could be driven was found; a first task, to see how one looks".to_owned(),
        keys: vec![
            "description = \"Write a greeting\"".to_owned(),
            "outputs = [\"build/hello.txt\"]".to_owned(),
            "shell = \"mkdir -p build; echo hello > build/hello.txt\"".to_owned(),
        ],
        ..Proposal::default()
    }
}

impl Tree<'_> {
    fn walk(&mut self, folder: &str, depth: usize) {
        for name in self.files.list(Utf8Path::new(folder)) {
            if self.paths.len() >= MOST {
                return;
            }
            let path = under(folder, &name);
            match self.files.kind(Utf8Path::new(&path)) {
                ContentKind::Folder => {
                    let is_foreign = name.starts_with('.')
                        || FOREIGN.contains(&name.as_str())
                        || self.files.kind(&Utf8Path::new(&path).join("pyvenv.cfg")) != ContentKind::Missing;
                    if depth > 0 && !is_foreign {
                        self.walk(&path, depth - 1);
                    }
                }
                ContentKind::Missing => {}
                _ => self.paths.push(path),
            }
        }
    }

    fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|one| one == path)
    }

    fn text(&self, path: &str) -> String {
        self.files.read(Utf8Path::new(path)).map(|text| text.to_string()).unwrap_or_default()
    }

    /// Files with one of these names, in any folder.
    fn named<'b>(&'b self, names: &'b [&str]) -> impl Iterator<Item = &'b str> {
        self.paths.iter().map(String::as_str).filter(|path| names.contains(&file_of(path)))
    }

    /// Files whose names end so.
    fn ending<'b>(&'b self, ends: &'b [&str]) -> impl Iterator<Item = &'b str> {
        self.paths.iter().map(String::as_str).filter(|path| ends.iter().any(|end| path.ends_with(end)))
    }
}

/// A path in a folder; empty: the root.
fn under(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The folder of a path; empty: the root.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn file_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A folder in words and as a key's value: the root is `.`.
fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// A TOML string that is no template.
fn value(text: &str) -> String {
    quoted(&raw(text))
}

/// A TOML list of such strings.
fn values(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| value(word)).collect();
    format!("[{}]", words.join(", "))
}
