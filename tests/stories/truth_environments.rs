//! Environments: each has its own memory of what is not pure.

use crate::support::Story;
use serde_json::json;

#[test]
fn two_environments_in_turn_do_not_disturb_each_other() {
    let story = two();
    story.run("ship").ran(["build", "ship"]);
    story.run("ship -e dev").ran(["build", "ship"]);
    for env in ["local", "dev", "local", "dev"] {
        story.run(&format!("ship -e {env}")).nothing_ran().fresh(["build", "ship"]);
    }
    assert_eq!(story.read("../shipped"), "local\ndev\n");
}

#[test]
fn an_edit_for_one_environment_leaves_the_other() {
    let story = two();
    story.run("ship").run("ship -e dev");
    story.edit("infra.toml", "size = 2", "size = 3").run("ship").nothing_ran();
    story.run("ship -e dev").ran(["ship"]).fresh(["build"]);
    story.run("ship").nothing_ran();
}

fn two() -> Story {
    let story = Story::with(
        r#"
        [task.build]
        effect = "pure"
        outputs = ["build/{{ env.name }}/x"]
        shell = "echo x > build/{{ env.name }}/x"

        [task.ship]
        inputs = ["build/{{ env.name }}/x"]
        shell = "echo {{ env.name }} >> ../shipped; : {{ vars.size }}"
        "#,
    );
    story.project("[vars]\nsize = 1\n[env.local]\n[env.dev]\nvars = { size = 2 }\n");
    story
}

#[test]
fn a_failure_in_one_environment_voids_nothing_in_the_other() {
    let story = Story::with("[task.a]\nshell = \"test ! -e ../fail-{{ env.name }}\"\n");
    story.project("[env.local]\n[env.dev]\n").run("a").run("a -e dev");
    story.file("../fail-dev", "").run_to(1, "a -e dev --force").failed(["a"]);
    story.run("a").nothing_ran();
    story.states_in("-e dev", "a=failed");
    story.states("a=fresh");
}

#[test]
fn an_undo_in_one_environment_leaves_the_other() {
    let story = Story::with(
        r#"
        [task.up]
        shell = "echo up >> ../{{ env.name }}"
        undo = ["sh", "-c", "echo down >> ../{{ env.name }}"]

        [task.down]
        undo_of = "up"
        "#,
    );
    story.project("[env.local]\n[env.dev]\n").run("up").run("up -e dev");
    story.run("down -e dev").ran(["down"]);
    story.run("up").nothing_ran();
    story.run("up -e dev").ran(["up"]);
    assert_eq!((story.read("../local"), story.read("../dev")), ("up\n".to_owned(), "up\ndown\nup\n".to_owned()));
}

#[test]
fn envs_limits_where_a_task_exists() {
    let story = Story::with(
        r#"
        [task.license]
        envs = ["dev"]
        shell = "echo license >> ../log"

        [task.ship]
        needs = ["license"]
        shell = "echo ship >> ../log"
        "#,
    );
    story.project("[env.local]\n[env.dev]\n").run("ship").ran(["ship"]);
    story.run("ship -e dev").ran(["license", "ship"]);
    story.run_to(2, "license").nothing_ran();
}

#[test]
fn reading_a_task_of_another_environment_is_a_mistake() {
    let story = Story::with(
        r#"
        [task.license]
        envs = ["dev"]
        exports = { key = "string" }
        shell = "echo key=1 > $INFRA_EXPORTS"

        [task.ship]
        shell = "echo {{ tasks.license.key }}"
        "#,
    );
    story.project("[env.local]\n[env.dev]\n").run("ship -e dev").ran(["license", "ship"]);
    story.infra_to(2, "check").says("license");
}

#[test]
fn override_differs_in_one_environment() {
    let story = Story::with(
        "[task.a]\nshell = \"echo all >> ../log\"\n[task.a.override.dev]\nshell = \"echo dev >> ../log\"\n",
    );
    story.project("[env.local]\n[env.dev]\n").run("a").run("a -e dev");
    assert_eq!((story.times("all"), story.times("dev")), (1, 1));
    story.retask("echo dev", "echo   dev").run("a").nothing_ran();
}

#[test]
fn variables_have_one_precedence() {
    let story = Story::with(
        "[task.a]\nshell = \"echo {{ vars.one }} {{ vars.two }} {{ vars.three }} {{ vars.four }} > ../vars\"\n",
    );
    story.project("[vars]\none = \"base\"\ntwo = \"base\"\nthree = \"base\"\nfour = \"base\"\n[env.local]\nvars = { two = \"env\", three = \"env\", four = \"env\" }\nvars_file = \"env.toml\"\n");
    story
        .file("env.toml", "three = \"file\"\nfour = \"file\"\n")
        .run("a --set four=flag")
        .ran(["a"])
        .holds("../vars", "base env file flag\n");
    story.edit("env.toml", "three = \"file\"", "three = \"other\"").run("a --set four=flag").ran(["a"]);
    story.because("a", json!({"kind": "variable-changed", "name": "vars.three", "old": "file", "new": "other"}));
}

#[test]
fn a_variable_of_another_environment_is_no_reason() {
    let story = Story::with("[task.a]\nshell = \"echo {{ vars.x }}\"\n");
    story.project("[vars]\nx = 1\n[env.local]\n[env.dev]\nvars = { x = 2 }\n").run("a");
    story.edit("infra.toml", "x = 2", "x = 3").run("a").nothing_ran();
}
