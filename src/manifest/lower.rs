//! Owns how a task's keys become the model's task, as far as the task alone tells.
//! Does not know the other tasks (`link.rs`).

use crate::kind::Table;
use crate::manifest::action;
use crate::manifest::expand::{Draft, Surroundings};
use crate::manifest::frame::{Frame, May, Placed};
use crate::manifest::node::{Node, Value};
use crate::manifest::{duration, ticked};
use crate::model::action::{Action, KindName};
use crate::model::diagnostic::{Diagnostic, Place};
use crate::model::effect::Effect;
use crate::model::name::{TaskId, TaskName, is_plain_name};
use crate::model::task::{OnFailure, Probe, ProbeCheck, Ready, Retry, Task, Terminal, WatchMay};
use crate::model::text::{Text, Tree};
use crate::model::value::ValueType;
use camino::Utf8PathBuf;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A task whose names of other tasks and paths are still words.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) task: Task,
    /// Name of the included project that it belongs to.
    pub(super) home: String,
    pub(super) needs: Vec<Placed>,
    pub(super) after: Vec<Placed>,
    pub(super) undo_of: Vec<Placed>,
    pub(super) inputs: Vec<Placed>,
    pub(super) outputs: Vec<Placed>,
    pub(super) in_place: Vec<Placed>,
    /// The kind's table, as far as it is known before anything ran.
    pub(super) table: Table,
    /// Where the action stands.
    pub(super) action_place: Place,
    /// Where the names of template files stand, in order.
    pub(super) from_places: Vec<Place>,
    pub(super) pool_place: Option<Place>,
    /// Where the former names stand.
    /// Former names as they are written.
    pub(super) was: Vec<(String, Place)>,
}

/// Lowers a task.
pub(super) fn lower(
    draft: &Draft<'_>,
    id: TaskId,
    around: &Surroundings<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Lowered {
    let frame = draft.frame(around);
    let node: &Node = &draft.node;
    let what = format!("task `{}`", draft.name);
    let found = action::find(&what, node, &frame, &draft.declared.place, problems);
    let kind = found.as_ref().map_or(KindName::Run, |found| found.kind.name());
    let action_table = found.as_ref().map(|found| action::table(found, &frame, problems)).unwrap_or_default();
    let mut known = action::known(&action_table);
    let dir =
        frame.text(node, "dir", problems).and_then(|(dir, place)| folder(&dir, &place, problems)).unwrap_or_default();
    known.entry("dir".to_owned()).or_insert_with(|| Json::String(dir.to_string()));
    let mut keys = Keys { frame: &frame, node, problems };
    let effect = keys
        .word("effect")
        .and_then(|word| Effect::parse(&word))
        .unwrap_or_else(|| crate::kind::find(kind).default_effect(&known));
    let was = frame.texts(node, "was", keys.problems);
    let pool = frame.text(node, "pool", keys.problems);
    let task = Task {
        id,
        name: TaskName::new(&draft.name),
        family: TaskName::new(&draft.declared.name),
        instance: draft.instance.clone(),
        place: draft.declared.place.clone(),
        description: keys.word("description"),
        stage: keys.label("stage"),
        tags: keys.labels("tags"),
        needs: Vec::new(),
        after: Vec::new(),
        action: Action {
            kind,
            table: action_table,
            file_reads: std::collections::BTreeSet::new(),
            undoes: Vec::new(),
            subject: None,
        },
        effect,
        inputs: Vec::new(),
        outputs: Vec::new(),
        exports: keys.exports(),
        env: keys.env(),
        pass_env: keys.words("pass_env"),
        dir,
        ttl: keys.duration("ttl"),
        probe: keys.probe(),
        undo: keys.argvs("undo"),
        was: was.iter().map(|(name, _)| former(name, draft.instance.as_deref())).collect(),
        in_place: Vec::new(),
        settles: Vec::new(),
        on_failure: if keys.flag("allow_failure") { OnFailure::GoOn } else { OnFailure::Stop },
        ready: keys.ready(),
        retry: keys.retry(effect, &what),
        timeout: keys.duration("timeout"),
        grace: keys.duration("grace"),
        pool: pool.as_ref().map(|(name, _)| name.clone()),
        terminal: if keys.flag("interactive") { Terminal::Handed } else { Terminal::Ours },
        watch: if keys.flag("watch") { WatchMay::Run } else { WatchMay::Leave },
        item: draft.item.clone(),
        matrix: draft
            .matrix
            .as_object()
            .into_iter()
            .flatten()
            .map(|(axis, value)| (axis.clone(), value.clone()))
            .collect(),
    };
    if task.ttl.is_some() && effect != Effect::Read {
        keys.warn("ttl", format!("`ttl` is for `read` tasks, and {what} is `{effect}`"));
    }
    if let Some(found) = &found {
        let reads = task.action.table.values().flat_map(Tree::reads).collect();
        let place = frame.source.at(&found.entry.key_span);
        let wrong = found.kind.wrong(&known, &reads);
        problems.extend(
            wrong.into_iter().map(|message| Diagnostic::error("wrong-action", &place, format!("{what}: {message}"))),
        );
    }
    let undo_of = crate::kind::texts(&known, "tasks");
    let action_place =
        found.as_ref().map_or_else(|| draft.declared.place.clone(), |found| frame.source.at(&found.entry.key_span));
    let undo_place = found.as_ref().map_or_else(|| action_place.clone(), |found| frame.at(&found.entry.node));
    Lowered {
        home: draft.declared.home.to_owned(),
        needs: frame.texts(node, "needs", problems),
        after: frame.texts(node, "after", problems),
        undo_of: if kind == KindName::UndoOf {
            undo_of.into_iter().map(|name| (name, undo_place.clone())).collect()
        } else {
            Vec::new()
        },
        inputs: frame.texts(node, "inputs", problems),
        outputs: frame.texts(node, "outputs", problems),
        in_place: frame.texts(node, "in_place", problems),
        table: known,
        action_place,
        from_places: found.as_ref().map(|found| from_places(&found.entry.node, &frame)).unwrap_or_default(),
        pool_place: pool.map(|(_, place)| place),
        was,
        task,
    }
}

/// Former name of an instance: a renamed family keeps its keys. One with a key of its own means that one.
fn former(name: &str, instance: Option<&str>) -> String {
    match instance {
        Some(key) if !name.contains('[') => format!("{name}[{key}]"),
        _ => name.to_owned(),
    }
}

fn from_places(action: &Node, frame: &Frame<'_>) -> Vec<Place> {
    let files = action.items().unwrap_or(std::slice::from_ref(action));
    files.iter().map(|file| frame.at(file.get("from").unwrap_or(file))).collect()
}

/// A folder relative to the root.
fn folder(text: &str, place: &Place, problems: &mut Vec<Diagnostic>) -> Option<Utf8PathBuf> {
    match crate::manifest::path::tidy(text) {
        Ok(path) => Some(path),
        Err(why) => {
            problems.push(
                Diagnostic::error("bad-path", place, format!("`{text}` {why}")).help(crate::manifest::path::HELP),
            );
            None
        }
    }
}

/// Reads the keys of one task. What is of a wrong type was reported when the file was checked.
struct Keys<'a, 'b> {
    frame: &'b Frame<'a>,
    node: &'b Node,
    problems: &'b mut Vec<Diagnostic>,
}

impl Keys<'_, '_> {
    fn warn(&mut self, key: &str, message: String) {
        if let Some(entry) = self.node.entry(key) {
            self.problems.push(Diagnostic::warning("unused-key", &self.frame.source.at(&entry.key_span), message));
        }
    }

    fn word(&mut self, key: &str) -> Option<String> {
        self.frame.text(self.node, key, self.problems).map(|(text, _)| text)
    }

    fn words(&mut self, key: &str) -> Vec<String> {
        self.frame.texts(self.node, key, self.problems).into_iter().map(|(text, _)| text).collect()
    }

    fn label(&mut self, key: &str) -> Option<String> {
        let label = self.frame.text(self.node, key, self.problems);
        label.and_then(|(text, place)| self.plain(key, text, &place))
    }

    fn labels(&mut self, key: &str) -> Vec<String> {
        let labels = self.frame.texts(self.node, key, self.problems);
        labels.into_iter().filter_map(|(text, place)| self.plain(key, text, &place)).collect()
    }

    fn plain(&mut self, key: &str, text: String, place: &Place) -> Option<String> {
        if is_plain_name(&text) {
            return Some(text);
        }
        let help = "a letter or digit first, then letters, digits, `-`, `_` and `.`";
        self.problems
            .push(Diagnostic::error("bad-name", place, format!("`{text}` can't be in {}", ticked(key))).help(help));
        None
    }

    fn flag(&mut self, key: &str) -> bool {
        let node = self.node.get(key);
        node.and_then(|node| self.frame.value(node, key, self.problems))
            .and_then(|value| value.as_bool())
            .unwrap_or(false)
    }

    fn duration(&mut self, key: &str) -> Option<Duration> {
        self.node.get(key)?.text()?;
        let (text, place) = self.frame.text(self.node, key, self.problems)?;
        let parsed = duration::parse(&text);
        // What is written out was checked with the file.
        if parsed.is_none() {
            self.problems.push(
                Diagnostic::error("bad-duration", &place, format!("`{text}` is no duration")).help(duration::HELP),
            );
        }
        parsed
    }

    fn exports(&mut self) -> BTreeMap<String, ValueType> {
        let entries = self.node.get("exports").into_iter().flat_map(Node::entries);
        entries.filter_map(|entry| Some((entry.key.clone(), ValueType::parse(entry.node.text()?)?))).collect()
    }

    fn env(&mut self) -> BTreeMap<String, Text> {
        let mut env = BTreeMap::new();
        for entry in self.node.get("env").into_iter().flat_map(Node::entries) {
            let text = match &entry.node.value {
                Value::Text { .. } => self.frame.template(&entry.node, "env", May::Secrets, self.problems),
                Value::Int(_) | Value::Float(_) | Value::Bool(_) => Some(Text::plain(entry.node.json().to_string())),
                _ => None,
            };
            if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
                let message = format!("`{}` can't name an environment variable", entry.key);
                self.problems.push(Diagnostic::error("bad-name", &self.frame.source.at(&entry.key_span), message));
            }
            env.extend(text.map(|text| (entry.key.clone(), text)));
        }
        env
    }

    fn late(&mut self, node: &Node, key: &str, may: May) -> Option<Text> {
        match &node.value {
            Value::Text { .. } => self.frame.template(node, key, may, self.problems),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => Some(Text::plain(node.json().to_string())),
            _ => None,
        }
    }

    fn argv(&mut self, node: &Node, key: &str, may: May) -> Vec<Text> {
        let words = node.items().unwrap_or(std::slice::from_ref(node));
        words.iter().filter_map(|word| self.late(word, key, may)).collect()
    }

    fn argvs(&mut self, key: &str) -> Vec<Vec<Text>> {
        let Some(node) = self.node.get(key) else { return Vec::new() };
        match node.items() {
            Some(items) if items.iter().all(|item| item.items().is_some()) => {
                items.iter().map(|item| self.argv(item, key, May::Values)).collect()
            }
            _ => vec![self.argv(node, key, May::Values)],
        }
    }

    fn check(&mut self, node: &Node, key: &str) -> Option<ProbeCheck> {
        if let Some(argv) = node.get("exec") {
            return Some(ProbeCheck::Exec(self.argv(argv, key, May::Own)));
        }
        if let Some(address) = node.get("tcp") {
            return self.late(address, key, May::Own).map(ProbeCheck::Tcp);
        }
        if let Some(url) = node.get("http") {
            return self.late(url, key, May::Own).map(ProbeCheck::Http);
        }
        node.get("kind").and_then(Node::flag).filter(|own| *own).map(|_| ProbeCheck::Kind)
    }

    fn probe(&mut self) -> Option<Probe> {
        let entry = self.node.entry("probe")?;
        let check = self.check(&entry.node, "probe")?;
        let ttl = entry.node.get("ttl").and_then(Node::text).and_then(duration::parse);
        Some(Probe { check, ttl, place: self.frame.source.at(&entry.key_span) })
    }

    fn ready(&mut self) -> Vec<Ready> {
        const WITHIN: Duration = Duration::from_secs(300);
        let Some(node) = self.node.get("ready") else { return Vec::new() };
        let mut all = Vec::new();
        for table in node.items().unwrap_or(std::slice::from_ref(node)) {
            let within = table.get("within").and_then(Node::text).and_then(duration::parse).unwrap_or(WITHIN);
            all.extend(self.check(table, "ready").map(|check| Ready { check, within }));
        }
        all
    }

    fn retry(&mut self, effect: Effect, what: &str) -> Option<Retry> {
        const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
        let entry = self.node.entry("retry")?;
        if effect == Effect::Once {
            let message = format!("{what} is `once`: it must not be tried again blindly");
            let place = self.frame.source.at(&entry.key_span);
            self.problems.push(Diagnostic::error("retry-of-once", &place, message).help("take `retry` away"));
        }
        let Some(max) = entry.node.get("max") else {
            if entry.node.is_table() {
                let place = self.frame.source.at(&entry.key_span);
                let problem = Diagnostic::error("missing-key", &place, "`retry` lacks the key `max`");
                self.problems.push(problem.help("`max` is the number of tries after the first"));
            }
            return None;
        };
        Some(Retry {
            max: max.int().and_then(|max| u32::try_from(max).ok()).unwrap_or(0),
            backoff: entry.node.get("backoff").and_then(Node::text).and_then(duration::parse_range).unwrap_or(BACKOFF),
            when: crate::manifest::settings::texts(entry.node.get("when")),
        })
    }
}
