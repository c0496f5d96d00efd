//! Owns what `infra.toml` says, before an environment is chosen.
//! Does not know the tasks.

use crate::manifest::check::Checker;
use crate::manifest::keys;
use crate::manifest::node::{Entry, Node, Source, Value};
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::environment::{Approve, Rotation, Secret, SecretSource};
use crate::model::name::is_plain_name;
use crate::model::text::has_template;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What `infra.toml` says.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) name: Option<String>,
    pub(super) default_env: Option<(String, Place)>,
    pub(super) default: Vec<(String, Place)>,
    pub(super) dotenv: Vec<Utf8PathBuf>,
    pub(super) requires: BTreeMap<String, String>,
    pub(super) vars: Vec<Declared>,
    pub(super) envs: Vec<EnvDeclared>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) pools: BTreeMap<String, u32>,
    pub(super) include: Vec<(String, Utf8PathBuf, Place)>,
}

/// A variable in one layer.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) value: Json,
    /// `infra.toml:9`
    pub(super) origin: String,
}

/// One `[env.NAME]`.
#[derive(Debug, Default)]
pub(super) struct EnvDeclared {
    pub(super) name: String,
    pub(super) vars: Vec<Declared>,
    pub(super) vars_file: Option<(Utf8PathBuf, Place)>,
    pub(super) approve: Approve,
    pub(super) kube_context: Option<Vec<String>>,
    pub(super) dotenv: Vec<Utf8PathBuf>,
}

/// Reads and checks `infra.toml`.
pub(super) fn read(source: &Source, problems: &mut Vec<Diagnostic>) -> Settings {
    let mut settings = Settings::default();
    let mut check = Checker { source, problems };
    for section in source.root.entries() {
        let known = keys::SECTIONS.iter().map(|(name, _)| *name);
        if !known.clone().any(|name| name == section.key) {
            if section.key == "task" {
                let help = "move it to a file under `tasks/`".to_owned();
                check.fail("unknown-key", &section.key_span, "`infra.toml` holds no tasks".to_owned(), Some(help));
            } else {
                check.unknown_key("`infra.toml`", section, known);
            }
        } else if !section.node.is_table() {
            let message = format!("`{}` must be a table, found {}", section.key, section.node.describe());
            check.fail("wrong-type", &section.node.span, message, None);
        } else {
            match section.key.as_str() {
                "project" => project(&mut settings, &mut check, &section.node),
                "requires" => requires(&mut settings, &mut check, &section.node),
                "vars" => settings.vars = vars(source, &section.node, check.problems),
                "env" => section.node.entries().iter().for_each(|entry| env(&mut settings, &mut check, entry)),
                "secrets" => section.node.entries().iter().for_each(|entry| secret(&mut settings, &mut check, entry)),
                "pools" => section.node.entries().iter().for_each(|entry| pool(&mut settings, &mut check, entry)),
                _ => section.node.entries().iter().for_each(|entry| include(&mut settings, &mut check, entry)),
            }
        }
    }
    settings
}

fn project(settings: &mut Settings, check: &mut Checker<'_>, node: &Node) {
    check.table("`[project]`", node, &keys::PROJECT);
    settings.name = node.get("name").and_then(Node::text).map(str::to_owned);
    settings.default_env =
        node.get("default_env").and_then(|env| Some((env.text()?.to_owned(), check.source.at(&env.span))));
    if let Some(default) = node.get("default") {
        for word in default.items().unwrap_or(std::slice::from_ref(default)) {
            settings.default.extend(word.text().map(|text| (text.to_owned(), check.source.at(&word.span))));
        }
    }
    settings.dotenv = texts(node.get("dotenv")).into_iter().map(Utf8PathBuf::from).collect();
}

fn requires(settings: &mut Settings, check: &mut Checker<'_>, node: &Node) {
    for entry in node.entries() {
        match entry.node.text() {
            Some(text) if is_requirement(text) => {
                settings.requires.insert(entry.key.clone(), text.to_owned());
            }
            Some(text) => {
                let help = "write `>=1.9`, `>=1.9, <2`, `=1.9.3` or `*`".to_owned();
                check.fail("bad-value", &entry.node.span, format!("`{text}` is no version requirement"), Some(help));
            }
            None => {
                let message =
                    format!("`{}` must be a version requirement in quotes, found {}", entry.key, entry.node.describe());
                check.fail("wrong-type", &entry.node.span, message, Some("write `\">=1.9\"`".to_owned()));
            }
        }
    }
}

fn is_requirement(text: &str) -> bool {
    text.split(',').map(str::trim).all(|part| {
        let version = part.trim_start_matches(['>', '<', '=', '~', '^', '!']).trim();
        let operator = part[..part.len() - part.trim_start_matches(['>', '<', '=', '~', '^', '!']).len()].trim();
        part == "*"
            || (matches!(operator, "" | ">" | "<" | ">=" | "<=" | "=" | "==" | "!=" | "~" | "~>" | "^")
                && version.split('.').all(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())))
    })
}

/// Variables of a table, in any of the files that declare them.
pub(super) fn vars(source: &Source, node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Declared> {
    let mut declared = Vec::new();
    for entry in node.entries() {
        warn_of_templates(source, &entry.key, &entry.node, problems);
        let line = source.text.get(..entry.key_span.start).map_or(0, |before| before.matches('\n').count()) + 1;
        let origin = format!("{}:{line}", source.path);
        declared.push(Declared { name: entry.key.clone(), value: entry.node.json(), origin });
    }
    declared
}

/// A value is taken as written, so text that looks like a template is probably not meant.
fn warn_of_templates(source: &Source, name: &str, node: &Node, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Text { text, .. } if has_template(text) => problems.push(
            Diagnostic::warning(
                "template-in-variable",
                &source.at(&node.span),
                format!("the variable `{name}` is no template"),
            )
            .label("taken as it is written")
            .help("put the template where the variable is used"),
        ),
        Value::List(items) => {
            for item in items {
                warn_of_templates(source, name, item, problems);
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                warn_of_templates(source, name, &entry.node, problems);
            }
        }
        _ => {}
    }
}

fn env(settings: &mut Settings, check: &mut Checker<'_>, entry: &Entry) {
    plain_name(check, "an environment", entry);
    if !entry.node.is_table() {
        let message = format!("`env.{}` must be a table, found {}", entry.key, entry.node.describe());
        return check.fail("wrong-type", &entry.node.span, message, None);
    }
    check.table(&format!("`[env.{}]`", entry.key), &entry.node, &keys::ENV);
    let node = &entry.node;
    let mut declared = EnvDeclared { name: entry.key.clone(), ..EnvDeclared::default() };
    if let Some(table) = node.get("vars") {
        if table.is_table() {
            declared.vars = vars(check.source, table, check.problems);
        } else {
            let message = format!("`vars` must be a table, found {}", table.describe());
            check.fail("wrong-type", &table.span, message, None);
        }
    }
    declared.vars_file = node
        .get("vars_file")
        .and_then(|file| Some((crate::model::path::join("".into(), file.text()?), check.source.at(&file.span))));
    declared.approve = node.get("approve").and_then(Node::text).and_then(Approve::parse).unwrap_or_default();
    declared.kube_context = node.get("kube_context").map(|contexts| texts(Some(contexts)));
    declared.dotenv = texts(node.get("dotenv")).into_iter().map(Utf8PathBuf::from).collect();
    settings.envs.push(declared);
}

fn secret(settings: &mut Settings, check: &mut Checker<'_>, entry: &Entry) {
    let what = format!("the secret `{}`", entry.key);
    let node = &entry.node;
    if !node.is_table() {
        let help = "write `{ env = \"…\" }`, `{ file = \"…\" }` or `{ command = [\"…\"] }`: a secret never stands in the file itself";
        let message = format!("{what} must be a table, found {}", node.describe());
        return check.fail("wrong-type", &node.span, message, Some(help.to_owned()));
    }
    check.table(&what, node, &keys::SECRET);
    let sources: Vec<SecretSource> = [
        node.get("env").and_then(Node::text).map(|name| SecretSource::Env(name.to_owned())),
        node.get("file").and_then(Node::text).map(|file| SecretSource::File(crate::model::path::join("".into(), file))),
        node.get("command").map(|command| SecretSource::Command(texts(Some(command)))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let Ok([source]) = <[SecretSource; 1]>::try_from(sources) else {
        let message = format!("{what} must have one of `env`, `file` and `command`");
        return check.fail("bad-value", &entry.key_span, message, None);
    };
    let rotation =
        if node.get("rotates").and_then(Node::flag) == Some(true) { Rotation::Rotates } else { Rotation::Stays };
    settings.secrets.insert(entry.key.clone(), Secret { source, rotation, place: check.source.at(&entry.key_span) });
}

fn pool(settings: &mut Settings, check: &mut Checker<'_>, entry: &Entry) {
    match entry.node.int().and_then(|size| u32::try_from(size).ok()).filter(|size| *size > 0) {
        Some(size) => {
            settings.pools.insert(entry.key.clone(), size);
        }
        None => {
            let message = format!("the pool `{}` must be a whole number, 1 or more", entry.key);
            check.fail("wrong-type", &entry.node.span, message, None);
            // Declared all the same: tasks that name it are not wrong.
            settings.pools.insert(entry.key.clone(), 1);
        }
    }
}

fn include(settings: &mut Settings, check: &mut Checker<'_>, entry: &Entry) {
    plain_name(check, "an included project", entry);
    match entry.node.text() {
        Some(folder) => {
            let folder = crate::model::path::join("".into(), folder);
            settings.include.push((entry.key.clone(), folder, check.source.at(&entry.node.span)));
        }
        None => {
            let message = format!("`{}` must be a folder in quotes, found {}", entry.key, entry.node.describe());
            check.fail("wrong-type", &entry.node.span, message, None);
        }
    }
}

fn plain_name(check: &mut Checker<'_>, what: &str, entry: &Entry) {
    if !is_plain_name(&entry.key) {
        let help = "a letter or digit first, then letters, digits, `-`, `_` and `.`".to_owned();
        check.fail("bad-name", &entry.key_span, format!("`{}` can't name {what}", entry.key), Some(help));
    }
}

/// A text or a list of texts.
pub(super) fn texts(node: Option<&Node>) -> Vec<String> {
    match node.map(|node| &node.value) {
        Some(Value::Text { text, .. }) => vec![text.clone()],
        Some(Value::List(items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl Settings {
    /// Names of all environments: the declared ones, and the default one.
    pub(super) fn env_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.envs.iter().map(|env| env.name.clone()).collect();
        let default = self.default_env_name();
        if !names.contains(&default) && (self.envs.is_empty() || self.default_env.is_none()) {
            names.push(default);
        }
        names
    }

    /// The environment that is meant without `-e`.
    pub(super) fn default_env_name(&self) -> String {
        self.default_env.as_ref().map_or_else(|| "local".to_owned(), |(name, _)| name.clone())
    }

    /// A suggestion for an environment that does not exist.
    pub(super) fn env_help(&self, name: &str) -> String {
        let names = self.env_names();
        nearest(name, names.iter().map(String::as_str)).map_or_else(
            || {
                format!(
                    "declared: {}",
                    names.iter().map(|name| crate::manifest::ticked(name)).collect::<Vec<_>>().join(", ")
                )
            },
            |near| format!("did you mean `{near}`?"),
        )
    }
}
