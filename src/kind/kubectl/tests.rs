//! Owns tables of the machines: what kubectl printed, and the moves that must follow.
//! Does not know a real kubectl.

use super::Kubectl;
use super::objects::{self, LAST, NOTE};
use crate::kind::Kind;
use crate::kind::fake::{FakeFiles, done, ended, failed, job, logged, step, table, unclaimed};
use crate::kind::machine::{Heard, Job, Machine, Memory, Move, StepEnd};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

fn web() -> Json {
    json!({"apply": ["k8s/web.yml", "-k k8s/overlay"], "namespace": "shop", "kubeconfig": "build/kubeconfig",
        "wait": [{"for": "condition=Available", "of": "deployment/web", "within": "2s"}],
        "get": {"ip": {"of": "service/web", "jsonpath": "{.spec.clusterIP}"}}})
}

fn deployment(uid: &str, replicas: i64, by_hand: i64) -> Json {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": uid, "resourceVersion": "9", "managedFields": [
            {"manager": "infra", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec":
                {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}}}}},
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}]},
        "spec": {"replicas": replicas, "paused": by_hand, "template": {"spec": {"containers": [{"name": "a", "image": "i"}]}}}})
}

/// Applies both sources; the next move writes the list.
fn to_list(machine: &mut dyn Machine) -> Move {
    step(machine, Heard::Start, "kubectl get namespace kube-system");
    let apply = step(machine, ended(0, "uid-1"), "kubectl apply k8s/web.yml");
    assert_eq!(
        apply.argv.join(" "),
        "kubectl apply --server-side --field-manager=infra --filename /p/k8s/web.yml -o json --recursive --kubeconfig \
         /p/build/kubeconfig --namespace shop --request-timeout=30s"
    );
    let overlay = step(machine, ended(0, &deployment("u", 1, 0).to_string()), "kubectl apply k8s/overlay");
    assert!(overlay.argv.contains(&"--kustomize".to_owned()));
    machine
        .next(ended(0, r#"{"kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}}]}"#))
}

#[test]
fn an_apply_reads_what_is_there_waits_and_gets() {
    let mut machine = Kubectl.start(job(web()));
    let Move::Write { path, bytes, .. } = to_list(machine.as_mut()) else { panic!("the list is written") };
    assert_eq!(path, "/p/.infra/env/local/t/objects.json");
    assert!(String::from_utf8(bytes).unwrap().contains(r#""name":"web","namespace":"shop""#));
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let there = json!({"items": [deployment("u", 1, 0)]}).to_string();
    // It does not exist yet: looked for again.
    step(machine.as_mut(), ended(0, &there), "kubectl get deployment/web");
    assert!(matches!(machine.next(ended(0, "")), Move::Wait(_)));
    step(machine.as_mut(), Heard::Waited, "kubectl get deployment/web");
    let wait =
        step(machine.as_mut(), ended(0, "deployment.apps/web"), "kubectl wait condition=Available deployment/web");
    assert!(wait.argv.contains(&"--timeout=2s".to_owned()) && !wait.argv.contains(&"--all".to_owned()));
    step(machine.as_mut(), ended(0, ""), "kubectl get service/web");
    let done = done(machine.next(ended(0, r#"["10.43.0.7"]"#)));
    assert_eq!(done.exports["ip"], json!("10.43.0.7"));
    assert_eq!(done.summary.as_deref(), Some("2 objects, 1 came true"));
    assert!(done.notes[NOTE].contains("Service") && done.notes[LAST].contains("Deployment"));
}

#[test]
fn what_does_not_come_true_says_why() {
    let mut machine = Kubectl.start(job(web()));
    to_list(machine.as_mut());
    step(machine.as_mut(), Heard::Written, "kubectl get");
    step(machine.as_mut(), ended(0, ""), "kubectl get deployment/web");
    step(machine.as_mut(), ended(0, "deployment.apps/web"), "kubectl wait condition=Available deployment/web");
    step(machine.as_mut(), logged(1, "error: timed out waiting for the condition"), "kubectl get deployment/web");
    let conditions = json!([{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}]);
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"conditions": conditions}});
    let trouble = failed(machine.next(ended(0, &object.to_string())));
    assert_eq!(
        trouble.message,
        "`deployment/web` did not come to `condition=Available within 2s: timed out waiting for the condition`; \
         deployment/web: Available=False (MinimumReplicasUnavailable)"
    );

    let mut machine = Kubectl.start(job(web()));
    to_list(machine.as_mut());
    step(machine.as_mut(), Heard::Written, "kubectl get");
    step(machine.as_mut(), ended(0, ""), "kubectl get deployment/web");
    let mut made = machine.next(ended(0, ""));
    while matches!(made, Move::Wait(_)) {
        step(machine.as_mut(), Heard::Waited, "kubectl get deployment/web");
        made = machine.next(ended(0, ""));
    }
    assert_eq!(failed(made).message, "`deployment/web` does not exist, 2s after it was asked for");
}

#[test]
fn a_conflict_names_the_other_manager() {
    let conflict = |tail: &str| {
        objects::conflict(&StepEnd {
            code: Some(1),
            tail: tail.lines().map(str::to_owned).collect(),
            ..StepEnd::default()
        })
    };
    let one = "error: Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas\nPlease review the fields above";
    assert_eq!(conflict(one).unwrap(), "`.spec.replicas` is owned by `kubectl-edit`");
    let two = "error: Apply failed with 2 conflicts: conflicts with \"helm\" using apps/v1:\n- .spec.replicas\n- .spec.paused\nPlease review";
    assert_eq!(conflict(two).unwrap(), "`.spec.replicas`, `.spec.paused` are owned by `helm`");
    assert_eq!(conflict("error: no matches for kind"), None);
}

#[test]
fn the_token_is_of_our_fields_and_of_which_object_it_is() {
    let token = |object: Json| objects::token(&[object]);
    let first = token(deployment("u", 1, 0));
    assert_eq!(token(deployment("u", 1, 5)), first, "a field of somebody else");
    assert_ne!(token(deployment("u", 2, 0)), first, "ours");
    assert_ne!(token(deployment("v", 1, 0)), first, "another object of that name");
}

#[test]
fn an_undo_deletes_all_that_was_ever_applied() {
    let mut job: Job = job(web());
    let gone = r#"[{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"old"}]"#;
    job.memory = Memory { notes: [(NOTE.to_owned(), gone.to_owned())].into(), ..Memory::default() };
    let mut machine = Kubectl.undo(job.clone()).unwrap();
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    let Move::Write { bytes, .. } = unclaimed(machine.as_mut(), ended(0, "uid-1")) else {
        panic!("the list is written")
    };
    assert!(String::from_utf8(bytes).unwrap().contains("\"old\""));
    step(machine.as_mut(), Heard::Written, "kubectl delete");
    assert_eq!(done(machine.next(ended(0, ""))).summary.as_deref(), Some("1 deleted"));
    job.memory.notes.clear();
    let mut machine = Kubectl.undo(job).unwrap();
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    assert!(done(unclaimed(machine.as_mut(), ended(0, "uid-1"))).nothing_there);
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    let wrong = |json: Json| Kubectl.wrong(&table(json), &BTreeSet::new()).join("; ");
    assert_eq!(wrong(web()), "");
    assert_eq!(
        wrong(json!({"apply": "a", "delete": "b", "kubeconfig": "k"})),
        "it has `apply` and `delete`: one task does one of them"
    );
    assert_eq!(wrong(json!({"render": "a"})), "`render` needs `to`, the file that it writes");
    assert!(wrong(json!({"kubeconfig": "k"})).starts_with("it does nothing"));
    assert!(wrong(json!({"get": {}})).contains("never read"));
    let wait = json!([{"for": "ready", "of": "pods"}]);
    assert!(wrong(json!({"wait": wait, "kubeconfig": "k"})).contains("`for = \"ready\"`"));
}

#[test]
fn what_a_kustomization_names_is_an_input() {
    let files = FakeFiles::new(&[
        ("k8s/overlay/kustomization.yaml", "resources: [../base, https://x/y]\ncomponents: [../extra]\n"),
        ("k8s/overlay/patch.yml", ""),
        ("k8s/base/kustomization.yaml", "resources: [web.yml, ../../shared/x.yml]\n"),
        ("k8s/base/web.yml", ""),
        ("shared/x.yml", ""),
        ("plain/a.yml", ""),
    ]);
    let inferred = Kubectl.infer(&table(json!({"render": "k8s/overlay", "to": "out.yml"})), &files);
    let mut paths = inferred.paths.clone();
    paths.sort();
    paths.dedup();
    let want = [
        "k8s/base/kustomization.yaml",
        "k8s/base/web.yml",
        "k8s/overlay/kustomization.yaml",
        "k8s/overlay/patch.yml",
        "shared/x.yml",
    ];
    assert_eq!(paths, want);
    let render = table(json!({"render": "k8s/overlay", "to": "out.yml"}));
    assert_eq!(Kubectl.outputs(&render, &files)[0].0, "out.yml");
    let plain = Kubectl.infer(&table(json!({"apply": ["plain", "k8s/base"], "kubeconfig": "k"})), &files);
    assert_eq!(plain.globs[0], "plain/**/*.{yaml,yml,json}");
    assert!(plain.remarks[0].contains("write `-k k8s/base`"));
    assert_eq!(plain.paths, ["k"]);
}
