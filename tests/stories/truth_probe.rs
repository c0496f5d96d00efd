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

/// A module with two machines, and a task that is built on them.
fn terraformed(terraform: &str) -> Story {
    let story = Story::with(
        r#"
        [task.vm]
        terraform = { dir = "tf", vars = { size = 2 } }
        probe = { kind = true }

        [task.use]
        needs = ["vm"]
        shell = "echo use >> ../log"
        "#,
    );
    story.file(
        "tf/main.tf",
        r#"
        variable "size" { type = number }
        resource "terraform_data" "vm" {
          count = 2
          input = var.size
        }
        "#,
    );
    story.terraform();
    if !terraform.is_empty() {
        let real = std::fs::read_link(story.base().join("bin/terraform")).expect("the real one");
        story.remove("../bin/terraform");
        story.program("terraform", &format!("real={}\n{terraform}\nexec \"$real\" \"$@\"", real.display()));
    }
    story.at(0).run("use").ran(["vm", "use"]);
    story
}

#[test]
fn terraforms_own_probe_sees_what_somebody_destroyed_by_hand() {
    let story = terraformed("");
    let before = story.tree();
    story.at(100).states_in("--probe", "vm=fresh use=fresh");
    assert_eq!(story.tree(), before, "a look writes nothing");
    story.run("use").nothing_ran();

    let mut by_hand = story.command_of("terraform", &["-chdir=tf", "state", "rm", "terraform_data.vm[1]"]);
    let done = by_hand.env("TF_DATA_DIR", story.path(".infra/env/local/vm/data")).output().expect("it starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    story.states_in("--probe", "vm=stale use=deferred");
    story
        .run("use")
        .ran(["vm", "use"])
        .because("vm", json!({"kind": "probe-disagrees", "message": "no longer in the state: terraform_data.vm[1]"}));
    story.run("use").nothing_ran();
}

#[test]
fn terraforms_own_probe_sees_what_is_gone_from_the_world() {
    // What a provider finds gone can't be had from `terraform_data`: here a stand-in says it.
    let story = terraformed(
        r#"
        if [ "$1 $2" = "plan -refresh-only" ] && [ -e ../../gone ]; then
          echo '{"type":"resource_drift","change":{"action":"delete","resource":{"addr":"terraform_data.vm[0]"}}}'
          exit 0
        fi
        [ "$1 $2" != "plan -refresh-only" ] || [ ! -e ../../broken ] || { echo 'Error: no route to host' >&2; exit 1; }
        "#,
    );
    story.at(100).run("use").nothing_ran();
    // It can't tell: nothing is voided, and that is said.
    story.file("../broken", "").run("use").nothing_ran();
    story.run_plain("use").says("no route to host");
    story.remove("../broken").file("../gone", "");
    story
        .run("vm")
        .ran(["vm"])
        .because("vm", json!({"kind": "probe-disagrees", "message": "no longer there: terraform_data.vm[0]"}));
}

#[test]
fn a_kind_without_a_probe_says_so() {
    let story = Story::with("[task.a]\nrun = [\"true\"]\nprobe = { kind = true }\n");
    story.infra_to(2, "check").says("the kind `run` has no probe of its own");
}
