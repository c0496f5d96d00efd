//! Owns a run as JUnit XML, which CI systems read: a test case a task.
//! Does not know where the file is put, nor anything that the events do not say: secrets are masked in them.

use crate::event::{Event, Failure, Listener};
use crate::model::effect::Outcome;
use crate::report::text::{clean, command, moment};
use std::fmt::Write as _;

/// Collects a run.
#[derive(Debug, Default)]
pub struct Junit {
    env: String,
    at: i64,
    seconds: f64,
    cases: Vec<Case>,
    /// Why the run itself could not go on.
    broken: Option<String>,
}

#[derive(Debug)]
struct Case {
    task: String,
    seconds: f64,
    /// `None`: its end was not told.
    outcome: Option<Outcome>,
    summary: Option<String>,
    failure: Option<Failure>,
}

impl Case {
    /// Whether it failed and may: the run is none the worse for it.
    fn may(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.allowed)
    }
}

impl Listener for Junit {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunStarted { env, tasks, at, .. } => {
                env.clone_into(&mut self.env);
                self.at = *at;
                let case = |task: &String| Case {
                    task: task.clone(),
                    seconds: 0.0,
                    outcome: None,
                    summary: None,
                    failure: None,
                };
                self.cases = tasks.iter().map(case).collect();
            }
            Event::TaskFinished { task, outcome, seconds, summary, failure, .. } => {
                if let Some(case) = self.cases.iter_mut().find(|case| case.task == *task) {
                    case.outcome = Some(*outcome);
                    case.seconds = *seconds;
                    case.summary.clone_from(summary);
                    case.failure.clone_from(failure);
                }
            }
            Event::RunFinished { seconds, .. } => self.seconds = *seconds,
            Event::TaskStarted { .. }
            | Event::TaskStep { .. }
            | Event::TaskOutput { .. }
            | Event::TaskNotice { .. }
            | Event::Notice { .. } => {}
        }
    }
}

impl Junit {
    /// The run could not go on, or could not begin.
    pub fn broke(&mut self, why: String) {
        self.broken = Some(why);
    }

    /// The document.
    pub fn document(&self) -> String {
        let count = |is: &dyn Fn(&Case) -> bool| self.cases.iter().filter(|case| is(case)).count();
        let failures = count(&|case| case.outcome == Some(Outcome::Failed) && !case.may());
        let broken = usize::from(self.broken.is_some());
        let errors = broken + count(&|case| matches!(case.outcome, None | Some(Outcome::Interrupted)));
        let skipped = count(&|case| case.outcome == Some(Outcome::Skipped));
        let counts = format!(
            "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{:.3}\"",
            self.cases.len() + broken,
            self.seconds
        );
        // A run that did not begin has no time.
        let at = match self.at {
            0 => String::new(),
            at => format!(" timestamp=\"{}\"", moment(at).replacen(' ', "T", 1).replace(" UTC", "Z")),
        };
        let suite = if self.env.is_empty() { "infra" } else { &self.env };
        // Schemas of the format, such as the one that Jenkins holds files to, know `skipped` of a suite alone.
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"infra\" {counts}>\n  \
             <testsuite name=\"{}\"{at} {counts} skipped=\"{skipped}\">\n",
            escaped(suite)
        );
        for case in &self.cases {
            one(&mut text, suite, case);
        }
        if let Some(why) = &self.broken {
            let head = format!("    <testcase classname=\"{}\" name=\"infra\" time=\"0.000\">\n", escaped(suite));
            let _ = write!(text, "{head}      <error message=\"{}\"/>\n    </testcase>\n", escaped(why));
        }
        text.push_str("  </testsuite>\n</testsuites>\n");
        text
    }
}

fn one(text: &mut String, suite: &str, case: &Case) {
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(suite),
        escaped(&case.task),
        case.seconds
    );
    let said = || escaped(case.summary.as_deref().unwrap_or_default());
    let inner = match case.outcome {
        Some(Outcome::Failed) if case.may() => failed("system-out", case, "failed"),
        Some(Outcome::Failed) => failed("failure", case, "failed"),
        Some(Outcome::Interrupted) => failed("error", case, "interrupted"),
        None => failed("error", case, "its end was not told"),
        Some(Outcome::Skipped) => format!("<skipped message=\"{}\"/>", said()),
        Some(outcome) => {
            let said = match said() {
                said if said.is_empty() => outcome.word().to_owned(),
                said => format!("{}: {said}", outcome.word()),
            };
            format!("<system-out>{said}</system-out>")
        }
    };
    let _ = writeln!(text, "{head}>\n      {inner}\n    </testcase>");
}

/// What failed, where, and the end of its log.
fn failed(element: &str, case: &Case, otherwise: &str) -> String {
    let Some(failure) = &case.failure else {
        let said = case.summary.as_deref().unwrap_or(otherwise);
        return format!("<{element} message=\"{}\"/>", escaped(said));
    };
    let mut lines = Vec::new();
    lines.extend(failure.declared.as_ref().map(|declared| format!("declared at {declared}")));
    lines.extend(failure.command.as_ref().map(|argv| format!("command: {}", clean(&command(argv)))));
    lines.extend(failure.exit_code.map(|code| format!("exit code: {code}")));
    lines.extend(failure.signal.map(|signal| format!("signal: {signal}")));
    lines.extend(failure.log.as_ref().map(|log| format!("log: {log}")));
    lines.extend(failure.hint.as_ref().map(|hint| format!("hint: {hint}")));
    lines.extend(failure.tail.iter().map(|line| format!("| {}", line.trim_end())));
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    if failure.allowed {
        return format!(
            "<{element}>failed, as it may: {}\n{}</{element}>",
            escaped(&failure.message),
            lines.join("\n")
        );
    }
    format!("<{element} message=\"{}\">{}</{element}>", escaped(&failure.message), lines.join("\n"))
}

/// Text that XML takes as it is: of control characters it takes none.
fn escaped(text: &str) -> String {
    let text: String = clean(text).chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::failure::tests::full;
    use crate::report::story::tests::{finished, run_finished, run_started};

    #[test]
    fn each_task_is_a_case_however_it_ended() {
        let mut junit = Junit::default();
        junit.hear(&run_started(&["a", "b<", "c", "d"]));
        junit.hear(&finished("a", Outcome::Ran));
        let mut bad = finished("b<", Outcome::Failed);
        if let Event::TaskFinished { failure, .. } = &mut bad {
            *failure = Some(Failure { message: "said \"no\" \u{1b}[1m".to_owned(), ..full() });
        }
        junit.hear(&bad);
        junit.hear(&finished("c", Outcome::Skipped));
        junit.hear(&run_finished(1, 1, 1, 0));
        let text = junit.document();
        for part in [
            "<testsuites name=\"infra\" tests=\"4\" failures=\"1\" errors=\"1\" time=\"2.140\">",
            "tests=\"4\" failures=\"1\" errors=\"1\" time=\"2.140\" skipped=\"1\">",
            "<testcase classname=\"local\" name=\"b&lt;\" time=\"3.210\">\n      <failure message=\"said &quot;no&quot; \\u{1b}[1m\">declared at ",
            "| fatal: no route to host</failure>",
            "<skipped message=",
            "<error message=\"its end was not told\"/>",
        ] {
            assert!(text.contains(part), "no {part}:\n{text}");
        }
    }

    #[test]
    fn a_run_that_did_not_begin_is_an_error() {
        let mut junit = Junit::default();
        junit.broke("environment `local` is held".to_owned());
        let text = junit.document();
        assert!(
            text.contains("tests=\"1\"") && text.contains("<error message=\"environment `local` is held\"/>"),
            "{text}"
        );
    }
}
