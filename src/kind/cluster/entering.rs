//! Owns the way into a cluster: before anything else it is asked which one it is, and what is done there carries
//! its mark.
//! Does not know what is done there.

use crate::kind::cluster::{Cluster, Found};
use crate::kind::machine::{Done, Heard, Job, Machine, Move, StepEnd, Told, Trouble};
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
    inside: M,
}

impl<M: Machine> Entering<M> {
    /// `inside` is started when the cluster is known to be the right one.
    pub fn new(job: Job, purpose: Purpose, inside: M) -> Self {
        Self { cluster: Cluster::new(&job), job, purpose, uid: None, inside }
    }

    fn asked(&mut self, end: &StepEnd) -> Result<Move, Trouble> {
        let uid = match self.purpose {
            Purpose::Work => self.cluster.entered(&self.job, end)?,
            Purpose::Undo => match self.cluster.found(&self.job, end)? {
                Found::There { uid } => uid,
                Found::Gone(why) => return Ok(Move::Done(Done::nothing_there(why))),
            },
        };
        self.inside.entered(&uid);
        self.uid = Some(uid);
        let first = self.inside.next(Heard::Start);
        Ok(self.marked(first))
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
