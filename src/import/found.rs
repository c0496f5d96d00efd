//! Owns what a folder holds that tasks could drive, as proposals: a task each, and why.
//! Does not know whether a proposal passes `infra check`, nor where it goes (`command/init`).

mod cluster;
mod machines;
mod scripts;
mod tree;

use crate::import::text::{comment, quoted, raw};
use crate::import::{doit, just, make, name, taskfile};
use crate::model::facts::Files;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tree::Tree;

/// So many files of each other tool are named.
const IMPORTS: usize = 4;

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
    /// What concerns the whole search: what was passed over, and why.
    pub notes: Vec<String>,
}

/// Looks through a folder. Nothing is run.
pub fn look(files: &dyn Files) -> Found {
    let tree = Tree::of(files);
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
    let mut imports = Vec::new();
    let mut more = 0;
    for (names, tool) in known {
        let mut folders: Vec<&str> = tree.named(names).map(folder_of).collect();
        folders.sort_by_key(|folder| (folder.matches('/').count() + usize::from(!folder.is_empty()), *folder));
        folders.dedup();
        more += folders.len().saturating_sub(IMPORTS);
        for folder in folders.into_iter().take(IMPORTS) {
            let first = names.iter().map(|name| under(folder, name)).find(|path| tree.has(path));
            imports.extend(first.map(|path| (path, tool)));
        }
    }
    let mut notes = tree.passed_over();
    if more > 0 {
        notes.push(format!("{more} more files of other tools lie deeper: `infra import TOOL FILE` reads any of them"));
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
            comment(&mut out, "", &format!("{file} is there: `{}` makes tasks of it", how(file, tool)));
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

/// The command that makes tasks of a file of another tool.
pub fn how(file: &str, tool: &str) -> String {
    if file.contains('/') { format!("infra import {tool} {file}") } else { format!("infra import {tool}") }
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

/// What a text of YAML says; a later key wins, as ansible has it.
fn yaml(text: &str) -> Result<Json, String> {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}
