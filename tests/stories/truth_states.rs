//! Real terraform: whose state it is, what may be done to it, how it is taken back.

use crate::support::Story;
use crate::support::machines::{MAIN, machines, wrap_terraform};
use serde_json::json;

#[test]
fn a_plan_that_fails_voids_nothing() {
    let story = machines();
    story.run("configure");
    story.edit("tf/main.tf", "toset(var.names)", "tosett(var.names)").run_to(1, "configure").failed(["provision"]);
    story.edit("tf/main.tf", "tosett(var.names)", "toset(var.names)").run("configure").nothing_ran();
    story.states("provision=fresh configure=fresh");
    // Twin: an apply that fails does.
    story.edit("tf/main.tf", "output \"count\"", "resource \"terraform_data\" \"bad\" {\n  provisioner \"local-exec\" {\n    command = \"exit 3\"\n  }\n}\noutput \"count\"");
    story.run_to(1, "configure").failed(["provision"]);
    let good = story.read("tf/main.tf");
    let cut = good.split("resource \"terraform_data\" \"bad\"").next().unwrap().to_owned();
    let rest = good.split("output \"count\"").nth(1).unwrap();
    story.file("tf/main.tf", &format!("{cut}output \"count\"{rest}"));
    story.run("configure").because("provision", json!({"kind": "last-attempt-failed"}));
    assert!(story.last().started().contains(&"provision".to_owned()));
}

#[test]
fn verify_teardown_verify_teardown_with_terraform() {
    let story = machines();
    story.run("inventory");
    for round in 1..3 {
        story.run("verify");
        assert_eq!((story.times("configure"), story.times("verify")), (round, round));
        story.run("verify").nothing_ran();
        story.run("teardown").ran(["teardown"]);
        assert!(!story.read("tf/terraform.tfstate").contains("\"mode\": \"managed\""));
        story.run("teardown").nothing_ran();
    }
}

#[test]
fn a_teardown_in_a_fresh_clone_finds_the_state() {
    let story = machines();
    story.run("provision");
    let clone = story.fresh_clone(&["tf/.terraform"]);
    assert!(clone.read("tf/terraform.tfstate").contains("\"mode\": \"managed\""));
    clone.states("teardown=stale provision=stale").status_reason("teardown", json!({"kind": "to-ask"}));
    clone.run("teardown").ran(["teardown"]);
    assert!(!clone.read("tf/terraform.tfstate").contains("\"mode\": \"managed\""));
    // Asked once: there is nothing.
    clone.run("teardown").nothing_ran();
}

#[test]
fn one_state_met_from_two_environments_is_refused() {
    let story = machines();
    story.run("provision");
    let before = story.read("tf/terraform.tfstate");
    story.run_to(5, "provision -e dev").failed(["provision"]).says("provision");
    assert_eq!(story.read("tf/terraform.tfstate"), before);
    // Nothing was voided by it.
    story.run("provision").nothing_ran();
    // A workspace for each is a state for each.
    story.retask("dir = \"tf\",", "dir = \"tf\", workspace = \"{{ env.name }}\",");
    story.run("provision -e dev").ran(["provision"]);
}

#[test]
fn two_environments_with_a_workspace_each_do_not_meet() {
    let story = machines();
    story.retask("dir = \"tf\",", "dir = \"tf\", workspace = \"{{ env.name }}\",");
    story.run("configure").run("configure -e dev");
    story.run("configure").nothing_ran();
    story.run("configure -e dev").nothing_ran();
    story.run("teardown -e dev").ran(["teardown"]);
    story.run("configure").nothing_ran();
}

#[test]
pub fn a_state_that_became_empty_is_refused_until_it_is_resolved() {
    let story = machines();
    story.run("provision").remove("tf/terraform.tfstate");
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"").run_to(5, "provision").failed(["provision"]);
    story.run_to(5, "provision");
    story.infra("resolve provision --accept-state").run("provision").ran(["provision"]);
    // Twin: our own undo empties it, and nothing is refused.
    story.run("teardown").ran(["teardown"]).run("provision").ran(["provision"]);
}

#[test]
fn two_tasks_on_one_state_are_a_mistake() {
    let story = Story::with("[task.a]\nterraform = \"tf\"\n[task.b]\nterraform = \"tf\"\n");
    story.terraform().file("tf/main.tf", MAIN).infra_to(2, "check").says("`a`");
}

/// Ends the runner when terraform gets to a command.
fn cut_in(story: &Story, command: &str, words: &str) {
    story.file("../cut", "");
    let seen = story.try_infra(&format!("run --json {words}"));
    if seen.signal != Some(9) {
        seen.fail(&format!("the runner was to be killed in `{command}`"));
    }
    story.remove("../cut");
}

fn cutting(command: &str) -> Story {
    let story = machines();
    wrap_terraform(
        &story,
        &r#"
        case " $1 " in
          " COMMAND ")
            if test -e ../../cut; then
              while test ! -s ../../runner.pid; do sleep 0.01; done
              kill -9 $(cat ../../runner.pid)
              exit 1
            fi ;;
        esac
        exec "$REAL" "$@"
        "#
        .replace("COMMAND", command),
    );
    story
}

#[test]
fn a_plan_that_is_cut_leaves_nothing_in_doubt() {
    let story = cutting("plan");
    story.retask("[task.provision]\n", "[task.provision]\neffect = \"once\"\n");
    // Even what must not be repeated blindly: it had not begun.
    cut_in(&story, "plan", "provision");
    story.states("provision=stale").status_reason("provision", json!({"kind": "interrupted"}));
    story.run("configure").ran(["provision", "inventory", "configure"]);
    // And a record stands through it.
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"");
    cut_in(&story, "plan", "provision --force");
    story.edit("infra.toml", "note = \"some\"", "note = \"none\"").run("configure").nothing_ran();
}

#[test]
fn an_apply_that_is_cut_is_in_doubt() {
    let story = cutting("apply");
    cut_in(&story, "apply", "configure");
    story.states("provision=stale").status_reason("provision", json!({"kind": "interrupted"}));
    story.run("configure").ran(["provision", "inventory", "configure"]);
    // Of what must not be repeated blindly a person must say what came.
    let story = cutting("apply");
    story.retask("[task.provision]\n", "[task.provision]\neffect = \"once\"\n");
    cut_in(&story, "apply", "configure");
    story.states("provision=unknown").run_to(4, "configure").nothing_ran();
    story.infra("resolve provision --rerun").run("configure").ran(["provision", "inventory", "configure"]);
}

#[test]
fn a_state_of_another_lineage_is_refused_until_it_is_resolved() {
    let story = machines();
    story.run("configure");
    let lineage = |story: &Story| {
        let state: serde_json::Value = serde_json::from_str(&story.read("tf/terraform.tfstate")).unwrap();
        state["lineage"].as_str().unwrap().to_owned()
    };
    let (before, own) = (story.read("tf/terraform.tfstate"), lineage(&story));
    story.edit("tf/terraform.tfstate", &own, "00000000-1111-2222-3333-444444444444");
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"");
    story.run_to(5, "configure").failed(["provision"]).says("lineage");
    // A teardown does not touch it either.
    story.run_to(5, "teardown").failed(["teardown"]);
    // Twin: the former state put back is the one that is known.
    story.file("tf/terraform.tfstate", &before).run("configure").ran(["provision"]).fresh(["inventory", "configure"]);
    story.edit("tf/terraform.tfstate", &own, "00000000-1111-2222-3333-444444444444");
    story.edit("infra.toml", "note = \"some\"", "note = \"other\"");
    story.run_to(5, "provision").infra("resolve provision --accept-state").run("provision").ran(["provision"]);
    story.run("provision").nothing_ran();
}

#[test]
fn a_state_that_went_back_is_refused() {
    let story = machines();
    story.run("provision");
    let old = story.read("tf/terraform.tfstate");
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"").run("provision").ran(["provision"]);
    let new = story.read("tf/terraform.tfstate");
    story.file("tf/terraform.tfstate", &old).edit("infra.toml", "note = \"some\"", "note = \"other\"");
    story.run_to(5, "provision").failed(["provision"]).says("serial");
    story.file("tf/terraform.tfstate", &new).run("provision").ran(["provision"]);
}

#[test]
fn a_state_that_was_handed_over_is_no_longer_true_where_it_was() {
    let story = machines();
    story.run("configure").ran(["provision", "inventory", "configure"]);
    story.run_to(5, "provision -e dev").infra("resolve provision --accept-state -e dev");
    story
        .states("provision=stale")
        .status_reason("provision", json!({"kind": "superseded-by", "task": "provision in dev"}));
    story.run("provision -e dev").ran(["provision"]);
    // And it is refused there until it is handed back.
    story.run_to(5, "provision").failed(["provision"]);
    story.infra("resolve provision --accept-state").run("provision").ran(["provision"]);
    story.states_in("-e dev", "provision=stale");
}

/// A machine that can't be destroyed while `../stuck` is there, and another beside it.
fn stuck() -> Story {
    let story = machines();
    let held = r#"
    resource "terraform_data" "held" {
      provisioner "local-exec" {
        when    = destroy
        command = "test ! -e ../../stuck"
      }
    }
    output "count""#;
    story.edit("tf/main.tf", "output \"count\"", held);
    story.run("verify").ran(["provision", "inventory", "configure", "verify"]);
    story.file("../stuck", "").run_to(1, "teardown").failed(["teardown"]);
    let state = story.read("tf/terraform.tfstate");
    assert!(state.contains("\"held\"") && !state.contains("\"vm\""), "half-way: {state}");
    story
}

#[test]
fn a_terraform_teardown_that_failed_half_way_can_be_run_again() {
    let story = stuck();
    story
        .states("provision=stale teardown=failed")
        .status_reason("provision", json!({"kind": "undone-by", "task": "teardown"}));
    story.remove("../stuck").run("teardown").ran(["teardown"]);
    assert!(!story.read("tf/terraform.tfstate").contains("\"held\""));
    story.run("teardown").nothing_ran();
}

#[test]
fn after_a_half_failed_teardown_terraform_builds_again() {
    let story = stuck();
    // What our own undo took away is not refused.
    story.remove("../stuck").run("verify").ran(["provision", "configure", "verify"]);
    assert!(story.read("tf/terraform.tfstate").contains("\"vm\""));
    story.run("verify").nothing_ran().run("teardown").ran(["teardown"]);
}

#[test]
fn a_plan_that_failed_in_a_fresh_clone_hides_no_state() {
    let story = machines();
    story.run("provision");
    let clone = story.fresh_clone(&["tf/.terraform"]);
    clone.edit("tf/main.tf", "toset(var.names)", "tosett(var.names)").run_to(1, "provision").failed(["provision"]);
    clone.edit("tf/main.tf", "tosett(var.names)", "toset(var.names)");
    clone.states("teardown=stale").run("teardown").ran(["teardown"]);
    assert!(!clone.read("tf/terraform.tfstate").contains("\"mode\": \"managed\""));
}

#[test]
fn a_teardown_in_a_fresh_clone_without_a_state_asks_once() {
    let story = machines();
    story.states("teardown=stale").run("teardown").ran(["teardown"]);
    story.states("teardown=fresh provision=stale").run("teardown").nothing_ran();
}

#[test]
fn a_teardown_cut_after_it_emptied_the_state_is_no_lost_state() {
    let emptied = || {
        let story = machines();
        story.run("configure");
        wrap_terraform(
            &story,
            r#"
            "$REAL" "$@"
            code=$?
            if test "$1" = apply && test -e ../../cut; then
              while test ! -s ../../runner.pid; do sleep 0.01; done
              kill -9 $(cat ../../runner.pid)
            fi
            exit $code
            "#,
        );
        cut_in(&story, "apply", "teardown");
        assert!(!story.read("tf/terraform.tfstate").contains("\"mode\": \"managed\""));
        story
    };
    // It was our own undo that emptied it: nothing is refused, and both ways on are open.
    let story = emptied();
    story.states("provision=stale configure=stale teardown=stale");
    story.run("configure").ran(["provision", "configure"]);
    let story = emptied();
    story.run("teardown").ran(["teardown"]).run("teardown").nothing_ran();
}
