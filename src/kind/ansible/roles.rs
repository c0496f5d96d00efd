//! Owns what an ansible role reads: all that it is made of, and the roles that it depends on.
//! Does not know what single tasks name (`tasks`).

use super::infer::{Place, Walk, is_taken, yaml};
use super::names::{Name, ROOT};
use crate::model::facts::ContentKind;
use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;

impl Walk<'_> {
    /// Takes the roles of a list, as plays and dependencies write them.
    pub fn take_roles(&mut self, value: &Json, place: &Place) {
        let Json::Array(roles) = value else { return };
        for role in roles {
            let name = role.as_str().or_else(|| role.get("role").or_else(|| role.get("name"))?.as_str());
            if let Some(name) = name {
                self.take_role(name, place, None);
            }
            self.take_lookups(role, place, None);
        }
    }

    /// Takes a role with all that it is made of, and the roles that it depends on.
    pub fn take_role(&mut self, name: &str, place: &Place, item: Option<&Json>) {
        let name = match place.known(item).name(name) {
            Name::Whole(name) => name,
            Name::Start(_) => {
                self.remark(format!("`{}` names a role that is not plain: all roles beside it are inputs", place.file));
                for folder in self.role_folders(place) {
                    if self.exists(&folder) {
                        self.take(&folder);
                    }
                }
                return;
            }
        };
        let found = self.role_candidates(&name, place).into_iter().find(|path| self.exists(path));
        let Some(role) = found else {
            if !self.is_installed {
                self.remark(format!("role `{name}` of `{}` is not in the project: no input", place.file));
            }
            return;
        };
        if !self.seen.insert(role.clone()) {
            return;
        }
        self.take_role_files(&role);
        let inside = |file: Utf8PathBuf| Place { playbook: place.playbook.clone(), role: Some(role.clone()), file };
        for part in ["tasks", "handlers"] {
            for file in crate::kind::folder::files(self.files, &role.join(part), &is_taken) {
                if matches!(file.extension(), Some("yml" | "yaml")) {
                    self.walk_task_file(&inside(file));
                }
            }
        }
        for name in ["meta/main.yml", "meta/main.yaml"] {
            let file = role.join(name);
            if let Some(meta) = self.files.read(&file).and_then(|text| yaml(&text).ok())
                && let Some(dependencies) = meta.get("dependencies")
            {
                self.take_roles(dependencies, &inside(file));
            }
        }
    }

    /// All of a role but its documentation and tests.
    fn take_role_files(&mut self, role: &Utf8Path) {
        for name in self.files.list(role) {
            let upper = name.to_ascii_uppercase();
            let is_about = ["README", "LICENSE", "CHANGELOG"].iter().any(|word| upper.starts_with(word));
            if !is_about && !matches!(name.as_str(), "tests" | "molecule" | "docs") && !name.starts_with('.') {
                self.take(&role.join(name));
            }
        }
        if self.files.kind(role) == ContentKind::Link {
            self.take(role);
        }
    }

    fn role_folders(&self, place: &Place) -> Vec<Utf8PathBuf> {
        let mut folders = vec![place.playbook.join("roles")];
        folders.extend(self.config.roles.iter().cloned());
        // Roles find their neighbours.
        folders.extend(place.role.as_deref().and_then(Utf8Path::parent).map(Utf8Path::to_owned));
        folders
    }

    fn role_candidates(&self, name: &str, place: &Place) -> Vec<Utf8PathBuf> {
        if let Some(path) = name.strip_prefix(ROOT) {
            return vec![join("".into(), path)];
        }
        let mut candidates: Vec<Utf8PathBuf> =
            self.role_folders(place).iter().map(|folder| join(folder, name)).collect();
        candidates.push(join(&place.playbook, name));
        if let [namespace, collection, role] = name.split('.').collect::<Vec<_>>().as_slice() {
            let mut homes = vec![place.playbook.join("collections")];
            homes.extend(self.config.collections.iter().cloned());
            let inside = format!("ansible_collections/{namespace}/{collection}/roles/{role}");
            candidates.extend(homes.iter().map(|home| home.join(&inside)));
        }
        candidates
    }
}
