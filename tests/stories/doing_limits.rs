//! Limits of a task: timeout, grace, readiness; what it reads from and what it leaves behind.

use crate::support::{Story, alive};
use serde_json::json;
use std::time::{Duration, Instant};

fn failure(story: &Story, task: &str) -> serde_json::Value {
    let finished = story.last().events_of("task-finished");
    finished.into_iter().find(|event| event["task"] == task).unwrap_or_default()["failure"].clone()
}

#[test]
fn a_timeout_interrupts_once_and_kills_after_the_grace() {
    let story = Story::with(
        r#"
        [task.polite]
        timeout = "300ms"
        shell = "trap 'echo INT >> ../log; exit 1' INT; sleep 30 & wait"
        [task.deaf]
        timeout = "300ms"
        grace = "300ms"
        shell = "trap 'echo INT >> ../log' INT; while true; do sleep 0.05 || true; done"
        [task.quick]
        timeout = "20s"
        shell = "true"
        "#,
    );
    let since = Instant::now();
    story.run_to(1, "polite").failed(["polite"]);
    assert_eq!(story.times("INT"), 1);
    assert!(failure(&story, "polite")["message"].as_str().unwrap().contains("took longer than its timeout of 0.3 s"));
    story
        .file("../log", "")
        .run_to(1, "deaf")
        .failed(["deaf"])
        .says("its grace is over: killed with all that it started");
    assert_eq!(story.times("INT"), 1);
    assert!(since.elapsed() < Duration::from_secs(20));
    story.run("quick").ran(["quick"]);
    story.states("polite=failed deaf=failed");
}

#[test]
fn a_task_is_done_when_it_is_ready() {
    let story = Story::with(
        r#"
        [task.up]
        shell = "(sleep 0.4; touch ../there) > /dev/null 2>&1 < /dev/null & echo $! > ../pid; sleep 0.1; exec true"
        ready = [{ exec = ["test", "-e", "../up"], within = "5s" }]
        [task.never]
        shell = "true"
        ready = [{ tcp = "127.0.0.1:1", within = "300ms" }]
        "#,
    );
    story.file("../up", "").run("up").ran(["up"]).says("waiting for it to be ready");
    story.remove("../up").retask("shell = \"true\"", "shell = \"echo never\"");
    story.run_to(1, "never").failed(["never"]);
    let message = failure(&story, "never")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("127.0.0.1:1") && message.contains("0.3 s"), "{message}");
    assert!(!message.contains("os error"), "{message}");
}

#[test]
fn stdin_is_closed() {
    let story =
        Story::with("[task.t]\nshell = \"if read x; then echo got >> ../log; else echo closed >> ../log; fi\"\n");
    story.run("t");
    assert_eq!(story.read("../log"), "closed\n");
}

#[test]
fn an_interrupt_that_an_interactive_tool_gets_is_meant_for_the_run() {
    let story = Story::with(
        r#"
        [task.ask]
        interactive = true
        run = ["sh", "-c", "echo asking; exec sleep 20"]
        [task.later]
        after = ["ask"]
        shell = "echo later >> ../log"
        "#,
    );
    let seen = story.typed("run -k ask later -j1", &[("asking", "\u{3}")]);
    assert_eq!(seen.code, Some(130), "{seen:?}");
    story.stdout_has("interrupted ask").states("later=stale");
    assert_eq!(story.times("later"), 0);
}

#[test]
fn without_a_terminal_an_interactive_task_runs_like_every_other() {
    let story = Story::with(
        "[task.t]\ninteractive = true\nshell = \"echo hello; if read x; then echo got; else echo closed; fi\"\n",
    );
    story.run("t").ran(["t"]).says("there is no terminal to hand to it");
    let lines: Vec<_> = story.last().events_of("task-output").iter().map(|event| event["line"].clone()).collect();
    assert_eq!(lines, [json!("hello"), json!("closed")]);
    story.infra("logs t").stdout_has("hello\nclosed\n");
}

#[test]
fn what_a_task_leaves_behind_holds_nobody_up_and_is_ended() {
    let story = Story::with(
        r#"
        [task.t]
        shell = "sleep 60 & echo $! > ../pid; echo done"
        [task.away]
        shell = "setsid sh -c 'echo $$ > ../pid; sleep 60' & while test ! -s ../pid; do sleep 0.01; done; echo done"
        "#,
    );
    for task in ["t", "away"] {
        let since = Instant::now();
        story.run(task).ran([task]).says("that it left behind");
        assert!(since.elapsed() < Duration::from_secs(10), "{task}");
        let pid = story.read("../pid").trim().parse().unwrap();
        assert!(!alive(pid), "{task}");
        story.remove("../pid");
    }
}

#[test]
fn a_task_gets_its_own_environment_and_nothing_else() {
    let story = Story::with(
        r#"
        [task.t]
        env = { OWN = "1" }
        pass_env = ["PASSED"]
        shell = "env | sort > ../env; test -d $INFRA_TMP; test -w $INFRA_EXPORTS || test ! -e $INFRA_EXPORTS"
        "#,
    );
    story.env("PASSED", "2").env("LEAKED", "canary-leak").env("AWS_PROFILE", "prod").run("t");
    let env = story.read("../env");
    for line in ["OWN=1", "PASSED=2", "INFRA_TASK=t", "INFRA_RUN=1", "INFRA_ATTEMPT=1", "INFRA_ENV=local"] {
        assert!(env.lines().any(|one| one == line), "{line}: {env}");
    }
    assert!(!env.contains("LEAKED") && !env.contains("AWS_PROFILE"), "{env}");
}
