//! `infra import just`: what the imported tasks do is what just does; what is lost is said.

use crate::import_make::tool;
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
