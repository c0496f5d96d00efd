//! The shipped pipeline, for real: terraform and ansible bring the environment `local` from nothing to
//! verified, and every later run does what it must and nothing else.

use crate::support::Story;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// What a clone of the project holds that its pipeline is made of.
const SHIPPED: [&str; 12] = [
    "infra.toml",
    "tasks",
    "templates",
    "terraform",
    "ansible",
    "env",
    "scripts",
    "charts",
    "k8s",
    "kube/stages",
    ".gitignore",
    "docs/pipeline.md",
];

const ALL: [&str; 6] = ["image-recipe", "prepare-template", "provision", "inventory", "configure", "verify"];

/// A fresh clone, without what was built in the developer's own.
fn shipped() -> Story {
    let story = Story::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = Command::new("git").args(["ls-files", "-z", "--"]).args(SHIPPED).current_dir(project).output();
    let files = files.expect("git is there");
    assert!(files.status.success(), "the tests are run in a clone: {}", String::from_utf8_lossy(&files.stderr));
    let names = String::from_utf8(files.stdout).expect("names are text");
    for name in names.split_terminator('\0') {
        let (from, to) = (project.join(name), story.path(name));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("folders");
        std::fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
    story.terraform().ansible();
    story
}

/// `scripts/provision_dev_env.sh` against simulated machines: what it said.
fn by_script(story: &Story, part: &str) -> String {
    let args: Vec<&str> = part.split_whitespace().collect();
    let mut command = story.command_of("scripts/provision_dev_env.sh", &args);
    command.env("INFRA_ENV", "local").env("INFRA", env!("CARGO_BIN_EXE_infra"));
    let output = command.output().expect("the script starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{part}: {said}");
    said
}

#[test]
fn the_pipeline_goes_from_nothing_to_verified_and_then_does_only_what_it_must() {
    let story = shipped();
    story.infra("check");
    story.run("verify").ran(ALL);
    assert_eq!(story.value("provision", "worker_ips"), json!(["192.0.2.21", "192.0.2.22"]));
    story.run("verify").nothing_ran();

    // A comment in TOML is nothing.
    story.edit("tasks/configure.toml", "[task.configure]", "# said again\n[task.configure]");
    story.run("verify").nothing_ran();

    // A comment in a role is read by ansible, which changes nothing: the wave stops there.
    story.edit("ansible/roles/common/tasks/main.yml", "---\n", "---\n# said again\n");
    story
        .run("verify")
        .ran(["configure"])
        .because("configure", json!({"kind": "input-changed", "path": "ansible/roles/common/tasks/main.yml"}));
    assert_eq!(story.value("configure", "changed"), json!(0));

    // An edit that matters goes on to what looks at the machines.
    story.edit("ansible/roles/common/templates/hosts.j2", "::1 localhost", "::1 localhost6 localhost");
    story.run("verify").ran(["configure", "verify"]);
    story.infra("why verify").stdout_has("is fresh");

    // One machine more: provision, and exactly what reads its outputs.
    story.edit("infra.toml", "worker_count = 2", "worker_count = 3");
    story.infra("why provision").stdout_has("worker_count").stdout_has("2 → 3");
    story.run("verify").ran(["provision", "inventory", "configure", "verify"]);
    assert_eq!(story.value("provision", "worker_ips"), json!(["192.0.2.21", "192.0.2.22", "192.0.2.23"]));

    // A deleted artifact is put back, nothing runs.
    let inventory = story.read("build/local/inventory.yml");
    story.remove("build/local/inventory.yml");
    story.infra("why inventory").stdout_has("build/local/inventory.yml");
    story.run("verify").restored(["inventory"]).holds("build/local/inventory.yml", &inventory);

    // A machine that somebody destroyed makes a "done" untrue.
    story.remove("build/local/hosts/k3s-worker-02");
    std::thread::sleep(std::time::Duration::from_secs(11));
    story.run("verify").ran(["configure", "verify"]).because("configure", json!({"kind": "probe-disagrees"}));

    // The gates tell the truth.
    story.run("gates");
    story.run("verify").nothing_ran();

    // What a person calls by its old name does the same.
    for part in ["--prepare-only", "--terraform-only", "--configure-only", "--verify-only", ""] {
        let said = by_script(&story, part);
        assert!(said.contains("nothing to do"), "{part}: {said}");
    }

    // Down, twice, and up again.
    story.run("teardown").ran(["teardown"]);
    story.run("teardown").nothing_ran();
    story.states("provision=stale configure=stale");
    story.run("verify").ran(["provision", "inventory", "configure", "verify"]);
    let at_home: Vec<_> = std::fs::read_dir(story.base().join("home")).expect("a folder").flatten().collect();
    assert!(at_home.is_empty(), "{at_home:?} was left in the home folder");
}

#[test]
fn with_a_real_control_plane_the_workload_runs_and_what_is_changed_in_it_is_noticed() {
    let story = shipped();
    story.kube_tools_inside();
    let all = story.run("-e kube verify").last().started();
    for task in ["cluster", "nodes", "base", "workload", "rollout", "smoke", "node-set", "verify"] {
        assert!(all.iter().any(|one| one == task), "{task} of {all:?}");
    }
    story.run("-e kube verify").nothing_ran();

    // A comment in the chart's values makes a revision, and stops there.
    story.edit("charts/hello/values.yaml", "greeting: hello", "greeting: hello # as ever");
    story.run("-e kube verify").ran(["workload"]);
    // What matters is rolled out and tested again.
    story.edit("charts/hello/values.yaml", "replicas: 2", "replicas: 3");
    story.run("-e kube verify").ran(["workload", "rollout", "smoke"]);
    assert_eq!(story.value_in("--env kube", "rollout", "ready"), json!(3));
    // One machine more is one node more.
    story.edit("infra.toml", "worker_count = 2", "worker_count = 3");
    story.run("-e kube node-set").ran([
        "provision",
        "inventory",
        "configure",
        "cluster",
        "node-objects",
        "nodes",
        "look-nodes",
        "node-set",
    ]);

    // `local` is another environment in the same folder: none of this is its own.
    story.run("charts").ran(["manifests", "lint-chart", "render-chart"]);
    story.run("-e kube teardown").ran(["teardown"]).absent("build/kube/cluster");
    story.run("-e kube teardown").nothing_ran();
}

#[test]
fn what_needs_a_real_host_is_at_least_well_formed() {
    let story = shipped();
    story.infra("check --env dev");
    story.env("K3S_TOKEN", "a-token-of-nobody").env("PROXMOX_VE_API_TOKEN", "root@pam!infra=nothing");
    story.infra("plan verify --env dev").stdout_has("provision");
    story.infra("graph verify --env dev").stdout_has("verify");
}
