//! Real terraform, the built-in `terraform_data` as machines: incarnations, subjects, guards, undo.

use crate::support::Story;
use serde_json::json;

/// Machines are `terraform_data`: another `image` replaces them, another `note` changes them in place.
const MAIN: &str = r#"
    variable "names" {
      type    = list(string)
      default = ["a"]
    }
    variable "image" {
      default = "ubuntu22"
    }
    variable "note" {
      default = "none"
    }
    resource "terraform_data" "vm" {
      for_each         = toset(var.names)
      input            = var.note
      triggers_replace = [var.image]
    }
    output "ips" {
      value = [for name in var.names : "10.0.0.${length(name)}"]
    }
    output "count" {
      value = length(var.names)
    }
    output "password" {
      value     = "canary-tf-5531"
      sensitive = true
    }
"#;

const TASKS: &str = r#"
    [task.provision]
    stage = "provision"
    exports = { ips = "list<ip>", count = "int", password = "secret<string>" }
    terraform = { dir = "tf", vars = { image = "{{ vars.image }}", note = "{{ vars.note }}", names = "{{ vars.names }}" } }

    [task.inventory]
    template = { from = "inv.j2", to = "build/inv" }

    [task.configure]
    inputs = ["build/inv"]
    shell = "echo configure >> ../log"

    [task.verify]
    needs = ["configure"]
    effect = "read"
    ttl = "1h"
    shell = "echo verify >> ../log"

    [task.teardown]
    undo_of = ["provision", "configure"]
"#;

const VARS: &str = "[vars]\nimage = \"ubuntu22\"\nnote = \"none\"\nnames = [\"a\"]\n[env.local]\n[env.dev]\n";

fn machines() -> Story {
    let story = Story::with(TASKS);
    story
        .terraform()
        .project(VARS)
        .file("tf/main.tf", MAIN)
        .file("inv.j2", "{% for ip in tasks.provision.ips %}{{ ip }}\n{% endfor %}");
    story
}

/// The id that terraform gave a machine.
fn id_of(story: &Story, name: &str) -> String {
    let state: serde_json::Value = serde_json::from_str(&story.read("tf/terraform.tfstate")).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let found = resources
        .iter()
        .flat_map(|resource| resource["instances"].as_array().unwrap())
        .find(|one| one["index_key"] == name);
    found.unwrap()["attributes"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_machine_replaced_under_its_address_reruns_what_was_built_on_it() {
    let story = machines();
    story.run("verify").ran(["provision", "inventory", "configure", "verify"]);
    story.run("verify").nothing_ran();
    assert_eq!(story.value("provision", "count"), json!(1));
    let old = id_of(&story, "a");

    // The same address, the same ip, another machine: the rendered inventory is the same, and yet.
    story
        .edit("infra.toml", "ubuntu22", "ubuntu24")
        .run("verify")
        .ran(["provision", "configure", "verify"])
        .fresh(["inventory"]);
    let new = id_of(&story, "a");
    assert_ne!(old, new);
    story.because(
        "configure",
        json!({"kind": "incarnation", "task": "provision", "address": "terraform_data.vm[\"a\"]"}),
    );
    story.run("verify").nothing_ran();

    // Twin: changed in place, it is the same machine.
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"").run("verify").ran(["provision"]).fresh([
        "inventory",
        "configure",
        "verify",
    ]);
    assert_eq!(id_of(&story, "a"), new);

    // A further machine voids nothing: configure reruns by the inventory only.
    story.edit("infra.toml", "[\"a\"]", "[\"a\", \"bb\"]").run("verify").ran([
        "provision",
        "inventory",
        "configure",
        "verify",
    ]);
    story.not_because("configure", "incarnation");
    // One that is gone does.
    story
        .edit("infra.toml", "[\"a\", \"bb\"]", "[\"a\"]")
        .run("verify")
        .ran(["provision", "configure", "verify"])
        .restored(["inventory"]);
    story.because("configure", json!({"kind": "incarnation", "address": "terraform_data.vm[\"bb\"]"}));

    // The sensitive output is a secret: nowhere in what the program keeps or prints.
    let seen = story.try_infra("outputs provision");
    assert!(!seen.stdout.contains("canary-tf-5531"), "{}", seen.stdout);
    story.infra("outputs provision --key password --reveal").stdout_has("canary-tf-5531");
}

#[test]
fn new_machines_void_nothing_that_does_not_read_of_them() {
    let story = machines();
    story.retask("inputs = [\"build/inv\"]", "env = { FIRST = \"{{ tasks.provision.ips[0] }}\" }");
    story.edit("tf/main.tf", "[for name in var.names : \"10.0.0.${length(name)}\"]", "[\"10.0.0.1\"]");
    story.run("configure").ran(["provision", "configure"]);
    story.edit("infra.toml", "[\"a\"]", "[\"a\", \"bb\"]").run("configure").ran(["provision"]).fresh(["configure"]);
}

#[test]
fn an_id_that_comes_back_is_another_machine() {
    let story = machines();
    // A hypervisor that gives the same number again: the id that terraform keeps is always vm-100.
    let real = std::fs::read_link(story.base().join("bin/terraform")).unwrap();
    std::fs::remove_file(story.base().join("bin/terraform")).unwrap();
    story.program(
        "terraform",
        &format!(
            r#"
            "{}" "$@"
            code=$?
            case " $* " in
              *" apply "*) test ! -e terraform.tfstate || sed -i 's/"id": "[0-9a-f-]\{{36\}}"/"id": "vm-100"/' terraform.tfstate ;;
            esac
            exit $code
            "#,
            real.display()
        ),
    );
    story.run("configure").ran(["provision", "inventory", "configure"]);
    assert_eq!(id_of(&story, "a"), "vm-100");
    story
        .edit("infra.toml", "ubuntu22", "ubuntu24")
        .run("configure")
        .ran(["provision", "configure"])
        .fresh(["inventory"]);
    assert_eq!(id_of(&story, "a"), "vm-100");
    story.because("configure", json!({"kind": "incarnation", "task": "provision"}));
    story
        .edit("infra.toml", "note = \"none\"", "note = \"some\"")
        .run("configure")
        .ran(["provision"])
        .fresh(["inventory", "configure"]);
}

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
fn a_generated_tfvars_file_is_an_edge() {
    let story = Story::with(
        r#"
        [task.vars]
        template = { from = "note.j2", to = "build/note.tfvars" }

        [task.provision]
        terraform = { dir = "tf", var_files = ["build/note.tfvars"] }
        "#,
    );
    story
        .terraform()
        .project("[vars]\nnote = \"x\"\n[env.local]\n")
        .file("tf/main.tf", MAIN)
        .file("note.j2", "note = \"{{ vars.note }}\"\n");
    story.run("provision").ran(["vars", "provision"]).order(["vars", "provision"]);
    story.edit("infra.toml", "\"x\"", "\"y\"").run("provision").ran(["vars", "provision"]);
    story
        .file("note.j2", "{# a comment #}note = \"{{ vars.note }}\"\n")
        .run("provision")
        .ran(["vars"])
        .fresh(["provision"]);
}

#[test]
fn the_token_of_terraform_is_what_its_state_says() {
    let story = machines();
    story.retask("inputs = [\"build/inv\"]", "needs = [\"provision\"]");
    story.run("configure").ran(["provision", "configure"]);
    // Applied again, nothing to change: same serial, so what needs it does not rerun.
    story.run("provision --force").ran(["provision"]).run("configure").nothing_ran();
    story.edit("infra.toml", "note = \"none\"", "note = \"some\"").run("configure").ran(["provision", "configure"]);
    story.because("configure", json!({"kind": "upstream-changed", "task": "provision"}));
}

#[test]
fn incarnations_travel_through_pure_and_read_tasks() {
    let story = Story::with(
        r#"
        [task.provision]
        terraform = { dir = "tf", vars = { image = "{{ vars.image }}" } }

        [task.list]
        effect = "read"
        ttl = "1h"
        exports = { ip = "string" }
        shell = "echo ip={{ tasks.provision.ips[0] }} > $INFRA_EXPORTS"

        [task.file]
        effect = "pure"
        outputs = ["build/ip"]
        shell = "echo {{ tasks.list.ip }} > build/ip"

        [task.configure]
        inputs = ["build/ip"]
        shell = "echo configure"

        [task.beside]
        after = ["provision"]
        shell = "echo beside"
        "#,
    );
    story.terraform().project("[vars]\nimage = \"one\"\n[env.local]\n").file("tf/main.tf", MAIN);
    story.run("configure beside").ran(["provision", "list", "file", "configure", "beside"]);
    story.edit("infra.toml", "\"one\"", "\"two\"").run("configure beside");
    let outcomes = story.last().outcomes();
    assert_eq!(
        (outcomes["configure"].as_str(), outcomes["file"].as_str(), outcomes["beside"].as_str()),
        ("ran", "fresh", "fresh")
    );
    story.because("configure", json!({"kind": "incarnation", "task": "provision"}));
}

#[test]
fn identity_says_which_addresses_are_things() {
    let story = machines();
    story.edit(
        "tf/main.tf",
        "output \"count\"",
        "resource \"terraform_data\" \"noise\" {\n  triggers_replace = [var.note]\n}\noutput \"count\"",
    );
    story.retask("dir = \"tf\",", "dir = \"tf\", identity = [\"terraform_data.vm*\"],");
    story.run("configure").ran(["provision", "inventory", "configure"]);
    story
        .edit("infra.toml", "note = \"none\"", "note = \"some\"")
        .run("configure")
        .ran(["provision"])
        .fresh(["inventory", "configure"]);
    story
        .edit("infra.toml", "ubuntu22", "ubuntu24")
        .run("configure")
        .ran(["provision", "configure"])
        .fresh(["inventory"]);
}

#[test]
fn two_tasks_on_one_state_are_a_mistake() {
    let story = Story::with("[task.a]\nterraform = \"tf\"\n[task.b]\nterraform = \"tf\"\n");
    story.terraform().file("tf/main.tf", MAIN).infra_to(2, "check").says("`a`");
}
