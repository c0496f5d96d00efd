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
