//! Reading never writes: every reading command leaves the project byte for byte as it was, but for
//! SQLite's `-shm` and an empty `-wal`; in a fresh clone it makes nothing.

use crate::support::Story;
use clap::CommandFactory;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Commands that may write, by name.
const WRITERS: [&str; 7] = ["run", "watch", "destroy", "resolve", "edit", "init", "import"];

/// What is read, each with the ways to read it. `run --dry-run` reads, too.
const READERS: [(&str, &[&str]); 19] = [
    ("check", &["check", "check --json"]),
    ("schema", &["schema", "schema tasks"]),
    ("status", &["status", "status --json", "status --probe", "status -v b", "status --exit-code", "status -e dev"]),
    ("why", &["why b", "why a --json"]),
    ("plan", &["plan", "plan b --force --json", "plan b --exit-code", "plan b --skip a"]),
    ("list", &["list", "list --json -v"]),
    ("show", &["show b", "show c --json", "show t -v"]),
    ("doctor", &["doctor", "doctor --json", "doctor -q"]),
    ("completion", &["completion bash", "completion zsh", "completion fish"]),
    ("complete", &["complete --index 2 -- infra run ", "complete --index 3 -- infra run -e x"]),
    ("artifacts", &["artifacts", "artifacts --all --json", "artifacts show build/a"]),
    // While a run goes on it is refused.
    ("clean", &["clean --dry-run --older-than 0s", "clean --dry-run --max-size 0 --json"]),
    ("man", &["man", "man run"]),
    ("graph", &["graph", "graph --format dot b", "graph --json", "graph --format svg"]),
    ("logs", &["logs", "logs b", "logs --path --json"]),
    ("history", &["history", "history b --json"]),
    ("outputs", &["outputs", "outputs b --reveal", "outputs b --key ip", "outputs --json"]),
    // With `--write` it writes.
    ("import", &["import make Makefile", "import make --json"]),
    ("run", &["run b --dry-run", "run --dry-run --json"]),
];

const TASKS: &str = r#"
    [task.a]
    effect = "pure"
    inputs = ["src/**"]
    outputs = ["build/a"]
    shell = "cat src/* > build/a"

    [task.b]
    inputs = ["build/a"]
    exports = { ip = "ip", key = "secret<string>" }
    env = { TOKEN = "{{ secrets.token }}" }
    shell = "test ! -e ../hang || { touch ../hanging; sleep 600; }; echo b; echo '{\"ip\": \"10.0.0.1\", \"key\": \"k\"}' > $INFRA_EXPORTS"
    probe = { exec = ["true"] }

    [task.c]
    needs = ["b"]
    effect = "read"
    shell = "echo {{ tasks.b.ip }}"

    [task.d]
    run = ["maker", "it"]

    [task.t]
    template = { from = "t.j2", to = "build/t" }
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project("[project]\ndefault = [\"c\", \"d\", \"t\"]\n[requires]\nmaker = \">=1\"\n[env.local]\n[env.dev]\n[secrets]\ntoken = { command = [\"sh\", \"-c\", \"echo asked >> ../asked; echo t0ken\"] }\n");
    story.program("maker", "echo maker 1.2.3");
    story.file("src/one", "1\n").file("t.j2", "{{ env.name }}\n").file("Makefile", "made: src/one\n\tcp $< $@\n");
    story
}

fn every_reader() -> impl Iterator<Item = &'static str> {
    READERS.iter().flat_map(|(_, ways)| ways.iter().copied())
}

/// Every file by its bytes, and nothing else: the story's own tree leaves out what may change.
fn unchanged(story: &Story, before: &BTreeMap<String, String>, words: &str) {
    let after = story.tree();
    if *before != after {
        let differs: BTreeSet<&String> =
            before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
        story.last().fail(&format!("`{words}` wrote: {differs:?}"));
    }
}

/// Whether a command said what it should; of a doctor that may be a problem.
fn answered(words: &str, code: Option<i32>) -> bool {
    matches!(code, Some(0 | 2 | 5 | 10))
        || (words.starts_with("clean") && code == Some(3))
        || (words.starts_with("doctor") && code == Some(1))
}

fn all_leave_it(story: &Story) {
    let before = story.tree();
    for words in every_reader() {
        let seen = story.try_infra(words);
        if !answered(words, seen.code) {
            seen.fail(&format!("`{words}` failed"));
        }
        unchanged(story, &before, words);
    }
}

#[test]
fn every_command_reads_or_is_known_to_write() {
    let declared: BTreeSet<String> =
        infra::cli::Cli::command().get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let known: BTreeSet<String> =
        WRITERS.iter().chain(READERS.iter().map(|(name, _)| name)).map(|name| (*name).to_owned()).collect();
    assert_eq!(declared, known);
}

#[test]
fn in_a_fresh_clone_nothing_is_made() {
    let story = project();
    all_leave_it(&story);
    story.absent(".infra").absent("../asked");
}

#[test]
fn after_a_run_nothing_changes() {
    let story = project();
    story.run("").ran(["a", "b", "c", "d", "t"]);
    let asked = story.read("../asked");
    all_leave_it(&story);
    // Nor when everything is stale, and files have another time.
    story.file("src/one", "2\n").file("src/two", "3\n").file("t.j2", "{{ env.name }}!\n");
    all_leave_it(&story);
    assert_eq!(story.read("../asked"), asked, "no secret's command was run");
}

#[test]
fn after_a_failure_and_after_a_kill_nothing_changes() {
    let story = project();
    story.run("").retask("echo b;", "exit 3;").run_to(1, "");
    all_leave_it(&story);
    story.file("../hang", "");
    let running = story.spawn("run b");
    story.wait_for_file("../hanging");
    running.signal("KILL");
    running.wait();
    for pid in story.processes() {
        crate::support::send(pid, "KILL");
    }
    // What a dead run left in the write-ahead log is still to be read, and stays where it is.
    assert!(story.path(".infra/state.db-wal").metadata().is_ok_and(|meta| meta.len() > 0));
    all_leave_it(&story);
    story.states("b=stale");
}

#[test]
fn while_a_run_goes_on_readers_read() {
    let story = project();
    story.run("").file("../hang", "").file("src/one", "5\n");
    let running = story.spawn("run b");
    story.wait_for_file("../hanging");
    let before = story.tree();
    for words in every_reader() {
        assert!(answered(words, story.try_infra(words).code), "{words}: {:?}", story.last());
        unchanged(&story, &before, words);
    }
    story.states("b=running");
    running.signal("INT");
    assert_eq!(running.wait().code, Some(130));
}

/// The project at another path, read-only. Unmounted at the end.
struct ReadOnly(std::path::PathBuf);

impl ReadOnly {
    /// `None`: not possible here.
    fn of(story: &Story) -> Option<Self> {
        let at = story.base().join("read-only");
        std::fs::create_dir(&at).ok()?;
        let mount = |args: &[&str]| {
            Command::new("mount")
                .args(args)
                .stderr(std::process::Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let done =
            mount(&["--bind", story.root().to_str()?, at.to_str()?]) && mount(&["-o", "remount,bind,ro", at.to_str()?]);
        if done {
            return Some(Self(at));
        }
        assert!(std::env::var_os("CI").is_none(), "CI can't mount: this story needs root");
        eprintln!("SKIPPED: no read-only mount without root");
        None
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_read_only_project_can_be_read() {
    let story = project();
    story.run("");
    let usual: Vec<_> = every_reader().map(|words| (story.try_infra(words).code, story.last().stdout)).collect();
    let Some(mounted) = ReadOnly::of(&story) else { return };
    let at = mounted.0.to_str().unwrap();
    let before = story.tree();
    for (words, (code, stdout)) in every_reader().zip(usual) {
        let seen = story.try_infra(&format!("-C {at} {words}"));
        if words.starts_with("doctor") {
            // That no run can be recorded there is a problem.
            assert_eq!(seen.code, Some(1), "{words}: {seen:?}");
            unchanged(&story, &before, words);
            continue;
        }
        assert_eq!(seen.code, code, "{words}: {seen:?}");
        assert_eq!(seen.stdout.lines().count(), stdout.lines().count(), "{words}: {stdout}\n{}", seen.stdout);
        unchanged(&story, &before, words);
    }
    // A run that has nothing to do needs to write nothing but its lock, and says what it can't.
    let refused = story.try_infra(&format!("-C {at} run"));
    assert_eq!(refused.code, Some(7), "{refused:?}");
    refused.stderr.find("the file system is read-only").expect("the cause in words");
    // What a killed run left in the log is read there, too.
    story.file("../hang", "").file("src/one", "5\n");
    let running = story.spawn("run b");
    story.wait_for_file("../hanging");
    running.signal("KILL");
    running.wait();
    for pid in story.processes() {
        crate::support::send(pid, "KILL");
    }
    std::fs::remove_file(story.path(".infra/state.db-shm")).unwrap();
    let before = story.tree();
    let status = story.infra(&format!("-C {at} status --json")).last();
    assert!(status.stdout.contains("interrupted"), "{status:?}");
    unchanged(&story, &before, "status on a read-only project");
}

#[test]
fn a_folder_that_may_not_be_written_can_be_read() {
    let story = project();
    story.run("");
    // For those whom modes do not bind there is the read-only mount above.
    for (path, mode) in [(".infra/state.db", 0o400), (".infra/key", 0o400), (".infra", 0o500)] {
        story.mode(path, mode);
    }
    all_leave_it(&story);
    story.mode(".infra", 0o700);
}
