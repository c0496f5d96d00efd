//! Owns tables of the machines: what helm printed, and the moves that must follow.
//! Does not know a real helm.

use super::Helm;
use super::command::{Commands, Major};
use super::tests_marks::{begun, to_status_after};
use crate::kind::Kind;
use crate::kind::fake::{FakeFiles, done, ended, failed, job, logged, step, table, unclaimed};
use crate::kind::machine::{CanChange, Ground, Heard, Job, Machine, Move, Step, TroubleKind};
use crate::model::probe::Answer;
use crate::model::reason::Reason;
use crate::model::record::Incarnation;
use crate::model::text::Read;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

pub fn release(version: u64, status: &str, manifest: &str) -> String {
    let info =
        json!({"first_deployed": "2026-01-01T00:00:00Z", "last_deployed": "2026-01-02T00:00:00Z", "status": status});
    json!({"name": "web", "version": version, "namespace": "shop", "info": info, "manifest": manifest}).to_string()
}

pub const MARKS: &str = "/p/.infra/env/local/t/releases.json";

pub fn web() -> Json {
    json!({"release": "web", "chart": "charts/web", "namespace": "shop", "kubeconfig": "build/kubeconfig",
        "context": "lab", "values": ["values.yml"], "set": {"password": "canary"}, "timeout": "2m"})
}

pub fn with(change: impl FnOnce(&mut Job)) -> Box<dyn Machine> {
    let mut job = job(web());
    change(&mut job);
    Helm.start(job)
}

/// Brings a machine to the question whether there is a release.
pub fn to_list(machine: &mut dyn Machine, major: &str) {
    step(machine, Heard::Start, "kubectl get namespace kube-system");
    step(machine, ended(0, "uid-1"), "helm version");
    step(machine, ended(0, major), "helm list");
}

/// Brings a machine to the question for the release.
fn to_status(machine: &mut dyn Machine, major: &str) {
    to_list(machine, major);
    step(machine, ended(0, "[{}]"), "helm status");
}

/// The next step, which changes the release: it is approved, and its mark stands before it begins.
#[track_caller]
pub fn change(machine: &mut dyn Machine, heard: Heard, name: &str) -> Step {
    let approve = machine.next(heard);
    assert!(matches!(&approve, Move::Approve(change) if change.summary.contains(name)), "{approve:?}");
    mark(machine.next(Heard::Approved));
    step(machine, Heard::Written, name)
}

/// What is written down of releases.
#[track_caller]
pub fn mark(made: Move) -> Json {
    match made {
        Move::Write { path, bytes, mode: None } if path == MARKS => serde_json::from_slice(&bytes).unwrap(),
        other => panic!("expected a mark, got {other:?}"),
    }
}

/// helm ended, and its mark goes: the next step.
#[track_caller]
pub fn ended_by(machine: &mut dyn Machine, heard: Heard, name: &str) -> Step {
    assert_eq!(mark(machine.next(heard))["begun"], json!(null));
    step(machine, Heard::Written, name)
}

#[test]
fn an_install_asks_first_and_keeps_secrets_off_the_command_line() {
    let mut machine = with(|_| ());
    to_list(machine.as_mut(), "v4.2.4");
    let Move::Write { path, bytes, mode: None } = machine.next(ended(0, "[]")) else {
        panic!("`set` is written to a file");
    };
    assert_eq!((path.as_str(), bytes.as_slice()), ("/tmp/i/set.json", br#"{"password":"canary"}"#.as_slice()));
    let upgrade = change(machine.as_mut(), Heard::Written, "helm upgrade");
    assert_eq!(upgrade.can_change, CanChange::Yes);
    assert_eq!(
        upgrade.argv.join(" "),
        "helm upgrade web /p/charts/web --install --values /p/values.yml --values /tmp/i/set.json --wait=watcher \
         --timeout 2m --history-max 10 --namespace shop --kubeconfig /p/build/kubeconfig --kube-context lab"
    );
    assert!(!upgrade.env.values().any(|value| value.contains("canary")));
    assert_eq!(upgrade.env["KUBECONFIG"], "/p/build/kubeconfig");
    ended_by(machine.as_mut(), ended(0, ""), "helm status");
    step(machine.as_mut(), ended(0, &release(1, "deployed", "kind: ConfigMap")), "helm get metadata");
    let done = done(machine.next(ended(0, r#"{"appVersion":"1.16"}"#)));
    assert_eq!(done.summary.as_deref(), Some("installed, revision 1"));
    assert_eq!((&done.exports["revision"], &done.exports["app_version"]), (&json!(1), &json!("1.16")));
    let cluster = Incarnation {
        task: "t".to_owned(),
        address: "cluster lab (build/kubeconfig)".to_owned(),
        id: "uid-1".to_owned(),
        generation: 0,
    };
    assert_eq!(done.incarnations, Some(BTreeSet::from([cluster])));
}

#[test]
fn helm_three_has_its_own_words() {
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v3.20.2");
    let upgrade = change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    assert!(upgrade.argv.contains(&"--wait".to_owned()), "{:?}", upgrade.argv);
    let mut machine = with(|_| ());
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    step(machine.as_mut(), ended(0, "uid-1"), "helm version");
    assert_eq!(failed(machine.next(ended(0, "v2.1.0"))).message, "helm v2.1.0 is neither 3 nor 4");
}

#[test]
fn an_upgrade_that_changes_nothing_keeps_the_token() {
    let run = |before: &str, after: &str| {
        let mut machine = with(|job| drop(job.table.remove("set")));
        to_status(machine.as_mut(), "v4.2.4");
        change(machine.as_mut(), ended(0, &release(3, "deployed", before)), "helm upgrade");
        ended_by(machine.as_mut(), ended(0, ""), "helm status");
        step(machine.as_mut(), ended(0, &release(4, "deployed", after)), "helm get metadata");
        done(machine.next(ended(0, "{}")))
    };
    let same = run("kind: A", "kind: A");
    assert_eq!((same.unchanged, same.summary.as_deref()), (true, Some("no changes, revision 4")));
    let other = run("kind: A", "kind: B");
    assert_eq!((other.unchanged, other.summary.as_deref()), (false, Some("upgraded, revision 4")));
    assert_ne!(same.token, other.token);
    // What a secret holds enters no digest.
    let secret = |value: &str| format!("---\nkind: Secret\ndata:\n  a: {value}\n---\nkind: A\n");
    assert_eq!(run(&secret("b25l"), &secret("dHdv")).token, run("", &secret("b25l")).token);
}

#[test]
fn a_release_that_is_pending_is_left_to_whoever_works_on_it() {
    let mut machine = with(|_| ());
    to_status(machine.as_mut(), "v4.2.4");
    let trouble = failed(machine.next(ended(0, &release(2, "pending-upgrade", ""))));
    assert_eq!(trouble.message, "release `web` is pending-upgrade since 2026-01-02T00:00:00Z");
    assert!(trouble.hint.unwrap().contains("`infra run t --force` takes it over"));
}

fn cut() -> Box<dyn Machine> {
    to_status_after(begun("change", 2, 2, |_| ()), |_| ())
}

/// Looks a few times whether the release is still pending.
fn look_again(machine: &mut dyn Machine, status: &str) -> Move {
    let mut made = machine.next(ended(0, &release(2, status, "")));
    while matches!(made, Move::Wait(_)) {
        step(machine, Heard::Waited, "helm status");
        made = machine.next(ended(0, &release(2, status, "")));
    }
    made
}

#[test]
fn a_release_that_our_own_cut_attempt_left_pending_is_set_free() {
    let mut machine = cut();
    assert!(
        matches!(look_again(machine.as_mut(), "pending-upgrade"), Move::Run(history) if history.name == "helm history")
    );
    let history = r#"[{"revision":1,"status":"deployed"},{"revision":2,"status":"pending-upgrade"}]"#;
    let rollback = change(machine.as_mut(), ended(0, history), "helm rollback");
    assert!(rollback.argv.starts_with(&["helm", "rollback", "web", "1"].map(str::to_owned)), "{:?}", rollback.argv);
    change(machine.as_mut(), ended(0, ""), "helm upgrade");
    ended_by(machine.as_mut(), ended(0, ""), "helm status");
    step(machine.as_mut(), ended(0, &release(4, "deployed", "x")), "helm get metadata");
    let summary = done(machine.next(ended(0, "{}"))).summary.unwrap();
    assert_eq!(summary, "upgraded, revision 4; was pending-upgrade: rolled back to revision 1 first");

    let mut machine = cut();
    look_again(machine.as_mut(), "pending-install");
    change(machine.as_mut(), ended(0, r#"[{"revision":1,"status":"pending-install"}]"#), "helm uninstall");
}

const UNREADY: &str = "Error: resource Deployment/shop/web not ready. status: InProgress\ncontext deadline exceeded\n";

#[test]
fn a_failed_upgrade_shows_what_its_pods_say() {
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    ended_by(machine.as_mut(), logged(1, UNREADY), "helm list");
    let pods = step(machine.as_mut(), ended(0, r#"[{"revision":"1","status":"failed"}]"#), "kubectl get pods");
    assert!(pods.argv.contains(&"app.kubernetes.io/instance=web".to_owned()));
    step(machine.as_mut(), ended(0, "web-1 Pending\n"), "kubectl logs");
    step(machine.as_mut(), ended(1, ""), "kubectl get events");
    let trouble = failed(machine.next(ended(0, "")));
    let unready = "resource Deployment/shop/web not ready. status: InProgress; context deadline exceeded";
    let stands = "the release is failed now, revision 1";
    assert_eq!(trouble.message, format!("`helm upgrade` exited with code 1: {unready}; {stands}"));
    assert!(trouble.incarnations.is_some());
}

#[test]
fn an_upgrade_that_began_nothing_says_what_is_still_true() {
    let said = "Error: UPGRADE FAILED: execution error at (web/templates/a.yaml:1:3): boo";
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_status(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, &release(3, "deployed", "")), "helm upgrade");
    ended_by(machine.as_mut(), logged(1, said), "helm list");
    let trouble = failed(machine.next(ended(0, r#"[{"revision":"3","status":"deployed"}]"#)));
    assert!(trouble.message.ends_with("boo; the release is as it was: deployed, revision 3"), "{}", trouble.message);
    assert_eq!(trouble.hint, None, "no pod has a word on it");
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    ended_by(machine.as_mut(), logged(1, "Error: path \"/p/charts/web\" not found"), "helm list");
    let trouble = failed(machine.next(ended(0, "[]")));
    assert!(trouble.message.ends_with("not found; no release was made"), "{}", trouble.message);
    assert!(trouble.hint.unwrap().contains("one elsewhere needs `repo`"));
}

fn on(uid: &str, job: &mut Job) {
    let (task, address) = ("t".to_owned(), "cluster lab (build/kubeconfig)".to_owned());
    job.memory.incarnations = [Incarnation { task, address, id: uid.to_owned(), generation: 0 }].into();
}

#[test]
fn another_cluster_is_refused_unless_it_is_expected() {
    let ask = |change: &dyn Fn(&mut Job)| {
        let mut machine = with(|job| {
            on("uid-1", job);
            change(job);
        });
        step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
        unclaimed(machine.as_mut(), ended(0, "uid-2"))
    };
    let refused = failed(ask(&|_| ()));
    assert_eq!(refused.kind, TroubleKind::Refused);
    assert!(refused.message.contains("kube-system is uid-2, and was uid-1"), "{}", refused.message);
    let changed = |path: &str| Reason::InputChanged { path: path.to_owned(), old: String::new(), new: String::new() };
    assert!(matches!(ask(&|job| job.memory.reasons = vec![changed("values.yml")]), Move::Fail(_)));
    // A context that somebody switched in the kubeconfig explains nothing; a declaration that leads elsewhere does.
    assert!(matches!(ask(&|job| job.memory.reasons = vec![changed("build/kubeconfig")]), Move::Fail(_)));
    let declared = Reason::ActionChanged { field: "helm.context".to_owned(), old: None, new: None };
    assert!(matches!(ask(&|job| job.memory.reasons = vec![declared.clone()]), Move::Run(_)));
    let upstream = Reason::UpstreamChanged { task: "cluster".to_owned(), run: None };
    assert!(matches!(ask(&|job| job.memory.reasons = vec![upstream.clone()]), Move::Run(_)));
}

#[test]
fn only_allowed_contexts_are_spoken_to() {
    let mut machine = with(|job| job.contexts = Some(vec!["prod".to_owned()]));
    let refused = failed(machine.next(Heard::Start));
    assert_eq!(refused.message, "context `lab` is not allowed in environment `local`");
    assert_eq!(refused.kind, TroubleKind::Refused);
    let mut machine = with(|job| job.contexts = Some(vec!["lab".to_owned()]));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
}

#[test]
fn an_undo_uninstalls_what_is_there() {
    let undo = |job: Job| Helm.undo(job).unwrap();
    let mut machine = undo(job(web()));
    step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
    let list = step(machine.as_mut(), ended(0, "uid-1"), "helm list");
    assert_eq!(list.read_after, [MARKS]);
    let Move::Approve(asked) = machine.next(ended(0, r#"[{"revision":"3"}]"#)) else { panic!("it is approved first") };
    assert_eq!(asked.destroys, ["helm release `shop/web`"]);
    let begun = mark(machine.next(Heard::Approved))["begun"].clone();
    assert_eq!((&begun["doing"], &begun["last"]), (&json!("uninstall"), &json!(3)));
    let uninstall = step(machine.as_mut(), Heard::Written, "helm uninstall");
    assert_eq!(uninstall.can_change, CanChange::Yes);
    assert_eq!(mark(machine.next(ended(0, "")))["begun"], json!(null));
    assert_eq!(done(machine.next(Heard::Written)).incarnations, Some(BTreeSet::new()));
}

#[test]
fn the_probe_of_an_uninstall_wants_it_away() {
    let answer = |action: &str, code: i32, stdout: &str, stderr: &str| {
        let mut job = job(web());
        job.table.insert("action".to_owned(), json!(action));
        let looks = Helm.looks(&job);
        looks[0].1.read(Some(code), stdout, stderr)
    };
    let gone = "Error: release: not found";
    let there = release(2, "deployed", "");
    assert_eq!(answer("uninstall", 1, "", gone), Answer::Agrees);
    assert_eq!(answer("uninstall", 0, &release(2, "uninstalled", ""), ""), Answer::Agrees);
    assert_eq!(
        answer("uninstall", 0, &there, ""),
        Answer::Disagrees("the release is there: it is deployed".to_owned())
    );
    assert!(matches!(answer("uninstall", 1, "", "Error: refused"), Answer::CannotTell(_)));
    // Twin.
    assert!(matches!(answer("upgrade", 1, "", gone), Answer::Disagrees(_)));
    assert_eq!(answer("upgrade", 0, &there, ""), Answer::Agrees);
}

#[test]
fn a_release_without_a_namespace_is_in_default() {
    let all = |namespace: Option<&str>| {
        let mut job = job(web());
        job.table.remove("namespace");
        job.table.extend(namespace.map(|name| ("namespace".to_owned(), json!(name))));
        let commands = Commands::new(&job);
        let steps =
            [commands.list(), commands.status(), commands.upgrade(Major::Four), commands.pods(), commands.events()];
        steps.map(|step| step.argv.windows(2).find(|pair| pair[0] == "--namespace").unwrap()[1].clone())
    };
    assert_eq!(all(None), ["default"; 5]);
    assert_eq!(all(Some("shop")), ["shop"; 5]);
}

#[test]
fn a_conflict_has_its_own_hint() {
    let mut machine = with(|job| drop(job.table.remove("set")));
    to_list(machine.as_mut(), "v4.2.4");
    change(machine.as_mut(), ended(0, "[]"), "helm upgrade");
    let said = "Error: UPGRADE FAILED: conflict occurred while applying object shop/web: Apply failed with 1 conflict: \
                conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas";
    ended_by(machine.as_mut(), logged(1, said), "helm list");
    let trouble = failed(machine.next(ended(0, "[]")));
    assert!(trouble.message.contains(".spec.replicas"), "{}", trouble.message);
    assert!(trouble.hint.unwrap().starts_with("somebody else set the field that it names"));
}

#[test]
fn an_undo_believes_that_a_cluster_is_gone_only_with_what_it_stood_on() {
    let silent = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?";
    let undo = |ground: Ground, heard: Heard| {
        let mut job = job(web());
        on("uid-1", &mut job);
        job.memory.ground = ground;
        let mut machine = Helm.undo(job).unwrap();
        step(machine.as_mut(), Heard::Start, "kubectl get namespace kube-system");
        machine.next(heard)
    };
    assert!(done(undo(Ground::Goes, logged(1, silent))).nothing_there);
    assert!(done(undo(Ground::Goes, ended(0, "uid-2"))).nothing_there, "nothing is taken from another cluster");
    let refused = failed(undo(Ground::Stands, logged(1, silent)));
    assert_eq!(refused.kind, TroubleKind::Failed);
    assert!(refused.message.contains("may come back"), "{}", refused.message);
    let refused = failed(undo(Ground::Stands, ended(0, "uid-2")));
    assert_eq!(refused.kind, TroubleKind::Refused);
    // One that answers, if only to refuse, is not silent.
    let refused = failed(undo(Ground::Goes, logged(1, "error: You must be logged in to the server (Unauthorized)")));
    assert!(refused.message.contains("cannot be asked"), "{}", refused.message);
}

#[test]
fn what_a_table_lacks_is_said() {
    let wrong = |json: Json| Helm.wrong(&table(json), &BTreeSet::new()).join("; ");
    assert_eq!(wrong(web()), "");
    assert_eq!(
        wrong(json!({"release": "web"})),
        "action `upgrade` needs `chart`; action `upgrade` needs `kubeconfig`: the caller's own `~/.kube/config` and \
         `KUBECONFIG` are never read"
    );
    assert_eq!(
        wrong(json!({"release": "w", "chart": "c", "action": "template"})),
        "action `template` needs `to`, the file that it writes"
    );
    let rendered = table(json!({"release": "w", "chart": "c", "action": "template", "to": "x"}));
    let secret = BTreeSet::from([Read::Secret("a".to_owned())]);
    assert!(Helm.wrong(&rendered, &secret)[0].contains("may hold no secret"));
}

#[test]
fn charts_values_and_kubeconfig_are_inputs() {
    let files = FakeFiles::new(&[("charts/web/Chart.yaml", ""), ("values.yml", "")]);
    let inferred = Helm.infer(&table(web()), &files);
    assert_eq!(inferred.folders, ["charts/web"]);
    assert_eq!(inferred.paths, ["values.yml", "build/kubeconfig"]);
    let elsewhere = table(json!({"release": "w", "chart": "web", "repo": "https://x", "kubeconfig": "/etc/k"}));
    assert_eq!(Helm.infer(&elsewhere, &files).paths, [""; 0]);
}
