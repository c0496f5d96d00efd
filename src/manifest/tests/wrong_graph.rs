//! Owns the tests of mistakes between tasks: names, values, paths, instances, environments.
//! Does not know mistakes in keys (`wrong.rs`).

use super::*;

#[test]
fn names_of_tasks() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
needs = ["b-tsk", "stage:zz", "tag:q", "x*", "+b-task"]
[task.b-task]
run = ["x"]
"#,
        &[
            r#"unknown-task: unknown task `b-tsk` in `needs` ["b-tsk"] / did you mean `b-task`?"#,
            r#"unknown-task: unknown stage `zz` in `needs` ["stage:zz"]"#,
            r#"unknown-task: no task has the tag `q`, named in `needs` ["tag:q"]"#,
            r#"unknown-task: no task matches `x*` in `needs` ["x*"]"#,
            r#"unknown-task: `+b-task` in `needs`: `+` and `!` are for the command line ["+b-task"] / write `b-task`"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a-b]
run = ["x"]
[task.a_b]
run = ["x"]
"#,
        &[
            "name-collision: tasks `a-b` and `a_b` are both `tasks.a_b` in templates [a_b] / give one of them another name",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
was = ["b"]
[task.b]
run = ["x"]
was = ["old"]
[task.c]
run = ["x"]
was = ["old"]
"#,
        &[
            r#"former-name: `b` is still declared: it is no former name of `a` ["b"] / take it out of `was`, or remove that task"#,
            r#"former-name: `old` is a former name of `b` too ["old"]"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
undo_of = "b"
[task.b]
undo_of = "c"
[task.c]
run = ["x"]
"#,
        &["undo-of-undo: task `b` is itself an undo: it has none [undo_of]"],
    );
}

#[test]
fn cycles_are_shown_whole() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
needs = ["c"]
[task.b]
run = ["x"]
needs = ["a"]
[task.c]
run = ["x"]
after = ["b"]
"#,
        &[r#"cycle: tasks wait for each other: `a -> c -> b -> a` ["c"] / take one of these edges away"#],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
needs = ["a"]
"#,
        &[r#"cycle: tasks wait for each other: `a -> a` ["a"] / take one of these edges away"#],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
outputs = ["a.txt"]
inputs = ["b.txt"]
[task.b]
run = ["x"]
outputs = ["b.txt"]
inputs = ["a.txt"]
"#,
        &[r#"cycle: tasks wait for each other: `a -> b -> a` ["b.txt"] / take one of these edges away"#],
    );
}

#[test]
fn what_templates_may_read() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x", "{{ vars.nme }}", "{{ nme }}", "{{ item }}", "{{ matrix.x }}", "{{ secrets.t }}", "{{ out.x }}", "{{ x", "{{ tasks.b.x }}", "{{ tasks.a.k }}"]
"#,
        &[
            "undefined: `vars.nme` is not defined [vars.nme] / declare it under `[vars]` in `infra.toml`",
            "undefined: `nme` is not defined [nme] / a variable is written `vars.nme`; there are also `env.name`, `tasks`, `secrets`, `item`, `matrix` and `out`",
            "undefined: `item` is not defined [item] / only a task with `foreach` has an `item`",
            "undefined: `matrix.x` is not defined [matrix.x] / the task has no such axis under `matrix`",
            "read-not-allowed: `run` can't read `secrets.t` [secrets.t] / secrets may be read in `env`, in `vars` of terraform and ansible, and in templates with `secret = true`",
            "read-not-allowed: `run` can't read `out.x` [out.x] / a task's own exports may be read in `ready` and `probe` only",
            "template-syntax: in a template: unexpected end of input, expected end of variable block [x] / close it with `}}`",
            "unknown-value: unknown task `b` in a template [tasks.b.x]",
            "unknown-value: task `a` reads its own value [tasks.a.k] / its own exports are `out.k`, in `ready` and `probe`",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
[task.b]
shell = "{{ tasks.a.ip }}"
needs = ["{{ tasks.a.ip }}"]
outputs = ["{{ secrets.x }}"]
"#,
        &[
            r#"unknown-value: task `a` exports no `ip` [tasks.a.ip] / declare it: `exports = { ip = "string" }`"#,
            "read-not-allowed: `needs` can't read values of tasks [tasks.a.ip] / what makes the graph may read `vars`, `env.name`, `item` and `matrix` only",
            "read-not-allowed: `outputs` can't read `secrets.x` [secrets.x] / secrets may be read in `env`, in `vars` of terraform and ansible, and in templates with `secret = true`",
        ],
    );
    assert_mistakes(
        "[vars]\nworkers = 1\n",
        r#"[task.a]
shell = "{{ workers }} and {{ vars.w }}"
[task.b]
shell = "{{ vars.wrkers }}"
env = { A = "{{ secrets.s }}" }
"#,
        &[
            "undefined: `workers` is not defined [workers] / did you mean `vars.workers`?",
            "undefined: `vars.wrkers` is not defined [vars.wrkers] / did you mean `vars.workers`?",
            "undefined: `secrets.s` is not defined [secrets.s] / declare it under `[secrets]` in `infra.toml`",
        ],
    );
    assert_mistakes(
        "[vars]\nhost = { name = \"x\" }\n",
        r#"[task.a]
shell = "{{ vars.host.nme }}"
foreach = [{ name = "i" }]
[task.b]
foreach = [{ name = "i", ip = "1" }]
run = ["x", "{{ item.pi }}"]
outputs = ["out/{{ item.np }}"]
"#,
        &[
            "undefined: `vars.host.nme` is not defined [vars.host.nme] / did you mean `vars.host.name`?",
            "undefined: `item.pi` is not defined [item.pi] / did you mean `item.ip`?",
            "undefined: `item.np` is not defined [item.np] / did you mean `item.ip`?",
        ],
    );
}

#[test]
fn values_of_tasks() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
exports = { ips = "list<ip>" }
[task.b]
shell = "{{ tasks.a.ip }} {{ tasks.a.ips }} {{ tasks.ab.x }}"
"#,
        &[
            "unknown-value: task `a` exports no `ip` [tasks.a.ip] / did you mean `ips`?",
            "unknown-value: unknown task `ab` in a template [tasks.ab.x] / did you mean `tasks.a`?",
        ],
    );
    assert_mistakes(
        "",
        r#"[task.h]
foreach = ["x"]
run = ["x"]
exports = { ip = "ip" }
[task.u]
shell = "{{ tasks.h['y'].ip }} {{ tasks.h['x'].pi }} {{ tasks.h.x.ip }}"
needs = ["h[z]"]
"#,
        &[
            "unknown-value: `tasks.h` has no item `y` [tasks.h['y'].ip]",
            "unknown-value: task `h[x]` exports no `pi` [tasks.h['x'].pi] / did you mean `ip`?",
            r#"unknown-value: task `h[x]` exports no `x` [tasks.h.x] / an item is named in brackets: `tasks.h["x"].KEY`"#,
            r#"unknown-task: unknown task `h[z]` in `needs` ["h[z]"] / did you mean `h[x]`?"#,
        ],
    );
    assert_mistakes(
        "[env.dev]\n",
        r#"[task.a]
envs = ["dev"]
run = ["x"]
exports = { k = "int" }
[task.b]
shell = "{{ tasks.a.k }}"
"#,
        &[
            "unknown-value: task `a` does not exist in environment `local` [tasks.a.k] / it exists in `dev`; limit this task with `envs` too, or `override` the key here",
        ],
    );
}

#[test]
fn what_tasks_write() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
outputs = ["o"]
[task.b]
run = ["x"]
outputs = ["o", "d/", "d/e"]
[task.c]
run = ["x"]
outputs = ["d/f", "*.x", "/abs", "../up", "."]
"#,
        &[
            r#"output-conflict: tasks `a` and `b` both write `o` ["o"] / a path has one task that writes it: give each its own, or join the tasks"#,
            r#"output-conflict: task `b` writes `d/e` inside its output `d` ["d/e"] / a path has one task that writes it: give each its own, or join the tasks"#,
            r#"output-conflict: task `c` writes `d/f` inside `d`, which task `b` writes ["d/f"] / a path has one task that writes it: give each its own, or join the tasks"#,
            r#"bad-path: the output `*.x` is a glob ["*.x"] / name files in full, and folders with a `/` at the end"#,
            r#"bad-path: `/abs` is an absolute path ["/abs"] / a path is relative to the project's root and stays in it"#,
            r#"bad-path: `../up` leaves the project ["../up"] / a path is relative to the project's root and stays in it"#,
            r#"bad-path: the project's root can't be an output ["."]"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
outputs = ["o", "p/q"]
inputs = ["o", "p", "p/*"]
"#,
        &[
            r#"input-is-output: `o` is input and output of task `a` ["o"] / take it out of one of them, or write `in_place = ["o"]`"#,
            r#"input-is-output: task `a` writes `p/q` into its input `p` ["p"] / write `"p/**"`, which leaves out what tasks write"#,
            r#"empty-glob: the glob `p/*` takes only what tasks write, such as `p/q` of task `a` ["p/*"] / globs leave out what tasks write: name it in full, `"p/q"`"#,
        ],
    );
}

#[test]
fn what_tasks_read() {
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
inputs = ["missing.txt", "tasks/b.toml", "a[b", "x/**y", "/etc/passwd", "!z{"]
"#,
        &[
            r#"missing-input: input `missing.txt` of task `a` does not exist, and no task makes it ["missing.txt"] / name it under the `outputs` of the task that makes it, or take it away"#,
            r#"missing-input: input `tasks/b.toml` of task `a` does not exist, and no task makes it ["tasks/b.toml"] / did you mean `tasks/a.toml`?"#,
            r#"bad-glob: bad glob `a[b`: a `[` is not closed by `]` ["a[b"]"#,
            r#"bad-glob: bad glob `x/**y`: `**` must stand alone between `/` ["x/**y"]"#,
            r#"bad-path: `/etc/passwd` is an absolute path ["/etc/passwd"] / a path is relative to the project's root and stays in it"#,
            r#"bad-glob: bad glob `z{`: a `{` is not closed by `}` ["!z{"]"#,
        ],
    );
    assert_mistakes(
        "",
        r#"[task.a]
run = ["x"]
outputs = ["b/o.yml"]
[task.b]
run = ["x"]
inputs = ["b/*.yml"]
"#,
        &[
            r#"empty-glob: the glob `b/*.yml` takes only what tasks write, such as `b/o.yml` of task `a` ["b/*.yml"] / globs leave out what tasks write: name it in full, `"b/o.yml"`"#,
        ],
    );
}

#[test]
fn what_tasks_own() {
    assert_mistakes(
        "[pools]\napi = 1\n",
        r#"[task.a]
run = ["x"]
effect = "once"
retry = { max = 1 }
ttl = "5m"
[task.b]
run = ["x"]
pool = "apj"
"#,
        &[
            "retry-of-once: task `a` is `once`: it must not be tried again blindly [retry] / take `retry` away",
            "warning unused-key: `ttl` is for `read` tasks, and task `a` is `once` [ttl]",
            r#"unknown-pool: unknown pool `apj` ["apj"] / did you mean `api`?"#,
        ],
    );
}

#[test]
fn instances() {
    assert_mistakes(
        "",
        r#"[task.a]
foreach = ["x", "x", { b = 1 }, "q["]
run = ["x"]
[task.b]
foreach = "abc"
run = ["x"]
matrix = { a = "x" }
[task.c]
foreach = "{{ vars.q }}"
run = ["x"]
[task.d]
matrix = []
run = ["x"]
"#,
        &[
            r#"bad-item: `foreach` has the key `x` twice ["x"]"#,
            "bad-item: an item of `foreach` has no text that can be its key [{ b = 1 }] / an item is a text, a number, or a table with a `name`; a key is not empty and holds no `[`, `]` or `,`",
            r#"bad-item: an item of `foreach` has no text that can be its key ["q["] / an item is a text, a number, or a table with a `name`; a key is not empty and holds no `[`, `]` or `,`"#,
            r#"wrong-type: `foreach` must be a list or a table, found text ["abc"] / write a list, or one template that gives a list: `"{{ vars.NAME }}"`"#,
            r#"wrong-type: `a` must be a list or a table, found text ["x"] / write a list, or one template that gives a list: `"{{ vars.NAME }}"`"#,
            "undefined: `vars.q` is not defined [vars.q] / declare it under `[vars]` in `infra.toml`",
            "wrong-type: `matrix` must be a table of lists, found a list [[]]",
        ],
    );
}

#[test]
fn environments() {
    assert_mistakes(
        "[env.dev]\n",
        r#"[task.a]
run = ["x"]
envs = ["dve"]
[task.a.override.prod]
run = "y"
override = {}
"#,
        &[
            r#"unknown-environment: unknown environment `dve` in `envs` ["dve"] / did you mean `dev`?"#,
            "unknown-environment: unknown environment `prod` in `override` [prod] / declare it as `[env.prod]` in `infra.toml`",
            r#"wrong-type: `run` must be an argv (a list of words) or a list of argvs, found text ["y"] / write `["y"]`, or use `shell` for a command line"#,
            "unknown-key: `override.prod` of task `a` can't hold `override` [override]",
        ],
    );
}
