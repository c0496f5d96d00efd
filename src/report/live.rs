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
use std::time::Duration;

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
        if self.total.is_none() || self.multi.is_hidden() {
            // A terminal that is gone takes nothing; the run goes on.
            let _ = write_lines(&mut self.out, lines);
        } else {
            let _ = self.multi.println(lines.join("\n"));
        }
    }

    fn start(&mut self, task: &str, estimate: Option<f64>) {
        let total = self.total();
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

    fn total(&mut self) -> ProgressBar {
        if let Some(total) = &self.total {
            return total.clone();
        }
        let total = self.multi.add(ProgressBar::new(self.tasks.max(1)));
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
        match event {
            Event::RunStarted { tasks, estimate, .. } => {
                let longest = LONGEST_NAME.min(self.look.width / 3).max(8);
                self.names = tasks.iter().map(|task| width(task)).max().unwrap_or(0).min(longest);
                self.tasks = tasks.len() as u64;
                self.estimate = *estimate;
            }
            Event::TaskStarted { task, estimate, .. } => self.start(task, *estimate),
            Event::TaskOutput { task, line, .. } if !line.trim().is_empty() => {
                if let Some(bar) = self.running.get(task) {
                    bar.set_message(line.trim().to_owned());
                }
            }
            Event::TaskStep { task, step, .. } => {
                if let Some(bar) = self.running.get(task) {
                    bar.set_message(step.clone());
                }
            }
            Event::TaskFinished { task, .. } => self.settle(task),
            Event::RunFinished { .. } => self.clear(),
            Event::TaskOutput { .. } | Event::TaskNotice { .. } | Event::Notice { .. } => {}
        }
        let lines = self.story.tell(event);
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
mod tests {
    use super::*;
    use crate::model::effect::Outcome;
    use crate::report::story::tests::{finished, output, run_finished, run_started, started};
    use indicatif::TermLike;
    use std::io::Result;
    use std::sync::{Arc, Mutex};

    /// Rows of text, and row and column of the cursor.
    type Rows = (Vec<Vec<char>>, usize, usize);

    /// A terminal in memory: rows of text and a cursor.
    #[derive(Clone, Debug)]
    struct Screen {
        columns: u16,
        inner: Arc<Mutex<Rows>>,
    }

    impl Screen {
        fn new(columns: u16) -> Self {
            Self { columns, inner: Arc::new(Mutex::new((vec![vec![]], 0, 0))) }
        }

        fn text(&self) -> String {
            let inner = self.inner.lock().unwrap();
            let rows: Vec<String> =
                inner.0.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
            rows.join("\n").trim_end().to_owned()
        }

        fn put(&self, text: &str) {
            let mut inner = self.inner.lock().unwrap();
            let (rows, row, column) = &mut *inner;
            for c in text.chars() {
                if c == '\n' || *column == usize::from(self.columns) {
                    *row += 1;
                    *column = 0;
                }
                while rows.len() <= *row {
                    rows.push(vec![]);
                }
                if c == '\n' {
                    continue;
                }
                while rows[*row].len() <= *column {
                    rows[*row].push(' ');
                }
                rows[*row][*column] = c;
                *column += 1;
            }
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.columns
        }
        fn move_cursor_up(&self, n: usize) -> Result<()> {
            let mut inner = self.inner.lock().unwrap();
            inner.1 = inner.1.saturating_sub(n);
            Ok(())
        }
        fn move_cursor_down(&self, n: usize) -> Result<()> {
            self.inner.lock().unwrap().1 += n;
            Ok(())
        }
        fn move_cursor_right(&self, n: usize) -> Result<()> {
            self.inner.lock().unwrap().2 += n;
            Ok(())
        }
        fn move_cursor_left(&self, n: usize) -> Result<()> {
            let mut inner = self.inner.lock().unwrap();
            inner.2 = inner.2.saturating_sub(n);
            Ok(())
        }
        fn write_line(&self, text: &str) -> Result<()> {
            self.put(text);
            self.put("\n");
            Ok(())
        }
        fn write_str(&self, text: &str) -> Result<()> {
            self.put(text);
            Ok(())
        }
        fn clear_line(&self) -> Result<()> {
            let mut inner = self.inner.lock().unwrap();
            let row = inner.1;
            inner.0[row].clear();
            inner.2 = 0;
            Ok(())
        }
        fn flush(&self) -> Result<()> {
            Ok(())
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.put(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

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
provision 1 s vm[0]: Creating...
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
