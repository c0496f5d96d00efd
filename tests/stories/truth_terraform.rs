//! Real terraform, the built-in `terraform_data` as machines: incarnations and tokens.

use crate::support::Story;
use crate::support::machines::{MAIN, id_of, machines, tell_ids};
use serde_json::json;

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
    tell_ids(&story);
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
fn an_apply_that_failed_half_way_says_what_is_there_now() {
    let story = machines();
    story.run("verify").ran(["provision", "inventory", "configure", "verify"]);
    // The machine is replaced, then something else fails.
    let bad = r#"
    resource "terraform_data" "bad" {
      depends_on = [terraform_data.vm]
      provisioner "local-exec" {
        command = "test ! -e ../../stuck"
      }
    }
    output "count""#;
    story.edit("tf/main.tf", "output \"count\"", bad).edit("infra.toml", "ubuntu22", "ubuntu24").file("../stuck", "");
    let old = id_of(&story, "a");
    story.run_to(1, "verify").failed(["provision"]).skipped(["inventory", "configure", "verify"]);
    assert_ne!(id_of(&story, "a"), old);
    story.states("provision=failed").remove("../stuck").run("verify").ran(["provision", "configure", "verify"]);
    story.because("configure", json!({"kind": "incarnation", "task": "provision", "old": old}));
    story.run("verify").nothing_ran();
}

#[test]
fn what_terraform_calls_sensitive_shows_nowhere_and_is_read_all_the_same() {
    let story = machines();
    story.tasks(
        r#"
        [task.provision]
        terraform = { dir = "tf", vars = { note = "{{ secrets.note }}" } }

        [task.use]
        env = { PASSWORD = "{{ tasks.provision.password }}" }
        shell = "echo $PASSWORD; echo $PASSWORD > ../password; test ! -e ../fail"

        [task.beside]
        shell = "echo {{ tasks.provision.count }}"
        "#,
    );
    story.project("[secrets]\nnote = { env = \"NOTE\" }\n").env("NOTE", "canary-note-8");
    // The module itself holds the word, and its state must: neither is ours.
    story.edit("tf/main.tf", "\"canary-tf-5531\"", "file(\"${path.module}/../../password.txt\")");
    story.file("../password.txt", "canary-tf-5531").run("use beside -v").ran(["provision", "use", "beside"]);
    story.holds("../password", "canary-tf-5531\n");
    story.file("../fail", "").run_to(1, "use --force").remove("../fail").run("use");
    story.edit("tf/main.tf", "toset(var.names)", "tosett(var.names)").run_to(1, "provision");
    story.edit("tf/main.tf", "tosett(var.names)", "toset(var.names)");
    story.remove("../password").remove("tf/terraform.tfstate");
    let _ = std::fs::remove_file(story.path("tf/terraform.tfstate.backup"));
    story.nowhere("canary-tf-5531");
    story.nowhere("canary-note-8");
}

#[test]
fn another_sensitive_output_reruns_who_reads_it() {
    let story = machines();
    story.tasks(
        r#"
        [task.provision]
        terraform = "tf"

        [task.use]
        env = { PASSWORD = "{{ tasks.provision.password }}" }
        shell = "true"

        [task.beside]
        shell = "echo {{ tasks.provision.count }}"
        "#,
    );
    story.run("use beside").ran(["provision", "use", "beside"]);
    story.edit("tf/main.tf", "canary-tf-5531", "canary-tf-6642").run("use beside").ran(["provision", "use"]);
    story.fresh(["beside"]).because("use", json!({"kind": "value-changed", "value": "provision.password"}));
    assert!(!story.last().stdout.contains("canary-tf"), "{}", story.last().stdout);
}
