//! kubectl against a real control plane: what it waits for, what it says of files and objects, what it asks before.

use crate::support::{Helm, Kube, Story};
use serde_json::json;
use std::time::Duration;

/// A task `app` that applies a folder.
fn folder(more: &str) -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    let tasks = r#"
        [task.app]
        [task.app.kubectl]
        apply = "k8s"
        namespace = "NAMESPACE"
        kubeconfig = "../kubeconfig"
    "#;
    story.tasks(&format!("{tasks}{more}").replace("NAMESPACE", &kube.namespace));
    (story, kube)
}

/// A task that only waits.
fn waits(wait: &str) -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.tasks(&format!(
        "[task.wait.kubectl]\nwait = [{{ {wait} }}]\nnamespace = \"{}\"\nkubeconfig = \"../kubeconfig\"\n",
        kube.namespace
    ));
    (story, kube)
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ colour: blue }}\n")
}

#[test]
fn what_left_the_files_is_told() {
    let (story, kube) = folder("");
    story.file("k8s/a.yml", &map("a")).file("k8s/b.yml", &map("b")).run("app").ran(["app"]);
    story.remove("k8s/b.yml").infra("run app");
    story.stderr_has("1 object; not deleted, though no longer in the files: configmap/b");
    story.kubectl(&kube.config, "get configmap b");
    // Twin: nothing is left after an undo.
    story.infra("destroy app --yes").file("k8s/a.yml", &map("a").replace("blue", "red")).infra("run app");
    assert!(!story.last().stderr.contains("not deleted"), "{}", story.last().stderr);
}

#[test]
fn a_pattern_of_files_is_followed() {
    let (story, kube) = folder("");
    story.retask("apply = \"k8s\"", "apply = \"k8s/*.yml\"").file("k8s/a.yml", &map("a")).file("k8s/a.txt", "x");
    story.run("app").ran(["app"]).run("app").nothing_ran();
    story.edit("k8s/a.yml", "blue", "red").run("app").ran(["app"]);
    story.file("k8s/b.yml", &map("b")).run("app").ran(["app"]);
    story.kubectl(&kube.config, "get configmap b");
    story.file("k8s/a.txt", "y").run("app").nothing_ran();
}

#[test]
fn a_namespace_comes_before_what_is_in_it() {
    let (story, kube) = folder("");
    let space = format!("{}-new", kube.namespace);
    let inside = |name: &str| map(name).replace(" }\ndata", &format!(", namespace: {space} }}\ndata"));
    story.retask(&format!("namespace = \"{}\"\n", kube.namespace), "");
    // By its name the object comes first. The third is refused when the namespace is made already.
    story.file("k8s/a.yml", &inside("a")).file("k8s/c.yml", &inside("BAD"));
    story.file("k8s/b.yml", &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {space} }}\n"));
    story.infra_to(1, "run app").stderr_has("\"BAD\" is invalid");
    story.kubectl(&kube.config, &format!("get namespace {space}"));
    // The manifest says nothing of it but its name, and it is the task's all the same.
    story.infra("destroy app --yes").says("2 deleted");
    assert_eq!(story.kubectl(&kube.config, &format!("get namespace {space} --ignore-not-found")), "");
    story.remove("k8s/c.yml").run("app").ran(["app"]).kubectl(&kube.config, &format!("get configmap a -n {space}"));
    story.infra("destroy app --yes");
}

#[test]
fn an_object_that_names_no_namespace_goes_to_default() {
    let (story, kube) = folder("");
    // The kubeconfig's context names another one, which somebody may have switched there.
    story.retask(&format!("namespace = \"{}\"\n", kube.namespace), "");
    let name = format!("of-{}", kube.namespace);
    story.file("k8s/a.yml", &map(&name)).run("app").ran(["app"]);
    story.kubectl(&kube.config, &format!("get configmap {name} -n default"));
    assert_eq!(story.kubectl(&kube.config, &format!("get configmap {name} --ignore-not-found")), "");
    story.infra("destroy app --yes");
    assert_eq!(story.kubectl(&kube.config, &format!("get configmap {name} -n default --ignore-not-found")), "");
}

#[test]
fn a_value_is_typed_as_it_is_declared() {
    let (story, _) = folder("");
    let get = "get = { names = { of = \"nodes\", jsonpath = \"{.items[*].metadata.name}\" }, none = { of = \"nodes\", jsonpath = \"{.items[?(@.x)]}\" } }";
    story.retask("[task.app]\n", "[task.app]\nexports = { names = \"list<string>\", none = \"list<json>\" }\n");
    story.retask("apply = ", &format!("{get}\napply = ")).file("k8s/a.yml", &map("a")).run("app").ran(["app"]);
    // There is one node, and no other.
    assert_eq!((story.value("app", "names"), story.value("app", "none")), (json!(["node-1"]), json!([])));
    story.retask("{.items[*].metadata.name}", ".items[*].metadata.name").infra_to(2, "check");
    story.stderr_has("value `names` of `get`: a jsonpath stands in braces");
}

#[test]
fn mistakes_of_manifests_are_told_before_anything_is_made() {
    let (story, kube) = folder("");
    story.file("k8s/a.yml", &map("a"));
    story.file("k8s/b.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n");
    story.infra_to(1, "run app").stderr_has("in `k8s`: a ConfigMap has no `metadata.name`");
    story.file("k8s/b.yml", &map("a")).infra_to(1, "run app").stderr_has("configmap/a stands twice");
    story.file("k8s/b.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n data: [\n");
    story.infra_to(1, "run app").stderr_has("k8s/b.yml").stderr_has("yaml: line ");
    assert_eq!(story.kubectl(&kube.config, "get configmap a --ignore-not-found"), "");
    // What is wrong, and not the advice that kubectl has.
    story.file("k8s/b.yml", "apiVersion: x.io/v1\nkind: Foo\nmetadata: { name: b }\n").infra_to(1, "run app");
    story.stderr_has("exited with code 1: resource mapping not found").stderr_has("no matches for kind \"Foo\"");
    // Of one object all that is wrong; and what can never be changed has its own hint.
    story.file(
        "k8s/b.yml",
        &WEB.replace("spec:\n      selector", "spec:\n      replicas: -1\n      selector").replace("example/web:1", ""),
    );
    story
        .infra_to(1, "run app")
        .stderr_has("is invalid: spec.replicas: Invalid value: -1")
        .stderr_has("image: Required value");
    story.file("k8s/b.yml", WEB).run("app").ran(["app"]).file("k8s/b.yml", &WEB.replace("app: web", "app: webs"));
    story.infra_to(1, "run app").stderr_has("field is immutable").stderr_has("it can only be made anew");
    story.retask("apply = \"k8s\"", "apply = \"https://example.com/a.yml\"").infra_to(2, "check");
    story.stderr_has("names an address");
}

#[test]
fn a_kind_that_comes_later_is_waited_for() {
    let (story, kube) = waits("for = \"create\", of = \"cups.GROUP/one\", within = \"60s\"");
    let group = format!("{}.example.com", kube.namespace);
    story.retask("GROUP", &group);
    let running = story.spawn("run wait");
    std::thread::sleep(Duration::from_secs(2));
    let kind = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: cups.{group} }}\nspec:\n  \
         group: {group}\n  scope: Namespaced\n  names: {{ plural: cups, singular: cup, kind: Cup }}\n  versions: [{{ name: \
         v1, served: true, storage: true, schema: {{ openAPIV3Schema: {{ type: object }} }} }}]\n"
    );
    story
        .file("kind.yml", &kind)
        .file("one.yml", &format!("apiVersion: {group}/v1\nkind: Cup\nmetadata: {{ name: one }}\n"));
    let apply = |file: &str| story.kubectl(&kube.config, &format!("apply -f {}", story.path(file).display()));
    apply("kind.yml");
    story.kubectl(&kube.config, &format!("wait --for=condition=Established customresourcedefinition/cups.{group}"));
    apply("one.yml");
    let seen = running.wait();
    assert_eq!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
    story.kubectl(&kube.config, &format!("delete customresourcedefinition cups.{group}"));
}

const WEB: &str = r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: web }
    spec:
      selector: { matchLabels: { app: web } }
      template:
        metadata: { labels: { app: web } }
        spec:
          nodeSelector: { no: where }
          containers: [{ name: web, image: "example/web:1" }]
"#;

#[test]
fn pods_that_are_replaced_meanwhile_are_waited_for() {
    let (story, kube) = waits("for = \"condition=Ready\", of = \"pods\", selector = \"app=web\", within = \"60s\"");
    let apply = || story.kubectl(&kube.config, &format!("apply -f {}", story.path("web.yml").display()));
    story.file("web.yml", WEB);
    apply();
    let running = story.spawn("run wait");
    std::thread::sleep(Duration::from_secs(2));
    // The pod that is waited for goes, and another one becomes ready.
    story.edit("web.yml", "nodeSelector: { no: where }\n", "");
    apply();
    let seen = running.wait();
    assert_eq!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
}

#[test]
fn what_is_there_instead_is_told() {
    let (story, kube) = waits("for = \"jsonpath={.data.colour}=red\", of = \"configmap/a\", within = \"2s\"");
    story
        .infra_to(1, "run wait")
        .stderr_has(&format!("`configmap/a` in `{}` does not exist, 2s after", kube.namespace));
    story.kubectl(&kube.config, "create configmap a --from-literal=colour=blue");
    story.infra_to(1, "run wait").stderr_has("did not come to `jsonpath={.data.colour}=red` within 2s;");
    story.stderr_has("configmap/a has `blue` at `{.data.colour}`").stderr_has("  command: kubectl wait ");
    story.retask("jsonpath={.data.colour}=red", "delete").infra_to(1, "run wait");
    story.stderr_has("did not come to `delete` within 2s; still there: configmap/a");
    // kubectl's own flags know no days.
    story.retask("delete", "jsonpath={.data.colour}=blue").retask("2s", "1d").run("wait").ran(["wait"]);
}

#[test]
fn a_kubeconfig_that_leads_nowhere_is_named() {
    let (story, _) = folder("");
    story.file("k8s/a.yml", &map("a")).retask("../kubeconfig", "build/kubeconfig");
    story.infra_to(1, "run app").stderr_has("the kubeconfig `build/kubeconfig` is not there");
    // What leads a pod to its cluster leads nobody anywhere.
    story.env("KUBERNETES_MASTER", "http://127.0.0.1:1").file("build/kubeconfig", "");
    story.retask("[task.app]\n", "[task.app]\npass_env = [\"KUBERNETES_MASTER\"]\n");
    story.infra_to(1, "run app").stderr_has("localhost:8080").stderr_has("`build/kubeconfig` may be empty");
}

#[test]
fn who_must_agree_is_asked_in_words_of_objects() {
    let (story, kube) = folder(
        "\n[task.gone]\nkubectl = { delete = \"old\", namespace = \"NAMESPACE\", kubeconfig = \"../kubeconfig\" }\n[task.teardown]\nundo_of = \"app\"\n",
    );
    story.project("[env.local]\napprove = \"on-change\"\n").file("k8s/a.yml", &map("a")).file("old/b.yml", &map("b"));
    story
        .infra_to(5, "run app")
        .stderr_has("before `app` changes it (applies configmap/a to cluster (../kubeconfig)), and nobody");
    assert_eq!(story.kubectl(&kube.config, "get configmap a --ignore-not-found"), "");
    // What only makes and changes needs nobody; what deletes does.
    story.project("[env.local]\napprove = \"on-destroy\"\n").run("app").ran(["app"]);
    story.run("gone").ran(["gone"]).kubectl(&kube.config, "create configmap b");
    story.infra_to(5, "run gone --force").stderr_has("(deletes configmap/b from cluster ");
    story.infra_to(5, "run teardown").stderr_has("takes back app");
    story.kubectl(&kube.config, "get configmap a b");
    story.run("teardown gone --force --yes").ran(["teardown", "gone"]);
    assert_eq!(story.kubectl(&kube.config, "get configmap a b --ignore-not-found"), "");
}
