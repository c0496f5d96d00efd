//! Reading never writes: no reading command leaves a trace.

use crate::support::Story;

/// Every command that only reads.
const READING: [&str; 19] = [
    "status",
    "status --json",
    "status --probe",
    "status --exit-code",
    "plan all",
    "plan --json all",
    "plan all --force",
    "run all --dry-run",
    "why all",
    "why use --json",
    "list",
    "list --json",
    "graph",
    "graph --format dot",
    "check",
    "outputs",
    "outputs use --json",
    "history",
    "history use --json",
];

const TASKS: &str = r#"
    [task.make]
    effect = "pure"
    inputs = ["in"]
    outputs = ["build/x"]
    shell = "cat in > build/x"

    [task.look]
    effect = "read"
    exports = { up = "string" }
    shell = "echo up=1 > $INFRA_EXPORTS"

    [task.use]
    inputs = ["build/x"]
    exports = { n = "string" }
    env = { TOKEN = "{{ secrets.token }}" }
    shell = "echo use >> ../log; echo n={{ tasks.look.up }} > $INFRA_EXPORTS"
    undo = ["true"]
    probe = { exec = ["test", "-e", "../up"] }

    [task.all]
    needs = ["use"]
    run = ["mytool", "{{ vars.x }}"]

    [task.down]
    undo_of = "use"
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project(
        "[project]\nname = \"p\"\n[requires]\nmytool = \">=1\"\n[vars]\nx = 1\n[secrets]\ntoken = { command = [\"sh\", \"-c\", \"touch asked; echo t\"] }\n",
    );
    story.program("mytool", "echo mytool 1.2").file("in", "1").file("../up", "");
    story
}

fn all_of(story: &Story) {
    let before = story.tree();
    for command in READING {
        let seen = story.try_infra(command);
        // 2: there is no history to show yet.
        if !matches!(seen.code, Some(0 | 2 | 10)) {
            seen.fail("a reading command");
        }
        let after = story.tree();
        if before != after {
            let differs: Vec<&String> =
                before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
            seen.fail(&format!("it wrote {differs:?}"));
        }
    }
}

#[test]
fn in_a_fresh_clone_reading_creates_nothing() {
    let story = project();
    all_of(&story);
    story.absent(".infra").absent("asked").absent("build");
}

#[test]
fn after_a_run_reading_changes_nothing() {
    let story = project();
    story.run("all").ran(["make", "look", "use", "all"]);
    story.remove("asked");
    all_of(&story);
    // Whatever there is to say of it: stale, restorable, failed, cut, orphaned.
    story.file("in", "2").remove("build/x").remove("../up").program("mytool", "echo mytool 1.3");
    all_of(&story);
    story
        .edit("infra.toml", "x = 1", "x = 2")
        .program("mytool", "case $1 in --version) echo mytool 1.3 ;; *) exit 1 ;; esac");
    story.run_to(1, "all").failed(["all"]).remove("asked");
    all_of(&story);
    story
        .retask("[task.use]", "[task.used]")
        .retask("[\"use\"]", "[\"used\"]")
        .retask("undo_of = \"use\"", "undo_of = \"used\"");
    story.retask("[task.down]", "[task.use]\nshell = \"true\"\n[task.down]");
    all_of(&story);
    story.absent("asked");
}

#[test]
fn nobody_is_kept_from_reading_while_a_run_is_at_work() {
    let story = Story::with(
        "[task.slow]\nshell = \"touch ../began; while test -e ../hold; do sleep 0.01; done\"\n[task.next]\nneeds = [\"slow\"]\nshell = \"true\"\n",
    );
    story.file("../hold", "");
    let running = story.spawn("run next");
    story.wait_for_file("../began");
    story.states("slow=running").infra("why slow").infra("list").infra("graph").infra("history");
    // Another run is refused meanwhile, and told who holds it.
    story.infra_to(3, "run next").says("infra run next");
    story.remove("../hold");
    assert_eq!(running.wait().code, Some(0));
    story.states("slow=fresh next=fresh");
}
