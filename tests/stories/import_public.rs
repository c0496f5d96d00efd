//! `infra import` of files that others wrote for themselves, as their packages have them: what is imported is run,
//! and makes what their own tool makes. Nothing of them is in this repository (`scripts/pins/public.txt`).

use crate::import_make::tool;
use crate::support::Story;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn of(project: &str) -> Story {
    let story = Story::new();
    story.public(project).import_tools();
    story
}

fn two_of(project: &str) -> (Story, Story) {
    (of(project), of(project))
}

/// What a program of the project's folder prints, which ends well.
#[track_caller]
fn says(story: &Story, program: &str, args: &[&str]) -> String {
    story.program_says(&format!("../project/{program}"), args)
}

/// The Makefile of bzip2, whose objects no recipe names.
#[test]
fn bzip2_is_built_and_tested_as_by_its_makefile() {
    let (theirs, ours) = two_of("bzip2");
    let folder = |story: &Story, name: &str| story.path(&format!("bzip2-1.0.8/{name}"));
    tool(&theirs, "make", &["-C", "bzip2-1.0.8"]);
    ours.infra("import make bzip2-1.0.8/Makefile --write").stderr_has("23 tasks from bzip2-1.0.8/Makefile");
    ours.stderr_has("not carried over: 2\n")
        .stderr_has("all: that `bzip2recover` comes before `test` here")
        .infra("check");
    let objects = "blocksort.o huffman.o crctable.o randtable.o compress.o decompress.o bzlib.o";
    ours.run("all").says("ranlib libbz2.a").ran([
        "all",
        "bzip2",
        "bzip2.o",
        "bzip2recover",
        "bzip2recover.o",
        "libbz2.a",
        "test",
        "blocksort.o",
        "huffman.o",
        "crctable.o",
        "randtable.o",
        "compress.o",
        "decompress.o",
        "bzlib.o",
    ]);
    for name in objects.split(' ').chain(["libbz2.a", "bzip2", "bzip2recover", "sample1.rb2", "sample3.tst"]) {
        assert!(folder(&theirs, name).is_file() && folder(&ours, name).is_file(), "{name}");
    }
    let help = |story: &Story| says(story, "bzip2-1.0.8/bzip2", &["--version"]);
    assert_eq!(help(&ours), help(&theirs));
    // Its test makes no file, so that both run it each time; nothing else.
    ours.run("all").ran(["test", "all"]);
    let source = ours.read("bzip2-1.0.8/randtable.c");
    ours.file("bzip2-1.0.8/randtable.c", &format!("{source}int more = 1;\n")).run("bzip2");
    ours.ran(["randtable.o", "libbz2.a", "bzip2"]);
    // A comment gives the same object, which make does not see.
    ours.file("bzip2-1.0.8/randtable.c", &format!("{source}int more = 1;\n/* the end */\n")).run("bzip2");
    ours.ran(["randtable.o"]);
}

/// The justfile of just itself.
#[test]
fn a_recipe_of_just_itself_does_what_just_does() {
    let (theirs, ours) = two_of("just");
    tool(&theirs, "just", &["quine"]);
    ours.infra("import just --write").stderr_has("40 tasks from justfile");
    ours.stderr_has("filter: left out: it needs a value for `PATTERN`")
        .stderr_has("alias `t` of `test`")
        .infra("check");
    // The recipe compares what the program prints with the program, and says so.
    ours.run("quine").ran(["quine"]).says("It was a quine!").run("quine").ran(["quine"]);
    ours.infra("list").stdout_has("watch-ltest---tests---all---all-targets");
}

/// The Taskfile of Task itself, with the one that it includes.
#[test]
fn a_task_of_task_itself_does_what_task_does() {
    let (theirs, ours) = two_of("task");
    let go = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|folder| folder.join("go")).find(|go| go.is_file()))
        .expect("Go is on PATH: Task and the control plane of other stories are built with it");
    for story in [&theirs, &ours] {
        symlink(&go, story.base().join("bin/go")).unwrap();
        // Else each of them compiles Go's own library.
        let cache = story.program_says("go", &["env", "GOCACHE"]);
        if let Some(kept) = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/go-build")) {
            fs::create_dir_all(Path::new(&cache).parent().unwrap()).unwrap();
            symlink(kept, cache).unwrap();
        }
    }
    tool(&theirs, "task", &["sleepit:build"]);
    ours.infra("import task --write").stderr_has("30 tasks from Taskfile.yml");
    ours.stderr_has("release:*: left out: the template `{{index .MATCH 0}}`").infra("check");
    ours.run("sleepit-build").ran(["sleepit-build"]);
    let version = |story: &Story| says(story, "bin/sleepit", &["version"]);
    assert_eq!(version(&ours), version(&theirs));
    ours.run("sleepit-build").nothing_ran();
    let main = "cmd/sleepit/sleepit.go";
    ours.edit(main, "\"unknown\"", "\"known\"").run("sleepit-build").ran(["sleepit-build"]);
    assert_ne!(version(&ours), version(&theirs));
    // A template that is Task's alone stands there as Task fills it; an included task runs in its folder.
    let imported = ours.read("tasks/imported.toml");
    assert!(imported.contains("shell.script = \"gotestsum -f 'pkgname' ./...\""), "{imported}");
    ours.infra("show website-build").stdout_has("website").stdout_has("pnpm build");
}

/// A project in C of doit's own documentation.
#[test]
fn a_project_of_doits_manual_is_built_as_by_doit() {
    let (theirs, ours) = two_of("doit");
    let dodo = "doc/samples/cproject.py";
    tool(&theirs, "doit", &["-f", dodo]);
    ours.infra(&format!("import doit {dodo} --write"))
        .stderr_has("6 tasks from doc/samples/cproject.py")
        .infra("check");
    ours.run("link").ran(["compile-main", "compile-kbd", "compile-command", "link"]).run("link").nothing_ran();
    assert_eq!(says(&ours, "doc/samples/edit", &[]), says(&theirs, "doc/samples/edit", &[]));
    // A header of two of the three.
    let header = ours.read("doc/samples/command.h");
    ours.file("doc/samples/command.h", &format!("{header}static int more = 1;\n")).run("link");
    assert!(!ours.last().started().contains(&"compile-main".to_owned()), "{:?}", ours.last().started());
    assert!(ours.last().started().contains(&"compile-kbd".to_owned()), "{:?}", ours.last().started());
}
