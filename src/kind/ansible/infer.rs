//! Owns what an ansible task reads: playbooks, roles, variables, inventories, plugins.
//! Does not know what single tasks name (`tasks`), nor what ansible makes of any of it.

use super::command::is_host_list;
use super::config::Config;
use super::names::{Known, Name, ROOT, plain_module};
use crate::kind::{Inferred, Table, text, texts};
use crate::model::facts::{ContentKind, Files};
use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Keys of a play that hold tasks.
const TASK_LISTS: [&str; 4] = ["pre_tasks", "tasks", "post_tasks", "handlers"];

/// All that a task with this table reads.
pub fn infer(table: &Table, files: &dyn Files) -> Inferred {
    let mut walk = Walk {
        files,
        config: Config::default(),
        is_installed: text(table, "galaxy").is_some(),
        paths: BTreeSet::new(),
        seen: BTreeSet::new(),
        remarks: Vec::new(),
    };
    for key in ["config", "galaxy", "vars_files", "undo"] {
        for path in texts(table, key) {
            walk.take(&join("".into(), &path));
        }
    }
    if let Some(path) = text(table, "config") {
        let path = join("".into(), path);
        walk.config = files.read(&path).map(|text| Config::read(&text, folder_of(&path))).unwrap_or_default();
        for folder in walk.config.plugins.clone() {
            walk.take(&folder);
        }
    }
    walk.take_inventories(&texts(table, "inventory"));
    for playbook in texts(table, "playbook") {
        walk.take_playbook(&join("".into(), &playbook));
    }
    Inferred { paths: walk.paths.into_iter().collect(), remarks: walk.remarks, ..Inferred::default() }
}

/// The walk over everything that is named.
pub struct Walk<'a> {
    pub files: &'a dyn Files,
    pub config: Config,
    /// Whether roles that are not here are installed by `galaxy`.
    pub is_installed: bool,
    paths: BTreeSet<Utf8PathBuf>,
    /// Playbooks, task files and roles that were walked.
    pub seen: BTreeSet<Utf8PathBuf>,
    remarks: Vec<String>,
}

/// Where a name is written, which says where it is searched for.
#[derive(Clone, Debug)]
pub struct Place {
    /// Folder of the playbook.
    pub playbook: Utf8PathBuf,
    /// Folder of the role, in a role.
    pub role: Option<Utf8PathBuf>,
    /// The file that is read.
    pub file: Utf8PathBuf,
}

impl Place {
    /// What is known there.
    pub fn known<'b>(&'b self, item: Option<&'b Json>) -> Known<'b> {
        Known { playbook_dir: self.playbook.as_str(), role_path: self.role.as_ref().map(|role| role.as_str()), item }
    }
}

impl Walk<'_> {
    /// Says something once.
    pub fn remark(&mut self, text: String) {
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    /// Takes what is at a path: a file (or its absence), or all files of a folder.
    pub fn take(&mut self, path: &Utf8Path) {
        if path.is_absolute() || path.starts_with("..") {
            self.remark(format!("`{path}` lies outside the project: no input"));
        } else if self.files.kind(path) == ContentKind::Folder {
            self.paths.extend(crate::kind::folder::files(self.files, path, &is_taken));
        } else if is_taken(path) {
            self.paths.insert(path.to_owned());
        }
    }

    /// Takes a file and says whether it is seen for the first time.
    pub fn is_new(&mut self, file: &Utf8Path) -> bool {
        self.take(file);
        self.seen.insert(file.to_owned())
    }

    /// Whether anything is at a path.
    pub fn exists(&self, path: &Utf8Path) -> bool {
        self.files.kind(path) != ContentKind::Missing
    }

    /// Reads YAML; one that cannot be read is remarked.
    pub fn read(&mut self, file: &Utf8Path) -> Option<Json> {
        let text = self.files.read(file)?;
        match yaml(&text) {
            Ok(json) => Some(json),
            Err(why) => {
                let folder = folder_of(file);
                self.remark(format!("`{file}` cannot be read ({why}): all files of `{}` are inputs", shown(folder)));
                self.take(folder);
                None
            }
        }
    }

    fn take_inventories(&mut self, named: &[String]) {
        let mut paths: Vec<Utf8PathBuf> =
            named.iter().filter(|one| !is_host_list(one)).map(|one| join("".into(), one)).collect();
        if named.is_empty() {
            paths.clone_from(&self.config.inventory);
        }
        for path in paths {
            self.take(&path);
            let beside = if self.files.kind(&path) == ContentKind::Folder { path.as_path() } else { folder_of(&path) };
            self.take_variables(beside);
        }
    }

    /// Group and host variables beside a playbook or an inventory.
    fn take_variables(&mut self, folder: &Utf8Path) {
        for name in ["group_vars", "host_vars"] {
            let path = folder.join(name);
            if self.exists(&path) {
                self.take(&path);
            }
        }
    }

    fn take_playbook(&mut self, file: &Utf8Path) {
        if !self.is_new(file) {
            return;
        }
        let folder = folder_of(file).to_owned();
        self.take_variables(&folder);
        self.take_plugins(&folder);
        let place = Place { playbook: folder.clone(), role: None, file: file.to_owned() };
        let Some(Json::Array(plays)) = self.read(file) else { return };
        for play in plays.iter().filter_map(Json::as_object) {
            for (key, value) in play {
                match plain_module(key) {
                    "import_playbook" => self.take_import(value, &place),
                    "roles" => self.take_roles(value, &place),
                    "vars_files" => self.take_vars_files(value, &place),
                    key if TASK_LISTS.contains(&key) => self.walk_tasks(value, &place),
                    _ => self.take_lookups(value, &place, None),
                }
            }
        }
    }

    fn take_import(&mut self, value: &Json, place: &Place) {
        match value.as_str().map(|text| place.known(None).name(text)) {
            Some(Name::Whole(name)) => {
                let file = match name.strip_prefix(ROOT) {
                    Some(path) => join("".into(), path),
                    None => join(&place.playbook, &name),
                };
                if !name.contains('/') && name.split('.').count() == 3 && !self.exists(&file) {
                    self.remark(format!("playbook `{name}` of a collection is no input"));
                } else {
                    self.take_playbook(&file);
                }
            }
            _ => self.take_unknown("import_playbook", "", "", place),
        }
    }

    fn take_vars_files(&mut self, value: &Json, place: &Place) {
        match value {
            Json::String(text) => {
                let name = place.known(None).name(text);
                self.take_named(&name, "vars_files", "vars", place);
            }
            // A list in the list: the first that exists.
            Json::Array(items) => items.iter().for_each(|item| self.take_vars_files(item, place)),
            _ => {}
        }
    }

    /// Modules and plugins beside a playbook, and collections that are kept there.
    fn take_plugins(&mut self, folder: &Utf8Path) {
        for name in self.files.list(folder) {
            let is_plugins = name.ends_with("_plugins") || matches!(name.as_str(), "library" | "module_utils");
            if is_plugins {
                self.take(&folder.join(name));
            }
        }
        let collections = folder.join("collections/ansible_collections");
        // Installed ones are named by their requirements.
        if !self.is_installed && self.exists(&collections) {
            self.take(&collections);
        }
    }

    /// A name that ansible alone knows: in a role nothing more (the role is taken whole), else the
    /// folder that its beginning names, else the playbook's.
    pub fn take_unknown(&mut self, what: &str, start: &str, sub: &str, place: &Place) {
        let prefix = start.rsplit_once('/').map_or("", |(folder, _)| folder);
        let named = start.strip_prefix(ROOT).map(|path| join("".into(), path.rsplit_once('/').map_or("", |(f, _)| f)));
        if let Some(role) = &place.role {
            // The role is taken whole; beside it ansible looks where the playbook keeps such files.
            let around = join(&place.playbook, sub);
            if !sub.is_empty() && self.exists(&around) {
                self.take(&around);
            }
            if let Some(folder) = named.filter(|folder| !folder.starts_with(role)) {
                self.take_fallback(what, &[folder], place);
            }
            return;
        }
        if let Some(folder) = named {
            return self.take_fallback(what, &[folder], place);
        }
        let mut folders = Vec::new();
        if !prefix.is_empty() {
            let around = [join(&place.playbook, sub), place.playbook.clone(), folder_of(&place.file).to_owned()];
            folders.extend(around.iter().map(|base| join(base, prefix)).filter(|path| self.exists(path)));
        }
        if folders.is_empty() {
            folders.push(place.playbook.clone());
        }
        self.take_fallback(what, &folders, place);
    }

    fn take_fallback(&mut self, what: &str, folders: &[Utf8PathBuf], place: &Place) {
        let unique: BTreeSet<&Utf8PathBuf> = folders.iter().collect();
        for folder in unique {
            let below = if folder.as_str().is_empty() { " (not below it: name those under `inputs`)" } else { "" };
            self.remark(format!(
                "`{what}` in `{}` names a file that is not plain: all files of `{}` are inputs{below}",
                place.file,
                shown(folder)
            ));
            self.take(folder);
        }
    }

    /// Takes what a name means, searched for as ansible does; its path comes back.
    pub fn take_named(&mut self, name: &Name, what: &str, sub: &str, place: &Place) -> Option<Utf8PathBuf> {
        let name = match name {
            Name::Whole(name) => name,
            Name::Start(start) => {
                self.take_unknown(what, start, sub, place);
                return None;
            }
        };
        if name.is_empty() || name.contains("://") {
            return None;
        }
        let mut candidates = Vec::new();
        if let Some(path) = name.strip_prefix(ROOT) {
            candidates.push(join("".into(), path));
        } else if name.starts_with(['/', '~']) {
            self.remark(format!("`{what}` in `{}` names `{name}`, outside the project: no input", place.file));
            return None;
        } else {
            let file_folder = folder_of(&place.file);
            let bases = place.role.iter().map(Utf8PathBuf::as_path).chain([file_folder, &place.playbook]);
            for base in bases {
                candidates.extend([join(&base.join(sub), name), join(base, name)]);
            }
        }
        let found = candidates.iter().find(|path| self.exists(path));
        // What is not there yet may be made by another task: its absence is an input.
        let path = found.or_else(|| candidates.iter().rfind(|_| name.contains('/'))).or(candidates.first())?.clone();
        self.take(&path);
        Some(path)
    }
}

/// Reads YAML as ansible would, as far as its shape goes: a later key wins, tags are values.
pub fn yaml(text: &str) -> Result<Json, String> {
    // A file that is encrypted as a whole.
    if text.starts_with("$ANSIBLE_VAULT") {
        return Ok(Json::Null);
    }
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// What is never an input: what python and ansible write by themselves, and stores.
pub fn is_taken(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    !matches!(name, "__pycache__" | ".git" | ".infra") && !name.ends_with(".pyc") && !name.ends_with(".retry")
}

/// The folder that a file lies in.
pub fn folder_of(file: &Utf8Path) -> &Utf8Path {
    file.parent().unwrap_or(Utf8Path::new(""))
}

/// A folder for people.
fn shown(folder: &Utf8Path) -> &str {
    if folder.as_str().is_empty() { "." } else { folder.as_str() }
}

#[cfg(test)]
mod tests;
