//! `infra import task`: what the imported tasks do is what Task does; what is lost is said.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;

const TASKFILE: &str = r#"
version: '3'
vars:
  NAME: shop
  VERSION: {sh: "echo 1.2"}
  BIN: "{{.ROOT_DIR}}/out/bin"
  KINDS: [x, y]
includes:
  inner: {taskfile: inner, dir: inner, vars: {GREETING: hi}}
  flat: {taskfile: flat.yml, flatten: true}
env:
  CHANNEL: stable
tasks:
  default: {deps: [build, "web:up", loop, odd, last, inner, above]}
  build:
    desc: Build the shop
    deps: [gen, {task: greet, vars: {WHOM: a}}]
    sources: ["src/**/*.txt", {exclude: "src/draft.txt"}]
    generates: [out/app]
    cmds:
      - mkdir -p out
      - cat src/a.txt src/b.txt > out/app
      - cmd: "false"
        ignore_error: true
      - cd out && test -f app
      - echo {{.NAME}} {{.VERSION}} $CHANNEL {{.CLI_ARGS}} >> out/app
  gen:
    cmds: ["mkdir -p made && echo gen > made/gen"]
    status: ["test -f made/gen"]
    preconditions:
      - sh: test -d src
        msg: there is no src, it's needed
    internal: true
  greet: "mkdir -p made && echo hello {{.WHOM}} > made/{{.WHOM}}"
  web:up: {dir: src, cmds: ["echo up > ../up"], aliases: [u], platforms: [linux, darwin]}
  loop:
    deps: [{for: {var: KINDS}, task: greet, vars: {WHOM: "{{.ITEM}}"}}]
    cmds:
      - for: [1, 2]
        cmd: mkdir -p made && echo {{.ITEM}} >> made/loop
      - for: {matrix: {A: [p, q], B: {ref: .KINDS}}}
        cmd: echo {{.ITEM.A}}{{.ITEM.B}} >> made/loop
  files:
    sources: ["src/*.txt"]
    cmds: [{for: sources, cmd: "echo {{.ITEM}}"}]
  "wild-*": "echo {{index .MATCH 0}}"
  odd: "mkdir -p made && echo '{{.NAME | upper}} {{if .CI}}ci{{else}}here{{end}}' > made/odd"
  last:
    cmds:
      - mkdir -p made
      - defer: echo bye 'first put off' >> made/last
      - task: gen
      - defer: echo one >> made/last
      - echo zero >> made/last
  above: {dir: src, generates: ["{{.BIN}}/above"], cmds: ["mkdir -p {{.BIN}} && echo {{.TASK}} > {{.BIN}}/above"]}
"#;

const INNER: &str = r#"
version: '3'
vars: {GREETING: '{{.GREETING | default "hello"}}', WHERE: inner}
tasks:
  default: {deps: [say, ":gen"], cmds: [{task: fine}]}
  say: {aliases: [s], cmds: ["echo {{.GREETING}} {{.WHERE}} > said", "echo {{.TASKFILE_DIR | base}} >> said"]}
  fine: "echo fine > fine"
"#;

fn shop() -> Story {
    let story = Story::new();
    story.file("src/a.txt", "a\n").file("src/b.txt", "b\n").file("src/draft.txt", "draft\n");
    story.file("Taskfile.yml", TASKFILE).file("inner/Taskfile.yml", INNER).import_tools();
    story.file("flat.yml", "version: '3'\ntasks: {beside: 'echo {{.NAME}} > beside'}\n");
    story
}

#[test]
pub fn the_imported_tasks_do_what_task_does() {
    let (theirs, ours) = (shop(), shop());
    tool(&theirs, "task", &["default", "beside"]);
    ours.infra("import task --write").infra("check").run("default beside");
    ours.ran([
        "default",
        "build",
        "gen",
        "greet-a",
        "web-up",
        "loop",
        "greet-x",
        "greet-y",
        "odd",
        "last",
        "inner-default",
        "inner-say",
        "inner-fine",
        "above",
        "beside",
    ]);
    let made = ["out/app", "made/gen", "made/a", "made/x", "made/y", "made/loop", "made/odd", "made/last", "up"];
    for file in made.into_iter().chain(["inner/said", "inner/fine", "out/bin/above", "beside"]) {
        ours.holds(file, &theirs.read(file));
    }
    assert!(ours.read("out/app").contains("b\nshop 1.2 stable"), "{}", ours.read("out/app"));
    // `status` is a probe: what it voids is made again, what it confirms is left alone.
    ours.run("gen").nothing_ran().remove("made/gen").run("gen").ran(["gen"]);
    ours.run("--only build").ran(["build"]);
    ours.file("src/draft.txt", "other\n").run("--only build").nothing_ran();
    ours.file("src/b.txt", "other\n").run("--only build").ran(["build"]);
}

#[test]
pub fn what_task_has_and_infra_has_not_is_said() {
    let story = shop();
    story
        .infra("import task")
        .stdout_has("# there it is `web:up`")
        .stdout_has("# there it is `greet a`")
        .stdout_has("needs = [\"gen\"]\nafter = [\"greet-a\"]")
        .stdout_has("description = \"Build the shop\"")
        .stdout_has("inputs = [\"src/**/*.txt\", \"!src/draft.txt\"]")
        .stdout_has("# not carried over: task `files`: `for` goes over sources, which are known only when it runs")
        .stdout_has("# not carried over: task `wild-*`: the template `{{index .MATCH 0}}`")
        .stdout_has("# as Task would run it now: the template `{{.NAME | upper}}`")
        .stdout_has("# not carried over: that `gen` is called between its commands")
        .stderr_has("16 tasks from Taskfile.yml");
    story.absent("tasks").absent("made");
}

#[test]
pub fn a_taskfile_that_task_cannot_read_is_told_in_its_words() {
    let story = shop();
    story.file("Taskfile.yml", "version: '3'\ntasks:\n  a: [\n");
    story.infra_to(2, "import task").stderr_has("task cannot read `Taskfile.yml`").stderr_has("hint: mend it");
    assert!(!story.last().stderr.contains('\u{1b}'), "{}", story.last().stderr);
    let path = story.base().join("home").display().to_string();
    story.env("PATH", &path).infra_to(6, "import task").stderr_has("`task` was not found").stderr_has("go install");
}

/// Every command of Task ends at the first of its commands that fails, and so does what it asks.
#[test]
pub fn a_command_ends_where_task_ends_it() {
    let taskfile = r#"
version: '3'
tasks:
  a: {cmds: [{cmd: 'false; echo survived'}]}
  b: {cmds: ["cd nowhere\necho left in $(pwd)"]}
  c: {cmds: [{cmd: 'false; echo survived', ignore_error: true}, "echo c >> made"]}
  d: {cmds: ["echo d >> made"], preconditions: ['false; true']}
  e: {cmds: ["echo e >> made"], status: ['false; true']}
  f: {vars: {X: {sh: 'false; echo x'}}, cmds: ["echo f{{.X}} >> made"]}
"#;
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Taskfile.yml", taskfile).import_tools();
    }
    let [theirs, ours] = two;
    ours.infra("import task --write");
    for task in ["a", "b", "d", "f"] {
        tool_fails(&theirs, "task", &[task]);
        ours.run_to(1, task).failed([task]);
        assert!(!ours.last().stderr.contains("survived"), "{}", ours.last().stderr);
    }
    for task in ["c", "e"] {
        tool(&theirs, "task", &[task]);
        ours.run(task).ran([task]);
    }
    ours.holds("made", &theirs.read("made"));
}

#[test]
pub fn a_condition_decides_what_is_run() {
    let taskfile = r#"
version: '3'
tasks:
  default:
    cmds:
      - {cmd: echo never >> made, if: 'false'}
      - {cmd: echo neither >> made, if: 'false; true'}
      - {cmd: echo once >> made, if: 'test -f Taskfile.yml'}
      - {cmd: 'echo twice >> made; false', if: '[ "{{.N}}" = 1 ]', ignore_error: true}
      - {defer: echo last >> made, if: 'true'}
      - {for: [a, b], cmd: 'echo {{.ITEM}} >> made', if: '[ "{{.ITEM}}" = b ]'}
    vars: {N: 1}
  off: {if: 'test -f nothing', cmds: ["echo off >> made"]}
  on: {if: 'test -d .', cmds: ["echo on >> made"]}
  calls: {cmds: [{task: off, if: 'false'}]}
  needs: {if: 'false', deps: [on], cmds: ["echo needs >> made"]}
"#;
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Taskfile.yml", taskfile).import_tools();
    }
    let [theirs, ours] = two;
    ours.infra("import task --write")
        .stderr_has("calls: left out: it calls `off` only if `false`")
        .stderr_has("needs: that its `deps` are done only if `false`");
    for task in ["default", "off", "on"] {
        tool(&theirs, "task", &[task]);
        ours.run(task).ran([task]);
    }
    ours.holds("made", &theirs.read("made"));
    assert_eq!(ours.read("made"), "once\ntwice\nb\nlast\non\n");
}

#[test]
pub fn variables_and_folders_are_where_task_has_them() {
    let taskfile = r#"
version: '3'
method: none
vars:
  WHERE: {sh: basename "$(pwd)"}
  BOTH: "{{.WHERE}}-x"
env: {FROM: {sh: basename "$(pwd)"}}
tasks:
  below: {dir: src, vars: {OWN: {sh: 'pwd | xargs basename'}}, cmds: ['echo {{.WHERE}} "{{.BOTH}}y" {{.OWN}} $FROM > below']}
  new: {dir: new/deep, cmds: [echo new > made], method: checksum, sources: [a.txt], status: [test -f made]}
  again: {sources: [src/a.txt], cmds: [echo again >> again]}
"#;
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Taskfile.yml", taskfile).file("src/a.txt", "a").import_tools();
    }
    let [theirs, ours] = two;
    ours.infra("import task --write").infra("check");
    for _ in 0..2 {
        tool(&theirs, "task", &["below", "new", "again"]);
        ours.run("below new again");
    }
    ours.ran(["below", "again"]);
    for file in ["src/below", "new/deep/made", "again"] {
        ours.holds(file, &theirs.read(file));
    }
}

/// What the environment has stays there.
#[test]
pub fn the_environment_is_not_written_into_the_tasks() {
    let taskfile = r#"
version: '3'
vars: {URL: "http://{{.TOKEN}}@host", KIND: '{{.KIND | default "plain"}}'}
tasks:
  a: {cmds: ["echo {{.URL}} {{.KIND}} {{.HOME}} > a"]}
  b: {cmds: ["echo '{{.TOKEN}}' > b"]}
  c: {cmds: ["echo {{.TOKEN | upper}} > c"]}
"#;
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Taskfile.yml", taskfile).import_tools().env("TOKEN", "s3cret").env("KIND", "odd");
    }
    let [theirs, ours] = two;
    tool(&theirs, "task", &["a", "b"]);
    ours.infra("import task --write")
        .stderr_has("c: left out: the template `{{.TOKEN | upper}}`; and `TOKEN` of your environment");
    let imported = ours.read("tasks/imported.toml");
    assert!(imported.contains("pass_env = [\"TOKEN\", \"KIND\"]") && !imported.contains("s3cret"), "{imported}");
    let ours_reads = |story: &Story| story.read("a").replace(&story.base().display().to_string(), "");
    ours.run("a b").ran(["a", "b"]).holds("b", &theirs.read("b"));
    assert_eq!(ours_reads(&ours), ours_reads(&theirs));
}
