//! Real ansible, plays over the local connection: what they changed is their token.

use crate::support::Story;
use serde_json::json;

const TASKS: &str = r#"
    [task.configure]
    ansible = { playbook = "site.yml", inventory = "hosts.ini" }

    [task.verify]
    needs = ["configure"]
    shell = "echo verify >> ../log"
"#;

const PLAY: &str = r#"
    - hosts: all
      gather_facts: false
      tasks:
        - name: Write what was asked for
          ansible.builtin.copy:
            content: "{{ lookup('file', 'wanted.txt') }}"
            dest: "{{ playbook_dir }}/../machine.txt"
            mode: "0644"
        - name: Fail when told to
          ansible.builtin.command: test ! -e {{ playbook_dir }}/../fail
          changed_when: false
        - name: Say what is there
          ansible.builtin.set_stats:
            data:
              wanted: "{{ lookup('file', 'wanted.txt') }}"
"#;

fn site() -> Story {
    let story = Story::with(TASKS);
    story
        .ansible()
        .file("site.yml", PLAY)
        .file("wanted.txt", "one")
        .file("hosts.ini", "localhost ansible_connection=local\n");
    story
}

#[test]
fn a_play_that_changed_nothing_reruns_nothing_that_needs_it() {
    let story = site();
    story.retask("ansible = {", "inputs = [\"wanted.txt\"]\nansible = {");
    story.run("verify").ran(["configure", "verify"]);
    story.run("verify").nothing_ran();
    assert_eq!(story.value("configure", "changed"), json!(1));

    // A comment in the play: it plays again, changed = 0, and the wave stops.
    story
        .edit("site.yml", "gather_facts: false", "gather_facts: false  # no facts")
        .run("verify")
        .ran(["configure"])
        .fresh(["verify"]);
    assert_eq!(story.value("configure", "changed"), json!(0));

    // Twin: what matters goes on.
    story
        .file("wanted.txt", "two")
        .run("verify")
        .ran(["configure", "verify"])
        .because("verify", json!({"kind": "upstream-changed", "task": "configure"}));
    assert_eq!(story.read("../machine.txt"), "two");
    assert_eq!(story.value("configure", "wanted"), json!("two"));

    // A play that failed in between may have changed anything: what follows runs again, although the
    // play that mended it says changed = 0.
    story
        .file("../fail", "")
        .edit("site.yml", "# no facts", "# none")
        .run_to(1, "verify")
        .failed(["configure"])
        .skipped(["verify"]);
    story.states("configure=failed");
    story.remove("../fail").run("verify").ran(["configure", "verify"]);
    assert_eq!(story.value("configure", "changed"), json!(0));
    story.run("verify").nothing_ran();
    assert!(!story.base().join("home/.ansible").exists(), "no litter in the home folder");
}

#[test]
fn an_inventory_without_hosts_is_refused_and_voids_nothing() {
    let story = site();
    story.retask("ansible = {", "inputs = [\"wanted.txt\"]\nansible = {");
    story.run("configure").ran(["configure"]);
    story.file("hosts.ini", "# nobody\n").run_to(1, "configure").failed(["configure"]);
    story.file("hosts.ini", "localhost ansible_connection=local\n").run("configure").nothing_ran();
}

#[test]
fn what_a_play_includes_is_an_input() {
    let story = Story::with("[task.configure]\nansible = { playbook = \"site.yml\", inventory = \"hosts.ini\" }\n");
    story
        .ansible()
        .file("hosts.ini", "localhost ansible_connection=local\n")
        .file("roles/web/tasks/main.yml", "- ansible.builtin.debug:\n    msg: one\n")
        .file("roles/idle/tasks/main.yml", "- ansible.builtin.debug:\n    msg: one\n");
    story.file("site.yml", "- hosts: all\n  gather_facts: false\n  roles: [web]\n").run("configure").ran(["configure"]);
    story.file("roles/idle/tasks/main.yml", "- ansible.builtin.debug:\n    msg: two\n").states("configure=fresh");
    story.file("group_vars/all.yml", "x: 1\n").states("configure=stale").remove("group_vars").states("configure=fresh");
    story
        .file("roles/web/tasks/main.yml", "- ansible.builtin.debug:\n    msg: two\n")
        .run("configure")
        .ran(["configure"]);
    story.because("configure", json!({"kind": "input-changed", "path": "roles/web/tasks/main.yml"}));
}

#[test]
fn a_play_that_is_taken_back_and_played_again_reruns_what_needs_it() {
    let story = site();
    story.retask("ansible = {", "inputs = [\"wanted.txt\"]\nansible = {");
    story.retask(
        "[task.verify]",
        "[task.teardown]\nundo_of = \"configure\"\n\n[task.beside]\nshell = \"true\"\n\n[task.verify]",
    );
    story.run("verify beside").ran(["configure", "verify", "beside"]);
    // Without an undo of its own it counts as undone; the file that it wrote is still there.
    story.run("teardown").ran(["teardown"]).states("configure=stale teardown=fresh");
    story.run("verify beside").ran(["configure", "verify"]).fresh(["beside"]);
    assert_eq!(story.value("configure", "changed"), json!(0));
    story.because("configure", json!({"kind": "undone-by", "task": "teardown"}));
    story.run("verify beside").nothing_ran();
}

#[test]
fn a_playbook_can_take_back_what_another_did() {
    let story = site();
    story.retask("inventory = \"hosts.ini\" }", "inventory = \"hosts.ini\", undo = \"undo.yml\" }");
    story.retask("[task.verify]", "[task.teardown]\nundo_of = \"configure\"\n\n[task.verify]");
    story.file(
        "undo.yml",
        r#"
        - hosts: all
          gather_facts: false
          tasks:
            - ansible.builtin.file:
                path: "{{ playbook_dir }}/../machine.txt"
                state: absent
        "#,
    );
    story.run("configure").ran(["configure"]).run("teardown").ran(["teardown"]).absent("../machine.txt");
    story.run("teardown").nothing_ran().run("configure").ran(["configure"]).holds("../machine.txt", "one");
}

#[test]
fn a_play_that_must_be_idempotent_is_held_to_it() {
    let story = site();
    story.retask("inventory = \"hosts.ini\" }", "inventory = \"hosts.ini\", idempotent = true }");
    story.run("configure").ran(["configure"]).run("configure").nothing_ran();
    story.edit("site.yml", "changed_when: false", "changed_when: true").edit(
        "site.yml",
        "command: test",
        "shell: test",
    );
    story.edit("site.yml", "changed_when: true", "changed_when: true\n      check_mode: false");
    story.run_to(1, "configure").failed(["configure"]).says("not idempotent").states("configure=failed");
}

/// Real terraform and real ansible: a machine is a folder that terraform names after its id.
#[test]
fn a_replaced_machine_is_configured_again_and_only_then() {
    let story = Story::with(
        r#"
        [task.provision]
        terraform = { dir = "tf", vars = { image = "{{ vars.image }}", note = "{{ vars.note }}" } }

        [task.inventory]
        template = { from = "hosts.j2", to = "build/hosts.ini" }

        [task.configure]
        ansible = { playbook = "site.yml", inventory = "build/hosts.ini" }

        [task.verify]
        needs = ["configure"]
        effect = "read"
        ttl = "1h"
        shell = "cat ../machine.txt"

        [task.teardown]
        undo_of = ["provision", "configure"]
        "#,
    );
    story.terraform().ansible().project("[vars]\nimage = \"one\"\nnote = \"a\"\n");
    story.file(
        "tf/main.tf",
        r#"
        variable "image" {}
        variable "note" {}
        resource "terraform_data" "vm" {
          input            = var.note
          triggers_replace = [var.image]
        }
        output "ip" {
          value = "localhost"
        }
        "#,
    );
    story.file("hosts.j2", "{{ tasks.provision.ip }} ansible_connection=local\n").file("site.yml", PLAY);
    story.file("wanted.txt", "one").run("verify").ran(["provision", "inventory", "configure", "verify"]);
    story.run("verify").nothing_ran();
    story.edit("infra.toml", "note = \"a\"", "note = \"b\"").run("verify").ran(["provision"]);
    story.fresh(["inventory", "configure", "verify"]);
    // The same name, the same address: the inventory is the same, the machine is not.
    story.edit("infra.toml", "image = \"one\"", "image = \"two\"").run("verify").ran([
        "provision",
        "configure",
        "verify",
    ]);
    story.fresh(["inventory"]).because("configure", json!({"kind": "incarnation", "task": "provision"}));
    story.run("teardown").ran(["teardown"]).states("provision=stale configure=stale teardown=fresh");
    story.run("verify").ran(["provision", "configure", "verify"]);
}

#[test]
fn a_play_that_was_cut_half_way_is_played_again_and_what_needs_it_runs_again() {
    let story = site();
    story.edit(
        "site.yml",
        "    - name: Fail when told to",
        r"    - name: Lose the runner when told to
      ansible.builtin.shell: |
        test -e ../kill || exit 0
        kill -9 $(cat ../runner.pid)
        sleep 0.5
        exit 1
      changed_when: false
    - name: Fail when told to",
    );
    story.retask("ansible = {", "inputs = [\"wanted.txt\"]\nansible = {");
    story.run("verify").ran(["configure", "verify"]);
    story.file("../kill", "").file("wanted.txt", "two");
    let seen = story.try_infra("run --json verify");
    assert_eq!(seen.signal, Some(9), "{}{}", seen.stdout, seen.stderr);
    // What it had done until then stays, and nobody calls it done.
    story.remove("../kill").states("configure=stale verify=deferred").holds("../machine.txt", "two");
    story.status_reason("configure", json!({"kind": "interrupted"}));
    // The play finds everything in place. What was made of the machine meanwhile nobody knows.
    story.run("verify").ran(["configure", "verify"]).because("configure", json!({"kind": "interrupted"}));
    assert_eq!(story.value("configure", "changed"), json!(0));
    story.run("verify").nothing_ran();
}
