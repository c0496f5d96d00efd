//! Tests of `tables`.

use super::*;
use crate::model::effect::Effect;
use crate::report::paint::Verbosity;
use crate::report::view::{ListedView, PlannedView, ProbeView, TaskView};

fn s(text: &str) -> String {
    text.to_owned()
}

fn reasons() -> Vec<Reason> {
    vec![Reason::VariableChanged { name: s("worker_count"), old: s("2"), new: s("3") }, Reason::Forced]
}

fn task(name: &str, state: State, reasons: Vec<Reason>, age: Option<i64>) -> TaskView {
    TaskView {
        name: s(name),
        stage: (name == "provision").then(|| s("machines")),
        kind: s("run"),
        effect: Effect::Idempotent,
        state,
        reasons,
        description: None,
        age_seconds: age,
        last_run: None,
        typical_seconds: None,
        probe: None,
    }
}

fn status_view() -> StatusView {
    let mut tasks = vec![
        task("lint", State::Fresh, vec![], Some(61)),
        task("provision", State::Stale, reasons(), Some(7300)),
        task("verify", State::Deferred, vec![Reason::UpstreamNotFresh { task: s("provision") }], None),
        task("old", State::Orphaned, vec![Reason::NotDeclared], None),
    ];
    tasks[0].probe = Some(ProbeView { agrees: Some(false), age_seconds: 30, message: s("port 22 refuses") });
    StatusView { env: s("local"), tasks }
}

#[test]
fn status_says_state_and_why() {
    assert_eq!(
        status(&status_view(), &Look::default()),
        "\
task       state     effect      stage     last good  why
lint       fresh     idempotent            61 s ago
    probe disagrees: port 22 refuses, 30 s ago
provision  stale     idempotent  machines  2 h ago    variable worker_count changed: 2 → 3 (+1 more)
verify     deferred  idempotent                       upstream provision is not fresh
old        orphaned  idempotent                       no longer declared

local: 1 stale, 1 deferred, 1 fresh, 1 orphaned
hint: `infra destroy --orphans` undoes what is no longer declared
"
    );
}

#[test]
fn status_is_cut_to_the_terminal_and_says_all_when_asked() {
    let narrow = status(&status_view(), &Look { width: 80, ..Look::default() });
    assert!(narrow.lines().all(|line| width(line) <= 80), "{narrow}");
    assert!(narrow.contains("  2 h ago    variable worker_count chang… (+1 more)\n"), "{narrow}");
    let verbose = status(&status_view(), &Look { verbosity: Verbosity::Verbose, ..Look::default() });
    assert!(verbose.contains("(+1 more)\n    variable worker_count changed: 2 → 3\n    forced\nverify"), "{verbose}");
}

#[test]
fn an_empty_status_is_no_table() {
    assert_eq!(status(&StatusView { env: s("dev"), tasks: vec![] }, &Look::default()), "dev: no tasks\n");
}

fn planned(name: &str, action: PlanAction, reasons: Vec<Reason>) -> PlannedView {
    PlannedView {
        name: s(name),
        stage: None,
        kind: s("run"),
        effect: Effect::Pure,
        state: State::Stale,
        action,
        reasons,
        typical_seconds: (action == PlanAction::Run).then_some(40.0),
    }
}

#[test]
fn a_plan_says_what_would_run_and_why() {
    let tasks = vec![
        planned("lint", PlanAction::Keep, vec![]),
        planned("provision", PlanAction::Run, reasons()),
        planned("configure", PlanAction::Deferred, vec![Reason::UpstreamNotFresh { task: s("provision") }]),
    ];
    let view = PlanView { env: s("local"), targets: vec![], tasks, estimate_seconds: Some(40.0) };
    assert_eq!(
        plan(&view, &Look::default()),
        "\
task       would     effect  takes  why
provision  run       pure    40 s   variable worker_count changed: 2 → 3 (+1 more)
configure  deferred  pure           upstream provision is not fresh

local: 1 to run, 1 deferred, 1 fresh; about 40 s
"
    );
}

#[test]
fn a_plan_without_work_says_so() {
    let tasks = vec![planned("lint", PlanAction::Keep, vec![])];
    let view = PlanView { env: s("local"), targets: vec![], tasks, estimate_seconds: None };
    assert_eq!(plan(&view, &Look::default()), "local: nothing to do: 1 task fresh\n");
}

#[test]
fn a_list_leaves_out_columns_that_say_nothing() {
    let one = ListedView {
        name: s("lint"),
        stage: None,
        kind: s("run"),
        effect: Effect::Pure,
        description: Some(s("Look for mistakes")),
        tags: vec![],
        needs: vec![s("fmt")],
        after: vec![],
        declared: Some(s("tasks/lint.toml:1:1")),
    };
    let view = ListView { env: s("local"), tasks: vec![one] };
    assert_eq!(
        list(&view, &Look::default()),
        "\
task  kind  effect  description
lint  run   pure    Look for mistakes
"
    );
    let verbose = list(&view, &Look { verbosity: Verbosity::Verbose, ..Look::default() });
    assert!(verbose.ends_with("    needs       fmt\n    declared at tasks/lint.toml:1:1\n"), "{verbose}");
    assert_eq!(
        list(&ListView { env: s("local"), tasks: vec![] }, &Look::default()),
        "no tasks: declare one in `tasks/NAME.toml`\n"
    );
}

#[test]
fn without_room_for_columns_a_row_still_says_what_is_what() {
    let rows = [Row {
        cells: vec![plain("9"), plain("61 s ago"), plain("a, b"), plain("1 ran, 2 failed")],
        below: Vec::new(),
    }];
    let told = table(&["run", "when", "targets", "tasks"], &rows, &Look { width: 30, ..Look::default() });
    assert_eq!(told, "run 9\n  61 s ago; a, b; 1 ran, 2\n  failed\n");
}

#[test]
fn a_column_that_others_tell_goes_before_reasons_are_cut_short() {
    let head = |width: usize| {
        let told = status(&status_view(), &Look { width, ..Look::default() });
        told.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(head(100), "task state effect stage last good why");
    assert_eq!(head(80), "task state stage last good why");
}
