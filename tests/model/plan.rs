//! Owns what `infra plan` must say of a selection: what the run that follows does, as far as anyone can know.

use crate::memory::{End, Model};
use crate::project::{Env, Id};
use crate::run::Request;
use crate::verdict::{Board, Settled, Verdict};
use crate::world::Content;
use std::collections::{BTreeMap, BTreeSet};

/// Action and verdict of each chosen task; `None`: refused.
pub type Plan = Option<BTreeMap<Id, (&'static str, Verdict)>>;

impl Model {
    /// As a record says, whatever the world looks like now; not when it was tried since and did not succeed.
    pub fn as_recorded(&self, id: Id, env: Env, settled: &Settled) -> Settled {
        if settled.is_settled() {
            return settled.clone();
        }
        let tried =
            self.past(id, env).last.filter(|last| matches!(last.end, End::Failed | End::Cut | End::Interrupted));
        let newest = self.newest(id, env).filter(|memo| memo.void.is_none());
        match newest {
            Some(memo) if tried.is_none_or(|last| last.number <= memo.attempt) => Settled::Yes(Some(memo.clone())),
            _ => Settled::No,
        }
    }

    /// Tasks that those of a run read or need, and that are not part of it.
    pub fn outside(&self, chosen: &BTreeSet<Id>) -> BTreeSet<Id> {
        let ups = chosen.iter().flat_map(|id| self.real_ups(*id)).map(|(up, _)| up);
        ups.filter(|up| !chosen.contains(up)).collect()
    }

    /// Outputs of a task that is taken as recorded, as far as tasks of the run see them: who needs it sees
    /// all of them.
    pub fn seen_of(&self, settled: &Settled, id: Id, chosen: &BTreeSet<Id>) -> BTreeMap<String, Content> {
        let sees = |reader: &Id| {
            let needs = self.project.needs(reader.task).contains(&id.task);
            needs || self.project.artifacts(reader.task).contains(&id.task)
        };
        let outs = settled.memo().map(|memo| memo.outs.clone()).unwrap_or_default();
        let is_seen = chosen.iter().any(sees);
        outs.into_iter().filter(|(path, content)| is_seen && self.world.content(path) != *content).collect()
    }

    /// What lies in an output that will be put back is not known before it is.
    fn to_put_back(&self, settled: Settled, id: Id, chosen: &BTreeSet<Id>) -> Settled {
        match settled {
            Settled::Yes(Some(memo)) if !self.seen_of(&Settled::Yes(Some(memo.clone())), id, chosen).is_empty() => {
                Settled::Restorable(memo)
            }
            settled => settled,
        }
    }

    /// Whether a task can be taken as recorded: it has a record, and what is seen of it can be put back.
    pub fn can_stand(&self, settled: &Settled, id: Id, chosen: &BTreeSet<Id>) -> bool {
        settled.is_settled() && self.seen_of(settled, id, chosen).values().all(|content| self.is_kept(content))
    }

    pub fn plan(&self, env: Env, request: &Request) -> Plan {
        let (_, board) = self.forecast(env);
        let mut planned = Board::new();
        for id in self.project.ids().into_iter().filter(|id| !request.chosen.contains(id)) {
            let settled = self.as_recorded(id, env, &board[&id]);
            planned.insert(id, self.to_put_back(settled, id, &request.chosen));
        }
        if !self.outside(&request.chosen).iter().all(|up| self.can_stand(&planned[up], *up, &request.chosen)) {
            return None;
        }
        let mut plan = BTreeMap::new();
        for id in self.project.ids().into_iter().filter(|id| request.chosen.contains(id)) {
            let mut verdict = self.judge(&planned, id, env);
            let mut settled = self.settled(id, &verdict);
            if request.skipped.contains(&id) {
                settled = self.as_recorded(id, env, &settled);
                let stands = self.can_stand(&settled, id, &request.chosen);
                let settled = self.to_put_back(settled, id, &request.chosen);
                planned.insert(id, if stands { settled } else { Settled::No });
                plan.insert(id, ("skip", verdict));
                continue;
            }
            let forced = request.forced.contains(&id) && verdict.state != "unknown";
            if forced {
                verdict.reasons.must.insert("forced".to_owned());
                verdict.state = "stale";
                settled = Settled::No;
            }
            let must_ask = self.started_once(id, env) && !forced;
            // Where what it waits for may bring back an old record, that is not known yet.
            let hopeless =
                |up: &Id| plan.get(up).is_some_and(|(_, verdict): &(_, Verdict)| verdict.state != "deferred");
            let left_out = |up: Id| request.skipped.contains(&up) && !planned[&up].is_settled() && hopeless(&up);
            let action = match verdict.state {
                // What it reads was left out, and there is nothing to stand on.
                _ if self.real_ups(id).any(|(up, _)| left_out(up)) => "refuse",
                "fresh" => "keep",
                "restorable" => "restore",
                "deferred" => "deferred",
                state if state == "unknown" || must_ask => "refuse",
                _ => "run",
            };
            planned.insert(id, settled);
            plan.insert(id, (action, verdict));
        }
        Some(plan)
    }
}
