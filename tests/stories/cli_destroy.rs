//! `infra destroy` and `infra resolve`: every flag of their help.

use crate::support::Story;
use serde_json::json;

/// vm ← app, each undone by name; `files` is pure and has nothing to take back.
fn built() -> Story {
    let story = Story::with(
        r#"
        [task.vm]
        shell = "echo vm >> ../log"
        undo = ["sh", "-c", "echo undo-vm >> ../log; test ! -e ../fail"]
        [task.app]
        needs = ["vm"]
        shell = "echo app >> ../log"
        undo = ["sh", "-c", "echo undo-app >> ../log"]
        [task.other]
        shell = "echo other >> ../log"
        undo = ["sh", "-c", "echo undo-other >> ../log"]
        [task.files]
        effect = "pure"
        outputs = ["f"]
        shell = "echo f > f"
        "#,
    );
    story.run("app other files");
    story
}

#[test]
pub fn destroy_undoes_everything_on_record_in_reverse() {
    let story = built();
    story.infra("destroy --yes");
    let log = story.read("../log");
    let place = |word: &str| log.lines().position(|line| line == word).unwrap_or_else(|| panic!("{word}: {log}"));
    assert!(place("undo-app") < place("undo-vm") && place("undo-other") > 0, "{log}");
    story.states("vm=stale app=stale other=stale files=fresh").status_reason("vm", json!({"kind": "undone-by"}));
    // The history tells it from a run.
    let runs = story.infra("history --json").last().json();
    assert_eq!((&runs["runs"][0]["command"], &runs["runs"][1]["command"]), (&json!("destroy"), &json!("run")));
    story.infra("history").stdout_has("  destroy  ").stdout_has("  run      app, other, files");
    // Again: there is nothing left.
    story.infra("destroy --yes").says("nothing on record to undo in `local`");
    assert_eq!(story.times("undo-vm"), 1);
}

#[test]
pub fn destroy_takes_targets_and_what_was_built_on_them() {
    let story = built();
    story.infra("destroy other --yes").states("other=stale vm=fresh app=fresh");
    story.infra("destroy vm --yes").states("vm=stale app=stale");
    assert!(story.read("../log").ends_with("undo-app\nundo-vm\n"), "{}", story.read("../log"));
    story.infra_to(2, "destroy nope --yes").stderr_has("nope");
}

#[test]
pub fn destroy_asks_and_refuses_where_nobody_can_answer() {
    let story = built();
    story.infra_to(5, "destroy").stderr_has("app, vm").stderr_has("nobody can be asked here").stderr_has("--yes");
    assert_eq!(story.times("undo-vm"), 0);
    story.states("vm=fresh");
}

#[test]
pub fn orphans_undoes_only_what_is_no_longer_declared() {
    let story = built();
    let tasks = story.read("tasks/t.toml");
    let end = tasks.find("[task.other]").unwrap();
    let files = tasks.find("[task.files]").unwrap();
    story.file("tasks/t.toml", &format!("{}{}", &tasks[..end], &tasks[files..]));
    story.states("other=orphaned").infra("status").stdout_has("`infra destroy --orphans`");
    story.infra("destroy --orphans --yes").states("other=none vm=fresh app=fresh");
    assert_eq!((story.times("undo-other"), story.times("undo-vm")), (1, 0));
    story.infra("destroy --orphans --yes").says("nothing on record to undo");
    story.infra_to(2, "destroy vm --orphans").stderr_has("cannot be used with");
}

#[test]
pub fn a_half_done_destroy_can_be_run_again() {
    let story = built();
    story.file("../fail", "").infra_to(1, "destroy vm --yes").says("undo");
    let seen = story.last();
    assert!(!seen.stderr.contains("--resume"), "a teardown is not resumed by `run`: {}", seen.stderr);
    story.says("the same `infra destroy` again").states("vm=stale app=stale");
    story.remove("../fail").infra("destroy vm --yes").states("vm=stale app=stale");
    assert_eq!((story.times("undo-app"), story.times("undo-vm")), (1, 2));
}

#[test]
pub fn destroy_waits_for_another_run_when_told_so() {
    let story = built();
    let first = crate::cli_run::holding(&story);
    story.infra_to(3, "destroy other --yes").stderr_has("is held by `infra run hold`");
    let mut waiting = story.spawn("destroy other --yes --wait");
    waiting.until("waiting: environment `local` is held");
    story.file("../go", "");
    assert_eq!((first.wait().code, waiting.wait().code, story.times("undo-other")), (Some(0), Some(0), 1));
}

#[test]
pub fn destroy_tells_machines_what_it_did() {
    let story = built();
    let seen = story.infra("destroy --yes --json").last();
    assert!(seen.events().iter().all(|event| event["v"] == 1), "{seen:?}");
    assert_eq!(seen.events_of("run-finished")[0]["outcome"], "ran");
    let none = story.infra("destroy --yes --json").last();
    assert!(none.events().iter().all(|event| event["v"] == 1), "{none:?}");
}

/// A `once` task whose runner was killed.
fn unknown() -> Story {
    let story = Story::with(
        r#"
        [task.order]
        effect = "once"
        outputs = ["receipt"]
        shell = '''
        echo order >> ../log
        echo receipt > receipt
        if test -e ../kill; then
          while test ! -s ../runner.pid; do sleep 0.01; done
          kill -9 $(cat ../runner.pid)
          sleep 0.3
        fi
        '''
        [task.after]
        needs = ["order"]
        shell = "echo after >> ../log"
        "#,
    );
    story.file("../kill", "");
    assert_eq!(story.try_infra("run order").signal, Some(9));
    story.remove("../kill");
    story.run_to(4, "after").nothing_ran().says("infra resolve order --done");
    story
}

#[test]
pub fn done_counts_as_done() {
    let story = unknown();
    story.infra("resolve order --done --reason checked").says("`order`: counts as done");
    story.run("after").ran(["after"]).fresh(["order"]);
    story.infra("history order").stdout_has("checked");
    assert_eq!(story.times("order"), 1);
    // What is not there can't be vouched for.
    let story = unknown();
    story
        .remove("receipt")
        .infra_to(5, "resolve order --done")
        .stderr_has("its output `receipt` is not there")
        .stderr_has("--rerun");
}

#[test]
pub fn failed_counts_as_failed() {
    let story = unknown();
    story.infra("resolve order --failed").says("counts as failed").states("order=failed");
    story.run("after").ran(["order", "after"]);
}

#[test]
pub fn rerun_lets_it_run_once_more() {
    let story = unknown();
    story.infra("resolve order --rerun").run("after").ran(["order", "after"]);
    assert_eq!(story.times("order"), 2);
    // Once: the next time it is asked about again.
    story.retask("echo receipt", "echo RECEIPT").run_to(4, "after").nothing_ran();
}

#[test]
pub fn resolve_says_what_it_can_not_do() {
    let story = unknown();
    story.infra_to(2, "resolve order").stderr_has("--done|--failed|--rerun|--accept-state|--undone");
    story.infra_to(2, "resolve order --done --failed").stderr_has("cannot be used with");
    story.infra_to(2, "resolve ordre --done").stderr_has("did you mean `order`?");
    story.infra_to(2, "resolve after --done").stderr_has("`after` never ran in `local`");
}

#[test]
pub fn resolve_says_so_where_nothing_is_in_doubt() {
    let story = Story::with("[task.t]\nshell = \"echo t >> ../log\"\n");
    story.run("t");
    story.infra_to(2, "resolve t --rerun").stderr_has("nothing to resolve").states("t=fresh");
    story.infra_to(2, "resolve t --failed").stderr_has("nothing to resolve").states("t=fresh");
    story.infra_to(2, "resolve t --accept-state").stderr_has("has no state");
}
