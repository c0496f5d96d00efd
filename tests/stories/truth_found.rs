//! Rules that random stories (`tests/model`) found broken, each as small as it can be told.

use crate::support::Story;
use serde_json::json;

/// A pure task that needs another; both say in `../log` that they ran.
const PURE: &str = r#"
    [task.low]
    effect = "pure"
    inputs = ["in"]
    outputs = ["out/low"]
    shell = "echo low >> ../log; cat in > out/low"

    [task.high]
    effect = "pure"
    inputs = ["own", "out/low"]
    outputs = ["out/high"]
    shell = "echo high >> ../log; cat own out/low > out/high"
"#;

#[test]
fn a_pure_task_that_an_old_record_may_still_fit_has_no_reason_of_its_own() {
    let story = Story::with(PURE);
    story.file("in", "1").file("own", "1").run("high").file("own", "2").run("high");
    // Back to what the first record was made of, and something new upstream: what that makes is not known.
    story.file("own", "1").file("in", "1 ").states("low=stale high=deferred");
    story.retask("cat in > out/low", "tr -d ' ' < in > out/low").run("high").ran(["low"]).restored(["high"]);
    assert_eq!(story.times("high"), 2);
}

#[test]
fn a_pure_record_of_another_environment_may_fit_before_upstream_is_known() {
    let story = Story::with(PURE);
    story.project("[env.local]\n[env.dev]\n").retask("[\"in\"]\n", "[\"in\", \"in-{{ env.name }}\"]\n");
    story.file("in", "1").file("in-local", "").file("in-dev", " ").file("own", "1").run("high");
    story.states_in("-e dev", "low=stale high=deferred").run("high -e dev").ran(["low"]).fresh(["high"]);
}

#[test]
fn lost_outputs_are_no_reason_while_another_record_may_fit() {
    let story = Story::with(PURE);
    story.file("in", "1").file("own", "1").run("high").file("in", "2").run("high");
    story.file("in", "1 ").remove(".infra/cas").file("out/high", "11");
    story.states("low=stale high=deferred").status_reason("high", json!({"kind": "upstream-not-fresh", "task": "low"}));
}

#[test]
fn what_is_no_longer_declared_is_a_reason_while_upstream_is_not_known() {
    let story = Story::with(
        r#"
        [task.low]
        inputs = ["in"]
        exports = { k = "int" }
        shell = "echo k=1 > $INFRA_EXPORTS"

        [task.high]
        inputs = ["own"]
        exports = { k = "int" }
        env = { K = "{{ tasks.low.k }}" }
        shell = "echo k=2 > $INFRA_EXPORTS"
        "#,
    );
    story.file("in", "1").file("own", "1").run("high").file("in", "2");
    story.states("low=stale high=deferred");
    story.retask("inputs = [\"own\"]\nexports = { k = \"int\" }", "inputs = [\"own\"]");
    story.states("high=stale").status_reason("high", json!({"kind": "action-changed", "field": "exports.k"}));
}

#[test]
fn a_family_that_is_renamed_keeps_the_records_of_its_keys() {
    let story = Story::with("[task.host]\nforeach = [\"a\", \"b\"]\nshell = \"echo {{ item }} >> ../log\"\n");
    story.run("host").retask("[task.host]\n", "[task.node]\nwas = [\"host\"]\n");
    story.states("node[a]=fresh node[b]=fresh host[a]=none").run("node").nothing_ran();
    assert_eq!((story.times("a"), story.times("b")), (1, 1));
}

const NEEDS: &str = r#"
    [task.low]
    effect = "pure"
    outputs = ["out/low"]
    shell = "echo 1 > out/low"

    [task.high]
    needs = ["low"]
    shell = "cat out/low >> ../seen"
"#;

#[test]
fn who_needs_a_task_that_is_left_out_sees_it_as_recorded() {
    for words in ["--only high --force", "high --skip low --force"] {
        let story = Story::with(NEEDS);
        story.run("high").file("out/low", "meddled\n").run(words).ran(["high"]);
        assert_eq!(story.read("../seen"), "1\n1\n", "{words}");
    }
}

#[test]
fn a_lost_artifact_of_a_task_that_is_left_out_refuses_plan_and_run() {
    let story = Story::with(NEEDS);
    story.run("high").file("out/low", "meddled\n").remove(".infra/cas");
    story.infra_to(5, "plan --only high --force").infra_to(5, "run --only high --force").says("out/low");
    story.run_to(5, "high --skip low --force").skipped(["low", "high"]);
    assert_eq!(story.read("../seen"), "1\n");
}

#[test]
fn what_failed_is_not_built_on() {
    let story = Story::with(PURE);
    story.file("in", "1").file("own", "1").run("high");
    // Its record is of other inputs, so the failure leaves it standing; but it failed.
    story.file("in", "2").retask("cat in >", "grep 1 in >").run_to(1, "low").failed(["low"]);
    story.infra_to(5, "plan --only high").infra_to(5, "run --only high").says("`low`, which failed");
    story.run_to(5, "high --skip low").skipped(["low", "high"]);
}

#[test]
fn what_is_fresh_by_an_old_record_is_left_out_as_such() {
    let story = Story::with(PURE);
    story.file("in", "1").file("own", "1").run("high").file("in", "2").run("low").file("in", "1");
    // Not by its newest record, which is of other inputs.
    story.run("high --skip low").skipped(["low"]).fresh(["high"]).holds("out/low", "1");
}

#[test]
fn a_once_that_is_called_failed_is_not_believed_again() {
    let story = Story::with("[task.order]\neffect = \"once\"\ninputs = [\"in\"]\nshell = \"echo order >> ../log\"\n");
    story.file("in", "1").run("order").file("in", "2").infra("resolve order --failed").states("order=failed");
    // An edit and back makes it no success.
    story.file("in", "1").states("order=failed").run("order").ran(["order"]);
}

#[test]
fn what_is_left_out_is_not_forced() {
    let story = Story::with(NEEDS);
    let seen = story.try_infra("plan --json low high --skip low --force");
    let tasks = seen.json()["tasks"].clone();
    assert_eq!((tasks[0]["name"].clone(), tasks[0]["reasons"].clone()), (json!("low"), json!([{"kind": "never-ran"}])));
}

/// A task that ends its runner when told to, and fails when told to.
const CUT: &str = r#"
    [task.cut]
    effect = "EFFECT"
    inputs = ["in"]
    outputs = ["out/x"]
    shell = '''
    test ! -e ../fail
    if test -e ../kill; then
      while test ! -s ../runner.pid; do sleep 0.01; done
      kill -9 $(cat ../runner.pid) $$
    fi
    cat in > out/x
    '''
    undo = ["rm", "-f", "../up"]

    [task.down]
    undo_of = "cut"
"#;

fn cut(effect: &str) -> Story {
    let story = Story::with(&CUT.replace("EFFECT", effect));
    story.file("in", "1");
    story
}

fn killed(story: &Story, words: &str) {
    story.file("../kill", "");
    let seen = story.try_infra(&format!("run --json {words}"));
    assert_eq!(seen.signal, Some(9), "{}{}", seen.stdout, seen.stderr);
    story.remove("../kill");
}

#[test]
fn what_was_taken_back_is_not_unknown() {
    let story = cut("once");
    killed(&story, "cut");
    story.states("cut=unknown").run("down").ran(["down"]).states("cut=stale");
    story.run("cut").ran(["cut"]);
}

#[test]
fn a_cut_after_a_failure_is_said() {
    let story = cut("idempotent");
    story.run("cut").file("../fail", "").run_to(1, "cut --force").remove("../fail");
    killed(&story, "cut");
    story.states("cut=stale").status_reason("cut", json!({"kind": "interrupted"}));
}

#[test]
fn reading_sees_what_the_next_run_puts_back() {
    let story = cut("pure");
    story.run("cut").file("in", "2");
    killed(&story, "cut");
    // What it had made of the first text was moved aside, and goes back before anything is judged.
    story.absent("out/x").file("in", "1").states("cut=fresh").absent("out/x");
    story.run("cut").nothing_ran().holds("out/x", "1");
}

#[test]
fn a_failure_over_other_inputs_does_not_keep_an_output_from_being_put_back() {
    let story = cut("pure");
    story.run("cut").file("in", "2").file("../fail", "").run_to(1, "cut").remove("../fail").file("in", "1");
    story.remove("out/x").states("cut=restorable").run("cut").restored(["cut"]).holds("out/x", "1");
}

/// One thing upon another; undoing the lower one first fails.
const STACK: &str = r#"
    [task.net]
    shell = "touch ../net"
    undo = ["sh", "-c", "test ! -e ../vm; rm ../net"]

    [task.look]
    effect = "read"
    needs = ["net"]
    shell = "true"

    [task.vm]
    needs = ["look"]
    shell = "touch ../vm"
    undo = ["rm", "../vm"]

    [task.down]
    undo_of = ["net", "vm"]
"#;

#[test]
fn what_was_built_on_an_orphan_is_taken_back_before_it() {
    let story = Story::with(STACK);
    story
        .run("vm")
        .retask("[task.net]\n", "[task.lan]\n")
        .retask("needs = [\"net\"]\n", "")
        .retask("[\"net\", \"vm\"]", "[\"vm\"]");
    story.states("net=orphaned").infra("destroy --yes");
    assert!(!story.exists("../net") && !story.exists("../vm"));
}

#[test]
fn an_undo_goes_by_what_was_built_on_what() {
    let story = Story::with(STACK);
    // The edge is gone from the declaration; what is there was built with it.
    story.run("vm").retask("needs = [\"look\"]\n", "").run("down").ran(["down"]);
    assert!(!story.exists("../net") && !story.exists("../vm"));
}

#[test]
fn a_probe_says_nothing_of_what_was_made_after_it() {
    let story = Story::with(
        "[task.vm]\nshell = \"echo vm >> ../log; touch ../up\"\nprobe = { exec = [\"test\", \"-e\", \"../up\"], ttl = \"1h\" }\n",
    );
    story.at(1000).run("vm").remove("../up").run("vm").ran(["vm"]).remove("../up");
    assert_eq!(story.times("vm"), 2);
    // The clock is set back: what was asked before still came before.
    story.at(5000).run("vm").ran(["vm"]).at(100).run("vm --force").ran(["vm"]).run("vm").nothing_ran();
}
