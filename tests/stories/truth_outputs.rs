//! Outputs: checked, kept, restored, moved aside.

use crate::support::Story;
use serde_json::json;

const BUILD: &str = r#"
    [task.build]
    effect = "pure"
    inputs = ["in.txt"]
    outputs = ["build/one.txt", "build/site/"]
    shell = '''
    echo build >> ../log
    cat in.txt > build/one.txt
    test ! -e ../fail
    mkdir -p build/site
    cp in.txt build/site/index.html
    '''

    [task.use]
    inputs = ["build/one.txt"]
    shell = "echo use >> ../log; cat build/one.txt > ../used"
"#;

fn build() -> Story {
    let story = Story::with(BUILD);
    story.file("in.txt", "text\n").run("use").ran(["build", "use"]);
    story
}

#[test]
fn a_deleted_artifact_is_put_back_without_running() {
    let story = build();
    story.remove("build/one.txt").states("build=restorable");
    story.run("use").restored(["build"]).fresh(["use"]).holds("build/one.txt", "text\n");
    assert_eq!(story.times("build"), 1);
}

#[test]
fn an_altered_artifact_is_put_back_without_running() {
    let story = build();
    story.file("build/one.txt", "meddled\n").remove("build/site").states("build=restorable");
    story
        .run("use")
        .restored(["build"])
        .fresh(["use"])
        .holds("build/site/index.html", "text\n")
        .holds("build/one.txt", "text\n");
    assert_eq!((story.times("build"), story.times("use")), (1, 1));
}

#[test]
fn a_restored_file_has_its_mode() {
    let story = Story::with(
        "[task.build]\neffect = \"pure\"\noutputs = [\"tool\"]\nshell = \"echo '#!/bin/sh' > tool; chmod 755 tool\"\n",
    );
    story.run("build").remove("tool").run("build").restored(["build"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&story.path("tool").metadata().unwrap().permissions());
    assert_eq!(mode & 0o111, 0o111);
}

#[test]
fn what_is_not_kept_any_more_is_made_again() {
    let story = build();
    story.remove("build/one.txt").remove(".infra/cas");
    story
        .run("use")
        .ran(["build"])
        .fresh(["use"])
        .because("build", json!({"kind": "output-missing", "path": "build/one.txt"}));
}

#[test]
fn a_tool_that_succeeds_without_its_output_failed() {
    let story = Story::with(
        r#"
        [task.build]
        effect = "EFFECT"
        outputs = ["build/one.txt"]
        shell = "echo build >> ../log; test -e ../lazy || echo 1 > build/one.txt"
        "#,
    );
    for effect in ["pure", "idempotent"] {
        story.retask(if effect == "pure" { "EFFECT" } else { "pure" }, effect);
        if story.exists("build/one.txt") {
            story.remove("build/one.txt");
        }
        story.file("../lazy", "").run_to(1, "build --force").failed(["build"]).says("build/one.txt");
        assert_ne!(story.try_infra("status --json").json()["tasks"][0]["state"], "fresh", "{effect}");
        story.remove("../lazy").run("build").ran(["build"]).run("build").fresh(["build"]);
    }
}

#[test]
fn an_old_output_does_not_stand_in_for_a_missing_one() {
    let story = build();
    // Nothing is written this time: what lies there from before was moved aside.
    story.file("../lazy", "").retask("cat in.txt > build/one.txt", "test -e ../lazy || cat in.txt > build/one.txt");
    story.run_to(1, "build").failed(["build"]).says("build/one.txt");
    story.holds("build/one.txt", "text\n");
}

#[test]
fn old_outputs_come_back_when_a_pure_task_fails() {
    let story = build();
    story.file("../fail", "").file("in.txt", "new\n").run_to(1, "use").failed(["build"]).skipped(["use"]);
    story.holds("build/one.txt", "text\n").holds("build/site/index.html", "text\n");
    // As if it had not been tried: the old text is still true for the old input.
    story.file("in.txt", "text\n").run("use").nothing_ran();
}

#[test]
fn what_is_no_output_is_not_moved_aside() {
    let story = build();
    story
        .file("build/beside.txt", "mine\n")
        .file("in.txt", "new\n")
        .run("use")
        .ran(["build", "use"])
        .holds("build/beside.txt", "mine\n");
}

#[test]
fn a_task_that_changes_the_world_finds_its_outputs() {
    let story =
        Story::with("[task.add]\ninputs = [\"in\"]\noutputs = [\"list.txt\"]\nshell = \"cat in >> list.txt\"\n");
    story.file("in", "1\n").run("add").ran(["add"]);
    story.file("in", "2\n").run("add").ran(["add"]).holds("list.txt", "1\n2\n");
}

#[test]
fn leftovers_in_an_output_folder_do_not_become_artifacts() {
    let story = Story::with(
        "[task.build]\neffect = \"pure\"\ninputs = [\"in\"]\noutputs = [\"site/\"]\nshell = \"mkdir -p site; echo > site/$(cat in)\"\n",
    );
    story.file("in", "a").run("build").ran(["build"]);
    story.file("in", "b").run("build").ran(["build"]).absent("site/a");
    assert!(story.exists("site/b"));
    story.file("site/c", "").run("build").restored(["build"]).absent("site/c");
}

#[test]
fn the_folders_of_outputs_are_made() {
    Story::with("[task.build]\noutputs = [\"a/b/c.txt\"]\nshell = \"echo 1 > a/b/c.txt\"\n")
        .run("build")
        .ran(["build"]);
}

#[test]
fn an_output_of_an_idempotent_task_is_put_back_too() {
    let story =
        Story::with("[task.make]\noutputs = [\"key.pem\"]\nshell = \"echo make >> ../log; date +%N > key.pem\"\n");
    story.run("make");
    let key = story.read("key.pem");
    story.remove("key.pem").run("make").restored(["make"]).holds("key.pem", &key);
    assert_eq!(story.times("make"), 1);
}

#[test]
fn a_secret_artifact_is_not_kept_so_its_task_runs_again() {
    let story = Story::with(
        r#"
        [task.conf]
        template = { from = "conf.j2", to = "build/conf", secret = true }

        [task.plain]
        template = { from = "plain.j2", to = "build/plain" }
        "#,
    );
    story.project("[secrets]\ntoken = { env = \"TOKEN\" }\n").env("TOKEN", "canary-8271");
    story
        .file("conf.j2", "t={{ secrets.token }}\n")
        .file("plain.j2", "plain\n")
        .run("*")
        .ran(["conf", "plain"])
        .holds("build/conf", "t=canary-8271\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&story.path("build/conf").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    story.remove("build/conf").remove("build/plain").run("*").ran(["conf"]).restored(["plain"]);
    story.remove("build/conf").nowhere("canary-8271");
}

#[test]
fn two_tasks_that_write_one_path_are_a_mistake() {
    let story = Story::with(
        "[task.a]\noutputs = [\"out/x\"]\nshell = \"true\"\n[task.b]\noutputs = [\"out/\"]\nshell = \"true\"\n",
    );
    story.infra_to(2, "check").says("out/x");
    story.retask("out/x", "other/x").infra("check");
}

#[test]
fn an_output_that_is_not_kept_and_was_altered_is_made_again() {
    let story = Story::with(
        "[task.conf]\ntemplate = { from = \"c.j2\", to = \"build/c\", secret = true }\n[task.plain]\ntemplate = { from = \"c.j2\", to = \"build/p\" }\n",
    );
    story.file("c.j2", "x\n").run("*").ran(["conf", "plain"]);
    story.file("build/c", "meddled\n").file("build/p", "meddled\n");
    story.status_reason("conf", json!({"kind": "output-changed", "path": "build/c"}));
    story.run("*").ran(["conf"]).restored(["plain"]).holds("build/c", "x\n").holds("build/p", "x\n");
}

#[test]
fn a_link_as_an_output_is_its_text() {
    let story = Story::with(
        "[task.link]\noutputs = [\"current\"]\nshell = \"echo link >> ../log; ln -sfn ../release current\"\n",
    );
    story.file("../release", "1").run("link").ran(["link"]);
    story.file("../release", "2").run("link").nothing_ran();
    story.remove("current").run("link").restored(["link"]).holds("current", "2");
    assert_eq!(std::fs::read_link(story.path("current")).unwrap().to_str(), Some("../release"));
}

#[test]
fn a_run_that_only_puts_back_is_on_record_and_one_that_does_nothing_is_not() {
    let story = build();
    let runs = || story.infra("history --json").last().json()["runs"].as_array().map_or(0, Vec::len);
    assert_eq!(runs(), 1);
    story.run("use").nothing_ran();
    assert_eq!(runs(), 1);
    story.remove("build/one.txt").run("use").restored(["build"]);
    assert_eq!(runs(), 2);
}
