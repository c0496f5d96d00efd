//! helm 3 and helm 4 against a real control plane: no-op upgrades, releases that are gone, stuck or failed.

use crate::support::{Helm, Kube, Story, send};
use serde_json::json;

const TASKS: &str = r#"
    [task.web]
    probe = { kind = true }
    [task.web.helm]
    release = "web"
    chart = "chart"
    namespace = "NAMESPACE"
    values = ["values.yml"]
    timeout = "60s"
    kubeconfig = "../kubeconfig"

    [task.use]
    needs = ["web"]
    shell = "echo use >> ../log"

    [task.test]
    needs = ["web"]
    ttl = "1h"
    helm = { release = "web", action = "test", namespace = "NAMESPACE", timeout = "60s", kubeconfig = "../kubeconfig" }

    [task.teardown]
    undo_of = ["web"]
"#;

const DEPLOYMENT: &str = r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: web, labels: { app.kubernetes.io/instance: "{{ .Release.Name }}" } }
    spec:
      replicas: {{ .Values.replicas }}
      selector: { matchLabels: { app: web } }
      template:
        metadata: { labels: { app: web, app.kubernetes.io/instance: "{{ .Release.Name }}" } }
        spec:
          {{- if .Values.nowhere }}
          nodeSelector: { no: where }
          {{- end }}
          containers: [{ name: web, image: "example/web:1" }]
"#;

const SMOKE: &str = r#"
    apiVersion: v1
    kind: Pod
    metadata: { name: web-smoke, annotations: { helm.sh/hook: test } }
    spec:
      restartPolicy: Never
      containers: [{ name: smoke, image: "example/web:1" }]
"#;

fn chart(helm: Helm) -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(helm);
    story.tasks(&TASKS.replace("NAMESPACE", &kube.namespace)).file("values.yml", "replicas: 1\n");
    story.file("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"1.16\"\n");
    story.file("chart/values.yaml", "nowhere: false\n");
    story.file("chart/templates/deployment.yaml", DEPLOYMENT).file("chart/templates/smoke.yaml", SMOKE);
    (story, kube)
}

fn both(tell: impl Fn(Story, Kube)) {
    for helm in [Helm::V3, Helm::V4] {
        let (story, kube) = chart(helm);
        tell(story, kube);
    }
}

#[test]
fn an_upgrade_that_changes_nothing_stops_the_wave() {
    both(|story, _| {
        story.run("use test").ran(["web", "use", "test"]);
        assert_eq!(story.value("web", "app_version"), json!("1.16"));
        assert_eq!(story.value("web", "revision"), json!(1));
        story.run("use test").nothing_ran();
        story.file("values.yml", "replicas: 1 # one\n").run("use test").ran(["web"]).fresh(["use", "test"]);
        assert_eq!(story.value("web", "revision"), json!(2), "helm makes a revision of everything");
        // Twin.
        story.file("values.yml", "replicas: 2\n").run("use test").ran(["web", "use", "test"]);
        story.because("use", json!({"kind": "upstream-changed", "task": "web"}));
    });
}

#[test]
fn a_release_that_was_uninstalled_by_hand_is_installed_again() {
    both(|story, kube| {
        story.run("use").ran(["web", "use"]);
        let config = kube.config.to_str().unwrap();
        story.program_says("helm", &["uninstall", "web", "--kubeconfig", config, "-n", &kube.namespace]);
        story.states_in("--probe", "web=stale use=deferred");
        // The same manifest; but another release, so that what needs it runs again.
        story.run("use").ran(["web", "use"]).because("web", json!({"kind": "probe-disagrees"}));
        story.run("use").nothing_ran();
    });
}

#[test]
fn a_teardown_uninstalls_and_can_be_repeated() {
    both(|story, kube| {
        story.run("use").ran(["web", "use"]);
        story.run("teardown").ran(["teardown"]);
        assert_eq!(story.kubectl(&kube.config, "get deployment -o name"), "");
        story.run("teardown").nothing_ran();
        // In a fresh clone nobody knows of the release; helm does.
        story.run("use").ran(["web", "use"]);
        story.remove(".infra").run("teardown").ran(["teardown"]);
        assert_eq!(story.kubectl(&kube.config, "get deployment -o name"), "");
    });
}

#[test]
fn a_failed_upgrade_shows_the_last_words_of_its_pods() {
    both(|story, _| {
        story
            .file("chart/values.yaml", "nowhere: true\n")
            .retask("timeout = \"60s\"\nkubeconfig", "timeout = \"4s\"\nkubeconfig");
        story
            .infra_to(1, "run use")
            .stderr_has("`helm upgrade` exited with code 1")
            .stderr_has("Pending")
            .stderr_has("  command: helm upgrade web ");
        story.stderr_has("FailedScheduling").states("web=failed use=stale");
        story.file("chart/values.yaml", "nowhere: false\n").run("use").ran(["web", "use"]);
    });
}

#[test]
fn a_release_that_a_cut_run_left_pending_is_set_free() {
    both(|story, kube| {
        story.file("chart/values.yaml", "nowhere: true\n");
        let running = story.spawn("run --json web");
        let config = kube.config.to_str().unwrap().to_owned();
        let status = || {
            let args = ["list", "--pending", "-q", "--kubeconfig", &config, "-n", &kube.namespace];
            story.program_says("helm", &args)
        };
        story.wait_for("a pending release", || status() == "web");
        running.signal("KILL");
        for pid in story.processes() {
            send(pid, "KILL");
        }
        assert_eq!(running.wait().signal, Some(9));
        story.file("chart/values.yaml", "nowhere: false\n").infra("run use");
        story.stderr_has("was pending-install and never deployed: uninstalled first");
        story.run("use").nothing_ran();
    });
}

#[test]
fn charts_are_rendered_and_linted_without_a_cluster() {
    both(|story, _| {
        story.file(
            "tasks/pure.toml",
            r#"
            [task.render]
            helm = { release = "web", chart = "chart", values = ["values.yml"], action = "template", to = "build/web.yml" }
            [task.lint]
            helm = { release = "web", chart = "chart", values = ["values.yml"], action = "lint" }
            "#,
        );
        story.run("render lint").ran(["render", "lint"]);
        assert!(story.read("build/web.yml").contains("replicas: 1"));
        story.run("render lint").nothing_ran();
        story.remove("build/web.yml").run("render lint").restored(["render"]).ran([]);
        story
            .edit("chart/templates/deployment.yaml", "{{- end }}", "")
            .infra_to(1, "run lint")
            .stderr_has("`helm lint`");
    });
}

#[test]
fn a_secret_in_values_shows_nowhere() {
    both(|story, kube| {
        story.project("[secrets]\npassword = { env = \"PASSWORD\" }\n").env("PASSWORD", "canary-4711");
        story.retask("values = [", "set = { password = \"{{ secrets.password }}\" }\nvalues = [");
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: web }\nstringData: { password: \"{{ .Values.password }}\" }\n";
        story.file("chart/templates/secret.yaml", secret).run("web -v").ran(["web"]);
        story.nowhere("canary-4711");
        let found = story.kubectl(&kube.config, "get secret web -o jsonpath={.data.password}");
        assert_eq!(found, "Y2FuYXJ5LTQ3MTE=");
    });
}
