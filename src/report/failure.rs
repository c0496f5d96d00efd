//! Owns the last screen of a failed task: what failed, where, the end of its log, what next.
//! Does not know why it failed.

use crate::event::Failure;
use crate::model::effect::Outcome;
use crate::report::flow::flow;
use crate::report::paint::{Look, Tone};
use crate::report::text::{clean, command, fit};

/// Most columns of a command, and of a line of the log: a script stands in the declaration and whole in
/// `run --json`, and the log has its lines whole.
const LONGEST: usize = 400;
/// How far in stands what is said of the failure.
const INDENT: usize = 2;

/// The lines of the screen.
pub fn screen(task: &str, outcome: Outcome, failure: &Failure, look: &Look) -> Vec<String> {
    let (word, tone, verb) = match outcome {
        Outcome::Interrupted => ("interrupted", Tone::Warn, "was interrupted"),
        Outcome::Failed if failure.allowed => ("warning", Tone::Warn, "failed, as it may"),
        Outcome::Ran | Outcome::Fresh | Outcome::Restored | Outcome::Failed | Outcome::Skipped => {
            ("error", Tone::Bad, "failed")
        }
    };
    let dim = |text: &str| look.paint(Tone::Dim, text);
    let said = format!("task `{task}` {verb}: {}", clean(&failure.message));
    let said = flow(word.len() + 2, INDENT, &said, look.width);
    let mut lines: Vec<String> = said.iter().map(|line| look.paint(Tone::Strong, line)).collect();
    if let Some(first) = lines.first_mut() {
        *first = format!("{}: {first}", look.paint(tone, word));
    }
    if let Some(declared) = &failure.declared {
        lines.push(format!("  {} {declared}", dim("-->")));
    }
    if let Some(argv) = &failure.command {
        lines.push(format!("  {} {}", dim("command:"), fit(&clean(&command(argv)), LONGEST)));
    }
    if let Some(code) = failure.exit_code {
        lines.push(format!("  {} {code}", dim("exit code:")));
    }
    if let Some(signal) = failure.signal {
        lines.push(format!("  {} {signal}", dim("signal:")));
    }
    if !failure.tail.is_empty() {
        lines.push(format!("  {}", dim("the log ends:")));
        lines.extend(
            failure
                .tail
                .iter()
                .map(|line| format!("    {} {}", dim("|"), fit(line.trim_end(), LONGEST)).trim_end().to_owned()),
        );
    }
    let ended = failure.exit_code.is_some() || failure.signal.is_some();
    if ended && failure.tail.is_empty() && failure.log.is_none() {
        lines.push("  it printed nothing".to_owned());
    }
    if let Some(log) = &failure.log {
        lines.push(format!("  {} {log}", dim("log:")));
    }
    if let Some(hint) = &failure.hint {
        let mut told = flow(INDENT + "hint: ".len(), 2 * INDENT, &clean(hint), look.width);
        if let Some(first) = told.first_mut() {
            *first = format!("  {} {first}", look.paint(Tone::Busy, "hint:"));
        }
        lines.extend(told);
    }
    lines
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn full() -> Failure {
        Failure {
            message: "`ansible-playbook` exited with code 2".to_owned(),
            command: Some(["ansible-playbook", "-e", "a b", "site.yml"].map(str::to_owned).to_vec()),
            exit_code: Some(2),
            signal: None,
            tail: vec!["TASK [k3s]".to_owned(), String::new(), "fatal: no route to host".to_owned()],
            log: Some(".infra/runs/43/configure/7/output.log".to_owned()),
            hint: Some("is 10.0.0.1 up?".to_owned()),
            declared: Some("tasks/configure.toml:4:1".to_owned()),
            allowed: false,
        }
    }

    #[test]
    fn the_screen_answers_what_where_and_what_next() {
        assert_eq!(
            screen("configure", Outcome::Failed, &full(), &Look::default()).join("\n"),
            "\
error: task `configure` failed: `ansible-playbook` exited with code 2
  --> tasks/configure.toml:4:1
  command: ansible-playbook -e 'a b' site.yml
  exit code: 2
  the log ends:
    | TASK [k3s]
    |
    | fatal: no route to host
  log: .infra/runs/43/configure/7/output.log
  hint: is 10.0.0.1 up?"
        );
    }

    #[test]
    fn one_that_may_fail_is_a_warning_and_no_line_fills_the_screen() {
        let tail = vec!["x".repeat(200_000)];
        let lines = screen("a", Outcome::Failed, &Failure { allowed: true, tail, ..full() }, &Look::default());
        assert!(lines[0].starts_with("warning: task `a` failed, as it may: "), "{}", lines[0]);
        assert!(lines.iter().all(|line| line.len() < 500), "{lines:?}");
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let bare = Failure {
            message: "ended by signal 9".to_owned(),
            command: None,
            exit_code: None,
            signal: Some(9),
            tail: vec![],
            log: None,
            hint: None,
            declared: None,
            allowed: false,
        };
        assert_eq!(
            screen("a", Outcome::Interrupted, &bare, &Look::default()).join("\n"),
            "interrupted: task `a` was interrupted: ended by signal 9\n  signal: 9\n  it printed nothing"
        );
    }
}
