//! `infra import make`: what the imported tasks make is what make makes; what is lost is said.

use crate::support::Story;
use std::process::Stdio;

const MAKEFILE: &str = "\
# A small program, as many are.
CC = cat
VERSION := $(shell echo 1.2)
OBJECTS = build/main.o build/util.o
export CHANNEL = stable

.PHONY: all clean test

all: build/app ## Build everything

build/app: $(OBJECTS) | build
\t@echo \"linking $@ $${CHANNEL}\"
\t$(CC) $^ > $@
\techo \"$(VERSION) $$CHANNEL {{ kept }} $${#CHANNEL}\" >> $@

build/%.o: src/%.c src/common.h | build
\t$(CC) $< src/common.h > $@

build:
\tmkdir -p $@

test: all
\tcd build && test -f app
\t-false
\ttest ! -f app && touch tested

%.pdf: %.tex
\ttex $<

clean:
\trm -rf build
";

/// The files that a story about make begins with.
fn program() -> Story {
    let story = Story::new();
    story.file("src/main.c", "main\n").file("src/util.c", "util\n").file("src/common.h", "common\n");
    story.file("Makefile", MAKEFILE);
    story
}

/// Runs another tool in a story; it must end well.
#[track_caller]
pub fn tool(story: &Story, program: &str, args: &[&str]) {
    let output = story.command_of(program, args).stderr(Stdio::piped()).stdout(Stdio::piped()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}\n{out}\n{err}");
}

/// Runs another tool in a story; it must fail.
#[track_caller]
pub fn tool_fails(story: &Story, program: &str, args: &[&str]) {
    let output = story.command_of(program, args).stderr(Stdio::piped()).stdout(Stdio::piped()).output().unwrap();
    assert!(!output.status.success(), "{program} {args:?}\n{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
pub fn the_imported_tasks_make_what_make_makes() {
    let (theirs, ours) = (program(), program());
    tool(&theirs, "make", &["all", "test"]);
    ours.infra("import make --write").stderr_has("7 tasks from Makefile in tasks/imported.toml");
    ours.infra("check").run("test");
    for file in ["build/app", "build/main.o", "build/util.o", "tested"] {
        ours.holds(file, &theirs.read(file));
    }
    assert!(ours.read("build/app").contains("1.2 stable {{ kept }} 6"), "{}", ours.read("build/app"));
    // And again: what is a file is fresh, what is a name is run.
    ours.run("all").nothing_ran();
    ours.run("test").ran(["test"]);
    ours.file("src/util.c", "other\n").run("all").ran(["build-util.o", "build-app", "all"]);
}

#[test]
pub fn what_is_lost_is_said_beside_the_task_and_on_stderr() {
    let story = program();
    story
        .infra("import make")
        .stdout_has("# there it is `build/app`")
        .stdout_has("# not carried over: that `VERSION` is computed by the shell: its value of now stands here\n[task.build-app]")
        .stdout_has("# not carried over: pattern rule `%.pdf: %.tex`")
        .stdout_has("description = \"Build everything\"")
        .stdout_has("after = [\"build\"]")
        .stdout_has("inputs = [\"src/main.c\", \"src/common.h\"]")
        .stdout_has("# make runs it each time")
        .stderr_has("build-app: that `VERSION` is computed by the shell");
    story.absent("tasks").absent("build").absent(".infra");
    let json = story.infra("import make --json").last().json();
    assert_eq!((json["v"].as_i64(), json["tasks"].as_array().map(Vec::len)), (Some(1), Some(7)));
    assert_eq!(json["lost"].as_array().map(Vec::len), Some(2), "{json}");
}

#[test]
pub fn nothing_is_run_to_read_a_makefile() {
    let story = Story::new();
    story.file(
        "sub/Makefile",
        "-include made.mk\n\
         made.mk:\n\ttouch made.mk made\n\
         deep:\n\t$(MAKE) -C deep; touch ran\n\t+touch ran\n\
         log:: a\n\techo a >> log\n\
         log:: b\n\techo b >> log\n\
         FORCE:\n\
         stamp: FORCE\n\ttouch $@\n\
         lost: no-such-file\n\ttouch $@\n\
         a b:\n\ttouch $@\n\
         ../out: a\n\tcp a $@\n",
    );
    story
        .infra("import make sub/Makefile")
        .stdout_has("# not carried over: task `log`: it has several rules with double colons")
        .stdout_has("# not carried over: task `lost`: make says: No rule to make target 'no-such-file'")
        .stdout_has("# not carried over: what the make that it starts looks at")
        .stdout_has("outputs = [\"sub/stamp\"]")
        .stdout_has("outputs = [\"out\"]")
        .stdout_has("dir = \"sub\"");
    assert_eq!(story.tree().len(), 2, "{:?}", story.tree());
    story.infra("import make sub/Makefile --write").infra("check").run("stamp out").ran(["a", "stamp", "out"]);
    story.run("stamp out").ran(["stamp"]).fresh(["a", "out"]);
    assert!(story.exists("sub/a") && story.exists("out") && !story.exists("sub/ran"));
}

#[test]
pub fn what_cannot_be_imported_is_an_error_with_what_to_do() {
    let story = program();
    story.infra("import make --write").infra_to(2, "import make --write").stderr_has("`tasks/imported.toml` is there");
    story.infra("import make").stdout_has("[task.all]");
    story.infra_to(2, "import make none.mk").stderr_has("none.mk").stderr_has("infra import make FILE");
    story.file("broken.mk", "a:\n    echo spaces\n");
    story
        .infra_to(2, "import make broken.mk")
        .stderr_has("make cannot read `broken.mk`")
        .stderr_has("missing separator");
    story.infra_to(2, "import make ../outside.mk").stderr_has("outside.mk");
    story.infra_to(2, "import cmake").stderr_has("make");
    let path = story.base().join("home").display().to_string();
    story.remove("tasks").env("PATH", &path).infra_to(6, "import make").stderr_has("`make` was not found");
    story.without_env("PATH").remove("Makefile").infra_to(2, "import make").stderr_has("none of GNUmakefile");
}

#[test]
pub fn tasks_that_are_there_keep_their_names() {
    let story = program();
    story.tasks("[task.clean]\nrun = ['true']\n");
    story.infra("import make --write").stderr_has("clean: left out").infra("check").infra("run all");
    story.tasks("[task.clean]\nrum = ['true']\n").remove("tasks/imported.toml");
    story.infra_to(2, "import make --write").stderr_has("rum").absent("tasks/imported.toml");
}

#[test]
pub fn an_odd_makefile_is_read_as_make_reads_it() {
    let story = Story::new();
    story.file(
        "Makefile",
        "all: \"q é {% $$x empty destroy self\n\techo \"{% endraw %} {{\" \"'''\"\n\
         \"q:\n\t@echo hi\n\
         é:\n\techo \u{1} é\n\
         {%:\n\techo '{#'\n\
         $$x:\n\techo dollar\n\
         %: ; echo any $@\n\
         destroy:\n\techo rm\n\
         define multi\necho 1\n-false\nendef\n\
         m:\n\t$(multi)\n\
         empty: ;\n\
         self: self\n\techo\n\
         one: two\n\techo\n\
         two: one\n\techo\n",
    );
    story
        .infra("import make --write")
        .infra("import make")
        .stdout_has("[task.destroy-task]")
        .stdout_has("# not carried over: whether a line may fail")
        .stdout_has("[task.empty]\nshell = \":\"");
    assert!(!story.last().stdout.contains("[task.Makefile]"), "{}", story.last().stdout);
    story.infra("check").run("all").infra("logs all").stdout_has("{% endraw %} {{ '''");
    story.run_to(1, "m").failed(["m"]);
}

/// make comes to what a target needs one after the other.
#[test]
pub fn what_make_does_in_turn_is_kept_in_turn_or_said() {
    let makefile = "\
.PHONY: deploy migrate restart rebuild all clean ci lint\n\
deploy: migrate restart\n\
migrate:\n\techo m >> log\n\
restart:\n\tcd . && echo r >> log\n\
rebuild: clean all\n\
ci: lint all\n\
all: out.txt\n\
out.txt: src.txt\n\tcp src.txt out.txt\n\
lint:\n\ttest -f src.txt\n\
clean:\n\trm -f out.txt\n";
    let two = [Story::new(), Story::new()];
    for story in &two {
        story.file("Makefile", makefile).file("src.txt", "s");
    }
    let [theirs, ours] = two;
    ours.infra("import make --write")
        .stderr_has("rebuild: left out: it does `clean`, then `all`; here both would run at the same time")
        .stderr_has("ci: that `lint` comes before `all` here: they may run at the same time")
        .infra("check");
    for goal in ["deploy", "restart"] {
        tool(&theirs, "make", &[goal]);
        ours.run(goal).ran([goal]).holds("log", &theirs.read("log"));
    }
    // Nothing pulls in what only came first.
    ours.run("all").ran(["out.txt", "all"]).run("clean").ran(["clean"]);
}
