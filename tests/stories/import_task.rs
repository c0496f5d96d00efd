//! `infra import task`: what the imported tasks do is what Task does; what is lost is said.

use crate::import_make::tool;
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
        .stdout_has("# not carried over: `platforms`")
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
