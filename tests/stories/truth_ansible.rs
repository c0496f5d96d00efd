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
