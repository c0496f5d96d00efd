//! What runs when: places, pools, path locks, the longest path first, further tries.

use crate::support::Story;
use serde_json::json;

/// Appends `begin NAME` and `end NAME` around a pause.
fn busy(name: &str, seconds: &str) -> String {
    format!("echo begin-{name} >> ../log; sleep {seconds}; echo end-{name} >> ../log")
}

#[test]
fn a_pool_limits_those_that_name_it_and_nobody_else() {
    let story = Story::with(
        r#"
        [task.api]
        foreach = ["1", "2", "3", "4"]
        pool = "api"
        shell = '''
        mkdir -p ../now; touch ../now/{{ item }}
        ls ../now | wc -l >> ../most
        sleep 0.2; rm ../now/{{ item }}
        '''
        [task.free]
        foreach = ["1", "2"]
        shell = "echo free-{{ item }} >> ../log"
        "#,
    );
    story.project("[pools]\napi = 2\n").run("api free -j 6");
    let most: Vec<u32> = story.read("../most").lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(most.iter().max(), Some(&2), "{most:?}");
    story.project("[pools]\napi = 1\n").file("../most", "").run("api -j 6 --force");
    assert!(story.read("../most").lines().all(|line| line.trim() == "1"), "{}", story.read("../most"));
    story.retask("pool = \"api\"", "pool = \"ap\"").infra_to(2, "check").stderr_has("did you mean `api`?");
}

#[test]
fn the_longest_remaining_path_goes_first_once_it_is_known() {
    let story = Story::with(&format!(
        "[task.short]\nshell = \"\"\"{}\"\"\"\n[task.long]\nshell = \"\"\"{}\"\"\"\n[task.head]\nshell = \"\"\"{}\"\"\"\n[task.tail]\nneeds = [\"head\"]\nshell = \"\"\"{}\"\"\"\n",
        busy("short", "0.05"),
        busy("long", "0.3"),
        busy("head", "0.05"),
        busy("tail", "0.6"),
    ));
    // Without a history, as declared, but for what has something behind it.
    story.run("short long tail -j 1").order(["head", "short", "long", "tail"]);
    // With one, what leads to the latest end.
    story.run("short long head tail -j 1 --force").order(["head", "tail", "long", "short"]);
}

#[test]
fn a_further_try_waits_for_a_place_in_its_pool() {
    let story = Story::with(
        r#"
        [task.again]
        pool = "one"
        retry = { max = 1, backoff = "100ms..100ms" }
        shell = "echo begin-again >> ../log; if test ! -e ../tried; then touch ../tried; exit 1; fi"
        [task.other]
        pool = "one"
        shell = "echo begin-other >> ../log; sleep 0.6; echo end-other >> ../log"
        "#,
    );
    story.project("[pools]\none = 1\n").run("again other -j 4").ran(["again", "other"]);
    assert_eq!(story.read("../log"), "begin-again\nbegin-other\nend-other\nbegin-again\n");
}

#[test]
fn retry_tries_again_when_it_should() {
    let story = Story::with(
        r#"
        [task.flaky]
        retry = { max = 3, backoff = "10ms..40ms", when = ["connection refused"] }
        shell = '''
        echo try >> ../log
        if test $(grep -c try ../log) -lt 3; then echo "connection refused" >&2; exit 1; fi
        test ! -e ../broken || { echo "no such host" >&2; exit 2; }
        '''
        "#,
    );
    story.run("flaky").ran(["flaky"]);
    assert_eq!((story.times("try"), story.last().events_of("task-started").len()), (3, 3));
    assert_eq!(story.last().events_of("task-finished").len(), 1);
    let notices = story.last().events_of("task-notice");
    assert!(notices[0]["message"].as_str().unwrap().contains("try 1 of 4 failed"), "{notices:?}");
    // Another mistake is not tried again.
    story.file("../broken", "").run_to(1, "flaky --force").failed(["flaky"]);
    assert_eq!(story.last().events_of("task-started").len(), 1);
    // Each try has its log.
    story.infra("history flaky --json");
    assert_eq!(story.last().json()["attempts"].as_array().unwrap().len(), 4);
    story.infra("logs --attempt 1").stdout_has("connection refused");
}

#[test]
fn after_another_failure_nothing_is_tried_again() {
    let story = Story::with(
        r#"
        [task.flaky]
        retry = { max = 3, backoff = "60s..60s" }
        shell = "touch ../tried; echo refused; exit 7"
        [task.bad]
        shell = "while test ! -e ../tried; do sleep 0.01; done; sleep 0.1; exit 1"
        "#,
    );
    story.run_to(1, "flaky bad -j 2").failed(["flaky", "bad"]);
    let finished = story.last().events_of("task-finished");
    let flaky = finished.iter().find(|event| event["task"] == "flaky").unwrap();
    assert_eq!(flaky["failure"]["exit_code"], 7, "its last try is what is told: {flaky}");
}

#[test]
fn two_environments_take_turns_at_one_path() {
    let story = Story::with(
        r#"
        [task.write]
        outputs = ["build/one"]
        shell = '''
        echo begin-{{ env.name }} >> ../log; touch ../began-{{ env.name }}
        if test {{ env.name }} = local; then while test ! -e ../go; do sleep 0.02; done; fi
        echo {{ env.name }} > build/one
        echo end-{{ env.name }} >> ../log
        '''
        [task.beside]
        shell = "echo beside-{{ env.name }} >> ../log"
        "#,
    );
    story.project("[env.local]\n[env.dev]\n");
    let first = story.spawn("run write");
    story.wait_for_file("../began-local");
    let mut second = story.spawn("run write beside -e dev -j 2");
    // What does not write there does not wait.
    second.until("waiting: `infra run write` (process").until("beside");
    story.wait_for("the task beside it", || story.times("beside-dev") == 1);
    assert!(second.lives());
    story.file("../go", "");
    assert_eq!((first.wait().code, second.wait().code), (Some(0), Some(0)));
    let log = story.read("../log");
    let place = |word: &str| log.find(word).unwrap_or_else(|| panic!("{word}: {log}"));
    assert!(place("end-local") < place("begin-dev"), "{log}");
}

#[test]
fn an_interrupt_is_heard_while_a_task_waits_for_a_path() {
    let story = Story::with(
        "[task.write]\noutputs = [\"out\"]\nshell = \"touch ../began-{{ env.name }}; while test ! -e ../go; do sleep 0.02; done; echo > out\"\n",
    );
    story.project("[env.local]\n[env.dev]\n");
    let first = story.spawn("run write");
    story.wait_for_file("../began-local");
    let mut second = story.spawn("run write -e dev");
    second.until("waiting: `infra run write`");
    second.signal("INT");
    let seen = second.wait();
    assert_eq!(seen.code, Some(130), "{seen:?}");
    story.file("../go", "").absent("../began-dev");
    assert_eq!(first.wait().code, Some(0));
}

#[test]
fn one_run_at_a_time_and_readers_are_not_held_up() {
    let story = Story::with(
        "[task.a]\nshell = \"touch ../in; while test ! -e ../go; do sleep 0.02; done\"\n[task.b]\nshell = \"true\"\n",
    );
    story.project("[env.local]\n[env.dev]\n");
    let first = story.spawn("run a");
    story.wait_for_file("../in");
    let refused = story.infra_to(3, "run b").last().stderr;
    for text in
        ["environment `local` is held by `infra run a` (process ", "since 20", "UTC", " ago", "`--wait` waits for it"]
    {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    let json = story.infra_to(3, "run b --json").last().json();
    assert_eq!(json["error"]["exit"], 3);
    story.states("a=running b=stale").status_reason("a", json!({"kind": "running-in", "run": 1}));
    for words in ["status", "plan a", "why a", "list", "graph", "history", "outputs", "check", "logs a", "history a"] {
        story.infra(words);
    }
    story.infra("history").stdout_has("not ended").infra("why a").stdout_has("running");
    story.infra_to(3, "resolve a --done").stderr_has("wait until it ends").infra_to(3, "destroy --yes");
    // Another environment is another thing.
    story.run("b -e dev").ran(["b"]);
    story.file("../go", "");
    assert_eq!(first.wait().code, Some(0));
    story.states("a=fresh");
}
