//! Undo: it has no memo, it voids what it takes back, and it can be run again.

use crate::support::Story;
use serde_json::json;

/// A world of files: `../up-NAME`. `../stuck` makes the undo of `disk` fail half-way.
const WORLD: &str = r#"
    [task.disk]
    shell = "echo disk >> ../log; touch ../up-disk"
    undo = [["sh", "-c", "rm -f ../up-disk; echo undo-disk >> ../log"], ["sh", "-c", "test ! -e ../stuck"]]

    [task.vm]
    needs = ["disk"]
    shell = "echo vm >> ../log; test -e ../up-disk; touch ../up-vm"
    undo = ["sh", "-c", "rm -f ../up-vm; echo undo-vm >> ../log"]

    [task.verify]
    needs = ["vm"]
    effect = "read"
    ttl = "1h"
    shell = "echo verify >> ../log; test -e ../up-vm"

    [task.beside]
    shell = "echo beside >> ../log"

    [task.teardown]
    undo_of = ["disk", "vm"]
"#;

fn world() -> Story {
    let story = Story::with(WORLD);
    story.run("verify beside").ran(["disk", "vm", "verify", "beside"]);
    story
}

#[test]
fn verify_teardown_verify_teardown() {
    let story = world();
    for round in 1..3 {
        story.states("disk=fresh vm=fresh verify=fresh teardown=stale");
        story.run("teardown").ran(["teardown"]);
        assert!(!story.exists("../up-disk") && !story.exists("../up-vm"));
        story.states("disk=stale vm=stale teardown=fresh beside=fresh");
        story.status_reason("disk", json!({"kind": "undone-by", "task": "teardown"}));
        story.run("verify").ran(["disk", "vm", "verify"]);
        assert_eq!((story.times("disk"), story.times("undo-disk")), (round + 1, round));
    }
}

#[test]
fn an_undo_takes_back_in_reverse_order() {
    let story = world();
    story.run("teardown");
    let log = story.read("../log");
    assert!(log.find("undo-vm").unwrap() < log.find("undo-disk").unwrap(), "{log}");
}

#[test]
fn a_teardown_with_nothing_to_take_back_is_fresh() {
    let story = world();
    story.run("teardown").ran(["teardown"]);
    story.run("teardown").nothing_ran().fresh(["teardown"]);
    assert_eq!(story.times("undo-disk"), 1);
    Story::with(WORLD).run("teardown").nothing_ran();
}

#[test]
fn an_undo_voids_nothing_beside_its_targets() {
    let story = world();
    story.run("teardown").run("beside").nothing_ran();
}

#[test]
fn a_teardown_that_failed_half_way_leaves_nothing_that_looks_done() {
    let story = world();
    story.file("../stuck", "").run_to(1, "teardown").failed(["teardown"]);
    story.says("the undo of `disk`: exited with code 1").says("tasks/t.toml:1:7");
    story.status_reason("disk", json!({"kind": "undone-by", "task": "teardown", "complete": false}));
    story.status_reason("vm", json!({"kind": "undone-by", "task": "teardown", "complete": true}));
    // `vm` is gone; `disk` was begun: neither is fresh, and the teardown is to be done again.
    let seen = story.try_infra("status --json disk vm teardown");
    for task in seen.json()["tasks"].as_array().unwrap() {
        assert_ne!(task["state"], "fresh", "{task}");
    }
    story.remove("../stuck").run("teardown").ran(["teardown"]);
    assert_eq!((story.times("undo-vm"), story.times("undo-disk")), (1, 2));
    story.run("teardown").nothing_ran();
    story.run("verify").ran(["disk", "vm", "verify"]);
}

#[test]
fn after_a_half_failed_teardown_the_world_can_be_built_again() {
    let story = world();
    story.file("../stuck", "").run_to(1, "teardown");
    story.remove("../stuck").run("verify").ran(["disk", "vm", "verify"]);
    assert!(story.exists("../up-disk"));
    story.states("teardown=stale");
}

#[test]
fn a_failed_task_is_taken_back_too() {
    let story = Story::with(WORLD);
    // It began to change the world: that is enough.
    story.retask("test -e ../up-disk; touch", "test ! -e ../up-disk; touch");
    story.run_to(1, "vm").ran(["disk"]).failed(["vm"]);
    story.run("teardown").ran(["teardown"]);
    assert_eq!((story.times("undo-vm"), story.times("undo-disk")), (1, 1));
}

#[test]
fn what_never_began_is_not_taken_back() {
    let story = Story::with(WORLD);
    story.run("disk").ran(["disk"]).run("teardown").ran(["teardown"]);
    assert_eq!((story.times("undo-vm"), story.times("undo-disk")), (0, 1));
}

#[test]
fn without_an_undo_a_task_counts_as_undone_with_what_it_lived_on() {
    let story = Story::with(
        r#"
        [task.vm]
        shell = "touch ../up"
        undo = ["rm", "-f", "../up"]

        [task.configure]
        needs = ["vm"]
        shell = "echo configure >> ../log"

        [task.teardown]
        undo_of = ["vm", "configure"]
        "#,
    );
    story.run("configure").ran(["vm", "configure"]).run("teardown").ran(["teardown"]);
    story.states("vm=stale configure=stale teardown=fresh");
    story.run("configure").ran(["vm", "configure"]);
}

#[test]
fn the_recorded_undo_is_what_was_declared_when_it_ran() {
    let story = world();
    // The declaration is gone; the record knows how.
    story.tasks("[task.beside]\nshell = \"echo beside >> ../log\"\n");
    story.states("disk=orphaned vm=orphaned beside=fresh");
    story.infra("destroy --orphans --yes");
    assert!(!story.exists("../up-disk") && !story.exists("../up-vm"));
    let log = story.read("../log");
    assert!(log.find("undo-vm").unwrap() < log.find("undo-disk").unwrap(), "{log}");
}

#[test]
fn destroy_takes_back_everything_in_reverse() {
    let story = world();
    let seen = story.try_infra("destroy");
    assert_eq!(seen.code, Some(5), "nobody can answer: {}", seen.stderr);
    assert!(story.exists("../up-vm"));
    story.infra("destroy --yes");
    let log = story.read("../log");
    assert!(log.find("undo-vm").unwrap() < log.find("undo-disk").unwrap(), "{log}");
    assert!(!story.exists("../up-disk"));
    story.states("disk=stale vm=stale teardown=fresh");
    story.infra("destroy --yes");
    assert_eq!(story.times("undo-disk"), 1);
}

#[test]
fn destroy_of_one_takes_back_what_was_built_on_it() {
    let story = world();
    story.infra("destroy vm --yes");
    assert!(story.exists("../up-disk") && !story.exists("../up-vm"));
    story.states("disk=fresh vm=stale");
    story.run("verify").ran(["vm", "verify"]).fresh(["disk"]);
}

#[test]
fn globs_and_stages_pick_no_undo() {
    let story = world();
    story.run("*").nothing_ran();
    assert!(story.exists("../up-vm"));
    story.run("tear*").ran(["teardown"]);
    assert!(!story.exists("../up-vm"));
}

#[test]
fn an_undo_cut_short_leaves_nothing_fresh() {
    let story = world();
    story.retask("test ! -e ../stuck", "if test -e ../kill; then while test ! -s ../runner.pid; do sleep 0.01; done; kill -9 $(cat ../runner.pid); sleep 0.2; fi");
    story.run("disk --force").file("../kill", "");
    let seen = story.try_infra("run --json teardown");
    assert_eq!(seen.signal, Some(9), "{}{}", seen.stdout, seen.stderr);
    story.remove("../kill");
    let states = story.try_infra("status --json disk vm teardown").json();
    for task in states["tasks"].as_array().unwrap() {
        assert_ne!(task["state"], "fresh", "{task}");
    }
    story.run("teardown").ran(["teardown"]);
    story.run("verify").ran(["disk", "vm", "verify"]);
}

#[test]
fn what_has_no_undo_is_not_undone_before_the_others() {
    let story = Story::with(
        r#"
        [task.vm]
        shell = "touch ../up"
        undo = [["no-such-program"], ["rm", "-f", "../up"]]

        [task.configure]
        needs = ["vm"]
        shell = "echo configure >> ../log"

        [task.teardown]
        undo_of = ["vm", "configure"]
        "#,
    );
    story.run("configure").ran(["vm", "configure"]);
    // The undo of `vm` could not even be started: everything stands.
    assert_ne!(story.try_infra("run --json teardown").code, Some(0));
    story.states("vm=fresh configure=fresh").run("configure").nothing_ran();
    // Once it begins, both are in doubt.
    story.program("no-such-program", "exit 3").run_to(1, "teardown").failed(["teardown"]);
    story.states("vm=stale configure=stale teardown=failed");
    story.program("no-such-program", "exit 0").run("teardown").ran(["teardown"]);
    story.states("teardown=fresh").run("teardown").nothing_ran();
}

#[test]
fn what_an_undo_reads_is_no_input() {
    let story = Story::with(
        r#"
        [task.net]
        inputs = ["range"]
        exports = { range = "string" }
        shell = "echo range=$(cat range) > $INFRA_EXPORTS"

        [task.vm]
        shell = "touch ../up"
        undo = ["sh", "-c", "rm ../up; echo {{ tasks.net.range }} > ../gone"]

        [task.teardown]
        undo_of = "vm"
        "#,
    );
    story.file("range", "10").run("vm").ran(["net", "vm"]);
    story.file("range", "20").run("vm").ran(["net"]).fresh(["vm"]);
    // It is taken back as it was when it was made.
    story.run("teardown").ran(["teardown"]).holds("../gone", "10\n");
}

#[test]
fn an_undo_task_says_what_it_would_undo() {
    let story = world();
    story.status_reason("teardown", json!({"kind": "to-undo", "tasks": ["vm", "disk"]}));
    story.infra("destroy vm --yes").status_reason("teardown", json!({"kind": "to-undo", "tasks": ["disk"]}));
}

#[test]
fn what_needs_a_thing_that_was_undone_and_made_again_reruns() {
    let story = world();
    story.run("teardown").run("vm").ran(["disk", "vm"]);
    story.states("verify=stale beside=fresh").run("verify beside").ran(["verify"]).fresh(["disk", "vm", "beside"]);
    story.because("verify", json!({"kind": "upstream-changed", "task": "vm"}));
}

#[test]
fn an_undo_that_fails_holds_up_only_what_it_was_built_on() {
    let story = Story::with(
        r#"
        [task.disk]
        shell = "echo disk >> ../log"
        undo = ["sh", "-c", "echo undo-disk >> ../log"]
        [task.vm]
        needs = ["disk"]
        shell = "echo vm >> ../log"
        undo = ["sh", "-c", "echo undo-vm >> ../log; test ! -e ../stuck"]
        [task.dns]
        shell = "echo dns >> ../log"
        undo = ["sh", "-c", "echo undo-dns >> ../log; test ! -e ../stuck-dns"]
        [task.bare]
        needs = ["dns"]
        shell = "true"
        [task.teardown]
        undo_of = ["disk", "vm", "dns", "bare"]
        "#,
    );
    for (command, words) in [("run teardown", "run"), ("destroy --yes", "destroy")] {
        story.run("*").file("../stuck", "");
        story.infra_to(1, command).stderr_has("the undo of `vm`: exited with code 1");
        story.stderr_has("`disk` stay: this was built on them").says("tasks/t.toml");
        assert!(
            story.read("../log").ends_with("undo-vm\nundo-dns\n")
                || story.read("../log").ends_with("undo-dns\nundo-vm\n")
        );
        story.states("disk=fresh dns=stale");
        // What is left of it goes the next time, and once only.
        story.remove("../stuck").infra(command).says("undo");
        assert_eq!((story.times("undo-dns"), story.times("undo-disk")), (1, 1), "{words}");
        story.remove("../log");
    }
    // Two that fail are both told.
    story.run("*").file("../stuck", "").file("../stuck-dns", "");
    story.infra_to(1, "destroy --yes").stderr_has("; of `").stderr_has("exited with code 1");
}
