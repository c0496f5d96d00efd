//! Owns the tables of `infra history` and the text of `infra logs`.
//! Does not know where runs, attempts and logs are kept.

use crate::model::effect::Outcome;
use crate::model::record::Phase;
use crate::report::paint::{self, Look, Tone};
use crate::report::tables::{Row, plain, table, toned};
use crate::report::text::{ago, clean, names, seconds};
use crate::report::view::{AttemptView, HistoryView, LogsView, RunView};
use std::fmt::Write as _;

/// Targets of a run that are named.
const NAMED: usize = 4;

/// Runs, or attempts of a task.
pub fn history(view: &HistoryView, look: &Look) -> String {
    let mut text = String::new();
    if let Some(runs) = &view.runs {
        let rows: Vec<Row<'_>> = runs.iter().map(run).collect();
        text.push_str(&table(&["run", "when", "took", "outcome", "command", "targets", "tasks"], &rows, look));
    }
    if let Some(attempts) = &view.attempts {
        let rows: Vec<Row<'_>> = attempts.iter().map(attempt).collect();
        text.push_str(&table(&["attempt", "run", "when", "took", "ended", "message"], &rows, look));
    }
    if text.is_empty() {
        let _ = writeln!(text, "nothing ran in {} yet", view.env);
    }
    text
}

fn run(run: &RunView) -> Row<'static> {
    let counts: Vec<String> = run.counts.iter().map(|one| format!("{} {}", one.tasks, one.outcome.word())).collect();
    let outcome = match run.outcome {
        Some(outcome) => toned(paint::outcome(outcome), outcome.word()),
        None => toned(Tone::Warn, "not ended"),
    };
    let cells = vec![
        toned(Tone::Strong, run.run.to_string()),
        plain(ago(run.age_seconds)),
        plain(run.seconds.map(seconds).unwrap_or_default()),
        outcome,
        plain(&run.command),
        plain(names(&run.targets, NAMED)),
        plain(counts.join(", ")),
    ];
    Row { cells, below: Vec::new() }
}

fn attempt(attempt: &AttemptView) -> Row<'static> {
    let tone = match Phase::parse(&attempt.phase) {
        Some(Phase::Done | Phase::Resolved) => paint::outcome(Outcome::Ran),
        Some(Phase::Failed) => paint::outcome(Outcome::Failed),
        Some(Phase::Open | Phase::Interrupted | Phase::Cut) | None => Tone::Warn,
    };
    let cells = vec![
        toned(Tone::Strong, attempt.attempt.to_string()),
        plain(attempt.run.to_string()),
        plain(ago(attempt.age_seconds)),
        plain(attempt.seconds.map(seconds).unwrap_or_default()),
        toned(tone, &attempt.phase),
        plain(clean(attempt.message.as_deref().unwrap_or_default())),
    ];
    Row { cells, below: Vec::new() }
}

/// Logs one after the other; with a head each when there are several. Without lines, their paths.
pub fn logs(view: &LogsView, look: &Look) -> String {
    let mut text = String::new();
    for (index, log) in view.logs.iter().enumerate() {
        let Some(lines) = &log.lines else {
            let _ = writeln!(text, "{}", log.path);
            continue;
        };
        if view.logs.len() > 1 {
            let head = format!("==> {} (run {}, attempt {})", log.task, log.run, log.attempt);
            let _ = writeln!(text, "{}{}", if index > 0 { "\n" } else { "" }, look.paint(Tone::Strong, &head));
        }
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::{CountView, LogView};

    fn s(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn runs_are_a_table() {
        let one = |run, command, outcome: Option<Outcome>| RunView {
            run,
            command: s(command),
            targets: vec![s("verify")],
            started: 0,
            age_seconds: 61,
            seconds: outcome.map(|_| 2.14),
            outcome,
            counts: outcome.map(|outcome| CountView { outcome, tasks: 3 }).into_iter().collect(),
        };
        let runs = Some(vec![one(12, "run", None), one(9, "destroy", Some(Outcome::Failed))]);
        assert_eq!(
            history(&HistoryView { env: s("local"), runs, attempts: None }, &Look::default()),
            "\
run  when      took   outcome    command  targets  tasks
12   61 s ago         not ended  run      verify
9    61 s ago  2.1 s  failed     destroy  verify   3 failed
"
        );
    }

    #[test]
    fn attempts_are_a_table() {
        let one = AttemptView {
            attempt: 7,
            run: 3,
            task: s("a"),
            started: 0,
            age_seconds: 7300,
            seconds: Some(0.5),
            phase: s("failed"),
            message: Some(s("exited with code 1")),
        };
        let view = HistoryView { env: s("local"), runs: None, attempts: Some(vec![one]) };
        assert_eq!(
            history(&view, &Look::default()),
            "\
attempt  run  when     took    ended   message
7        3    2 h ago  500 ms  failed  exited with code 1
"
        );
    }

    #[test]
    fn no_history_is_said() {
        let view = HistoryView { env: s("dev"), runs: Some(vec![]), attempts: None };
        assert_eq!(history(&view, &Look::default()), "nothing ran in dev yet\n");
    }

    #[test]
    fn one_log_is_bare_and_several_have_heads() {
        let log = |task: &str, lines: Option<Vec<String>>| LogView {
            task: s(task),
            run: 3,
            attempt: 7,
            path: s("x/output.log"),
            lines,
        };
        let view = |logs| LogsView { env: s("local"), logs };
        assert_eq!(logs(&view(vec![log("a", Some(vec![s("hi")]))]), &Look::default()), "hi\n");
        assert_eq!(logs(&view(vec![log("a", None)]), &Look::default()), "x/output.log\n");
        let two = vec![log("a", Some(vec![s("hi")])), log("b", Some(vec![s("ho")]))];
        assert_eq!(
            logs(&view(two), &Look::default()),
            "==> a (run 3, attempt 7)\nhi\n\n==> b (run 3, attempt 7)\nho\n"
        );
    }
}
