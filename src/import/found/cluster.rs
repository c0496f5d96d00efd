//! Owns finding kustomizations and charts.
//! Does not know any cluster: what changes one is proposed as a comment, since only its owner can name it.

use super::{Proposal, Tree, file_of, folder_of, shown, under, value, yaml};
use crate::import::draft::inside;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Kustomizations that no other one builds on.
pub(super) fn kustomizations(tree: &Tree<'_>) -> Vec<Proposal> {
    let mut bases = BTreeSet::new();
    let mut folders = Vec::new();
    for path in tree.named(&["kustomization.yaml", "kustomization.yml"]) {
        let Some(read) = tree.parsed(path, yaml) else { continue };
        for key in ["resources", "bases", "components"] {
            let words = read[key].as_array().into_iter().flatten().filter_map(Json::as_str);
            bases.extend(words.filter_map(|word| inside(folder_of(path), word.trim_end_matches('/'))));
        }
        if read["kind"] != "Component" {
            folders.push(folder_of(path));
        }
    }
    folders.retain(|folder| !bases.contains(*folder));
    folders.into_iter().map(kustomization).collect()
}

fn kustomization(folder: &str) -> Proposal {
    let to = format!("build/manifests/{}.yml", if folder.is_empty() { "all" } else { folder });
    Proposal {
        name: format!("render-{}", shown(folder)),
        why: format!("{} is a kustomization; this renders it, and needs no cluster", shown(folder)),
        notes: vec![format!(
            "another task applies it: kubectl = {{ apply = {}, kubeconfig = \"…\", context = \"…\" }}",
            value(&to)
        )],
        keys: vec![format!("kubectl = {{ render = {}, to = {} }}", value(shown(folder)), value(&to))],
        held_back: None,
    }
}

/// Charts that are not parts of others.
pub(super) fn charts(tree: &Tree<'_>) -> Vec<Proposal> {
    let folders: Vec<&str> = tree.named(&["Chart.yaml"]).map(folder_of).collect();
    let is_part = |folder: &&str| folders.iter().any(|other| folder.starts_with(&under(other, "charts/")));
    folders.iter().copied().filter(|folder| !is_part(folder)).flat_map(|folder| chart(tree, folder)).collect()
}

fn chart(tree: &Tree<'_>, folder: &str) -> Vec<Proposal> {
    let path = under(folder, "Chart.yaml");
    let Some(read) = tree.parsed(&path, yaml) else { return Vec::new() };
    let name = read["name"].as_str().unwrap_or(file_of(folder));
    let plain = crate::import::name::made_plain(name);
    let what = format!("chart = {}", value(shown(folder)));
    let needs_others = read["dependencies"].as_array().is_some_and(|all| !all.is_empty());
    let mut notes = Vec::new();
    if read["type"] != "library" {
        let install = "kubeconfig = \"…\", context = \"…\", namespace = \"…\"";
        notes.push(format!("another task installs it: helm = {{ release = {}, {what}, {install} }}", value(&plain)));
    }
    let has_lock = tree.has(&under(folder, "Chart.lock"));
    if needs_others && !has_lock {
        let made = "it has dependencies and no `Chart.lock`: `helm dependency update` makes one";
        notes.push(format!("{made}, and action = \"dependencies\" fetches what it names"));
    }
    let lint = Proposal {
        name: format!("lint-{name}"),
        why: format!("{} is a chart; this lints it, and needs no cluster", shown(folder)),
        notes,
        keys: vec![format!("helm = {{ {what}, action = \"lint\" }}")],
        held_back: None,
    };
    if !needs_others || !has_lock {
        return vec![lint];
    }
    let fetch = Proposal {
        name: format!("{name}-dependencies"),
        why: format!("{} has a lock; this fetches the charts that it names", shown(folder)),
        notes: vec!["what uses the chart follows it by itself".to_owned()],
        keys: vec![format!("helm = {{ {what}, action = \"dependencies\" }}")],
        held_back: None,
    };
    vec![fetch, lint]
}
