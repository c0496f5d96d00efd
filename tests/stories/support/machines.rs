//! Owns a project that stories about terraform share: machines, and what is built on them.
//! Does not know what is done with it.

use crate::support::story::Story;
use std::fs;

/// Machines are `terraform_data`: another `image` replaces them, another `note` changes them in place.
pub const MAIN: &str = r#"
    variable "names" {
      type    = list(string)
      default = ["a"]
    }
    variable "image" {
      default = "ubuntu22"
    }
    variable "note" {
      default = "none"
    }
    resource "terraform_data" "vm" {
      for_each         = toset(var.names)
      input            = var.note
      triggers_replace = [var.image]
    }
    output "ips" {
      value = [for name in var.names : "10.0.0.${length(name)}"]
    }
    output "count" {
      value = length(var.names)
    }
    output "password" {
      value     = "canary-tf-5531"
      sensitive = true
    }
"#;

const TASKS: &str = r#"
    [task.provision]
    stage = "provision"
    exports = { ips = "list<ip>", count = "int", password = "secret<string>" }
    terraform = { dir = "tf", vars = { image = "{{ vars.image }}", note = "{{ vars.note }}", names = "{{ vars.names }}" } }

    [task.inventory]
    template = { from = "inv.j2", to = "build/inv" }

    [task.configure]
    inputs = ["build/inv"]
    shell = "echo configure >> ../log"

    [task.verify]
    needs = ["configure"]
    effect = "read"
    ttl = "1h"
    shell = "echo verify >> ../log"

    [task.teardown]
    undo_of = ["provision", "configure"]
"#;

const VARS: &str = "[vars]\nimage = \"ubuntu22\"\nnote = \"none\"\nnames = [\"a\"]\n[env.local]\n[env.dev]\n";

/// A project of four tasks on one state.
pub fn machines() -> Story {
    let story = Story::with(TASKS);
    story
        .terraform()
        .project(VARS)
        .file("tf/main.tf", MAIN)
        .file("inv.j2", "{% for ip in tasks.provision.ips %}{{ ip }}\n{% endfor %}");
    story
}

/// The id that terraform gave a machine.
pub fn id_of(story: &Story, name: &str) -> String {
    let state: serde_json::Value = serde_json::from_str(&story.read("tf/terraform.tfstate")).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let found = resources
        .iter()
        .flat_map(|resource| resource["instances"].as_array().unwrap())
        .find(|one| one["index_key"] == name);
    found.unwrap()["attributes"]["id"].as_str().unwrap().to_owned()
}

/// A hypervisor that gives the same number again: the id that terraform keeps is always vm-100.
pub fn tell_ids(story: &Story) {
    wrap_terraform(
        story,
        r#"
        "$REAL" "$@"
        code=$?
        case " $* " in
          *" apply "*) test ! -e terraform.tfstate || sed -i 's/"id": "[0-9a-f-]\{36\}"/"id": "vm-100"/' terraform.tfstate ;;
        esac
        exit $code
        "#,
    );
}

/// Puts a script before the real terraform, which it finds as `$REAL`.
pub fn wrap_terraform(story: &Story, script: &str) {
    let link = story.base().join("bin/terraform");
    let real = fs::read_link(&link).expect("the real terraform");
    fs::remove_file(&link).expect("removed");
    story.program("terraform", &format!("REAL=\"{}\"\n{}", real.display(), crate::support::text::unindent(script)));
}
