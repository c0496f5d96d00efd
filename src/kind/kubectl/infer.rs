//! Owns which files a task of kubectl reads: manifests, folders of them, and what a kustomization names.
//! Does not know what is in a manifest.

use super::command::kustomized;
use crate::kind::{Inferred, Table, cluster, folder, text, texts};
use crate::model::facts::{ContentKind, Files};
use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::BTreeSet;

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Lists of a kustomization that name files or folders.
const LISTS: [&str; 8] = [
    "resources",
    "bases",
    "components",
    "patchesStrategicMerge",
    "crds",
    "configurations",
    "generators",
    "transformers",
];

/// What a table reads.
pub fn infer(table: &Table, files: &dyn Files) -> Inferred {
    let mut inferred = Inferred::default();
    let root = Utf8Path::new("");
    for key in ["apply", "delete"] {
        for word in texts(table, key) {
            match kustomized(&word) {
                Some(folder) => kustomization(&join(root, folder), files, &mut inferred, &mut BTreeSet::new()),
                None => manifests(&join(root, &word), files, &mut inferred),
            }
        }
    }
    if let Some(folder) = text(table, "render") {
        kustomization(&join(root, folder), files, &mut inferred, &mut BTreeSet::new());
    } else {
        inferred.paths.extend(cluster::input(table));
    }
    inferred
}

fn manifests(path: &Utf8Path, files: &dyn Files, inferred: &mut Inferred) {
    // kubectl reads what a pattern means, folders whole.
    if path.as_str().contains(['*', '?', '[']) && files.kind(path) == ContentKind::Missing {
        inferred.globs.extend([path.to_string(), format!("{path}/**/*.{{yaml,yml,json}}")]);
        return;
    }
    if files.kind(path) != ContentKind::Folder {
        inferred.paths.push(path.to_owned());
        return;
    }
    if KUSTOMIZATIONS.iter().any(|name| files.kind(&path.join(name)) == ContentKind::File) {
        inferred.remarks.push(format!("`{path}` has a kustomization, which is not followed: write `-k {path}`"));
    }
    // kubectl reads files with these endings only.
    inferred.globs.push(format!("{path}/**/*.{{yaml,yml,json}}"));
}

/// The folder, whole, and what its kustomization names outside of it.
fn kustomization(path: &Utf8Path, files: &dyn Files, inferred: &mut Inferred, seen: &mut BTreeSet<Utf8PathBuf>) {
    if !seen.insert(path.to_owned()) {
        return;
    }
    inferred.paths.extend(folder::files(files, path, &|_| true));
    let Some(text) = KUSTOMIZATIONS.iter().find_map(|name| files.read(&path.join(name))) else {
        inferred.remarks.push(format!("`{path}` has no kustomization: kubectl will refuse it"));
        return;
    };
    let Ok(read) = serde_saphyr::from_str::<Json>(&text) else {
        inferred.remarks.push(format!("the kustomization of `{path}` cannot be read: what it names is not known"));
        return;
    };
    let lists = LISTS.iter().filter_map(|list| read.get(list).and_then(Json::as_array)).flatten();
    for word in lists.filter_map(Json::as_str).filter(|word| !word.contains('\n')) {
        let named = join(path, word);
        // `github.com/org/repo//path?ref=v1`, too.
        let is_missing = || files.kind(&named) == ContentKind::Missing;
        if word.contains("://") || is_missing() && ["//", "?ref=", "git@"].iter().any(|mark| word.contains(mark)) {
            inferred.remarks.push(format!(
                "the kustomization of `{path}` fetches `{word}`: nobody sees when that is something else"
            ));
            continue;
        }
        match files.kind(&named) {
            ContentKind::Folder => kustomization(&named, files, inferred, seen),
            ContentKind::File | ContentKind::Link => inferred.paths.push(named),
            ContentKind::Missing => {}
        }
    }
}
