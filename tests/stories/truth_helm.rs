//! helm 3 and helm 4 against a real control plane: no-op upgrades, releases that are gone, stuck or failed.

use crate::support::{Helm, Kube, Story, send};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// A chart with a deployment, and tasks that install and use it.
pub fn chart(helm: Helm) -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(helm);
    story.tasks(&TASKS.replace("NAMESPACE", &kube.namespace)).file("values.yml", "replicas: 1\n");
    story.file("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"1.16\"\n");
    story.file("chart/values.yaml", "nowhere: false\n");
    story.file("chart/templates/deployment.yaml", DEPLOYMENT).file("chart/templates/smoke.yaml", SMOKE);
    (story, kube)
}

/// Tells it of helm 3 and of helm 4, each with a chart and a namespace of its own.
pub fn both(tell: impl Fn(Story, Kube)) {
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

/// Serves files of a folder on loopback until it is dropped; gives the address.
struct Served {
    address: String,
    end: Arc<AtomicBool>,
}

impl Served {
    fn from(folder: PathBuf) -> Self {
        Self::at("127.0.0.1:0", folder)
    }

    /// Where it was before.
    fn again(url: &str, folder: PathBuf) -> Self {
        Self::at(url.trim_start_matches("http://"), folder)
    }

    fn at(address: &str, folder: PathBuf) -> Self {
        // Who served there before may not have seen its end yet.
        let bind = || TcpListener::bind(address).ok();
        let listener = (0..500).find_map(|_| {
            bind().or_else(|| {
                std::thread::sleep(Duration::from_millis(10));
                None
            })
        });
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let end = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&end);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let mut line = String::new();
                let mut reader = BufReader::new(&stream);
                reader.read_line(&mut line).unwrap();
                let mut rest = String::new();
                while reader.read_line(&mut rest).unwrap() > 2 {
                    rest.clear();
                }
                let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
                let (status, body) = match fs::read(folder.join(path)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Self { address, end }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
    }
}

#[test]
fn dependencies_of_a_chart_are_fetched_by_its_lock() {
    for helm in [Helm::V3, Helm::V4] {
        let story = Story::new();
        story.kube_programs(helm);
        let part = |name: &str, text: &str| {
            story.file(&format!("{name}/Chart.yaml"), &format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n"));
            story.file(
                &format!("{name}/templates/_x.tpl"),
                &format!("{{{{- define \"{name}.x\" -}}}}{text}{{{{- end -}}}}"),
            );
        };
        part("common", "near");
        part("far", "far");
        let repo = story.path("../repo");
        fs::create_dir_all(&repo).unwrap();
        let served = Served::from(repo.clone());
        let url = format!("http://{}", served.address);
        story.program_says("helm", &["package", "far", "-d", "../repo"]);
        story.remove("far").program_says("helm", &["repo", "index", "../repo", "--url", &url]);
        story.file(
            "web/Chart.yaml",
            &format!(
                "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- {{ name: common, version: 0.1.0, repository: \
                 \"file://../common\" }}\n- {{ name: far, version: 0.1.0, repository: \"{url}\" }}\n"
            ),
        );
        story.file("web/templates/a.yaml", "a: {{ include \"common.x\" . }} {{ include \"far.x\" . }}\n");
        let render = r#"
            [task.render]
            helm = { release = "web", chart = "web", action = "template", to = "build/web.yml" }
            "#;
        story
            .tasks(render)
            .infra_to(1, "run render")
            .stderr_has("missing in charts/")
            .stderr_has("action = \"dependencies\"");
        story.tasks(&format!("{render}\n[task.parts]\nhelm = {{ chart = \"web\", action = \"dependencies\" }}\n"));
        story
            .infra_to(1, "run parts")
            .stderr_has("`web` has no `Chart.lock`")
            .stderr_has("`helm dependency update web`");
        story.program_says("helm", &["dependency", "update", "web"]);
        story.remove("web/charts").run("render").ran(["parts", "render"]).run("render").nothing_ran();
        assert!(story.read("build/web.yml").contains("a: near far"), "{}", story.read("build/web.yml"));
        // Without the repository: what was fetched is kept.
        drop(served);
        story.remove("web/charts").run("render").restored(["parts"]).ran([]);
        // Twin: the chart alone, and then one of its parts.
        story.file("web/values.yaml", "x: 1\n").run("render").ran(["render"]);
        part("common", "nearer");
        let served = Served::again(&url, repo);
        story.run("render").ran(["parts", "render"]);
        assert!(story.read("build/web.yml").contains("a: nearer far"), "{}", story.read("build/web.yml"));
        drop(served);
        story.edit("web/Chart.yaml", "version: 0.1.0, repository: \"file", "version: 9.9.9, repository: \"file");
        story.infra_to(1, "run parts").stderr_has("helm");
        // An alias is of somebody's own helm.
        let lock = story.read("web/Chart.lock");
        story.file("web/Chart.lock", &lock.replace(&url, "'@mine'")).infra_to(1, "run parts").stderr_has("by an alias");
    }
}
