//! The model test: random projects through random edits, failures, kills, undos and renames, in two
//! environments, held to a naive model of the rules of `docs/design.md`, section 4. The model is written
//! from the design and shares nothing with the program: it starts the binary and reads what it says.
//!
//! After each command these must hold:
//! - what is fresh is what a run from scratch would make (`scratch.rs`);
//! - what ran is what the rules call stale, and nothing that they call fresh (`run.rs`, `verdict.rs`);
//! - a repeated run executes nothing;
//! - `status` and `plan` say before what `run` then does, for the same reasons (`plan.rs`);
//! - reading commands write nothing.
//!
//! And a run that is ended at any moment from outside leaves nothing that is called fresh and is wrong
//! (`kills.rs`).
//!
//! `INFRA_MODEL_SEEDS=1000..2000 cargo test --test model` plays these seeds instead of the usual ones;
//! `INFRA_MODEL_FAILURES=5` goes on until so many went wrong; `INFRA_MODEL_PROGRAM=FILE` holds another build
//! to the rules. A story that goes wrong is made small and told as commands and edits.

#![allow(clippy::print_stderr, reason = "a test says on stderr what it found")]

mod attempt;
mod generate;
mod kills;
mod machines;
mod manifest;
mod memory;
mod op;
mod place;
mod plan;
mod project;
mod random;
mod run;
mod scratch;
mod scripts;
mod shrink;
mod story;
mod taken_back;
mod text;
mod told;
mod verdict;
mod words;
mod world;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stories that every `cargo test` plays.
const USUAL: Range<u64> = 0..60;
const USUAL_KILLS: Range<u64> = 0..20;

fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("INFRA_MODEL_SEEDS") else { return usual };
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("INFRA_MODEL_SEEDS is `{text}`; write `from..to`"))
}

/// Plays stories on all processors, until so many went wrong. Gives what each of those tells.
fn play_all(seeds: &Range<u64>, play: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<(u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let wrong: Mutex<Vec<(u64, String)>> = Mutex::default();
    let most = std::env::var("INFRA_MODEL_FAILURES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let players = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..players {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end || wrong.lock().expect("no panic").len() >= most {
                        return;
                    }
                    if seed.is_multiple_of(500) {
                        eprintln!("seed {seed} begins");
                    }
                    if let Err(told) = play(seed) {
                        eprintln!("seed {seed}: {told}");
                        wrong.lock().expect("no panic").push((seed, told));
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("no panic")
}

fn all_well(wrong: &[(u64, String)]) {
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(wrong.is_empty(), "stories that the program does not hold to: {seeds:?}, told above");
}

#[test]
fn random_stories_hold_the_program_to_the_rules() {
    let all: Mutex<story::Held> = Mutex::default();
    let wrong = play_all(&seeds(USUAL), |seed| match story::play(&generate::plot(seed), false) {
        Ok(held) => {
            let mut all = all.lock().expect("no panic");
            all.commands += held.commands;
            all.executed += held.executed;
            all.killed += held.killed;
            Ok(())
        }
        Err(first) => Err(shrink::smallest(generate::plot(seed), first)),
    });
    let all = all.into_inner().expect("no panic");
    eprintln!("{} commands, {} executions, {} runners ended", all.commands, all.executed, all.killed);
    all_well(&wrong);
}

#[test]
fn a_run_that_is_ended_at_any_moment_leaves_nothing_wrong() {
    all_well(&play_all(&seeds(USUAL_KILLS), kills::play));
}
