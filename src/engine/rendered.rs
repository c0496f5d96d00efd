//! Owns what of a task is rendered when it is about to start: its table, environment and undo with real
//! values, gathered so that they can be masked; and the caller's variables that its processes get.
//! Does not know attempts, nor folders.

use crate::engine::job::Unprepared;
use crate::host::Host;
use crate::host::mask::Masks;
use crate::kind::Table;
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::record::Export;
use crate::model::task::{Input, Keep, Task};
use crate::plan::board::Board;
use crate::plan::scope::{self, Reveal};
use crate::template::{self, Scope};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A task with real values.
pub(super) struct Rendered {
    pub table: Table,
    pub declared: BTreeMap<String, String>,
    pub undo: Vec<Vec<String>>,
    pub masks: Arc<Masks>,
}

/// Opens what is sealed: real values, gathered so that they can be masked.
struct Real<'a> {
    host: &'a Host,
    seen: RefCell<Vec<String>>,
    troubles: RefCell<Vec<String>>,
}

impl Real<'_> {
    fn remember(&self, value: &Json) {
        match value {
            Json::String(text) => self.seen.borrow_mut().push(text.clone()),
            Json::Array(items) => items.iter().for_each(|item| self.remember(item)),
            Json::Object(items) => items.values().for_each(|item| self.remember(item)),
            Json::Number(number) => self.seen.borrow_mut().push(number.to_string()),
            Json::Bool(_) | Json::Null => {}
        }
    }
}

impl Reveal for Real<'_> {
    fn export(&self, export: &Export) -> Json {
        match export {
            Export::Plain { value } => value.clone(),
            Export::Sealed { sealed, .. } => match self.host.unseal(sealed) {
                Ok(value) => {
                    self.remember(&value);
                    value
                }
                Err(error) => {
                    self.troubles.borrow_mut().push(error);
                    Json::Null
                }
            },
        }
    }

    fn secret(&self, name: &str) -> Json {
        match self.host.secret_value(name) {
            Ok(value) => {
                self.seen.borrow_mut().push(value.clone());
                Json::String(value)
            }
            Err(error) => {
                self.troubles.borrow_mut().push(error);
                Json::Null
            }
        }
    }
}

/// Variables of the caller that every task gets.
const ALLOWED: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TZ",
    "TERM",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
];

/// Renders a task.
///
/// # Errors
/// When a secret can't be had, or a template can't be rendered.
pub(super) fn rendered(host: &Host, board: &Board<'_>, task: &Task) -> Result<Rendered, Unprepared> {
    let reads = scope::reads_with_undo(task);
    let real = Real { host, seen: RefCell::default(), troubles: RefCell::default() };
    let scope = scope::scope(board, task, &reads, &real);
    if let Some(trouble) = real.troubles.borrow().first() {
        return Err(Unprepared::new(trouble.clone()).hint("see `[secrets]` in `infra.toml`"));
    }
    for maker in makers_of_secret_files(board, task) {
        scope::scope(board, maker, &scope::reads(maker), &real);
        if let Some(trouble) = real.troubles.borrow().first() {
            let message =
                format!("a file that `{}` makes holds secrets, which cannot be masked here: {trouble}", maker.name);
            return Err(Unprepared::new(message).hint("see `[secrets]` in `infra.toml`"));
        }
    }
    let broken = |error: template::RenderError| Unprepared { message: error.message, hint: error.help, exit: 1 };
    let mut table = Table::new();
    for (key, tree) in &task.action.table {
        table.insert(key.clone(), template::render_tree(tree, &scope).map_err(broken)?);
    }
    if task.action.kind == KindName::Template {
        render_files(host, &mut table, &scope)?;
    }
    let mut declared = BTreeMap::new();
    for (name, text) in &task.env {
        declared.insert(name.clone(), template::render_text(text, &scope).map_err(broken)?);
    }
    let mut undo = Vec::new();
    for argv in &task.undo {
        let words: Result<Vec<String>, _> = argv.iter().map(|text| template::render_text(text, &scope)).collect();
        undo.push(words.map_err(broken)?);
    }
    let masks = Arc::new(Masks::new(&real.seen.take()));
    Ok(Rendered { table, declared, undo, masks })
}

/// Tasks that make files with secrets which a task reads: what its tools say of them must be masked, too.
fn makers_of_secret_files<'a>(board: &Board<'a>, task: &Task) -> Vec<&'a Task> {
    let mut makers: Vec<&Task> = Vec::new();
    for input in &task.inputs {
        let Input::Artifact { from, output, .. } = input else { continue };
        let maker = board.project.task(*from);
        let is_secret = maker.outputs.iter().any(|one| one.path == *output && one.keep == Keep::Secret);
        if is_secret && !makers.iter().any(|other| other.id == maker.id) {
            makers.push(maker);
        }
    }
    makers
}

/// What a task's processes get of the caller's environment, and of the project's.
pub(super) fn surroundings(host: &Host, env_name: &str, task: Option<&Task>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, value) in &host.caller_env {
        if ALLOWED.contains(&name.as_str()) || name.starts_with("LC_") || name == "all_proxy" {
            env.insert(name.clone(), value.clone());
        }
    }
    env.insert("PATH".to_owned(), host.search_path());
    let pure = task.is_some_and(|task| task.effect == Effect::Pure);
    if pure {
        env.retain(|name, _| name != "LANG" && name != "TZ" && !name.starts_with("LC_"));
        env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
        env.insert("TZ".to_owned(), "UTC".to_owned());
    } else {
        env.insert("INFRA_ENV".to_owned(), env_name.to_owned());
    }
    if let Some(task) = task {
        for name in &task.pass_env {
            if let Some(value) = host.passed(name) {
                env.insert(name.clone(), value);
            }
        }
    }
    env
}

fn render_files(host: &Host, table: &mut Table, scope: &Scope) -> Result<(), Unprepared> {
    let render = |file: &mut serde_json::Map<String, Json>| -> Result<(), Unprepared> {
        let from = file.get("from").and_then(Json::as_str).unwrap_or("").to_owned();
        let extra = file.get("vars").cloned().unwrap_or(Json::Null);
        let text = template::render_file(from.as_str().into(), &host.disk, scope, &extra).map_err(|error| {
            let place = error.place.as_ref().map(|place| format!(" ({})", host.declared(place)));
            Unprepared {
                message: format!("`{from}` cannot be rendered: {}{}", error.message, place.unwrap_or_default()),
                hint: error.help,
                exit: 1,
            }
        })?;
        file.insert("content".to_owned(), Json::String(text));
        if !file.contains_key("mode")
            && let Some(mode) = host.mode_of(from.as_str().into())
        {
            file.insert("mode".to_owned(), Json::String(format!("{mode:o}")));
        }
        Ok(())
    };
    match table.get_mut("files") {
        Some(Json::Array(items)) => items.iter_mut().filter_map(Json::as_object_mut).try_for_each(render),
        Some(Json::Object(one)) => render(one),
        _ => Ok(()),
    }
}
