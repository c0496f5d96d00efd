//! `infra import make` of what Makefiles have beside rules: options of the shell, the environment, other files,
//! targets that are no files.

use crate::import_make::{tool, tool_fails};
use crate::support::Story;

/// Two projects alike: one for make, one for us.
fn two(makefile: &str, files: &[(&str, &str)]) -> (Story, Story) {
    let both = (Story::new(), Story::new());
    for story in [&both.0, &both.1] {
        story.file("Makefile", makefile);
        for (path, text) in files {
            story.file(path, text);
        }
    }
    both
}

#[test]
pub fn the_options_of_makes_own_shell_hold_in_every_line() {
    let (theirs, ours) = two(
        "SHELL := /bin/bash\n.SHELLFLAGS := -eu -o pipefail -c\n\
         .PHONY: survives pipes unset may\n\
         survives:\n\tfalse; echo survived\n\techo second\n\
         pipes:\n\tfalse | true\n\techo second\n\
         unset:\n\techo first; echo $$NOT_THERE; echo survived\n\techo second\n\
         may:\n\t-echo a >> may.txt; false; echo b >> may.txt\n\techo c >> may.txt\n",
        &[],
    );
    ours.infra("import make --write").infra("check");
    for goal in ["survives", "pipes", "unset"] {
        tool_fails(&theirs, "make", &[goal]);
        ours.run_to(1, goal).failed([goal]);
        assert!(!ours.last().stderr.contains("| second") && !ours.last().stderr.contains("survived"));
    }
    tool(&theirs, "make", &["may"]);
    ours.run("may").holds("may.txt", &theirs.read("may.txt"));
    assert_eq!(ours.read("may.txt"), "a\nc\n");
    // Without them a line goes on.
    let (theirs, ours) = two("a:\n\tfalse; echo on >> made\n\techo >> made\n", &[]);
    tool(&theirs, "make", &["a"]);
    ours.infra("import make --write").run("a").holds("made", &theirs.read("made"));
}

/// What the environment has, and a file like `.env`, is read by the script and written nowhere.
#[test]
pub fn the_environment_is_not_written_into_the_tasks() {
    let (theirs, ours) = two(
        "include .env\nexport\nexport $(shell sed 's/=.*//' .env)\n\
         export PATH := $(CURDIR)/bin:$(PATH)\n\
         define TEXT\none \"$(API_TOKEN)\"\ntwo\nendef\nexport TEXT\n\
         define PLAIN\nthree\nfour\nendef\nexport PLAIN\n\
         URL = http://$(API_TOKEN)@host\n\
         ifdef MODE\nX := mode\nendif\n\
         PORT ?= 80\n\
         a:\n\techo \"$(URL) $(DB) $(X) $(HOME) $(PORT)\" > $@\n\techo \"$$TEXT $$PLAIN $$PATH\" >> $@\n\
         b:\n\techo '$(URL)' > $@\n",
        &[(".env", "# secrets\nDB=hidden\n"), ("bin/x", "")],
    );
    for story in [&theirs, &ours] {
        story.env("API_TOKEN", "s3cret").env("MODE", "on").env("DB", "hidden");
    }
    tool(&theirs, "make", &["a"]);
    ours.env("PORT", "8080")
        .infra("import make --write")
        .without_env("PORT")
        .stderr_has("`PORT` of your environment, which goes before `PORT ?=`: the default stands here")
        .stderr_has("b: left out: `API_TOKEN` of your environment stands where no shell would put it in")
        .stderr_has("what `MODE` of your environment decides")
        .stderr_has("written beside it: infra.toml");
    assert!(
        ours.read("infra.toml").contains("default = [\"a\"]\ndotenv = [\".env\"]\n"),
        "{}",
        ours.read("infra.toml")
    );
    let imported = ours.read("tasks/imported.toml");
    let base = ours.base().display().to_string();
    for secret in ["s3cret", "hidden", base.as_str(), "\"sed\""] {
        assert!(!imported.contains(secret), "{secret}\n{imported}");
    }
    assert!(imported.contains("\"API_TOKEN\"") && imported.contains("\"PLAIN\" = \"three\\nfour\""), "{imported}");
    ours.infra("check").run("a").ran(["a"]);
    let of = |story: &Story| story.read("a").replace(&story.base().display().to_string(), "");
    assert_eq!(of(&ours), of(&theirs));
    // A file beside a Makefile below the project is named from there, unless others would read it in another way.
    let story = Story::new();
    story
        .file("tasks/x.txt", "")
        .file("sub/Makefile", "include .env\na:\n\techo $(DB) > $@\n")
        .file("sub/.env", "DB=1\n");
    story.infra("import make sub/Makefile --write").infra("check");
    assert!(story.read("infra.toml").contains("dotenv = [\"sub/.env\"]\n"), "{}", story.read("infra.toml"));
    story.remove("infra.toml").remove("tasks/imported.toml").file("sub/.env", "DB=$(HOME)\n");
    story.infra("import make sub/Makefile --write").stderr_has("line 1 of `sub/.env` has a `$`").infra("check");
    assert!(!story.read("infra.toml").contains("dotenv"), "{}", story.read("infra.toml"));
}

#[test]
pub fn other_files_that_make_would_make_first_are_named() {
    let makefile = "\
-include deps.mk\n-include more.mk\ninclude gen.mk\n-include $(SRCS:.c=.d)\n\
SRCS := a.c\n-include $(SRCS:.c=.d)\n\
all: ; echo $(X)\n\
gen.mk:\n\techo X=1 > $@; touch ran\n\
%.d: %.c\n\ttouch $@ ran\n";
    let story = Story::new();
    story.file("Makefile", makefile).file("a.c", "").file("more.mk", "more:\n\ttouch more\n");
    story
        .infra("import make")
        .stderr_has("2 tasks from Makefile")
        .stderr_has("what `gen.mk` holds, which make would make first")
        .stderr_has("what `a.d` holds, which make would make first")
        .absent("ran");
    assert!(!story.last().stderr.contains("deps.mk"), "{}", story.last().stderr);
    story.file("gen.mk", "X = 2\n").infra("import make").stdout_has("echo 2");
    assert!(!story.last().stderr.contains("gen.mk"), "{}", story.last().stderr);
}

#[test]
pub fn what_depends_on_what_make_is_asked_for_is_asked_alone() {
    let (theirs, ours) = two(
        "debug: FLAGS = -g\ndebug: out.txt\nother: out.txt\n\
         ALL = [$(FLAGS)]\nout.txt:\n\techo \"flags=$(ALL)\" > $@\n\
         goal:\n\techo $(MAKECMDGOALS) > $@\n\
         bad:\n\techo $(error this is not set)\n\
         good:\n\techo good > $@\n",
        &[],
    );
    ours.infra("import make --write")
        .stderr_has("debug: that it sets `FLAGS` for `out.txt` too")
        .stderr_has("out.txt: `FLAGS` as `debug` sets it for what it needs: here it is as without")
        .stderr_has("bad: left out: make says: this is not set")
        .stderr_has("`MAKECMDGOALS`, what make is asked for");
    for goal in ["other", "goal", "good"] {
        tool(&theirs, "make", &[goal]);
    }
    ours.infra("check").run("other goal good").ran(["out.txt", "other", "goal", "good"]);
    for file in ["out.txt", "goal", "good"] {
        ours.holds(file, &theirs.read(file));
    }
}

#[test]
pub fn targets_are_taken_for_what_they_are() {
    let (theirs, ours) = two(
        "OUT := $(CURDIR)/out\n.SUFFIXES: .md .html\n\
         all: $(OUT)/a.txt .lint .cache use UPPER spaced tree\n\
         $(OUT)/a.txt: $(CURDIR)/a.txt\n\tmkdir -p $(@D) && cp $< $@\n\
         .lint: ; echo lint >> lint.txt\n\
         .cache: a.txt\n\tcp $< $@\n\
         .md.html:\n\tcp $< $@\n\
         use: ; cat a.txt > use.txt\n\
         UPPER: ; @echo making $@ >> upper.txt\n\
         spaced: sp\\ a.txt\n\tcat \"$<\" > $@\n\
         tree: a.txt\n\tmkdir -p deep tree; cp a.txt tree/a.txt\n",
        &[("a.txt", "a\n"), ("sp a.txt", "spaced\n")],
    );
    ours.infra("import make --write").stderr_has("8 tasks from Makefile");
    let imported = ours.read("tasks/imported.toml");
    let base = ours.base().display().to_string();
    assert!(!imported.contains(&base), "{imported}");
    tool(&theirs, "make", &["all"]);
    ours.infra("check").run("all");
    for file in ["out/a.txt", ".cache", "use.txt", "upper.txt", "lint.txt", "spaced", "tree/a.txt"] {
        ours.holds(file, &theirs.read(file));
    }
    tool(&theirs, "make", &["all"]);
    ours.run("all").ran(["lint", "use", "UPPER", "all"]);
    for file in ["upper.txt", "lint.txt"] {
        ours.holds(file, &theirs.read(file));
    }
    ours.file("sp a.txt", "other\n").run("spaced").ran(["spaced"]);
}
