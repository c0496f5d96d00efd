//! `infra import doit`: what the imported tasks make is what doit makes; what is lost is said.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;
use std::path::Path;

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

const ODD: &str = r#"
import os
from doit import create_after, get_var, task_params
from doit.action import CmdAction
from doit.exceptions import TaskFailed

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = os.environ["TOKEN"]
KIND = os.environ.get("KIND", "plain")
mode = get_var("mode", "dev")


def failed():
    return TaskFailed("no")


def number():
    return 1


def values():
    return {"a": 1}


def options(n, rest):
    open("options.txt", "w").write(f"{n} {rest} {mode}")


def made():
    open("called.txt", "w")
    return "echo made"


def task_failed():
    return {"actions": [failed]}


def task_number():
    return {"actions": [number]}


def task_values():
    return {"actions": [values, "echo values > values.txt"]}


def task_env():
    env = {**os.environ, "X": "a  b"}
    return {"actions": [CmdAction("echo \"$X\" > env.txt", env=env, cwd=os.path.join(HERE, "sub"))]}


def task_mode():
    return {"actions": [f"echo {mode} {KIND} >> mode.txt"]}


def task_absolute():
    return {"actions": ["cp %(dependencies)s %(targets)s", f"test -f {HERE}/a.txt"],
            "file_dep": [HERE + "/a.txt"], "targets": [HERE + "/sub/out.txt"]}


def task_token():
    return {"actions": [f"echo {TOKEN} > token.txt", ["sh", "-c", f"echo {TOKEN} >> token.txt"]]}


def task_options():
    return {"actions": [options], "pos_arg": "rest", "params": [{"name": "n", "short": "n", "default": "5"}]}


@task_params([{"name": "many", "default": 3, "type": int, "long": "many"}])
def task_many(many):
    return {"actions": [f"echo {many} > many.txt"]}


def task_first():
    return {"actions": ["echo first >> mode.txt"]}


def task_both():
    return {"actions": None, "task_dep": ["mode", "first"]}


@create_after(executed="absolute")
def task_late():
    return {"actions": ["echo late"]}


def task_made():
    return {"actions": [CmdAction(made)]}


def task_got():
    return {"actions": ["echo %(x)s"], "getargs": {"x": ("values", "a")}}
"#;

#[test]
pub fn actions_end_and_get_what_doit_gives_them() {
    let both = [Story::new(), Story::new()];
    for story in &both {
        story.file("dodo.py", ODD).file("a.txt", "a\n").file("sub/keep", "").import_tools().env("TOKEN", "s3cret");
        // `python3` has what the dodo file imports.
        story.on_path(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bench/bin"));
    }
    let [theirs, ours] = both;
    ours.env("KIND", "odd")
        .infra("import doit --write")
        .without_env("KIND")
        .stderr_has("`KIND` of your environment: its default stands here")
        .stderr_has("late: left out: doit makes its tasks only while it runs, once `absolute` is done (`create_after`)")
        .stderr_has("made: left out: a function of the dodo file makes its command when it runs")
        .stderr_has("got: left out: its command names `%(x)s`, which doit knows only when it runs")
        .stderr_has("many: parameters of the function that makes it (`task_params`): their defaults stand here")
        .stderr_has("options: `pos_arg`: a task takes no arguments")
        .stderr_has("variables of doit's command line (`get_var`): their defaults stand here")
        .absent("called.txt");
    let imported = ours.read("tasks/imported.toml");
    assert!(!imported.contains("s3cret") && !imported.contains(&ours.base().display().to_string()), "{imported}");
    ours.infra("check");
    for task in ["failed", "number"] {
        tool_fails(&theirs, "doit", &[task]);
        ours.run_to(1, task).failed([task]);
        assert!(!ours.last().stdout.contains("Error"), "{}", ours.last().stdout);
    }
    for task in ["values", "env", "absolute", "token", "options", "many", "both"] {
        tool(&theirs, "doit", &[task]);
        ours.run(task).ran([task]);
    }
    let files = ["values.txt", "sub/env.txt", "sub/out.txt", "token.txt", "options.txt", "many.txt", "mode.txt"];
    for file in files {
        ours.holds(file, &theirs.read(file));
    }
    assert_eq!(ours.read("mode.txt"), "dev plain\nfirst\n");
}

/// An action that would lack an argument is no task, and a pattern of names is the tasks that it matches.
#[test]
pub fn what_an_action_gets_only_from_doit_is_left_out() {
    let dodo = "DOIT_CONFIG = {'action_string_formatting': 'new'}\n\n\ndef use(size):\n    pass\n\n\ndef task_use():\n    return {'actions': [(use,)], 'getargs': {'size': ('one', 'size')}}\n\n\n\
                def task_one():\n    return {'actions': ['echo one >> log']}\n\n\ndef task_other():\n    return {'actions': ['echo other {targets} >> {targets}'], 'targets': ['log2'], 'task_dep': ['on*']}\n";
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("dodo.py", dodo).import_tools();
    }
    let [theirs, ours] = two;
    ours.infra("import doit --write").stderr_has(
        "use: left out: the python action `use` gets `size` from another task (`getargs`) only while doit runs",
    );
    tool(&theirs, "doit", &["other"]);
    ours.infra("check").run("other").ran(["one", "other"]).holds("log", &theirs.read("log"));
    ours.holds("log2", &theirs.read("log2"));
    // Where it came from may be long; what is wrong comes last.
    ours.remove("tasks/imported.toml").file("dodo.py", "import nowhere_to_be_found\n");
    ours.infra_to(2, "import doit").stderr_has("No module named 'nowhere_to_be_found'");
}
