//! Tests of `live`.

use super::screen::Screen;
use super::*;
use crate::model::effect::Outcome;
use crate::report::story::tests::{finished, output, run_finished, run_started, started};

fn live(screen: &Screen) -> Live<Screen> {
    let look = Look { width: usize::from(screen.columns), ..Look::default() };
    Live::new(look, ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255), || 8, screen.clone())
}

#[test]
fn running_tasks_stand_below_and_finished_ones_above() {
    let screen = Screen::new(80);
    let mut live = live(&screen);
    for event in [
        run_started(&["lint", "provision", "configure"]),
        finished("lint", Outcome::Fresh),
        started("provision"),
        started("configure"),
        output("provision", "vm[0]: Creating..."),
        output("configure", &"x".repeat(200)),
    ] {
        live.hear(&event);
    }
    live.hear(&Event::TaskNotice { task: "provision".to_owned(), message: "tries again in 5 s".to_owned() });
    let drawn: Vec<String> =
        screen.text().lines().map(|line| line.trim_start_matches(['|', '/', '-', '\\', ' ']).to_owned()).collect();
    assert_eq!(
        drawn.join("\n"),
        format!(
            "\
run 43 in local, verify: 3 tasks, about 1 min
note        provision             tries again in 5 s
provision 1 s tries again in 5 s
configure 1 s {}
[======>             ] 1/3 tasks, 1 s, about 1 min left",
            "x".repeat(64)
        )
    );
    live.hear(&finished("provision", Outcome::Ran));
    live.hear(&finished("configure", Outcome::Ran));
    live.hear(&run_finished(2, 1, 0, 0));
    drop(live);
    assert_eq!(
        screen.text(),
        "\
run 43 in local, verify: 3 tasks, about 1 min
note        provision             tries again in 5 s
ran         provision      3.2 s  3 added; input main.tf is new (+1 more)
ran         configure      3.2 s  3 added; input main.tf is new (+1 more)
fresh       lint
2 ran, 1 fresh in 2.1 s"
    );
}

#[test]
fn what_finds_no_row_is_counted_until_one_is_free() {
    let screen = Screen::new(80);
    let mut live = live(&screen);
    let tasks = ["a", "b", "c", "d", "e", "f", "g", "h"];
    live.hear(&run_started(&tasks));
    for task in tasks {
        live.hear(&started(task));
    }
    live.hear(&output("h", "unseen"));
    assert!(screen.text().ends_with(", 2 more running"), "{}", screen.text());
    assert!(screen.text().lines().count() <= 8, "{}", screen.text());
    live.hear(&finished("a", Outcome::Ran));
    live.hear(&output("g", "seen now"));
    assert!(screen.text().contains("seen now") && screen.text().ends_with(", 1 more running"), "{}", screen.text());
    live.hear(&finished("h", Outcome::Ran));
    live.hear(&output("b", "on"));
    assert!(!screen.text().contains("more running"), "{}", screen.text());
}

#[test]
fn an_interactive_task_has_the_terminal_to_itself() {
    let screen = Screen::new(80);
    let mut live = live(&screen);
    live.hear(&run_started(&["login", "lint"]));
    let Event::TaskStarted { reasons, .. } = started("login") else { return };
    live.hear(&Event::TaskStarted {
        task: "login".to_owned(),
        attempt: 7,
        kind: "run".to_owned(),
        effect: crate::model::effect::Effect::Idempotent,
        reasons,
        at: 0,
        estimate: None,
        interactive: true,
    });
    let before = screen.text();
    live.hear(&Event::TaskStep { task: "login".to_owned(), attempt: 7, step: "login".to_owned(), argv: vec![] });
    live.hear(&Event::Notice { level: crate::event::Level::Warning, message: "the clock moved".to_owned() });
    assert_eq!(screen.text(), before, "nothing is written over what the tool shows");
    live.hear(&finished("login", Outcome::Ran));
    assert!(screen.text().contains("warning: the clock moved\nran         login"), "{}", screen.text());
    live.hear(&started("lint"));
    live.multi.println("-").unwrap();
    assert!(screen.text().contains("1/2 tasks"), "{}", screen.text());
}

#[test]
fn a_further_try_takes_the_place_of_the_former() {
    let screen = Screen::new(80);
    let mut live = live(&screen);
    for event in [run_started(&["a"]), started("a"), output("a", "one"), started("a"), output("a", "two")] {
        live.hear(&event);
    }
    live.multi.println("-").unwrap();
    assert!(screen.text().contains("two") && !screen.text().contains("one"), "{}", screen.text());
}

#[test]
fn a_run_that_had_nothing_to_do_draws_nothing() {
    let screen = Screen::new(80);
    let mut live = live(&screen);
    for event in [run_started(&["lint"]), finished("lint", Outcome::Fresh), run_finished(0, 1, 0, 0)] {
        live.hear(&event);
    }
    assert_eq!(screen.text(), "nothing to do: 1 task fresh (2.1 s)");
}

#[test]
fn a_narrow_terminal_has_room_for_what_matters() {
    let screen = Screen::new(30);
    let mut live = live(&screen);
    for event in [
        run_started(&["a-task-with-a-long-name", "b"]),
        started("a-task-with-a-long-name"),
        output("a-task-with-a-long-name", "0123456789"),
    ] {
        live.hear(&event);
    }
    live.multi.println("-").unwrap();
    let text = screen.text();
    assert!(text.contains("a-task-wi… 1 s 0123456789") && text.contains("0/2 1 s, about 1 min left"), "{text}");
    drop(live);
    assert_eq!(screen.text(), "run 43 in local, verify: 2\n  tasks, about 1 min\n-");
}

#[test]
fn a_hidden_target_still_tells_the_story() {
    let screen = Screen::new(80);
    let mut live = Live::new(Look::default(), ProgressDrawTarget::hidden(), || 8, screen.clone());
    for event in [run_started(&["a"]), started("a"), finished("a", Outcome::Ran), run_finished(1, 0, 0, 0)] {
        live.hear(&event);
    }
    assert_eq!(
        screen.text(),
        "\
run 43 in local, verify: 1 task, about 1 min
ran         a      3.2 s  3 added; input main.tf is new (+1 more)
1 ran in 2.1 s"
    );
}

#[test]
fn what_is_left_is_said_as_well_as_it_is_known() {
    assert_eq!(left(Some(60.0), 20.0), ", about 40 s left");
    assert_eq!(left(Some(60.0), 62.0), ", nearly done");
    assert_eq!(left(Some(60.0), 90.0), ", usually 1 min");
    assert_eq!(left(None, 90.0), "");
}
