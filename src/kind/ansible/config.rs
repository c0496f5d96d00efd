//! Owns what is plainly readable in an `ansible.cfg`: paths that widen the search for roles and plugins.
//! Does not know ansible's other settings.

use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};

/// Settings that name folders of plugins.
const PLUGINS: [&str; 14] = [
    "action_plugins",
    "become_plugins",
    "cache_plugins",
    "callback_plugins",
    "cliconf_plugins",
    "connection_plugins",
    "filter_plugins",
    "inventory_plugins",
    "library",
    "lookup_plugins",
    "module_utils",
    "strategy_plugins",
    "test_plugins",
    "vars_plugins",
];

/// Paths of a configuration, relative to the project's root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub roles: Vec<Utf8PathBuf>,
    pub collections: Vec<Utf8PathBuf>,
    pub inventory: Vec<Utf8PathBuf>,
    pub plugins: Vec<Utf8PathBuf>,
}

impl Config {
    /// Reads the text of a configuration that lies in a folder.
    pub fn read(text: &str, folder: &Utf8Path) -> Self {
        let mut config = Self::default();
        let mut is_defaults = false;
        for line in text.lines() {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[') {
                is_defaults = section.starts_with("defaults]");
            }
            if !is_defaults || line.starts_with('#') || line.starts_with(';') {
                continue;
            }
            let Some((key, value)) = line.split_once(['=', ':']) else { continue };
            let value = value.split(" ;").next().unwrap_or_default().trim();
            match key.trim() {
                "roles_path" => config.roles = paths(value, ':', folder),
                "collections_path" | "collections_paths" => config.collections = paths(value, ':', folder),
                "inventory" => config.inventory = paths(value, ',', folder),
                key if PLUGINS.contains(&key) => config.plugins.extend(paths(value, ':', folder)),
                _ => {}
            }
        }
        config
    }
}

/// Paths inside the project; what lies elsewhere is no input.
fn paths(value: &str, separator: char, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let plain =
        value.split(separator).map(str::trim).filter(|path| !path.is_empty() && !path.contains(['~', '$', '{']));
    let paths = plain.map(|path| join(folder, path));
    paths.filter(|path| !path.is_absolute() && !path.starts_with("..")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_read() {
        let text = "# c\n[defaults]\nroles_path = roles:../shared/roles:~/.ansible/roles\ninventory=hosts.yml\n\
                    filter_plugins = plugins/filter ; why\n[ssh_connection]\nroles_path = no\n";
        let config = Config::read(text, "ansible".into());
        assert_eq!(config.roles, ["ansible/roles", "shared/roles"]);
        assert_eq!(config.inventory, ["ansible/hosts.yml"]);
        assert_eq!(config.plugins, ["ansible/plugins/filter"]);
    }
}
