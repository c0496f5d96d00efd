//! Owns finding scripts of package.json files, and compose files.
//! Does not know what they do.

use super::{Proposal, Tree, folder_of, under, value, values};
use serde_json::Value as Json;

/// Lock file and the manager whose it is.
const MANAGERS: [(&str, &str); 4] =
    [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")];

/// A task for each script that is not run around another one.
pub(super) fn package_json(tree: &Tree<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for path in tree.named(&["package.json"]) {
        let folder = folder_of(path);
        let read: Json = serde_json::from_str(&tree.text(path)).unwrap_or_default();
        let Some(scripts) = read["scripts"].as_object() else { continue };
        let locks = |(lock, _): &&(&str, &str)| tree.has(&under(folder, lock)) || tree.has(lock);
        let manager = MANAGERS.iter().find(locks).map_or("npm", |(_, manager)| *manager);
        let is_around = |name: &str| {
            let inner = name.strip_prefix("pre").or_else(|| name.strip_prefix("post"));
            inner.is_some_and(|inner| scripts.contains_key(inner))
        };
        let is_script = |(name, line): &(&String, &Json)| line.is_string() && !is_around(name);
        for (name, _) in scripts.iter().filter(is_script) {
            let mut keys = Vec::new();
            if !folder.is_empty() {
                keys.push(format!("dir = {}", value(folder)));
            }
            keys.push("probe = { exec = [\"false\"] }".to_owned());
            keys.push(format!("run = {}", values(&[manager, "run", name])));
            let place = if folder.is_empty() { String::new() } else { format!("{folder}-") };
            found.push(Proposal {
                name: format!("{place}{name}"),
                why: format!("{path} has the script `{name}`"),
                notes: vec!["its probe says that it is never done; with `inputs` and `outputs` instead, it runs when they change".to_owned()],
                keys,
                held_back: None,
            });
        }
    }
    found
}

/// A task for each compose file.
pub(super) fn compose(tree: &Tree<'_>) -> Vec<Proposal> {
    let names = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
    let one = |path: &str| {
        let base = ["docker", "compose", "-f", path];
        let with = |words: &[&str]| values(&[&base, words].concat());
        let folder = folder_of(path);
        Proposal {
            name: if folder.is_empty() { "compose".to_owned() } else { format!("compose-{folder}") },
            why: format!("{path} is a compose file"),
            notes: vec!["the probe asks whether something of it runs; `infra destroy` takes it down".to_owned()],
            keys: vec![
                format!("inputs = {}", values(&[path])),
                format!("run = {}", with(&["up", "--detach"])),
                format!(
                    "probe = {{ exec = [\"sh\", \"-c\", {}, \"probe\", {}] }}",
                    value("docker compose -f \"$1\" ps --status running --quiet | grep -q ."),
                    value(path)
                ),
                format!("undo = [{}]", with(&["down"])),
            ],
            held_back: None,
        }
    };
    tree.named(&names).map(one).collect()
}
