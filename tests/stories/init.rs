//! `infra init`: what a folder holds becomes tasks that run with the real tools; nothing is written unasked.

use crate::errors_world::as_nobody;
use crate::support::{Helm, Story};
use serde_json::json;
use std::process::Command;

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
        "case \"$2\" in up) touch ../up ;; down) rm ../up ;; ps) test ! -e ../up || echo id ;; esac",
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

/// Docker is played, as everywhere here: what it would take is its own choice, so it must be asked without `-f`.
#[test]
fn docker_compose_chooses_its_files_itself() {
    let story = Story::new();
    story
        .file("compose.yaml", "services: {}\n")
        .file("compose.override.yaml", "services: {}\n")
        .file("docker-compose.yml", "services: {}\n")
        .file("sub/docker-compose.yml", "services: {}\n");
    story.program(
        "docker",
        &format!("test \"$2\" != up || echo \"$(basename \"$PWD\") $*\" >> {}/asked", story.base().display()),
    );
    let seen = story.infra("init --json --write").last().json();
    let names: Vec<_> = seen["tasks"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, [json!("compose"), json!("compose-sub")]);
    let text = story.read("tasks/proposed.toml");
    assert!(text.contains("inputs = [\"compose.yaml\", \"compose.override.yaml\"]\n"), "{text}");
    assert!(text.contains("docker-compose.yml is there too"), "{text}");
    story.run("compose compose-sub").ran(["compose", "compose-sub"]);
    let mut asked: Vec<String> = story.read("../asked").lines().map(str::to_owned).collect();
    asked.sort();
    assert_eq!(asked, ["project compose up --detach", "sub compose up --detach"]);
}

#[test]
fn what_git_leaves_out_proposes_nothing() {
    let story = Story::new();
    let git = story.command_of("git", &["init", "-q", "."]).status();
    assert!(git.is_ok_and(|status| status.success()));
    story
        .file(".gitignore", "ignored/\ninside/*\n*.tfvars\n")
        .file("ignored/tf/main.tf", "")
        .file("inside/main.tf", "")
        .file("deep/.gitignore", "here/\n")
        .file("deep/here/main.tf", "")
        .file("tf/main.tf", "variable \"a\" {}\n")
        .file("tf/secret.tfvars", "a = 1\n");
    let seen = story.infra("init --json").last().json();
    let names: Vec<_> = seen["tasks"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, [json!("tf")], "{seen}");
    // What belongs to it lies beside it, though git does not see it.
    assert!(seen["toml"].as_str().unwrap().contains("var_files = [\"tf/secret.tfvars\"]"), "{seen}");
}

#[test]
fn what_was_passed_over_is_said() {
    let story = Story::new();
    story
        .file("app/package.json", "{ \"scripts\": ")
        .file("site.yml", "# all\n---\n- name: all\n  hosts: web\n  tasks: [\n")
        .file("k8s/kustomization.yaml", "resources: [\n")
        .file("charts/web/Chart.yaml", "name: [\n")
        // Templates of a chart can't be read either, and are no finds.
        .file("other/templates/in.yaml", "spec:\n  tls:\n  - hosts: {{ .Values.hosts }}\n")
        .file("other/templates/list.yaml", "{{- range .Values.x }}\n- a: {{ . }}\n{{- end }}\n")
        .file("a/b/c/d/e/f/g/main.tf", "")
        .file("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/main.tf", "");
    let seen = story.infra("init --json").last().json();
    let notes: Vec<&str> = seen["notes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for path in ["app/package.json", "site.yml", "k8s/kustomization.yaml", "charts/web/Chart.yaml"] {
        assert!(notes.iter().any(|note| note.starts_with(&format!("`{path}` was passed over"))), "{path}: {notes:?}");
    }
    assert!(notes.iter().any(|note| note.contains("/16/17` lies too deep")), "{notes:?}");
    assert_eq!(notes.len(), 5, "{notes:?}");
    assert_eq!(seen["tasks"][0]["name"], json!("a-b-c-d-e-f-g"));
    story.infra("init").stderr_has("  `site.yml` was passed over: it can't be read: ");
    story.stdout_has("# `app/package.json` was passed over");
    story.infra("init --write").infra("check");
    let closed = Story::new();
    closed.file("closed/main.tf", "").mode("closed", 0o000).file("site.yml", "- hosts: a\n").mode("site.yml", 0o000);
    let Some(seen) = as_nobody(&closed, "init") else { return };
    assert!(seen.stderr.contains("`closed` was not looked into: permission denied"), "{seen:?}");
    assert!(seen.stderr.contains("`site.yml` was passed over: it can't be read: permission denied"), "{seen:?}");
    closed.mode("closed", 0o755);
}

#[test]
fn a_project_around_the_folder_is_said() {
    let story = Story::with("[task.a]\nrun = [\"true\"]\n");
    story.file("sub/deep/main.tf", "");
    story.infra("-C sub/deep init").stderr_has("  `../..` is a project already");
    story.stdout_has("# `../..` is a project already");
    // A role of ansible is in the project around it.
    story.file("ansible/roles/web/tasks/main.yml", "- ansible.builtin.debug:\n");
    story.infra("-C ansible/roles/web list").stdout_has("a");
    let role = Story::new();
    role.file("tasks/main.yml", "- ansible.builtin.debug:\n").infra_to(2, "list").stderr_has("no project here");
    role.infra("init");
    assert!(!role.last().stderr.contains("is a project already"), "{:?}", role.last());
}

#[test]
fn what_can_not_be_written_leaves_nothing_behind() {
    let story = Story::new();
    story.file("tasks", "mine").infra_to(2, "init --write").stderr_has("`tasks` is in the way").holds("tasks", "mine");
    let story = Story::new();
    if let Some(seen) = as_nobody(&story, "init --write") {
        assert_eq!(seen.code, Some(7), "{seen:?}");
        assert!(seen.stderr.contains("hint: nothing was written; free space or mend permissions"), "{seen:?}");
    }
    let story = Story::new();
    if story.small_disk("64k") {
        let fill = Command::new("sh")
            .args(["-c", "cat /dev/zero > fill 2>/dev/null; true"])
            .current_dir(story.root())
            .status();
        assert!(fill.is_ok());
        story.infra_to(7, "init --write").stderr_has("disk is full").stderr_has("nothing was written");
        story.absent("tasks").absent("infra.toml");
        story.file("Makefile", "").infra_to(7, "import make --write").stderr_has("disk is full").absent("tasks");
        story.remove("fill").infra("init --write").infra("check");
    }
}

#[test]
fn a_chart_with_a_lock_gets_its_dependencies() {
    let story = Story::new();
    story.kube_programs(Helm::V4);
    story
        .file("charts/base/Chart.yaml", "apiVersion: v2\nname: base\nversion: 0.1.0\n")
        .file("charts/base/values.yaml", "{}\n")
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- { name: base, version: 0.1.0, repository: \"file://../base\" }\n")
        .file("charts/web/values.yaml", "{}\n")
        .file("charts/web/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n");
    story
        .infra("init")
        .stdout_has("`helm dependency update` makes one")
        .stdout_has("helm = { chart = \"charts/web\", action = \"lint\" }");
    assert!(!story.last().stdout.contains("[task.web-dependencies]"), "{:?}", story.last());
    story.program_says("helm", &["dependency", "update", "charts/web"]);
    story.remove("charts/web/charts");
    story.infra("init --write").infra("check");
    assert!(!story.read("tasks/proposed.toml").contains("base-dependencies"));
    story.run("lint-web").ran(["web-dependencies", "lint-web"]).run("lint-web").nothing_ran();
}

/// The nearest says who runs scripts: what package.json names, its own lock file, then those above.
#[test]
fn the_nearest_package_manager_counts() {
    let story = Story::new();
    let scripts = "{\"scripts\": {\"build\": \"x\", \"dev\": \"x\"}}";
    story
        .file("package.json", "{\"packageManager\": \"pnpm@9.1.0\"}")
        .file("pnpm-lock.yaml", "")
        .file("a/package.json", scripts)
        .file("b/package.json", scripts)
        .file("b/package-lock.json", "{}")
        .file("c/package.json", "{\"packageManager\": \"bun@1\", \"scripts\": {\"build\": \"x\"}}")
        .file("c/yarn.lock", "");
    story
        .infra("init")
        .stdout_has("dir = \"a\"\nprobe = { exec = [\"false\"] }\nrun = [\"pnpm\", \"run\", \"build\"]")
        .stdout_has("dir = \"b\"\nprobe = { exec = [\"false\"] }\nrun = [\"npm\", \"run\", \"build\"]")
        .stdout_has("dir = \"c\"\nprobe = { exec = [\"false\"] }\nrun = [\"bun\", \"run\", \"build\"]")
        .stdout_has("# it may start what does not end by itself: then the task never does\n[task.a-dev]");
}

#[test]
fn what_lies_at_the_top_counts_before_what_lies_deep() {
    let story = Story::new();
    story.file("zz/Makefile", "a:\n\techo\n").file("zz/main.tf", "");
    for folder in 0..21 {
        for file in 0..1000 {
            story.file(&format!("data/{folder}/{file}"), "");
        }
    }
    story
        .infra("init --write")
        .stderr_has("only the first 20000 files were looked at")
        .stderr_has("zz/Makefile: `infra import make zz/Makefile` makes tasks of it");
    story.infra("list").stdout_has("zz");
    story.infra("import make zz/Makefile --write").infra("check").run("a").ran(["a"]);
}
