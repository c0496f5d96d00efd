//! Owns tables of the machines: what terraform 1.11.4 printed, and the moves that must follow.
//! Does not know a real terraform.

use super::Terraform;
use crate::kind::Kind;
use crate::kind::fake::{done, ended, failed, job, logged, step};
use crate::kind::machine::{CanChange, Heard, Job, Machine, Memory, Move, Stdout, StepEnd, TroubleKind};
use crate::model::record::Incarnation;
use serde_json::json;
use std::collections::BTreeMap;

const CREATE: &str = r#"{"@message":"x: Plan to create","change":{"resource":{"addr":"vm.a"},"action":"create"},"type":"planned_change"}"#;
const DELETE: &str = r#"{"@message":"x: Plan to delete","change":{"resource":{"addr":"vm.a"},"action":"delete"},"type":"planned_change"}"#;
const CREATED: &str = r#"{"@message":"vm.a: Creation complete after 0s [id=2]","hook":{"resource":{"addr":"vm.a"},"action":"create","id_key":"id","id_value":"2"},"type":"apply_complete"}"#;
const ADDED: &str = r#"{"@message":"Apply complete! Resources: 1 added, 0 changed, 0 destroyed.","changes":{"add":1,"change":0,"import":0,"remove":0,"operation":"apply"},"type":"change_summary"}"#;
const STALE: &str = r#"{"@message":"Error: Saved plan is stale","diagnostic":{"severity":"error","summary":"Saved plan is stale","detail":"The given plan file can no longer be applied because the state was changed by another operation after the plan was created."},"type":"diagnostic"}"#;
const NO_MODULE: &str = r#"{"@message":"Error: Module not installed","diagnostic":{"severity":"error","summary":"Module not installed","detail":"This module is not yet installed. Run \"terraform init\" to install all modules required by this configuration.","range":{"filename":"main.tf","start":{"line":4,"column":1,"byte":53}}},"type":"diagnostic"}"#;
const LOCKED: &str = r#"{"@message":"Error: Error acquiring the state lock","diagnostic":{"severity":"error","summary":"Error acquiring the state lock","detail":"Error message: resource temporarily unavailable\nLock Info:\n  ID:        ab2b71cc-a7c4\n  Path:      terraform.tfstate\n  Operation: OperationTypeApply\n  Who:       root@vm\n  Version:   1.11.4\n  Created:   2026-11-21 11:51:14.85505055 +0000 UTC\n  Info:      \n\n\nTerraform acquires a state lock to protect the state from being written\nby multiple users at the same time."},"type":"diagnostic"}"#;
const OUTPUTS: &str = r#"{"ips":{"sensitive":false,"type":["list","string"],"value":["10.0.0.1"]},"tok":{"sensitive":true,"type":"string","value":"canary"}}"#;

fn state(serial: u64, ids: &[&str]) -> String {
    let instances: Vec<_> = ids.iter().map(|id| json!({ "attributes": { "id": id } })).collect();
    let resources = match ids {
        [] => json!([]),
        _ => json!([{ "mode": "managed", "type": "vm", "name": "a", "instances": instances }]),
    };
    json!({ "version": 4, "serial": serial, "lineage": "l", "resources": resources }).to_string()
}

fn thing(id: &str, generation: i64) -> Incarnation {
    Incarnation { task: "t".to_owned(), address: "vm.a".to_owned(), id: id.to_owned(), generation }
}

/// Notes after a success with one thing at serial 3, initialised for the job's inputs.
fn known(job: &Job) -> Memory {
    let key = super::machine::init_key(job, &super::command::Commands::new(job)).unwrap();
    let notes = [("init", key.as_str()), ("lineage", "l"), ("serial", "3"), ("resources", "1")];
    let notes = notes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Memory { notes, incarnations: [thing("1", 5)].into(), ..Memory::default() }
}

fn applying() -> Box<dyn Machine> {
    let mut job = job(json!({ "dir": "tf", "vars": { "n": 1 } }));
    job.memory = known(&job);
    Terraform.start(job)
}

/// Brings a machine over a known state to the end of its plan.
fn to_plan(machine: &mut dyn Machine) {
    step(machine, Heard::Start, "terraform state pull");
    assert!(matches!(machine.next(ended(0, &state(3, &["1"]))), Move::Write { .. }));
    step(machine, Heard::Written, "terraform plan");
}

#[test]
fn a_first_apply() {
    let mut machine = Terraform.start(job(json!({ "dir": "tf", "vars": { "n": 1 }, "parallelism": 2 })));
    let init = step(&mut *machine, Heard::Start, "terraform init");
    assert_eq!(init.dir, "/p/tf");
    assert_eq!(init.env["TF_DATA_DIR"], "/p/.infra/env/local/t/data");
    let pull = step(&mut *machine, logged(0, ""), "terraform state pull");
    assert_eq!(pull.stdout, Stdout::Collect);
    match machine.next(ended(0, "")) {
        Move::Write { path, bytes, mode: None } => {
            assert_eq!((path.as_str(), bytes.as_slice()), ("/tmp/i/vars.tfvars.json", br#"{"n":1}"#.as_slice()));
        }
        other => panic!("{other:?}"),
    }
    let plan = step(&mut *machine, Heard::Written, "terraform plan");
    let words = ["-input=false", "-no-color", "-json", "-detailed-exitcode", "-lock-timeout=60s", "-out=/tmp/i/tfplan"];
    assert!(words.iter().all(|word| plan.argv.iter().any(|arg| arg == word)), "{:?}", plan.argv);
    assert_eq!(plan.argv[plan.argv.len() - 1], "-var-file=/tmp/i/vars.tfvars.json");
    assert_eq!(plan.can_change, CanChange::No);

    machine.line(CREATE);
    match machine.next(ended(2, "")) {
        Move::Approve(change) => assert_eq!((change.summary.as_str(), change.destroys.len()), ("+1 ~0 -0", 0)),
        other => panic!("{other:?}"),
    }
    // There is no state yet, so no snapshot.
    let apply = step(&mut *machine, Heard::Approved, "terraform apply");
    assert_eq!((apply.can_change, apply.umask), (CanChange::Yes, Some(0o077)));
    assert_eq!(apply.argv[apply.argv.len() - 2..], ["-parallelism=2", "/tmp/i/tfplan"]);
    assert_eq!(machine.line(CREATED).lines, ["vm.a: Creation complete after 0s [id=2]"]);
    machine.line(ADDED);
    assert_eq!(machine.so_far(), Some([thing("2", 7)].into()));
    step(&mut *machine, ended(0, ""), "terraform state pull");
    step(&mut *machine, ended(0, &state(2, &["2"])), "terraform output");
    let done = done(machine.next(ended(0, OUTPUTS)));
    assert_eq!(json!(done.exports), json!({ "ips": ["10.0.0.1"], "tok": "canary" }));
    assert_eq!(done.secret_exports, ["tok".to_owned()].into());
    assert_eq!(done.token.as_deref(), Some("l:2"));
    assert_eq!(done.incarnations, Some([thing("2", 7)].into()));
    assert_eq!(done.summary.as_deref(), Some("+1 ~0 -0, 1 resource"));
    assert_eq!(done.notes["resources"], "1");
    assert!(done.notes.contains_key("init") && !done.unchanged);
}

#[test]
fn nothing_to_do_keeps_token_and_generation() {
    let mut machine = applying();
    to_plan(&mut *machine);
    step(&mut *machine, ended(0, ""), "terraform output");
    let done = done(machine.next(ended(0, "{}")));
    assert_eq!((done.token.as_deref(), done.unchanged), (Some("l:3"), true));
    assert_eq!(done.incarnations, Some([thing("1", 5)].into()));
    assert_eq!(done.summary.as_deref(), Some("no changes, 1 resource"));
}

#[test]
fn a_known_state_is_kept_before_it_is_changed() {
    let mut machine = applying();
    to_plan(&mut *machine);
    assert!(matches!(machine.next(ended(2, DELETE)), Move::Approve(change) if change.destroys == ["vm.a"]));
    match machine.next(Heard::Approved) {
        Move::Snapshot { name, bytes } => {
            assert!(name.starts_with("3-") && name.ends_with(".tfstate"), "{name}");
            assert_eq!(bytes, state(3, &["1"]).into_bytes());
        }
        other => panic!("{other:?}"),
    }
    step(&mut *machine, Heard::Written, "terraform apply");
}

#[test]
fn a_failed_apply_looks_at_what_is_there_now() {
    let mut machine = applying();
    to_plan(&mut *machine);
    machine.next(ended(2, CREATE));
    machine.next(Heard::Approved);
    step(&mut *machine, Heard::Written, "terraform apply");
    machine.line(CREATED);
    machine.line(STALE);
    step(&mut *machine, ended(1, ""), "terraform state pull");
    let trouble = failed(machine.next(ended(0, &state(4, &["2"]))));
    assert!(trouble.message.starts_with("`terraform apply` failed: Saved plan is stale: "), "{}", trouble.message);
    assert_eq!(trouble.hint.as_deref(), Some("something else changed the state after the plan was made; run again"));
    assert_eq!(trouble.incarnations, Some([thing("2", 7)].into()));
    assert_eq!(trouble.notes["serial"], "4");
}

#[test]
fn a_state_that_was_not_written_is_said() {
    let mut machine = applying();
    to_plan(&mut *machine);
    machine.next(ended(2, CREATE));
    machine.next(Heard::Approved);
    step(&mut *machine, Heard::Written, "terraform apply");
    machine.line(CREATED);
    let files = BTreeMap::from([("/p/tf/errored.tfstate".into(), state(4, &["2"]))]);
    let trouble =
        failed(machine.next(Heard::Step(StepEnd { code: Some(1), files: files.clone(), ..StepEnd::default() })));
    assert!(trouble.hint.unwrap().contains("state push errored.tfstate"));
    assert_eq!(trouble.incarnations, Some([thing("2", 7)].into()));
    assert_eq!(trouble.notes["serial"], "3");

    let mut machine = applying();
    step(&mut *machine, Heard::Start, "terraform state pull");
    let end = StepEnd { code: Some(0), stdout: state(3, &["1"]), files, ..StepEnd::default() };
    assert_eq!(failed(machine.next(Heard::Step(end))).kind, TroubleKind::Refused);
}

#[test]
fn init_runs_once_more_when_a_command_asks_for_it() {
    let mut machine = applying();
    to_plan(&mut *machine);
    machine.line(NO_MODULE);
    step(&mut *machine, ended(1, ""), "terraform init");
    step(&mut *machine, logged(0, ""), "terraform state pull");
    assert!(matches!(machine.next(ended(0, &state(3, &["1"]))), Move::Write { .. }));
    step(&mut *machine, Heard::Written, "terraform plan");
    machine.line(NO_MODULE);
    let trouble = failed(machine.next(ended(1, "")));
    assert!(trouble.message.contains("Module not installed") && trouble.message.ends_with("(`tf/main.tf:4`)"));
}

#[test]
fn errors_for_people_are_read_too() {
    let mut machine = Terraform.start(job(json!({ "dir": "tf" })));
    step(&mut *machine, Heard::Start, "terraform init");
    // As `init` of a module with an unclosed block printed it.
    let tail = "Initializing the backend...\n╷\n│ Error: Unclosed configuration block\n│ \n│   on main.tf line 1, in resource \"terraform_data\":\n│    1: resource \"terraform_data\" {\n│ \n│ There is no closing brace for this block before the end of the file. This may\n│ be caused by incorrect brace nesting elsewhere in this file.\n╵";
    let trouble = failed(machine.next(logged(1, tail)));
    assert_eq!(
        trouble.message,
        "`terraform init` failed: Unclosed configuration block: There is no closing brace for this block before the \
         end of the file. This may (`tf/main.tf:1`)"
    );
    assert!(!trouble.notes.contains_key("init"));
}

#[test]
fn a_held_lock_names_its_holder() {
    let mut machine = applying();
    to_plan(&mut *machine);
    machine.line(LOCKED);
    let trouble = failed(machine.next(ended(1, "")));
    assert_eq!(trouble.message, "the state of `tf` is locked by `root@vm` since 2026-11-21 11:51:14 (apply)");
    assert!(trouble.hint.unwrap().ends_with("terraform force-unlock ab2b71cc-a7c4`"));
}

#[test]
fn a_state_that_is_not_the_known_one_is_refused() {
    let undo = |job: Job| Terraform.undo(job).unwrap();
    for start in [&(|job: Job| Terraform.start(job)) as &dyn Fn(Job) -> Box<dyn Machine>, &undo] {
        for pulled in [String::new(), state(4, &[]), state(2, &["1"]), state(3, &["1"]).replace("\"l\"", "\"m\"")] {
            let mut job = job(json!({ "dir": "tf" }));
            job.memory = known(&job);
            let mut machine = start(job);
            step(&mut *machine, Heard::Start, "terraform state pull");
            let trouble = failed(machine.next(ended(0, &pulled)));
            assert_eq!(trouble.kind, TroubleKind::Refused, "{pulled}");
            assert_eq!(trouble.notes["serial"], "3");
        }
    }
}

#[test]
fn a_teardown_works_over_any_state_and_again() {
    // A fresh clone: nothing is remembered, the state exists.
    let mut machine = Terraform.undo(job(json!({ "dir": "tf", "vars": {} }))).unwrap();
    step(&mut *machine, Heard::Start, "terraform init");
    step(&mut *machine, logged(0, ""), "terraform state pull");
    assert!(matches!(machine.next(ended(0, &state(3, &["1"]))), Move::Write { .. }));
    let plan = step(&mut *machine, Heard::Written, "terraform plan -destroy");
    assert!(plan.argv.contains(&"-destroy".to_owned()));
    assert!(matches!(machine.next(ended(2, DELETE)), Move::Approve(_)));
    assert!(matches!(machine.next(Heard::Approved), Move::Snapshot { .. }));
    step(&mut *machine, Heard::Written, "terraform apply");
    step(&mut *machine, ended(0, ""), "terraform state pull");
    let over = done(machine.next(ended(0, &state(5, &[]))));
    assert_eq!((over.incarnations, over.nothing_there), (Some([].into()), false));

    // Again, after it half failed: our own undo had begun.
    let mut half = job(json!({ "dir": "tf" }));
    half.memory = Memory { undo_began: true, ..known(&half) };
    let mut machine = Terraform.undo(half).unwrap();
    step(&mut *machine, Heard::Start, "terraform state pull");
    let over = done(machine.next(ended(0, &state(5, &[]))));
    assert!(over.nothing_there && over.unchanged);
}

#[test]
fn what_a_teardown_leaves_is_said() {
    let mut job = job(json!({ "dir": "tf" }));
    job.memory = known(&job);
    let mut machine = Terraform.undo(job).unwrap();
    step(&mut *machine, Heard::Start, "terraform state pull");
    machine.next(ended(0, &state(3, &["1"])));
    step(&mut *machine, Heard::Written, "terraform plan -destroy");
    machine.next(ended(2, DELETE));
    machine.next(Heard::Approved);
    step(&mut *machine, Heard::Written, "terraform apply");
    step(&mut *machine, ended(0, ""), "terraform state pull");
    let trouble = failed(machine.next(ended(0, &state(4, &["1"]))));
    assert_eq!(trouble.message, "still there: 1 resource: `vm.a`");
    assert_eq!(trouble.incarnations, Some([thing("1", 5)].into()));
}

#[test]
fn workspaces_are_made_by_an_apply_alone() {
    let table = json!({ "dir": "tf", "workspace": "dev" });
    let missing = "\nWorkspace \"dev\" doesn't exist.\n\nYou can create this workspace with the \"new\" subcommand";
    let mut machine = Terraform.start(job(table.clone()));
    let init = step(&mut *machine, Heard::Start, "terraform init");
    assert_eq!(init.env["TF_DATA_DIR"], "/p/.infra/env/local/t/data-dev");
    let select = step(&mut *machine, logged(0, ""), "terraform workspace select");
    assert_eq!(select.argv[1..], ["workspace", "select", "-no-color", "-or-create", "dev"]);

    let mut machine = Terraform.undo(job(table)).unwrap();
    step(&mut *machine, Heard::Start, "terraform init");
    let select = step(&mut *machine, logged(0, ""), "terraform workspace select");
    assert_eq!(select.argv[1..], ["workspace", "select", "-no-color", "dev"]);
    assert!(done(machine.next(logged(1, missing))).nothing_there);

    let mut machine = Terraform.start(job(json!({ "dir": "tf", "workspace": "dev", "action": "plan" })));
    step(&mut *machine, Heard::Start, "terraform init");
    step(&mut *machine, logged(0, ""), "terraform workspace select");
    assert_eq!(failed(machine.next(logged(1, missing))).message, "workspace `dev` of `tf` does not exist yet");
}

#[test]
fn a_plan_never_fails_on_changes() {
    for (code, lines, changes, summary) in
        [(0, "", 0, "no changes"), (2, CREATE, 1, "+1 ~0 -0"), (2, "", 1, "+0 ~0 -0")]
    {
        let mut machine = Terraform.start(job(json!({ "dir": "tf", "action": "plan" })));
        step(&mut *machine, Heard::Start, "terraform init");
        assert!(matches!(machine.next(logged(0, "")), Move::Write { .. }));
        step(&mut *machine, Heard::Written, "terraform plan");
        let done = done(machine.next(ended(code, lines)));
        assert_eq!(done.exports["changes"], changes);
        assert_eq!(done.summary.as_deref(), Some(summary));
    }
}

#[test]
fn a_check_of_the_configuration_names_the_line() {
    let mut machine = Terraform.start(job(json!({ "dir": "tf", "action": "validate" })));
    let init = step(&mut *machine, Heard::Start, "terraform init");
    assert!(init.argv.contains(&"-backend=false".to_owned()));
    let validate = step(&mut *machine, logged(0, ""), "terraform validate");
    assert_eq!(validate.env["TF_DATA_DIR"], "/p/.infra/env/local/t/validate");
    let verdict = r#"{"format_version": "1.0", "valid": false, "error_count": 1, "warning_count": 0, "diagnostics": [
        {"severity": "error", "summary": "Reference to undeclared input variable", "detail": "An input variable.",
         "range": {"filename": "main.tf", "start": {"line": 5, "column": 11, "byte": 100}}}]}"#;
    assert_eq!(
        failed(machine.next(ended(1, verdict))).message,
        "`terraform validate` failed: Reference to undeclared input variable: An input variable. (`tf/main.tf:5`)"
    );
}
