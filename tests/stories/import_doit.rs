//! `infra import doit`: what the imported tasks make is what doit makes; what is lost is said.

use crate::import_make::tool;
use crate::support::Story;

const DODO: &str = r#"
import os

DOIT_CONFIG = {"default_tasks": ["pack"], "verbosity": 2}


def shout(targets, dependencies, mark):
    """Called by name."""
    with open(dependencies[0]) as source, open(targets[0], "w") as target:
        target.write(source.read().upper() + mark)


def task_shout():
    """Say it louder"""
    return {"actions": [(shout, [], {"mark": "!\n"})], "file_dep": ["a.txt"], "targets": ["loud.txt"]}


def task_part():
    for name in ["x", "y"]:
        yield {"name": name, "actions": [f"echo {name} > %(targets)s", "cd / && test -d tmp"], "targets": [f"part-{name}"], "uptodate": [True]}


def task_pack():
    return {
        "actions": ["cat loud.txt part-x part-y > %(targets)s", ["echo", "it's packed"]],
        "file_dep": ["loud.txt", "part-x", "part-y"],
        "task_dep": ["part"],
        "targets": ["packed.txt"],
        "clean": True,
    }


def task_always():
    return {"actions": ["echo again >> again.txt"]}


def task_checked():
    return {"actions": ["touch checked"], "uptodate": ["test -f checked"]}


def task_local():
    def inner():
        print("inner")

    return {"actions": [inner]}


def task_values():
    return {"actions": ["echo"], "getargs": {"v": ("shout", "v")}, "uptodate": [lambda: True]}
"#;

fn dodo() -> Story {
    let story = Story::new();
    story.file("a.txt", "hello\n").file("dodo.py", DODO).import_tools();
    story
}

#[test]
pub fn the_imported_tasks_make_what_doit_makes() {
    let (theirs, ours) = (dodo(), dodo());
    tool(&theirs, "doit", &["pack", "always", "checked"]);
    ours.infra("import doit --write").infra("check").run("pack always checked");
    ours.ran(["always", "checked", "pack", "part", "part-x", "part-y", "shout"]);
    for file in ["loud.txt", "part-x", "part-y", "packed.txt", "again.txt"] {
        ours.holds(file, &theirs.read(file));
    }
    ours.run("pack checked always").ran(["always"]);
    ours.file("a.txt", "other\n").run("pack").ran(["shout", "pack"]);
    ours.remove("checked").run("checked").ran(["checked"]);
}

#[test]
pub fn what_doit_has_and_infra_has_not_is_said() {
    let story = dodo();
    story
        .infra("import doit")
        .stdout_has("# `doit` alone does `pack`")
        .stdout_has("# there it is `part:x`")
        .stdout_has("description = \"Say it louder\"")
        .stdout_has("# not carried over: how it is cleaned")
        .stdout_has("# not carried over: task `local`: the python action `inner`")
        .stdout_has("# not carried over: values of other tasks (`getargs`)")
        .stdout_has("# not carried over: `uptodate` by")
        .stderr_has("8 tasks from dodo.py");
    story.absent("tasks").absent("loud.txt").absent("__pycache__");
}

#[test]
pub fn a_dodo_file_that_doit_cannot_load_is_told_in_its_words() {
    let story = dodo();
    story.file("dodo.py", "def task_a():\n    return {'actons': []}\n");
    story.infra_to(2, "import doit").stderr_has("doit cannot read `dodo.py`").stderr_has("actons");
    let path = story.base().join("home").display().to_string();
    story.env("PATH", &path).infra_to(6, "import doit").stderr_has("`doit` was not found").stderr_has("pip install");
}
