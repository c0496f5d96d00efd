//! What is kept, and what is dropped: `infra artifacts` and `infra clean`.

use crate::support::Story;
use serde_json::{Value as Json, json};

const TASKS: &str = r#"
    [task.list]
    effect = "pure"
    inputs = ["in"]
    outputs = ["out/list", "out/folder/"]
    shell = "cat in > out/list; mkdir -p out/folder/deep; cat in > out/folder/deep/copy; echo same > out/folder/same; echo said {{ env.name }}"

    [task.key]
    template = { from = "key.j2", to = "out/key", secret = true }

    [task.plain]
    shell = "echo nothing made"
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project("[project]\ndefault = [\"list\", \"key\", \"plain\"]\n[env.local]\n[env.dev]\n");
    story.file("key.j2", "k3y\n").file("in", "one\n");
    story
}

/// Three runs, a day apart, each with another input.
fn thrice() -> Story {
    let story = project();
    for (day, input) in [(0, "one\n"), (1, "two\n"), (2, "three\n")] {
        story.at(day * 86_400).file("in", input).run("");
    }
    story.at(2 * 86_400 + 3 * 3600);
    story
}

fn store(story: &Story) -> Vec<String> {
    let all = story.tree().into_keys().filter(|path| path.starts_with(".infra/cas/"));
    all.filter(|path| story.path(path).is_file()).collect()
}

fn logs(story: &Story) -> usize {
    story.tree().into_keys().filter(|path| path.ends_with("output.log")).count()
}

#[test]
pub fn artifacts_are_listed_shown_and_copied() {
    let story = thrice();
    let list = story.infra("artifacts --json").last().json();
    let said: Vec<String> = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {} {}", one["task"], one["path"], one["kept"], one["newest"]).replace('"', ""))
        .collect();
    assert_eq!(said, ["list out/list true true", "list out/folder true true", "key out/key false true"]);
    let all = story.infra("artifacts --json --all").last().json();
    assert_eq!(all["artifacts"].as_array().unwrap().len(), 7, "{all}");
    story.infra("artifacts").stdout_has("out/list").stdout_has("not kept").stdout_has("3 h ago");
    story.infra("artifacts --all").stdout_has("older").stdout_has("2 d ago");
    // One, by its path or by its digest.
    let digest = list["artifacts"][1]["digest"].as_str().unwrap();
    let shown = story.infra(&format!("artifacts show {} --json", &digest[..8])).last().json();
    assert_eq!(
        (shown["type"].clone(), shown["files"].clone(), shown["kept"].clone()),
        (json!("folder"), json!(2), json!(true))
    );
    story.infra("artifacts show out/folder/").stdout_has(digest).stdout_has("folder, 2 files").stdout_has("in run 3");
    story.infra("artifacts show out/key").stdout_has("not kept");
    story.infra_to(2, "artifacts show nope").stderr_has("no artifact on record is at `nope`");
    story.infra_to(2, "artifacts show ffffffff").stderr_has("a digest needs four digits");
    // A copy elsewhere leaves all here as it is.
    let before = story.tree();
    story.infra("artifacts get list --to ../copies").stdout_has("copies/out/list").stdout_has("copies/out/folder");
    assert_eq!(story.tree(), before);
    story.holds("../copies/out/list", "three\n").holds("../copies/out/folder/deep/copy", "three\n");
    story
        .infra("artifacts get list out/list --to ../one")
        .absent("../one/out/folder")
        .holds("../one/out/list", "three\n");
    story.infra_to(2, "artifacts get list --to ../copies").stderr_has("is there already");
    story.infra_to(2, "artifacts get list out/x --to ../x").stderr_has("`list` made no `out/x`").stderr_has("out/list");
    story.infra_to(2, "artifacts get plain --to ../x").stderr_has("`plain` made no artifacts");
    story.infra_to(2, "artifacts get key --to ../x").stderr_has("secret outputs are not kept");
    story.infra_to(2, "-e dev artifacts get list --to ../x").stderr_has("`list` has no record in `dev`");
    story.infra_to(2, "artifacts get list").stderr_has("--to");
    story.infra_to(2, "artifacts --all show out/list").stderr_has("`--all` is for the list");
    story.absent("../x");
}

#[test]
fn an_artifact_is_found_however_its_path_is_written() {
    let story = Story::with(
        r#"
        [task.one]
        outputs = ["out/dir/", "out/one.txt"]
        shell = "mkdir -p out/dir/deep; echo f > 'out/dir/f g.txt'; echo d > out/dir/deep/d; echo 1 > out/one.txt"
        "#,
    );
    story.file("sub/x", "").run("one");
    // A file in a folder that was made is made, too.
    let seen = story.try_args(&["artifacts", "get", "one", "out/dir/f g.txt", "--to", "../d"]);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.holds("../d/out/dir/f g.txt", "f\n").absent("../d/out/dir/deep").absent("../d/out/one.txt");
    let seen = story.infra("artifacts get one out/dir/deep --to ../e --json").last().json();
    assert_eq!(seen["got"][0]["size"], json!(2), "{seen}");
    story.holds("../e/out/dir/deep/d", "d\n");
    story.infra_to(2, "artifacts get one out/dir/nope --to ../f").stderr_has("`one` made no `out/dir/nope`");
    story.infra_to(2, "artifacts show out/dir/deep").stderr_has("lies in the artifact `out/dir`");
    // As seen from where one stands.
    story.infra("artifacts show ./out/one.txt").stdout_has("out/one.txt of one");
    story.infra("-C sub artifacts show ../out/one.txt").stdout_has("out/one.txt of one");
    story.infra("-C sub artifacts show out/one.txt").stdout_has("out/one.txt of one");
    story.infra(&format!("artifacts show {}", story.root().canonicalize().unwrap().join("out/one.txt").display()));
    story.infra("-C out/dir artifacts get one ../one.txt --to ../g").holds("../g/out/one.txt", "1\n");
    // What is the state's own is nobody else's.
    for to in [".infra/x", "out/../.infra", "sub/../.infra/y/z"] {
        story.infra_to(2, &format!("artifacts get one --to {to}")).stderr_has("lies in `.infra`");
    }
    std::os::unix::fs::symlink(".infra", story.path("link")).unwrap();
    story.infra_to(2, "artifacts get one --to link/x").stderr_has("lies in `.infra`").absent(".infra/x");
    assert_eq!(story.infra("artifacts get one --to ../q -q").last().stdout, "");
    story.holds("../q/out/one.txt", "1\n");
    // What can't be written is no state.
    story.file("../file", "");
    story.infra_to(7, "artifacts get one --to ../file").stderr_has("free space or mend permissions, then say it again");
    // One that can't be copied takes back those that were.
    story.file("../half/out", "").infra_to(7, "artifacts get one --to ../half").remove("../half/out");
    story.infra("artifacts get one --to ../half");
}

#[test]
pub fn clean_drops_what_is_old_and_keeps_the_newest() {
    let story = thrice();
    let (before, objects) = (story.tree(), store(&story).len());
    story.infra("clean --older-than 36h --dry-run").stdout_has("would free").stdout_has(".infra/cas/");
    assert_eq!(story.tree(), before, "nothing is dropped that is only told");
    // A list that was asked for is no talk.
    story.infra("clean --older-than 36h --dry-run -q").stdout_has(".infra/cas/");
    // Of the first run its own files and logs; what the later ones share with it stays.
    let seen = story.infra("clean --older-than 36h --json").last().json();
    assert_eq!(seen["logs"]["files"], json!(1), "{seen}");
    assert_eq!(
        store(&story).len(),
        objects - seen["artifacts"]["files"].as_u64().map(|n| usize::try_from(n).unwrap()).unwrap()
    );
    let dropped: Vec<&Json> = seen["dropped"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
    assert!(dropped.iter().all(|path| !story.exists(path.as_str().unwrap())), "{dropped:?}");
    // The second goes, too; the third is each task's newest, however old it gets.
    story.at(90 * 86_400).infra("clean --older-than 1d").stdout_has("freed");
    story.infra("clean --older-than 0s").stdout_has("nothing to drop");
    assert_eq!(story.infra("clean --older-than 0s -q").last().stdout, "");
    assert_eq!(logs(&story), 2);
    story.states("list=fresh plain=fresh");
    story.remove("out/list").run("list").restored(["list"]).holds("out/list", "three\n");
    // What is gone is made again, and no record was touched.
    story.file("in", "one\n").run("list").ran(["list"]).infra("history").stdout_has("1 ");
    story.infra("logs --run 1").stderr_has("`list` (attempt 1): its log is no longer there");
}

#[test]
pub fn clean_drops_the_oldest_until_little_enough_stays() {
    let story = thrice();
    let all = story.infra("clean --max-size 1GiB --json").last().json();
    assert_eq!(all["freed_bytes"], json!(0));
    let stays = all["kept_bytes"].as_u64().unwrap();
    let seen = story.infra(&format!("clean --json --max-size {}", stays - 1)).last().json();
    assert!(seen["kept_bytes"].as_u64().unwrap() < stays && seen["freed_bytes"] != json!(0), "{seen}");
    assert_eq!(seen.get("over_bytes"), None);
    // The newest are protected, and that is said.
    story.infra("clean --max-size 0").stdout_has("more than `--max-size`");
    let list = story.infra("artifacts --json").last().json();
    assert_eq!(list["artifacts"][0]["kept"], json!(true));
    story.states("list=fresh plain=fresh");
    story.infra_to(2, "clean").stderr_has("--older-than").stderr_has("--max-size");
    story.infra_to(2, "clean --max-size 1.5G").stderr_has("write `500MB`, `2GiB`");
    story.infra_to(2, "clean --older-than month").stderr_has("write `500ms`");
}

#[test]
fn what_a_cut_run_left_behind_goes() {
    let story = project();
    story.run("");
    story.file(".infra/cas/new.left", "half an artifact").infra("clean --older-than 0s").absent(".infra/cas/new.left");
    // In a project that never ran there is nothing, and nothing is made.
    let fresh = project();
    fresh.infra("clean --older-than 0s").stdout_has("nothing to drop").absent(".infra");
}

#[test]
fn nothing_is_dropped_while_somebody_runs() {
    let story = project();
    story.run("");
    story.file("tasks/long.toml", "[task.long]\nshell = \"touch ../started; sleep 600\"\n");
    let running = story.spawn("run long -e dev");
    story.wait_for_file("../started");
    story.infra_to(3, "clean --older-than 0s").stderr_has("environment `dev` is held by `infra run long`");
    assert!(!story.stderr_has("wait until it ends").last().stderr.contains("--wait"), "it has no such option");
    story.infra_to(3, "clean --older-than 0s --dry-run").stderr_has("environment `dev` is held by `infra run long`");
    running.signal("INT");
    running.wait();
    story.infra("clean --older-than 0s");
}
