//! Owns what is read when terraform has done its work: what is left after a destroy, outputs after an apply.
//! Does not know which commands came before.

use super::{Stage, Terraforming};
use crate::kind::machine::{Done, Move, StepEnd, Trouble};
use crate::kind::terraform::state::State;
use crate::kind::terraform::trouble;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    value: Json,
}

impl Terraforming {
    pub(super) fn destroyed(&mut self) -> Move {
        let left = self.state.as_ref().map_or(&[][..], |state| &state.things);
        if !left.is_empty() {
            let names: Vec<String> = left.iter().take(5).map(|(address, _)| format!("`{address}`")).collect();
            let message = format!("still there: {}: {}", trouble::resources(left.len() as u64), names.join(", "));
            let incarnations = Some(self.incarnations());
            return self.trouble(Trouble { message, incarnations, ..Trouble::default() });
        }
        Move::Done(Done {
            token: self.state.as_ref().map(State::token),
            incarnations: Some(BTreeSet::new()),
            notes: self.notes.clone(),
            summary: Some(format!("-{}, 0 resources", self.stream.destroyed.len())),
            ..Done::default()
        })
    }

    pub(super) fn output(&mut self) -> Move {
        self.stage = Stage::Output;
        Move::Run(self.commands.output())
    }

    pub(super) fn read_output(&mut self, end: &StepEnd) -> Move {
        if !end.is_ok() {
            return self.fail("output", end);
        }
        let outputs: BTreeMap<String, Output> = match serde_json::from_str(&end.stdout) {
            Ok(outputs) => outputs,
            Err(error) => {
                let message = format!("the outputs cannot be read: {error}");
                return self.trouble(Trouble { message, ..Trouble::default() });
            }
        };
        self.note_state();
        let mut done = Done { incarnations: Some(self.incarnations()), notes: self.notes.clone(), ..Done::default() };
        for (name, output) in outputs {
            if !self.job.exports.is_empty() && !self.job.exports.contains_key(&name) {
                continue;
            }
            if output.sensitive {
                done.secret_exports.insert(name.clone());
            }
            done.exports.insert(name, output.value);
        }
        // Where no state was ever written, the token must still be the same the next time.
        done.token = Some(self.state.as_ref().map_or_else(|| "no-state".to_owned(), State::token));
        done.unchanged = self.stream.is_plan();
        let changes = if done.unchanged { "no changes".to_owned() } else { self.stream.plan().shown() };
        let count = self.state.as_ref().map_or(0, |state| state.things.len() as u64);
        done.summary = Some(format!("{changes}, {}", trouble::resources(count)));
        Move::Done(done)
    }
}
