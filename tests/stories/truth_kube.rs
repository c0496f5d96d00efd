//! kubectl and helm against a real control plane: tokens, incarnations, subjects, undo.

use crate::support::{Helm, Kube, Story};
use serde_json::{Value as Json, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

const WEB: &str = r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: web }
    spec:
      replicas: 1
      selector: { matchLabels: { app: web } }
      template:
        metadata: { labels: { app: web } }
        spec:
          containers: [{ name: web, image: "example/web:1" }]
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: { name: settings }
    data: { colour: blue }
"#;

const TASKS: &str = r#"
    [task.app]
    probe = { kind = true }
    [task.app.kubectl]
    apply = "k8s/web.yml"
    namespace = "NAMESPACE"
    kubeconfig = "../kubeconfig"
    wait = [{ for = "rollout", of = "deployment/web", within = "60s" }]
    get = { colour = { of = "configmap/settings", jsonpath = "{.data.colour}" }, replicas = { of = "deployment/web", jsonpath = "{.spec.replicas}" } }

    [task.use]
    needs = ["app"]
    shell = "echo use >> ../log"

    [task.read]
    shell = "echo {{ tasks.app.colour }} >> ../log"

    [task.beside]
    shell = "echo beside >> ../log"

    [task.teardown]
    undo_of = ["app"]
"#;

fn app() -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.tasks(&TASKS.replace("NAMESPACE", &kube.namespace)).file("k8s/web.yml", WEB);
    story.run("use read beside").ran(["app", "use", "read", "beside"]);
    (story, kube)
}

#[test]
fn an_apply_waits_and_gives_typed_values() {
    let (story, kube) = app();
    assert_eq!((story.value("app", "colour"), story.value("app", "replicas")), (json!("blue"), json!(1)));
    let ready = story.kubectl(&kube.config, "get deployment web -o jsonpath={.status.readyReplicas}");
    assert_eq!(ready, "1");
    story.run("use read beside").nothing_ran();
}

#[test]
fn an_apply_that_changes_nothing_stops_the_wave() {
    let (story, _) = app();
    story.edit("k8s/web.yml", "kind: ConfigMap", "kind: ConfigMap # a comment").run("use read beside");
    story.ran(["app"]).fresh(["use", "read", "beside"]);
    // Twin: what matters goes on, to those that need it and those that read the value.
    story.edit("k8s/web.yml", "colour: blue", "colour: red").run("use read beside");
    story.ran(["app", "use", "read"]).fresh(["beside"]);
    story.because("use", json!({"kind": "upstream-changed", "task": "app"}));
    story.because("read", json!({"kind": "value-changed"}));
}

#[test]
fn an_object_that_was_changed_by_hand_is_put_right() {
    let (story, kube) = app();
    // A field of somebody else's is no business of ours.
    story.kubectl(&kube.config, "label configmap settings team=red");
    story.run("use").nothing_ran();
    // One of ours is seen; who owns it now is told, and ours again only when that is said.
    story.kubectl(&kube.config, "scale deployment web --replicas=3");
    story.infra_to(1, "run use").stderr_has("`.spec.replicas` is owned by `kubectl`");
    story.retask("apply = ", "force_conflicts = true\n    apply = ");
    story.run("use").ran(["app", "use"]);
    assert_eq!(story.kubectl(&kube.config, "get deployment web -o jsonpath={.spec.replicas}"), "1");
    // Deleted by hand: made again, which is another object, so that what needs it runs again.
    story.kubectl(&kube.config, "delete configmap settings");
    story.run("use beside").ran(["app", "use"]).fresh(["beside"]);
    story.because("app", json!({"kind": "probe-disagrees"}));
}

#[test]
fn a_field_of_another_manager_is_a_conflict() {
    let (story, kube) = app();
    story
        .file("../ops.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { colour: green }\n");
    let ops = story.base().join("ops.yml");
    let words = format!("apply --server-side --force-conflicts --field-manager=ops -f {}", ops.display());
    story.kubectl(&kube.config, &words);
    story.edit("k8s/web.yml", "colour: blue", "colour: red").infra_to(1, "run app");
    story.stderr_has("`.data.colour` is owned by `ops`").stderr_has("force_conflicts = true");
    story.retask("apply = ", "force_conflicts = true\napply = ").run("app").ran(["app"]);
    assert_eq!(story.value("app", "colour"), json!("red"));
}

#[test]
fn a_teardown_deletes_all_that_was_ever_applied() {
    let (story, kube) = app();
    // It leaves the files, and stays on record.
    let only = WEB.split("---").next().unwrap();
    story
        .file("k8s/web.yml", only)
        .retask("colour = { of = \"configmap/settings\", jsonpath = \"{.data.colour}\" }, ", "");
    story.retask("echo {{ tasks.app.colour }}", "echo x").run("app").ran(["app"]);
    story.kubectl(&kube.config, "get configmap settings");
    story.run("teardown").ran(["teardown"]);
    let left = story.kubectl(&kube.config, "get deployment,configmap -o name");
    assert!(!left.contains("web") && !left.contains("settings"), "{left}");
    story.run("teardown").nothing_ran().states("app=stale use=stale beside=fresh");
    story.run("use").ran(["app", "use"]);
}

#[test]
fn what_never_comes_true_says_why() {
    let (story, kube) = app();
    let web = |name: &str| format!("`deployment/{name}` in `{}`", kube.namespace);
    story.edit("k8s/web.yml", "containers: [", "nodeSelector: { no: where }\n      containers: [");
    story.retask("within = \"60s\"", "within = \"3s\"").infra_to(1, "run app");
    story.stderr_has(&format!("{} did not come to `rollout` within 3s; deployment/web: ", web("web")));
    // An object that is not there is waited for, and missed by name.
    story.retask("of = \"deployment/web\", within", "of = \"deployment/nobody\", within").infra_to(1, "run app");
    story.stderr_has(&format!("{} does not exist, 3s after it was asked for", web("nobody")));
}

#[test]
fn an_object_that_appears_later_is_waited_for() {
    let (story, kube) = app();
    story.file(
        "tasks/later.toml",
        &format!(
            "[task.later]\nkubectl = {{ kubeconfig = \"../kubeconfig\", namespace = \"{}\", wait = [{{ for = \"create\", of = \"configmap/late\", within = \"30s\" }}] }}\n",
            kube.namespace
        ),
    );
    let running = story.spawn("run --json later");
    std::thread::sleep(std::time::Duration::from_secs(2));
    story.kubectl(&kube.config, "create configmap late");
    let seen = running.wait();
    assert_eq!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
}

#[test]
fn only_the_context_that_the_environment_allows_is_spoken_to() {
    let (story, _) = app();
    story.project("[env.local]\nkube_context = [\"prod\"]\n");
    story.retask("namespace = ", "context = \"lab\"\nnamespace = ").infra_to(5, "run app");
    story.stderr_has("context `lab` is not allowed in environment `local`").states("beside=fresh");
    story.project("[env.local]\nkube_context = [\"lab\"]\n").run("app").ran(["app"]);
    // With one that is allowed, and none that is named, that one is meant.
    story.retask("context = \"lab\"\n", "").run("app").nothing_ran();
    story.project("[env.local]\nkube_context = [\"lab\", \"prod\"]\n").infra_to(5, "run app");
    story.stderr_has("the task names no context");
}

#[test]
fn the_callers_own_kubeconfig_is_never_read() {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.tasks(&TASKS.replace("NAMESPACE", &kube.namespace)).file("k8s/web.yml", WEB);
    let elsewhere =
        "apiVersion: v1\nkind: Config\nclusters: [{ name: x, cluster: { server: \"https://127.0.0.1:1\" } }]\n";
    for path in ["../home/.kube/config", "../mine"] {
        story.file(path, elsewhere);
    }
    let there = || fs::read_dir(story.path("../home/.kube")).unwrap().count();
    let count = there();
    story.env("KUBECONFIG", story.path("../mine").to_str().unwrap()).env("HELM_KUBECONTEXT", "x");
    // Read once after it was written, a file's access time is that of the reading.
    let read = |path: &str| fs::metadata(story.path(path)).map(|meta| (meta.atime(), meta.atime_nsec())).unwrap();
    let before = ["../home/.kube/config", "../mine"].map(read);
    story.run("app").ran(["app"]);
    story.retask("kubeconfig = \"../kubeconfig\"", "").infra_to(2, "run app").stderr_has("are never read");
    assert_eq!(["../home/.kube/config", "../mine"].map(read), before);
    assert_eq!(there(), count, "no cache is left there");
}

#[test]
fn a_rendered_kustomization_asks_no_cluster() {
    let story = Story::with(
        "[task.render]\nkubectl = { render = \"k8s/dev\", to = \"build/app.yml\" }\n[task.beside]\nshell = \"true\"\n",
    );
    story.kube(Helm::V4);
    story.file("k8s/base/kustomization.yaml", "resources: [web.yml]\n").file("k8s/base/web.yml", WEB);
    story.file("k8s/dev/kustomization.yaml", "resources: [../base]\nnamePrefix: dev-\n");
    story.run("*").ran(["render", "beside"]);
    assert!(story.read("build/app.yml").contains("name: dev-web"));
    story.run("*").nothing_ran();
    story.edit("k8s/base/web.yml", "colour: blue", "colour: red").run("*").ran(["render"]).fresh(["beside"]);
    story.remove("build/app.yml").run("*").restored(["render"]).ran([]);
}

#[test]
fn a_cluster_that_was_made_anew_is_refused_until_it_is_expected() {
    let story = Story::new();
    let config = story.own_kube(Helm::V4);
    fs::copy(&config, story.path("../kubeconfig")).unwrap();
    story.tasks(&TASKS.replace("namespace = \"NAMESPACE\"", "namespace = \"default\"")).file("k8s/web.yml", WEB);
    story.kubectl(&config, "wait --for=create serviceaccount/default --timeout=60s");
    story.run("use beside").ran(["app", "use", "beside"]);
    story.lab("down --wipe");
    story.lab(&format!("up --while {}", std::process::id()));
    story.kubectl(&config, "wait --for=create serviceaccount/default --timeout=60s");
    // The probe sees that the objects are gone; the guard, that the cluster is another one.
    story.infra_to(5, "run use").stderr_has("this is another cluster than environment `local` had so far");
    story.stderr_has("`infra resolve app -e local --accept-state` says so");
    let left = story.kubectl(&config, "get deployment -o name");
    assert_eq!(left, "", "nothing was changed");
    story.infra("resolve app --accept-state --reason rebuilt");
    story.run("use beside").ran(["app", "use"]).fresh(["beside"]);
    story.run("use beside").nothing_ran();
    story.lab("down --remove");
}

#[test]
fn what_must_not_be_there_is_deleted() {
    let (story, kube) = app();
    story.file(
        "tasks/gone.toml",
        &format!(
            "[task.gone]\nkubectl = {{ delete = \"k8s/old.yml\", kubeconfig = \"../kubeconfig\", namespace = \"{}\" }}\n",
            kube.namespace
        ),
    );
    let old = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: old }\n";
    story.file("k8s/old.yml", old).kubectl(&kube.config, "create configmap old");
    story.run("gone").ran(["gone"]);
    assert!(!story.kubectl(&kube.config, "get configmap -o name").contains("configmap/old"));
    // What is not there any more is no mistake.
    story.run("gone").nothing_ran();
    story.run("gone --force").ran(["gone"]);
}

#[test]
fn one_release_of_two_environments_is_refused() {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.project("[env.local]\n[env.dev]\n").file("k8s/web.yml", WEB);
    story.tasks(&TASKS.replace("NAMESPACE", &kube.namespace));
    story.run("app beside").ran(["app", "beside"]);
    story
        .infra_to(5, "run app -e dev")
        .stderr_has("`app` in environment `local` has on record as its own: the objects of `k8s/web.yml`");
    story.states("app=fresh beside=fresh");
    // Handed over, they are dev's, and local's record of them is no longer true.
    story.infra("resolve app -e dev --accept-state").run("app -e dev").ran(["app"]);
    story.states("app=stale beside=fresh").status_reason("app", json!({"kind": "superseded-by"}));
}

/// A story with a cluster of its own, where `app` was applied; `machine` is what the cluster stands on.
fn app_on_a_machine() -> (Story, PathBuf) {
    let story = Story::new();
    let config = story.own_kube(Helm::V4);
    fs::copy(&config, story.path("../kubeconfig")).unwrap();
    let tasks = TASKS.replace("namespace = \"NAMESPACE\"", "namespace = \"default\"");
    let tasks = tasks.replace("[task.app]\n", "[task.app]\nneeds = [\"machine\"]\n");
    story.tasks(&format!(
        "{tasks}\n{}",
        r#"
        [task.machine]
        shell = "echo machine >> ../log"
        undo = ["sh", "-c", "echo machine down >> ../log"]
        [task.all]
        undo_of = ["app", "machine"]
        "#
    ));
    story.file("k8s/web.yml", WEB).kubectl(&config, "wait --for=create serviceaccount/default --timeout=60s");
    story.run("app").ran(["machine", "app"]);
    (story, config)
}

#[test]
fn an_undo_does_not_take_a_silent_cluster_for_gone() {
    let (story, config) = app_on_a_machine();
    story.lab("down");
    story.infra_to(1, "run teardown").stderr_has("the undo of `app`: its cluster does not answer, and may come back");
    story.stderr_has("was refused").stderr_has("`infra resolve app -e local --undone`").states("app=fresh");
    // It was only down: nothing was forgotten meanwhile.
    story.lab(&format!("up --while {}", std::process::id()));
    story.run("teardown").ran(["teardown"]).states("app=stale machine=fresh");
    assert_eq!(story.kubectl(&config, "get deployment -o name"), "");
    story.run("teardown").nothing_ran();
    story.lab("down --remove");
}

#[test]
fn a_cluster_that_goes_with_what_it_stood_on_holds_up_no_undo() {
    let (story, _) = app_on_a_machine();
    story.lab("down --remove");
    story.run("all").ran(["all"]).says("app: gone with its cluster: ").says("was refused");
    story.says("undid machine; nothing to undo of app").run("all").nothing_ran().states("app=stale machine=stale");
}

#[test]
pub fn what_is_gone_for_good_is_said_by_a_person() {
    let (story, _) = app_on_a_machine();
    story.lab("down --remove");
    story.infra_to(1, "destroy app --yes").stderr_has("`infra resolve app -e local --undone`").states("app=fresh");
    story.infra("resolve app --undone --reason scrapped").stderr_has("`app`: nothing of it is left to undo");
    story.run("teardown").nothing_ran().states("app=stale machine=fresh");
    story.status_reason("app", json!({"kind": "undone-by", "task": "infra resolve"}));
    story.infra("history app").stdout_has("gone: scrapped");
    story.infra_to(2, "resolve app --undone").stderr_has("nothing of `app` is on record in `local`");
    // A task that is no longer declared, too; and only what is on record.
    story.tasks("[task.beside]\nshell = \"true\"\n");
    story.infra_to(2, "resolve machin --undone").stderr_has("did you mean `machine`?");
    story.infra("resolve machine --undone").infra("destroy --orphans --yes").stderr_has("nothing on record to undo");
}

#[test]
fn an_undo_leaves_another_cluster_alone() {
    let (story, config) = app_on_a_machine();
    story.lab("down --wipe");
    story.lab(&format!("up --while {}", std::process::id()));
    story.kubectl(&config, "create configmap settings");
    story
        .infra_to(5, "run teardown")
        .stderr_has("this is another cluster")
        .stderr_has("`infra resolve app -e local --undone`");
    story.states("app=fresh").kubectl(&config, "get configmap settings");
    // What it stood on is undone too: then the other one is none of our business.
    story.run("all").ran(["all"]).says("app: gone with the cluster that it was in; this is another one");
    story.kubectl(&config, "get configmap settings");
    story.lab("down --remove");
}

/// Two control planes, each its own cluster, and one of them by two names.
fn two_clusters() -> (Story, PathBuf, PathBuf) {
    let story = Story::new();
    let one = story.own_kube(Helm::V4);
    let two = story.kube(Helm::V4).config;
    story.kubectl(&one, "wait --for=create serviceaccount/default --timeout=60s");
    (story, one, two)
}

const ENVIRONMENTS: &str = "[env.dev]\nvars = { config = \"../dev\" }\n[env.prod]\nvars = { config = \"../prod\" }\n";

const BY_ENVIRONMENT: &str = r#"
    [task.app]
    kubectl = { apply = "k8s/web.yml", namespace = "default", kubeconfig = "{{ vars.config }}" }
"#;

#[test]
fn an_owner_is_known_by_the_cluster_and_not_by_the_way_to_it() {
    let (story, one, two) = two_clusters();
    story.project(ENVIRONMENTS).tasks(BY_ENVIRONMENT).file("k8s/web.yml", WEB);
    // Two kubeconfigs that lead to one cluster.
    for name in ["../dev", "../prod"] {
        fs::copy(&one, story.path(name)).unwrap();
    }
    story.run("app -e dev").ran(["app"]);
    story.infra_to(5, "run app -e prod").stderr_has("`app` in environment `dev` has on record as its own: the objects");
    story.infra("resolve app -e prod --accept-state").run("app -e prod").ran(["app"]);
    story.states_in("-e dev", "app=stale").infra("why app -e dev").stdout_has("superseded by app in prod");
    // What was handed over is not dev's to delete.
    story.infra("destroy -e dev --yes").says("it was handed over to `app` in environment `prod`");
    story.kubectl(&one, "get configmap settings");
    story.run("app -e prod").nothing_ran().infra("destroy -e prod --yes");
    // Twin: one kubeconfig by name, and two clusters.
    fs::copy(&two, story.path("../prod")).unwrap();
    story.run("app -e dev").ran(["app"]).run("app -e prod").ran(["app"]);
    story.run("app -e dev").nothing_ran().run("app -e prod").nothing_ran();
    story.lab("down --remove");
}

#[test]
fn a_kubeconfig_that_leads_elsewhere_is_refused() {
    let (story, one, two) = two_clusters();
    story.project("[vars]\nconfig = \"kubeconfig\"\n").tasks(BY_ENVIRONMENT).file("k8s/web.yml", WEB);
    fs::copy(&one, story.path("kubeconfig")).unwrap();
    story.run("app").ran(["app"]);
    // Somebody switched its context, or copied another one there.
    fs::copy(&two, story.path("kubeconfig")).unwrap();
    story.infra_to(5, "run app").stderr_has("this is another cluster than environment `local` had so far");
    // Another file is another way, which somebody wrote down.
    fs::copy(&one, story.path("kubeconfig")).unwrap();
    fs::copy(&two, story.path("second")).unwrap();
    story.run("app").nothing_ran();
    story.file(
        "tasks/second.toml",
        "[task.second]\nkubectl = { apply = \"k8s/web.yml\", namespace = \"default\", kubeconfig = \"second\" }\n",
    );
    story.run("app second").ran(["second"]).run("app second").nothing_ran();
    story.lab("down --remove");
}

#[test]
fn an_edge_that_is_taken_away_is_no_cluster_that_is_gone() {
    let (story, _) = app();
    let chain = "[task.mid]\nneeds = [\"app\"]\nshell = \"true\"\n[task.end]\nneeds = [\"mid\"]\nshell = \"true\"\n";
    story.file("tasks/chain.toml", chain).run("end").ran(["mid", "end"]);
    story.edit("tasks/chain.toml", "needs = [\"app\"]\n", "").run("end").ran(["mid", "end"]);
    story.not_because("end", "incarnation").run("end").nothing_ran();
}

#[test]
fn a_probe_that_can_not_ask_says_so() {
    let (story, _) = app_on_a_machine();
    story.infra("status app --probe").stdout_has("probe agrees, just now");
    story.lab("down --remove");
    story.infra("status app --probe").stdout_has("probe can't tell").stdout_has("was refused");
    assert_eq!(story.infra("status app --probe --json").last().json()["tasks"][0]["probe"]["agrees"], Json::Null);
    story.states("app=fresh");
}

#[test]
fn an_account_that_may_not_ask_is_told_what_it_needs() {
    let (story, kube) = app();
    let (config, namespace) = (&kube.config, &kube.namespace);
    story.kubectl(config, "create serviceaccount few");
    story.kubectl(config, &format!("create rolebinding few --clusterrole=edit --serviceaccount={namespace}:few"));
    let token = story.kubectl(config, "create token few");
    story.kubectl(config, &format!("config set-credentials lab --token={token} --client-certificate= --client-key="));
    let text = fs::read_to_string(config).unwrap();
    let without = |line: &&str| !line.contains("client-certificate") && !line.contains("client-key");
    fs::write(config, text.lines().filter(without).collect::<Vec<_>>().join("\n")).unwrap();
    story.edit("k8s/web.yml", "blue", "red");
    story.infra_to(1, "run app").stderr_has("forbidden").stderr_has("needs `get` on namespace `kube-system`");
    story.states("app=failed use=deferred");
}
