//! Owns the identity of a terraform state: its backend and workspace, as text.
//! Does not know what is in the state.

use super::infer::{load, root_module, workspace};
use crate::kind::hcl::Backend;
use crate::kind::{Table, join, plain};
use crate::model::digest::{Domain, Encoder};
use crate::model::facts::Files;
use camino::Utf8PathBuf;
use serde_json::Value as Json;

/// Settings of the table on top of those in the module: what `-backend-config` is given.
pub fn settings(table: &Table) -> Vec<(String, String)> {
    match table.get("backend_config") {
        Some(Json::Object(entries)) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        _ => Vec::new(),
    }
}

/// Identity of the state that a task works on: two tasks with one subject would fight over it.
pub fn subject(table: &Table, files: &dyn Files) -> String {
    let backend = backend(table, files);
    if let Some(path) = local_path(table, &backend) {
        return format!("terraform:local:{path}");
    }
    // What authenticates (tokens, profiles) may be in there too; it is told apart from nothing, so
    // that a changed setting is rather another subject than a wrongly shared one.
    let mut encoder = Encoder::new(Domain::Field);
    encoder.number(backend.settings.len() as u64);
    for (key, value) in &backend.settings {
        encoder.text(key).text(value);
    }
    format!("terraform:{}:{}:{}", backend.kind, encoder.finish().short(), workspace(table))
}

/// State file of a local backend, relative to the project's root.
pub fn local_state(table: &Table, files: &dyn Files) -> Option<Utf8PathBuf> {
    local_path(table, &backend(table, files))
}

/// The module's backend with the table's settings on top; terraform's own default is `local`.
fn backend(table: &Table, files: &dyn Files) -> Backend {
    let loaded = load(&root_module(table), ".", table, files);
    let declared = loaded.module.backend();
    let mut backend = declared.unwrap_or_else(|| Backend { kind: "local".to_owned(), settings: Default::default() });
    backend.settings.extend(settings(table));
    backend
}

fn local_path(table: &Table, backend: &Backend) -> Option<Utf8PathBuf> {
    if backend.kind != "local" {
        return None;
    }
    let setting = |key: &str| backend.settings.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let path = match workspace(table) {
        "default" => setting("path").unwrap_or("terraform.tfstate").to_owned(),
        other => format!("{}/{other}/terraform.tfstate", setting("workspace_dir").unwrap_or("terraform.tfstate.d")),
    };
    Some(join(&root_module(table), &path))
}
