//! Owns the tests of mistakes in keys, files and settings: each with its words, what it underlines, and what it says to do.
//! Does not know mistakes between tasks (`wrong_graph.rs`).

use super::*;

#[test]
fn unknown_and_missing_keys() {
    assert_mistakes(
        "",
        r#"[task.a]
runs = ["x"]
"#,
        &["unknown-key: unknown key `runs` in task `a` [runs] / did you mean `run`?"],
    );
    assert_mistakes(
        "",
        "[task.a]
",
        &[
            "no-action: task `a` does nothing [a] / give it one of `run`, `shell`, `template`, `terraform`, `ansible`, `kubectl`, `helm`, `undo_of`",
        ],
    );
    assert_mistakes(
        "",
        r#"[tasks.a]
run = ["x"]
[lint]
run = ["x"]
[vars]
n = 1
"#,
        &[
            "unknown-key: unknown key `tasks` in `tasks/a.toml` [tasks] / did you mean `task`?",
            "unknown-key: unknown key `lint` in `tasks/a.toml` [lint] / a task is written `[task.lint]`",
            "unknown-key: unknown key `vars` in `tasks/a.toml` [vars] / `[vars]` belongs in `infra.toml`",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
needz = []
wibble = 1
ready = [{ tpc = "x", http = "y" }]
"#,
        &[
            "unknown-key: unknown key `needz` in task `a` [needz] / did you mean `needs`?",
            "unknown-key: unknown key `wibble` in task `a` [wibble] / known keys: `run`, `shell`, `template`, `terraform`, `ansible`, `kubectl`, `helm`, `undo_of`, `description`, `stage`, `tags`, `needs`, `after`, `inputs`, `outputs`, `exports`, `env`, `pass_env`, `dir`, `effect`, `ttl`, `probe`, `undo`, `foreach`, `matrix`, `envs`, `override`, `was`, `in_place`, `allow_failure`, `ready`, `retry`, `timeout`, `grace`, `pool`, `interactive`, `watch`",
            "unknown-key: unknown key `tpc` in `ready` [tpc] / did you mean `tcp`?",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
template = { from = "t" }
"#,
        &[
            r#"missing-key: `template` lacks the key `to` [{ from = "t" }] / `to` is: the file that it makes: an output"#,
            r#"missing-template: no template `t` ["t"]"#,
        ],
    );
}

#[test]
fn a_task_does_one_thing() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
shell = "y"
"#,
        &[
            "many-actions: task `a` has `run` and `shell`: a task does one thing [shell] / make a task of each, and let one `needs` the other",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
kubectl = { apply = "x" }
"#,
        &[
            "wrong-action: task `a`: kubectl needs `kubeconfig`: the caller's own `~/.kube/config` and `KUBECONFIG` are never read [kubectl]",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
[task."a b"]
run = ["x"]
[task.c]
run = ["x"]
stage = "a b"
tags = ["[x]"]
[task.destroy]
run = ["x"]
"#,
        &[
            r#"bad-name: `a b` can't name a task ["a b"] / a letter or digit first, then letters, digits, `-`, `_` and `.`"#,
            r#"bad-name: `a b` can't be in `stage` ["a b"] / a letter or digit first, then letters, digits, `-`, `_` and `.`"#,
            r#"bad-name: `[x]` can't be in `tags` ["[x]"] / a letter or digit first, then letters, digits, `-`, `_` and `.`"#,
            r"bad-name: `destroy` is what `infra destroy` is recorded as, and can't name a task [destroy] / call it `teardown`, say, or leave it to `infra destroy`",
        ],
    );
}

#[test]
fn wrong_types_say_what_to_write() {
    assert_mistakes(
        "",
        r#"[task.a]
run = "make all"
"#,
        &[
            r#"wrong-type: `run` must be an argv (a list of words) or a list of argvs, found text ["make all"] / write `["make", "all"]`, or use `shell` for a command line"#,
        ],
    );
    assert_mistakes(
        "",
        "[task.a]
run = []
",
        &["bad-value: `run` has an argv without a program [[]]"],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["a", ["b"]]
"#,
        &[
            r#"wrong-type: `run` mixes words and argvs [["a", ["b"]]] / write one argv `["a", "b"]`, or a list of argvs `[["a"], ["b"]]`"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
timeout = "10 sec"
effect = "idempotnt"
watch = "true"
needs = 3
tags = [1]
grace = 5
env = { A = [] }
"#,
        &[
            r#"bad-duration: `10 sec` is no duration ["10 sec"] / write `500ms`, `10s`, `5m`, `1h30m` or `2d`"#,
            r#"bad-value: unknown word `idempotnt` for `effect` ["idempotnt"] / did you mean `idempotent`?"#,
            r#"wrong-type: `watch` must be `true` or `false`, found text ["true"] / write `true` without quotes"#,
            "wrong-type: `needs` must be a text or a list of texts, found a whole number [3]",
            r#"wrong-type: an item of `tags` must be text, found a whole number [1] / write `"1"`"#,
            "wrong-type: `grace` must be a duration, found a whole number [5] / write `500ms`, `10s`, `5m`, `1h30m` or `2d`",
            "wrong-type: `A` of `env` must be text, found a list [[]]",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
template = "x"
[task.b]
template = { from = "tasks/a.toml", to = "y", mode = "999" }
"#,
        &[
            r#"wrong-type: `template` must be a table or a list of tables, found text ["x"] / write `{ from = …, to = … }`"#,
            r#"bad-value: `999` is no file mode ["999"] / write it in octal digits: `"0644"`"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
exports = { q = "lst<ip>", r = "wat" }
"#,
        &[
            r#"bad-type: unknown type `lst<ip>` ["lst<ip>"] / did you mean `list<ip>`?"#,
            r#"bad-type: unknown type `wat` ["wat"] / write one of `string`, `int`, `float`, `bool`, `ip`, `cidr`, `path`, `url`, `json`, `list<…>`, `map<…>`, `secret<…>`"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
probe = { tcp = "x", http = "y" }
ready = [{ within = "5m" }]
retry = { backoff = "60s..5s" }
"#,
        &[
            r#"bad-value: `probe` must have one of `exec`, `tcp`, `http`, `kind` [{ tcp = "x", http = "y" }]"#,
            r#"bad-value: `ready` must have one of `exec`, `tcp`, `http` [{ within = "5m" }]"#,
            "missing-key: `retry` lacks the key `max` [retry] / `max` is the number of tries after the first",
            r#"bad-duration: `60s..5s` is no pause ["60s..5s"] / write the first and the longest pause, `5s..60s`, or one pause"#,
        ],
    );
    assert_mistakes(
        "[vars]\nn = 3\n",
        r#"[task.a]
shell = { script = "x", with = { a = 1 } }
[task.b]
template = { from = "tasks/a.toml", to = "x", secret = "{{ vars.n }}" }
"#,
        &[
            "wrong-type: `with` must be a text or a list of texts, found a table [{ a = 1 }]",
            r#"wrong-type: `secret` renders to something else than it must be: 3 ["{{ vars.n }}"]"#,
        ],
    );
}

#[test]
fn settings() {
    assert_mistakes(
        r#"[projct]
[task.x]
[project]
nme = 1
default_env = "prod"
[env.dev]
approve = "sometimes"
vars_file = "env/x.toml"
[secrets]
a = "x"
b = { env = "A", file = "b" }
[pools]
p = 0
[include]
q = "nope"
[requires]
t = "new"
u = 1
[vars]
x = "{{ vars.y }}"
"#,
        r#"[task.a]
run = ["x"]
"#,
        &[
            "unknown-key: unknown key `projct` in `infra.toml` [projct] / did you mean `project`?",
            "unknown-key: `infra.toml` holds no tasks [task] / move it to a file under `tasks/`",
            "unknown-key: unknown key `nme` in `[project]` [nme] / did you mean `name`?",
            r#"unknown-environment: unknown environment `prod` in `default_env` ["prod"] / declared: `dev`"#,
            r#"bad-value: unknown word `sometimes` for `approve` ["sometimes"] / write one of `never`, `on-change`, `on-destroy`, `always`"#,
            r#"missing-file: no file `env/x.toml` ["env/x.toml"]"#,
            r#"wrong-type: the secret `a` must be a table, found text ["x"] / write `{ env = "…" }`, `{ file = "…" }` or `{ command = ["…"] }`: a secret never stands in the file itself"#,
            "bad-value: the secret `b` must have one of `env`, `file` and `command` [b]",
            "wrong-type: the pool `p` must be a whole number, 1 or more [0]",
            r#"missing-file: no folder `nope/tasks` ["nope"]"#,
            r#"bad-value: `new` is no version requirement ["new"] / write `>=1.9`, `>=1.9, <2`, `=1.9.3` or `*`"#,
            r#"wrong-type: `u` must be a version requirement in quotes, found a whole number [1] / write `">=1.9"`"#,
            r#"warning template-in-variable: the variable `x` is no template ["{{ vars.y }}"] / put the template where the variable is used"#,
        ],
    );
}

#[test]
fn a_broken_file_is_one_mistake() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"
[task.b]
runn = ["x"]
"#,
        &["toml-syntax: not valid TOML: missing comma between array elements, expected `,` []"],
    );
    assert_mistakes(
        "[vars\nx = 1\n",
        r#"[task.a]
run = ["{{ vars.x }}"]
neds = 1
"#,
        &[
            "toml-syntax: not valid TOML: unclosed table, expected `]` []",
            "unknown-key: unknown key `neds` in task `a` [neds] / did you mean `needs`?",
        ],
    );
}

#[test]
fn flags_and_the_environment() {
    let options = Options { env: Some("dve".to_owned()), set: vec![("wrkers".to_owned(), "1".to_owned())] };
    assert_eq!(
        mistakes_in(&[("infra.toml", "[vars]\nworkers = 1\n[env.dev]\n")], &options),
        [
            "unknown-variable: `--set wrkers`: no variable `wrkers` is declared / did you mean `workers`?",
            "unknown-environment: unknown environment `dve` / did you mean `dev`?",
        ]
    );
}

#[test]
fn template_files_are_underlined_where_they_stand() {
    let files = [
        ("t/x.j2", "a {{ vars.q }}\n{% include 'prt.j2' %}"),
        ("t/part.j2", ""),
        ("u/y.j2", "{{ vars.q }} {{ secrets.s }} {{ tasks.zz.k }}"),
        (
            "tasks/a.toml",
            "[task.a]\ntemplate = [{ from = \"t/x.j2\", to = \"o\" }, { from = \"u/y.j2\", to = \"o2\" }, { from = \"t/prt.j2\", to = \"o3\" }]\n",
        ),
    ];
    assert_eq!(
        mistakes_in(&files, &Options::default()),
        [
            "missing-template: no template `prt.j2` ['prt.j2'] / did you mean `part.j2`?",
            "missing-template: no template `t/prt.j2` [\"t/prt.j2\"] / did you mean `t/part.j2`?",
            "undefined: `vars.q` is not defined [vars.q] / declare it under `[vars]` in `infra.toml`",
            "read-not-allowed: `u/y.j2` can't read `secrets.s` [secrets.s] / secrets may be read in `env`, in `vars` of terraform and ansible, and in templates with `secret = true`",
            "unknown-value: unknown task `zz` in a template [tasks.zz.k]",
        ]
    );
}

#[test]
fn mistakes_of_all_files_come_in_order_each_once() {
    let files = [
        ("tasks/b.toml", "[task.b]\nrun = [\"x\"]\nneeds = [\"c\"]\n"),
        ("tasks/a.toml", "[task.b]\nforeach = [\"x\", \"y\"]\nrun = [\"{{ vars.q }}\"]\n"),
    ];
    assert_eq!(
        mistakes_in(&files, &Options::default()),
        [
            "undefined: `vars.q` is not defined [vars.q] / declare it under `[vars]` in `infra.toml`",
            "duplicate-task: task `b` is declared twice [b] / it is also declared in `tasks/a.toml:1`",
        ]
    );
}

#[test]
fn the_default_targets_mean_something() {
    assert_mistakes(
        "[project]\ndefault = [\"verfy\", \"a\"]\n",
        "task = 1\n",
        &[
            "unknown-task: unknown task `verfy` in `default` [\"verfy\"]",
            "unknown-task: unknown task `a` in `default` [\"a\"]",
            "wrong-type: `task` must be a table of tasks, found a whole number [1] / write `[task.NAME]`",
        ],
    );
    assert_mistakes(
        "[project]\ndefault = \"verfy\"\n",
        "[task.verify]\nrun = [\"x\"]\n",
        &["unknown-task: unknown task `verfy` in `default` [\"verfy\"] / did you mean `verify`?"],
    );
}
