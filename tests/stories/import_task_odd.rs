//! `infra import task`, of what is easily carried over wrong: the order of variables and calls, Task's own shell,
//! questions, platforms.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;

/// The same Taskfile, for Task and for us, who import it.
fn both(taskfile: &str) -> [Story; 2] {
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Taskfile.yml", taskfile).import_tools();
    }
    two[1].infra("import task --write").infra("check");
    two
}

/// Both do the same, and to the same files.
#[track_caller]
fn alike(two: &[Story; 2], task: &str, files: &[&str]) {
    let [theirs, ours] = two;
    tool(theirs, "task", &[task]);
    ours.run(task).ran([task]);
    for file in files {
        ours.holds(file, &theirs.read(file));
    }
}

#[test]
pub fn variables_are_set_in_the_order_of_the_file() {
    let two = both(
        r#"
version: '3'
vars: {FLAGS: base, ZONE: eu}
tasks:
  flags:
    vars: {FLAGS: "{{.FLAGS}} -v", OTHER: x, FLAGS2: "{{.FLAGS}}{{.OTHER}}", ALL: "{{.FLAGS2}} {{.ZONE}}"}
    cmds: ['echo "{{.ALL}}" > flags.txt']
  matrix:
    cmds:
      - for: {matrix: {OS: [l, m], ARCH: [a, b]}}
        cmd: echo {{.ITEM.OS}}-{{.ITEM.ARCH}} >> matrix.txt
  env:
    env: {NAME: plain}
    cmds: ['echo $NAME > env.txt']
env: {NAME: {sh: echo late}}
"#,
    );
    alike(&two, "flags", &["flags.txt"]);
    alike(&two, "matrix", &["matrix.txt"]);
    alike(&two, "env", &["env.txt"]);
}

/// Task's shell takes what bash takes; `sh` would make a folder of the name `{a,b}`.
#[test]
pub fn what_only_bash_takes_is_run_by_bash() {
    let two = both(
        r"
version: '3'
tasks:
  braces: {cmds: ['mkdir -p d/{a,b}', 'touch d/a/x d/b/x', 'for i in {1..3}; do echo $i; done > braces.txt']}
  words: {cmds: ['x=abc; echo ${x^^} ${x/b/z} > words.txt', 'cat <<< hi >> words.txt', 'echo both &>> words.txt']}
  piped: {set: [pipefail], cmds: ['false | true', 'echo no > piped.txt']}
  once: {cmds: [{cmd: 'false | true; echo no > once.txt', set: [pipefail]}]}
  glob: {shopt: [globstar], cmds: ['ls **/x > glob.txt']}
  plain: {cmds: ['echo plain > plain.txt']}
",
    );
    alike(&two, "braces", &["d/a/x", "d/b/x", "braces.txt"]);
    alike(&two, "words", &["words.txt"]);
    alike(&two, "glob", &["glob.txt"]);
    for (task, file) in [("piped", "piped.txt"), ("once", "once.txt")] {
        tool_fails(&two[0], "task", &[task]);
        two[1].run_to(1, task).failed([task]).absent(file);
    }
    assert!(two[1].read("tasks/imported.toml").contains("shell.with = [\"sh\", \"-e\"]\nshell.script = \"echo plain"));
}

#[test]
pub fn a_call_between_commands_is_done_between_them() {
    let two = both(
        r#"
version: '3'
tasks:
  all:
    cmds:
      - echo start >> log
      - {task: say, vars: {WHAT: one}}
      - echo between >> log
      - {task: fails, ignore_error: true}
      - {task: say, vars: {WHAT: two}}
  say: {internal: true, requires: {vars: [WHAT]}, cmds: ['cd / && echo {{.WHAT}} >> "$OLDPWD/log"']}
  fails: {cmds: ['echo tried >> log', 'exit 3', 'echo never >> log']}
  made: {cmds: ['echo m > m.txt'], sources: [Taskfile.yml], generates: [m.txt]}
  mixed: {cmds: ['echo start > mixed.txt', {task: made}]}
"#,
    );
    alike(&two, "all", &["log"]);
    let imported = two[1].read("tasks/imported.toml");
    assert!(imported.contains("# it does what `say one`, `fails`, `say two` do, where they are called"), "{imported}");
    assert!(imported.contains("# not carried over: that `made` is called between its commands: it comes before them"));
    assert!(!imported.contains("`requires`"), "{imported}");
}

#[test]
pub fn platforms_prompts_and_requirements_hold() {
    let two = both(
        r#"
version: '3'
tasks:
  other: {platforms: [windows], cmds: ['echo other > other.txt']}
  parts:
    cmds: [{cmd: 'echo w > parts.txt', platforms: [windows]}, {cmd: 'echo l >> parts.txt', platforms: [linux, darwin/arm64]}]
  ask: {prompt: "Sure, it's final?", cmds: ['echo asked > asked.txt']}
  needs: {requires: {vars: [NOPE]}, cmds: ['echo n > n.txt']}
  one-of: {vars: {KIND: odd}, requires: {vars: [{name: KIND, enum: [a, b]}]}, cmds: ['echo n > n.txt']}
  folder: {sources: [Taskfile.yml], generates: [made], cmds: ['mkdir -p made', 'touch made/x']}
"#,
    );
    tool(&two[0], "task", &["other"]);
    two[1].run("other").absent("other.txt");
    alike(&two, "parts", &["parts.txt"]);
    alike(&two, "folder", &["made/x"]);
    tool_fails(&two[0], "task", &["ask"]);
    two[1].run_to(1, "ask").failed(["ask"]).absent("asked.txt");
    let imported = two[1].read("tasks/imported.toml");
    assert!(imported.contains("task `needs`: it requires a value for `NOPE`, which has no value"), "{imported}");
    assert!(imported.contains("task `one-of`: it requires one of a, b for `KIND`, not `odd`"), "{imported}");
}

/// Where Task fills a template, a path of this machine may stand between quotes.
#[test]
pub fn paths_between_quotes_are_paths() {
    let two = both(
        "version: '3'\ntasks:\n  quoted:\n    cmds: [\"ls '{{.USER_WORKING_DIR}}/Taskfile.yml' > /dev/null && echo {{.TASK | upper}} '{{.ROOT_DIR}}' | wc -w > quoted.txt\"]\n  \
         document:\n    cmds: [\"cat > document.txt <<'END'\\n{{.VALUE}}\\nEND\\n\"]\n    vars: {VALUE: {sh: echo computed}}\n",
    );
    alike(&two, "quoted", &["quoted.txt"]);
    alike(&two, "document", &["document.txt"]);
}

#[test]
pub fn dotenv_files_and_excluded_tasks() {
    let two = [Story::new(), Story::new()];
    for story in &two {
        story
            .import_tools()
            .file(".env", "CHANNEL=s3cret\n")
            .file("lib.yml", "version: '3'\ntasks: {a: 'true', b: 'true'}\n")
            .file(
                "Taskfile.yml",
                "version: '3'\ndotenv: ['.env']\nincludes: {lib: {taskfile: lib.yml, excludes: [b]}}\n\
             tasks:\n  show: {cmds: ['echo $CHANNEL {{.CHANNEL}} > channel.txt']}\n",
            );
    }
    let [_, ours] = &two;
    ours.infra("import task").stderr_has("`dotenv`: name `.env` under `dotenv` of [project] in infra.toml");
    ours.infra("import task --write").stderr_has("written beside it: infra.toml").infra("check");
    let imported = ours.read("tasks/imported.toml");
    assert!(!imported.contains("s3cret") && !imported.contains("lib-b") && imported.contains("lib-a"), "{imported}");
    alike(&two, "show", &["channel.txt"]);
    // Of two values Task takes the first.
    let two = [Story::new(), Story::new()];
    for story in &two {
        story
            .import_tools()
            .file("a.env", "SHARED=a\n")
            .file("b.env", "SHARED=b\nOWN=b\n")
            .file("odd.env", "ODD: x\n")
            .file(
                "Taskfile.yml",
                "version: '3'\nvars: {V: {sh: echo v}}\ndotenv: [a.env, b.env, odd.env, '{{.V}}.env']\n\
             tasks:\n  show: {cmds: ['echo $SHARED $OWN > shared.txt']}\n",
            );
    }
    two[1]
        .infra("import task --write")
        .stderr_has("it is not written there: line 1 of `odd.env` is no `KEY=VALUE`")
        .stderr_has("name `{{.V}}.env` under `dotenv`")
        .infra("check");
    alike(&two, "show", &["shared.txt"]);
}

/// A value that a shell computes is the same wherever it stands: between quotes, in a message, at the end.
#[test]
pub fn computed_values_are_put_in_between_quotes() {
    let two = both(
        r##"
version: '3'
vars:
  V: {sh: "printf '%s' 'two  words'"}
  W: {sh: "echo '[{{.V}}]'"}
tasks:
  nested: {cmds: ["echo '{{.W}}' > nested.txt"]}
  late: {cmds: [{defer: "echo 'end {{.V}}' >> late.txt"}, "echo 'start' > late.txt"]}
  env: {env: {NAME: 'a "$HOME" \ `b` {{.V}}'}, cmds: ['printf "%s\n" "$NAME" > env.txt']}
  if: {if: "[ '{{.V}}' = 'two  words' ]", cmds: ['echo yes > if.txt']}
  status: {status: ["grep -q '{{.V}}' status.txt"], cmds: ["echo it '{{.V}}' >> status.txt"]}
  comment: {cmds: ["# it's a comment\necho '{{.V}}' > comment.txt"]}
  holds: {preconditions: [{sh: "test '{{.V}}' = 'two  words'", msg: no}], cmds: ['echo h > holds.txt']}
  fails: {preconditions: [{sh: 'false', msg: "it's {{.V}}"}], cmds: ['echo never > fails.txt']}
  ask: {prompt: "Really {{.V}}?", cmds: ['echo asked > asked.txt']}
"##,
    );
    for task in ["nested", "late", "env", "if", "comment", "holds", "status"] {
        alike(&two, task, &[&format!("{task}.txt")]);
    }
    two[1].run("status").nothing_ran();
    two[1].run_to(1, "fails").failed(["fails"]).absent("fails.txt").infra("logs fails").stdout_has("it's two  words");
    let imported = two[1].read("tasks/imported.toml");
    assert!(!imported.contains("\\u00"), "{imported}");
}
