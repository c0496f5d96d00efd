//! Owns finding kustomizations and charts.
//! Does not know any cluster: what changes one is proposed as a comment, since only its owner can name it.

use super::{Proposal, Tree, file_of, folder_of, shown, value};
use crate::import::draft::inside;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Kustomizations that no other one builds on.
pub(super) fn kustomizations(tree: &Tree<'_>) -> Vec<Proposal> {
    let mut bases = BTreeSet::new();
    let mut folders = Vec::new();
    for path in tree.named(&["kustomization.yaml", "kustomization.yml"]) {
        let Ok(read) = serde_saphyr::from_str::<Json>(&tree.text(path)) else { continue };
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
    let is_part = |folder: &&str| folders.iter().any(|other| folder.starts_with(&format!("{other}/charts/")));
    folders.iter().copied().filter(|folder| !is_part(folder)).filter_map(|folder| chart(tree, folder)).collect()
}

fn chart(tree: &Tree<'_>, folder: &str) -> Option<Proposal> {
    let path = super::under(folder, "Chart.yaml");
    let read = serde_saphyr::from_str::<Json>(&tree.text(&path)).ok()?;
    let name = read["name"].as_str().unwrap_or(file_of(folder));
    let plain = crate::import::name::made_plain(name);
    let what = format!("release = {}, chart = {}", value(&plain), value(shown(folder)));
    let install = "kubeconfig = \"…\", context = \"…\", namespace = \"…\"";
    let is_library = read["type"] == "library";
    Some(Proposal {
        name: format!("lint-{name}"),
        why: format!("{} is a chart; this lints it, and needs no cluster", shown(folder)),
        notes: if is_library {
            Vec::new()
        } else {
            vec![format!("another task installs it: helm = {{ {what}, {install} }}")]
        },
        keys: vec![format!("helm = {{ {what}, action = \"lint\" }}")],
        held_back: None,
    })
}
