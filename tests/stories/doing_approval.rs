//! When a person is asked before something is destroyed, and what they are told of it.

use crate::support::{Helm, Story};
use crate::truth_helm::chart;

const ASKED: &str = "Type `yes`: ";

/// A script and machines of terraform's on top of each other, each with an undo, where what destroys is asked about.
fn stack() -> Story {
    let story = Story::new();
    story.terraform().project("[env.local]\napprove = \"on-destroy\"\n");
    story.file(
        "tf/main.tf",
        "resource \"terraform_data\" \"vm\" { input = \"10.0.0.7\" }\noutput \"ip\" { value = terraform_data.vm.output }\n",
    );
    story.tasks(
        r#"
        [task.machine]
        terraform = "tf"

        [task.service]
        shell = "echo on {{ tasks.machine.ip }} >> ../log"
        undo = ["sh", "-c", "echo off >> ../log"]

        [task.teardown]
        undo_of = ["machine", "service"]
        "#,
    );
    story
}

#[test]
fn an_undo_asks_before_anything_is_destroyed() {
    let story = stack();
    story.run("service").ran(["machine", "service"]);
    // Nobody can be asked: nothing is taken back, not even what comes first.
    story.run_to(5, "teardown").says("takes back service, machine").says("nobody can be asked here");
    assert_eq!(story.read("../log"), "on 10.0.0.7\n");
    story.states("machine=fresh service=fresh");
    // The whole in its order; and what terraform will destroy once terraform knows.
    let seen = story.typed("run teardown", &[(ASKED, "yes\n"), ("destroys terraform_data.vm", "no\n")]);
    assert_eq!(seen.code, Some(5), "{seen:?}");
    story.stdout_has("teardown changes `local`: takes back service, machine\n  destroys service\n  destroys machine\n");
    story.stdout_has("what was changed before that stays so");
    // That a plan which found changes ends with 2 is nobody's failure.
    assert!(!seen.stdout.contains("exit code"), "{seen:?}");
    assert_eq!(story.read("../log"), "on 10.0.0.7\noff\n");
    story.states("machine=fresh service=stale teardown=failed");
    // What is left is one thing, and terraform says what: one question.
    let seen = story.typed("run teardown", &[(ASKED, "yes\n")]);
    assert_eq!((seen.code, seen.stdout.matches(ASKED).count()), (Some(0), 1), "{seen:?}");
    story.stdout_has("destroys terraform_data.vm").stdout_has("undid machine");
    story.states("machine=stale teardown=fresh");
}

#[test]
fn what_was_agreed_to_of_one_target_holds_for_no_other() {
    let story = stack();
    story.tasks(
        r#"
        [task.base]
        shell = "echo on >> ../log"
        undo = ["sh", "-c", "echo off >> ../log"]

        [task.machine]
        needs = ["base"]
        terraform = "tf"

        [task.teardown]
        undo_of = ["base", "machine"]
        "#,
    );
    story.run("machine").ran(["base", "machine"]);
    // terraform comes first, and says what it destroys; what else is taken back is asked about by itself.
    let seen = story.typed("run teardown", &[("destroys terraform_data.vm", "yes\n"), ("takes back base", "no\n")]);
    assert_eq!(seen.code, Some(5), "{seen:?}");
    assert_eq!(story.read("../log"), "on\n");
    story.states("base=fresh machine=stale teardown=failed");
}

#[test]
fn what_only_makes_is_not_asked_about() {
    let story = stack();
    story.edit("tf/main.tf", "10.0.0.7", "10.0.0.8").run("service").ran(["machine", "service"]);
    story.run("service").nothing_ran();
    story.run("teardown --yes").ran(["teardown"]);
}

#[test]
fn a_release_and_objects_are_not_taken_away_without_a_question() {
    let (story, kube) = chart(Helm::V4);
    story.project("[env.local]\napprove = \"on-destroy\"\n");
    let place = format!("namespace = \"{}\", kubeconfig = \"../kubeconfig\"", kube.namespace);
    story.file(
        "tasks/gone.toml",
        &format!(
            "[task.gone]\nkubectl = {{ delete = \"old.yml\", {place} }}\n\
             [task.away]\nhelm = {{ release = \"web\", action = \"uninstall\", {place} }}\n"
        ),
    );
    story.file("old.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: old }\n");
    story.run("gone").ran(["gone"]);
    story.kubectl(&kube.config, "create configmap old");
    story.run_to(5, "gone --force").says("nobody can be asked here");
    story.kubectl(&kube.config, "get configmap old");
    let seen = story.typed("run gone --force", &[(ASKED, "yes\n")]);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.stdout_has(&format!("destroys configmap/old in {}", kube.namespace));
    assert!(!story.kubectl(&kube.config, "get configmap -o name").contains("configmap/old"));

    story.run("web").ran(["web"]);
    story.run_to(5, "away").says("nobody can be asked here");
    story.program_says("helm", &["--kubeconfig", kube.config.to_str().unwrap(), "status", "web"]);
    let seen = story.typed("run away", &[(ASKED, "yes\n")]);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.stdout_has(&format!("destroys helm release `{}/web`", kube.namespace)).stdout_has("uninstalled");
}
