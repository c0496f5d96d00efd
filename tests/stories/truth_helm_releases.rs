//! helm 3 and helm 4 against a real control plane: whose a release is, and what is remembered of it.

use crate::support::{Helm, Kube, Story, send};
use crate::truth_helm::{both, chart};
use serde_json::json;
use std::process::Stdio;

const HOOK: &str = r#"
    apiVersion: v1
    kind: ConfigMap
    metadata: { name: web-hook, namespace: "{{ .Release.Namespace }}-hook", annotations: { helm.sh/hook: pre-delete } }
"#;

/// Releases of a namespace by name and status, told by helm itself.
fn releases(story: &Story, kube: &Kube, namespace: &str) -> String {
    let config = kube.config.to_str().unwrap();
    let args = ["list", "--deployed", "--failed", "--pending", "--uninstalling", "-o", "json", "-n", namespace];
    let listed = story.program_says("helm", &[&args[..], &["--kubeconfig", config]].concat());
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    let told =
        |one: &serde_json::Value| format!("{} {}", one["name"].as_str().unwrap(), one["status"].as_str().unwrap());
    listed.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_release_that_another_helm_works_on_is_left_alone() {
    both(|story, kube| {
        story.file("chart/values.yaml", "nowhere: true\n");
        let helm = story.base().join("bin/helm");
        let (config, namespace) = (kube.config.to_str().unwrap(), kube.namespace.as_str());
        let args = ["install", "web", "chart", "-f", "values.yml", "-n", namespace, "--kubeconfig", config];
        let mut other =
            story.command_of(helm.to_str().unwrap(), &[&args[..], &["--wait", "--timeout", "120s"]].concat());
        let mut other = other.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        story.wait_for("the other helm", || releases(&story, &kube, namespace) == "web pending-install");
        story.file("chart/values.yaml", "nowhere: false\n");
        // The second time its own failure is the reason, and yet no sign that the release is its own.
        for _ in 0..2 {
            story
                .infra_to(1, "run use")
                .stderr_has("release `web` is pending-install")
                .stderr_has("another helm works on it");
        }
        story.retask("probe = { kind = true }", "retry = { max = 1, backoff = \"1s\" }").infra_to(1, "run use");
        assert_eq!(releases(&story, &kube, namespace), "web pending-install");
        assert!(other.try_wait().unwrap().is_none(), "it is still at work");
        // Twin: somebody says that nobody works on it.
        send(i32::try_from(other.id()).unwrap(), "KILL");
        other.wait().unwrap();
        story.infra("run web --force").stderr_has("was pending-install and never deployed: uninstalled first");
        assert_eq!(releases(&story, &kube, namespace), "web deployed");
    });
}

#[test]
fn a_teardown_uninstalls_every_release_of_a_task() {
    both(|story, kube| {
        let (first, second) = (kube.namespace.clone(), format!("{}-b", kube.namespace));
        story.kubectl(&kube.config, &format!("create namespace {second}"));
        story.run("web").ran(["web"]);
        let named =
            |name: &str, space: &str| format!("release = \"{name}\"\nchart = \"chart\"\nnamespace = \"{space}\"");
        story.retask(&named("web", &first), &named("two", &second)).run("web").ran(["web"]);
        // Until it is undone the former one stays, as objects that left the files do.
        assert_eq!(releases(&story, &kube, &first), "web deployed");
        assert_eq!(releases(&story, &kube, &second), "two deployed");
        // Twin: somebody's own.
        let (config, chart) = (kube.config.to_str().unwrap(), "tests/other");
        story.file("tests/other/Chart.yaml", "apiVersion: v2\nname: other\nversion: 0.1.0\n");
        story.program_says("helm", &["install", "mine", chart, "-n", &first, "--kubeconfig", config]);
        story.run("teardown").ran(["teardown"]);
        assert_eq!(releases(&story, &kube, &first), "mine deployed");
        assert_eq!(releases(&story, &kube, &second), "");
        story.run("teardown").nothing_ran();
    });
}

#[test]
fn a_release_that_names_no_namespace_goes_to_default() {
    both(|story, kube| {
        let name = format!("plain-{}", kube.namespace);
        story.file("plain/Chart.yaml", "apiVersion: v2\nname: plain\nversion: 0.1.0\n");
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \"{{ .Release.Name }}\" }\n";
        story.file("plain/templates/map.yaml", map).tasks(&format!(
            "[task.plain]\nhelm = {{ release = \"{name}\", chart = \"plain\", kubeconfig = \"../kubeconfig\" }}\n\
             [task.teardown]\nundo_of = [\"plain\"]\n"
        ));
        // The context names the story's own namespace.
        story.run("plain").ran(["plain"]);
        story.kubectl(&kube.config, &format!("get configmap {name} -n default"));
        assert_eq!(releases(&story, &kube, &kube.namespace), "");
        story.run("teardown").ran(["teardown"]);
        let left = story.kubectl(&kube.config, "get configmap -n default -o name");
        assert!(!left.contains(&name), "{left}");
    });
}

#[test]
fn the_probe_of_an_uninstall_sees_a_release_that_is_back() {
    both(|story, kube| {
        let away = format!(
            "[task.away]\nprobe = {{ kind = true }}\nhelm = {{ release = \"web\", action = \"uninstall\", namespace = \"{}\", \
             kubeconfig = \"../kubeconfig\" }}\n",
            kube.namespace
        );
        story.file("tasks/away.toml", &away).run("web").ran(["web"]);
        story.run("away").ran(["away"]).states_in("--probe", "away=fresh web=stale");
        let (config, namespace) = (kube.config.to_str().unwrap(), kube.namespace.as_str());
        let args = ["install", "web", "chart", "-f", "values.yml", "-n", namespace, "--kubeconfig", config];
        story.program_says("helm", &args);
        story.states_in("--probe", "away=stale");
        story.run("away").ran(["away"]).because("away", json!({"kind": "probe-disagrees"}));
        assert_eq!(releases(&story, &kube, namespace), "");
    });
}

#[test]
fn an_uninstall_that_failed_is_finished_by_the_next_run() {
    both(|story, kube| {
        story.file("chart/templates/hook.yaml", HOOK).run("use").ran(["web", "use"]);
        story
            .infra_to(1, "run teardown")
            .stderr_has("Hook pre-delete")
            .stderr_has("not found")
            .stderr_has("--no-hooks");
        assert_eq!(releases(&story, &kube, &kube.namespace), "web uninstalling");
        // Nobody else is blamed for it.
        story.infra_to(1, "run use").stderr_has("release `web` is uninstalling and cannot be set free");
        story.stderr_has("Hook pre-delete").stderr_has("--no-hooks");
        story.kubectl(&kube.config, &format!("create namespace {}-hook", kube.namespace));
        story.infra("run use").stderr_has("was uninstalling: uninstalled first");
        assert_eq!(releases(&story, &kube, &kube.namespace), "web deployed");
        // Twin: once its hook passes, the teardown does too.
        story
            .kubectl(&kube.config, &format!("delete configmap web-hook -n {}-hook --ignore-not-found", kube.namespace));
        story.run("teardown").ran(["teardown"]);
        assert_eq!(releases(&story, &kube, &kube.namespace), "");
    });
}

#[test]
fn an_upgrade_that_failed_names_what_stood_in_its_way() {
    let (story, kube) = chart(Helm::V4);
    story.run("web").ran(["web"]);
    // A field that somebody else set since.
    story.kubectl(&kube.config, &format!("scale deployment web -n {} --replicas 3", kube.namespace));
    story.file("values.yml", "replicas: 2\n").infra_to(1, "run web").stderr_has("conflict with \"kubectl\"");
    story.stderr_has(".spec.replicas").stderr_has("somebody else set the field that it names");
    // Twin: theirs once the chart says the same. Then what is not ready in time.
    story.file("values.yml", "replicas: 3\n").run("web").ran(["web"]);
    story.file("chart/values.yaml", "nowhere: true\n");
    story.retask("timeout = \"60s\"\nkubeconfig", "timeout = \"4s\"\nkubeconfig").infra_to(1, "run web");
    story.stderr_has(&format!(
        "`helm upgrade` exited with code 1: resource Deployment/{}/web not ready",
        kube.namespace
    ));
}
