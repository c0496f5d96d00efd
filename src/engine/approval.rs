//! Owns when a person must agree before the world is changed, and what they are told of the change.
//! Does not know how they are asked (`request::Approver`).

use crate::engine::attempt::Interrupted;
use crate::engine::dispatch::Engine;
use crate::engine::request::Approval;
use crate::engine::state::Stop;
use crate::kind;
use crate::kind::machine::{Change, Step, Trouble, TroubleKind};
use crate::model::environment::Approve;
use crate::model::name::{TaskId, TaskKey};
use std::time::Instant;

/// What of an attempt's change a person agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreed {
    Nothing,
    /// All that it is known to do.
    Whole,
    /// Of an undo, what the tool said of this target alone.
    Target(TaskKey),
}

impl Engine<'_> {
    /// Asks a person, when the environment's policy says so.
    pub(super) fn ask_approval(&mut self, id: TaskId, change: &Change) -> Result<(), Trouble> {
        let needed = match self.project.env.approve {
            Approve::Never => false,
            Approve::OnDestroy => !change.destroys.is_empty(),
            Approve::OnChange | Approve::Always => true,
        };
        if !needed || self.was_approved(id, change) {
            return Ok(());
        }
        let whole = if change.is_blind { self.whole_undo(id) } else { None };
        let change = whole.as_ref().unwrap_or(change);
        let task = self.project.task(id).name.to_string();
        let env = self.project.env.name.to_string();
        let (message, hint) = match self.approver.approve(&task, &env, change) {
            Approval::Yes => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.agreed = match (&live.undo, live.agreed) {
                        (Some(undo), Agreed::Nothing | Agreed::Target(_)) if !change.is_blind => {
                            undo.current_key().map_or(Agreed::Nothing, Agreed::Target)
                        }
                        _ => Agreed::Whole,
                    };
                }
                return Ok(());
            }
            Approval::Interrupted => {
                self.stop = self.stop.max(Stop::Starting);
                if let Some(live) = self.live.get_mut(&id) {
                    live.interrupted = Some((Interrupted::User, Instant::now()));
                }
                ("interrupted".to_owned(), None)
            }
            Approval::No => ("the change was not approved".to_owned() + self.changed_so_far(id), None),
            Approval::Nobody => (
                format!(
                    "environment `{env}` wants approval before `{task}` changes it ({}), and nobody can be asked here",
                    change.summary
                ),
                Some("run it on a terminal, or with `--yes`".to_owned()),
            ),
        };
        Err(Trouble { message, hint, kind: TroubleKind::Refused, ..Trouble::default() })
    }

    /// Whether the attempt's change was agreed to. An undo is agreed to as a whole, before it is known what one of its
    /// targets will destroy: where a tool can tell, that is asked again.
    fn was_approved(&self, id: TaskId, change: &Change) -> bool {
        let Some(live) = self.live.get(&id) else { return false };
        match (&live.undo, live.agreed) {
            (_, Agreed::Nothing) => false,
            (None, _) => true,
            (Some(_), Agreed::Whole) => change.is_blind,
            (Some(undo), Agreed::Target(key)) => change.is_blind && undo.current_key() == Some(key),
        }
    }

    fn changed_so_far(&self, id: TaskId) -> &'static str {
        let began = self.live.get(&id).is_some_and(|live| live.began.is_some());
        if began { "; what was changed before that stays so" } else { "; nothing was changed" }
    }

    /// All that an undo takes back from here on, where the attempt is one.
    fn whole_undo(&self, id: TaskId) -> Option<Change> {
        let names = self.live.get(&id)?.undo.as_ref()?.names_ahead();
        let summary = format!("takes back {}", names.join(", "));
        Some(Change { summary, destroys: names, is_blind: true, ..Change::default() })
    }

    /// A change of which nothing is known but what will be run.
    pub(super) fn blind_change(&self, id: TaskId, step: &Step) -> Change {
        let Some(live) = self.live.get(&id) else { return Change::default() };
        if let Some(whole) = self.whole_undo(id) {
            return whole;
        }
        let kind = kind::find(self.project.task(id).action.kind);
        let mask = |line: &String| live.masks.mask(line);
        let mut runs: Vec<String> = kind.runs(&live.job.table).iter().map(mask).collect();
        if runs.is_empty() {
            runs.push(mask(&step.argv.join(" ")));
        }
        let destroys = kind.destroys(&live.job.table).iter().map(mask).collect();
        let (summary, runs) = match runs.as_slice() {
            [line] => (format!("runs `{line}`"), Vec::new()),
            lines => (format!("runs {} lines", lines.len()), runs),
        };
        Change { summary, destroys, runs, is_blind: true }
    }
}
