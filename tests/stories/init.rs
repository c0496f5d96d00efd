//! `infra init`: what a folder holds becomes tasks that run with the real tools; nothing is written unasked.

use crate::support::{Helm, Story};

/// A folder with something of everything, and no project.
fn folder() -> Story {
    let story = Story::new();
    story
        .file("terraform/prod/main.tf", "module \"vm\" {\n  source = \"../vm\"\n  name   = var.name\n}\nvariable \"name\" {}\n")
        .file("terraform/prod/prod.tfvars", "name = \"one\"\n")
        .file("terraform/vm/main.tf", "variable \"name\" {}\nresource \"terraform_data\" \"vm\" { input = var.name }\n")
        .file("ansible/all.yml", "- ansible.builtin.import_playbook: site.yml\n")
        .file("ansible/site.yml", "- hosts: web\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy: { content: hi, dest: \"{{ playbook_dir }}/../made\", mode: \"0644\" }\n")
        .file("ansible/inventory/hosts", "[web]\nh1 ansible_connection=local\n")
        .file("ansible/roles/base/tasks/main.yml", "- ansible.builtin.debug:\n")
        .file("k8s/base/kustomization.yaml", "resources: [map.yml]\n")
        .file("k8s/base/map.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n")
        .file("k8s/overlays/dev/kustomization.yaml", "namespace: dev\nresources: [../../base]\n")
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nicon: https://localhost/i.png\n")
        .file("charts/web/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n")
        .file("charts/web/values.yaml", "{}\n")
        .file("app/package.json", r#"{ "scripts": { "build": "x", "prebuild": "y", "test:unit": "z", "odd": 3 } }"#)
        .file("app/yarn.lock", "")
        .file("app/node_modules/other/package.json", r#"{ "scripts": { "theirs": "x" } }"#)
        .file("compose.yaml", "services: { db: { image: db } }\n")
        .file("Makefile", "all:\n\ttrue\n");
    story
}

#[test]
pub fn what_is_found_becomes_tasks_that_run() {
    let story = folder();
    story.terraform().ansible().kube_programs(Helm::V4);
    story.infra("init --write").stderr_has("7 tasks proposed in tasks/proposed.toml").stderr_has("`infra import make`");
    story.infra("check").infra("list");
    for task in [
        "terraform-prod",
        "ansible-all",
        "render-k8s-overlays-dev",
        "lint-web",
        "app-build",
        "app-test-unit",
        "compose",
    ] {
        story.stdout_has(task);
    }
    // Parts of others, and other people's, are no tasks.
    for other in ["vm", "site", "base", "theirs", "prebuild", "odd"] {
        assert!(!story.last().stdout.contains(other), "{other}: {}", story.last().stdout);
    }
    let real = "terraform-prod ansible-all render-k8s-overlays-dev lint-web";
    story.run(real).ran(["terraform-prod", "ansible-all", "render-k8s-overlays-dev", "lint-web"]);
    story.holds("made", "hi");
    assert!(story.read("build/manifests/k8s/overlays/dev.yml").contains("namespace: dev"));
    story.run(real).nothing_ran();
    story.file(
        "terraform/vm/main.tf",
        "variable \"name\" {}\nresource \"terraform_data\" \"vm\" { input = \"${var.name}2\" }\n",
    );
    story.run(real).ran(["terraform-prod"]);
    story.infra("destroy --yes terraform-prod").infra("status terraform-prod");
    assert!(!story.read("terraform/prod/terraform.tfstate").contains("terraform_data"));
}

/// A package manager and docker are played: what they are asked is what counts here.
#[test]
pub fn scripts_and_services_are_asked_as_their_tools_want() {
    let story = folder();
    story.program("yarn", "echo \"$(basename \"$PWD\") $*\" >> ../../asked");
    story.program(
        "docker",
        "case \"$4\" in up) touch ../up ;; down) rm ../up ;; ps) test ! -e ../up || echo id ;; esac",
    );
    story.infra("init --write");
    story.run("app-build compose").ran(["app-build", "compose"]);
    assert_eq!(story.read("../asked"), "app run build\n");
    story.run("app-build compose").ran(["app-build"]);
    // Somebody took it down.
    story.remove("../up").run("compose").ran(["compose"]);
    story.infra("destroy --yes compose").absent("../up");
}

#[test]
pub fn nothing_is_written_unless_asked_for() {
    let story = folder();
    let before = story.tree();
    story.infra("init").stdout_has("[task.terraform-prod]").stderr_has("nothing was written: `infra init --write`");
    let shown = story.last().stdout.clone();
    story.infra("init --json");
    assert_eq!(before, story.tree());
    story.infra("init --write");
    story.holds("tasks/proposed.toml", &shown);
}

#[test]
pub fn a_project_is_left_as_it_is() {
    for file in ["infra.toml", "tasks/mine.toml"] {
        let story = folder();
        story.file(file, "");
        let before = story.tree();
        story.infra_to(2, "init --write").stderr_has(&format!("this is a project already: `{file}` is there"));
        assert_eq!(before, story.tree());
    }
    // A role of ansible has a folder `tasks`, too: that is no project.
    let story = Story::new();
    story.file("tasks/main.yml", "- ansible.builtin.debug:\n").infra("init --write").infra("check");
}

#[test]
pub fn an_empty_folder_gets_a_first_task() {
    let story = Story::new();
    story.infra("init --write").stderr_has("next: `infra list`");
    story.run("hello").ran(["hello"]).holds("build/hello.txt", "hello\n");
    story.run("hello").nothing_ran();
}

#[test]
pub fn what_would_not_pass_is_held_back_and_said() {
    let story = Story::new();
    story
        .file("site.yml", "- hosts: all\n")
        .file("a[b/compose.yaml", "services: {}\n")
        .file("c/compose.yaml", "services: {}\n");
    story.infra("init --write").stderr_has("1 task proposed");
    story.stderr_has("held back: site: no inventory was found").stderr_has("held back: compose-a-b: ");
    story.infra("check").infra("list").stdout_has("compose-c");
    assert!(story.read("tasks/proposed.toml").contains("# [task.site]\n# ansible = { playbook = \"site.yml\" }\n"));
}
