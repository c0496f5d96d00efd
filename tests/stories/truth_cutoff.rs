//! Early cutoff: what ran again and made the same stops the wave.

use crate::support::Story;
use serde_json::json;

#[test]
fn the_same_artifact_stops_the_wave() {
    let story = artifact();
    story.file("src.txt", "text\n# another comment\n");
    story.run("ship").ran(["strip"]).fresh(["ship"]);
    story.run("ship").nothing_ran();
}

#[test]
fn another_artifact_goes_on() {
    let story = artifact();
    story.file("src.txt", "other\n# comment\n");
    story.states("strip=stale ship=deferred");
    story.run("ship").ran(["strip", "ship"]).order(["strip", "ship"]);
    story.because("ship", json!({"kind": "input-changed", "path": "build/text"}));
}

fn artifact() -> Story {
    let story = Story::with(
        r#"
        [task.strip]
        effect = "pure"
        inputs = ["src.txt"]
        outputs = ["build/text"]
        shell = "grep -v '#' src.txt > build/text"

        [task.ship]
        inputs = ["build/text"]
        shell = "cat build/text >> ../shipped"
        "#,
    );
    story.file("src.txt", "text\n# comment\n").run("ship").ran(["strip", "ship"]);
    story
}

fn values() -> Story {
    let story = Story::with(
        r#"
        [task.make]
        inputs = ["size", "name"]
        exports = { size = "int", name = "string" }
        shell = '''
        echo "size=$(cat size)" > $INFRA_EXPORTS
        echo "name=$(cat name)" >> $INFRA_EXPORTS
        '''

        [task.by-size]
        shell = "echo {{ tasks.make.size }}"

        [task.by-name]
        shell = "echo {{ tasks.make.name }}"
        "#,
    );
    story.file("size", "3\n").file("name", "k3s\n").run("by-*").ran(["make", "by-size", "by-name"]);
    story
}

#[test]
fn only_readers_of_the_value_that_changed_rerun() {
    let story = values();
    story.file("size", "4\n").run("by-*").ran(["make", "by-size"]).fresh(["by-name"]);
    story.because("by-size", json!({"kind": "value-changed", "value": "make.size", "old": "3", "new": "4"}));
}

#[test]
fn a_rerun_with_the_same_values_reruns_no_reader() {
    let story = values();
    // The token of `make` is another now, but tokens travel along written needs only.
    story.run("make --force").ran(["make"]);
    story.run("by-*").nothing_ran();
    assert_eq!(story.value("make", "size"), json!(3));
}

fn tokens() -> Story {
    let story = Story::with(
        r#"
        [task.change]
        inputs = ["in"]
        shell = "echo change >> ../log; test ! -e ../fail"

        [task.needing]
        needs = ["change"]
        shell = "echo needing >> ../log"

        [task.later]
        after = ["change"]
        shell = "echo later >> ../log"
        "#,
    );
    story.file("in", "1").run("needing later").ran(["change", "needing", "later"]);
    story
}

#[test]
fn who_needs_a_change_of_the_world_reruns_with_it() {
    let story = tokens();
    story.file("in", "2").run("needing").ran(["change", "needing"]);
    story.because("needing", json!({"kind": "upstream-changed", "task": "change"}));
    story.run("needing").nothing_ran();
}

#[test]
fn who_only_comes_after_it_does_not() {
    let story = tokens();
    story.file("in", "2").run("later").ran(["change"]).fresh(["later"]);
    story.states("needing=stale");
}

#[test]
fn a_failed_change_enters_the_token() {
    let story = tokens();
    story.file("../fail", "").file("in", "2").run_to(1, "needing").failed(["change"]).skipped(["needing"]);
    story.remove("../fail").file("in", "1").run("needing").ran(["change", "needing"]);
}

#[test]
fn a_change_that_was_not_tried_does_not() {
    let story = tokens();
    story.file("in", "2").infra("status --json").infra("plan --json needing");
    story.file("in", "1").run("needing later").nothing_ran();
}

fn pure_need() -> Story {
    let story = Story::with(
        r#"
        [task.strip]
        effect = "pure"
        inputs = ["src.txt"]
        outputs = ["build/text"]
        exports = { lines = "int" }
        shell = "grep -v '#' src.txt > build/text; echo lines=$(wc -l < build/text) > $INFRA_EXPORTS"

        [task.ship]
        needs = ["strip"]
        shell = "echo shipped"
        "#,
    );
    story.file("src.txt", "text\n# comment\n").run("ship").ran(["strip", "ship"]);
    story
}

#[test]
fn needing_a_pure_task_means_what_it_made() {
    let story = pure_need();
    story.file("src.txt", "other\n# comment\n").run("ship").ran(["strip", "ship"]);
    story.because("ship", json!({"kind": "upstream-changed", "task": "strip"}));
}

#[test]
fn needing_a_pure_task_that_made_the_same_reruns_nothing() {
    let story = pure_need();
    story.file("src.txt", "text\n# another\n").run("ship").ran(["strip"]).fresh(["ship"]);
}

#[test]
fn a_wave_goes_through_a_chain_and_stops_where_nothing_changed() {
    let story = Story::with(
        r#"
        [task.a]
        effect = "pure"
        inputs = ["in"]
        outputs = ["build/a"]
        shell = "cat in > build/a"

        [task.b]
        effect = "pure"
        inputs = ["build/a"]
        outputs = ["build/b"]
        shell = "head -c 1 build/a > build/b"

        [task.c]
        effect = "pure"
        inputs = ["build/b"]
        outputs = ["build/c"]
        shell = "cat build/b > build/c"
        "#,
    );
    story.file("in", "12").run("c").ran(["a", "b", "c"]).order(["a", "b", "c"]);
    story.file("in", "13").run("c").ran(["a", "b"]).fresh(["c"]);
    story.file("in", "23").run("c").ran(["a", "b", "c"]).holds("build/c", "2");
}

#[test]
fn needing_a_read_task_means_what_it_saw() {
    let story = Story::with(
        r#"
        [task.look]
        effect = "read"
        exports = { up = "int" }
        shell = "echo up=$(cat ../world) > $INFRA_EXPORTS"

        [task.use]
        needs = ["look"]
        shell = "echo use"
        "#,
    );
    story.file("../world", "3").run("use").ran(["look", "use"]);
    story.run("use").ran(["look"]).fresh(["use"]);
    story.file("../world", "4").run("use").ran(["look", "use"]);
    story.because("use", json!({"kind": "upstream-changed", "task": "look"}));
}

#[test]
fn values_of_instances_are_read_one_by_one_or_all() {
    let story = Story::with(
        r#"
        [task.host]
        foreach = ["web-1", "web-2"]
        inputs = ["{{ item }}"]
        exports = { port = "int" }
        shell = 'echo "port=$(cat {{ item }})" > $INFRA_EXPORTS'

        [task.one]
        run = ["echo", "one {{ tasks.host['web-1'].port }}"]

        [task.other]
        run = ["echo", "other {{ tasks.host['web-2'].port }}"]

        [task.all]
        run = ["echo", "all {{ tasks.host.port | tojson }} {{ tasks.host['web-2'].port }}"]
        "#,
    );
    story.file("web-1", "81\n").file("web-2", "82\n");
    story.run("one other all").ran(["host[web-1]", "host[web-2]", "one", "other", "all"]);
    story.infra("logs all").stdout_has(r#"all {"web-1":81,"web-2":82} 82"#);
    story.file("web-2", "90\n").run("one other all").ran(["host[web-2]", "other", "all"]).fresh(["host[web-1]", "one"]);
}
