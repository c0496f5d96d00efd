//! Owns finding scripts of package.json files, and compose files.
//! Does not know what they do.

use super::{Proposal, Tree, folder_of, under, value, values};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Lock file and the manager whose it is.
const MANAGERS: [(&str, &str); 6] = [
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
];

/// Scripts of these names mostly start what does not end by itself.
const SERVERS: [&str; 6] = ["dev", "start", "serve", "watch", "preview", "storybook"];

/// What runs the scripts of a folder: what it names itself, else whose lock file is the nearest; `read`: its
/// package.json.
fn manager(tree: &Tree<'_>, folder: &str, read: &Json) -> &'static str {
    let known = |name: &str| MANAGERS.iter().map(|(_, manager)| *manager).find(|manager| *manager == name);
    let named = |read: &Json| read["packageManager"].as_str().and_then(|text| known(text.split('@').next()?));
    if let Some(manager) = named(read) {
        return manager;
    }
    let mut here = folder;
    loop {
        let locks = |(lock, _): &&(&str, &str)| tree.has(&under(here, lock));
        if let Some((_, manager)) = MANAGERS.iter().find(locks) {
            return manager;
        }
        let above = under(here, "package.json");
        if here != folder
            && tree.has(&above)
            && let Some(manager) = serde_json::from_str(&tree.text(&above)).ok().and_then(|read| named(&read))
        {
            return manager;
        }
        if here.is_empty() {
            return "npm";
        }
        here = folder_of(here);
    }
}

/// A task for each script that is not run around another one.
pub(super) fn package_json(tree: &Tree<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for path in tree.named(&["package.json"]) {
        let folder = folder_of(path);
        let json = |text: &str| serde_json::from_str::<Json>(text).map_err(|error| error.to_string());
        let Some(read) = tree.parsed(path, json) else { continue };
        let Some(scripts) = read["scripts"].as_object() else { continue };
        let manager = manager(tree, folder, &read);
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
            let mut notes = vec![
                "its probe says that it is never done; with `inputs` and `outputs` instead, it runs when they change"
                    .to_owned(),
            ];
            if SERVERS.contains(&name.split(':').next().unwrap_or(name)) {
                notes.push("it may start what does not end by itself: then the task never does".to_owned());
            }
            let place = if folder.is_empty() { String::new() } else { format!("{folder}-") };
            found.push(Proposal {
                name: format!("{place}{name}"),
                why: format!("{path} has the script `{name}`"),
                notes,
                keys,
                held_back: None,
            });
        }
    }
    found
}

/// Names of compose files; docker compose takes the first that is there.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// What it lays over that file, the first that is there.
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// A task for each folder with compose files: they are one project of docker compose.
pub(super) fn compose(tree: &Tree<'_>) -> Vec<Proposal> {
    let folders: BTreeSet<&str> = tree.named(&COMPOSE).map(folder_of).collect();
    folders.into_iter().map(|folder| services(tree, folder)).collect()
}

fn services(tree: &Tree<'_>, folder: &str) -> Proposal {
    let there = |names: [&str; 4]| names.map(|name| under(folder, name)).into_iter().filter(|path| tree.has(path));
    let all: Vec<String> = there(COMPOSE).collect();
    let file = all.first().map_or("", String::as_str);
    let over = there(OVERRIDES).next();
    let mut notes = vec!["the probe asks whether something of it runs; `infra destroy` takes it down".to_owned()];
    if let Some(over) = &over {
        notes.push(format!("docker compose lays {over} over it by itself"));
    }
    for other in all.iter().skip(1) {
        notes.push(format!("{other} is there too: docker compose leaves it alone, as it takes one file of a folder"));
    }
    let inputs: Vec<&str> = std::iter::once(file).chain(over.as_deref()).collect();
    let mut keys = Vec::new();
    if !folder.is_empty() {
        keys.push(format!("dir = {}", value(folder)));
    }
    // Without `-f`, which would switch the override off: it is docker compose that chooses.
    keys.extend([
        format!("inputs = {}", values(&inputs)),
        format!("run = {}", values(&["docker", "compose", "up", "--detach"])),
        format!(
            "probe = {{ exec = [\"sh\", \"-c\", {}] }}",
            value("docker compose ps --status running --quiet | grep -q .")
        ),
        format!("undo = [{}]", values(&["docker", "compose", "down"])),
    ]);
    Proposal {
        name: if folder.is_empty() { "compose".to_owned() } else { format!("compose-{folder}") },
        why: format!("{file} is a compose file"),
        notes,
        keys,
        held_back: None,
    }
}
