//! Tests of `story`.

use super::*;
use crate::model::effect::Effect;
use crate::model::reason::Reason;
use crate::report::paint::Verbosity;

fn s(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn run_started(tasks: &[&str]) -> Event {
    Event::RunStarted {
        run: 43,
        command: s("run"),
        env: s("local"),
        targets: vec![s("verify")],
        changed: vec![],
        tasks: tasks.iter().map(|task| s(task)).collect(),
        at: 0,
        estimate: Some(60.0),
    }
}

pub(crate) fn started(task: &str) -> Event {
    let reasons =
        vec![Reason::InputChanged { path: s("main.tf"), old: s("9c1e77aa"), new: s("44b0aa11") }, Reason::Forced];
    Event::TaskStarted {
        task: s(task),
        attempt: 7,
        kind: s("run"),
        effect: Effect::Idempotent,
        reasons,
        at: 0,
        estimate: None,
        interactive: false,
    }
}

pub(crate) fn output(task: &str, line: &str) -> Event {
    Event::TaskOutput { task: s(task), attempt: 7, line: s(line) }
}

pub(crate) fn finished(task: &str, outcome: Outcome) -> Event {
    let executed = matches!(outcome, Outcome::Ran | Outcome::Failed | Outcome::Interrupted);
    Event::TaskFinished {
        task: s(task),
        attempt: executed.then_some(7),
        outcome,
        reasons: if executed { vec![Reason::InputAdded { path: s("main.tf") }, Reason::Forced] } else { vec![] },
        seconds: if executed { 3.21 } else { 0.0 },
        summary: (outcome == Outcome::Ran).then(|| s("3 added")),
        failure: (outcome == Outcome::Failed).then(failure::tests::full),
    }
}

pub(crate) fn run_finished(ran: usize, fresh: usize, failed: usize, skipped: usize) -> Event {
    let outcome = if failed > 0 { Outcome::Failed } else { Outcome::Ran };
    Event::RunFinished {
        run: 43,
        outcome,
        ran,
        fresh,
        restored: 0,
        failed,
        skipped,
        interrupted: 0,
        seconds: 2.14,
        exit: u8::from(failed > 0),
    }
}

fn told(look: Look, stream: bool, events: &[Event]) -> String {
    let mut story = Story::new(look, stream);
    events.iter().flat_map(|event| story.tell(event)).collect::<Vec<_>>().join("\n")
}

fn failing() -> Vec<Event> {
    vec![
        run_started(&["lint", "provision", "configure", "verify"]),
        finished("lint", Outcome::Fresh),
        started("provision"),
        Event::TaskStep { task: s("provision"), attempt: 7, step: s("apply"), argv: vec![s("terraform"), s("apply")] },
        output("provision", "vm[0]: Creating..."),
        Event::TaskNotice { task: s("provision"), message: s("tries again in 5 s") },
        finished("provision", Outcome::Ran),
        started("configure"),
        finished("configure", Outcome::Failed),
        finished("verify", Outcome::Skipped),
        Event::Notice { level: Level::Warning, message: s("the clock moved") },
        run_finished(1, 1, 1, 1),
    ]
}

#[test]
fn a_run_that_had_nothing_to_do_is_one_line() {
    let fresh: Vec<Event> = ["a", "b"].iter().map(|task| finished(task, Outcome::Fresh)).collect();
    let events = [vec![run_started(&["a", "b"])], fresh, vec![run_finished(0, 2, 0, 0)]].concat();
    assert_eq!(told(Look::default(), true, &events), "nothing to do: 2 tasks fresh (2.1 s)");
    let quiet = Look { verbosity: Verbosity::Quiet, ..Look::default() };
    assert_eq!(told(quiet, true, &events), "");
}

#[test]
fn failures_are_told_last_and_in_full() {
    assert_eq!(
        told(Look::default(), true, &failing()),
        "\
run 43 in local, verify: 4 tasks, about 1 min
starts      provision             input main.tf changed (9c1e… → 44b0…) (+1 more)
provision | vm[0]: Creating...
note        provision             tries again in 5 s
ran         provision      3.2 s  3 added; input main.tf is new (+1 more)
starts      configure             input main.tf changed (9c1e… → 44b0…) (+1 more)
failed      configure      3.2 s  `ansible-playbook` exited with code 2; input main.tf is new (+1 more)
skipped     verify
warning: the clock moved
fresh       lint

error: task `configure` failed: `ansible-playbook` exited with code 2
  --> tasks/configure.toml:4:1
  command: ansible-playbook -e 'a b' site.yml
  exit code: 2
  the log ends:
    | TASK [k3s]
    |
    | fatal: no route to host
  log: .infra/runs/43/configure/7/output.log
  hint: is 10.0.0.1 up?

1 failed, 1 ran, 1 fresh, 1 skipped in 2.1 s
hint: `infra run --resume` goes on from here"
    );
}

#[test]
fn what_did_not_come_to_its_turn_is_told_together() {
    let left = |task: &str, outcome, summary: &str| Event::TaskFinished {
        task: s(task),
        attempt: None,
        outcome,
        reasons: if summary == NOT_STARTED { vec![Reason::NeverRan] } else { vec![] },
        seconds: 0.0,
        summary: Some(s(summary)),
        failure: None,
    };
    let mut events = vec![run_started(&["a"])];
    events.extend((0..20).map(|n| left(&format!("t{n}"), Outcome::Skipped, NOT_STARTED)));
    events.push(left("u", Outcome::Skipped, "not run: `a` failed"));
    events.extend((0..5).map(|n| finished(&format!("f{n}"), Outcome::Failed)));
    events.push(run_finished(0, 0, 5, 21));
    let told = told(Look { width: 100, ..Look::default() }, false, &events);
    assert!(told.contains("\nskipped     t0, t1, t2, t3, t4, t5 (+14 more)  not started\n"), "{told}");
    assert!(told.contains("\nskipped     u  not run: `a` failed\n"), "{told}");
    assert_eq!(told.matches("\nerror: task `f").count(), 3, "{told}");
    assert!(told.contains("\nerror: 2 tasks failed as well: f3, f4\n"), "{told}");
}

#[test]
fn quiet_tells_only_what_went_wrong() {
    let quiet = told(Look { verbosity: Verbosity::Quiet, ..Look::default() }, true, &failing());
    assert!(quiet.starts_with("warning: the clock moved\n\nerror: task `configure` failed"), "{quiet}");
    assert!(
        quiet.ends_with("\n1 failed, 1 ran, 1 fresh, 1 skipped in 2.1 s\nhint: `infra run --resume` goes on from here")
    );
}

#[test]
fn verbose_tells_every_reason_step_and_fresh_task() {
    let verbose = told(Look { verbosity: Verbosity::Verbose, ..Look::default() }, true, &failing()[..5]);
    assert_eq!(
        verbose,
        "\
run 43 in local, verify: 4 tasks, about 1 min
fresh       lint
starts      provision
provision because input main.tf changed (9c1e… → 44b0…)
provision because forced
provision $ terraform apply
provision | vm[0]: Creating..."
    );
}

#[test]
fn without_streaming_only_ends_are_told() {
    let told = told(Look { width: 60, ..Look::default() }, false, &failing()[..7]);
    assert_eq!(
        told,
        "\
run 43 in local, verify: 4 tasks, about 1 min
note        provision             tries again in 5 s
ran         provision      3.2 s  3 added; input main.tf is
            new (+1 more)"
    );
}

#[test]
fn a_narrow_terminal_breaks_lines_between_words() {
    let told = told(Look { width: 40, ..Look::default() }, false, &failing());
    for part in [
        "run 43 in local, verify: 4 tasks, about\n  1 min\n",
        "ran         provision      3.2 s  3\n            added; input main.tf is new\n            (+1 more)\n",
        "\nerror: task `configure` failed:\n  `ansible-playbook` exited with code 2\n",
        "\nhint: `infra run --resume` goes on from\n  here",
    ] {
        assert!(told.contains(part), "no {part:?}:\n{told}");
    }
    // What is there to be copied is whole.
    assert!(told.contains("\n  log: .infra/runs/43/configure/7/output.log\n"), "{told}");
}

#[test]
fn a_run_that_did_something_ends_with_counts() {
    let events = [
        run_started(&["a", "b"]),
        finished("a", Outcome::Ran),
        finished("b", Outcome::Fresh),
        run_finished(3, 4, 0, 0),
    ];
    assert!(told(Look::default(), false, &events).ends_with("\nfresh       b\n3 ran, 4 fresh in 2.1 s"));
}
