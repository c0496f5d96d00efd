//! Probes: they void, they never confirm.

use crate::support::Story;
use serde_json::json;

fn machine() -> Story {
    let story = Story::with(
        r#"
        [task.vm]
        shell = "echo vm >> ../log; touch ../up"
        probe = { exec = ["sh", "-c", "echo asked >> ../asked; test ! -e ../unsure || exit 7; test -e ../up"], ttl = "60s" }

        [task.use]
        needs = ["vm"]
        shell = "echo use >> ../log"
        "#,
    );
    story.at(0).run("use").ran(["vm", "use"]);
    story
}

#[test]
fn a_probe_that_disagrees_voids() {
    let story = machine();
    story.remove("../up").at(100);
    // Plain `status` asks nobody.
    story.states("vm=fresh");
    story.states_in("--probe", "vm=stale use=deferred");
    story.run("use").ran(["vm", "use"]).because("vm", json!({"kind": "probe-disagrees"}));
    // The answer was about the machine that was gone: it is no word on this one.
    story.at(101).infra("status vm --json");
    assert_eq!(story.last().json()["tasks"][0].get("probe"), None);
    story.run("use").nothing_ran();
}

#[test]
fn a_probe_that_agrees_changes_nothing() {
    let story = machine();
    story.at(100).run("use").nothing_ran();
    assert!(story.times("vm") == 1 && story.exists("../asked"));
    // Nothing was done, so there is nothing to remember.
    assert_eq!(story.infra("history --json").last().json()["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_probe_never_confirms() {
    let story = machine();
    story.retask("echo vm >>", "echo  vm >>").at(100).run("vm").ran(["vm"]);
}

#[test]
fn an_answer_is_good_for_its_ttl() {
    let story = machine();
    story.at(100).run("use");
    let asked = story.read("../asked");
    story.at(110).run("use").nothing_ran();
    assert_eq!(story.read("../asked"), asked);
    story.at(200).run("use");
    assert_ne!(story.read("../asked"), asked);
}

#[test]
fn a_probe_that_cannot_tell_keeps_the_verdict_and_warns() {
    let story = machine();
    story.file("../unsure", "").remove("../up").at(100).run("use").nothing_ran();
    assert!(story.last().stdout.contains("notice"), "{}", story.last().stdout);
}

#[test]
fn a_probe_is_asked_before_an_artifact_is_put_back() {
    let story = Story::with(
        r#"
        [task.vm]
        outputs = ["build/ip"]
        shell = "echo vm >> ../log; touch ../up; echo 10.0.0.1 > build/ip"
        probe = { exec = ["test", "-e", "../up"] }
        "#,
    );
    story.run("vm").ran(["vm"]);
    story.remove("build/ip").run("vm").restored(["vm"]);
    // The file could be put back, the machine can't.
    story.remove("build/ip").remove("../up").run("vm").ran(["vm"]);
    story.because("vm", json!({"kind": "probe-disagrees"}));
    assert_eq!(story.times("vm"), 2);
}

#[test]
fn a_probe_is_not_asked_while_an_attempt_is_open() {
    let story = machine();
    story.retask("echo vm >> ../log;", "echo vm >> ../log; while test -e ../hold; do sleep 0.01; done;").at(100);
    let asked = story.path("../asked");
    story.file("../hold", "");
    let running = story.spawn("run vm");
    story.wait_for("the attempt", || story.times("vm") == 2);
    story.states_in("--probe", "vm=running").status_reason("vm", json!({"kind": "running-in"}));
    assert!(!asked.exists(), "asked");
    story.remove("../hold");
    assert_eq!(running.wait().code, Some(0));
    story.states_in("--probe", "vm=fresh");
    assert!(asked.exists());
}

#[test]
fn status_shows_the_last_answer_with_its_age() {
    let story = machine();
    story.at(100).run("use").nothing_ran();
    story.remove("../up").at(130);
    let seen = story.try_infra("status --json vm");
    assert_eq!(seen.json()["tasks"][0]["probe"]["agrees"], json!(true), "{}", seen.stdout);
    assert_eq!(seen.json()["tasks"][0]["state"], "fresh");
    let age = seen.json()["tasks"][0]["probe"]["age_seconds"].as_i64().unwrap();
    assert!((25..35).contains(&age), "{age}");
}
