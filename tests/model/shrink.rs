//! Owns the making small of a story that went wrong: what happens in it, and the project, are cut down as
//! long as it still goes wrong in the same way.

use crate::generate::Plot;
use crate::project::{How, Out};
use crate::story::{Wrong, play};
use std::collections::BTreeSet;

/// Stories are played at most so many times; `INFRA_MODEL_TRIES` says otherwise.
const TRIES: usize = 250;

/// What kind of wrong it is: the words before names and numbers.
fn kind(wrong: &Wrong) -> String {
    let first = wrong.what.lines().next().unwrap_or_default();
    first.split('`').step_by(2).collect::<Vec<_>>().join("`").chars().take(60).collect()
}

struct Shrink {
    best: Plot,
    wrong: Wrong,
    tries: usize,
    most: usize,
}

impl Shrink {
    fn keeps(&mut self, plot: Plot) -> bool {
        if self.tries >= self.most {
            return false;
        }
        self.tries += 1;
        match play(&plot, false) {
            Err(wrong) if kind(&wrong) == kind(&self.wrong) => {
                self.best = plot;
                self.wrong = wrong;
                true
            }
            _ => false,
        }
    }

    fn fewer_ops(&mut self) {
        let mut size = self.best.ops.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < self.best.ops.len() {
                let mut plot = self.best.clone();
                plot.ops.drain(from..(from + size).min(plot.ops.len()));
                if !self.keeps(plot) {
                    from += size;
                }
            }
            size /= 2;
        }
    }

    fn smaller_project(&mut self) {
        for place in (0..self.best.project.tasks.len()).rev() {
            let simpler: [fn(&mut crate::project::Task); 12] = [
                |task| task.declared = false,
                |task| task.needs = BTreeSet::new(),
                |task| task.after = BTreeSet::new(),
                |task| task.values = BTreeSet::new(),
                |task| task.artifacts = BTreeSet::new(),
                |task| task.vars = BTreeSet::new(),
                |task| task.files = BTreeSet::new(),
                |task| task.folders = BTreeSet::new(),
                |task| task.keys = None,
                |task| task.exports = false,
                |task| {
                    if task.how != How::Template {
                        task.out = Out::Nothing;
                    }
                },
                |task| {
                    task.may_fail = false;
                    task.strips = false;
                    if task.how == How::Script {
                        task.how = How::Shell;
                    }
                },
            ];
            for change in simpler {
                let mut plot = self.best.clone();
                change(&mut plot.project.tasks[place]);
                if plot.project != self.best.project {
                    self.keeps(plot);
                }
            }
        }
    }
}

/// The smallest story that goes wrong like a given one, as a person can follow it.
pub fn smallest(plot: Plot, wrong: Wrong) -> String {
    let most = std::env::var("INFRA_MODEL_TRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(TRIES);
    let mut shrink = Shrink { best: plot, wrong, tries: 0, most };
    shrink.fewer_ops();
    shrink.smaller_project();
    shrink.fewer_ops();
    // Once more, and left there to look at.
    let Err(wrong) = play(&shrink.best, true) else {
        return format!("{}\n(it went well when it was played again)", shrink.wrong.what);
    };
    format!("{}\n--- the story ({})\n{}\n---", wrong.what, wrong.place, wrong.told.join("\n"))
}
