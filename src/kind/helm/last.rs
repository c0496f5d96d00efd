//! Owns what is asked after a failure in the cluster: what pods printed, how they are, what the cluster warned of.
//! Does not know what failed; all of it goes to the log, and none of it decides anything.

use super::command::Commands;
use crate::kind::machine::{Step, StepEnd};
use std::collections::VecDeque;

/// Pods of tests whose output is shown.
const MOST: usize = 3;

/// What is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What certain pods printed.
    Named,
    Pods,
    Logs,
    Events,
    Over,
}

/// The questions, one after the other.
pub struct LastWords {
    named: VecDeque<String>,
    stage: Stage,
}

impl LastWords {
    /// Of the release's pods.
    pub fn of_release() -> Self {
        Self { named: VecDeque::new(), stage: Stage::Named }
    }

    /// Of the pods of tests that failed, too.
    pub fn of_tests(end: &StepEnd) -> Self {
        let mut named = VecDeque::new();
        let mut suite = None;
        for line in &end.tail {
            match line.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
                Some(("TEST SUITE", name)) => suite = Some(name),
                Some(("Phase", "Failed")) => named.extend(suite.take().map(str::to_owned)),
                _ => {}
            }
        }
        named.truncate(MOST);
        Self { named, stage: Stage::Named }
    }

    /// The next question, after the end of the one before; `None`: all was asked.
    pub fn next(&mut self, commands: &Commands, end: &StepEnd) -> Option<Step> {
        if self.stage == Stage::Named
            && let Some(pod) = self.named.pop_front()
        {
            return Some(commands.logs(&pod));
        }
        let (stage, step) = match self.stage {
            Stage::Named => (Stage::Pods, Some(commands.pods())),
            Stage::Pods if !end.stdout.trim().is_empty() => (Stage::Logs, Some(commands.logs_of_pods())),
            Stage::Pods | Stage::Logs => (Stage::Events, Some(commands.events())),
            Stage::Events | Stage::Over => (Stage::Over, None),
        };
        self.stage = stage;
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_failed_are_asked_for_what_they_printed() {
        let tail = "TEST SUITE:     good\nPhase:          Succeeded\nTEST SUITE:     bad\nLast Started:   x\nPhase:          Failed";
        let tail = tail.lines().map(str::to_owned).collect();
        assert_eq!(LastWords::of_tests(&StepEnd { tail, ..StepEnd::default() }).named, ["bad"]);
    }
}
