//! Tasks that vanish, and tasks that have another name.

use crate::support::Story;
use serde_json::json;

const HOSTS: &str = r#"
    [task.host]
    foreach = ["a", "b"]
    shell = "echo {{ item }} >> ../log; touch ../up-{{ item }}"
    undo = ["sh", "-c", "rm ../up-{{ item }}; echo undo-{{ item }} >> ../log"]

    [task.all]
    needs = ["host"]
    shell = "echo all >> ../log"
"#;

#[test]
fn a_foreach_key_that_is_removed_is_orphaned_and_undone_on_request() {
    let story = Story::with(HOSTS);
    story.run("all").ran(["host[a]", "host[b]", "all"]);
    story.retask("[\"a\", \"b\"]", "[\"b\"]");
    story.states("host[a]=orphaned host[b]=fresh").status_reason("host[a]", json!({"kind": "not-declared"}));
    // Never on its own.
    story.run("all");
    assert!(story.exists("../up-a"));
    assert_eq!((story.times("b"), story.times("undo-a")), (1, 0));
    story.infra("destroy --orphans --yes");
    assert!(!story.exists("../up-a") && story.exists("../up-b"));
    story.states("host[a]=none host[b]=fresh");
    assert_eq!((story.times("undo-a"), story.times("undo-b")), (1, 0));
}

#[test]
fn a_foreach_key_that_is_added_runs_alone() {
    let story = Story::with(HOSTS);
    story.run("all").retask("[\"a\", \"b\"]", "[\"c\", \"a\", \"b\"]");
    story.run("host").ran(["host[c]"]).fresh(["host[a]", "host[b]"]);
    // Keys are the item's text, not its place.
    story.retask("[\"c\", \"a\", \"b\"]", "[\"b\", \"c\", \"a\"]").run("host").nothing_ran();
}

#[test]
fn a_key_that_comes_back_is_known() {
    let story = Story::with(HOSTS);
    story.run("host").retask("[\"a\", \"b\"]", "[\"b\"]").run("host").nothing_ran();
    story.retask("[\"b\"]", "[\"a\", \"b\"]").run("host").nothing_ran();
}

#[test]
fn a_rename_without_was_orphans_and_runs_anew() {
    let story = renamed("");
    story
        .states("up=orphaned start=stale")
        .run("use")
        .ran(["start", "use"])
        .because("start", json!({"kind": "never-ran"}));
}

#[test]
fn a_rename_with_was_moves_the_records() {
    let story = renamed("was = [\"up\"]\n");
    story.states("up=none start=fresh use=fresh");
    // Its readers do not notice.
    story.run("use").nothing_ran().fresh(["start", "use"]);
    story.run("down").ran(["down"]);
    assert_eq!(story.times("undo"), 1);
}

fn renamed(was: &str) -> Story {
    let story = Story::with(
        r#"
        [task.up]
        exports = { ip = "ip" }
        shell = "echo up >> ../log; echo ip=10.0.0.1 > $INFRA_EXPORTS"
        undo = ["sh", "-c", "echo undo >> ../log"]

        [task.use]
        needs = ["up"]
        shell = "echo {{ tasks.up.ip }}"

        [task.down]
        undo_of = "up"
        "#,
    );
    story.run("use").ran(["up", "use"]);
    story
        .retask("[task.up]\n", &format!("[task.start]\n{was}"))
        .retask("[\"up\"]\nshell = \"echo {{ tasks.up", "[\"start\"]\nshell = \"echo {{ tasks.start");
    story.retask("undo_of = \"up\"", "undo_of = \"start\"");
    story
}

#[test]
fn was_moves_a_pure_record_and_its_artifact() {
    let story = Story::with(
        "[task.old]\neffect = \"pure\"\noutputs = [\"build/x\"]\nshell = \"echo ran >> ../log; echo 1 > build/x\"\n",
    );
    story.run("old").tasks("[task.new]\nwas = [\"old\"]\neffect = \"pure\"\noutputs = [\"build/x\"]\nshell = \"echo ran >> ../log; echo 1 > build/x\"\n");
    story.remove("build/x").run("new").restored(["new"]);
    assert_eq!(story.times("ran"), 1);
}

#[test]
fn an_orphan_is_undone_before_the_tasks_that_it_needed() {
    let story = Story::with(
        r#"
        [task.net]
        shell = "touch ../net"
        undo = ["sh", "-c", "echo undo-net >> ../log; rm ../net"]

        [task.vm]
        needs = ["net"]
        shell = "touch ../vm"
        undo = ["sh", "-c", "test -e ../net; echo undo-vm >> ../log; rm ../vm"]
        "#,
    );
    story.run("vm").tasks(
        "[task.net]\nshell = \"touch ../net\"\nundo = [\"sh\", \"-c\", \"echo undo-net >> ../log; rm ../net\"]\n",
    );
    story.states("vm=orphaned net=fresh").infra("destroy --yes");
    assert_eq!(story.read("../log"), "undo-vm\nundo-net\n");
}

#[test]
fn an_orphan_that_only_read_is_not_shown() {
    // Nothing in the world is left behind by what only reads or makes files.
    let story = Story::with(
        "[task.look]\neffect = \"read\"\nshell = \"true\"\n[task.make]\neffect = \"pure\"\noutputs = [\"x\"]\nshell = \"touch x\"\n[task.keep]\nshell = \"true\"\n",
    );
    story.run("*").tasks("[task.keep]\nshell = \"true\"\n");
    story.states("look=none make=none keep=fresh").run("keep").nothing_ran();
    let seen = story.try_infra("destroy --orphans --yes");
    assert_eq!(seen.code, Some(0), "{}", seen.stderr);
}

#[test]
fn instances_export_a_map() {
    let story = Story::with(
        r#"
        [task.host]
        foreach = { a = 1, b = 2 }
        exports = { n = "int" }
        shell = "echo n={{ item }} > $INFRA_EXPORTS"

        [task.one]
        shell = "echo {{ tasks.host['a'].n }} > ../one"

        [task.both]
        shell = "echo {{ tasks.host.n | tojson | shquote }} > ../both"
        "#,
    );
    story.run("one both").holds("../one", "1\n").holds("../both", "{\"a\":1,\"b\":2}\n");
    story.retask("b = 2", "b = 3").run("one both").ran(["host[b]", "both"]).fresh(["host[a]", "one"]);
}

#[test]
fn a_matrix_makes_one_task_for_each_combination() {
    let story = Story::with(
        r#"
        [task.test]
        matrix = { os = ["deb", "rpm"], n = [1, 2] }
        shell = "echo {{ matrix.os }}{{ matrix.n }} >> ../log"
        "#,
    );
    story.run("test").ran(["test[deb,1]", "test[deb,2]", "test[rpm,1]", "test[rpm,2]"]);
    story.retask("[1, 2]", "[1]").run("test").nothing_ran();
    story.states("test[deb,2]=orphaned");
}

#[test]
fn a_task_that_is_taken_out_of_an_environment_is_orphaned_there() {
    let story = Story::with(HOSTS);
    story.project("[env.local]\n[env.dev]\n").run("host").run("host -e dev");
    story.retask("[task.host]\n", "[task.host]\nenvs = [\"dev\"]\n");
    story.states("host[a]=orphaned host[b]=orphaned").states_in("-e dev", "host[a]=fresh host[b]=fresh");
    story.infra("destroy --orphans --yes").states("host[a]=none host[b]=none");
    assert_eq!((story.times("undo-a"), story.times("undo-b")), (1, 1));
    story.run("host -e dev").nothing_ran();
}
