//! Owns the live region of a terminal: running tasks, their last lines, how much is left.
//! Does not know what the finished lines say (`story`). The only module that knows indicatif.

use crate::event::{Event, Listener};
use crate::report::paint::{Look, Tone};
use crate::report::plain::write_lines;
use crate::report::story::Story;
use crate::report::text::{about, fit, pad, width};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often a line is drawn again without an event.
const TICK: Duration = Duration::from_millis(200);
/// Below this width the total has no bar.
const BAR_FROM: usize = 60;
/// Longest name in the region.
const LONGEST_NAME: usize = 28;

/// Draws running tasks at the bottom of a terminal and lets finished lines scroll away above.
pub struct Live<W: Write> {
    story: Story,
    look: Look,
    multi: MultiProgress,
    /// Where lines go while nothing is drawn.
    out: W,
    /// Made with the first task that starts: a run with nothing to do never draws.
    total: Option<ProgressBar>,
    running: BTreeMap<String, ProgressBar>,
    /// While a task has the terminal: which, and the lines that wait for its end.
    away: Option<(String, Vec<String>)>,
    since: Option<Instant>,
    names: usize,
    tasks: u64,
    settled: u64,
    estimate: Option<f64>,
}

/// Lets something else use the terminal for a while: a question, an interactive tool.
#[derive(Clone, Debug, Default)]
pub struct Hold(Option<MultiProgress>);

impl Hold {
    /// Takes the region away, calls `with`, draws the region again. Events that another thread
    /// reports meanwhile wait; `with` itself must report none.
    pub fn suspend<R>(&self, with: impl FnOnce() -> R) -> R {
        match &self.0 {
            Some(multi) => multi.suspend(with),
            None => with(),
        }
    }
}

impl<W: Write> Live<W> {
    /// A listener that draws at stderr; `out` must lead to the same terminal.
    pub fn on_stderr(look: Look, out: W) -> Self {
        Self::new(look, ProgressDrawTarget::stderr(), out)
    }

    fn new(look: Look, target: ProgressDrawTarget, out: W) -> Self {
        Self {
            story: Story::new(look, look.is_verbose()),
            look,
            multi: MultiProgress::with_draw_target(target),
            out,
            total: None,
            running: BTreeMap::new(),
            away: None,
            since: None,
            names: 0,
            tasks: 0,
            settled: 0,
            estimate: None,
        }
    }

    /// Handle that lets others use the terminal.
    pub fn hold(&self) -> Hold {
        Hold(Some(self.multi.clone()))
    }

    fn print(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        if let Some((_, waiting)) = &mut self.away {
            waiting.extend_from_slice(lines);
            return;
        }
        if self.total.is_none() || self.multi.is_hidden() {
            // A terminal that is gone takes nothing; the run goes on.
            let _ = write_lines(&mut self.out, lines);
        } else {
            let _ = self.multi.println(lines.join("\n"));
        }
    }

    fn start(&mut self, task: &str, estimate: Option<f64>) {
        let total = self.total();
        if let Some(former) = self.running.remove(task) {
            // A further try of it.
            former.finish_and_clear();
            self.multi.remove(&former);
        }
        let bar = self.multi.insert_before(&total, ProgressBar::new_spinner());
        let usual = estimate.map(|estimate| format!("/{}", about(estimate))).unwrap_or_default();
        bar.set_style(style("{spinner} {prefix} {spent} {wide_msg}").tick_chars("|/-\\ ").with_key(
            "spent",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{}{usual}", about(state.elapsed().as_secs_f64()));
            },
        ));
        bar.set_prefix(self.look.paint(Tone::Busy, &pad(&fit(task, self.names), self.names)));
        bar.enable_steady_tick(TICK);
        self.running.insert(task.to_owned(), bar);
    }

    /// Leaves the terminal to a task.
    fn leave(&mut self, task: &str) {
        self.clear();
        self.away = Some((task.to_owned(), Vec::new()));
    }

    /// Takes the terminal back from a task that had it, and says what had to wait.
    fn come_back(&mut self, task: &str) {
        if self.away.as_ref().is_some_and(|(who, _)| who == task) {
            let waiting = self.away.take().map(|(_, waiting)| waiting).unwrap_or_default();
            self.print(&waiting);
        }
    }

    fn total(&mut self) -> ProgressBar {
        if let Some(total) = &self.total {
            return total.clone();
        }
        let spent = self.since.get_or_insert_with(Instant::now).elapsed();
        let total = self.multi.add(ProgressBar::new(self.tasks.max(1)).with_elapsed(spent));
        let estimate = self.estimate;
        let template =
            if self.look.width < BAR_FROM { "{pos}/{len} {spent}" } else { "[{bar:20}] {pos}/{len} tasks, {spent}" };
        total.set_style(style(template).progress_chars("=> ").with_key(
            "spent",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let spent = state.elapsed().as_secs_f64();
                let _ = write!(out, "{}{}", about(spent), left(estimate, spent));
            },
        ));
        total.set_position(self.settled);
        total.enable_steady_tick(TICK);
        self.total = Some(total.clone());
        total
    }

    fn settle(&mut self, task: &str) {
        self.settled += 1;
        if let Some(bar) = self.running.remove(task) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        if let Some(total) = &self.total {
            total.set_position(self.settled);
        }
    }

    fn message(&self, task: &str, text: &str) {
        if let Some(bar) = self.running.get(task).filter(|_| !text.is_empty()) {
            bar.set_message(text.to_owned());
        }
    }

    /// Takes the whole region away; what is printed afterwards goes to the terminal as it is.
    fn clear(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values().chain(self.total.take()) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        let _ = self.multi.clear();
    }
}

impl<W: Write> Listener for Live<W> {
    fn hear(&mut self, event: &Event) {
        if let Event::TaskFinished { task, .. } = event {
            self.settle(task);
            self.come_back(task);
        }
        if matches!(event, Event::RunFinished { .. }) {
            self.clear();
        }
        let lines = self.story.tell(event);
        match event {
            Event::RunStarted { tasks, estimate, .. } => {
                let longest = LONGEST_NAME.min(self.look.width / 3).max(8);
                self.names = tasks.iter().map(|task| width(task)).max().unwrap_or(0).min(longest);
                self.tasks = tasks.len() as u64;
                self.estimate = *estimate;
            }
            Event::TaskStarted { task, interactive: true, .. } => {
                self.print(&lines);
                self.leave(task);
                return;
            }
            Event::TaskStarted { task, estimate, .. } => self.start(task, *estimate),
            Event::TaskOutput { task, line, .. } => self.message(task, line.trim()),
            Event::TaskStep { task, step, .. } => self.message(task, step),
            Event::TaskNotice { task, message } => self.message(task, message),
            Event::Notice { .. } | Event::TaskFinished { .. } | Event::RunFinished { .. } => {}
        }
        self.print(&lines);
    }
}

impl<W: Write> Drop for Live<W> {
    fn drop(&mut self) {
        // A run that ends early or panics leaves no half-drawn region behind.
        self.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn left(estimate: Option<f64>, spent: f64) -> String {
    match estimate {
        Some(estimate) if estimate - spent >= 1.0 => format!(", about {} left", about(estimate - spent)),
        Some(estimate) if spent > estimate * 1.2 + 1.0 => format!(", usually {}", about(estimate)),
        Some(_) => ", nearly done".to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod screen;

#[cfg(test)]
mod tests {
    use super::screen::Screen;
    use super::*;
    use crate::model::effect::Outcome;
    use crate::report::story::tests::{finished, output, run_finished, run_started, started};

    fn live(screen: &Screen) -> Live<Screen> {
        let look = Look { width: usize::from(screen.columns), ..Look::default() };
        Live::new(look, ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255), screen.clone())
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
        assert_eq!(screen.text(), "run 43 in local, verify: 2 tas\nks, about 1 min\n-");
    }

    #[test]
    fn a_hidden_target_still_tells_the_story() {
        let screen = Screen::new(80);
        let mut live = Live::new(Look::default(), ProgressDrawTarget::hidden(), screen.clone());
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
}
