//! `--only`, `--skip`, `--from`: what is left out stands as it is recorded, or the run is refused.

use crate::support::Story;

const CHAIN: &str = r#"
    [task.make]
    effect = "pure"
    inputs = ["in"]
    outputs = ["build/x"]
    shell = "echo make >> ../log; cat in > build/x; test ! -e ../fail"

    [task.change]
    inputs = ["seed"]
    exports = { n = "string" }
    shell = "echo change >> ../log; echo n=$(cat seed) > $INFRA_EXPORTS; test ! -e ../fail-change"

    [task.use]
    inputs = ["build/x"]
    shell = "echo use >> ../log; cat build/x > ../used; echo {{ tasks.change.n }} {{ vars.x }} >> ../used"

    [task.beside]
    shell = "echo beside >> ../log"
"#;

fn chain() -> Story {
    let story = Story::with(CHAIN);
    story.project("[vars]\nx = 1\n").file("in", "in1\n").file("seed", "s1");
    story
}

#[test]
fn only_takes_what_it_reads_as_it_is_recorded() {
    let story = chain();
    story.run("use").ran(["make", "change", "use"]);
    story.file("in", "in2\n").file("seed", "s2").edit("infra.toml", "x = 1", "x = 2");
    story.run("--only use").ran(["use"]).holds("../used", "in1\ns1 2\n");
    // Nothing else is lost by it: the next run does what is stale.
    story.run("use").ran(["make", "change", "use"]).holds("../used", "in2\ns2 2\n");
}

#[test]
fn only_puts_an_altered_artifact_back_first() {
    let story = chain();
    story.run("use").file("build/x", "meddled\n").edit("infra.toml", "x = 1", "x = 2");
    story.run("--only use").ran(["use"]).holds("../used", "in1\ns1 2\n");
    story.run("use").nothing_ran();
}

#[test]
fn only_is_refused_where_nothing_is_recorded() {
    let story = chain();
    story.run_to(5, "--only use").says("never ran");
    assert!(!story.exists("../log"));
    story.run("--only beside").ran(["beside"]);
    story.run("make change").run("--only use").ran(["use"]);
}

#[test]
fn only_is_refused_where_upstream_failed() {
    let story = chain();
    story.run("use");
    story.file("../fail-change", "").file("seed", "s2").run_to(1, "use").failed(["change"]);
    story.edit("infra.toml", "x = 1", "x = 2").run_to(5, "--only use").says("failed");
    story.run("--only beside").ran(["beside"]);
    // A pure one that failed for other inputs has a record still, but nobody asked for that.
    story
        .remove("../fail-change")
        .run("change")
        .file("../fail", "")
        .file("in", "in2\n")
        .run_to(1, "make")
        .failed(["make"]);
    story.run_to(5, "--only use").says("failed");
    story.remove("../fail").file("in", "in1\n").run("--only use").ran(["use"]);
}

#[test]
fn skip_leaves_a_stale_task_as_it_is_recorded_and_says_so() {
    let story = chain();
    story.run("use").file("in", "in2\n").file("seed", "s2").edit("infra.toml", "x = 1", "x = 2");
    story.run("use --skip change").skipped(["change"]).ran(["make", "use"]).holds("../used", "in2\ns1 2\n");
    story.states("change=stale beside=stale").run("use").ran(["change", "use"]).holds("../used", "in2\ns2 2\n");
}

#[test]
fn skip_without_a_record_skips_what_reads_it() {
    let story = chain();
    story.run_to(5, "use beside --skip change").skipped(["change", "use"]).ran(["make", "beside"]);
}
