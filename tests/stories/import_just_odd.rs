//! `infra import just`, of what is easily carried over wrong: values that a shell computes, questions, modules, and what
//! comes afterwards.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;

/// The same justfile, for just and for us.
fn both(justfile: &str) -> [Story; 2] {
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("justfile", justfile).import_tools();
    }
    two
}

/// Both do the same, and to the same files.
#[track_caller]
fn alike(two: &[Story; 2], recipe: &str, files: &[&str]) {
    let [theirs, ours] = two;
    tool(theirs, "just", &[recipe]);
    ours.run(recipe).ran([recipe]);
    for file in files {
        ours.holds(file, &theirs.read(file));
    }
}

#[test]
pub fn a_value_that_can_not_be_computed_ends_the_recipe() {
    let two = both(
        "bad := `exit 3`\n\nfails:\n    echo {{bad}} > fails.txt\n    echo more\n\n\
         document:\n    #!/bin/sh\n    cat > document.txt <<'END'\n    {{`echo d`}}\n    END\n",
    );
    two[1]
        .infra("import just --write")
        .stderr_has("document: left out: a value that is computed when it runs stands where no shell would compute it")
        .infra("check");
    tool_fails(&two[0], "just", &["fails"]);
    two[1].run_to(1, "fails").failed(["fails"]).absent("fails.txt");
}

#[test]
pub fn values_stand_between_quotes_and_in_scripts_of_shells() {
    let two = both(
        "word := `echo one`\n\nquoted:\n    echo 'x {{word}} y' > quoted.txt; echo '{{`echo z`}}' >> quoted.txt\n\n\
         script:\n    #!/usr/bin/env bash\n    # it's a comment\n    set -e\n    echo \"{{word}}\" > script.txt\n    pwd > /dev/null\n\n\
         [working-directory: 'sub']\nbelow:\n    echo {{`basename \"$PWD\"`}} > place.txt\n    echo below >> place.txt\n\n\
         paths:\n    ls {{justfile_directory()}}/justfile {{absolute_path('justfile')}} | wc -l > paths.txt\n    \
         echo {{trim_end_match('a.txt', '.txt')}} {{join('a', 'b')}} {{parent_dir('a/b')}} {{os()}} {{require('sh')}} >> paths.txt\n",
    );
    two[0].file("sub/x", "");
    two[1].file("sub/x", "").infra("import just --write").infra("check");
    alike(&two, "quoted", &["quoted.txt"]);
    alike(&two, "script", &["script.txt"]);
    alike(&two, "paths", &["paths.txt"]);
    two[1].infra("import just").stderr_has("`os()` and its like: what this machine is stands here");
}

#[test]
pub fn positional_arguments_are_the_defaults() {
    let two = both(
        "set positional-arguments\n\nshow a=\"1 2\" *rest=\"x y\":\n    echo \"$1\" \"$#\" > show.txt\n    echo $2 >> show.txt\n\n\
         export NAME := 'a \"$HOME\" \\' + `echo late`\n\nenv:\n    printf '%s\\n' \"$NAME\" > env.txt\n",
    );
    two[1].infra("import just --write").infra("check");
    alike(&two, "show", &["show.txt"]);
    alike(&two, "env", &["env.txt"]);
}

/// just does not run it unless a person agrees; nor does the imported task.
#[test]
pub fn what_just_asks_about_is_asked() {
    let two = both(
        "[confirm(\"Really, it's final?\")]\ndeploy:\n    echo done > deployed.txt\n\n\
         [confirm]\nall: deploy\n\n\
         [confirm]\nsnake:\n    #!/usr/bin/env python3\n    open('snake.txt', 'w')\n",
    );
    two[1]
        .infra("import just --write")
        .stderr_has("all: left out: it asks first")
        .stderr_has("snake: left out: it asks first");
    two[1].infra("check");
    tool_fails(&two[0], "just", &["deploy"]);
    two[1].run_to(1, "deploy").failed(["deploy"]).absent("deployed.txt");
    assert!(two[1].read("tasks/imported.toml").contains("interactive = true\n"));
}

#[test]
pub fn what_comes_afterwards_is_done_afterwards() {
    let two = both(
        "release: (say \"1\") build && (say \"2\") publish\n    echo release >> log\n\nbuild:\n    echo build > built.txt\n\n\
         publish:\n    cd / && echo publish >> \"$OLDPWD/log\"\n\nsay n:\n    echo {{n}} >> log\n\n\
         both: build && late\n    echo both > both.txt\n\nlate: build\n    echo late > late.txt\n\n\
         pair: (say \"3\") && (say \"4\")\n\n\
         twice: middle && (say \"5\")\n    echo twice >> log\n\nmiddle: (say \"5\")\n    echo middle >> log\n",
    );
    two[1].infra("import just --write").infra("check");
    tool(&two[0], "just", &["release"]);
    two[1].run("release").ran(["say-1", "build", "release"]).holds("log", &two[0].read("log"));
    // What is more than a script is said.
    let imported = two[1].read("tasks/imported.toml");
    assert!(
        imported.contains("# not carried over: `&& late`, which just runs afterwards: ask for it too"),
        "{imported}"
    );
    two[0].remove("log");
    two[1].remove("log");
    alike(&two, "pair", &["log"]);
    // just runs again afterwards what it came to before.
    tool(&two[0], "just", &["twice"]);
    two[1].run("twice").ran(["say-5", "middle", "twice"]).holds("log", &two[0].read("log"));
}

#[test]
pub fn modules_are_imported_under_their_names() {
    let two = both("mod ops\n\nall: ops::up\n    echo all > all.txt\n");
    for story in &two {
        story.file(
            "ops/mod.just",
            "name := `basename \"$PWD\"`\n\nmod inner 'deep/inner.just'\n\nup: prepare (say \"hi\")\n    echo {{name}} > up.txt\n\n\
             prepare:\n    echo p > prepared.txt\n\nsay what:\n    echo {{what}} > said.txt\n\nalias u := up\n",
        );
        story.file("ops/deep/inner.just", "here:\n    basename \"$PWD\" > here.txt\n");
    }
    let [theirs, ours] = two;
    ours.infra("import just --write").stderr_has("alias `ops::u` of `ops::up`");
    ours.infra("check");
    tool(&theirs, "just", &["all"]);
    tool(&theirs, "just", &["ops::inner::here"]);
    ours.run("all ops-inner-here").ran(["all", "ops-up", "ops-prepare", "ops-say-hi", "ops-inner-here"]);
    for file in ["ops/up.txt", "ops/prepared.txt", "ops/said.txt", "all.txt", "ops/deep/here.txt"] {
        ours.holds(file, &theirs.read(file));
    }
}

#[test]
pub fn a_dotenv_file_is_named_and_its_variables_are_taken() {
    let two = both("set dotenv-load\n\nshow:\n    echo $CHANNEL > channel.txt\n");
    for story in &two {
        story.file(".env", "# a comment\nexport CHANNEL=s3cret\n");
    }
    let [theirs, ours] = &two;
    let remark = "name `.env` under `dotenv` of [project] in infra.toml";
    ours.infra("import just").stderr_has(remark).absent("infra.toml").infra("import just --write");
    ours.stderr_has("not carried over: 0").stderr_has("written beside it: infra.toml");
    assert!(!ours.read("tasks/imported.toml").contains("s3cret"));
    // What just alone does, with the variables that it knows, `infra run` alone does.
    tool(theirs, "just", &[]);
    ours.infra("check").infra("run").holds("channel.txt", &theirs.read("channel.txt"));
    // An `infra.toml` that is there is never written over, and a file that is not there is no place of variables.
    ours.remove("tasks/imported.toml").project("[project]\n").infra("import just --write").stderr_has(remark);
    assert_eq!(ours.read("infra.toml"), "[project]\n");
    ours.remove("tasks/imported.toml").remove("infra.toml").remove(".env");
    ours.infra("import just --write").stderr_has(remark).infra("check");
    assert!(ours.read("infra.toml").contains("default = [\"show\"]\n"), "{}", ours.read("infra.toml"));
    assert!(!ours.read("infra.toml").contains("dotenv"));
}

#[test]
pub fn a_recipe_that_starts_just_says_so() {
    let [_, ours] = both("default:\n    @just --list\n\nother:\n    echo just\n");
    ours.infra("import just").stdout_has("# it starts just itself, which must be there");
    assert_eq!(ours.last().stdout.matches("it starts just itself").count(), 1);
}

/// A task that does nothing must not say that all is well.
#[test]
pub fn what_only_calls_what_is_left_out_is_left_out() {
    let [_, ours] = both("default: build\n\nbuild: odd\n\nodd:\n    echo {{uuid()}}\n\nfine:\n    true\n");
    ours.infra("import just --write")
        .stderr_has("build: left out: it does nothing but `odd`, which is not imported")
        .stderr_has("default: left out: it does nothing but `build`, which is not imported");
    ours.infra("check").infra("list").stdout_has("fine");
    // Nor where a name is taken by a task of the project.
    let story = Story::new();
    story
        .file("Makefile", ".PHONY: all build\nall: build\nbuild:\n\techo b\n")
        .file("tasks/mine.toml", "[task.build]\nshell = \"true\"\n");
    story.infra("import make --write").stderr_has("all: left out: it does nothing but `build`").infra("check");
}
