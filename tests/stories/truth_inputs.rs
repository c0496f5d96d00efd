//! Inputs: what is one, when it is read, and how it is told that it changed.

use crate::support::Story;
use serde_json::json;
use std::fs;
use std::time::{Duration, SystemTime};

const SUM: &str = r#"
    [task.sum]
    inputs = ["src/**/*.txt", "!src/**/skip.txt", "named.cfg"]
    shell = "echo sum >> ../log"

    [task.other]
    inputs = ["other.txt"]
    shell = "echo other >> ../log"
"#;

fn sum() -> Story {
    let story = Story::with(SUM);
    story.file("src/a.txt", "a").file("src/b/skip.txt", "x").file("named.cfg", "1").file("other.txt", "o");
    story.run("*").ran(["sum", "other"]);
    story
}

#[test]
fn a_changed_input_reruns_its_task_only() {
    let story = sum();
    story
        .file("src/a.txt", "b")
        .run("*")
        .ran(["sum"])
        .fresh(["other"])
        .because("sum", json!({"kind": "input-changed", "path": "src/a.txt"}));
}

#[test]
fn the_set_of_names_is_an_input() {
    let story = sum();
    story
        .file("src/b/new.txt", "n")
        .run("*")
        .ran(["sum"])
        .because("sum", json!({"kind": "input-added", "path": "src/b/new.txt"}));
    story
        .remove("src/b/new.txt")
        .run("*")
        .ran(["sum"])
        .because("sum", json!({"kind": "input-removed", "path": "src/b/new.txt"}));
}

#[test]
fn what_a_glob_takes_away_is_none() {
    let story = sum();
    story.file("src/b/skip.txt", "y").file("src/c/skip.txt", "new").file("src/d.md", "no").run("*").nothing_ran();
}

#[test]
fn time_stamps_and_inodes_are_none() {
    let story = sum();
    let path = story.path("src/a.txt");
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(SystemTime::now() - Duration::from_secs(99_999))
        .unwrap();
    story.run("*").nothing_ran();
    fs::remove_file(&path).unwrap();
    story.file("src/a.txt", "a").run("*").nothing_ran();
}

#[test]
fn the_executable_bit_is_one() {
    let story = sum();
    story.mode("src/a.txt", 0o755).run("*").ran(["sum"]).fresh(["other"]);
    // Other bits are not.
    story.mode("src/a.txt", 0o700).run("*").nothing_ran();
}

#[test]
fn same_size_within_the_clocks_grain_is_read_again() {
    // Racily clean: an edit of the same size, in the same moment, its mtime put back.
    let story = Story::with("[task.sum]\ninputs = [\"in\"]\nshell = \"echo sum >> ../log\"\n");
    story.file("in", "0").run("sum").ran(["sum"]);
    for round in 1..6 {
        let path = story.path("in");
        let before = path.metadata().unwrap().modified().unwrap();
        fs::write(&path, round.to_string()).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        story.run("sum").ran(["sum"]);
    }
    story.run("sum").nothing_ran();
}

#[test]
fn a_file_written_while_it_is_judged_is_not_missed() {
    let story = Story::with(
        r#"
        [task.gen]
        shell = "echo $(cat ../n) > gen.txt"
        outputs = ["gen.txt"]
        inputs = ["kick"]

        [task.sum]
        inputs = ["gen.txt"]
        shell = "cat gen.txt >> ../sums"
        "#,
    );
    // Written and hashed within one tick, always of one size.
    for n in 1..6 {
        story.file("../n", &n.to_string()).file("kick", &n.to_string()).run("sum").ran(["gen", "sum"]);
    }
    assert_eq!(story.read("../sums"), "1\n2\n3\n4\n5\n");
}

#[test]
fn an_input_that_changed_while_the_task_ran_leaves_it_stale() {
    let story = Story::with(
        r#"
        [task.sum]
        inputs = ["in.txt"]
        shell = "echo sum >> ../log; if test -e ../meddle; then echo more >> in.txt; fi"

        [task.other]
        inputs = ["other.txt"]
        shell = "echo other"
        "#,
    );
    story.file("in.txt", "1\n").file("other.txt", "").file("../meddle", "");
    story.try_infra("run --json *");
    story
        .states("sum=stale other=fresh")
        .status_reason("sum", json!({"kind": "changed-while-running", "path": "in.txt"}));
    story.remove("../meddle").run("*").ran(["sum"]).fresh(["other"]);
    story.run("*").nothing_ran();
}

#[test]
fn a_link_counts_by_its_text_and_by_what_it_leads_to() {
    let story = Story::with("[task.sum]\ninputs = [\"link\"]\nshell = \"echo sum >> ../log\"\n");
    story.file("one", "1").file("two", "1");
    std::os::unix::fs::symlink("one", story.path("link")).unwrap();
    story.run("sum").ran(["sum"]);
    story.file("one", "2").run("sum").ran(["sum"]);
    story.file("one", "1").run("sum").ran(["sum"]);
    fs::remove_file(story.path("link")).unwrap();
    std::os::unix::fs::symlink("two", story.path("link")).unwrap();
    story.run("sum").ran(["sum"]);
    story.file("one", "3").run("sum").nothing_ran();
}

#[test]
fn a_folder_counts_with_all_that_is_in_it() {
    let story = Story::with("[task.sum]\ninputs = [\"site\"]\nshell = \"echo sum >> ../log\"\n");
    story.file("site/a/b", "1").file("beside", "1").run("sum").ran(["sum"]);
    story.file("site/a/c", "1").run("sum").ran(["sum"]);
    story.remove("site/a/c").run("sum").ran(["sum"]);
    story.file("beside", "2").run("sum").nothing_ran();
}

#[test]
fn globs_respect_gitignore_and_named_paths_do_not() {
    let story =
        Story::with("[task.sum]\ninputs = [\"**/*.txt\", \"secret/named.txt\"]\nshell = \"echo sum >> ../log\"\n");
    story.file(".gitignore", "secret/\n").file("a.txt", "1").file("secret/named.txt", "1").file("secret/x.txt", "1");
    story.run("sum").ran(["sum"]);
    story.file("secret/x.txt", "2").run("sum").nothing_ran();
    story.file("secret/named.txt", "2").run("sum").ran(["sum"]);
    story.file("a.txt", "2").run("sum").ran(["sum"]);
}

#[test]
fn a_glob_that_matches_nothing_is_fine() {
    Story::with("[task.sum]\ninputs = [\"none/*.txt\"]\nshell = \"true\"\n")
        .run("sum")
        .ran(["sum"])
        .run("sum")
        .nothing_ran();
}

#[test]
fn a_missing_path_named_in_full_is_an_error() {
    let story = Story::with("[task.sum]\ninputs = [\"none.txt\"]\nshell = \"true\"\n");
    assert_ne!(story.try_infra("run --json sum").code, Some(0));
    story.says("none.txt");
    story.file("none.txt", "").run("sum").ran(["sum"]);
}

#[test]
fn a_glob_leaves_out_what_another_task_writes() {
    let story = Story::with(
        r#"
        [task.make]
        outputs = ["out/made.txt"]
        inputs = ["seed"]
        shell = "cat seed > out/made.txt; echo make >> ../log"

        [task.sum]
        inputs = ["**/*.txt"]
        shell = "echo sum >> ../log"
        "#,
    );
    story.file("a.txt", "1").file("seed", "1").run("sum").ran(["sum"]);
    story.run("make").ran(["make"]);
    // Its output lies where the glob looks, and neither waits nor reruns it.
    story.file("seed", "2").run("make sum").ran(["make"]).fresh(["sum"]);
}

#[test]
fn a_glob_that_is_left_empty_so_is_an_error() {
    let story = Story::with(
        r#"
        [task.make]
        outputs = ["out/made.txt"]
        shell = "echo 1 > out/made.txt"

        [task.sum]
        inputs = ["out/*.txt"]
        shell = "true"
        "#,
    );
    story.infra_to(2, "check").says("`make`");
    story.retask("\"out/*.txt\"", "\"out/made.txt\"").run("sum").ran(["make", "sum"]);
}

#[test]
fn a_named_path_that_another_task_writes_is_an_edge() {
    let story = Story::with(
        r#"
        [task.make]
        outputs = ["dist/"]
        inputs = ["seed"]
        shell = "mkdir -p dist/in; cat seed > dist/in/x.txt; echo keep > dist/y.md"

        [task.inside]
        inputs = ["dist/in/x.txt"]
        shell = "echo inside >> ../log"

        [task.glob]
        inputs = ["dist/**"]
        shell = "echo glob >> ../log"

        [task.at]
        inputs = ["dist"]
        shell = "echo at >> ../log"
        "#,
    );
    story.file(".gitignore", "dist/\n").file("seed", "1").run("inside glob at").ran(["make", "inside", "glob", "at"]);
    assert_eq!(story.last().started()[0], "make");
    story.run("inside glob at").nothing_ran();
    story.file("seed", "2").run("inside glob at").ran(["make", "inside", "glob", "at"]);
}

#[test]
fn in_place_paths_enter_by_what_they_hold_afterwards() {
    let story = Story::with(
        r#"
        [task.format]
        in_place = ["doc.txt"]
        shell = "tr a-z A-Z < doc.txt > ../t; cat ../t > doc.txt; echo format >> ../log"
        "#,
    );
    story.file("doc.txt", "text\n").run("format").ran(["format"]).holds("doc.txt", "TEXT\n");
    story.run("format").nothing_ran();
    story.file("doc.txt", "more\n").run("format").ran(["format"]).holds("doc.txt", "MORE\n");
}

#[test]
fn a_path_that_is_input_and_output_is_an_error_without_in_place() {
    let story = Story::with("[task.format]\ninputs = [\"doc.txt\"]\noutputs = [\"doc.txt\"]\nshell = \"true\"\n");
    story.file("doc.txt", "").infra_to(2, "check").says("in_place");
}

#[test]
fn a_program_in_the_project_is_an_input() {
    let story = Story::with("[task.lint]\nrun = [\"scripts/lint.sh\"]\n[task.other]\nrun = [\"true\"]\n");
    story.file("scripts/lint.sh", "#!/bin/sh\ntrue\n").mode("scripts/lint.sh", 0o755).run("*").ran(["lint", "other"]);
    story.file("scripts/lint.sh", "#!/bin/sh\ntrue # more\n").run("*").ran(["lint"]).fresh(["other"]);
}

#[test]
fn a_pure_tasks_program_enters_wherever_it_lies() {
    let story = Story::with("[task.lint]\neffect = \"pure\"\nrun = [\"linter\"]\n[task.do]\nrun = [\"linter\"]\n");
    story.program("linter", "true").run("*").ran(["lint", "do"]);
    story.program("linter", "true # newer").run("*").ran(["lint"]).fresh(["do"]);
}

#[test]
fn inputs_are_hashed_when_the_task_is_about_to_start() {
    let story = Story::with(
        r#"
        [task.first]
        pool = "one"
        shell = "sleep 0.05; echo after > shared.txt"

        [task.last]
        needs = ["first"]
        shell = "true"

        [task.second]
        pool = "one"
        inputs = ["shared.txt"]
        shell = "cat shared.txt >> ../seen; echo second >> ../log"
        "#,
    );
    story.project("[pools]\none = 1\n").file("shared.txt", "before\n");
    // `first` leads to more, so it has the place first; what `second` finds then is what it is judged by.
    story.run("* -j2").ran(["first", "second", "last"]);
    assert_eq!(story.last().started()[0], "first");
    story.holds("../seen", "after\n").run("second").nothing_ran();
}

#[test]
fn an_artifact_that_was_altered_while_it_was_read_leaves_its_reader_stale() {
    let story = Story::with(
        r#"
        [task.make]
        effect = "pure"
        outputs = ["build/x"]
        shell = "echo made > build/x"

        [task.use]
        inputs = ["build/x"]
        shell = "test ! -e ../meddle || echo meddled > build/x; cat build/x >> ../used"

        [task.other]
        inputs = ["build/x"]
        after = ["use"]
        shell = "echo other"
        "#,
    );
    story.file("../meddle", "").try_infra("run --json use");
    story.status_reason("use", json!({"kind": "changed-while-running", "path": "build/x"}));
    story.remove("../meddle").run("use other").restored(["make"]).ran(["use", "other"]).run("use other").nothing_ran();
}

#[test]
fn a_checkout_and_back_by_git_is_judged_by_contents() {
    // Checkout of another branch and back, by git itself, which gives every file it writes a new time.
    let story = Story::with(
        r#"
        [task.site]
        effect = "pure"
        inputs = ["pages/*.md"]
        outputs = ["build/site"]
        shell = "echo site >> ../log; cat pages/*.md > build/site"

        [task.ship]
        inputs = ["build/site"]
        shell = "echo ship >> ../log"

        [task.keep]
        inputs = ["LICENSE"]
        shell = "echo keep >> ../log"
        "#,
    );
    let git = |words: &str| {
        let mut git = std::process::Command::new("git");
        git.args(words.split(' ')).current_dir(story.root()).env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "n").env(format!("GIT_{who}_EMAIL"), "n@example");
        }
        let done = git.env("HOME", story.base().join("home")).output().expect("git");
        assert!(done.status.success(), "git {words}: {}", String::from_utf8_lossy(&done.stderr));
    };
    story.file("pages/a.md", "one\n").file("LICENSE", "free\n").file(".gitignore", "build/\n.infra/\n");
    git("init -q -b main");
    git("add .");
    git("commit -q -m one");
    git("checkout -q -b other");
    story.file("pages/a.md", "two\n").file("LICENSE", "free\n");
    git("commit -q -a -m two");
    git("checkout -q main");
    story.run("ship keep").ran(["site", "ship", "keep"]);
    git("checkout -q other");
    story.run("ship keep").ran(["site", "ship"]).fresh(["keep"]);
    git("checkout -q main");
    // What is pure is put back; what changed the world is done again.
    story.run("ship keep").restored(["site"]).ran(["ship"]).fresh(["keep"]).holds("build/site", "one\n");
    assert_eq!((story.times("site"), story.times("ship"), story.times("keep")), (2, 3, 1));
}
