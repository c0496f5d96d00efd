//! Owns the identity of a terraform state: its backend and workspace, as text.
//! Does not know what is in the state.

use super::infer::{load, root_module, workspace};
use crate::kind::hcl::Backend;
use crate::kind::{Table, plain};
use crate::model::digest::{Domain, Encoder};
use crate::model::facts::Files;
use crate::model::path::join;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::BTreeMap;

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
    let mut backend = declared.unwrap_or_else(|| Backend { kind: "local".to_owned(), settings: BTreeMap::new() });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fake::{FakeFiles, table};
    use serde_json::json;

    fn of(main: &str, json: serde_json::Value) -> String {
        subject(&table(json), &FakeFiles::new(&[("tf/main.tf", main)]))
    }

    #[test]
    fn a_local_state_is_its_path() {
        let local = "terraform {\n backend \"local\" {\n path = \"../s/x.tfstate\"\n }\n}\n";
        assert_eq!(of("", json!({ "dir": "tf" })), "terraform:local:tf/terraform.tfstate");
        assert_eq!(of(local, json!({ "dir": "tf" })), "terraform:local:s/x.tfstate");
        let dev = json!({ "dir": "tf", "workspace": "dev" });
        assert_eq!(of(local, dev), "terraform:local:tf/terraform.tfstate.d/dev/terraform.tfstate");
        let settings = json!({ "dir": "./tf/", "backend_config": { "path": "y.tfstate" } });
        assert_eq!(of(local, settings), "terraform:local:tf/y.tfstate");
    }

    #[test]
    fn a_remote_state_is_its_settings_and_workspace() {
        let remote = "terraform {\n backend \"s3\" {\n bucket = \"b\"\n }\n}\n";
        let one = of(remote, json!({ "dir": "tf", "backend_config": { "key": "k" } }));
        let inside = "terraform {\n backend \"s3\" {\n  key = \"k\"\n  bucket = \"b\"\n }\n}\n";
        assert_eq!(one, of(inside, json!({ "dir": "tf" })));
        assert!(one.starts_with("terraform:s3:") && one.ends_with(":default"), "{one}");
        assert_ne!(one, of(remote, json!({ "dir": "tf", "backend_config": { "key": "l" } })));
        assert_ne!(one, of(inside, json!({ "dir": "tf", "workspace": "dev" })));
    }
}
