//! `infra import just`: what the imported tasks do is what just does; what is lost is said.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;

const JUSTFILE: &str = r#"
set shell := ["bash", "-uc"]
set export

version := `echo 1.2`
name := uppercase("shop") / "app"
alias b := build

# Build everything
[group('made')]
build target="all" *flags: (gen "a") (gen "b") lint && done
    @echo {{target}} {{flags}} {{name}} > out/build.txt
    echo "{{version}} $name {{{{kept}}" >> out/build.txt
    -false
    cd out && test -f build.txt
    if true; then \
      echo joined >> out/build.txt; \
    fi

gen what:
    mkdir -p out; echo {{what}} > out/{{what}}

lint:
    #!/usr/bin/env python3
    import os
    if True:
        os.makedirs("out", exist_ok=True)
        open("out/lint.txt", "w").write("{{name}}\n")

[private]
done:
    echo done > out/done.txt

[confirm]
deploy env:
    echo {{env}}

odd:
    echo {{uuid()}}
"#;

fn shop() -> Story {
    let story = Story::new();
    story.file("justfile", JUSTFILE).import_tools();
    story
}

#[test]
pub fn the_imported_tasks_do_what_just_does() {
    let (theirs, ours) = (shop(), shop());
    tool(&theirs, "just", &["build"]);
    ours.infra("import just --write").infra("check").run("build done");
    ours.ran(["build", "gen-a", "gen-b", "lint", "done"]);
    for file in ["a", "b", "build.txt", "lint.txt", "done.txt"] {
        let file = format!("out/{file}");
        ours.holds(&file, &theirs.read(&file));
    }
    assert!(ours.read("out/build.txt").contains("1.2 SHOP/app {{kept}}\njoined"), "{}", ours.read("out/build.txt"));
    // just knows no fresh recipe.
    ours.run("lint").ran(["lint"]);
}

#[test]
pub fn what_just_has_and_infra_has_not_is_said() {
    let story = shop();
    story
        .infra("import just")
        .stdout_has("# there it is `gen a`\n")
        .stdout_has("description = \"Build everything\"")
        .stdout_has("tags = [\"made\"]")
        .stdout_has("# not carried over: alias `b` of `build`")
        .stdout_has("# not carried over: parameter `target`: its default `all` stands here")
        .stdout_has("# not carried over: `&& done`")
        .stdout_has("# not carried over: task `deploy`: it needs a value for `env`")
        .stdout_has("# not carried over: task `odd`: just's function `uuid()`")
        .stderr_has("5 tasks from justfile; not carried over: ");
    story.absent("tasks").absent("out");
}

#[test]
pub fn a_justfile_that_just_cannot_read_is_told_in_its_words() {
    let story = shop();
    story.file("justfile", "a:\n  echo {{nope}}\n");
    story.infra_to(2, "import just").stderr_has("just cannot read `justfile`").stderr_has("nope");
    let path = story.base().join("home").display().to_string();
    story.env("PATH", &path).infra_to(6, "import just").stderr_has("`just` was not found").stderr_has("cargo install");
}

/// The options of the file's own shell hold in every line, and scripts go to their own interpreter.
#[test]
pub fn lines_and_scripts_are_run_by_the_shell_that_just_takes() {
    let justfile = r#"
set unstable
set shell := ["bash", "-euo", "pipefail", "-c"]
set script-interpreter := ["bash", "-u"]

tag := env("TAG", "none")

survives:
    false; echo survived
    echo second

pipes:
    false | true
    echo second

may:
    -echo first >> may.txt; false; echo survived >> may.txt
    echo second >> may.txt

[script("bash")]
script:
    set -e
    x="a b"
    echo "$x" > script.txt

[script('python3', '-B')]
snake:
    x = "a b"
    open("snake.txt", "w").write(x)

[script]
bare:
    x=(a b)
    echo "${x[1]} $-" > bare.txt

tags:
    echo {{tag}} > tags.txt
    echo {{env("NEEDED")}} >> tags.txt
"#;
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("justfile", justfile).import_tools();
    }
    let [theirs, ours] = two;
    ours.infra("import just --write").infra("check");
    for recipe in ["survives", "pipes"] {
        tool_fails(&theirs, "just", &[recipe]);
        ours.run_to(1, recipe).failed([recipe]);
        assert!(!ours.last().stderr.contains("s | "), "{}", ours.last().stderr);
    }
    for recipe in ["may", "script", "snake"] {
        tool(&theirs, "just", &[recipe]);
        ours.run(recipe).ran([recipe]);
        let file = format!("{recipe}.txt");
        ours.holds(&file, &theirs.read(&file));
    }
    tool(&theirs, "just", &["bare"]);
    ours.run("bare").ran(["bare"]);
    assert!(ours.read("bare.txt").starts_with("b ") && theirs.read("bare.txt").starts_with("b "));
    // What is of the environment is taken when it runs.
    tool_fails(&theirs, "just", &["tags"]);
    ours.run_to(1, "tags").failed(["tags"]);
    for (tag, value) in [("TAG", ""), ("TAG", "v1")] {
        for story in [&theirs, &ours] {
            story.env(tag, value).env("NEEDED", "n");
        }
        tool(&theirs, "just", &["tags"]);
        ours.run("tags").ran(["tags"]).holds("tags.txt", &theirs.read("tags.txt"));
    }
}

#[test]
pub fn what_just_does_in_turn_is_kept_in_turn_or_said() {
    let story = Story::new();
    story.import_tools().file(
        "justfile",
        "deploy: migrate restart\n\nmigrate:\n    echo m >> log\n\nrestart:\n    echo r >> log\n\n\
         build: lint\n    echo b > b.txt\n\nlint:\n    echo l\n\nclean:\n    rm -f b.txt\n\n\
         rebuild: clean build\n\nci: build migrate\n",
    );
    story
        .infra("import just --write")
        .stderr_has("rebuild: left out: it does `clean`, then `build`")
        .stderr_has("ci: that `build` comes before `migrate` here: they may run at the same time");
    story.run("deploy").ran(["deploy"]).holds("log", "m\nr\n").run("restart").ran(["restart"]);
}
