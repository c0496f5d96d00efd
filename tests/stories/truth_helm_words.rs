//! helm 3 and helm 4 against a real control plane: what is said of charts and releases when something is wrong, and
//! what is asked before.

use crate::truth_helm::both;

#[test]
fn a_failed_upgrade_says_what_is_still_true() {
    both(|story, kube| {
        story.retask("timeout = \"60s\"\nkubeconfig", "timeout = \"4s\"\nkubeconfig");
        // Before anything is there: a mistake of the chart is no matter of pods.
        story.file("chart/templates/bad.yaml", "{{ fail \"no good\" }}\n").infra_to(1, "run web");
        story.stderr_has("no good").stderr_has("; no release was made");
        assert!(!story.last().stderr.contains("its pods"), "{}", story.last().stderr);
        story.remove("chart/templates/bad.yaml").run("web").ran(["web"]);
        story.file("chart/templates/bad.yaml", "{{ fail \"no good\" }}\n").infra_to(1, "run web");
        story.stderr_has("; the release is as it was: deployed, revision 1");
        story.remove("chart/templates/bad.yaml").file("chart/values.yaml", "nowhere: true\n").infra_to(1, "run web");
        story.stderr_has("; the release is failed now, revision 2; revision 1 was deployed before");
        story.stderr_has("  hint: the log ends with what its pods");
        // Hints of their own.
        story.file("chart/values.yaml", "nowhere: false\n").retask("chart = \"chart\"", "chart = \"chars\"");
        story.infra_to(1, "run web").stderr_has("one elsewhere needs `repo`");
        story.retask("chart = \"chars\"", "chart = \"chart\"");
        let missing = format!("{}-missing", kube.namespace);
        story.retask(
            &format!("namespace = \"{}\"\nvalues", kube.namespace),
            &format!("namespace = \"{missing}\"\nvalues"),
        );
        story.infra_to(1, "run web").stderr_has("`create_namespace = true` makes the namespace");
    });
}

#[test]
fn a_lint_and_a_test_say_what_is_wrong() {
    both(|story, kube| {
        story.file(
            "tasks/more.toml",
            &format!(
                "[task.lint]\nhelm = {{ chart = \"chart\", values = [\"values.yml\"], action = \"lint\" }}\n[task.nobody]\nhelm = {{ release = \"nobody\", action = \"test\", namespace = \"{}\", kubeconfig = \"../kubeconfig\" }}\n",
                kube.namespace
            ),
        );
        story.file("chart/templates/bad.yaml", "a: {{ .Values.no.such }}\n").infra_to(1, "run lint");
        story.stderr_has("`helm lint` complains: ").stderr_has("nil pointer evaluating");
        let missing = format!("release `{}/nobody` is not there", kube.namespace);
        story.infra_to(1, "run nobody").stderr_has(&missing).remove("chart/templates/bad.yaml");
        story.edit("chart/templates/smoke.yaml", "helm.sh/hook: test", "helm.sh/hook: test, kubelab/fails: \"true\"");
        // With what the pod of the test printed.
        story
            .infra_to(1, "run test")
            .stderr_has("`helm test` exited with code 1")
            .stderr_has("this container is played");
    });
}

#[test]
fn a_changed_hook_of_a_chart_is_a_change() {
    both(|story, _| {
        story.run("use test").ran(["web", "use", "test"]);
        story.edit("chart/templates/smoke.yaml", "name: smoke", "name: smokes").run("use test");
        story.ran(["web", "use", "test"]).run("use test").nothing_ran();
    });
}

#[test]
fn an_uninstall_is_asked_for_where_destroying_is() {
    both(|story, kube| {
        story.project("[env.local]\napprove = \"on-destroy\"\n").run("web").ran(["web"]);
        story.infra_to(5, "run teardown").stderr_has("takes back web");
        story.kubectl(&kube.config, "get deployment web");
        story.run("teardown --yes").ran(["teardown"]);
        assert_eq!(story.kubectl(&kube.config, "get deployment -o name"), "");
    });
}

#[test]
fn a_release_of_a_former_name_is_told() {
    both(|story, _| {
        // helm's own flags know no days.
        story.retask("timeout = \"60s\"\nkubeconfig", "timeout = \"1d\"\nkubeconfig").run("web").ran(["web"]);
        story.edit("chart/templates/deployment.yaml", "name: web,", "name: \"{{ .Release.Name }}\",");
        story.retask("[task.web.helm]\nrelease = \"web\"", "[task.web.helm]\nrelease = \"shop\"").infra("run web");
        story.stderr_has("installed, revision 1; not uninstalled, though no longer named: `").stderr_has("/web`");
        story.retask("[task.web.helm]\nrelease = \"shop\"", "[task.web.helm]\nrelease = \"Shop\"");
        story.infra_to(2, "check").stderr_has("`Shop` is no name for a release");
    });
}
