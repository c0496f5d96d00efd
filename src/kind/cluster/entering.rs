//! Owns the way into a cluster: before anything else it is asked which one it is, and what is done there carries
//! its mark.
//! Does not know what is done there.

use crate::kind::cluster::{Cluster, Found, resolve};
use crate::kind::machine::{ACCEPTED, Done, Heard, Job, Machine, Move, StepEnd, Taken, Told, Trouble, TroubleKind};
use crate::kind::{text, texts};
use crate::model::record::Incarnation;
use std::collections::BTreeSet;

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Work,
    /// To take back what was done there.
    Undo,
}

/// A machine that works in a cluster, once that is known.
pub struct Entering<M> {
    job: Job,
    cluster: Cluster,
    purpose: Purpose,
    uid: Option<String>,
    is_inside: bool,
    inside: M,
}

impl<M: Machine> Entering<M> {
    /// `inside` is started when the cluster is known to be the right one.
    pub fn new(job: Job, purpose: Purpose, inside: M) -> Self {
        Self { cluster: Cluster::new(&job), job, purpose, uid: None, is_inside: false, inside }
    }

    /// What the task will change, in this cluster: where a kubeconfig or a context leads is no identity.
    fn things(&self, uid: &str) -> Vec<String> {
        let table = &self.job.table;
        let namespace = text(table, "namespace").unwrap_or("default");
        // A test, or an uninstall that is a task of its own, is of another task's release.
        let makes = matches!(text(table, "action"), None | Some("upgrade"));
        let release =
            text(table, "release").filter(|_| makes).map(|release| format!("helm release `{namespace}/{release}`"));
        let applied = table.get("apply").map(|_| texts(table, "apply").join(", "));
        let applied = applied.map(|paths| format!("the objects of `{paths}` in `{namespace}`"));
        release.into_iter().chain(applied).map(|thing| format!("{thing} in cluster {uid}")).collect()
    }

    fn asked(&mut self, end: &StepEnd) -> Result<Move, Trouble> {
        let uid = match self.purpose {
            Purpose::Work => self.cluster.entered(&self.job, end)?,
            Purpose::Undo => match self.cluster.found(&self.job, end)? {
                Found::There { uid } => uid,
                Found::Gone(why) => return Ok(Move::Done(Done::nothing_there(why))),
            },
        };
        let things = self.things(&uid);
        self.inside.entered(&uid);
        self.uid = Some(uid);
        Ok(if things.is_empty() { self.begin() } else { Move::Claim(things) })
    }

    fn begin(&mut self) -> Move {
        self.is_inside = true;
        let first = self.inside.next(Heard::Start);
        self.marked(first)
    }

    /// Somebody else has on record what the task would change.
    fn claimed(&mut self, taken: Option<Taken>) -> Move {
        match (taken, self.purpose) {
            (None, _) => self.begin(),
            (Some(_), Purpose::Work) if self.job.memory.notes.contains_key(ACCEPTED) => self.begin(),
            (Some(Taken { thing, owner }), Purpose::Work) => self.marked(Move::Fail(Trouble {
                message: format!("{owner} has on record as its own: {thing}"),
                hint: Some(format!("{} hands it over", resolve(&self.job, "--accept-state"))),
                kind: TroubleKind::Refused,
                ..Trouble::default()
            })),
            (Some(Taken { owner, .. }), Purpose::Undo) => {
                Move::Done(Done::nothing_there(format!("it was handed over to {owner}")))
            }
        }
    }

    /// A move with the cluster as the thing behind the task, where the machine itself says nothing of it.
    fn marked(&self, next: Move) -> Move {
        match next {
            Move::Done(mut done) => {
                done.incarnations = done.incarnations.or_else(|| self.so_far());
                done.notes.extend(Cluster::note(self.uid.as_deref()));
                Move::Done(done)
            }
            Move::Fail(trouble) => {
                Move::Fail(Trouble { incarnations: trouble.incarnations.clone().or_else(|| self.so_far()), ..trouble })
            }
            other => other,
        }
    }
}

impl<M: Machine> Machine for Entering<M> {
    fn next(&mut self, heard: Heard) -> Move {
        match (&self.uid, heard) {
            (None, Heard::Start) => self.cluster.enter(&self.job),
            (None, heard) => self.asked(&heard.end()).unwrap_or_else(Move::Fail),
            (Some(_), Heard::Claimed(taken)) if !self.is_inside => self.claimed(taken),
            (Some(_), heard) => {
                let next = self.inside.next(heard);
                self.marked(next)
            }
        }
    }

    fn line(&mut self, line: &str) -> Told {
        self.inside.line(line)
    }

    fn so_far(&self) -> Option<BTreeSet<Incarnation>> {
        let uid = self.uid.as_ref()?;
        Some(BTreeSet::from([self.cluster.incarnation(&self.job, uid)]))
    }
}
