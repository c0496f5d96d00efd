//! Owns the declared tasks of all files: their names and the check of their keys.
//! Does not know environments beyond their names.

use crate::kind::shape::{KeySpec, Shape, When};
use crate::kind::{self, Kind};
use crate::manifest::check::Checker;
use crate::manifest::keys;
use crate::manifest::node::{Entry, Node, Source, Syntax};
use crate::model::action::KindName;
use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::name::{DESTROY, is_plain_name};
use crate::model::value::ValueType;
use std::collections::BTreeMap;

/// One `[task.NAME]`.
#[derive(Clone, Debug)]
pub(super) struct TaskDeclared<'a> {
    /// Full name: with that of the included project, if any.
    pub(super) name: String,
    /// Name of the included project; empty for the project itself.
    pub(super) home: &'a str,
    pub(super) source: &'a Source,
    pub(super) place: Place,
    pub(super) node: &'a Node,
}

impl TaskDeclared<'_> {
    /// Whether its file is no valid TOML: then its name counts, and nothing else.
    pub(super) fn is_broken(&self) -> bool {
        self.source.syntax == Syntax::Broken
    }
}

/// Collects the tasks of all files, each file with the name of its included project. `env_names` is
/// `None` when they are not known because `infra.toml` is broken.
pub(super) fn collect<'a>(
    files: &'a [(String, Source)],
    env_names: Option<&[String]>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<TaskDeclared<'a>> {
    let mut tasks: Vec<TaskDeclared<'a>> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (home, source) in files {
        let mut ignored = Vec::new();
        let is_broken = source.syntax == Syntax::Broken;
        let mut check = Checker { source, problems: if is_broken { &mut ignored } else { &mut *problems } };
        for section in source.root.entries() {
            if section.key != "task" {
                unknown_section(&mut check, section);
                continue;
            }
            if !section.node.is_table() {
                let message = format!("`task` must be a table of tasks, found {}", section.node.describe());
                check.fail("wrong-type", &section.node.span, message, Some("write `[task.NAME]`".to_owned()));
            }
            for entry in section.node.entries() {
                let place = source.at(&entry.key_span);
                if !entry.node.is_table() {
                    let message = format!("task `{}` must be a table, found {}", entry.key, entry.node.describe());
                    check.fail("wrong-type", &entry.node.span, message, None);
                    continue;
                }
                if !is_plain_name(&entry.key) {
                    let help = "a letter or digit first, then letters, digits, `-`, `_` and `.`".to_owned();
                    check.fail("bad-name", &entry.key_span, format!("`{}` can't name a task", entry.key), Some(help));
                }
                if home.is_empty() && entry.key == DESTROY {
                    let message = format!("`{DESTROY}` is what `infra destroy` is recorded as, and can't name a task");
                    let help = "call it `teardown`, say, or leave it to `infra destroy`".to_owned();
                    check.fail("bad-name", &entry.key_span, message, Some(help));
                }
                let name = if home.is_empty() { entry.key.clone() } else { format!("{home}/{}", entry.key) };
                check_task(&mut check, &name, &entry.node, env_names);
                match seen.get(&name) {
                    Some(first) => {
                        let help = tasks
                            .get(*first)
                            .map(|first| format!("it is also declared in {}", line(&first.place, first.source)));
                        check.fail("duplicate-task", &entry.key_span, format!("task `{name}` is declared twice"), help);
                    }
                    None => {
                        seen.insert(name.clone(), tasks.len());
                        tasks.push(TaskDeclared { name, home, source, place, node: &entry.node });
                    }
                }
            }
        }
    }
    tasks
}

/// A place for a sentence: `tasks/a.toml:3`.
pub(super) fn line(place: &Place, source: &Source) -> String {
    let line = source.text.get(..place.span.start).map_or(0, |before| before.matches('\n').count()) + 1;
    format!("`{}:{line}`", place.file)
}

fn unknown_section(check: &mut Checker<'_>, section: &Entry) {
    let what = format!("`{}`", check.source.path);
    let help = if keys::SECTIONS.iter().any(|(name, _)| *name == section.key) {
        format!("`[{}]` belongs in `infra.toml`", section.key)
    } else if section.node.is_table() && nearest(&section.key, ["task"]).is_none() {
        format!("a task is written `[task.{}]`", section.key)
    } else {
        "did you mean `task`?".to_owned()
    };
    check.fail("unknown-key", &section.key_span, format!("unknown key `{}` in {what}", section.key), Some(help));
}

/// What an action key takes, as a key of a task.
pub(super) fn action_spec(kind: &'static dyn Kind) -> KeySpec {
    let specs = kind.keys();
    let shape = match specs {
        [only] if matches!(only.shape, Shape::Argvs | Shape::Texts | Shape::Tables(_)) => only.shape,
        _ => Shape::Table(specs),
    };
    KeySpec::new(kind.name().word(), shape, When::Start, "What the task does.")
}

/// Whether the action's value is a table of its kind's keys, not the short form.
pub(super) fn is_long_form(kind: &dyn Kind, node: &Node) -> bool {
    matches!(action_shape(kind), Shape::Table(_)) && node.is_table()
}

fn action_shape(kind: &dyn Kind) -> Shape {
    match kind.keys() {
        [only] if matches!(only.shape, Shape::Argvs | Shape::Texts | Shape::Tables(_)) => only.shape,
        specs => Shape::Table(specs),
    }
}

fn known_keys() -> impl Iterator<Item = &'static str> + Clone {
    KindName::ALL.into_iter().map(KindName::word).chain(keys::TASK.iter().map(|spec| spec.name))
}

fn check_task(check: &mut Checker<'_>, name: &str, node: &Node, env_names: Option<&[String]>) {
    let what = format!("task `{name}`");
    check_keys(check, &what, node);
    if let Some(envs) = node.get("envs") {
        for env in envs.items().unwrap_or(std::slice::from_ref(envs)) {
            if let Some(text) = env.text() {
                check_env(check, text, &env.span, "envs", env_names);
            }
        }
    }
    let Some(overrides) = node.get("override") else { return };
    if !overrides.is_table() {
        let message = format!("`override` must be a table, found {}", overrides.describe());
        return check.fail("wrong-type", &overrides.span, message, None);
    }
    for entry in overrides.entries() {
        check_env(check, &entry.key, &entry.key_span, "override", env_names);
        let what = format!("`override.{}` of task `{name}`", entry.key);
        check_keys(check, &what, &entry.node);
        for key in ["override", "envs", "was"] {
            if let Some(inner) = entry.node.entry(key) {
                check.fail("unknown-key", &inner.key_span, format!("{what} can't hold `{key}`"), None);
            }
        }
    }
}

fn check_env(
    check: &mut Checker<'_>,
    env: &str,
    span: &std::ops::Range<usize>,
    key: &str,
    env_names: Option<&[String]>,
) {
    let Some(env_names) = env_names.filter(|names| !names.iter().any(|name| name == env)) else { return };
    let help = nearest(env, env_names.iter().map(String::as_str)).map_or_else(
        || format!("declare it as `[env.{env}]` in `infra.toml`"),
        |near| format!("did you mean `{near}`?"),
    );
    check.fail("unknown-environment", span, format!("unknown environment `{env}` in `{key}`"), Some(help));
}

fn check_keys(check: &mut Checker<'_>, what: &str, node: &Node) {
    for entry in node.entries() {
        if let Some(spec) = keys::TASK.iter().find(|spec| spec.name == entry.key) {
            check.value(spec.name, &entry.node, spec.shape);
        } else if let Some(name) = KindName::parse(&entry.key) {
            check_action(check, kind::find(name), &entry.node);
        } else {
            check.unknown_key(what, entry, known_keys());
        }
    }
    check_exports(check, node);
    check_probes(check, node);
}

fn check_action(check: &mut Checker<'_>, kind: &'static dyn Kind, node: &Node) {
    let word = kind.name().word();
    if is_long_form(kind, node) {
        return check.table(&format!("`{word}`"), node, kind.keys());
    }
    let shape = match action_shape(kind) {
        Shape::Table(specs) => {
            specs.iter().find(|spec| spec.name == kind.short_key()).map_or(Shape::Tree, |spec| spec.shape)
        }
        shape => shape,
    };
    check.value(word, node, shape);
}

fn check_exports(check: &mut Checker<'_>, node: &Node) {
    for entry in node.get("exports").into_iter().flat_map(Node::entries) {
        let Some(text) = entry.node.text() else { continue };
        if ValueType::parse(text).is_none() {
            let help = nearest_type(text).map_or_else(
                || format!("write one of {}", ValueType::WORDS.map(crate::manifest::ticked).join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            check.fail("bad-type", &entry.node.span, format!("unknown type `{text}`"), Some(help));
        }
    }
}

/// `lst<it>` was probably meant to be `list<ip>`.
fn nearest_type(text: &str) -> Option<String> {
    let words = ValueType::WORDS.into_iter().filter_map(|word| word.split('<').next());
    match text.split_once('<') {
        None => nearest(text, words).filter(|near| ValueType::parse(near).is_some()).map(str::to_owned),
        Some((outer, inner)) => {
            let inner = inner.trim_end_matches('>');
            let inner = if ValueType::parse(inner).is_some() { Some(inner.to_owned()) } else { nearest_type(inner) };
            let guess = format!("{}<{}>", nearest(outer, words)?, inner?);
            ValueType::parse(&guess).map(|_| guess)
        }
    }
}

/// A probe, and each thing to wait for, is exactly one check.
fn check_probes(check: &mut Checker<'_>, node: &Node) {
    for (key, words) in [("probe", &["exec", "tcp", "http", "kind"][..]), ("ready", &["exec", "tcp", "http"][..])] {
        let Some(value) = node.get(key) else { continue };
        for table in value.items().unwrap_or(std::slice::from_ref(value)).iter().filter(|table| table.is_table()) {
            if words.iter().filter(|word| table.get(word).is_some()).count() != 1 {
                let words = words.iter().map(|word| crate::manifest::ticked(word)).collect::<Vec<_>>().join(", ");
                check.fail("bad-value", &table.span, format!("`{key}` must have one of {words}"), None);
            }
        }
    }
    if let Some(own) = node.get("probe").and_then(|probe| probe.entry("kind")) {
        let help = Some("write `exec`, `tcp` or `http`".to_owned());
        let kind = kind::KINDS.iter().find(|kind| node.get(kind.name().word()).is_some());
        if let Some(kind) = kind.filter(|kind| !kind.has_probe()) {
            let message = format!("the kind `{}` has no probe of its own", kind.name().word());
            check.fail("bad-value", &own.key_span, message, help);
        } else if own.node.flag() == Some(false) {
            check.fail(
                "bad-value",
                &own.node.span,
                "`kind` says that the kind's own probe is asked: `true`".to_owned(),
                help,
            );
        }
    }
    let backoff = node.get("retry").and_then(|retry| retry.get("backoff"));
    if let Some((node, text)) = backoff.and_then(|node| Some((node, node.text()?)))
        && crate::manifest::duration::parse_range(text).is_none()
    {
        let help = "write the first and the longest pause, `5s..60s`, or one pause".to_owned();
        check.fail("bad-duration", &node.span, format!("`{text}` is no pause"), Some(help));
    }
}
