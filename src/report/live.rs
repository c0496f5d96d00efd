//! Owns the live region of a terminal: running tasks, their last lines, how much is left.
//! Does not know what the finished lines say (`story`). The only module that knows indicatif.

mod terminal;

use crate::event::{Event, Listener};
use crate::report::paint::{Look, Tone};
use crate::report::plain::write_lines;
use crate::report::story::Story;
use crate::report::text::{about, fit, pad, width};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};
use terminal::Terminal;

/// How often a line is drawn again without an event.
const TICK: Duration = Duration::from_millis(200);
/// Below this width the total has no bar.
const BAR_FROM: usize = 60;
/// Rows beside those of running tasks: the total, and one that stays free.
const OTHER_ROWS: usize = 3;
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
    /// Rows of the terminal.
    rows: fn() -> usize,
    /// Running tasks for which there is no row, oldest first: name, since when, how long it usually takes.
    beyond: Vec<(String, Instant, Option<f64>)>,
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
        Self::new(look, ProgressDrawTarget::term_like(Box::new(Terminal::stderr())), terminal::rows, out)
    }

    fn new(look: Look, target: ProgressDrawTarget, rows: fn() -> usize, out: W) -> Self {
        Self {
            story: Story::new(look, look.is_verbose()),
            look,
            multi: MultiProgress::with_draw_target(target),
            out,
            total: None,
            running: BTreeMap::new(),
            rows,
            beyond: Vec::new(),
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
        if self.running.len() + OTHER_ROWS > (self.rows)() {
            self.beyond.push((task.to_owned(), Instant::now(), estimate));
            self.tell_more();
            return;
        }
        self.draw(task, Duration::ZERO, estimate, &total);
    }

    fn draw(&mut self, task: &str, spent: Duration, estimate: Option<f64>, total: &ProgressBar) {
        let bar = self.multi.insert_before(total, ProgressBar::new_spinner().with_elapsed(spent));
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
        let template = if self.look.width < BAR_FROM {
            "{pos}/{len} {spent}{msg}"
        } else {
            "[{bar:20}] {pos}/{len} tasks, {spent}{msg}"
        };
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
        self.beyond.retain(|(other, ..)| other != task);
        if let Some(total) = self.total.clone() {
            total.set_position(self.settled);
            if !self.beyond.is_empty() && self.running.len() + OTHER_ROWS <= (self.rows)() {
                let (task, since, estimate) = self.beyond.remove(0);
                self.draw(&task, since.elapsed(), estimate, &total);
            }
        }
        self.tell_more();
    }

    /// How many tasks run for which there is no row.
    fn tell_more(&self) {
        let more = self.beyond.len();
        if let Some(total) = &self.total {
            total.set_message(if more > 0 { format!(", {more} more running") } else { String::new() });
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
mod tests;
