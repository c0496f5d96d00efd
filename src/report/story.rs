//! Owns the lines that tell a run to people, event by event; both `plain` and `live` print them.
//! Does not know where they go.

use crate::event::{Event, Failure, Level, NOT_STARTED};
use crate::model::effect::Outcome;
use crate::report::failure;
use crate::report::flow::flow;
use crate::report::paint::{self, Look, Tone};
use crate::report::reason;
use crate::report::text::{ENDLESS, about, clean, command, count, names, pad, seconds, width};

/// Columns of the word that begins a line about a task.
const WORD: usize = 11;
/// Longest name for which the others are indented.
const LONGEST_NAME: usize = 32;
/// How far in a text goes on below itself.
const FURTHER: usize = 2;
/// Least columns for reasons, however narrow the terminal.
const LEAST: usize = 24;
/// Fresh tasks that are named at the end of a run.
const NAMED: usize = 6;

/// Failures that have a screen each.
const SCREENS: usize = 3;

/// What was told so far, as far as what follows depends on it.
#[derive(Debug)]
pub struct Story {
    look: Look,
    /// Whether each line of the tools is told, and each start.
    stream: bool,
    /// Columns of the names.
    names: usize,
    /// Told with the first task that starts, or whatever else there is to tell before.
    headline: Option<String>,
    fresh: Vec<String>,
    /// Tasks that did not come to their turn, by what is said of them; told together.
    left: Vec<(Outcome, String, Vec<String>)>,
    /// How to go on after a run that did not end well.
    again: Option<&'static str>,
    /// Told last, in full.
    failures: Vec<(String, Outcome, Failure)>,
}

impl Story {
    /// A story; `stream` tells what the tools print and when tasks start, too.
    pub fn new(look: Look, stream: bool) -> Self {
        Self {
            look,
            stream,
            names: 0,
            headline: None,
            fresh: Vec::new(),
            left: Vec::new(),
            again: None,
            failures: Vec::new(),
        }
    }

    /// Lines for an event.
    pub fn tell(&mut self, event: &Event) -> Vec<String> {
        let lines = match event {
            Event::RunStarted { run, command, env, targets, changed, tasks, estimate, .. } => {
                self.again = again(command);
                self.names = tasks.iter().map(|task| width(task)).max().unwrap_or(0).min(LONGEST_NAME);
                let of =
                    if targets.is_empty() { String::new() } else { format!(", {}", clean(&names(targets, NAMED))) };
                let long = estimate
                    .filter(|estimate| *estimate >= 1.0)
                    .map(|estimate| format!(", about {}", about(estimate)))
                    .unwrap_or_default();
                let by = if changed.is_empty() {
                    String::new()
                } else {
                    format!("; changed: {}", clean(&names(changed, NAMED)))
                };
                // A run without work gets no number.
                let run = if *run == 0 { String::new() } else { format!("run {run} ") };
                self.headline = Some(format!("{run}in {env}{of}: {}{long}{by}", count(tasks.len(), "task")));
                return Vec::new();
            }
            Event::TaskStarted { task, reasons, .. } => self.started(task, reasons),
            Event::TaskStep { task, argv, .. } if self.look.is_verbose() => {
                vec![format!("{} $ {}", self.name(task), clean(&command(argv)))]
            }
            Event::TaskOutput { task, line, .. } if self.stream && !self.look.is_quiet() => {
                vec![
                    format!("{} {} {}", self.name(task), self.look.paint(Tone::Dim, "|"), line.trim_end())
                        .trim_end()
                        .to_owned(),
                ]
            }
            Event::TaskStep { .. } | Event::TaskOutput { .. } => Vec::new(),
            Event::TaskNotice { task, message } if !self.look.is_quiet() => {
                self.line(("note", Tone::Warn), task, None, &clean(message))
            }
            Event::TaskNotice { .. } => Vec::new(),
            Event::TaskFinished { .. } => self.finished(event),
            Event::Notice { level, message } => self.notice(*level, message),
            Event::RunFinished { .. } => return self.ended(event),
        };
        let begins = matches!(event, Event::TaskStarted { .. });
        if lines.is_empty() && !begins { lines } else { self.headed(lines) }
    }

    /// Lines with the headline before the first of them.
    fn headed(&mut self, mut lines: Vec<String>) -> Vec<String> {
        if let Some(headline) = self.headline.take().filter(|_| !self.look.is_quiet()) {
            let headline = flow(0, FURTHER, &headline, self.look.width);
            lines.splice(0..0, headline.iter().map(|line| self.look.paint(Tone::Strong, line)));
        }
        lines
    }

    fn started(&self, task: &str, reasons: &[crate::model::reason::Reason]) -> Vec<String> {
        if self.look.is_quiet() {
            return Vec::new();
        }
        if self.look.is_verbose() {
            let mut lines = self.line(("starts", Tone::Busy), task, None, "");
            lines.extend(
                reasons.iter().map(|one| format!("{} because {}", self.name(task), reason::sentence(one, ENDLESS))),
            );
            return lines;
        }
        if !self.stream {
            return Vec::new();
        }
        self.line(("starts", Tone::Busy), task, None, &reason::inline(reasons, self.room()))
    }

    fn finished(&mut self, event: &Event) -> Vec<String> {
        let Event::TaskFinished { task, attempt, outcome, reasons, seconds: spent, summary, failure } = event else {
            return Vec::new();
        };
        if let Some(failure) = failure {
            self.failures.push((task.clone(), *outcome, failure.clone()));
        }
        let silent = summary.is_none() && reasons.is_empty();
        if *outcome == Outcome::Fresh && silent && !self.look.is_verbose() {
            self.fresh.push(task.clone());
            return Vec::new();
        }
        if self.look.is_quiet() {
            return Vec::new();
        }
        if self.leaves(event) {
            return Vec::new();
        }
        let did = failure.as_ref().map(|failure| clean(&failure.message)).or_else(|| summary.as_deref().map(clean));
        let room = self.room().saturating_sub(did.as_deref().map_or(0, |did| width(did) + 2));
        // Where it goes on below the name anyhow, it need not be cut.
        let room = if room < LEAST { room + self.look.width.saturating_sub(WORD + 1).max(LEAST) } else { room };
        let why = reason::inline(reasons, room);
        let detail: Vec<String> = did.into_iter().chain((!why.is_empty()).then_some(why)).collect();
        let spent = attempt.is_some().then_some(*spent);
        let may = failure.as_ref().is_some_and(|failure| failure.allowed);
        let tone = if may { Tone::Warn } else { paint::outcome(*outcome) };
        self.line((outcome.word(), tone), task, spent, &detail.join("; "))
    }

    /// Puts a task away that did not come to its turn; `false`: it is one to be told now.
    fn leaves(&mut self, event: &Event) -> bool {
        let Event::TaskFinished {
            task, attempt: None, outcome, reasons, summary: Some(summary), failure: None, ..
        } = event
        else {
            return false;
        };
        let put_away = matches!(outcome, Outcome::Skipped | Outcome::Interrupted)
            && (reasons.is_empty() || summary == NOT_STARTED)
            && !self.look.is_verbose();
        if put_away {
            match self.left.iter_mut().find(|(other, said, _)| other == outcome && said == summary) {
                Some((.., tasks)) => tasks.push(task.clone()),
                None => self.left.push((*outcome, summary.clone(), vec![task.clone()])),
            }
        }
        put_away
    }

    fn notice(&self, level: Level, message: &str) -> Vec<String> {
        let (word, tone) = match level {
            Level::Info if self.look.is_quiet() => return Vec::new(),
            Level::Info => ("note", Tone::Busy),
            Level::Warning => ("warning", Tone::Warn),
            Level::Error => ("error", Tone::Bad),
        };
        self.said((word, tone), &clean(message))
    }

    fn ended(&mut self, event: &Event) -> Vec<String> {
        let Event::RunFinished { ran, fresh, restored, failed, skipped, interrupted, seconds: spent, exit, .. } = event
        else {
            return Vec::new();
        };
        let allowed = self.failures.iter().filter(|(.., failure)| failure.allowed).count();
        let idle = ran + restored + failed + skipped + interrupted == 0;
        let mut lines = self.left_alone(idle);
        lines.extend(self.failed());
        let broken = *exit != 0;
        if broken && failed + interrupted > 0 || allowed > 0 && !self.look.is_quiet() {
            lines.push(String::new());
        } else if self.look.is_quiet() && !broken {
            return lines;
        }
        if idle {
            // A run that had nothing to do needs no headline.
            self.headline = None;
            lines.push(nothing(*fresh, *spent));
            return lines;
        }
        let counts = [
            (failed.saturating_sub(allowed), Outcome::Failed),
            (*interrupted, Outcome::Interrupted),
            (*ran, Outcome::Ran),
            (*restored, Outcome::Restored),
            (*fresh, Outcome::Fresh),
            (*skipped, Outcome::Skipped),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, outcome)| self.look.paint(paint::outcome(outcome), &format!("{number} {}", outcome.word())))
            .chain((allowed > 0).then(|| self.look.paint(Tone::Warn, &format!("{allowed} failed as allowed"))))
            .collect();
        lines.extend(flow(0, FURTHER, &format!("{} in {}", counts.join(", "), seconds(*spent)), self.look.width));
        if let Some(again) = self.again.filter(|_| broken && failed + interrupted > allowed) {
            lines.extend(self.said(("hint", Tone::Busy), again));
        }
        self.headed(lines)
    }

    /// Tasks that came to their end without doing anything, in a line for each kind.
    fn left_alone(&mut self, idle: bool) -> Vec<String> {
        let (left, fresh) = (std::mem::take(&mut self.left), std::mem::take(&mut self.fresh));
        if self.look.is_quiet() {
            return Vec::new();
        }
        let mut lines: Vec<String> = left
            .into_iter()
            .flat_map(|(outcome, said, tasks)| {
                let text = format!("{}  {}", names(&tasks, NAMED), clean(&said));
                self.behind((outcome.word(), paint::outcome(outcome)), &text)
            })
            .collect();
        if !idle && !fresh.is_empty() {
            lines.extend(self.behind((Outcome::Fresh.word(), Tone::Dim), &names(&fresh, NAMED)));
        }
        lines
    }

    /// The screens of what failed; of many, the first ones.
    fn failed(&mut self) -> Vec<String> {
        let failures = std::mem::take(&mut self.failures);
        let most = if self.look.is_verbose() { usize::MAX } else { SCREENS };
        let mut lines = Vec::new();
        for (task, outcome, failure) in failures.iter().take(most) {
            lines.push(String::new());
            lines.extend(failure::screen(task, *outcome, failure, &self.look));
        }
        let others: Vec<&str> = failures.iter().skip(most).map(|(task, ..)| task.as_str()).collect();
        if !others.is_empty() {
            lines.push(String::new());
            let said = format!("{} failed as well: {}", count(others.len(), "task"), names(&others, NAMED));
            lines.extend(self.said(("error", Tone::Bad), &said));
            lines.push(format!(
                "  {} `infra logs` shows what each of them printed",
                self.look.paint(Tone::Busy, "hint:")
            ));
        }
        lines
    }

    /// Columns that are left for a detail.
    fn room(&self) -> usize {
        self.look.width.saturating_sub(WORD + self.names + 14).max(LEAST)
    }

    fn name(&self, task: &str) -> String {
        self.look.paint(Tone::Busy, &pad(task, self.names))
    }

    /// A word and a text.
    fn said(&self, (word, tone): (&str, Tone), text: &str) -> Vec<String> {
        let mut lines = flow(word.len() + 2, FURTHER, text, self.look.width);
        if let Some(first) = lines.first_mut() {
            *first = format!("{}: {first}", self.look.paint(tone, word));
        }
        lines
    }

    /// A word in its column, and a text behind it.
    fn behind(&self, (word, tone): (&str, Tone), text: &str) -> Vec<String> {
        let mut lines = flow(WORD + 1, WORD + 1, text, self.look.width);
        if let Some(first) = lines.first_mut() {
            *first = format!("{} {first}", self.look.paint(tone, &pad(word, WORD)));
        }
        lines
    }

    /// A line about a task; a detail that is too long for it goes on below the name.
    fn line(&self, (word, tone): (&str, Tone), task: &str, spent: Option<f64>, detail: &str) -> Vec<String> {
        let name = pad(task, if detail.is_empty() && spent.is_none() { 0 } else { self.names });
        let spent = spent.map(seconds).unwrap_or_default();
        let spent = if detail.is_empty() && spent.is_empty() { spent } else { format!("  {spent:>9}") };
        let lead = WORD + 1 + width(&name) + width(&spent) + 2;
        let mut lines = flow(lead, WORD + 1, detail, self.look.width);
        if let Some(first) = lines.first_mut() {
            let word = self.look.paint(tone, &pad(word, WORD));
            *first = format!("{word} {name}{spent}  {first}");
            first.truncate(first.trim_end().len());
        }
        lines
    }
}

/// How to go on after a run of a command that did not end well.
fn again(command: &str) -> Option<&'static str> {
    match command {
        "run" => Some("`infra run --resume` goes on from here"),
        "destroy" => Some("the same `infra destroy` again goes on from here"),
        // Watching goes on by itself.
        _ => None,
    }
}

fn nothing(fresh: usize, spent: f64) -> String {
    match fresh {
        0 => format!("nothing to do: no tasks ({})", seconds(spent)),
        fresh => format!("nothing to do: {} fresh ({})", count(fresh, "task"), seconds(spent)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
