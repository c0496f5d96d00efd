//! Snapshots: a null run is answered by stats alone, and by nothing at all as soon as anything differs that
//! the answer was made of.

use crate::support::Story;
use serde_json::json;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

const ALL: &str = r#"
    [task.sum]
    effect = "pure"
    inputs = ["src/**/*.txt"]
    outputs = ["out/sum"]
    pass_env = ["PASSED"]
    env = { TOKEN = "{{ secrets.token }}", FROM = "{{ vars.from }}" }
    run = ["tool", "out/sum"]

    [task.page]
    template = { from = "templates/page.j2", to = "out/page" }

    [task.world]
    effect = "idempotent"
    needs = ["sum"]
    shell = "echo world >> ../log; test ! -e ../bad"

    [task.look]
    effect = "read"
    ttl = "1h"
    shell = "test -e ../thing"
"#;

/// A snapshot is rewritten by every run that had to judge: as long as it is the same file, none had to.
fn snapshots(story: &Story) -> Vec<(u64, i64)> {
    let folder = story.path(".infra/still");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.map(|entry| entry.metadata().unwrap()).map(|meta| (meta.ino(), meta.mtime_nsec())).collect();
    found.sort_unstable();
    found
}

/// Runs until a run is answered from a snapshot: what was written a moment ago is not believed by its stamps.
#[track_caller]
fn still(story: &Story, words: &str) {
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(50));
        let before = snapshots(story);
        story.run(words).nothing_ran();
        if !before.is_empty() && snapshots(story) == before {
            return;
        }
    }
    panic!("no run was answered from a snapshot");
}

fn place() -> Story {
    let story = Story::with(ALL);
    story.project(
        r#"
        [project]
        default = ["*"]
        dotenv = [".env"]

        [vars]
        from = "a"

        [secrets]
        token = { file = "../token" }
        "#,
    );
    story.program("tool", "cat src/*.txt > $1");
    story.file("src/a.txt", "a").file("templates/page.j2", "{% include \"part.j2\" %}");
    story.file("templates/part.j2", "{{ vars.from }}").file(".env", "PASSED=1\n").file("../thing", "");
    story.file("../token", "one").mode("../token", 0o600);
    story.run("").ran(["sum", "page", "world", "look"]);
    still(&story, "");
    story
}

#[test]
fn what_is_told_is_the_same() {
    let story = place();
    story.run("").nothing_ran().fresh(["sum", "page", "world", "look"]);
    let told = |words: &str| {
        let seen = story.try_infra(words);
        assert_eq!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
        let digits = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        (digits(&seen.stdout), digits(&seen.stderr))
    };
    for words in ["run", "run -v", "run -q", "run --json"] {
        let kept = snapshots(&story);
        let quick = told(words);
        assert_eq!(snapshots(&story), kept, "`{words}` was answered from the snapshot");
        story.remove(".infra/still");
        assert_eq!(told(words), quick, "`{words}`");
        still(&story, "");
    }
}

/// One change after a snapshot, and the tasks that then run.
#[track_caller]
fn notices<const N: usize>(change: impl Fn(&Story) -> &Story, ran: [&str; N]) {
    let story = place();
    change(&story);
    story.run("").ran(ran);
}

#[test]
fn an_edited_input_is_noticed() {
    notices(|story| story.file("src/a.txt", "b"), ["sum", "world"]);
}

#[test]
fn a_new_name_and_a_name_that_is_gone_are_noticed() {
    notices(|story| story.file("src/deep/er/b.txt", "b"), ["sum"]);
    notices(|story| story.file("src/b.txt", "").run("").ran(["sum"]).remove("src/b.txt"), []);
    let story = place();
    story.file("src/b.txt", "b").run("").ran(["sum", "world"]);
    still(&story, "");
    story.remove("src/b.txt").run("").restored(["sum"]).ran(["world"]);
}

#[test]
fn what_git_ignores_from_now_on_is_noticed() {
    let story = place();
    fs::create_dir(story.path(".git")).unwrap();
    story.run("").nothing_ran();
    still(&story, "");
    story.file("src/.gitignore", "a.txt\n").run("").ran(["sum"]);
}

#[test]
fn an_edited_task_file_and_a_new_one_are_noticed() {
    notices(|story| story.retask("echo world", "echo other"), ["world"]);
    notices(|story| story.file("tasks/new.toml", "[task.new]\nshell = \"true\"\n"), ["new"]);
    notices(|story| story.edit("infra.toml", "from = \"a\"", "from = \"b\""), ["sum", "page"]);
}

#[test]
fn a_template_and_what_it_includes_are_noticed() {
    notices(|story| story.edit("templates/page.j2", "{%", "x{%"), ["page"]);
    notices(|story| story.file("templates/part.j2", "y{{ vars.from }}"), ["page"]);
}

#[test]
fn the_callers_environment_dotenv_and_flags_are_noticed() {
    notices(|story| story.env("PASSED", "2"), ["sum"]);
    notices(|story| story.file(".env", "PASSED=2\n"), ["sum"]);
    let story = place();
    story.run("--set from=c").ran(["sum", "page"]);
}

#[test]
fn a_secret_that_rotates_is_noticed() {
    notices(|story| story.file("../token", "two").mode("../token", 0o600), ["sum"]);
}

#[test]
fn another_program_under_the_same_name_is_noticed() {
    notices(|story| story.program("tool", "cat src/*.txt > $1; echo more >> $1"), ["sum", "world"]);
    // One that is found before it.
    let story = place();
    let first = story.path(".tools/bin/tool");
    fs::create_dir_all(first.parent().unwrap()).unwrap();
    fs::write(&first, "#!/bin/sh\necho other > $1\n").unwrap();
    story.mode(".tools/bin/tool", 0o755).run("").ran(["sum", "world"]);
}

#[test]
fn an_artifact_that_is_gone_or_altered_is_noticed() {
    let story = place();
    story.remove("out/sum").run("").restored(["sum"]).ran([]);
    still(&story, "");
    story.file("out/sum", "by hand").run("").restored(["sum"]).ran([]);
    still(&story, "");
    story.remove("out").run("").restored(["sum", "page"]).ran([]);
}

#[test]
fn time_that_passes_is_noticed() {
    let story = place();
    story.retask("1h", "2s").run("");
    still(&story, "");
    std::thread::sleep(Duration::from_secs(2));
    story.run("").ran(["look"]).because("look", json!({"kind": "expired"}));
}

#[test]
fn what_other_commands_recorded_is_noticed() {
    let story = place();
    story.file("../bad", "").run_to(1, "world --only world --force").failed(["world"]);
    story.remove("../bad").run("").ran(["world"]);
}

#[test]
fn a_run_that_was_killed_is_noticed() {
    let story = place();
    story.retask("echo world >> ../log;", "echo world >> ../log; test ! -e ../kill || kill -9 $PPID;");
    story.run("").ran(["world"]);
    still(&story, "");
    story.file("../kill", "");
    let seen = story.try_infra("run world --force");
    assert_ne!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
    story.remove("../kill").run("").ran(["world"]);
}

#[test]
fn an_environment_that_is_held_is_said() {
    let story = place();
    story
        .retask("echo world", "touch ../started; while test -e ../hold; do sleep 0.02; done; echo world")
        .run("")
        .ran(["world"]);
    still(&story, "");
    still(&story, "page");
    story.remove("../started").file("../hold", "");
    let running = story.spawn("run world --force");
    // The runner alone may not hold it yet.
    story.wait_for_file("../started");
    story.infra_to(3, "run page").stderr_has("is held by `infra run world`");
    story.remove("../hold");
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn a_probe_and_a_secrets_command_are_asked_each_time() {
    let story = Story::with(
        r#"
        [task.vm]
        effect = "idempotent"
        probe = { exec = ["sh", "-c", "echo asked >> ../asked"] }
        shell = "true"
        "#,
    );
    story.run("vm").ran(["vm"]);
    let asked = || fs::read_to_string(story.path("../asked")).unwrap_or_default().lines().count();
    for round in 1..4 {
        std::thread::sleep(Duration::from_millis(60));
        story.run("vm").nothing_ran();
        assert_eq!(asked(), round);
    }
    assert!(snapshots(&story).is_empty());

    let story = Story::with("[task.use]\nenv = { A = \"{{ secrets.a }}\" }\nshell = \"true\"\n");
    story.project("[secrets]\na = { command = [\"cat\", \"../secret\"] }\n").file("../secret", "1");
    story.run("use").ran(["use"]);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(60));
        story.run("use").nothing_ran();
    }
    story.file("../secret", "2").run("use").ran(["use"]);
    assert!(snapshots(&story).is_empty());
}

#[test]
fn a_snapshot_that_cannot_be_read_or_written_is_none() {
    let story = place();
    for entry in fs::read_dir(story.path(".infra/still")).unwrap().flatten() {
        fs::write(entry.path(), "{}").unwrap();
    }
    story.run("").nothing_ran().fresh(["sum", "page", "world", "look"]);
    story.remove(".infra/still").file(".infra/still", "in the way");
    story.run("").nothing_ran().fresh(["sum", "page", "world", "look"]);
    story.file("src/a.txt", "b").run("").ran(["sum", "world"]);
}

#[test]
fn a_snapshot_holds_no_secret_and_is_private() {
    let story = place();
    story.env("PASSED", "canary-55").run("");
    still(&story, "");
    for entry in fs::read_dir(story.path(".infra/still")).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600);
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains("canary") && !text.contains("\"one\""), "{text}");
    }
    assert_eq!(fs::metadata(story.path(".infra/still")).unwrap().mode() & 0o777, 0o700);
}
