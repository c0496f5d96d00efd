//! Owns tables of what the machines remember of releases: whose a pending one is, and which ones an undo takes.
//! Does not know a real helm.

use super::tests::{MARKS, change, ended_by, mark, release, to_list, web, with};
use crate::kind::Kind;
use crate::kind::fake::{done, ended, failed, job, logged, step};
use crate::kind::helm::Helm;
use crate::kind::machine::{Heard, Job, Machine, Move, StepEnd};
use crate::model::reason::Reason;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A mark of a change in the release's place, as an earlier attempt left it.
pub fn begun(doing: &str, first: u64, last: u64, change: impl FnOnce(&mut Json)) -> Heard {
    let mut place = json!({"cluster": "uid-1", "namespace": "shop", "release": "web"});
    change(&mut place);
    let begun = json!({"place": place, "doing": doing, "first": first, "last": last});
    let marks = json!({"attempt": 6, "releases": [place], "begun": begun}).to_string();
    let files = BTreeMap::from([(MARKS.into(), marks)]);
    Heard::Step(StepEnd { code: Some(0), stdout: "v4.2.4".to_owned(), files, ..StepEnd::default() })
}

/// Brings a machine to the question for the release, where an attempt left a mark.
pub fn to_status_after(marked: Heard, change: impl FnOnce(&mut Job)) -> Box<dyn Machine> {
    let mut machine = with(|job| {
        job.table.remove("set");
        change(job);
    });
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    let version = step(machine.as_mut(), ended(0, "uid-1"), "helm version");
    assert_eq!(version.read_after, [MARKS]);
    step(machine.as_mut(), marked, "helm list");
    step(machine.as_mut(), ended(0, "[{}]"), "helm status");
    machine
}

#[test]
fn only_a_change_that_began_here_makes_a_pending_release_ours() {
    let failed_before = Reason::LastAttemptFailed { attempt: 6, message: None };
    let cut_before = Reason::Interrupted { attempt: 6 };
    let pending = |marked: Heard, reason: &Reason, status: &str| {
        let mut machine = to_status_after(marked, |job| job.memory.reasons = vec![reason.clone()]);
        match machine.next(ended(0, &release(2, status, ""))) {
            Move::Wait(_) | Move::Approve(_) => "ours",
            Move::Fail(_) => "another's",
            other => panic!("{other:?}"),
        }
    };
    let unmarked = || ended(0, "v4.2.4");
    let upgrading = "pending-upgrade";
    assert_eq!(pending(unmarked(), &failed_before, upgrading), "another's");
    assert_eq!(pending(unmarked(), &cut_before, upgrading), "another's");
    assert_eq!(pending(unmarked(), &Reason::Forced, upgrading), "ours");
    assert_eq!(pending(begun("change", 2, 2, |_| ()), &failed_before, upgrading), "ours");
    assert_eq!(pending(begun("change", 1, 1, |_| ()), &cut_before, upgrading), "another's", "a later revision");
    assert_eq!(
        pending(begun("change", 2, 2, |place| place["namespace"] = json!("x")), &cut_before, upgrading),
        "another's"
    );
    assert_eq!(
        pending(begun("change", 2, 2, |place| place["cluster"] = json!("x")), &cut_before, upgrading),
        "another's"
    );
    assert_eq!(pending(begun("change", 2, 2, |_| ()), &cut_before, "uninstalling"), "another's");
    assert_eq!(pending(begun("uninstall", 2, 2, |_| ()), &cut_before, "uninstalling"), "ours");
    let undone = Reason::UndoneBy { task: "infra resolve".to_owned(), complete: true };
    assert_eq!(pending(begun("change", 2, 2, |_| ()), &undone, upgrading), "another's");
}

#[test]
fn a_helm_that_was_killed_leaves_its_mark() {
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    let killed = StepEnd { signal: Some(9), ..StepEnd::default() };
    step(machine.as_mut(), Heard::Step(killed), "helm list");
    let pending = r#"[{"revision":"1","status":"pending-install"}]"#;
    step(machine.as_mut(), ended(0, pending), "kubectl get pods");
}

#[test]
fn an_uninstall_that_failed_here_is_finished_first() {
    let uninstalling = || {
        let mut machine = to_status_after(begun("uninstall", 2, 2, |_| ()), |_| ());
        change(machine.as_mut(), ended(0, &release(2, "uninstalling", "")), "helm uninstall");
        machine
    };
    let mut machine = uninstalling();
    change(machine.as_mut(), ended(0, ""), "helm upgrade");
    ended_by(machine.as_mut(), ended(0, ""), "helm status");
    step(machine.as_mut(), ended(0, &release(1, "deployed", "x")), "helm get metadata");
    let summary = done(machine.next(ended(0, "{}"))).summary.unwrap();
    assert_eq!(summary, "installed, revision 1; was uninstalling: uninstalled first");
    let said = failed(uninstalling().next(logged(1, "Error: Hook pre-delete failed: 1 error occurred:\n\t* no x\n\n")));
    assert_eq!(
        said.message,
        "release `web` is uninstalling and cannot be set free: Hook pre-delete failed: 1 error occurred: no x"
    );
}

#[test]
fn an_undo_uninstalls_every_release_that_was_installed() {
    // An attempt as `web`, then one as `shop`.
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    ended_by(machine.as_mut(), logged(1, ""), "helm list");
    let notes = failed(machine.next(ended(0, "[]"))).notes;
    let renamed = |job: &mut Job| {
        job.table.insert("release".to_owned(), json!("shop"));
        job.table.remove("namespace");
        job.memory.notes = notes.clone();
    };
    let to_undo = |uid: &str| {
        let mut job = job(web());
        renamed(&mut job);
        let mut machine = Helm.undo(job).unwrap();
        step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
        let list = step(machine.as_mut(), ended(0, uid), "helm list").argv.join(" ");
        assert!(list.contains("^shop$") && list.contains("--namespace default"), "{list}");
        machine
    };
    let mut machine = to_undo("uid-1");
    change(machine.as_mut(), ended(0, "[{}]"), "helm uninstall");
    mark(machine.next(ended(0, "")));
    let list = step(machine.as_mut(), Heard::Written, "helm list").argv.join(" ");
    assert!(list.contains("^web$") && list.contains("--namespace shop"), "{list}");
    let uninstall = change(machine.as_mut(), ended(0, "[{}]"), "helm uninstall").argv.join(" ");
    assert!(uninstall.starts_with("helm uninstall web ") && uninstall.contains("--namespace shop"), "{uninstall}");
    assert_eq!(mark(machine.next(ended(0, "")))["releases"], json!([]));
    let summary = done(machine.next(Heard::Written)).summary;
    assert_eq!(summary.as_deref(), Some("uninstalled `default/shop`, `shop/web`"));
    // Twin: in another cluster nothing of it is looked for.
    let summary = done(to_undo("uid-2").next(ended(0, "[]"))).summary;
    assert_eq!(summary.as_deref(), Some("nothing there; not asked for `shop/web`, installed in another cluster"));
}
