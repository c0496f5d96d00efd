//! Owns the tests of paths, the edges they make, environments, and targets.
//! Does not know mistakes (`wrong.rs`).

use super::*;
use crate::model::graph::Edge;
use crate::model::task::{GitIgnore, Input, Origin};

/// Inputs of a task, in short.
fn inputs(project: &Project, name: &str) -> Vec<String> {
    let shown = |input: &Input| match input {
        Input::Path { path, origin: Origin::Declared } => format!("path {path}"),
        Input::Path { path, origin: Origin::Inferred } => format!("inferred {path}"),
        Input::Glob(glob) => {
            let ignore = if glob.ignore == GitIgnore::Disregarded { " all" } else { "" };
            format!("glob {}{ignore} -{}", glob.pattern, glob.without.join(" -"))
        }
        Input::Artifact { from, path, output } => format!("{}'s {path} of {output}", project.task(*from).name),
    };
    task(project, name).inputs.iter().map(shown).collect()
}

#[test]
fn paths_of_other_tasks_are_edges_at_in_and_around() {
    let project = project(&[
        ("src/in/own.c", ""),
        (
            "tasks/a.toml",
            r#"
[task.gen]
run = ["gen"]
outputs = ["src/in/gen.c", "dist/"]

[task.at]
run = ["x"]
inputs = ["./src/in/gen.c"]

[task.in]
run = ["x"]
inputs = ["src/in"]

[task.around]
run = ["x"]
inputs = ["dist/a/b.js", "dist/**/*.js"]

[task.glob]
run = ["x"]
inputs = ["src/**/*.c", "!src/old"]
"#,
        ),
    ]);
    assert_eq!(inputs(&project, "at"), ["gen's src/in/gen.c of src/in/gen.c"]);
    assert_eq!(inputs(&project, "in"), ["gen's src/in/gen.c of src/in/gen.c", "path src/in"]);
    assert_eq!(inputs(&project, "around"), ["gen's dist/a/b.js of dist", "gen's dist of dist"]);
    assert_eq!(inputs(&project, "glob"), ["glob src/**/*.c -src/old -src/in/gen.c"]);
    let up = |name| project.graph.up(task(&project, name).id).to_vec();
    let gen_id = task(&project, "gen").id;
    assert_eq!(up("at"), [(gen_id, Edge::Reads)]);
    assert_eq!(up("in"), [(gen_id, Edge::Reads)]);
    assert_eq!(up("around"), [(gen_id, Edge::Reads)]);
    assert_eq!(up("glob"), []);
}

#[test]
fn a_template_reads_values_and_included_files() {
    let project = project(&[
        ("infra.toml", "[vars]\na = 1\n"),
        ("templates/x.j2", "{{ vars.a }} {{ vars.own }}{% include 'part.j2' %}"),
        ("templates/part.j2", "{{ tasks.p.ips }}"),
        (
            "tasks/a.toml",
            r#"
[task.p]
run = ["p"]
exports = { ips = "list<ip>" }

[task.inv]
template = { from = "templates/x.j2", to = "build/{{ env.name }}/x.yml", vars = { own = "1" } }

[task.use]
run = ["cat", "x"]
inputs = ["build/local/x.yml"]
"#,
        ),
    ]);
    assert_eq!(inputs(&project, "inv"), ["inferred templates/x.j2", "inferred templates/part.j2"]);
    assert_eq!(task(&project, "inv").outputs[0].path, "build/local/x.yml");
    assert_eq!(inputs(&project, "use"), ["inv's build/local/x.yml of build/local/x.yml"]);
    assert_eq!(project.graph.up(task(&project, "inv").id), [(task(&project, "p").id, Edge::Reads)]);
    let reads: Vec<String> = task(&project, "inv").action.file_reads.iter().map(|read| format!("{read:?}")).collect();
    assert_eq!(reads, ["Var(\"a\")", "TaskValue { task: \"p\", item: None, key: \"ips\" }"]);
}

#[test]
fn globs_leave_out_what_tasks_of_any_environment_write() {
    let files = [
        ("infra.toml", "[env.local]\n[env.dev]\nvars = { out = \"gen\" }\n[vars]\nout = \"made\"\n"),
        ("conf/a.yml", ""),
        (
            "tasks/a.toml",
            "[task.w]\nrun = [\"x\"]\noutputs = [\"conf/{{ vars.out }}.yml\"]\n[task.r]\nrun = [\"x\"]\ninputs = [\"conf/*.yml\"]\n[task.d]\nenvs = [\"dev\"]\nrun = [\"x\"]\noutputs = [\"conf/only-dev.yml\"]\n",
        ),
    ];
    let project = project(&files);
    assert_eq!(inputs(&project, "r"), ["glob conf/*.yml -conf/gen.yml -conf/made.yml -conf/only-dev.yml"]);
}

#[test]
fn environments_choose_tasks_and_override_keys() {
    let files = [
        ("infra.toml", "[env.local]\n[env.dev]\n"),
        (
            "tasks/a.toml",
            r#"
[task.prepare]
envs = ["dev"]
run = ["prepare"]

[task.run]
needs = ["prepare"]
run = ["local"]
env = { A = "1", B = "1" }

[task.run.override.dev]
shell = "dev {{ env.name }}"
env = { B = "2" }
"#,
        ),
    ];
    let local = project(&files);
    assert_eq!(local.tasks.len(), 1);
    assert_eq!(local.elsewhere[&TaskName::new("prepare")], ["dev"]);
    let dev = project_in(&files, &in_env("dev"));
    let run = task(&dev, "run");
    assert_eq!(run.action.kind.word(), "shell");
    assert_eq!(run.env.values().map(|text| text.source.as_ref()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(dev.graph.up(run.id).len(), 1);
}

#[test]
fn included_projects_name_their_own_first() {
    let project = project(&[
        ("infra.toml", "[include]\nplatform = \"platform\"\n"),
        ("tasks/a.toml", "[task.net]\nrun = [\"x\"]\n[task.top]\nneeds = [\"platform/vm\"]\nrun = [\"x\"]\n"),
        (
            "platform/tasks/a.toml",
            "[task.net]\nrun = [\"x\"]\nexports = { cidr = \"cidr\" }\n[task.vm]\nneeds = [\"net\"]\nshell = \"{{ tasks.net.cidr }}\"\n",
        ),
    ]);
    let vm = task(&project, "platform/vm");
    assert_eq!(project.graph.up(vm.id), [(task(&project, "platform/net").id, Edge::Needs)]);
    let mut reads = Vec::new();
    vm.action.table["script"].each_text(&mut |text| reads.extend(text.reads.iter().map(|read| format!("{read:?}"))));
    assert_eq!(reads, ["TaskValue { task: \"platform_net\", item: None, key: \"cidr\" }"]);
}

#[test]
fn an_undo_task_waits_for_nothing_and_goes_downstream_first() {
    let project = tasks(
        "",
        "[task.a]\nrun = [\"x\"]\n[task.b]\nneeds = [\"a\"]\nrun = [\"x\"]\n[task.teardown]\nundo_of = [\"a\", \"b\"]\n",
    );
    let teardown = task(&project, "teardown");
    assert!(teardown.is_undo() && project.graph.up(teardown.id).is_empty());
    let names: Vec<&str> = teardown.action.undoes.iter().map(|id| project.task(*id).name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn words_pick_tasks() {
    let project = tasks(
        "[project]\ndefault = [\"b\"]\n",
        r#"
[task.a]
stage = "one"
run = ["x"]
[task.b]
needs = ["a"]
stage = "two"
tags = ["smoke"]
run = ["x"]
[task.b-2]
needs = ["b"]
tags = ["smoke"]
run = ["x"]
[task.host]
foreach = ["x", "y"]
run = ["x", "{{ item }}"]
[task.b-undo]
stage = "two"
undo_of = "b"
"#,
    );
    let picked = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let selection = select(&project, &words).expect("a selection");
        let names = |ids: &[TaskId]| {
            let mut names: Vec<&str> = ids.iter().map(|id| project.task(*id).name.as_str()).collect();
            names.sort_unstable();
            names.join(" ")
        };
        (names(&selection.named), names(&selection.exact), names(&selection.tasks))
    };
    let all = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(picked(&[]), all("b", "b", "a b"));
    assert_eq!(picked(&["two"]), all("b", "", "a b"));
    assert_eq!(picked(&["stage:one"]), all("a", "", "a"));
    assert_eq!(picked(&["tag:smoke"]), all("b b-2", "", "a b b-2"));
    assert_eq!(picked(&["b*"]), all("b b-2", "", "a b b-2"));
    assert_eq!(picked(&["*undo"]), all("b-undo", "", "b-undo"));
    assert_eq!(picked(&["b!"]), all("b", "b", "b"));
    assert_eq!(picked(&["b+"]), all("b", "b", "b b-2"));
    assert_eq!(picked(&["+b+"]), all("b", "b", "a b b-2"));
    assert_eq!(picked(&["host"]), all("host[x] host[y]", "", "host[x] host[y]"));
    assert_eq!(picked(&["host[x]"]), all("host[x]", "host[x]", "host[x]"));
    assert_eq!(picked(&["host*"]).0, "host[x] host[y]");
    let unknown = |word: &str| {
        let problems = select(&project, &[word.to_owned()]).expect_err("unknown");
        problems
            .iter()
            .map(|p| format!("{}: {} / {}", p.code, p.message, p.help.as_deref().unwrap_or("")))
            .collect::<Vec<_>>()
    };
    assert_eq!(unknown("b-3"), ["unknown-target: unknown task or stage `b-3` / did you mean `b-2`?"]);
    assert_eq!(unknown("stage:on"), ["unknown-target: unknown stage `on` / did you mean `stage:one`?"]);
    assert_eq!(unknown("host[z]"), ["unknown-target: unknown task or stage `host[z]` / did you mean `host[x]`?"]);
    assert_eq!(unknown("z*"), ["unknown-target: no task matches `z*` / `infra list` shows all tasks"]);
}
