//! The world is not as it should be: tools that are missing or too old, places that are no project, files
//! that can't be read, names that are no text, links in a circle. Clear words, the right code, no panic.

use crate::support::{Seen, Story};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};

/// No panic, no number of the system, no trace of the program's inside.
#[track_caller]
pub fn is_plain(seen: &Seen) {
    for text in [&seen.stdout, &seen.stderr] {
        for bad in ["panicked", "os error", "RUST_BACKTRACE", "src/host", "Err(", "unwrap"] {
            if text.contains(bad) {
                seen.fail(&format!("says `{bad}`"));
            }
        }
    }
    if seen.signal.is_some() || seen.code.is_none_or(|code| code == 101) {
        seen.fail("it broke");
    }
}

/// A command as somebody whom modes bind; `None`: not possible here.
pub fn as_nobody(story: &Story, words: &str) -> Option<Seen> {
    // The program, and the way to the project, must be where nobody may reach them.
    let infra = story.base().join("bin/infra-copy");
    if !infra.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_infra"), &infra).ok()?;
        let open =
            Command::new("chmod").arg("a+rx").arg(story.base()).arg(story.base().join("bin")).arg(&infra).status();
        assert!(open.is_ok_and(|status| status.success()));
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&infra)
        .args(words.split_whitespace())
        .current_dir(story.root())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let seen = Seen {
        command: format!("infra {words} (as nobody)"),
        code: output.status.code(),
        signal: None,
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    if seen.stderr.contains("setpriv:") {
        assert!(std::env::var_os("CI").is_none(), "CI can't become nobody: {}", seen.stderr);
        eprintln!("SKIPPED: can't become nobody");
        return None;
    }
    Some(seen)
}

#[test]
fn a_missing_tool_is_named_with_what_to_do() {
    let story = Story::with(
        "[task.a]\nrun = [\"no-such-tool\", \"x\"]\n[task.b]\nneeds = [\"a\"]\nshell = \"true\"\n[task.c]\nshell = \"echo c >> ../log\"\n",
    );
    story.run_to(6, "b c -k").failed(["a"]).skipped(["b"]).ran(["c"]);
    story
        .says("program `no-such-tool` was not found; install it, or correct its name or PATH")
        .says("nothing is in doubt");
    story.states("a=failed");
    // What `[requires]` lists is looked for before anything runs, all of it at once.
    story.project("[requires]\nno-such-tool = \">=1\"\nold-tool = \">=2\"\n[env.local]\n");
    story.program("old-tool", "echo old-tool 1.9.9").file("tasks/o.toml", "[task.o]\nrun = [\"old-tool\"]\n");
    let seen = story.infra_to(6, "run b c o -k").last();
    is_plain(&seen);
    story.says("tool `no-such-tool` is not installed; `[requires]` wants >=1 for `a`");
    story.says("tool `old-tool` is 1.9.9; `[requires]` wants >=2 for `o`").says("nothing was run");
    assert_eq!(story.times("c"), 1);
    // A run that does not use it does not ask for it.
    story.run("c --force").ran(["c"]);
    story
        .program("old-tool", "echo old-tool v2.0.1-rc1")
        .program("no-such-tool", "echo 1.0")
        .run("b o")
        .ran(["a", "b", "o"]);
}

#[test]
fn a_tool_that_can_not_be_executed_is_told_from_a_missing_one() {
    let story = Story::with("[task.a]\nrun = [\"./tool\"]\n");
    story.file("tool", "#!/no/such/interpreter\n").mode("tool", 0o755);
    story.run_to(1, "a").says("names an interpreter that is not there");
    story.mode("tool", 0o644).run_to(1, "a").says("is not executable").says("chmod +x");
    story.remove("tool").infra_to(6, "run a").stderr_has("program `./tool` was not found");
    is_plain(&story.last());
    assert!(!story.last().stderr.contains("  log:"), "nothing was logged: {}", story.last().stderr);
}

#[test]
fn a_project_is_found_from_its_folders_and_nowhere_else() {
    let story = Story::with("[task.a]\nshell = \"pwd > ../pwd\"\n");
    story.file("deep/er/x", "");
    let here = story.root().join("deep/er");
    let seen = story.infra(&format!("-C {} run a", here.display())).last();
    is_plain(&seen);
    assert_eq!(story.read("../pwd").trim(), story.root().canonicalize().unwrap().to_str().unwrap());
    let out = story.infra_to(2, "-C / status").last();
    is_plain(&out);
    story.says("no project here: neither `/` nor a folder above it has `infra.toml` or `tasks/*.toml`").says("-C DIR");
}

#[test]
fn a_project_without_tasks_says_how_to_begin() {
    let story = Story::new();
    story.project("[project]\nname = \"x\"\n");
    for words in ["list", "status", "plan", "run", "graph", "check", "history", "outputs"] {
        is_plain(&story.try_infra(words));
    }
    story.infra("list").says("tasks/NAME.toml").infra("check").says("no mistakes in 0 tasks");
    story.infra_to(2, "run").says("tasks/");
    // A folder where a file should be, and a file where the folder should be.
    story.file("tasks", "x").infra_to(2, "list").says("tasks");
    is_plain(&story.last());
    let story = Story::with("[task.a]\nshell = \"true\"\n");
    story.file("infra.toml/x", "").infra_to(2, "list").says("infra.toml");
    is_plain(&story.last());
}

#[test]
fn files_that_may_not_be_read_are_named() {
    let story = Story::with("[task.a]\ninputs = [\"secret.txt\"]\nshell = \"true\"\n");
    story.file("secret.txt", "x");
    let Some(seen) = as_nobody(&story, "status") else { return };
    story.mode("secret.txt", 0o000);
    let told = as_nobody(&story, "plan a").unwrap();
    assert_eq!(seen.code, Some(0), "{seen:?}");
    assert_eq!(told.code, Some(7), "{told:?}");
    assert!(told.stderr.contains("secret.txt") && told.stderr.contains("permission denied"), "{told:?}");
    is_plain(&told);
    story.mode("secret.txt", 0o644).mode("tasks/t.toml", 0o000);
    let told = as_nobody(&story, "list").unwrap();
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.stderr.contains("tasks/t.toml") && told.stderr.contains("permission denied"), "{told:?}");
    is_plain(&told);
    // State that belongs to somebody else is no fresh clone.
    story.mode("tasks/t.toml", 0o644).run("a");
    story.mode(".infra", 0o700);
    let told = as_nobody(&story, "status").unwrap();
    assert_eq!(told.code, Some(7), "{told:?}");
    assert!(told.stderr.contains(".infra") && told.stderr.contains("permission denied"), "{told:?}");
}

#[test]
fn a_new_place_that_may_not_be_written_is_named() {
    let story = Story::with("[task.a]\nshell = \"true\"\n");
    let Some(told) = as_nobody(&story, "run a") else { return };
    assert_eq!(told.code, Some(7), "{told:?}");
    assert!(told.stderr.contains(".infra") && told.stderr.contains("permission denied"), "{told:?}");
    is_plain(&told);
}

#[test]
fn names_that_are_no_text_are_told_or_left_alone() {
    let story =
        Story::with("[task.a]\ninputs = [\"src/**\"]\nshell = \"ls src > ../log\"\n[task.b]\nshell = \"true\"\n");
    let odd = OsString::from_vec(b"odd-\xff.txt".to_vec());
    story.file("src/one", "1");
    std::fs::write(story.root().join("src").join(&odd), "x").unwrap();
    let seen = story.try_infra("run a");
    is_plain(&seen);
    assert_eq!(seen.code, Some(7), "an input that can't be named is not left out in silence: {seen:?}");
    story.says("src/odd-").says("UTF-8");
    // Whoever does not read it is not concerned.
    story.run("b").ran(["b"]);
    for words in ["list", "graph", "check", "history"] {
        is_plain(&story.infra(words).last());
    }
    // Tasks in a file with such a name, and a project in such a folder.
    std::fs::write(
        story.root().join("tasks").join(OsString::from_vec(b"t-\xff.toml".to_vec())),
        "[task.x]\nshell = \"true\"\n",
    )
    .unwrap();
    let seen = story.try_infra("list");
    is_plain(&seen);
    assert!(matches!(seen.code, Some(0 | 2)), "{seen:?}");
    let place = story.base().join(OsString::from_vec(b"place-\xff".to_vec()));
    std::fs::create_dir_all(place.join("tasks")).unwrap();
    std::fs::write(place.join("tasks/t.toml"), "[task.a]\nshell = \"true\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_infra")).arg("list").current_dir(&place).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && stderr.contains("UTF-8"), "{:?} {stderr}", output.status);
    // Arguments and variables that are no text.
    let output = Command::new(env!("CARGO_BIN_EXE_infra"))
        .arg(OsString::from_vec(b"stat\xff".to_vec()))
        .env("ODD", OsString::from_vec(b"\xff".to_vec()))
        .current_dir(story.root())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn links_in_a_circle_end_nothing() {
    let story = Story::with(
        "[task.a]\ninputs = [\"src/**\"]\nshell = \"true\"\n[task.b]\ninputs = [\"loop\"]\nshell = \"true\"\n[task.c]\ninputs = [\"src/\"]\nshell = \"true\"\n",
    );
    story.file("src/one", "1");
    let link = |to: &str, from: &str| std::os::unix::fs::symlink(to, story.path(from)).unwrap();
    link("loop", "loop");
    link("..", "src/up");
    link("self", "src/self");
    for words in ["run a", "run c", "run b", "status", "plan b", "why a"] {
        let seen = story.try_infra(words);
        is_plain(&seen);
        assert!(matches!(seen.code, Some(0 | 1 | 2 | 7)), "{seen:?}");
    }
    story.states("a=fresh");
}

#[test]
fn a_state_folder_that_is_none_is_told() {
    for words in ["run a", "status", "history", "destroy --yes", "resolve a --done", "outputs"] {
        let story = Story::with("[task.a]\nshell = \"true\"\n");
        story.file(".infra", "a file");
        let seen = story.infra_to(7, words).last();
        is_plain(&seen);
        assert!(seen.stderr.contains(".infra"), "{seen:?}");
        story.holds(".infra", "a file");
    }
}

#[test]
fn an_output_that_can_not_be_taken_in_is_told() {
    let story = Story::with(
        "[task.a]\noutputs = [\"out\"]\nshell = \"rm -rf out; mkfifo out\"\n[task.b]\noutputs = [\"dir\"]\nshell = \"rm -rf dir; mkdir dir\"\n[task.c]\noutputs = [\"o/\"]\nshell = \"rm -rf o; echo x > o\"\n[task.d]\noutputs = [\"none\"]\nshell = \"true\"\n",
    );
    for task in ["a", "b", "c", "d"] {
        let seen = story.infra_to(1, &format!("run {task}")).last();
        is_plain(&seen);
    }
    story.says("none");
}
