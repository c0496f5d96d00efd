//! Attempts that were cut short: nothing is guessed, and nothing that changed nothing is in doubt.

use crate::support::Story;
use serde_json::json;

/// A task that ends its runner when told to.
const CUT: &str = r#"
    [task.before]
    shell = "echo before >> ../log"

    [task.cut]
    effect = "EFFECT"
    needs = ["before"]
    shell = '''
    echo cut >> ../log
    if test -e ../kill; then
      while test ! -s ../runner.pid; do sleep 0.01; done
      kill -9 $(cat ../runner.pid)
      sleep 0.2
      exit 1
    fi
    '''

    [task.follow]
    needs = ["cut"]
    shell = "echo follow >> ../log"

    [task.beside]
    shell = "echo beside >> ../log"
"#;

fn with(effect: &str) -> Story {
    let story = Story::with(&CUT.replace("EFFECT", effect));
    if effect == "read" {
        story.retask("needs = [\"before\"]", "needs = [\"before\"]\nttl = \"1h\"");
    }
    story
}

/// Runs until the task kills its runner.
fn killed(story: &Story, words: &str) {
    story.file("../kill", "");
    let seen = story.try_infra(&format!("run --json {words}"));
    if seen.signal != Some(9) {
        seen.fail("the runner was to be killed");
    }
    story.remove("../kill");
}

fn cut_short(effect: &str) -> Story {
    let story = with(effect);
    killed(&story, "cut");
    story
}

#[test]
fn what_was_cut_short_runs_again_and_says_so() {
    for effect in ["pure", "read", "idempotent"] {
        let story = cut_short(effect);
        story.states("cut=stale before=fresh").status_reason("cut", json!({"kind": "interrupted"}));
        story.run("cut").ran(["cut"]).fresh(["before"]).because("cut", json!({"kind": "interrupted"}));
        story.run("cut").nothing_ran();
        assert_eq!((story.times("before"), story.times("cut")), (1, 2), "{effect}");
    }
}

#[test]
fn what_had_finished_before_the_cut_stays_fresh() {
    let story = cut_short("idempotent");
    story.states("before=fresh");
    story.run("before").nothing_ran();
}

#[test]
fn a_cut_attempt_leaves_no_older_record_believed() {
    for effect in ["pure", "read", "idempotent"] {
        let story = with(effect);
        story.run("cut beside").ran(["before", "cut", "beside"]);
        killed(&story, "cut --force");
        // Nothing that it reads changed: the record of before would be believed, if not for the cut.
        story.states("cut=stale before=fresh beside=fresh");
        story.run("cut beside").ran(["cut"]).fresh(["before", "beside"]).because("cut", json!({"kind": "interrupted"}));
        story.run("cut beside").nothing_ran();
    }
}

#[test]
fn a_pure_attempt_cut_over_other_inputs_leaves_the_record_of_these() {
    let story = with("pure");
    story.project("[vars]\nx = 1\n").retask("echo cut >>", ": {{ vars.x }}; echo cut >>").run("cut");
    story.edit("infra.toml", "x = 1", "x = 2");
    killed(&story, "cut");
    story.states("cut=stale");
    story.edit("infra.toml", "x = 2", "x = 1").run("cut").nothing_ran();
}

#[test]
fn what_follows_a_cut_change_of_the_world_runs_again() {
    let story = with("idempotent");
    story.run("follow beside").ran(["before", "cut", "follow", "beside"]);
    killed(&story, "cut --force");
    story.run("follow beside").ran(["cut", "follow"]).fresh(["before", "beside"]);
    story.run("follow beside").nothing_ran();
}

#[test]
fn a_once_cut_short_is_unknown_until_it_is_resolved() {
    let story = cut_short("once");
    story.states("cut=unknown").status_reason("cut", json!({"kind": "end-unknown"}));
    story.run_to(4, "follow").nothing_ran();
    // It holds nothing that does not need it.
    story.run("beside").ran(["beside"]);
    story.infra("resolve cut --done --reason seen").states("cut=fresh");
    story.run("follow").ran(["follow"]).fresh(["before", "cut"]);
    assert_eq!(story.times("cut"), 1);
}

#[test]
fn outputs_that_were_moved_aside_come_back_after_a_cut() {
    let story = Story::with(
        r#"
        [task.build]
        effect = "pure"
        inputs = ["in"]
        outputs = ["build/x"]
        shell = '''
        if test -e ../kill; then
          echo half > build/x
          while test ! -s ../runner.pid; do sleep 0.01; done
          kill -9 $(cat ../runner.pid)
          sleep 0.2
          exit 1
        fi
        cat in > build/x
        '''
        "#,
    );
    story.file("in", "1").run("build").file("in", "2");
    killed(&story, "build");
    story.holds("build/x", "half\n").file("in", "1");
    // Recovered before anything is judged: what was true for the first text is there again.
    story.run("build").nothing_ran().holds("build/x", "1");
}

#[test]
fn another_environments_living_run_keeps_what_it_moved_aside() {
    let story = Story::with(
        r#"
        [task.build]
        effect = "pure"
        inputs = ["in"]
        outputs = ["build/x"]
        shell = '''
        if test -e ../hold; then
          touch ../holding
          while test -e ../hold; do sleep 0.01; done
        fi
        cat in > build/x
        '''

        [task.beside]
        shell = "echo beside"
        "#,
    );
    story.project("[env.local]\n[env.dev]\n").file("in", "1").run("build").file("in", "2").file("../hold", "");
    let running = story.spawn("run build");
    story.wait_for_file("../holding").run("beside -e dev").ran(["beside"]).absent("build/x");
    story.remove("../hold");
    assert_eq!(running.wait().code, Some(0));
    story.holds("build/x", "2").run("build").nothing_ran();
}

#[test]
fn a_cut_attempt_leaves_no_secret_in_the_clear() {
    let story = with("idempotent");
    story.retask("[task.cut]\n", "[task.cut]\nexports = { key = \"secret<string>\" }\n");
    story.retask("echo cut >> ../log\n", "echo cut >> ../log\n    echo key=$(cat ../source) > $INFRA_EXPORTS\n");
    story.file("../source", "canary-cut-77");
    killed(&story, "cut");
    story.run("before").nothing_ran().nowhere("canary-cut-77");
    story.run("cut").ran(["cut"]).nowhere("canary-cut-77");
}

/// A task that ends with a known exit after one SIGINT.
fn interrupted(effect: &str) -> Story {
    let story = Story::with(&format!(
        "[task.slow]\neffect = \"{effect}\"\nshell = \"echo slow >> ../log; test ! -e ../hold || {{ touch ../began; sleep 60; }}\"\n[task.beside]\nshell = \"echo beside\"\n"
    ));
    if effect == "read" {
        story.retask("effect = \"read\"", "effect = \"read\"\nttl = \"1h\"");
    }
    if effect != "once" {
        story.run("slow");
    }
    story.run("beside").file("../hold", "");
    let running = story.spawn("run --json slow --force");
    story.wait_for_file("../began");
    running.signal("INT");
    let seen = running.wait();
    if seen.code != Some(130) {
        seen.fail("expected exit code 130");
    }
    assert_eq!(seen.outcomes()["slow"], "interrupted");
    story.remove("../hold");
    story
}

#[test]
fn what_the_user_interrupted_failed() {
    for effect in ["pure", "read", "idempotent"] {
        let story = interrupted(effect);
        story.states("slow=stale beside=fresh").status_reason("slow", json!({"kind": "interrupted"}));
        story.run("slow beside").ran(["slow"]).fresh(["beside"]).run("slow").nothing_ran();
        assert_eq!(story.times("slow"), 3, "{effect}");
    }
}

#[test]
fn a_once_that_the_user_interrupted_has_a_known_end() {
    let story = interrupted("once");
    // No `unknown`: it failed. But it started, so it is not repeated blindly either.
    story.states("slow=stale").run_to(4, "slow").nothing_ran().run("beside").nothing_ran();
    story.infra("resolve slow --failed").run("slow").ran(["slow"]);
}

#[test]
fn on_a_full_disk_nothing_is_lost_and_nothing_looks_done() {
    let story = Story::new();
    if !story.small_disk("3m") {
        return;
    }
    story.tasks(
        "[task.first]\nshell = \"echo first >> ../log\"\n[task.fill]\nneeds = [\"first\"]\noutputs = [\"big\"]\nshell = \"echo fill >> ../log; head -c 3000000 /dev/zero > big || true; head -c 10 big > small; cat small >> big || true\"\n",
    );
    story.run("first").ran(["first"]);
    let seen = story.try_infra("run --json fill");
    assert!(matches!(seen.code, Some(1 | 7)), "{seen:?}");
    assert!(seen.stderr.contains("space") || seen.stdout.contains("space") || seen.stderr.contains("full"), "{seen:?}");
    story.remove("big").retask("head -c 3000000 /dev/zero > big || true; head -c 10 big > small", "echo 1 > small");
    story.states("first=fresh");
    let state = story.try_infra("status --json fill").json()["tasks"][1]["state"].clone();
    assert_ne!(state, "fresh");
    story.run("fill").ran(["fill"]).fresh(["first"]).run("fill").nothing_ran();
}
