//! Owns template text as the user wrote it, with what it reads and where it stands.
//! Does not know how it is rendered (`template.rs`).

use crate::model::diagnostic::Place;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One thing that a template reads, plain from its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    /// `vars.NAME`.
    Var(String),
    /// `vars` as a whole.
    AllVars,
    /// `env.name`.
    EnvName,
    /// `tasks.TASK.KEY`, `tasks.TASK["ITEM"].KEY`; names as templates spell them.
    TaskValue {
        /// Name of the task with `-` as `_`.
        task: String,
        /// Key of the instance, of a `foreach` task.
        item: Option<String>,
        /// Name of the export.
        key: String,
    },
    /// `out.KEY`: an own export.
    Out(String),
    /// `secrets.NAME`.
    Secret(String),
    /// `item` or something in it.
    Item,
    /// `matrix.AXIS`.
    Matrix(String),
}

/// Template text, or plain text when it reads nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// As written.
    pub source: Arc<str>,
    /// What it reads.
    pub reads: Arc<BTreeSet<Read>>,
    /// Where it stands.
    pub place: Arc<Place>,
}

impl Text {
    /// Text that is taken as it is, never rendered.
    pub fn plain(source: impl AsRef<str>) -> Self {
        Self { source: Arc::from(source.as_ref()), reads: Arc::default(), place: Arc::default() }
    }

    /// Whether it must be rendered at all.
    pub fn is_template(&self) -> bool {
        has_template(&self.source)
    }
}

/// Whether text holds template syntax.
pub fn has_template(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// A TOML value whose text may be templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Text, perhaps a template.
    Text(Text),
    /// A number, bool or null, or a value that was rendered already.
    Plain(Json),
    /// A list.
    List(Vec<Tree>),
    /// A table.
    Table(BTreeMap<String, Tree>),
}

impl Tree {
    /// Calls `see` for each text in it.
    pub fn each_text<'a>(&'a self, see: &mut dyn FnMut(&'a Text)) {
        match self {
            Self::Text(text) => see(text),
            Self::Plain(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.each_text(see)),
            Self::Table(items) => items.values().for_each(|item| item.each_text(see)),
        }
    }

    /// All that it reads.
    pub fn reads(&self) -> BTreeSet<Read> {
        let mut reads = BTreeSet::new();
        self.each_text(&mut |text| reads.extend(text.reads.iter().cloned()));
        reads
    }
}
