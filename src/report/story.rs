//! Owns the lines that tell a run to people, event by event; both `plain` and `live` print them.
//! Does not know where they go.

use crate::event::{Event, Failure, Level, NOT_STARTED};
use crate::model::effect::Outcome;
use crate::report::failure;
use crate::report::paint::{self, Look, Tone};
use crate::report::reason;
use crate::report::text::{ENDLESS, about, clean, command, count, names, pad, seconds, width};

/// Columns of the word that begins a line about a task.
const WORD: usize = 11;
/// Longest name for which the others are indented.
const LONGEST_NAME: usize = 32;
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
                self.headline = Some(format!("run {run} in {env}{of}: {}{long}{by}", count(tasks.len(), "task")));
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
                vec![self.line(("note", Tone::Warn), task, None, &clean(message))]
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
            lines.insert(0, self.look.paint(Tone::Strong, &headline));
        }
        lines
    }

    fn started(&self, task: &str, reasons: &[crate::model::reason::Reason]) -> Vec<String> {
        if self.look.is_quiet() {
            return Vec::new();
        }
        if self.look.is_verbose() {
            let mut lines = vec![self.line(("starts", Tone::Busy), task, None, "")];
            lines.extend(
                reasons.iter().map(|one| format!("{} because {}", self.name(task), reason::sentence(one, ENDLESS))),
            );
            return lines;
        }
        if !self.stream {
            return Vec::new();
        }
        vec![self.line(("starts", Tone::Busy), task, None, &reason::inline(reasons, self.room()))]
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
        let room = self.room().saturating_sub(did.as_deref().map_or(0, |did| width(did) + 2)).max(LEAST);
        let why = reason::inline(reasons, room);
        let detail: Vec<String> = did.into_iter().chain((!why.is_empty()).then_some(why)).collect();
        let spent = attempt.is_some().then_some(*spent);
        vec![self.line((outcome.word(), paint::outcome(*outcome)), task, spent, &detail.join("; "))]
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
        vec![format!("{}: {}", self.look.paint(tone, word), clean(message))]
    }

    fn ended(&mut self, event: &Event) -> Vec<String> {
        let Event::RunFinished { ran, fresh, restored, failed, skipped, interrupted, seconds: spent, .. } = event
        else {
            return Vec::new();
        };
        let idle = ran + restored + failed + skipped + interrupted == 0;
        let mut lines = self.left_alone(idle);
        lines.extend(self.failed());
        let broken = failed + interrupted > 0;
        if broken {
            lines.push(String::new());
        } else if self.look.is_quiet() {
            return lines;
        }
        if idle {
            // A run that had nothing to do needs no headline.
            self.headline = None;
            lines.push(nothing(*fresh, *spent));
            return lines;
        }
        let counts = [
            (*failed, Outcome::Failed),
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
            .collect();
        lines.push(format!("{} in {}", counts.join(", "), seconds(*spent)));
        if let Some(again) = self.again.filter(|_| broken) {
            lines.push(format!("{}: {again}", self.look.paint(Tone::Busy, "hint")));
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
            .map(|(outcome, said, tasks)| {
                let word = self.look.paint(paint::outcome(outcome), &pad(outcome.word(), WORD));
                format!("{word} {}  {}", names(&tasks, NAMED), clean(&said))
            })
            .collect();
        if !idle && !fresh.is_empty() {
            lines.push(self.line((Outcome::Fresh.word(), Tone::Dim), &names(&fresh, NAMED), None, ""));
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
            lines.push(format!("{}: {said}", self.look.paint(Tone::Bad, "error")));
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

    fn line(&self, (word, tone): (&str, Tone), task: &str, spent: Option<f64>, detail: &str) -> String {
        let word = self.look.paint(tone, &pad(word, WORD));
        let name = pad(task, if detail.is_empty() && spent.is_none() { 0 } else { self.names });
        let spent = spent.map(seconds).unwrap_or_default();
        let spent = if detail.is_empty() && spent.is_empty() { spent } else { format!("  {spent:>9}") };
        format!("{word} {name}{spent}  {detail}").trim_end().to_owned()
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
pub(crate) mod tests {
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
            exit: 0,
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
            Event::TaskStep {
                task: s("provision"),
                attempt: 7,
                step: s("apply"),
                argv: vec![s("terraform"), s("apply")],
            },
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
            quiet.ends_with(
                "\n1 failed, 1 ran, 1 fresh, 1 skipped in 2.1 s\nhint: `infra run --resume` goes on from here"
            )
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
ran         provision      3.2 s  3 added; input main.tf… (+1 more)"
        );
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
}
