//! `once`: what must not be repeated blindly is not.

use crate::support::Story;
use serde_json::json;

const ORDER: &str = r#"
    [task.order]
    effect = "once"
    inputs = ["order.txt"]
    shell = '''
    echo order >> ../log
    if test -e ../kill; then
      while test ! -s ../runner.pid; do sleep 0.01; done
      kill -9 $(cat ../runner.pid)
      sleep 0.2
    fi
    test ! -e ../fail
    '''
    undo = ["sh", "-c", "echo undone >> ../log"]

    [task.after]
    needs = ["order"]
    shell = "echo after >> ../log"

    [task.cancel]
    undo_of = "order"

    [task.free]
    shell = "echo free >> ../log"
"#;

fn order() -> Story {
    let story = Story::with(ORDER);
    story.file("order.txt", "one\n");
    story
}

fn killed() -> Story {
    let story = order();
    story.file("../kill", "");
    let seen = story.try_infra("run --json order");
    if seen.signal != Some(9) {
        seen.fail("the runner was to be killed");
    }
    story.remove("../kill");
    story
}

#[test]
fn a_stale_once_waits_for_a_person() {
    let story = order();
    story.run("after").ran(["order", "after"]);
    story.file("order.txt", "two\n").states("order=stale");
    story.run_to(4, "after").nothing_ran().states("order=stale");
    story
        .status_reason("order", json!({"kind": "started-once"}))
        .status_reason("order", json!({"kind": "input-changed", "path": "order.txt"}));
    assert_eq!(story.times("order"), 1);
}

#[test]
fn a_stale_once_holds_nothing_that_does_not_need_it() {
    let story = order();
    story.run("after");
    story.file("order.txt", "two\n").run("free").ran(["free"]);
    // Taken back, it is as it was.
    story.file("order.txt", "one\n").run("after").nothing_ran();
}

#[test]
fn a_once_that_never_started_runs() {
    order().run("order").ran(["order"]).run("order").fresh(["order"]);
}

#[test]
fn force_names_a_once_in_full() {
    let story = order();
    story.run("order");
    story.run("order --force").ran(["order"]).because("order", json!({"kind": "forced"}));
    // Not by what merely includes it.
    story.run("after --force").ran(["after"]).fresh(["order"]);
    story.try_infra("run --json ord* --force");
    assert_eq!(story.times("order"), 2);
}

#[test]
fn resolve_rerun_allows_one_more() {
    let story = order();
    story.run("order");
    story.file("order.txt", "two\n").run_to(4, "order").infra("resolve order --rerun");
    story.run("order").ran(["order"]);
    story.file("order.txt", "three\n").run_to(4, "order").nothing_ran();
    assert_eq!(story.times("order"), 2);
}

#[test]
fn a_failed_once_waits_too() {
    let story = order();
    story.file("../fail", "").run_to(1, "order").failed(["order"]);
    story.remove("../fail").run_to(4, "order").nothing_ran();
    story.infra("resolve order --rerun").run("order").ran(["order"]);
    assert_eq!(story.times("order"), 2);
}

#[test]
fn an_unknown_once_may_be_called_failed() {
    let story = killed();
    story.infra("resolve order --failed").states("order=failed");
    story.run("order").ran(["order"]);
    assert_eq!(story.times("order"), 2);
}

#[test]
fn an_unknown_once_may_be_run_again() {
    let story = killed();
    story.infra("resolve order --rerun").run("order").ran(["order"]);
    story.run("order").fresh(["order"]);
}

#[test]
fn an_undo_lets_a_once_run_again() {
    let story = order();
    story.run("order").run("cancel").ran(["cancel"]);
    story.states("order=stale").status_reason("order", json!({"kind": "undone-by"}));
    story.run("order").ran(["order"]);
    assert_eq!((story.times("order"), story.times("undone")), (2, 1));
}

#[test]
fn a_once_that_could_not_be_started_did_not_start() {
    let story = Story::with("[task.order]\neffect = \"once\"\nrun = [\"no-such-program\"]\n");
    assert_ne!(story.try_infra("run --json order").code, Some(0));
    story.program("no-such-program", "echo order >> ../log");
    story.run("order").ran(["order"]);
}

#[test]
fn retry_on_a_once_is_a_mistake() {
    let story = Story::with("[task.order]\neffect = \"once\"\nshell = \"true\"\nretry = { max = 1 }\n");
    story.infra_to(2, "check").says("retry");
    story.retask("retry = { max = 1 }", "").infra("check");
}

#[test]
fn a_stale_once_may_be_called_done() {
    let story = order();
    story.run("after").ran(["order", "after"]);
    story.file("order.txt", "two\n").run_to(4, "after").infra("resolve order --done");
    // A person vouches for it, so what needs it runs with it as it is now.
    story.states("order=fresh").run("after").ran(["after"]).fresh(["order"]);
    story.run("after").nothing_ran();
    assert_eq!(story.times("order"), 1);
}
