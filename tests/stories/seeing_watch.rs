//! Watch mode: what an edit runs again, what is left stale and why, and how it ends.

use crate::support::{Running, Story};
use serde_json::json;
use std::time::Duration;

const SITE: &str = r#"
    [task.site]
    effect = "pure"
    inputs = ["src/*.txt"]
    outputs = ["build/site"]
    shell = "echo site >> ../log; cat src/*.txt > build/site"

    [task.deploy]
    inputs = ["build/site"]
    shell = "echo deploy >> ../log"

    [task.smoke]
    needs = ["deploy"]
    effect = "read"
    shell = "echo smoke >> ../log"

    [task.reload]
    inputs = ["build/site"]
    watch = true
    shell = "echo reload >> ../log"
"#;

fn site() -> Story {
    let story = Story::with(SITE);
    story.file("src/a.txt", "a\n");
    story
}

fn watching(story: &Story, words: &str) -> Running {
    let mut running = story.spawn(words);
    running.until("watching for changes");
    running
}

fn ended(running: Running) -> String {
    running.signal("INT");
    let seen = running.wait();
    assert_eq!(seen.code, Some(130), "{seen:?}");
    seen.stderr
}

/// Time in which something that must not happen would.
fn quiet() {
    std::thread::sleep(Duration::from_millis(900));
}

#[test]
pub fn an_edit_runs_again_what_watch_may_run() {
    let story = site();
    story.run("smoke reload");
    let running = watching(&story, "watch smoke reload");
    // `smoke` has no ttl: the first round reads it anew.
    assert_eq!((story.times("site"), story.times("smoke")), (1, 2));
    story.file("src/a.txt", "b\n").wait_for("the second run", || story.times("reload") == 2);
    quiet();
    assert_eq!((story.times("site"), story.times("deploy"), story.times("smoke")), (2, 1, 2));
    let said = ended(running);
    for text in [
        "; changed: src/a.txt",
        "left stale: watch does not run what changes the world (`watch = true` lets it)",
        "input build/site changed",
        "waits for `deploy`, which watch leaves stale",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    // What the run itself wrote, and what it left, is told once.
    assert_eq!(said.matches("left stale").count(), 1, "{said}");
    assert_eq!(said.matches("watching for changes").count(), 2, "{said}");
    story.infra_to(2, "run --resume").stderr_has("nothing to resume");
}

#[test]
pub fn watch_heeds_jobs() {
    let story = Story::with(
        r#"
        [task.t]
        foreach = ["1", "2", "3"]
        effect = "pure"
        inputs = ["in"]
        shell = "mkdir -p ../now; touch ../now/{{ item }}; ls ../now | wc -l >> ../most; sleep 0.1; rm ../now/{{ item }}"
        "#,
    );
    story.file("in", "1");
    for (jobs, most) in [("-j 1", "1"), ("--jobs 3", "3")] {
        story.file("../most", "").file("in", jobs);
        ended(watching(&story, &format!("watch t {jobs}")));
        assert_eq!(story.read("../most").lines().max(), Some(most), "{jobs}");
    }
}

#[test]
fn many_edits_at_once_are_one_run() {
    let story = site();
    let running = watching(&story, "watch site");
    for n in 0..20 {
        story.file(&format!("src/{n}.txt"), "x\n");
    }
    story.wait_for("the second run", || story.times("site") == 2);
    quiet();
    assert!(story.times("site") <= 3, "{}", story.times("site"));
    ended(running);
}

#[test]
fn a_mistake_is_told_and_the_next_edit_mends_it() {
    let story = site();
    let mut running = watching(&story, "watch site");
    story.retask("effect = \"pure\"", "effct = \"pure\"");
    running.until("unknown key `effct`").until("did you mean `effect`?");
    assert!(running.lives());
    story.retask("effct = \"pure\"", "effect = \"pure\"").file("src/a.txt", "c\n");
    story.wait_for("the run after it", || story.times("site") == 2);
    ended(running);
}

#[test]
fn a_failure_does_not_end_it() {
    let story = site();
    story.retask("cat src/*.txt > build/site", "test ! -e ../fail; cat src/*.txt > build/site");
    let mut running = watching(&story, "watch site");
    story.file("../fail", "").file("src/a.txt", "c\n");
    running.until("error: task `site` failed");
    story.remove("../fail").file("src/a.txt", "d\n");
    story.wait_for("the run after it", || story.exists("build/site") && story.read("build/site") == "d\n");
    let said = ended(running);
    assert!(!said.contains("--resume"), "{said}");
}

#[test]
fn an_artifact_that_is_removed_is_put_back() {
    let story = site();
    let mut running = watching(&story, "watch site");
    story.remove("build/site");
    running.until("put back build/site");
    assert_eq!(story.times("site"), 1);
    ended(running);
}

#[test]
fn a_task_that_changes_what_it_reads_is_slowed_down() {
    let story =
        Story::with("[task.t]\neffect = \"pure\"\ninputs = [\"n\"]\nshell = \"echo t >> ../log; echo x >> n\"\n");
    story.file("n", "");
    let mut running = watching(&story, "watch t");
    running.until("slowing down");
    quiet();
    assert!(story.times("t") < 8, "{}", story.times("t"));
    ended(running);
}

#[test]
fn what_can_not_be_watched_is_refused_at_once() {
    let story = site();
    story.infra_to(2, "watch nope").stderr_has("nope").infra_to(2, "watch").stderr_has("no target is named");
}

#[test]
fn an_interrupt_while_it_waits_for_another_run_ends_it() {
    let story = site();
    let holding = crate::cli_run::holding(&story);
    let mut running = story.spawn("watch site");
    running.until("waiting: environment `local` is held by `infra run hold`");
    ended(running);
    story.file("../go", "");
    assert_eq!(holding.wait().code, Some(0));
}

#[test]
fn an_interrupt_while_a_task_runs_ends_it() {
    let story = site();
    story.retask(
        "echo site >> ../log;",
        "trap 'echo INT >> ../log; exit 1' INT; echo site >> ../log; touch ../busy; sleep 30 & wait;",
    );
    let running = story.spawn("watch site");
    story.wait_for_file("../busy");
    ended(running);
    assert_eq!(story.times("INT"), 1);
}

#[test]
fn watch_tells_machines_what_happens() {
    let story = site();
    let mut running = story.spawn("watch site --json");
    running.until("run-finished");
    quiet();
    story.file("src/a.txt", "b\n").wait_for("the second run", || story.times("site") == 2);
    quiet();
    running.signal("INT");
    let seen = running.wait();
    assert_eq!((seen.code, seen.events_of("run-started").len()), (Some(130), 2), "{seen:?}");
    let first = &seen.events_of("run-started")[0];
    assert_eq!((first["command"].clone(), first.get("changed")), (json!("watch"), None));
    let changed = seen.events_of("run-started")[1]["changed"].clone();
    assert!(changed.as_array().is_some_and(|paths| paths.contains(&json!("src/a.txt"))), "{changed}");
}
