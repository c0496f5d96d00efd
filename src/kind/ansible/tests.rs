//! Owns tables of the machine: what ansible-core 2.19 and our callback wrote, and the moves that must follow.
//! Does not know a real ansible.

use super::Ansible;
use crate::kind::Kind;
use crate::kind::fake::{done, ended, failed, job, logged, step};
use crate::kind::machine::{CanChange, Heard, Machine, Memory, Move, Stdout, Step, StepEnd};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const HOSTS: &str = r#"{"_meta": {"hostvars": {}}, "all": {"children": ["web"]}, "web": {"hosts": ["a", "z"]}}"#;
const CHANGED: &str = r#"{"event": "result", "host": "a", "status": "changed", "task": "x : write"}
{"custom": {"_run": {"ver": "1.2"}}, "event": "stats", "hosts": {"a": {"changed": 1, "failures": 0, "unreachable": 0}, "z": {"changed": 0, "failures": 0, "unreachable": 0}}}"#;
const SAME: &str = r#"{"custom": {}, "event": "stats", "hosts": {"a": {"changed": 0, "failures": 0, "unreachable": 0}, "z": {"changed": 0, "failures": 0, "unreachable": 0}}}"#;
const UNREACHABLE: &str = r#"{"event": "result", "host": "z", "message": "Task failed: Failed to connect to the host via ssh: Connection refused", "place": "/p/ansible/site.yml:1", "status": "unreachable", "task": "Gathering Facts"}
{"custom": {}, "event": "stats", "hosts": {"a": {"changed": 0, "failures": 0, "unreachable": 0}, "z": {"changed": 0, "failures": 0, "unreachable": 1}}}"#;
const BOTH: &str = r#"{"event": "result", "host": "a", "ignored": false, "message": "non-zero return code: bad\nmore", "place": "/p/ansible/site.yml:5", "status": "failed", "task": "fails"}
{"event": "result", "host": "z", "message": "Connection refused", "place": "/p/ansible/site.yml:1", "status": "unreachable", "task": "Gathering Facts"}
{"custom": {}, "event": "stats", "hosts": {"a": {"changed": 0, "failures": 1, "unreachable": 0}, "z": {"changed": 0, "failures": 0, "unreachable": 1}}}"#;

/// Brings a machine through its files and its inventory to the play.
#[track_caller]
fn to_play(machine: &mut dyn Machine) -> Step {
    to_inventory(machine);
    step(machine, ended(0, HOSTS), "ansible-playbook")
}

#[track_caller]
fn to_inventory(machine: &mut dyn Machine) -> Step {
    let mut heard = Heard::Start;
    loop {
        match machine.next(heard) {
            Move::Write { .. } => heard = Heard::Written,
            Move::Run(step) if step.name == "ansible-inventory" => return step,
            other => panic!("{other:?}"),
        }
    }
}

fn played(code: i32, events: &str) -> Heard {
    let path = if events.is_empty() { "/tmp/i/none" } else { "/tmp/i/events.jsonl" };
    let files =
        BTreeMap::from([(path.into(), events.to_owned()), ("/tmp/i/events-check.jsonl".into(), events.to_owned())]);
    Heard::Step(StepEnd { code: Some(code), files, ..StepEnd::default() })
}

fn site(more: Json) -> Json {
    let mut table = json!({ "playbook": "ansible/site.yml", "inventory": "build/hosts.yml" });
    if let (Json::Object(table), Json::Object(more)) = (&mut table, more) {
        table.extend(more);
    }
    table
}

#[test]
fn a_play() {
    let options = json!({ "limit": "web", "tags": ["a", "b"], "forks": 3, "become": true, "vars": { "k": "canary" },
                          "vars_files": ["v.yml"] });
    let mut machine = Ansible.start(job(site(options)));
    let inventory = to_inventory(&mut *machine);
    assert_eq!(inventory.stdout, Stdout::Collect);
    assert_eq!(
        inventory.argv,
        ["ansible-inventory", "--list", "--inventory=/p/build/hosts.yml", "--limit=web", "--playbook-dir=/p/ansible"]
    );
    let play = step(&mut *machine, ended(0, HOSTS), "ansible-playbook");
    assert_eq!(
        play.argv,
        [
            "ansible-playbook",
            "--inventory=/p/build/hosts.yml",
            "--limit=web",
            "--forks=3",
            "--become",
            "--tags=a,b",
            "--extra-vars=@/p/v.yml",
            "--extra-vars=@/tmp/i/vars.json",
            "/p/ansible/site.yml"
        ]
    );
    assert_eq!(play.can_change, CanChange::Yes);
    assert_eq!(play.env["ANSIBLE_CONFIG"], "/tmp/i/ansible.cfg");
    assert_eq!(play.env["ANSIBLE_INVENTORY_UNPARSED_FAILED"], "1");
    let done = done(machine.next(played(0, CHANGED)));
    assert_eq!(json!(done.exports), json!({ "changed": 1, "hosts": ["a", "z"], "ver": "1.2" }));
    assert_eq!((done.token, done.unchanged), (None, false));
    assert_eq!(done.summary.as_deref(), Some("2 hosts, changed = 1"));
}

#[test]
fn secrets_and_plugin_are_written_not_given() {
    let mut machine = Ansible.start(job(json!({ "playbook": "site.yml", "vars": { "k": "canary" } })));
    let mut written = BTreeMap::new();
    let mut heard = Heard::Start;
    while let Move::Write { path, bytes, mode: None } = machine.next(heard) {
        written.insert(path.into_string(), String::from_utf8(bytes).unwrap());
        heard = Heard::Written;
    }
    assert_eq!(written["/tmp/i/vars.json"], r#"{"k":"canary"}"#);
    assert!(written["/tmp/i/callback_plugins/infra_events.py"].contains("no_log"));
    // A task without inventory means the machine itself, whatever the system's own file says.
    assert!(written["/tmp/i/localhost.ini"].starts_with("localhost ansible_connection=local "));
    let play = step(&mut *machine, ended(0, HOSTS), "ansible-playbook");
    assert!(play.argv.iter().all(|word| !word.contains("canary")));
    assert!(play.env.values().all(|value| !value.contains("canary")));
}

#[test]
fn a_play_that_changed_nothing_keeps_its_token() {
    for (token, expected) in [(Some("12"), Some("12")), (None, None)] {
        let mut job = job(site(json!({})));
        job.memory = Memory { token: token.map(str::to_owned), ..Memory::default() };
        let mut machine = Ansible.start(job);
        to_play(&mut *machine);
        let done = done(machine.next(played(0, SAME)));
        assert_eq!((done.token.as_deref(), done.unchanged), (expected, true));
    }
}

#[test]
fn an_inventory_must_resolve_to_hosts() {
    let empty = r#"{"_meta": {"hostvars": {}}, "all": {"children": ["ungrouped"]}}"#;
    let mut machine = Ansible.start(job(site(json!({ "limit": "web" }))));
    to_inventory(&mut *machine);
    let trouble = failed(machine.next(ended(0, empty)));
    assert_eq!(trouble.message, "the inventory `build/hosts.yml` resolves to no host within `web`");

    let mut machine = Ansible.start(job(site(json!({}))));
    to_inventory(&mut *machine);
    let said = "[WARNING]: Unable to parse /p/build/hosts.yml as an inventory source\n\
                [ERROR]: No inventory was parsed, please check your configuration and options.";
    assert_eq!(
        failed(machine.next(logged(1, said))).message,
        "the inventory `build/hosts.yml` cannot be read: No inventory was parsed, please check your configuration and \
         options."
    );

    let mut machine = Ansible.undo(job(site(json!({ "undo": "ansible/undo.yml" })))).unwrap();
    to_inventory(&mut *machine);
    assert!(done(machine.next(ended(0, empty))).nothing_there);
}

#[test]
fn failed_is_told_from_unreachable() {
    // 4 is the code of unreachable hosts, of both, and of a playbook that cannot be parsed.
    let cases = [
        (
            4,
            UNREACHABLE,
            "could not reach `z` (task `Gathering Facts`: Task failed: Failed to connect to the host via ssh: \
             Connection refused, `ansible/site.yml:1`)",
        ),
        (
            4,
            BOTH,
            "failed on `a` (task `fails`: non-zero return code: bad, `ansible/site.yml:5`); could not reach `z` (task \
             `Gathering Facts`: Connection refused, `ansible/site.yml:1`)",
        ),
        (4, "", "the play did not start: exited with code 4"),
        (99, SAME, "the play was interrupted"),
        (2, SAME, "the play was given up: exited with code 2"),
        (0, "", "the play ended well, but our callback plugin was not heard"),
    ];
    for (code, events, message) in cases {
        let mut machine = Ansible.start(job(site(json!({}))));
        to_play(&mut *machine);
        let trouble = failed(machine.next(played(code, events)));
        assert_eq!(trouble.message, message);
        assert_eq!(trouble.hint.is_some(), events == UNREACHABLE);
    }
}

#[test]
fn idempotent_is_checked_by_a_second_pass() {
    let mut machine = Ansible.start(job(site(json!({ "idempotent": true }))));
    to_play(&mut *machine);
    let check = step(&mut *machine, played(0, CHANGED), "ansible-playbook");
    assert!(check.argv.contains(&"--check".to_owned()));
    assert_eq!((check.can_change, check.read_after[0].as_str()), (CanChange::No, "/tmp/i/events-check.jsonl"));
    let over = done(machine.next(played(0, SAME)));
    assert_eq!(over.summary.as_deref(), Some("2 hosts, changed = 1, and 0 when checked again"));
    assert_eq!(over.exports["changed"], 1);

    let mut machine = Ansible.start(job(site(json!({ "idempotent": true }))));
    to_play(&mut *machine);
    step(&mut *machine, played(0, CHANGED), "ansible-playbook");
    assert_eq!(
        failed(machine.next(played(0, CHANGED))).message,
        "not idempotent, these would change something again: `x : write` on `a`"
    );
}

#[test]
fn a_check_changes_nothing() {
    let mut machine = Ansible.start(job(site(json!({ "check": true }))));
    let play = to_play(&mut *machine);
    assert!(play.argv.contains(&"--check".to_owned()) && play.can_change == CanChange::No);
    assert_eq!(play.read_after[0], "/tmp/i/events-check.jsonl");
    assert_eq!(done(machine.next(played(0, CHANGED))).exports["changed"], 1);
}

#[test]
fn roles_are_installed_when_inputs_changed() {
    let table = site(json!({ "galaxy": "ansible/requirements.yml", "config": "ansible/ansible.cfg" }));
    let mut machine = Ansible.start(job(table.clone()));
    let mut heard = Heard::Start;
    let install = loop {
        match machine.next(heard) {
            Move::Write { .. } => heard = Heard::Written,
            Move::Run(step) => break step,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(install.argv, ["ansible-galaxy", "install", "-r", "/p/ansible/requirements.yml"]);
    assert_eq!(install.env["ANSIBLE_HOME"], "/p/.infra/env/local/t/ansible");
    assert_eq!(install.env["ANSIBLE_CONFIG"], "/p/ansible/ansible.cfg");
    step(&mut *machine, logged(0, ""), "ansible-inventory");
    step(&mut *machine, ended(0, HOSTS), "ansible-playbook");
    let over = done(machine.next(played(0, SAME)));

    let mut again = job(table);
    again.memory.notes = over.notes;
    to_inventory(&mut *Ansible.start(again));
}

#[test]
fn an_undo_is_a_playbook_or_argvs() {
    assert!(Ansible.undo(job(site(json!({})))).is_none());
    let mut machine = Ansible.undo(job(site(json!({ "undo": "ansible/undo.yml", "idempotent": true })))).unwrap();
    let play = to_play(&mut *machine);
    assert_eq!(play.argv[play.argv.len() - 1], "/p/ansible/undo.yml");
    assert!(!done(machine.next(played(0, CHANGED))).nothing_there);
    let mut own = job(site(json!({})));
    own.undo = vec![vec!["rm".to_owned(), "x".to_owned()]];
    step(&mut *Ansible.undo(own).unwrap(), Heard::Start, "rm x");
}
