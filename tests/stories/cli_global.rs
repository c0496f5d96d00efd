//! Options that every command takes, and how the program is asked what it can.

use crate::cli_run::chain;
use crate::support::Story;
use serde_json::json;

fn colours() -> Story {
    let story = chain();
    story.project("[vars]\nwho = \"all\"\nn = 1\n[env.local]\n[env.dev]\nvars = { who = \"dev\" }\n");
    story.retask("echo d >>", "echo {{ vars.who }} {{ vars.n }} >>");
    story
}

#[test]
pub fn help_and_version_are_told_and_nothing_is_a_question() {
    let story = Story::new();
    story
        .infra("--help")
        .stdout_has("Exit codes:")
        .infra("-h")
        .stdout_has("Usage: infra")
        .infra("help run")
        .stdout_has("--keep-going");
    story.infra("--version").stdout_has(concat!("infra ", env!("CARGO_PKG_VERSION"))).infra("-V").infra("run -h");
    story.infra_to(2, "").stderr_has("Usage: infra");
    story
        .infra("run --help")
        .stdout_has("NAME!        it alone")
        .infra("graph --help")
        .stdout_has("tag:NAME     every");
    story.infra_to(2, "deploy").stderr_has("a task is run with 'infra run deploy'");
    assert!(!story.last().stderr.contains("destroy"), "{:?}", story.last());
    story.infra_to(2, "stats").stderr_has("'status'").infra_to(2, "run --ony a").stderr_has("--only");
    story.absent(".infra");
}

#[test]
pub fn directory_is_where_the_project_is_looked_for() {
    let story = chain();
    let root = story.root();
    let root = root.to_str().unwrap();
    story.file("deep/er/x", "");
    for words in
        [format!("-C {root} status"), format!("status --directory {root}/deep/er"), "-C deep/er status".to_owned()]
    {
        story.infra(&words).stdout_has("never ran here");
    }
    story
        .infra_to(2, "-C no/such status")
        .stderr_has("there is no folder")
        .stderr_has("no/such")
        .stderr_has("--directory");
    story.infra_to(2, "-C a.txt status").stderr_has("a.txt");
    story.infra_to(2, "-C .. status").stderr_has("no project here").stderr_has("`infra.toml` or `tasks/*.toml`");
    // What tasks do does not depend on where one stands.
    story.run("b -C deep/er").ran(["a", "b"]);
}

#[test]
pub fn env_chooses_the_environment() {
    let story = colours();
    story.run("d").run("d -e dev").ran(["d"]).run("d --env dev").fresh(["d"]).run("d").fresh(["d"]);
    assert_eq!((story.times("all 1"), story.times("dev 1")), (1, 1));
    story.env("INFRA_ENV", "dev").run("d").fresh(["d"]);
    assert_eq!(story.last().events()[0]["env"], "dev");
    story.run("d -e local").fresh(["d"]);
    assert_eq!(story.last().events()[0]["env"], "local", "a flag wins over a variable");
    story.env("INFRA_ENV", "").run("d").fresh(["d"]);
    assert_eq!(story.last().events()[0]["env"], "local", "an empty variable is none");
    story.without_env("INFRA_ENV");
    story.infra_to(2, "status -e def").stderr_has("unknown environment `def`").stderr_has("did you mean `dev`?");
    story.infra_to(2, "status --env=").stderr_has("--env");
}

#[test]
pub fn set_wins_over_all_files() {
    let story = colours();
    story.run("d --set who=me").run("d -e dev --set who=me --set n=7");
    assert_eq!((story.times("me 1"), story.times("me 7")), (1, 1));
    story
        .run("d --set who=me")
        .fresh(["d"])
        .run("d")
        .ran(["d"])
        .because("d", json!({"kind": "variable-changed", "name": "vars.who"}));
    story
        .infra_to(2, "run d --set wo=1")
        .stderr_has("`--set wo`: no variable `wo` is declared")
        .stderr_has("did you mean `who`?");
    let times = story.last().stderr.matches("no variable").count();
    assert_eq!(times, 1, "said once: {}", story.last().stderr);
    story.infra_to(2, "run d --set who").stderr_has("write NAME=VALUE");
    story.infra("status --json --set n=2").infra("plan d --set n=2").stdout_has("variable vars.n changed: 1 → 2");
}

#[test]
pub fn json_is_for_machines() {
    let story = colours();
    assert_eq!(story.infra("status --json").last().json()["v"], 1);
    assert_eq!(story.infra("--json list").last().json()["v"], 1);
    // What can't be answered is a document, too.
    let error = story.infra_to(2, "why a b --json").last().json();
    assert!(error["error"]["message"].as_str().unwrap().contains("unexpected argument"), "{error:?}");
    let error = story.infra_to(2, "-C /nowhere status --json").last().json();
    assert_eq!((error["v"].clone(), error["error"]["exit"].clone()), (json!(1), json!(2)), "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("/nowhere") && error["error"]["hint"].is_string());
}

#[test]
fn a_mistake_of_usage_is_a_document_too() {
    let story = colours();
    for words in ["status --nope --json", "--json show", "--json statu"] {
        let seen = story.try_infra(words);
        assert_eq!((seen.code, seen.stderr.as_str()), (Some(2), ""), "{seen:?}");
        assert_eq!(seen.json()["error"]["exit"], 2, "{seen:?}");
        assert!(seen.stdout.ends_with("}\n"), "{seen:?}");
        assert!(seen.json()["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{seen:?}");
    }
    story.infra("--json --help").stdout_has("Usage: infra");
}

#[test]
pub fn color_is_as_asked() {
    let story = colours();
    let colored = |words: &str| {
        let seen = story.try_infra(words);
        (seen.stdout.clone() + &seen.stderr).contains('\u{1b}')
    };
    assert!(!colored("status") && !colored("run a --force"), "a pipe has no colours");
    assert!(
        colored("status --color always") && colored("run a --force --color=always") && colored("why a --color always")
    );
    assert!(colored("check --color always") || !story.last().stderr.contains("error"));
    story.env("FORCE_COLOR", "1");
    assert!(colored("status") && !colored("status --color never"));
    story.env("NO_COLOR", "1");
    assert!(!colored("status") && colored("status --color always"));
    story.without_env("FORCE_COLOR");
    story.infra_to(2, "status --color sometimes").stderr_has("possible values: auto, always, never");
    story.infra("status --json --color always");
    // Help and mistakes of usage, too.
    story.without_env("NO_COLOR").infra("--color always --help").stdout_has("\u{1b}[");
    assert!(!story.infra("--color=never run --help").last().stdout.contains('\u{1b}'));
    story.infra_to(2, "--color always statu").stderr_has("\u{1b}[");
    assert!(!story.infra_to(2, "statu").last().stderr.contains('\u{1b}'));
    assert!(!story.last().stdout.contains('\u{1b}'), "JSON has no colours");
}

#[test]
pub fn quiet_says_only_what_failed() {
    let story = colours();
    let seen = story.infra("run c d -q").last();
    assert_eq!((seen.stdout.as_str(), seen.stderr.as_str()), ("", ""));
    let seen = story.infra("run c d --quiet").last();
    assert_eq!(seen.stderr, "");
    story
        .file("../fail-d", "")
        .infra_to(1, "run d -q --force")
        .stderr_has("error: task `d` failed")
        .stderr_has("1 failed");
    assert!(!story.last().stderr.contains("starts"), "{:?}", story.last());
    // A question is answered all the same.
    story.infra("status -q").stdout_has("local:").infra("check -q");
    assert_eq!(story.last().stderr, "");
    story.infra_to(2, "run -q -v").stderr_has("cannot be used with");
}

#[test]
pub fn verbose_says_every_step_reason_and_fresh_task() {
    let story = colours();
    story.run("c d");
    story.file("a.txt", "two\n").retask("echo a >>", "echo said-by-a; echo A >>");
    story.infra("run c d -v");
    for text in [
        "a because input a.txt changed",
        "a because `shell` changed",
        "a $ sh -eu -c",
        "a | said-by-a",
        "fresh       d",
    ] {
        story.stderr_has(text);
    }
    story.file("a.txt", "three\n").retask("echo A", "echo B");
    story
        .infra("status")
        .stdout_has("(+1 more)")
        .infra("status --verbose")
        .stdout_has("    input a.txt changed")
        .stdout_has("    `shell` changed");
    story.infra("list --verbose").stdout_has("declared at").infra("plan c -v").stdout_has("    `shell` changed");
}
