//! The four effects: which record may be believed, and what a crash leaves.

use crate::support::Story;
use serde_json::json;

/// Each says in `../log` that it ran; `../fail-NAME` makes it fail.
const FOUR: &str = r#"
    [task.pure]
    effect = "pure"
    inputs = ["in.txt"]
    outputs = ["build/pure.txt"]
    shell = "echo pure >> ../log; tr a-z A-Z < in.txt > build/pure.txt; test ! -e ../fail-pure"

    [task.read]
    effect = "read"
    ttl = "60s"
    inputs = ["in.txt"]
    shell = "echo read >> ../log; test ! -e ../fail-read"

    [task.idem]
    inputs = ["in.txt"]
    shell = "echo idem >> ../log; test ! -e ../fail-idem"

    [task.once]
    effect = "once"
    shell = "echo once >> ../log"
"#;

fn four() -> Story {
    let story = Story::with(FOUR);
    story.file("in.txt", "one\n").at(0);
    story
}

#[test]
fn a_second_run_executes_nothing() {
    let story = four();
    story.run("*").ran(["pure", "read", "idem", "once"]).because("pure", json!({"kind": "never-ran"}));
    story.run("*").nothing_ran().fresh(["pure", "read", "idem", "once"]);
    story.states("pure=fresh read=fresh idem=fresh once=fresh");
    assert_eq!(story.times("idem"), 1);
}

#[test]
fn a_pure_task_comes_back_to_an_old_record() {
    let story = four();
    story.run("pure").ran(["pure"]);
    story.file("in.txt", "two\n").run("pure").ran(["pure"]).holds("build/pure.txt", "TWO\n");
    // As after `git checkout` and back.
    story.file("in.txt", "one\n").states("pure=restorable");
    story.run("pure").restored(["pure"]).holds("build/pure.txt", "ONE\n");
    story.file("in.txt", "two\n").run("pure").restored(["pure"]).holds("build/pure.txt", "TWO\n");
    assert_eq!(story.times("pure"), 2);
}

#[test]
fn an_idempotent_task_believes_only_its_newest_record() {
    let story = four();
    story.run("idem").ran(["idem"]);
    story.file("in.txt", "two\n").run("idem").ran(["idem"]);
    story
        .file("in.txt", "one\n")
        .run("idem")
        .ran(["idem"])
        .because("idem", json!({"kind": "input-changed", "path": "in.txt"}));
    story.run("idem").fresh(["idem"]);
    assert_eq!(story.times("idem"), 3);
}

#[test]
fn an_edit_taken_back_before_a_run_reruns_nothing() {
    let story = four();
    story.run("*");
    story.file("in.txt", "two\n").states("pure=stale read=stale idem=stale once=fresh");
    story.file("in.txt", "one\n").run("*").nothing_ran();
}

#[test]
fn a_pure_record_of_another_environment_is_believed() {
    let story = four();
    story.project("[env.local]\n[env.dev]\n");
    story.run("pure idem");
    story.run("pure idem -e dev").fresh(["pure"]).ran(["idem"]);
    assert_eq!(story.times("pure"), 1);
}

#[test]
fn a_record_that_is_not_pure_stays_in_its_environment() {
    let story = four();
    story.project("[env.local]\n[env.dev]\n");
    story.run("*");
    story.run("read idem once -e dev").ran(["read", "idem", "once"]).because("idem", json!({"kind": "never-ran"}));
    story.run("read idem once").nothing_ran();
    story.run("read idem once -e dev").nothing_ran();
}

#[test]
fn a_failed_attempt_voids_the_pure_records_with_its_fingerprint() {
    let story = four();
    story.run("pure");
    story.file("../fail-pure", "").run_to(1, "pure --force").failed(["pure"]);
    story.states("pure=failed");
    story.remove("../fail-pure").run("pure").ran(["pure"]).because("pure", json!({"kind": "last-attempt-failed"}));
    story.run("pure").fresh(["pure"]);
}

#[test]
fn a_failed_attempt_leaves_pure_records_with_another_fingerprint() {
    let story = four();
    story.run("pure");
    story.file("../fail-pure", "").file("in.txt", "two\n").run_to(1, "pure").failed(["pure"]);
    // An edit and back, a failure in between: what was true for the first text is still true.
    story.file("in.txt", "one\n").run("pure").nothing_ran().holds("build/pure.txt", "ONE\n");
}

#[test]
fn a_failure_in_between_voids_an_idempotent_record() {
    let story = four();
    story.project("[vars]\nsize = 1\n");
    story.tasks("[task.idem]\nshell = \"echo idem >> ../log; test {{ vars.size }} = 1\"\n[task.other]\nshell = \"echo other\"\n");
    story.run("*");
    story.edit("infra.toml", "size = 1", "size = 2").run_to(1, "idem").failed(["idem"]);
    story.states("idem=failed other=fresh");
    story.edit("infra.toml", "size = 2", "size = 1").states("idem=failed");
    story.run("*").ran(["idem"]).fresh(["other"]).because("idem", json!({"kind": "last-attempt-failed"}));
    story.run("*").nothing_ran();
}

#[test]
fn a_variable_edited_and_back_without_a_run_keeps_an_idempotent_record() {
    let story = Story::with("[task.idem]\nshell = \"echo {{ vars.size }}\"\n");
    story.project("[vars]\nsize = 1\n").run("idem").ran(["idem"]);
    story.edit("infra.toml", "size = 1", "size = 2").states("idem=stale");
    story.edit("infra.toml", "size = 2", "size = 1").run("idem").fresh(["idem"]);
}

#[test]
fn a_read_is_believed_within_its_ttl() {
    let story = four();
    story.run("read").ran(["read"]);
    story.at(50).run("read").fresh(["read"]);
    story.at(61).states("read=stale").status_reason("read", json!({"kind": "expired"}));
    story.run("read").ran(["read"]).because("read", json!({"kind": "expired"}));
    story.at(100).run("read").fresh(["read"]);
}

#[test]
fn a_read_of_the_future_is_expired() {
    let story = four();
    story.at(1000).run("read").ran(["read"]);
    story.at(900).run("read").ran(["read"]).because("read", json!({"kind": "expired"}));
}

#[test]
fn a_read_without_a_ttl_always_runs() {
    let story = Story::with(
        "[task.look]\neffect = \"read\"\nshell = \"echo look >> ../log\"\n[task.idem]\nshell = \"echo idem >> ../log\"\n",
    );
    story.run("*").ran(["look", "idem"]);
    story.run("*").ran(["look"]).fresh(["idem"]).because("look", json!({"kind": "expired"}));
}

#[test]
fn an_input_reruns_a_read_within_its_ttl() {
    let story = four();
    story.run("read");
    story
        .at(10)
        .file("in.txt", "two\n")
        .run("read")
        .ran(["read"])
        .because("read", json!({"kind": "input-changed", "path": "in.txt"}));
    story.not_because("read", "expired");
    // And back: only the newest is believed.
    story.file("in.txt", "one\n").run("read").ran(["read"]);
}

#[test]
fn expiry_alone_defers_nothing() {
    let story = Story::with(
        r#"
        [task.look]
        effect = "read"
        ttl = "60s"
        exports = { up = "int" }
        shell = "echo look >> ../log; echo up=$(cat ../world) > $INFRA_EXPORTS"

        [task.use]
        shell = "echo use {{ tasks.look.up }}"
        "#,
    );
    story.file("../world", "3").at(0).run("use").ran(["look", "use"]);
    story
        .at(100)
        .states("look=stale use=fresh")
        .status_reason("use", json!({"kind": "judged-by-last-values", "task": "look"}));
    // It is asked again all the same, and says the same.
    story.run("use").ran(["look"]).fresh(["use"]);
}

#[test]
fn an_expired_read_that_sees_another_world_reruns_its_readers() {
    let story = Story::with(
        r#"
        [task.look]
        effect = "read"
        ttl = "60s"
        exports = { up = "int" }
        shell = "echo look >> ../log; echo up=$(cat ../world) > $INFRA_EXPORTS"

        [task.use]
        shell = "echo use {{ tasks.look.up }}"
        "#,
    );
    story.file("../world", "3").at(0).run("use").ran(["look", "use"]);
    story.file("../world", "4").at(100).run("use").ran(["look", "use"]);
    story.because("use", json!({"kind": "value-changed", "value": "look.up", "old": "3", "new": "4"}));
}

#[test]
fn a_program_that_could_not_be_started_voids_nothing() {
    let story =
        Story::with("[task.a]\nrun = [\"tool\", \"{{ vars.x }}\"]\n[task.b]\nneeds = [\"a\"]\nshell = \"echo b\"\n");
    story.project("[vars]\nx = 1\n").program("tool", "echo a >> ../log").run("b").ran(["a", "b"]);
    std::fs::rename(story.base().join("bin/tool"), story.base().join("bin/hidden")).unwrap();
    story.edit("infra.toml", "x = 1", "x = 2").run_to(6, "b").failed(["a"]).skipped(["b"]);
    std::fs::rename(story.base().join("bin/hidden"), story.base().join("bin/tool")).unwrap();
    story.edit("infra.toml", "x = 2", "x = 1").run("b").nothing_ran();
}

#[test]
fn a_task_that_may_fail_is_never_fresh_and_holds_nobody() {
    let story = Story::with(
        r#"
        [task.may]
        allow_failure = true
        shell = "echo may >> ../log; test ! -e ../fail"

        [task.use]
        needs = ["may"]
        shell = "echo use >> ../log"

        [task.beside]
        shell = "echo beside >> ../log"
        "#,
    );
    story.file("../fail", "").run("use beside").failed(["may"]).ran(["use", "beside"]);
    story.states("may=failed beside=fresh");
    // It is tried again, and what needs it with it: it began to change the world.
    story.run("use beside").failed(["may"]).ran(["use"]).fresh(["beside"]);
    // Nobody is told that the run went wrong, or how to go on.
    story.run_plain("use beside").stderr_has("warning: task `may` failed, as it may: exited with code 1");
    story.stderr_has("1 ran, 1 fresh, 1 failed as allowed in ");
    assert!(!story.last().stderr.contains("--resume"), "{}", story.last().stderr);
    story.remove("../fail").run("use beside").ran(["may", "use"]).fresh(["beside"]);
    story.run("use beside").nothing_ran().fresh(["may", "use", "beside"]);
}

#[test]
fn what_reads_an_upstream_that_is_not_fresh_is_deferred() {
    let story = Story::with(
        r#"
        [task.make]
        inputs = ["in"]
        exports = { x = "string" }
        shell = "echo x=$(head -c 1 in) > $INFRA_EXPORTS"

        [task.use]
        shell = "echo {{ tasks.make.x }}"

        [task.later]
        after = ["make"]
        shell = "echo later"
        "#,
    );
    story.file("in", "a1").run("use later").file("in", "a2");
    story.states("make=stale use=deferred later=fresh");
    story.status_reason("use", json!({"kind": "upstream-not-fresh", "task": "make"}));
    story.run("use later").ran(["make"]).fresh(["use", "later"]);
}

#[test]
fn a_record_of_other_rules_is_not_believed() {
    let story = four();
    story.run("pure idem").ran(["pure", "idem"]);
    let store = rusqlite::Connection::open(story.path(".infra/state.db")).unwrap();
    let changed =
        store.execute("UPDATE memo SET format = 0 WHERE task = (SELECT id FROM task WHERE name = 'idem')", []);
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    story.run("pure idem").ran(["idem"]).fresh(["pure"]).because("idem", json!({"kind": "format-changed", "old": 0}));
    story.run("pure idem").nothing_ran();
}

#[test]
fn a_record_of_other_rules_of_its_kind_is_not_believed() {
    let story = Story::with("[task.one]\nrun = [\"true\"]\n[task.two]\nshell = \"true\"\n");
    story.run("*").ran(["one", "two"]);
    // As a program would have left it whose kind `run` had other rules.
    let store = rusqlite::Connection::open(story.path(".infra/state.db")).unwrap();
    let of = "task = (SELECT id FROM task WHERE name = 'one')";
    let text: Vec<u8> =
        store.query_row(&format!("SELECT manifest FROM memo WHERE {of}"), [], |row| row.get(0)).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let entries = manifest["entries"].as_array_mut().unwrap();
    let kind = entries.iter_mut().find(|entry| entry["key"]["name"] == "kind").unwrap();
    assert_eq!(kind["shown"], "run/1");
    (kind["shown"], kind["digest"]) = ("run/0".into(), "0".repeat(64).into());
    let changed = store.execute(
        &format!("UPDATE memo SET manifest = ?1, fingerprint = ?2 WHERE {of}"),
        (serde_json::to_vec(&manifest).unwrap(), [0u8; 32]),
    );
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    story.run("*").ran(["one"]).fresh(["two"]);
    story.because("one", json!({"kind": "action-changed", "field": "kind", "old": "run/0", "new": "run/1"}));
    story.run("*").nothing_ran();
}

#[test]
fn a_failed_read_leaves_no_older_record_believed() {
    let story = four();
    story.run("read idem");
    story.file("../fail-read", "").run_to(1, "read --force").failed(["read"]);
    // Within its time to live: but the last look failed.
    story.states("read=failed idem=fresh").remove("../fail-read").at(10);
    story.run("read idem").ran(["read"]).fresh(["idem"]).because("read", json!({"kind": "last-attempt-failed"}));
    story.run("read idem").nothing_ran();
}

#[test]
fn what_never_gets_ready_failed() {
    let story = Story::with(
        r#"
        [task.serve]
        shell = "echo serve >> ../log"
        ready = [{ exec = ["test", "-e", "../up"], within = "100ms" }]

        [task.use]
        needs = ["serve"]
        shell = "echo use >> ../log"
        "#,
    );
    story.file("../up", "").run("use").ran(["serve", "use"]);
    story.remove("../up").run("use").nothing_ran();
    story.run_to(1, "use serve --force").failed(["serve"]).skipped(["use"]).states("serve=failed");
    story.file("../up", "").run("use").ran(["serve", "use"]);
}
