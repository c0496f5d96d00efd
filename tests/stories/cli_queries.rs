//! The queries: `status why plan list graph logs history outputs check schema`, every flag of their help.

use crate::cli_run::chain;
use crate::support::Story;
use serde_json::{Value as Json, json};

fn names(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
pub fn status_shows_all_or_the_targets() {
    let story = chain();
    story.run("b");
    let all = story.infra("status --json").last().json();
    assert_eq!(names(&all["tasks"]), ["a", "b", "c", "d"]);
    let some = story.infra("status --json b").last().json();
    assert_eq!(names(&some["tasks"]), ["a", "b"]);
    story.infra("status").stdout_has("local: 2 stale, 2 fresh");
    story.infra_to(2, "status nope").stderr_has("nope");
}

#[test]
pub fn exit_code_says_whether_anything_is_stale() {
    let story = chain();
    story.infra("status").infra_to(10, "status --exit-code").infra("plan c").infra_to(10, "plan c --exit-code");
    story.run("c d");
    story.infra("status --exit-code").infra("plan c --exit-code").infra("plan c --skip a --exit-code");
    story.file("a.txt", "two\n");
    story.infra_to(10, "status --exit-code --json").infra("status d --exit-code").infra_to(10, "plan c --exit-code");
    story.infra("plan d --exit-code");
}

#[test]
pub fn probe_asks_now_and_tells_nobody() {
    let story = Story::with(
        r#"
        [task.vm]
        shell = "touch ../vm"
        probe = { exec = ["sh", "-c", "echo asked >> ../asked; test -e ../vm"] }
        "#,
    );
    story.run("vm");
    story.remove("../vm").states("vm=fresh").absent("../asked");
    let before = story.tree();
    story.states_in("--probe", "vm=stale").infra("status --probe").stdout_has("its probe disagrees");
    assert_eq!(story.tree(), before, "asking is no writing");
    assert_eq!(story.read("../asked").lines().count(), 2);
    story.states("vm=fresh").run("vm").ran(["vm"]).because("vm", json!({"kind": "probe-disagrees"}));
}

#[test]
pub fn why_explains_one_task() {
    let story = chain();
    story.run("c");
    story.infra("why a").stdout_has("a is fresh in local (shell, pure, stage first)").stdout_has("unchanged: 1 file");
    story.file("a.txt", "two\n").infra("why a").stdout_has("input a.txt changed").stdout_has("next: `infra run a`");
    let why = story.infra("why --json a").last().json();
    assert_eq!((why["state"].clone(), why["reasons"][0]["kind"].clone()), (json!("stale"), json!("input-changed")));
    story.infra_to(2, "why nope").stderr_has("unknown task or stage `nope`");
    story.infra_to(2, "why tag:smoke").stderr_has("`tag:smoke` means 2 tasks").stderr_has("name one: ");
    story.infra_to(2, "why").stderr_has("<TASK>");
}

#[test]
pub fn list_says_what_is_declared() {
    let story = chain();
    let list = story.infra("list --json").last().json();
    assert_eq!(names(&list["tasks"]), ["a", "b", "c", "d"]);
    assert_eq!(list["tasks"][2]["needs"], json!(["b"]));
    assert_eq!(list["tasks"][2]["declared"], "tasks/t.toml:13:7");
    story
        .infra("list")
        .stdout_has("first")
        .stdout_has("smoke")
        .infra("list -v")
        .stdout_has("declared at tasks/t.toml:13:7");
}

#[test]
pub fn graph_is_drawn_in_four_notations() {
    let story = chain();
    story.infra("graph c").stdout_has("c\n└─ b").infra("graph --format text b");
    story.infra("graph --format dot").stdout_has("digraph").stdout_has("\"a\" -> \"b\"");
    story.infra("graph --format mermaid").stdout_has("flowchart").stdout_has("-->");
    story.infra("graph --format svg c").stdout_has("<svg xmlns=").stdout_has(">a</text>").stdout_has("b → c (needs)");
    assert!(!story.last().stdout.contains(">d</text>"), "d is not asked for");
    let graph = story.infra("graph --json c").last().json();
    assert_eq!(names(&graph["nodes"]), ["a", "b", "c"]);
    let carries = |from: &str| {
        graph["edges"].as_array().unwrap().iter().find(|edge| edge["from"] == from).unwrap()["carries"].clone()
    };
    assert_eq!((carries("a"), carries("b")), (json!("reads"), json!("needs")));
    // Two notations at once are none.
    story.infra_to(2, "graph --format svg --json").stdout_has("`--format` and `--json` are two notations");
    story.infra_to(2, "graph --format png").stderr_has("possible values: text, dot, mermaid, svg");
}

fn logged() -> Story {
    let story = Story::with(
        r#"
        [task.good]
        shell = "echo good {{ vars.n }}"
        [task.bad]
        shell = "echo bad {{ vars.n }} >&2; exit {{ vars.n }}"
        "#,
    );
    story.project("[vars]\nn = 1\n[env.local]\n[env.dev]\n");
    story
}

#[test]
pub fn logs_shows_what_failed_last_or_what_is_asked_for() {
    let story = logged();
    story.infra_to(2, "logs").stderr_has("nothing ran in `local` yet");
    story.infra_to(2, "logs good").stderr_has("`good` never ran in `local`");
    story.run_to(1, "good bad -k").run("good --set n=0");
    // The last run had no failure: all of it.
    let seen = story.infra("logs").last();
    assert_eq!(seen.stdout, "good 0\n");
    assert_eq!(
        story.infra("logs --run 1").last().stdout.lines().count(),
        5,
        "both, each with its name: {:?}",
        story.last()
    );
    story.infra("logs bad").stdout_has("bad 1").infra("logs good --run 1").stdout_has("good 1");
    story.infra("logs --attempt 1").stdout_has(" 1").infra("logs good --attempt 3").stdout_has("good 0");
    story.infra_to(2, "logs bad --attempt 3").stderr_has("there is no such attempt");
    story.infra_to(2, "logs --run 9").stderr_has("there is no run 9 in `local`");
    story.infra_to(2, "logs nope").stderr_has("unknown task `nope`");
    // Silence is told, where people look for it.
    story
        .retask("echo good {{ vars.n }}", "true")
        .run("good")
        .infra("logs good")
        .stderr_has("`good` printed nothing in");
    assert!(story.last().stdout.is_empty() && story.infra("logs good --json").last().stderr.is_empty());
    // A failed run tells only what failed.
    story.run_to(1, "good bad -k --set n=2").infra("logs");
    assert_eq!(story.last().stdout, "bad 2\n");
    // Of one environment nothing is told in another.
    story.infra_to(2, "logs -e dev").stderr_has("nothing ran in `dev` yet");
    story.infra_to(2, "logs good -e dev").stderr_has("`good` never ran in `dev`");
}

#[test]
pub fn path_prints_where_a_log_is() {
    let story = logged();
    story.run("good");
    let path = story.infra("logs good --path").last().stdout;
    assert_eq!(path, ".infra/runs/1/good/1/output.log\n");
    assert_eq!(story.read(path.trim()), "good 1\n");
    let json = story.infra("logs good --path --json").last().json();
    assert_eq!((json["logs"][0]["path"].as_str(), json["logs"][0].get("lines")), (Some(path.trim()), None));
    assert_eq!(story.infra("logs --json").last().json()["logs"][0]["lines"], json!(["good 1"]));
    // A log that was removed is not told as an empty one.
    story.remove(".infra/runs").infra_to(2, "logs good").stderr_has("its log is no longer there");
}

#[test]
pub fn history_shows_runs_or_the_attempts_of_a_task() {
    let story = logged();
    story.infra("history").stdout_has("nothing ran in local yet");
    for n in 1..4 {
        story.run(&format!("good --set n={n}"));
    }
    story.run_to(1, "bad");
    let runs = story.infra("history --json").last().json();
    let ids: Vec<i64> = runs["runs"].as_array().unwrap().iter().map(|run| run["run"].as_i64().unwrap()).collect();
    assert_eq!(ids, [4, 3, 2, 1]);
    let runs = story.infra("history --json --limit 2").last().json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    let attempts = story.infra("history --json good --limit 1").last().json();
    assert_eq!(attempts["attempts"].as_array().unwrap().len(), 1);
    story.infra("history bad").stdout_has("failed  exited with code 1");
    story.infra("history --limit 1").stdout_has("1 failed");
    for words in ["history --limit 0", "history --limit x", "run -j 0", "watch --jobs many"] {
        story.infra_to(2, words).stderr_has("write a number, 1 or more");
    }
    story.infra_to(2, "logs --run last").stderr_has("write its number, as `infra history` shows it");
    story.infra_to(2, "history nope").stderr_has("unknown task `nope`");
}

fn exporting() -> Story {
    let story = Story::with(
        r#"
        [task.vm]
        exports = { ip = "ip", ports = "list<int>", key = "secret<string>" }
        outputs = ["build/vm.txt"]
        shell = '''
        echo vm > build/vm.txt
        echo '{"ip": "10.0.0.1", "ports": [22, 80], "key": "canary-hunter2"}' > $INFRA_EXPORTS
        '''
        [task.other]
        shell = "true"
        "#,
    );
    story.run("vm other");
    story
}

#[test]
pub fn outputs_shows_values_and_artifacts() {
    let story = exporting();
    story.infra("outputs").stdout_has("10.0.0.1").stdout_has("[22,80]").stdout_has("build/vm.txt");
    story.infra("outputs vm");
    assert!(!story.last().stdout.contains("canary-hunter2"));
    let json = story.infra("outputs vm --json").last().json();
    assert_eq!(json["tasks"][0]["values"].as_array().unwrap().len(), 3);
    assert_eq!(json["tasks"][0]["artifacts"][0]["kept"], true);
    story.infra("outputs other").stdout_has("`other` made no values and no artifacts");
    story.infra_to(2, "outputs nope").stderr_has("nope");
}

#[test]
pub fn key_prints_one_value_for_scripts() {
    let story = exporting();
    assert_eq!(story.infra("outputs vm --key ip").last().stdout, "10.0.0.1\n");
    assert_eq!(story.infra("outputs vm --key ports").last().stdout, "[22,80]\n");
    // As JSON it is a document like every other one.
    assert_eq!(
        story.infra("outputs vm --key ip --json").last().json(),
        json!({"v": 1, "env": "local", "task": "vm", "key": "ip", "value": "10.0.0.1"})
    );
    story.infra_to(2, "outputs vm --key pots").stderr_has("did you mean `ports`?");
    story.infra_to(2, "outputs --key ip").stderr_has("<TASK>");
    story.infra_to(5, "outputs vm --key key").stderr_has("--reveal");
    assert!(!story.last().stderr.contains("canary-hunter2"));
}

#[test]
pub fn reveal_shows_secrets() {
    let story = exporting();
    story.infra("outputs vm --reveal").stdout_has("canary-hunter2");
    assert_eq!(story.infra("outputs vm --key key --reveal").last().stdout, "canary-hunter2\n");
    story.infra("outputs vm --reveal --json").stdout_has("canary-hunter2");
}

#[test]
pub fn check_only_checks() {
    let story = chain();
    story.infra("check").stderr_has("no mistakes in 4 tasks");
    assert_eq!(story.infra("check --json").last().json(), json!({"v": 1, "diagnostics": []}));
    story.retask("needs = [\"b\"]", "needs = [\"bb\"]").infra_to(2, "check").stderr_has("tasks/t.toml:14:10");
    let found = story.infra_to(2, "check --json").last().json();
    assert_eq!(
        (found["diagnostics"][0]["line"].clone(), found["diagnostics"][0]["column"].clone()),
        (json!(14), json!(10)),
        "{found}"
    );
    story.absent(".infra");
}

#[test]
pub fn schema_prints_what_editors_want() {
    let story = Story::new();
    let both = story.infra("schema").last().json();
    assert_eq!(story.infra("schema project").last().json(), both["project"]);
    assert_eq!(story.infra("schema tasks").last().json(), both["tasks"]);
    story.infra_to(2, "schema nope").stderr_has("possible values: project, tasks");
}

#[test]
pub fn plan_takes_the_selection_of_run() {
    let story = chain();
    story.run("c d");
    story.file("a.txt", "two\n").retask("echo c", "echo C");
    let tasks = |words: &str| names(&story.infra(&format!("plan --json {words}")).last().json()["tasks"]);
    assert_eq!(tasks("c"), ["a", "b", "c"]);
    assert_eq!(tasks("--only c"), ["c"]);
    assert_eq!(tasks("c --from b"), ["b", "c"]);
    assert_eq!(tasks("--until b"), ["a", "b"]);
    assert_eq!(tasks("c --skip a"), ["a", "b", "c"]);
    assert_eq!(tasks("d --force"), ["d"]);
    story.infra("plan d --force").stdout_has("forced");
    story.infra("plan c").stdout_has("a.txt changed").stdout_has("1 to run, 2 deferred");
}

#[test]
pub fn man_prints_the_pages_that_are_shipped() {
    let story = Story::new();
    let shipped = |name: &str| std::fs::read_to_string(format!("{}/docs/man/{name}.1", env!("CARGO_MANIFEST_DIR")));
    assert_eq!(story.infra("man").last().stdout, shipped("infra").unwrap());
    assert_eq!(story.infra("man artifacts get").last().stdout, shipped("infra-artifacts-get").unwrap());
    story.stdout_has(".TH infra-artifacts-get 1");
    story.infra_to(2, "man nope").stderr_has("there is no command `nope`").stderr_has("artifacts get");
    story.infra_to(2, "--json man").stdout_has("a manual page has no form in JSON");
    story.infra_to(2, "completion bash --json").stdout_has("a shell's script has no form in JSON");
    story.infra_to(2, "man complete").stderr_has("there is no command `complete`");
}
