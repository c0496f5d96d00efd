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
//! `INFRA_MODEL_SEEDS=1000..2000 cargo test --test model` plays these seeds instead of the usual ones.

mod attempt;
mod generate;
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
const USUAL: Range<u64> = 0..80;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("INFRA_MODEL_SEEDS") else { return USUAL };
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("INFRA_MODEL_SEEDS is `{text}`; write `from..to`"))
}

#[test]
fn random_stories_hold_the_program_to_the_rules() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let wrong: Mutex<Vec<(u64, String)>> = Mutex::default();
    let all: Mutex<story::Held> = Mutex::default();
    let most = std::env::var("INFRA_MODEL_FAILURES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let players = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..players {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed.is_multiple_of(500) {
                        eprintln!("seed {seed} begins");
                    }
                    if seed >= seeds.end || wrong.lock().expect("no panic").len() >= most {
                        return;
                    }
                    match story::play(&generate::plot(seed), false) {
                        Ok(held) => {
                            let mut all = all.lock().expect("no panic");
                            all.commands += held.commands;
                            all.executed += held.executed;
                            all.killed += held.killed;
                        }
                        Err(first) => {
                            let told = shrink::smallest(generate::plot(seed), first);
                            eprintln!("seed {seed}: {told}");
                            wrong.lock().expect("no panic").push((seed, told));
                        }
                    }
                }
            });
        }
    });
    let all = all.into_inner().expect("no panic");
    eprintln!("{} commands, {} executions, {} runners ended", all.commands, all.executed, all.killed);
    let wrong = wrong.into_inner().expect("no panic");
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(wrong.is_empty(), "stories that the program does not hold to: {seeds:?}, told above");
}
