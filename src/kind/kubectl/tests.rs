//! Owns tables of the machines: what kubectl printed, and the moves that must follow.
//! Does not know a real kubectl.

use super::Kubectl;
use super::objects;
use super::record::{LAST, NOTE};
use crate::kind::Kind;
use crate::kind::fake::{FakeFiles, done, ended, failed, job, logged, step, table};
use crate::kind::machine::{CanChange, Heard, Job, Machine, Memory, Move, StepEnd};
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
    let look = step(machine, ended(0, "uid-1"), "kubectl read k8s/web.yml");
    assert!(look.can_change == CanChange::No && look.argv.contains(&"--local".to_owned()));
    let intended = r#"[{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"killed"}]"#;
    let first = StepEnd {
        code: Some(0),
        stdout: r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}"#.to_owned(),
        files: [("/p/.infra/env/local/t/intended.json".into(), intended.to_owned())].into(),
        ..StepEnd::default()
    };
    step(machine, Heard::Step(first), "kubectl read k8s/overlay");
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}}"#;
    let Move::Approve(change) = machine.next(ended(0, service)) else { panic!("it is approved first") };
    assert_eq!(change.summary, "applies deployment/web, service/web to cluster (build/kubeconfig)");
    assert_eq!(change.runs, ["deployment/web in shop", "service/web in shop"]);
    let Move::Write { path, bytes, .. } = machine.next(Heard::Approved) else { panic!("the journal is written") };
    assert_eq!(path, "/p/.infra/env/local/t/intended.json");
    let text = String::from_utf8(bytes).unwrap();
    assert!(["killed", "Deployment", "Service"].iter().all(|word| text.contains(word)), "{text}");
    let apply = step(machine, Heard::Written, "kubectl apply k8s/web.yml");
    assert_eq!(
        apply.argv.join(" "),
        "kubectl apply --server-side --field-manager=infra --filename /p/k8s/web.yml --recursive -o json --kubeconfig \
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
    // Nor is one there that is being deleted.
    assert!(matches!(machine.next(ended(0, "web   2026-01-01T00:00:00Z\n")), Move::Wait(_)));
    step(machine.as_mut(), Heard::Waited, "kubectl get deployment/web");
    let wait = step(machine.as_mut(), ended(0, "web   <none>"), "kubectl wait condition=Available deployment/web");
    // Until it was there two seconds went by.
    assert!(wait.argv.contains(&"--timeout=1s".to_owned()) && !wait.argv.contains(&"--all".to_owned()));
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
    step(machine.as_mut(), ended(0, "web   <none>"), "kubectl wait condition=Available deployment/web");
    step(machine.as_mut(), logged(1, "error: timed out waiting for the condition"), "kubectl get deployment/web");
    let conditions = json!([{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}]);
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"conditions": conditions}});
    let trouble = failed(machine.next(ended(0, &object.to_string())));
    assert_eq!(
        trouble.message,
        "`deployment/web` in `shop` did not come to `condition=Available` within 2s; deployment/web: Available=False \
         (MinimumReplicasUnavailable)"
    );
    assert_eq!(trouble.argv[1], "wait", "it is the wait that failed");

    let mut machine = Kubectl.start(job(web()));
    to_list(machine.as_mut());
    step(machine.as_mut(), Heard::Written, "kubectl get");
    step(machine.as_mut(), ended(0, ""), "kubectl get deployment/web");
    let mut made = machine.next(ended(0, ""));
    while matches!(made, Move::Wait(_)) {
        step(machine.as_mut(), Heard::Waited, "kubectl get deployment/web");
        made = machine.next(ended(0, ""));
    }
    assert_eq!(failed(made).message, "`deployment/web` in `shop` does not exist, 2s after it was asked for");
}

#[test]
fn what_cannot_be_applied_is_said_before_anything_is() {
    let looked = |objects: &str| {
        let mut machine = Kubectl.start(job(web()));
        step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
        step(machine.as_mut(), ended(0, "uid-1"), "kubectl read k8s/web.yml");
        failed(machine.next(ended(0, objects))).message
    };
    let map = |meta: &str| format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{meta}}}"#);
    assert_eq!(looked(&map("{}")), "in `k8s/web.yml`: a ConfigMap has no `metadata.name`");
    assert!(looked(&map(r#"{"generateName":"x-"}"#)).contains("`generateName: x-`"));
    let twice = map(r#"{"name":"a"}"#) + &map(r#"{"name":"a","namespace":"shop"}"#);
    assert_eq!(looked(&twice), "configmap/a stands twice in what is to be applied");
}

#[test]
fn a_conflict_names_the_object_and_the_other_manager() {
    let mut machine = Kubectl.start(job(web()));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl read k8s/web.yml");
    step(machine.as_mut(), ended(0, &deployment("u", 1, 0).to_string()), "kubectl read k8s/overlay");
    assert!(matches!(machine.next(ended(0, "")), Move::Approve(_)));
    assert!(matches!(machine.next(Heard::Approved), Move::Write { .. }));
    let apply = step(machine.as_mut(), Heard::Written, "kubectl apply k8s/web.yml");
    let said = "error: Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.paused";
    assert!(written(machine.next(logged(1, said))).contains("Deployment"));
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let trouble = failed(machine.next(ended(0, &deployment("u", 1, 0).to_string())));
    assert_eq!(trouble.message, "conflict: deployment/web: `.spec.paused` is owned by `kubectl-edit`");
    assert_eq!(trouble.argv, apply.argv, "it is the apply that failed");
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
fn a_secret_is_told_by_its_version_and_not_by_what_it_holds() {
    let secret = |version: &str, value: &str| {
        let fields = json!({"f:data": {"f:password": {}}});
        objects::token(&[json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": value}, "metadata": {
            "name": "s", "uid": "u", "resourceVersion": version,
            "managedFields": [{"manager": "infra", "operation": "Apply", "fieldsV1": fields}]}})])
    };
    assert_eq!(secret("1", "a"), secret("1", "b"));
    assert_ne!(secret("1", "a"), secret("2", "a"));
}

#[test]
fn what_is_being_deleted_is_waited_for_and_made_anew() {
    let mut machine = Kubectl.start(job(web()));
    to_list(machine.as_mut());
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let mut going = deployment("u", 1, 0);
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    going["metadata"]["finalizers"] = json!(["x/y"]);
    let going = json!({"items": [going]}).to_string();
    assert!(matches!(machine.next(ended(0, &going)), Move::Write { .. }));
    step(machine.as_mut(), Heard::Written, "kubectl wait delete");
    step(machine.as_mut(), ended(0, ""), "kubectl apply k8s/web.yml");
    step(machine.as_mut(), ended(0, &deployment("v", 1, 0).to_string()), "kubectl apply k8s/overlay");
    assert!(matches!(machine.next(ended(0, "")), Move::Write { .. }));
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let trouble = failed(machine.next(ended(0, &going)));
    assert_eq!(trouble.message, "being deleted, again, after the apply: deployment/web (held up by `x/y`)");
}

fn undo_of(job: &Job, journal: &str) -> (Box<dyn Machine>, Move) {
    let mut machine = Kubectl.undo(job.clone()).unwrap();
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl version");
    let files = [(job.keep.join("intended.json"), journal.to_owned())].into();
    let next = machine.next(Heard::Step(StepEnd { code: Some(0), files, ..StepEnd::default() }));
    (machine, next)
}

fn written(made: Move) -> String {
    let Move::Write { bytes, .. } = made else { panic!("a file is written, not {made:?}") };
    String::from_utf8(bytes).unwrap()
}

fn map(name: &str, uid: &str, manager: &str) -> Json {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", "uid": uid,
        "managedFields": [{"manager": manager, "operation": "Apply"}]}})
}

/// One of which nobody owns a field: what an apply makes of a name alone.
fn bare(name: &str, uid: &str) -> Json {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", "uid": uid}})
}

#[test]
fn an_undo_deletes_all_that_was_ever_applied_and_nothing_else() {
    let mut job: Job = job(web());
    let noted = |name: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": name, "uid": uid});
    let note = json!([noted("old", "1"), noted("remade", "2"), noted("moved", "3")]).to_string();
    job.memory = Memory { notes: [(NOTE.to_owned(), note)].into(), ..Memory::default() };
    job.memory.beside = vec![[(LAST.to_owned(), json!([noted("moved", "3")]).to_string())].into()];
    let journal = json!([noted("killed", ""), noted("theirs", ""), noted("bare", "")]).to_string();
    let (mut machine, list) = undo_of(&job, &journal);
    let list = written(list);
    assert!(["old", "remade", "moved", "killed", "theirs"].iter().all(|name| list.contains(name)), "{list}");
    let read = step(machine.as_mut(), Heard::Written, "kubectl get");
    assert!(!read.argv.contains(&"--namespace".to_owned()), "each names its own");
    let found = json!({"items": [map("old", "1", "kubectl"), map("remade", "9", "kubectl"), map("moved", "3", "infra"),
        map("killed", "7", "infra"), map("theirs", "8", "kubectl"), bare("bare", "9")]});
    let chosen = written(machine.next(ended(0, &found.to_string())));
    assert!(["old", "killed", "bare"].iter().all(|name| chosen.contains(&format!("\"{name}\""))), "{chosen}");
    assert!(["remade", "moved", "theirs"].iter().all(|name| !chosen.contains(name)), "{chosen}");
    // An undo is agreed to as a whole.
    step(machine.as_mut(), Heard::Written, "kubectl delete");
    assert_eq!(written(machine.next(ended(0, ""))), "[]");
    assert_eq!(
        done(machine.next(Heard::Written)).summary.as_deref(),
        Some(
            "3 deleted; left alone: configmap/moved (another task applies it), configmap/remade (made by somebody \
             else), configmap/theirs (made by somebody else)"
        )
    );
    job.memory.notes.clear();
    let (mut machine, journal) = undo_of(&job, "[]");
    assert_eq!(written(journal), "[]");
    assert!(done(machine.next(Heard::Written)).nothing_there);
}

#[test]
fn what_holds_up_a_delete_is_told() {
    let mut machine = Kubectl.start(job(json!({"delete": "k8s", "kubeconfig": "k"})));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl read k8s");
    let mut held = map("held", "1", "infra");
    written(machine.next(ended(0, &held.to_string())));
    step(machine.as_mut(), Heard::Written, "kubectl get");
    written(machine.next(ended(0, &held.to_string())));
    let Move::Approve(change) = machine.next(Heard::Written) else { panic!("it is approved first") };
    assert_eq!(change.destroys, ["configmap/held in shop"]);
    step(machine.as_mut(), Heard::Approved, "kubectl delete");
    let late = "error: timed out waiting for the condition on configmaps/held";
    step(machine.as_mut(), logged(1, late), "kubectl get");
    held["metadata"]["finalizers"] = json!(["x/y"]);
    let message = failed(machine.next(ended(0, &held.to_string()))).message;
    assert!(message.ends_with("on configmaps/held; still there: configmap/held (held up by `x/y`)"), "{message}");
}

#[test]
fn files_without_objects_are_no_mistake_of_a_delete() {
    let none = || logged(1, "error: no objects passed to patch");
    let mut machine = Kubectl.start(job(json!({"delete": "k8s", "kubeconfig": "k"})));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl read k8s");
    assert_eq!(done(machine.next(none())).summary.as_deref(), Some("nothing was there"));
    let mut machine = Kubectl.start(job(web()));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "kubectl read k8s/web.yml");
    assert_eq!(failed(machine.next(none())).message, "there is no object in what is to be applied");
}

#[test]
fn what_is_of_a_kind_that_went_holds_up_no_delete() {
    let mut job: Job = job(web());
    let note = json!([
        {"apiVersion": "x.io/v1", "kind": "Foo", "namespace": "shop", "name": "f"},
        {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "old", "uid": "1"}
    ]);
    job.memory = Memory { notes: [(NOTE.to_owned(), note.to_string())].into(), ..Memory::default() };
    let (mut machine, _) = undo_of(&job, "[]");
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let gone = "unable to recognize no matches for kind \"Foo\" in version \"x.io/v1\"";
    let list = written(machine.next(logged(1, gone)));
    assert!(list.contains("old") && !list.contains("Foo"), "{list}");
    step(machine.as_mut(), Heard::Written, "kubectl get");
    written(machine.next(ended(0, &map("old", "1", "infra").to_string())));
    step(machine.as_mut(), Heard::Written, "kubectl delete");
    machine.next(ended(0, ""));
    let summary = done(machine.next(Heard::Written)).summary;
    assert_eq!(summary.as_deref(), Some("1 deleted; 1 of a kind that is no longer known"));
    // Where the cluster can't tell all kinds, nothing is taken for gone.
    let (mut machine, _) = undo_of(&job, "[]");
    step(machine.as_mut(), Heard::Written, "kubectl get");
    let unsure = format!("E1 memcache.go] couldn't get resource list for x.io/v1: the server is unable\n{gone}");
    assert!(failed(machine.next(logged(1, &unsure))).message.starts_with("what is there cannot be read"));
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
    let wait = json!([{"for": "condition=", "of": "pods"}]);
    assert!(wrong(json!({"wait": wait, "kubeconfig": "k"})).contains("`for = \"condition=\"`"));
    assert!(wrong(json!({"apply": "https://x/y.yml", "kubeconfig": "k"})).contains("names an address"));
}

#[test]
fn what_a_kustomization_names_is_an_input() {
    let files = FakeFiles::new(&[
        (
            "k8s/overlay/kustomization.yaml",
            "resources: [../base, https://x/y, 'x.com/o/r//p?ref=v1']\ncomponents: [../extra]\n",
        ),
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
    // What kubectl takes for a pattern is one.
    let pattern = Kubectl.infer(&table(json!({"apply": "plain/*.yml", "kubeconfig": "k"})), &files);
    assert_eq!((pattern.globs[0].as_str(), pattern.paths.len()), ("plain/*.yml", 1));
    assert!(inferred.remarks[0].contains("fetches `https://x/y`"));
    assert!(inferred.remarks[1].contains("fetches `x.com/o/r//p?ref=v1`"));
}
