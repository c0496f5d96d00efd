//! Owns tables of waits: what kubectl printed, and the moves that must follow.
//! Does not know a real kubectl.

use super::Kubectl;
use crate::kind::Kind;
use crate::kind::fake::{ended, failed, job, logged, step};
use crate::kind::machine::{Heard, Machine, Move, StepEnd};
use serde_json::json;
use std::time::Duration;

/// A machine that waits for pods, at its first look.
fn pods(what: &str) -> Box<dyn Machine> {
    let wait = json!([{"for": what, "of": "pods", "selector": "app=web", "within": "12s"}]);
    let mut machine = Kubectl.start(job(json!({"wait": wait, "kubeconfig": "k"})));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl get pods");
    machine
}

#[test]
fn objects_of_a_kind_may_be_others_before_they_come_true() {
    let late = || logged(1, "error: timed out waiting for the condition on pods/web-1");
    let mut machine = pods("condition=Ready");
    for slice in ["--timeout=5s", "--timeout=5s", "--timeout=2s"] {
        let wait = step(machine.as_mut(), ended(0, "web-1   <none>"), "kubectl wait condition=Ready pods");
        assert!(wait.argv.contains(&slice.to_owned()), "{:?}", wait.argv);
        step(machine.as_mut(), late(), "kubectl get pods");
    }
    let trouble = failed(machine.next(ended(0, "")));
    assert_eq!(trouble.message, "`pods` with app=web did not come to `condition=Ready` within 12s");
    // Twin: what can't be waited for at all is not tried again.
    let mut machine = pods("jsonpath={.x[");
    step(machine.as_mut(), ended(0, "web-1   <none>"), "kubectl wait jsonpath={.x[ pods");
    step(machine.as_mut(), logged(1, "error: unexpected path string"), "kubectl get pods");
    assert!(failed(machine.next(ended(0, ""))).message.ends_with("to `jsonpath={.x[`: unexpected path string"));
}

#[test]
fn a_kind_that_nobody_made_yet_is_waited_for() {
    let mut machine = pods("create");
    let unknown = || logged(1, "error: the server doesn't have a resource type \"pods\"");
    let mut made = machine.next(unknown());
    while matches!(made, Move::Wait(_)) {
        step(machine.as_mut(), Heard::Waited, "kubectl get pods");
        made = machine.next(unknown());
    }
    let message = failed(made).message;
    assert!(message.contains("12s after it was asked for: the server doesn't have"), "{message}");
    let refused = "Error from server (Forbidden): pods is forbidden";
    assert!(failed(pods("create").next(logged(1, refused))).message.ends_with(refused));
}

/// A machine that waits for a job, at its first wait.
fn work() -> Box<dyn Machine> {
    let wait = json!([{"for": "condition=complete", "of": "job/x", "within": "12s"}]);
    let mut machine = Kubectl.start(job(json!({"wait": wait, "kubeconfig": "k"})));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl get job/x");
    step(machine.as_mut(), ended(0, "x   <none>"), "kubectl wait condition=complete job/x");
    machine
}

#[test]
fn a_job_is_waited_for_in_slices_as_long_as_it_is_there() {
    let late = || logged(1, "error: timed out waiting for the condition on jobs/x");
    let mut machine = work();
    for _ in 0..2 {
        step(machine.as_mut(), late(), "kubectl get job/x");
        step(machine.as_mut(), ended(0, "{}"), "kubectl wait condition=complete job/x");
    }
    step(machine.as_mut(), late(), "kubectl get job/x");
    assert!(failed(machine.next(ended(0, "{}"))).message.ends_with("within 12s"));
    // Twin: one that was deleted meanwhile is told at once, and not asked for again and again.
    let mut machine = work();
    step(machine.as_mut(), logged(1, "Error from server (NotFound): jobs.batch \"x\" not found"), "kubectl get job/x");
    let message = failed(machine.next(ended(0, ""))).message;
    assert!(message.ends_with("Error from server (NotFound): jobs.batch \"x\" not found"), "{message}");
}

#[test]
fn what_is_silent_takes_the_time_that_it_takes() {
    let silent =
        |took| StepEnd { took: Duration::from_secs(took), ..logged(1, "Unable to connect: i/o timeout").end() };
    let mut machine = pods("create");
    assert!(matches!(machine.next(Heard::Step(silent(10))), Move::Wait(_)));
    step(machine.as_mut(), Heard::Waited, "kubectl get pods");
    assert!(failed(machine.next(Heard::Step(silent(10)))).message.contains("12s after it was asked for"));
    // Silence between two slices is no answer either.
    let mut machine = work();
    assert!(matches!(machine.next(Heard::Step(silent(1))), Move::Wait(_)));
    step(machine.as_mut(), Heard::Waited, "kubectl get job/x");
}

#[test]
fn what_a_path_has_instead_is_told_but_of_a_secret() {
    let tell = |of: &str| {
        let wait = json!([{"for": "jsonpath={.data.a}=b", "of": of, "within": "2s"}]);
        let mut machine = Kubectl.start(job(json!({"wait": wait, "kubeconfig": "k"})));
        step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
        step(machine.as_mut(), ended(0, "uid-1"), &format!("kubectl get {of}"));
        step(machine.as_mut(), ended(0, "a   <none>"), &format!("kubectl wait jsonpath={{.data.a}}=b {of}"));
        let late = logged(1, "error: timed out waiting for the condition on x");
        let tell = step(machine.as_mut(), late, &format!("kubectl get {of}"));
        (machine, tell.argv.join(" "))
    };
    let (mut machine, argv) = tell("configmap/a");
    assert!(argv.contains("IS:{.data.a}"), "{argv}");
    let message = failed(machine.next(ended(0, "ConfigMap   a   c d\n"))).message;
    assert!(message.ends_with("within 2s; configmap/a has `c d` at `{.data.a}`"), "{message}");
    assert!(!tell("secret/a").1.contains(".data.a"));
}
