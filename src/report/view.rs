//! Owns the answers to questions, as data: their `Serialize` is the `--json` form (`json::document`
//! puts `"v"` before it), their pictures for people are in `tables`, `why`, `show`, `history`, `outputs`, `graph`.
//! Does not know how the answers were found.

use crate::model::effect::{Effect, State};
use crate::model::graph::Edge;
use crate::model::manifest::EntryKey;
use crate::model::reason::Reason;
use serde::Serialize;

mod doctor;
mod kept;
mod past;
mod shown;

pub use doctor::{Area, DoctorView, FindingView, Mark};
pub use kept::{
    ArtifactShownView, ArtifactsView, CleanView, CopiedView, DroppedOneView, DroppedView, GotView, KeptView, MakerView,
};
pub use past::{
    ArtifactView, AttemptView, CountView, HistoryView, KeyView, LogView, LogsView, MadeView, OutputsView, ResolvedView,
    RunView, ValueView,
};
pub use shown::{InputOrigin, InputView, NeighbourView, OutputView, ReadsView, SettingsView, ShowView};

/// `infra status`.
#[derive(Clone, Debug, Serialize)]
pub struct StatusView {
    pub env: String,
    /// In the order of the graph, orphans last.
    pub tasks: Vec<TaskView>,
}

/// One task of `status`.
#[derive(Clone, Debug, Serialize)]
pub struct TaskView {
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
    pub state: State,
    pub reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Since the end of its last good run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<i64>,
    /// The run in which it last ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typical_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeView>,
}

/// The last answer of a probe.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeView {
    /// Absent when it could not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agrees: Option<bool>,
    pub age_seconds: i64,
    pub message: String,
}

/// `infra plan` and `infra run --dry-run`.
#[derive(Clone, Debug, Serialize)]
pub struct PlanView {
    pub env: String,
    pub targets: Vec<String>,
    /// In the order in which they would be considered.
    pub tasks: Vec<PlannedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_seconds: Option<f64>,
}

/// One task of `plan`.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedView {
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
    pub state: State,
    pub action: PlanAction,
    pub reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typical_seconds: Option<f64>,
}

/// What a run would do with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanAction {
    /// It would run.
    Run,
    /// Its artifacts would be put back.
    Restore,
    /// Decided when what it waits for is known.
    Deferred,
    /// Nothing: its record is believed.
    Keep,
    /// Left out on request.
    Skip,
    /// Refused until a person resolves it.
    Refuse,
}

impl PlanAction {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 6] = [Self::Run, Self::Restore, Self::Deferred, Self::Refuse, Self::Keep, Self::Skip];

    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Restore => "restore",
            Self::Deferred => "deferred",
            Self::Keep => "keep",
            Self::Skip => "skip",
            Self::Refuse => "refuse",
        }
    }
}

/// `infra why TASK`.
#[derive(Clone, Debug, Serialize)]
pub struct WhyView {
    pub env: String,
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
    pub state: State,
    /// `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
    pub reasons: Vec<WhyReason>,
    pub unchanged: Unchanged,
    /// Options of the question that the next command must repeat.
    #[serde(skip)]
    pub again: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeView>,
}

/// The run in which a task last ended well.
#[derive(Clone, Debug, Serialize)]
pub struct LastGood {
    pub run: i64,
    pub attempt: i64,
    pub age_seconds: i64,
    pub seconds: f64,
    /// Why it ran then.
    pub reasons: Vec<Reason>,
}

/// A reason and, where something upstream is behind it, why that ran.
#[derive(Clone, Debug, Serialize)]
pub struct WhyReason {
    #[serde(flatten)]
    pub reason: Reason,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Because>,
}

/// A task upstream that ran, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Because {
    pub task: String,
    pub run: i64,
    pub reasons: Vec<Reason>,
}

/// Numbers of inputs that are as they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unchanged {
    pub files: usize,
    pub values: usize,
    pub upstreams: usize,
    pub variables: usize,
    pub environment: usize,
    pub secrets: usize,
    pub tools: usize,
    pub settings: usize,
}

impl Unchanged {
    /// Counts manifest entries that are as they were.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a EntryKey>) -> Self {
        let mut unchanged = Self::default();
        for key in keys {
            *match key {
                EntryKey::Field { .. } => &mut unchanged.settings,
                EntryKey::Var { .. } => &mut unchanged.variables,
                EntryKey::Env { .. } => &mut unchanged.environment,
                EntryKey::Secret { .. } => &mut unchanged.secrets,
                EntryKey::Tool { .. } | EntryKey::Program { .. } => &mut unchanged.tools,
                EntryKey::Path { .. } | EntryKey::Artifact { .. } => &mut unchanged.files,
                EntryKey::Value { .. } => &mut unchanged.values,
                EntryKey::Upstream { .. } => &mut unchanged.upstreams,
            } += 1;
        }
        unchanged
    }
}

/// `infra list`.
#[derive(Clone, Debug, Serialize)]
pub struct ListView {
    pub env: String,
    pub tasks: Vec<ListedView>,
}

/// One task of `list`.
#[derive(Clone, Debug, Serialize)]
pub struct ListedView {
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub needs: Vec<String>,
    pub after: Vec<String>,
    /// `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
}

/// `infra graph`.
#[derive(Clone, Debug, Serialize)]
pub struct GraphView {
    pub env: String,
    /// Upstream before downstream.
    pub nodes: Vec<NodeView>,
    pub edges: Vec<EdgeView>,
}

/// One task of `graph`.
#[derive(Clone, Debug, Serialize)]
pub struct NodeView {
    pub name: String,
    pub stage: Option<String>,
    pub kind: String,
    pub effect: Effect,
}

/// One edge of `graph`.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeView {
    /// Upstream.
    pub from: String,
    /// Downstream.
    pub to: String,
    pub carries: Carries,
}

/// What an edge carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Order and what upstream made.
    Needs,
    /// A value or an artifact that is read.
    Reads,
    /// Order only.
    After,
}

impl Carries {
    /// The word for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Needs => "needs",
            Self::Reads => "reads",
            Self::After => "after",
        }
    }
}

impl From<Edge> for Carries {
    fn from(edge: Edge) -> Self {
        match edge {
            Edge::Needs => Self::Needs,
            Edge::Reads => Self::Reads,
            Edge::After => Self::After,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::document;

    #[test]
    fn status_is_the_documented_document() {
        let task = TaskView {
            name: "provision".to_owned(),
            stage: None,
            kind: "terraform".to_owned(),
            effect: Effect::Idempotent,
            state: State::Stale,
            reasons: vec![Reason::InputAdded { path: "a.tf".to_owned() }],
            description: None,
            age_seconds: Some(60),
            last_run: Some(41),
            typical_seconds: None,
            probe: None,
        };
        assert_eq!(
            document(&StatusView { env: "local".to_owned(), tasks: vec![task] }),
            r#"{"v":1,"env":"local","tasks":[{"name":"provision","stage":null,"kind":"terraform","effect":"idempotent","state":"stale","reasons":[{"kind":"input-added","path":"a.tf"}],"age_seconds":60,"last_run":41}]}"#
        );
    }

    #[test]
    fn a_reason_of_why_stays_one_object() {
        let because = vec![Because { task: "a".to_owned(), run: 3, reasons: vec![Reason::Forced] }];
        let one = WhyReason { reason: Reason::UpstreamChanged { task: "a".to_owned(), run: Some(3) }, because };
        assert_eq!(
            serde_json::to_string(&one).unwrap(),
            r#"{"kind":"upstream-changed","task":"a","run":3,"because":[{"task":"a","run":3,"reasons":[{"kind":"forced"}]}]}"#
        );
        let none = WhyReason { reason: Reason::NeverRan, because: vec![] };
        assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"kind":"never-ran"}"#);
    }

    #[test]
    fn words_are_those_of_json() {
        for action in PlanAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.word());
        }
    }

    #[test]
    fn every_kind_of_entry_is_counted() {
        let name = || "x".to_owned();
        let keys = [
            EntryKey::Path { path: name() },
            EntryKey::Artifact { task: name(), path: name() },
            EntryKey::Tool { name: name() },
            EntryKey::Upstream { task: name() },
        ];
        assert_eq!(Unchanged::of(&keys), Unchanged { files: 2, tools: 1, upstreams: 1, ..Unchanged::default() });
    }
}
