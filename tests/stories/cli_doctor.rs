//! `infra doctor`: what is well, what is not and what to do, without a word of a secret.

use crate::errors_world::as_nobody;
use crate::support::Story;
use serde_json::{Value as Json, json};
use std::process::Command;

const TASKS: &str = r#"
    [task.build]
    run = ["maker", "it"]
    env = { A = "{{ secrets.api }}", B = "{{ secrets.file }}", C = "{{ secrets.vault }}" }
    pass_env = ["HTTPS_PROXY"]

    [task.own]
    run = ["./own.sh"]
    dir = "sub"
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project(
        r#"
        [requires]
        maker = ">=1.2"
        [secrets]
        api = { env = "API_TOKEN" }
        file = { file = "api.key" }
        vault = { command = ["asker", "it"] }
        "#,
    );
    story.program("maker", "echo maker 1.2.3").program("asker", "touch ../asked; echo c0mmand-secret");
    story.file("sub/own.sh", "#!/bin/sh\ntouch ran\n").mode("sub/own.sh", 0o755);
    story.file("api.key", "f1le-secret\n").mode("api.key", 0o600);
    story.env("API_TOKEN", "v4riable-secret").env("HTTPS_PROXY", "http://pr0xy").env("LANG", "C.UTF-8");
    story
}

/// What is said of a thing: verdict, what was found, what to do.
fn said(story: &Story, name: &str) -> (String, String, String) {
    let seen = story.try_infra("doctor --json");
    let all = seen.json();
    let found = all["findings"].as_array().into_iter().flatten().find(|one| one["name"] == name);
    let one = found.unwrap_or_else(|| seen.fail(&format!("nothing is said of `{name}`")));
    let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("found"), text("todo"))
}

#[track_caller]
fn says(story: &Story, name: &str, verdict: &str, found: &str, todo: &str) {
    let one = said(story, name);
    assert_eq!(one.0, verdict, "{name}: {one:?}");
    assert!(one.1.contains(found) && one.2.contains(todo), "{name}: {one:?}");
    let code = story.last().code;
    assert_eq!(code == Some(1), story.last().json()["problems"] != json!(0), "{code:?}");
}

#[test]
pub fn doctor_finds_everything_well() {
    let story = project();
    story.infra("doctor");
    for line in [
        "project\n  ok       declaration  2 tasks in local\n",
        "maker        1.2.3; `[requires]` wants >=1.2; used by build\n",
        "sub/own.sh   found; used by own\n",
        "api          `API_TOKEN` is set; read by build\n",
        "file         `api.key` can be read; read by build\n",
        "vault        comes from `asker`, which is there and was not asked; read by build\n",
        "HTTPS_PROXY  set; passed to build\n",
        ".infra       not there yet: the first run makes it\n",
        "locale       LANG=C.UTF-8\n",
        " are free\n",
        "output       plain lines\n",
    ] {
        story.stdout_has(line);
    }
    assert!(!story.last().stdout.contains("problem"), "{:?}", story.last());
    story.absent("../asked").absent("sub/ran").absent(".infra");
    // Quiet: nothing to say.
    assert_eq!(story.infra("doctor -q").last().stdout, "");
    story.run("build").infra("doctor").stdout_has("key          mode 0600\n").stdout_has("state.db     mode 0600\n");
    for secret in ["c0mmand-secret", "f1le-secret", "v4riable-secret", "pr0xy"] {
        story.nowhere_printed(secret);
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let story = project();
    story.program("maker", "echo maker 1.1.0");
    says(&story, "maker", "problem", "1.1.0; `[requires]` wants >=1.2; used by build", "another version is needed");
    story.remove("../bin/maker");
    says(&story, "maker", "problem", "not found", "or put it into `.tools/bin` of the project");
    story.remove("../bin/asker");
    says(&story, "vault", "problem", "`asker` was not found", "install it");
    story.without_env("API_TOKEN").without_env("HTTPS_PROXY");
    says(&story, "api", "problem", "API_TOKEN", "set the variable");
    says(&story, "HTTPS_PROXY", "warning", "not set; passed to build", "unless the task can do without");
    story.mode("api.key", 0o644);
    says(&story, "file", "problem", "api.key", "mode 0600");
    story.mode("sub/own.sh", 0o644);
    says(&story, "sub/own.sh", "problem", "is not executable; used by own", "`chmod +x sub/own.sh`");
    story.env("LANG", "de_DE.ISO-8859-1");
    says(&story, "locale", "warning", "not UTF-8", "export LANG=C.UTF-8");
    story
        .infra_to(1, "doctor")
        .stdout_has("problem  maker")
        .stdout_has("to do: ")
        .stdout_has("5 problems, 2 warnings, ");
    story.infra_to(1, "doctor -q").stdout_has("5 problems, 2 warnings\n");
    // What no task uses does no harm.
    story.tasks("[task.a]\nrun = [\"true\"]\n");
    says(&story, "api", "warning", "read by no task here", "set the variable");
    says(&story, "maker", "warning", "used by no task here", "");
    assert_eq!(story.last().code, Some(0));
    // A well-known tool says where it is to be had.
    story.tasks("[task.vm]\nterraform = { dir = \"tf\" }\n").file("tf/main.tf", "");
    says(&story, "terraform", "problem", "not found; used by vm", "https://");
}

#[test]
fn a_program_at_the_top_of_the_project_is_a_file_and_not_a_name() {
    let story = Story::with("[task.look]\nrun = [\"./look.sh\"]\n");
    story.file("look.sh", "#!/bin/sh\n").mode("look.sh", 0o755);
    says(&story, "./look.sh", "ok", "found; used by look", "");
    story.mode("look.sh", 0o644);
    says(&story, "./look.sh", "problem", "is not executable; used by look", "`chmod +x ./look.sh`");
    story.remove("look.sh");
    says(&story, "./look.sh", "problem", "was not found; used by look", "write it, or correct its name");
    story.tasks("[task.look]\nrun = [\"./look.sh\"]\n[task.make]\noutputs = [\"look.sh\"]\nrun = [\"true\"]\n");
    says(&story, "./look.sh", "ok", "not there yet: `make` makes it", "");
}

#[test]
fn programs_of_checks_and_undos_are_looked_at() {
    let story = Story::with(
        r#"
        [task.vm]
        run = ["true"]
        dir = "sub"
        probe = { exec = ["asks", "it"] }
        ready = [{ exec = ["./waits.sh"], within = "1s" }, { tcp = "localhost:1" }]
        undo = [["undoes"], ["./undo.sh"]]

        [task.tool]
        outputs = ["build/tool"]
        run = ["true"]

        [task.uses]
        run = ["true"]
        probe = { exec = ["build/tool"] }
        "#,
    );
    story.file("sub/undo.sh", "#!/bin/sh\n").mode("sub/undo.sh", 0o755).file("sub/waits.sh", "#!/bin/sh\n");
    says(&story, "asks", "problem", "was not found; used by vm", "install it");
    says(&story, "undoes", "problem", "was not found; used by vm", "install it");
    says(&story, "sub/waits.sh", "problem", "is not executable", "`chmod +x sub/waits.sh`");
    says(&story, "sub/undo.sh", "ok", "found; used by vm", "");
    // What another task makes is not missing before it did.
    says(&story, "build/tool", "ok", "not there yet: `tool` makes it; used by uses", "");
    story.file("build/tool", "").mode("build/tool", 0o644);
    says(&story, "build/tool", "problem", "is not executable", "");
}

#[test]
fn what_was_lost_of_the_state_is_noticed() {
    let story = project();
    story.run("build");
    says(&story, "state.db", "ok", "mode 0600", "");
    let key = std::fs::read(story.path(".infra/key")).unwrap();
    story.remove(".infra/key");
    says(&story, "key", "problem", "gone, though runs were here", "take it back from a backup");
    std::fs::write(story.path(".infra/key"), key).unwrap();
    story.mode(".infra/key", 0o600);
    says(&story, "key", "ok", "mode 0600", "");
    let store = std::fs::read(story.path(".infra/state.db")).unwrap();
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(story.path(&format!(".infra/state.db{side}")));
    }
    story.file(".infra/state.db", "");
    says(&story, "state.db", "problem", "empty: nothing is on record", "take it back from a backup");
    story.remove(".infra/state.db");
    says(&story, "state.db", "problem", "gone, though runs were here", "take it back from a backup");
    std::fs::write(story.path(".infra/state.db"), store).unwrap();
    story.mode(".infra/state.db", 0o600);
    says(&story, "state.db", "ok", "mode 0600", "");
    // A folder that nothing ran in lost nothing.
    let story = project();
    story.file(".infra/.gitignore", "*\n").mode(".infra", 0o700);
    says(&story, ".infra", "ok", "mode 0700", "");
    assert!(!story.last().stdout.contains("state.db"), "{:?}", story.last());
}

#[test]
fn what_is_in_the_way_of_the_state_is_called_what_it_is() {
    let story = project();
    story.file(".infra", "mine");
    says(&story, ".infra", "problem", "it is a file, and must be a folder", "move `.infra` away");
    assert_eq!(story.last().json()["problems"], json!(1), "{:?}", story.last());
    story.remove(".infra");
    std::os::unix::fs::symlink("../gone", story.path(".infra")).unwrap();
    says(&story, ".infra", "problem", "it is a link that leads nowhere", "`rm .infra`");
    assert_eq!(story.last().json()["problems"], json!(1), "{:?}", story.last());
    story.file("../gone/x", "").mode("../gone", 0o700);
    says(&story, ".infra", "ok", "mode 0700", "");
    // Where a run could not make it, it is no comfort that the first run does.
    let story = Story::with("[task.a]\nrun = [\"true\"]\n");
    let Some(seen) = as_nobody(&story, "doctor") else { return };
    assert_eq!(seen.code, Some(1), "{seen:?}");
    assert!(seen.stdout.contains("not there yet, and can't be made: permission denied"), "{seen:?}");
}

#[test]
fn on_a_narrow_terminal_nothing_is_cut() {
    let story = project();
    story.without_env("API_TOKEN").env("COLUMNS", "80");
    let seen = story.at_terminal("doctor");
    assert!(!seen.stdout.contains('…'), "{seen:?}");
    let words = seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("export the environment variable `API_TOKEN`; read by build"), "{seen:?}");
    story.env("COLUMNS", "40");
    let seen = story.at_terminal("doctor");
    assert!(seen.stdout.lines().all(|line| line.chars().count() <= 40), "{seen:?}");
}

#[test]
fn the_state_is_looked_at() {
    let story = project();
    story.run("build");
    story.mode(".infra/key", 0o644);
    says(&story, "key", "problem", "mode 0644: others may look into it", "`chmod 600 .infra/key`");
    story.mode(".infra/key", 0o600).mode(".infra", 0o755);
    says(&story, ".infra", "problem", "mode 0755", "`chmod 700 .infra`");
    story.mode(".infra", 0o700).file(".infra/state.db", "no database, but long enough to be read as one");
    says(&story, "state.db", "problem", "damaged", "backup");
    says(&story, "declaration", "ok", "2 tasks", "");
    story.file(".infra/key", "short");
    says(&story, "key", "problem", "key", "backup");
}

#[test]
fn a_broken_declaration_does_not_end_the_looking() {
    let story = project();
    story.retask("run = [\"maker\"", "rnu = [\"maker\"");
    says(&story, "declaration", "problem", "1 mistake: ", "`infra check` tells them");
    let all = story.last().json();
    assert_eq!(all.get("env"), None::<&Json>);
    assert!(all["findings"].as_array().unwrap().iter().any(|one| one["name"] == "disk"), "{all}");
    // What it hides is not said to be used by nobody; what it leaves is looked at.
    says(&story, "maker", "ok", "used by no task that could be looked at", "");
    says(&story, "sub/own.sh", "ok", "used by own", "");
    story.mode("sub/own.sh", 0o644).without_env("API_TOKEN");
    says(&story, "sub/own.sh", "problem", "is not executable; used by own", "`chmod +x sub/own.sh`");
    says(&story, "api", "problem", "API_TOKEN", "set the variable");
    let story = project();
    story.retask("run = [\"./own.sh\"]", "run = [\"./own.sh\"]\nneeds = [\"build\"]");
    story.retask("run = [\"maker\"", "needs = [\"own\"]\nrun = [\"maker\"");
    says(&story, "declaration", "problem", "tasks wait for each other", "`infra check` tells them");
    says(&story, "maker", "ok", "used by build", "");
    // A mistake on the line is told by a line that makes it too.
    let story = project();
    let seen = story.infra_to(1, "doctor --json -e nope").last().json();
    let said = &seen["findings"][0];
    assert!(
        said["found"].as_str().unwrap().contains("unknown environment `nope`; what follows is of `local`"),
        "{said}"
    );
    assert_eq!(said["todo"], json!("`infra check -e nope` tells them"));
    let seen = story.infra_to(1, "doctor --json --set a=b").last().json();
    assert_eq!(seen["findings"][0]["todo"], json!("`infra check --set a=…` tells them"));
    let nowhere = Story::new();
    nowhere.infra_to(2, "doctor").stderr_has("no project here");
}

#[test]
fn git_must_leave_the_state_out() {
    let story = project();
    let git = |args: &[&str]| {
        let output = story.command_of("git", args).output().expect("git starts");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q", "."]);
    story.run("build");
    says(&story, "git", "ok", "leaves `.infra` out", "");
    story.remove(".infra/.gitignore");
    says(&story, "git", "problem", "the project's key could be committed", "`echo '*' > .infra/.gitignore`");
    git(&["add", ".infra/key"]);
    says(&story, "git", "problem", "1 file of `.infra` in the repository", "`git rm -r --cached .infra`");
}

#[test]
fn a_clock_that_lies_is_noticed() {
    let story = project();
    story.at(5000).run("build").at(0);
    says(&story, "clock", "problem", "the last run lies 1 h 23 min in the future", "set the clock");
    let story = project();
    says(&story, "clock", "ok", "UTC", "");
    let late = Command::new("touch").args(["-d", "2099-01-01"]).arg(story.path("tasks/t.toml")).status();
    assert!(late.is_ok_and(|status| status.success()));
    says(&story, "clock", "warning", "files from the future: tasks/t.toml", "`touch` them");
}

#[test]
fn a_full_disk_and_a_living_run_are_told() {
    let story = project();
    story.tasks("[task.long]\nshell = \"touch ../started; sleep 600\"\n");
    let running = story.spawn("run long");
    story.wait_for_file("../started");
    says(&story, "lock", "ok", "environment `local` is held by `infra run long`", "");
    running.signal("INT");
    running.wait();
    let small = Story::new();
    if small.small_disk("1m") {
        small.tasks("[task.a]\nrun = [\"true\"]\n");
        says(&small, "disk", "problem", "are free", "free some space");
    }
}
