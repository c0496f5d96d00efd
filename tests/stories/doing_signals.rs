//! Signals to the program: exactly one interrupt to each tool, what the second and the third do, and what
//! is left when it is killed itself.

use crate::support::{Running, Story, alive};
use std::time::{Duration, Instant};

/// Counts the interrupts that reach it and ends when `../go` is there.
const DEAF: &str = r#"
    [task.deaf]
    grace = "60s"
    shell = '''
    trap 'echo INT >> ../log' INT
    trap 'echo TERM >> ../log' TERM
    echo $$ > ../pid
    touch ../ready
    while test ! -e ../go; do sleep 0.05 || true; done
    exit 9
    '''
    [task.after]
    needs = ["deaf"]
    shell = "echo after >> ../log"
"#;

fn deaf() -> (Story, Running) {
    let story = Story::with(DEAF);
    let running = story.spawn("run after");
    story.wait_for_file("../ready");
    (story, running)
}

#[test]
fn the_first_interrupt_reaches_a_tool_once() {
    let (story, mut running) = deaf();
    running.signal("INT");
    running.until("interrupt sent to `deaf`; waiting so that they can end in order");
    story.wait_for("the interrupt", || story.times("INT") == 1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((story.times("INT"), running.lives()), (1, true));
    story.file("../go", "");
    let seen = running.wait();
    assert_eq!((seen.code, story.times("INT"), story.times("after")), (Some(130), 1, 0), "{seen:?}");
    story.states("deaf=stale after=stale").infra("history").stdout_has("interrupted");
}

#[test]
fn the_second_says_what_is_waited_for_and_the_tool_hears_nothing_of_it() {
    let (story, mut running) = deaf();
    running.signal("INT");
    running.until("interrupt sent");
    running.signal("INT");
    running.until("waiting for `deaf` (sh -eu, at most 5").until("Ctrl-C once more kills");
    assert_eq!(story.times("INT"), 1);
    story.file("../go", "");
    assert_eq!((running.wait().code, story.times("INT")), (Some(130), 1));
}

#[test]
fn the_third_kills_the_whole_tree_those_that_left_the_group_included() {
    let story = Story::with(
        r#"
        [task.tree]
        grace = "60s"
        shell = '''
        trap '' INT
        echo $$ > ../pid
        setsid sh -c 'trap "" INT TERM; echo $$ > ../away; sleep 600' &
        sh -c 'trap "" INT TERM; sleep 600 & wait' &
        echo $! > ../child
        while test ! -s ../away; do sleep 0.01; done
        touch ../ready
        while true; do sleep 0.05 || true; done
        '''
        "#,
    );
    let mut running = story.spawn("run tree");
    story.wait_for_file("../ready");
    running.signal("INT");
    running.until("interrupt sent");
    running.signal("INT");
    running.until("once more kills");
    let since = Instant::now();
    running.signal("INT");
    let seen = running.wait();
    assert_eq!(seen.code, Some(130), "{seen:?}");
    assert!(since.elapsed() < Duration::from_secs(20) && seen.stderr.contains("killed"), "{seen:?}");
    for file in ["../pid", "../away", "../child"] {
        let pid = story.read(file).trim().parse().unwrap();
        assert!(!alive(pid), "{file} lives");
    }
    assert!(story.processes().is_empty(), "{:?}", story.processes());
}

#[test]
fn term_and_hup_are_interrupts_too() {
    for signal in ["TERM", "HUP"] {
        let (story, mut running) = deaf();
        running.signal(signal);
        running.until("interrupt sent to `deaf`");
        story.wait_for("the interrupt", || story.times("INT") == 1);
        story.file("../go", "");
        assert_eq!((running.wait().code, story.times("TERM")), (Some(130), 0), "{signal}");
    }
}

#[test]
fn every_running_tool_is_interrupted_and_nothing_more_starts() {
    let story = Story::with(
        r#"
        [task.t]
        foreach = ["1", "2", "3"]
        shell = "trap 'echo INT >> ../log; exit 1' INT; touch ../ready-{{ item }}; sleep 60 & wait"
        [task.later]
        after = ["t"]
        shell = "echo later >> ../log"
        "#,
    );
    let running = story.spawn("run t later --json -j 3");
    for n in 1..4 {
        story.wait_for_file(&format!("../ready-{n}"));
    }
    running.signal("INT");
    let seen = running.wait();
    assert_eq!((seen.code, story.times("INT"), story.times("later")), (Some(130), 3, 0), "{seen:?}");
    assert_eq!(seen.outcomes().values().filter(|outcome| *outcome == "interrupted").count(), 4, "{seen:?}");
}

#[test]
fn a_tool_that_ends_well_after_an_interrupt_is_done() {
    let story = Story::with(
        "[task.t]\nshell = \"trap 'echo INT >> ../log' INT; touch ../ready; sleep 1 & wait || true; exit 0\"\n",
    );
    let running = story.spawn("run t");
    story.wait_for_file("../ready");
    running.signal("INT");
    assert_eq!(running.wait().code, Some(130));
    story.states("t=fresh");
}

#[test]
fn when_the_program_is_killed_the_next_run_says_so() {
    let (story, running) = deaf();
    running.signal("KILL");
    assert_eq!(running.wait().signal, Some(9));
    story.file("../go", "").states("deaf=stale").status_reason("deaf", serde_json::json!({"kind": "interrupted"}));
    story.infra("history").stdout_has("interrupted");
    story.retask("exit 9", "exit 0").run("after").ran(["deaf", "after"]);
    story.says(
        "run 1 was cut short while `deaf` (attempt 1) ran: it may have changed the world; it runs again, which is safe",
    );
    story.run("after").nothing_ran();
}

#[test]
fn a_once_that_was_killed_waits_for_a_person() {
    let story = Story::with(DEAF);
    story.retask("[task.deaf]", "[task.deaf]\neffect = \"once\"");
    let running = story.spawn("run after");
    story.wait_for_file("../ready");
    running.signal("KILL");
    running.wait();
    story.file("../go", "").states("deaf=unknown").run_to(4, "after").nothing_ran();
    story.says("its end is not known: `infra resolve` it first").says("infra resolve deaf --done");
    story.infra_to(4, "run after").stderr_has("infra resolve deaf").infra("why deaf").stdout_has("infra resolve deaf");
    story.infra("resolve deaf --done --reason seen").run("after").ran(["after"]).fresh(["deaf"]);
}

#[test]
fn a_reader_that_goes_away_disturbs_nobody() {
    let story = Story::with(
        "[task.t]\nforeach = [\"1\", \"2\", \"3\"]\nshell = \"for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; echo t >> ../log\"\n",
    );
    let infra = env!("CARGO_BIN_EXE_infra");
    let shell = |line: &str| {
        std::process::Command::new("bash")
            .args(["-c", &format!("set -o pipefail; {line}")])
            .current_dir(story.root())
            .output()
            .expect("bash")
    };
    for line in [
        format!("{infra} list | head -1"),
        format!("{infra} run t --json | head -1"),
        format!("{infra} status | head -1"),
        format!("{infra} run t --force 2>&1 | head -1"),
        format!("{infra} --help | head -1"),
        format!("{infra} schema | head -1"),
    ] {
        let output = shell(&line);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && stderr.is_empty(), "{line}: {:?} {stderr}", output.status);
    }
    assert_eq!(story.times("t"), 6, "the runs went on");
    // What was asked for and is lost is told.
    for words in ["status", "schema", "graph --format svg", "list --json"] {
        let output = shell(&format!("{infra} {words} > /dev/full"));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{words}: {stderr}");
        assert!(stderr.contains("standard output cannot be written: the disk is full"), "{words}: {stderr}");
    }
    // A closed stdout or stderr is no panic either.
    for line in [format!("{infra} status >&-"), format!("{infra} run t 2>&-"), format!("{infra} check 2> /dev/full")] {
        let output = shell(&line);
        assert!(output.status.code().is_some_and(|code| code < 100), "{line}: {:?}", output.status);
    }
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let story = Story::with("[task.slow]\nshell = \"touch ../ready; while [ ! -e ../go ]; do sleep 0.02; done\"\n");
    let infra = env!("CARGO_BIN_EXE_infra");
    let mut child = story.command_of("nohup", &[infra, "run", "slow"]).spawn().expect("nohup starts");
    story.wait_for_file("../ready");
    crate::support::send(i32::try_from(child.id()).expect("a process id"), "HUP");
    story.file("../go", "");
    assert!(child.wait().expect("it ends").success());
    story.run("slow").nothing_ran();
}
