//! `infra run`: every flag of its help, by what it does.

use crate::support::{Running, Seen, Story};
use serde_json::json;

/// a → b → c, and d beside them; each says in `../log` that it ran.
const CHAIN: &str = r#"
    [task.a]
    stage = "first"
    effect = "pure"
    inputs = ["a.txt"]
    outputs = ["build/a"]
    shell = "echo a >> ../log; cat a.txt > build/a"

    [task.b]
    inputs = ["build/a"]
    exports = { n = "int" }
    shell = "echo b >> ../log; test ! -e ../fail-b; echo n=1 > $INFRA_EXPORTS"

    [task.c]
    needs = ["b"]
    tags = ["smoke"]
    shell = "echo c {{ tasks.b.n }} >> ../log; test ! -e ../fail-c"

    [task.d]
    tags = ["smoke"]
    shell = "echo d >> ../log; test ! -e ../fail-d"
"#;

pub fn chain() -> Story {
    let story = Story::with(CHAIN);
    story.file("a.txt", "one\n");
    story
}

#[test]
pub fn a_target_brings_what_is_upstream() {
    chain().run("b").ran(["a", "b"]).run("c").ran(["c"]).fresh(["a", "b"]);
    chain().run("+c").ran(["a", "b", "c"]);
    chain().run("a+").ran(["a", "b", "c"]);
    chain().run("first").ran(["a"]).run("stage:first").fresh(["a"]);
    chain().run("tag:smoke").ran(["a", "b", "c", "d"]);
    chain().run("?").ran(["a", "b", "c", "d"]).run("{c,d}").fresh(["a", "b", "c", "d"]);
    let story = chain();
    story.run("c");
    story.retask("echo b", "echo B").run("d c!").ran(["d"]).fresh(["c"]);
}

#[test]
pub fn without_a_target_the_default_is_meant_or_a_list_is_given() {
    let story = chain();
    let seen = story.try_infra("run");
    assert_eq!(seen.code, Some(2), "{seen:?}");
    story.says("no target is named").says("name one of: a, b, c, d");
    story.project("[project]\ndefault = [\"b\"]\n").run("").ran(["a", "b"]);
}

#[test]
pub fn only_takes_what_is_upstream_as_recorded() {
    let story = chain();
    story.run_to(5, "--only c").says("`c` reads `b`, which never ran").says("run `infra run c`, which runs `b` first");
    story.run("c");
    // a and b are stale now, and c is asked for alone.
    story.file("a.txt", "two\n").run("--only c").nothing_ran().fresh(["c"]);
    story.retask("echo c", "echo C").run("--only c").ran(["c"]);
    // An artifact that it reads and that was altered is put back first.
    story.file("a.txt", "one\n").remove("build/a").run("--only b --force").ran(["b"]).holds("build/a", "one\n");
    story.file("../fail-b", "").run_to(1, "--only b --force").failed(["b"]);
    story.run_to(5, "--only c").says("`c` reads `b`, which failed");
    story.infra_to(2, "run --only a --from b").says("cannot be used with");
}

#[test]
pub fn a_plan_says_what_the_run_will_do() {
    let story = chain();
    story.infra_to(5, "plan --only c").says("`c` reads `b`, which never ran").infra_to(5, "run c --only c --dry-run");
    story.run("c");
    story.retask("echo b", "echo B");
    let actions = |words: &str| {
        let plan = story.infra(&format!("plan --json {words}")).last().json();
        let tasks = plan["tasks"].as_array().cloned().unwrap_or_default();
        let said: Vec<String> =
            tasks.iter().map(|task| format!("{}={}", task["name"], task["action"]).replace('"', "")).collect();
        said.join(" ")
    };
    assert_eq!(actions("c"), "a=keep b=run c=deferred");
    assert_eq!(actions("c --only c"), "c=keep");
    assert_eq!(actions("c --skip b"), "a=keep b=skip c=keep");
    assert_eq!(actions("c --from c"), "c=keep");
    assert_eq!(actions("a b --force"), "a=run b=run");
}

#[test]
pub fn only_may_be_repeated() {
    let story = chain();
    story.run("c");
    story.retask("echo c", "echo C").retask("echo b", "echo B").run("--only b --only d").ran(["b", "d"]);
}

#[test]
pub fn until_goes_so_far_and_no_further() {
    chain().run("--until b").ran(["a", "b"]);
    chain().run("c d --until b").ran(["a", "b"]);
}

#[test]
pub fn from_runs_it_and_what_lies_downstream_of_it_within_the_target() {
    let story = chain();
    story.run("c d");
    story.file("a.txt", "two\n").retask("echo d", "echo D").retask("echo b", "echo B");
    // a is upstream of where it begins, d beside it: both are left as they are.
    story.run("c d --from b").ran(["b", "c"]);
    story.run("--from b").fresh(["b", "c"]);
    story.run("c --from b --until b").fresh(["b"]);
    story.infra_to(2, "run d --from b").says("nothing lies between");
}

#[test]
pub fn skip_leaves_a_task_as_recorded_and_says_so() {
    let story = chain();
    story.run("c");
    story.retask("echo b", "echo B").run("c --skip b").nothing_ran().skipped(["b"]).fresh(["a", "c"]);
    let skipped = story.last().events_of("task-finished").into_iter().find(|event| event["task"] == "b");
    assert_eq!(skipped.map(|event| event["summary"].clone()), Some(json!("left out; taken as recorded")));
    story.run_plain("c --skip b").stderr_has("left out; taken as recorded").stderr_has("1 skipped");
    // One that never ran has nothing to be taken as.
    let fresh = chain();
    fresh.run_to(5, "c --skip b").ran(["a"]).skipped(["b", "c"]).says("not run: `b` was left out, and never ran here");
    fresh.infra("plan c --skip b --json");
    assert_eq!(fresh.last().json()["tasks"][2]["action"], "refuse");
    story.infra_to(2, "run c --skip nope").says("nope");
}

#[test]
pub fn force_runs_the_named_targets_and_nothing_else() {
    let story = chain();
    story.run("c");
    story.run("c --force").ran(["c"]).fresh(["a", "b"]).because("c", json!({"kind": "forced"}));
    story.run("b c --force").ran(["b", "c"]);
}

#[test]
pub fn dry_run_shows_and_does_nothing() {
    let story = chain();
    let before = story.tree();
    story.infra("run c --dry-run").stdout_has("a").stdout_has("never ran here").stdout_has("3 to run");
    assert_eq!(story.tree(), before);
    assert_eq!(story.times("a"), 0);
    story.run("c");
    story.infra("run c --dry-run --force").stdout_has("forced");
    let plan = story.infra("run c --dry-run --json --force").last().json();
    assert_eq!(plan["tasks"][2]["action"], "run");
    // The same as `plan`, in another environment too.
    let both = [story.infra("run c --dry-run --json").last().stdout, story.infra("plan c --json").last().stdout];
    assert_eq!(both[0], both[1]);
}

#[test]
pub fn resume_goes_on_with_targets_environment_and_variables() {
    let story = chain();
    story.project("[vars]\nx = \"1\"\n[env.local]\n[env.dev]\n").retask("echo c", "echo {{ vars.x }}-{{ env.name }}");
    story.file("../fail-c", "");
    story.infra_to(2, "run --resume").says("nothing to resume: there was no run yet");
    story.run_to(1, "c d --skip d -e dev --set x=7").ran(["a", "b"]).failed(["c"]);
    // Before it goes on, it can say what it would do: the same, there.
    let plan = story.infra("run --resume --dry-run --json").last().json();
    assert_eq!((plan["env"].clone(), plan["tasks"][2]["action"].clone()), (json!("dev"), json!("run")), "{plan}");
    story.remove("../fail-c").run("--resume").ran(["c"]).fresh(["a", "b"]).skipped(["d"]);
    assert_eq!(story.last().events()[0]["env"], "dev");
    assert!(story.read("../log").ends_with("7-dev 1\n"), "{}", story.read("../log"));
    story.infra_to(2, "run --resume").says("nothing to resume: run 2 finished");
    // What it goes on with is told: it may be there no more.
    story.file("../fail-c", "").infra_to(1, "run --only c --force -e dev --set x=7");
    story.retask("[task.c]", "[task.renamed]");
    story.infra_to(2, "run --resume").stderr_has("goes on with run 3 in dev: --only c\nerror").stderr_has("`c`");
    story.infra_to(2, "run c --resume").says("cannot be used with");
}

#[test]
pub fn resume_after_a_kill_goes_on_too() {
    let story = chain();
    story.retask(
        "echo c",
        "while test ! -s ../runner.pid; do sleep 0.01; done; kill -9 $(cat ../runner.pid); sleep 0.3; echo c",
    );
    let killed = story.try_infra("run --json c");
    assert_eq!(killed.signal, Some(9), "{killed:?}");
    story.retask("kill -9", "true");
    story.run("--resume").ran(["c"]).fresh(["a", "b"]).says("was cut short while `c`");
}

#[test]
pub fn keep_going_runs_what_does_not_depend_on_a_failure() {
    let failing = || {
        let story = chain();
        story.file("../fail-b", "").retask("echo d", "sleep 0.1; echo d");
        story
    };
    // e comes after the failure in any case.
    let tasks = "\n[task.e]\nneeds = [\"d\"]\nshell = \"echo e\"\n";
    let story = failing();
    story.file("tasks/e.toml", tasks);
    story.run_to(1, "c e -j 2").failed(["b"]).skipped(["c", "e"]).ran(["a", "d"]);
    let story = failing();
    story.file("tasks/e.toml", tasks);
    story.run_to(1, "c e -j 2 --keep-going").failed(["b"]).skipped(["c"]).ran(["a", "d", "e"]);
    let story = failing();
    story.file("tasks/e.toml", tasks);
    story.run_to(1, "c e -j 2 -k").ran(["a", "d", "e"]);
}

#[test]
pub fn fail_fast_interrupts_what_still_runs() {
    let story = Story::with(
        r#"
        [task.bad]
        shell = "while test ! -e ../started; do sleep 0.01; done; exit 1"
        [task.long]
        shell = "trap 'echo INT >> ../log; exit 130' INT; touch ../started; sleep 60 & wait"
        "#,
    );
    story.run_to(1, "bad long -j 2 --fail-fast").failed(["bad"]).interrupted(["long"]);
    assert_eq!(story.times("INT"), 1);
    story.says("--fail-fast");
    // Without it, what runs may end.
    story.remove("../started").retask("sleep 60", "sleep 0.3");
    story.run_to(1, "bad long -j 2").failed(["bad"]).ran(["long"]);
    story.infra_to(2, "run bad -k --fail-fast").says("cannot be used with");
}

#[test]
pub fn jobs_is_how_many_run_at_a_time() {
    let story = Story::with(
        r#"
        [task.t]
        foreach = ["1", "2", "3", "4", "5", "6"]
        shell = '''
        mkdir -p ../now; touch ../now/{{ item }}
        ls ../now | wc -l >> ../most
        sleep 0.2
        rm ../now/{{ item }}
        '''
        "#,
    );
    let most = |story: &Story| story.read("../most").lines().filter_map(|line| line.trim().parse::<u32>().ok()).max();
    story.run("t -j 1");
    assert_eq!(most(&story), Some(1));
    story.file("../most", "").run("t --jobs 3 --force");
    assert_eq!(most(&story), Some(3));
    story.infra_to(2, "run t -j 0").says("0");
    story.infra_to(2, "run t -j many").says("many");
}

/// A run that holds the environment until `../go` is there.
pub fn holding(story: &Story) -> Running {
    story.file(
        "tasks/hold.toml",
        "[task.hold]\nshell = \"touch ../held; while test ! -e ../go; do sleep 0.02; done\"\n",
    );
    let running = story.spawn("run hold");
    story.wait_for_file("../held");
    running
}

#[test]
pub fn wait_waits_for_the_other_run() {
    let story = chain();
    let first = holding(&story);
    let second = story.infra_to(3, "run d").last();
    assert!(second.stderr.contains("environment `local` is held by `infra run hold`"), "{second:?}");
    let mut waiting = story.spawn("run d --wait");
    waiting.until("waiting: environment `local` is held by `infra run hold`");
    assert!(waiting.lives());
    story.file("../go", "");
    assert_eq!(first.wait().code, Some(0));
    let waited = waiting.wait();
    assert_eq!((waited.code, story.times("d")), (Some(0), 1), "{waited:?}");
}

#[test]
pub fn yes_approves() {
    let story = chain();
    story.project("[env.local]\napprove = \"on-change\"\n");
    story.run_to(5, "d").says("nobody can be asked here").says("--yes").failed(["d"]);
    assert_eq!(story.times("d"), 0);
    story.run("d --yes").ran(["d"]);
}

#[test]
fn a_question_shows_what_is_run_and_can_be_left() {
    let story = Story::with(
        r#"
        [task.d]
        run = [["sh", "-c", "echo one >> ../log"], ["sh", "-c", "echo two >> ../log"]]
        [task.s]
        shell = '''
        # first a word
        echo three >> ../log
        '''
        [task.after]
        shell = "echo four >> ../log"
        "#,
    );
    story.project("[env.local]\napprove = \"always\"\n");
    let asked = "Type `yes`: ";
    let seen = story.typed("run d s -j1", &[(asked, "yes\n"), ("three", "yes\n")]);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.stdout_has("d changes `local`: runs 2 lines").stdout_has("  | sh -c echo two >> ../log");
    story.stdout_has("s changes `local`: runs 2 lines").stdout_has("  | echo three >> ../log");
    assert_eq!(story.read("../log"), "one\ntwo\nthree\n");
    // Neither another word nor the end of input is a yes.
    for keys in ["no\n", "\u{4}"] {
        let seen = story.typed("run after", &[(asked, keys)]);
        assert_eq!(seen.code, Some(5), "{seen:?}");
        story.stdout_has("the change was not approved; nothing was changed");
    }
    // One interrupt is enough to leave, and nothing else is started.
    let seen = story.typed("run after", &[(asked, "\u{3}")]);
    assert_eq!(seen.code, Some(130), "{seen:?}");
    story.infra("history --limit 1").stdout_has("interrupted");
    let seen = story.typed("run after d --force -j1", &[(asked, "\u{3}")]);
    assert_eq!(seen.code, Some(130), "{seen:?}");
    story.stdout_has("interrupted");
    assert_eq!(seen.stdout.matches(asked).count(), 1, "{seen:?}");
    assert_eq!(story.read("../log"), "one\ntwo\nthree\n");
}

#[test]
pub fn watch_is_the_watch_command() {
    let story = Story::with("[task.p]\neffect = \"pure\"\ninputs = [\"in\"]\nshell = \"echo p >> ../log\"\n");
    story.file("in", "1");
    let mut running = story.spawn("run p --watch");
    running.until("watching for changes");
    story.file("in", "2").wait_for("the second run", || story.times("p") == 2);
    running.signal("INT");
    assert_eq!(running.wait().code, Some(130));
    for excluded in ["--dry-run", "--resume", "--force"] {
        story.infra_to(2, &format!("run p --watch {excluded}"));
    }
}

#[test]
pub fn json_is_one_event_a_line_and_nothing_else() {
    let seen: Seen = chain().run("c").last();
    assert!(seen.stderr.is_empty(), "{seen:?}");
    assert!(seen.events().iter().all(|event| event["v"] == 1));
}
