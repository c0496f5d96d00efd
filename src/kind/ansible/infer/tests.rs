//! Tests of `infer`.

use super::*;
use crate::kind::fake::{FakeFiles, table};
use serde_json::json;

fn inferred(files: &[(&str, &str)], json: Json) -> (Vec<String>, Vec<String>) {
    let inferred = infer(&table(json), &FakeFiles::new(files));
    (inferred.paths.into_iter().map(Utf8PathBuf::into_string).collect(), inferred.remarks)
}

const NONE: [String; 0] = [];

#[test]
fn roles_includes_and_variables_are_inputs() {
    let files = [
        (
            "ansible/site.yml",
            "- import_playbook: sub/db.yml\n- hosts: web\n  vars_files: [vars/web.yml]\n  roles:\n  - common\n  - role: web\n    x: 1\n",
        ),
        ("ansible/sub/db.yml", "- hosts: db\n  tasks:\n  - ansible.builtin.include_role: { name: deep }\n"),
        ("ansible/vars/web.yml", ""),
        ("ansible/roles/common/tasks/main.yml", "- block:\n  - import_role:\n      name: web\n"),
        ("ansible/roles/common/templates/a.j2", ""),
        ("ansible/roles/common/README.md", ""),
        ("ansible/roles/common/molecule/x.yml", ""),
        ("ansible/roles/common/library/m.pyc", ""),
        ("ansible/roles/web/meta/main.yml", "dependencies:\n- role: base\n"),
        ("ansible/roles/web/tasks/main.yml", "- template: { src: \"{{ x }}.j2\", dest: /x }\n"),
        ("ansible/roles/base/files/f", ""),
        ("ansible/roles/unused/tasks/main.yml", ""),
        ("shared/roles/deep/defaults/main.yml", ""),
        ("ansible/ansible.cfg", "[defaults]\nroles_path = roles:../shared/roles\n"),
        ("ansible/inventory/hosts.ini", ""),
        ("ansible/inventory/group_vars/all.yml", ""),
        ("ansible/group_vars/web/main.yml", ""),
        ("ansible/filter_plugins/f.py", ""),
    ];
    let (paths, remarks) = inferred(
        &files,
        json!({ "playbook": "ansible/site.yml", "config": "ansible/ansible.cfg",
                "inventory": ["ansible/inventory/hosts.ini", "a,b"], "undo": "ansible/undo.yml" }),
    );
    assert_eq!(remarks, NONE);
    assert_eq!(
        paths,
        [
            "ansible/ansible.cfg",
            "ansible/filter_plugins/f.py",
            "ansible/group_vars/web/main.yml",
            "ansible/inventory/group_vars/all.yml",
            "ansible/inventory/hosts.ini",
            "ansible/roles/base/files/f",
            "ansible/roles/common/tasks/main.yml",
            "ansible/roles/common/templates/a.j2",
            "ansible/roles/web/meta/main.yml",
            "ansible/roles/web/tasks/main.yml",
            "ansible/site.yml",
            "ansible/sub/db.yml",
            "ansible/undo.yml",
            "ansible/vars/web.yml",
            "shared/roles/deep/defaults/main.yml",
        ]
    );
}

#[test]
fn names_that_are_not_plain_take_a_folder() {
    let play = "- hosts: all\n  tasks:\n  - copy: { src: \"etc/{{ x }}\", dest: /b }\n";
    let files = [("play/site.yml", play), ("play/files/etc/a", ""), ("play/files/b", "")];
    let (paths, remarks) = inferred(&files, json!({ "playbook": "play/site.yml" }));
    assert_eq!(paths, ["play/files/etc/a", "play/site.yml"]);
    assert_eq!(
        remarks,
        ["`copy` in `play/site.yml` names a file that is not plain: all files of `play/files/etc` are inputs"]
    );
    let play = "- hosts: all\n  tasks:\n  - copy: { src: \"{{ x }}\", dest: /b }\n";
    let files = [("site.yml", play), ("files/a", ""), ("b", ""), (".infra/x", "")];
    let (paths, remarks) = inferred(&files, json!({ "playbook": "site.yml" }));
    assert_eq!(paths, ["b", "site.yml"]);
    assert!(remarks[0].ends_with("all files of `.` are inputs (not below it: name those under `inputs`)"));
}

#[test]
fn mistakes_and_absences_are_remarked() {
    let files = [("play/bad.yml", "- hosts: {{ x }}\n"), ("play/other", "")];
    let (paths, remarks) = inferred(&files, json!({ "playbook": "play/bad.yml" }));
    assert_eq!(paths, ["play/bad.yml", "play/other"]);
    assert!(remarks[0].starts_with("`play/bad.yml` cannot be read (line 1"), "{remarks:?}");

    let files = [("play/site.yml", "- hosts: all\n  roles: [k3s]\n")];
    let (paths, remarks) = inferred(&files, json!({ "playbook": "play/site.yml" }));
    assert_eq!((paths.len(), remarks.len()), (1, 1));
    let (paths, remarks) = inferred(&files, json!({ "playbook": "play/site.yml", "galaxy": "play/req.yml" }));
    assert_eq!((paths, remarks.len()), (vec!["play/req.yml".to_owned(), "play/site.yml".to_owned()], 0));
}

#[test]
fn playbooks_that_import_each_other_end() {
    let files = [("a.yml", "- import_playbook: b.yml\n"), ("b.yml", "- import_playbook: a.yml\n")];
    assert_eq!(inferred(&files, json!({ "playbook": "a.yml" })).0, ["a.yml", "b.yml"]);
}

#[test]
fn a_vault_is_an_input_that_is_not_read() {
    let files =
        [("site.yml", "- hosts: all\n  vars_files: secret.yml\n"), ("secret.yml", "$ANSIBLE_VAULT;1.1;AES256\n61\n")];
    assert_eq!(
        inferred(&files, json!({ "playbook": "site.yml" })),
        (vec!["secret.yml".into(), "site.yml".into()], NONE.to_vec())
    );
}
