//! The lab that stories of kubectl and helm stand on (`kube/`, `scripts/kube.sh`): a real control plane whose
//! nodes are played. What is held here, those stories may take for granted.

use crate::support::{Helm, Story, alive};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const UID: &str = "get namespace kube-system -o jsonpath={.metadata.uid}";

/// A story with the files of a chart that has a deployment and a test.
fn with_a_chart() -> Story {
    let story = Story::new();
    story.file(
        "chart/Chart.yaml",
        "
        apiVersion: v2
        name: web
        version: 0.1.0
        appVersion: '1'
        ",
    );
    story.file("chart/values.yaml", "replicas: 2\n");
    story.file("chart/templates/web.yaml", DEPLOYMENT);
    story.file(
        "chart/templates/test.yaml",
        r"
        apiVersion: v1
        kind: Pod
        metadata:
          name: {{ .Release.Name }}-test
          annotations:
            helm.sh/hook: test
            {{- with .Values.fails }}
            kubelab/fails: 'true'
            {{- end }}
        spec:
          restartPolicy: Never
          containers:
            - { name: test, image: test:1 }
        ",
    );
    story
}

const DEPLOYMENT: &str = "
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      replicas: {{ .Values.replicas }}
      selector:
        matchLabels: { app: web }
      template:
        metadata:
          labels: { app: web }
        spec:
          containers:
            - { name: web, image: web:1 }
    ";

const JOB: &str = "
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: work
    spec:
      backoffLimit: 0
      template:
        metadata:
          annotations: {}
        spec:
          restartPolicy: Never
          containers:
            - { name: work, image: work:1 }
    ";

#[test]
fn nodes_are_ready_and_what_is_applied_runs() {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.kubectl(&kube.config, "wait node --all --for=condition=Ready --timeout=30s");

    story.file("web.yaml", &DEPLOYMENT.replace("{{ .Values.replicas }}", "2"));
    let web = format!("apply -f {}", story.path("web.yaml").display());
    story.kubectl(&kube.config, &web);
    story.kubectl(&kube.config, "rollout status deployment/web --timeout=60s");
    let phases = "get pods -l app=web -o jsonpath={.items[*].status.phase}";
    assert_eq!(story.kubectl(&kube.config, phases), "Running Running");
    let said = story.kubectl(&kube.config, "logs -l app=web --tail=1");
    assert_eq!(said.matches("nothing runs here: this container is played").count(), 2, "{said}");
    let uid = |story: &Story| story.kubectl(&kube.config, "get deployment web -o jsonpath={.metadata.uid}");
    let first = uid(&story);
    story.kubectl(&kube.config, &web);
    assert_eq!(uid(&story), first);
    // It is the namespace of this story, not of all.
    let found = story.kubectl(&kube.config, "get deployments -A -o jsonpath={.items[*].metadata.namespace}");
    assert!(found.split(' ').any(|namespace| namespace == kube.namespace), "{found}");
    assert_eq!(fs::metadata(&kube.config).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_job_completes_or_fails_as_it_is_told() {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    story.file("work.yaml", JOB);
    story.file("fails.yaml", &JOB.replace("name: work\n", "name: fails\n").replace("{}", "{ kubelab/fails: 'true' }"));
    story.kubectl(&kube.config, &format!("apply -f {}", story.root().display()));
    story.kubectl(&kube.config, "wait job/work --for=condition=Complete --timeout=60s");
    story.kubectl(&kube.config, "wait job/fails --for=condition=Failed --timeout=60s");
}

#[test]
fn both_versions_of_helm_install_wait_and_test() {
    let story = with_a_chart();
    let kube = story.kube(Helm::V3);
    let config = kube.config.to_str().expect("text").to_owned();
    let chart = story.path("chart").display().to_string();
    for (helm, version) in [("helm3", "v3."), ("helm4", "v4."), ("helm", "v3.")] {
        let said = story.program_says(helm, &["version", "--template", "{{ .Version }}"]);
        assert!(said.starts_with(version), "{helm} is {said}");
    }
    for helm in ["helm3", "helm4"] {
        let here = ["--kubeconfig", config.as_str(), "--namespace", kube.namespace.as_str(), "--timeout", "60s"];
        let install = ["upgrade", "--install", helm, &chart, "--wait"];
        story.program_says(helm, &[&install[..], &here[..]].concat());
        let said = story.program_says(helm, &[&["test", helm][..], &here[..]].concat());
        assert!(said.contains("Succeeded"), "{said}");
        let uninstall = ["uninstall", helm, "--wait"];
        story.program_says(helm, &[&uninstall[..], &here[..]].concat());
    }
}

#[test]
fn a_test_of_helm_that_fails_is_told_as_one() {
    let story = with_a_chart();
    let kube = story.kube(Helm::V4);
    let here = ["--kubeconfig", kube.config.to_str().expect("text"), "--timeout", "60s"];
    let chart = story.path("chart").display().to_string();
    let install = ["upgrade", "--install", "web", &chart, "--wait", "--set", "fails=true"];
    story.program_says("helm", &[&install[..], &here[..]].concat());
    let helm = story.base().join("bin/helm").display().to_string();
    let test = story.command_of(&helm, &[&["test", "web"][..], &here[..]].concat()).output().expect("helm starts");
    assert!(!test.status.success(), "{test:?}");
}

#[test]
fn a_lab_keeps_what_it_holds_until_it_is_wiped_and_then_is_another_cluster_at_the_same_place() {
    let story = Story::new();
    let config = story.own_kube(Helm::V4);
    let lab = story.base().join("lab");
    assert_eq!(fs::metadata(&lab).expect("a folder").permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&config).expect("a file").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&config).expect("a kubeconfig");
    let first = story.kubectl(&config, UID);
    story.kubectl(&config, "create configmap kept --from-literal=a=1");
    let pids = pids(&lab);

    // Up when it is up: the same processes.
    assert_eq!(story.lab("up"), config.display().to_string());
    assert_eq!(self::pids(&lab), pids);
    assert_eq!(story.lab("status"), config.display().to_string());

    story.lab("down");
    assert!(pids.iter().all(|&pid| !alive(pid)), "{pids:?}");
    story.lab("down");
    story.lab("up");
    assert_eq!(story.kubectl(&config, UID), first);
    assert_eq!(story.kubectl(&config, "get configmap kept -o jsonpath={.data.a}"), "1");

    story.lab("down --wipe");
    story.lab("up");
    assert_ne!(story.kubectl(&config, UID), first);
    assert_eq!(story.kubectl(&config, "get configmap kept --ignore-not-found"), "");
    assert_eq!(fs::read_to_string(&config).expect("a kubeconfig"), text);

    story.lab("down --remove");
    assert!(!lab.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_task_starts_a_lab_that_outlives_it_and_its_undo_stops_it() {
    let story = Story::new();
    let (script, lab) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kube.sh"), story.base().join("lab"));
    story.tasks(&format!(
        r#"
        [task.lab]
        run = ["{script}", "up", "{lab}", "--while", "{us}"]
        undo = ["{script}", "down", "{lab}", "--remove"]
        [task.teardown]
        undo_of = "lab"
        "#,
        script = script.display(),
        lab = lab.display(),
        us = std::process::id(),
    ));
    story.run("lab").ran(["lab"]);
    let pids = pids(&lab);
    assert!(pids.iter().all(|&pid| alive(pid)), "{pids:?}");
    assert_eq!(story.lab("status"), lab.join("kubeconfig").display().to_string());
    story.run("lab").nothing_ran();
    story.run("teardown");
    assert!(pids.iter().all(|&pid| !alive(pid)), "{pids:?}");
    assert!(!lab.exists());
}

/// Process ids of the five servers.
fn pids(lab: &Path) -> Vec<i32> {
    let pid = |name: &&str| {
        let text = fs::read_to_string(lab.join("run").join(name)).expect("a record");
        text.split(' ').next().expect("an id").parse().expect("a number")
    };
    ["kine", "apiserver", "controller-manager", "scheduler", "kwok"].iter().map(pid).collect()
}
