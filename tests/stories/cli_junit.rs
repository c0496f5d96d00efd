//! `infra run --junit FILE`: a report for CI systems, however the run ends, without a secret.

use crate::support::Story;
use std::process::Command;

fn project() -> Story {
    let story = Story::with(
        r#"
        [task.good]
        shell = "echo fine"

        [task.bad]
        env = { TOKEN = "{{ secrets.token }}" }
        shell = "echo \"it <said> $TOKEN\"; exit 3"

        [task.behind]
        needs = ["bad"]
        run = ["true"]

        [task.long]
        shell = "touch ../started; sleep 600"
        "#,
    );
    story.project("[secrets]\ntoken = { env = \"API_TOKEN\" }\n[env.local]\n[env.dev]\n");
    story.env("API_TOKEN", "t0p-secret");
    story
}

/// A report, read by somebody else's parser: counts of the suite, and each case as `name:element`.
fn report(story: &Story, path: &str) -> String {
    let script = "
import sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
assert set(suites.keys()) == {'name', 'tests', 'failures', 'errors', 'time'}, suites.keys()
suite = suites[0]
cases = [case.get('name') + ':' + case[0].tag for case in suite]
print(suite.get('name'), *[suite.get(key) for key in ('tests', 'failures', 'errors', 'skipped')], *cases)
";
    let file = story.path(path);
    let output = Command::new("python3").args(["-c", script]).arg(&file).output().expect("python3 starts");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), story.read(path));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
pub fn junit_says_how_each_task_ended() {
    let story = project();
    story.run_to(1, "good behind -k --junit ../out/report.xml");
    assert_eq!(report(&story, "../out/report.xml"), "local 3 1 0 1 good:system-out bad:failure behind:skipped");
    let text = story.read("../out/report.xml");
    for part in ["exit code: 3", "| it &lt;said&gt; ", "declared at tasks/t.toml:4:7", ">ran</system-out>"] {
        assert!(text.contains(part), "no {part}:\n{text}");
    }
    assert!(!text.contains("t0p-secret"), "{text}");
    story.nowhere_printed("t0p-secret");
    // What is fresh is well, also when nothing is to be done at all.
    for _ in 0..3 {
        story.run_plain("good --junit ../fresh.xml");
        assert_eq!(report(&story, "../fresh.xml"), "local 1 0 0 0 good:system-out");
    }
    assert!(story.read("../fresh.xml").contains(">fresh</system-out>"));
    // It is told where it can't be written, and the run is what it is.
    story.infra_to(2, "run good --junit ..").stderr_has("`..` is no file that can be written");
    story.run_plain("good --junit ../fresh.xml/below").stderr_has("warning: ");
    story.infra_to(2, "run good --junit x --dry-run").stderr_has("cannot be used with");
}

#[test]
fn a_failure_an_interrupt_and_a_refusal_are_written_too() {
    let story = project();
    let running = story.spawn("run long --junit ../report.xml");
    story.wait_for_file("../started");
    running.signal("INT");
    assert_eq!(running.wait().code, Some(130));
    assert_eq!(report(&story, "../report.xml"), "local 1 0 1 0 long:error");
    // The former report is no report of a run that could not begin.
    story.remove("../started");
    let running = story.spawn("run long");
    story.wait_for_file("../started");
    story.infra_to(3, "run good --junit ../report.xml");
    assert_eq!(report(&story, "../report.xml"), "infra 1 0 1 0 infra:error");
    assert!(story.read("../report.xml").contains("is held by `infra run long`"));
    running.signal("INT");
    running.wait();
    story.retask("run = [\"true\"]", "rnu = [\"true\"]").infra_to(2, "run good --junit ../report.xml");
    assert_eq!(report(&story, "../report.xml"), "infra 1 0 1 0 infra:error");
}
