//! Owns finding root modules of terraform, and playbooks with their inventories.
//! Does not know what terraform or ansible make of them.

use super::{Proposal, Tree, file_of, folder_of, shown, under, value, values, yaml};
use crate::import::draft::inside;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Where people keep hosts, beside a playbook or in the root.
const INVENTORIES: [&str; 9] = [
    "inventory.ini",
    "inventory.yml",
    "inventory.yaml",
    "hosts.ini",
    "hosts.yml",
    "hosts.yaml",
    "hosts",
    "inventory/hosts",
    "inventory",
];

/// How a playbook takes another one in.
const IMPORTS: [&str; 2] = ["import_playbook", "ansible.builtin.import_playbook"];

/// One of these is in every play.
const PLAY: [&str; 3] = ["hosts", IMPORTS[0], IMPORTS[1]];

/// Folders with `*.tf` that no other one takes as a module.
pub(super) fn terraform(tree: &Tree<'_>) -> Vec<Proposal> {
    let files: Vec<&str> = tree.ending(&[".tf", ".tf.json"]).collect();
    let folders: BTreeSet<&str> = files.iter().map(|path| folder_of(path)).collect();
    let mut modules = BTreeSet::new();
    for path in &files {
        let text = tree.text(path);
        let sources = text.lines().filter_map(source).filter(|source| source.starts_with('.'));
        modules.extend(sources.filter_map(|source| inside(folder_of(path), source)));
    }
    let is_root = |folder: &&str| {
        let of_others = folder.split('/').any(|part| ["modules", "examples", "tests"].contains(&part));
        !of_others && !modules.contains(*folder) && !modules.contains(&format!("{folder}/"))
    };
    folders.into_iter().filter(is_root).map(|folder| root(tree, folder)).collect()
}

fn root(tree: &Tree<'_>, folder: &str) -> Proposal {
    let is_own = |path: &&str| {
        let file = file_of(path);
        folder_of(path) == folder && file != "terraform.tfvars" && !file.ends_with(".auto.tfvars")
    };
    // Those with secrets in them are mostly left out by git.
    let mut var_files: Vec<&str> = tree.beside().filter(|path| path.ends_with(".tfvars")).filter(is_own).collect();
    var_files.sort_unstable();
    let mut keys = format!("terraform = {{ dir = {}", value(shown(folder)));
    let mut notes = vec!["`infra destroy` takes back what it made".to_owned()];
    match var_files.as_slice() {
        [] => {}
        [one] => keys.extend([", var_files = ", &values(&[one])]),
        several => notes.push(format!("name one of its variable files under `var_files`: {}", several.join(", "))),
    }
    keys.push_str(" }");
    Proposal {
        name: if folder.is_empty() { "terraform".to_owned() } else { folder.to_owned() },
        why: format!("{} is a root module of terraform", shown(folder)),
        notes,
        keys: vec![keys],
        held_back: None,
    }
}

/// The value in `source = "…"`.
fn source(line: &str) -> Option<&str> {
    line.trim().strip_prefix("source")?.trim_start().strip_prefix('=')?.trim().strip_prefix('"')?.split('"').next()
}

/// Playbooks that no other one imports.
pub(super) fn ansible(tree: &Tree<'_>, terraform: &[Proposal]) -> Vec<Proposal> {
    let mut imported = BTreeSet::new();
    let mut found = Vec::new();
    for path in tree.ending(&[".yml", ".yaml"]) {
        let Some(text) = tree.parsed(path, |text| Ok(text.to_owned())) else { continue };
        let Ok(read) = yaml(&text) else {
            if looks_like_plays(&text) {
                tree.parsed(path, yaml);
            }
            continue;
        };
        let Some(plays) = plays(read) else { continue };
        let others = plays.iter().filter_map(|play| IMPORTS.iter().find_map(|key| play[*key].as_str()));
        imported.extend(others.filter_map(|other| inside(folder_of(path), other)));
        found.push((path, plays));
    }
    found.retain(|(path, _)| !imported.contains(*path));
    found.into_iter().map(|(path, plays)| playbook(tree, path, &plays, terraform)).collect()
}

/// The plays, if the file is a playbook: a list of tables with `hosts` or `import_playbook`.
fn plays(read: Json) -> Option<Vec<Json>> {
    let is_play = |one: &Json| PLAY.iter().any(|key| one.get(*key).is_some());
    match read {
        Json::Array(plays) if !plays.is_empty() && plays.iter().all(is_play) => Some(plays),
        _ => None,
    }
}

/// Whether a text that can't be read was meant as a playbook: a list at the margin, with a play's own key in it. A
/// template of other files (a chart has many) can't be read either.
fn looks_like_plays(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && line != "---"
    });
    let begins_play = |line: &str| {
        let key = line.strip_prefix("- ").or_else(|| line.strip_prefix("  ")).map(str::trim_start);
        key.is_some_and(|key| PLAY.iter().any(|word| key.strip_prefix(word).is_some_and(|rest| rest.starts_with(':'))))
    };
    lines.next().is_some_and(|first| first.starts_with("- ") && (begins_play(first) || lines.any(begins_play)))
}

fn playbook(tree: &Tree<'_>, path: &str, plays: &[Json], terraform: &[Proposal]) -> Proposal {
    let folder = folder_of(path);
    let mut action = format!("ansible = {{ playbook = {}", value(path));
    let config = [folder, folder_of(folder), ""].map(|folder| under(folder, "ansible.cfg"));
    let config = config.iter().find(|config| tree.has(config));
    let names_hosts = |config: &String| {
        let is_it = |line: &str| line.trim().strip_prefix("inventory").is_some_and(|rest| rest.trim().starts_with('='));
        tree.text(config).lines().any(is_it)
    };
    let mut held_back = None;
    let is_local = plays.iter().all(|play| matches!(play["hosts"].as_str(), Some("localhost" | "127.0.0.1")));
    if !is_local && !config.is_some_and(names_hosts) {
        match inventory(tree, folder) {
            Some(path) => action.extend([", inventory = ", &value(&path)]),
            None => held_back = Some("no inventory was found: name one under `inventory`".to_owned()),
        }
    }
    if let Some(config) = config {
        action.extend([", config = ", &value(config)]);
    }
    action.push_str(" }");
    let mut keys = vec![action];
    if !terraform.is_empty() && !is_local {
        keys.insert(0, "# needs = [\"…\"]: the task that makes the machines".to_owned());
    }
    Proposal {
        name: path.trim_end_matches(".yml").trim_end_matches(".yaml").to_owned(),
        why: format!("{path} is a playbook"),
        notes: vec!["`idempotent = true` lets a second, checking pass prove that it changes nothing".to_owned()],
        keys,
        held_back,
    }
}

fn inventory(tree: &Tree<'_>, folder: &str) -> Option<String> {
    let places = [folder, folder_of(folder), ""];
    let paths = places.iter().flat_map(|place| INVENTORIES.map(|name| under(place, name)));
    let is_there = |path: &String| {
        let inner = format!("{path}/");
        tree.has(path) || tree.beside().any(|one| one.starts_with(&inner))
    };
    paths.into_iter().find(is_there)
}
