//! A full disk: plain words, code 7 or 1, nothing half-written, and after freeing space the next run is
//! as if nothing had been.

use crate::errors_world::is_plain;
use crate::support::{Seen, Story};
use std::fs;
use std::process::{Command, Stdio};

const TASKS: &str = r#"
    [task.a]
    effect = "pure"
    inputs = ["in"]
    outputs = ["build/a"]
    shell = "cat in in in in > build/a"

    [task.b]
    inputs = ["build/a"]
    shell = "cat build/a > /dev/null; echo b >> $LOG; test ! -e ../fill || cat /dev/zero > fill 2> /dev/null || true"
    env = { LOG = "{{ vars.log }}" }

    [task.t]
    template = { from = "t.j2", to = "build/t" }
"#;

/// A project on a disk of its own; `None`: not possible here.
fn small(size: &str) -> Option<Story> {
    let story = Story::new();
    if !story.small_disk(size) {
        return None;
    }
    let log = story.path("../log");
    story.tasks(TASKS).project(&format!("[vars]\nlog = \"{}\"\n[env.local]\n", log.display()));
    story.file("in", &"x".repeat(20_000)).file("t.j2", "hello\n");
    Some(story)
}

/// Fills the disk to the last byte.
fn fill(story: &Story) {
    let file = fs::File::create(story.path("fill")).unwrap();
    drop(file);
    let line = "cat /dev/zero >> fill 2> /dev/null; true";
    Command::new("sh").args(["-c", line]).current_dir(story.root()).stdout(Stdio::null()).status().unwrap();
}

fn free(story: &Story) {
    let _ = fs::remove_file(story.path("fill"));
}

#[track_caller]
fn full(seen: &Seen, code: i32) {
    is_plain(seen);
    if seen.code != Some(code) || !(seen.stderr.contains("disk is full") || seen.stdout.contains("disk is full")) {
        seen.fail(&format!("expected exit code {code} and that the disk is full"));
    }
}

/// Nothing that a write left half-way.
fn no_litter(story: &Story) {
    let odd: Vec<String> = story
        .tree()
        .into_keys()
        .filter(|path| path.contains(".tmp") || path.contains(".part") || path.contains('~'))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn a_disk_that_is_full_before_the_first_run() {
    let Some(story) = small("1m") else { return };
    fill(&story);
    full(&story.infra_to(7, "run b").last(), 7);
    story.says("free space");
    free(&story);
    story.run("b t").ran(["a", "b", "t"]).run("b t").nothing_ran();
    no_litter(&story);
}

#[test]
fn a_disk_that_is_full_before_a_later_run() {
    let Some(story) = small("1m") else { return };
    story.run("b t");
    fill(&story);
    // Who only reads needs no space; who takes the environment does.
    story.states("a=fresh b=fresh t=fresh").infra("plan t").infra("history");
    full(&story.infra_to(7, "run b t").last(), 7);
    story.file("t.j2", "");
    let seen = story.try_infra("run t");
    is_plain(&seen);
    assert!(matches!(seen.code, Some(1 | 7)), "{seen:?}");
    story.says("the disk is full");
    free(&story);
    story.file("t.j2", "other\n").run("b t").ran(["t"]).holds("build/t", "other\n");
    no_litter(&story);
}

#[test]
fn a_disk_that_fills_while_a_task_runs() {
    let Some(story) = small("1m") else { return };
    story.run("t").file("../fill", "");
    let seen = story.try_infra("run b");
    is_plain(&seen);
    assert!(matches!(seen.code, Some(1 | 7)), "{seen:?}");
    story.says("the disk is full");
    // b ran, and nobody could write that down: it is not fresh.
    free(&story);
    story.remove("../fill").states("t=fresh");
    let log = story.read("../log").lines().count();
    story.run("b t").fresh(["a", "t"]).ran(["b"]);
    assert_eq!(story.read("../log").lines().count(), log + 1);
    story.run("b t").nothing_ran();
    no_litter(&story);
}

#[test]
fn an_output_that_does_not_fit_is_no_output() {
    let Some(story) = small("1m") else { return };
    story.run("b").retask("cat in in in in > build/a", "cat in > build/a; head -c 500000 /dev/zero > big");
    story.retask("outputs = [\"build/a\"]", "outputs = [\"build/a\", \"big\"]");
    let seen = story.try_infra("run b");
    is_plain(&seen);
    assert!(matches!(seen.code, Some(1 | 7)), "{seen:?}");
    story.says("the disk is full");
    no_litter(&story);
    // What was there before is there again.
    assert_eq!(story.read("build/a").len(), 80_000);
    story.says("output `big` cannot be kept").retask("500000", "5000").run("b").ran(["a", "b"]).run("b").nothing_ran();
}

#[test]
fn a_limit_on_files_is_no_crash() {
    let story = Story::with("[task.a]\noutputs = [\"out\"]\nshell = \"echo x > out\"\n");
    // Half a kilobyte a unit: too little for a database.
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -f 8; exec {} run a", env!("CARGO_BIN_EXE_infra"))])
        .current_dir(story.root())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{:?} {stderr}", output.status);
    assert!(stderr.contains("store") && !stderr.contains("os error"), "{stderr}");
    story.run("a").ran(["a"]);
}
