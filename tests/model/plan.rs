//! Owns what `infra plan` must say of a selection: what the run that follows does, as far as anyone can know.

use crate::memory::Model;
use crate::project::{Effect, Env, Id};
use crate::run::Request;
use crate::verdict::{Board, Settled, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Action and verdict of each chosen task; `None`: refused.
pub type Plan = Option<BTreeMap<Id, (&'static str, Verdict)>>;

impl Model {
    /// As a record says, whatever the world looks like now; not when the task failed or is unknown.
    pub fn as_recorded(&self, id: Id, env: Env, verdict: &Verdict, settled: &Settled) -> Settled {
        if settled.is_settled() {
            return settled.clone();
        }
        let newest = self.newest(id, env).filter(|memo| memo.void.is_none());
        match newest {
            Some(memo) if !matches!(verdict.state, "failed" | "unknown") => Settled::Yes(Some(memo.clone())),
            _ => Settled::No,
        }
    }

    pub fn plan(&self, env: Env, request: &Request) -> Plan {
        let (verdicts, board) = self.forecast(env);
        let considered: BTreeSet<Id> = request.chosen.difference(&request.skipped).copied().collect();
        let mut planned = Board::new();
        let mut plan = BTreeMap::new();
        for id in self.project.ids() {
            if !considered.contains(&id) {
                let settled = self.as_recorded(id, env, &verdicts[&id], &board[&id]);
                planned.insert(id, settled);
                if request.chosen.contains(&id) {
                    plan.insert(id, ("skip", verdicts[&id].clone()));
                }
                continue;
            }
            let outside = |up: &Id| !considered.contains(up);
            if self.real_ups(id).any(|(up, _)| outside(&up) && !planned[&up].is_settled()) {
                return None;
            }
            let mut verdict = self.judge(&planned, id, env);
            let forced = request.forced.contains(&id) && verdict.state != "unknown";
            if forced {
                verdict.reasons.must.insert("forced".to_owned());
                verdict.state = "stale";
            }
            let past = self.past(id, env);
            let task = self.project.task(id);
            let must_ask =
                task.effect == Effect::Once && !task.is_undo() && past.began.is_some() && !past.rerun && !forced;
            let action = match verdict.state {
                "fresh" => "keep",
                "restorable" => "restore",
                "deferred" => "deferred",
                state if state == "unknown" || must_ask => "refuse",
                _ => "run",
            };
            planned.insert(id, if forced { Settled::No } else { self.settled(id, &verdict) });
            plan.insert(id, (action, verdict));
        }
        Some(plan)
    }
}
