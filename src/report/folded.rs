//! Owns the report where a CI system folds output: GitHub Actions and GitLab.
//! Does not know what the lines say (`story`), nor which system it is (`select`).

use crate::event::{Event, Failure, Listener};
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::effect::Outcome;
use crate::report::diagnostics::{Sources, position};
use crate::report::paint::Look;
use crate::report::plain::write_lines;
use crate::report::story::Story;
use std::collections::BTreeMap;
use std::io::Write;

/// How a CI system folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fold {
    /// Not at all.
    #[default]
    Nowhere,
    /// `::group::`, and `::error` for annotations.
    GitHub,
    /// `section_start` and `section_end`.
    GitLab,
}

/// Tells a run task by task: what each printed is kept until its end, so that it can be folded away.
#[derive(Debug)]
pub struct Folded<W: Write> {
    story: Story,
    fold: Fold,
    /// The project's folder below the repository's top; `None`: it lies elsewhere.
    folder: Option<String>,
    kept: BTreeMap<String, Kept>,
    /// `None` after a write that failed: nobody reads any more, and the run goes on.
    out: Option<W>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: Vec<String>,
    /// Seconds since the epoch.
    began: i64,
}

impl<W: Write> Folded<W> {
    /// A listener that writes to `out`, in practice standard error.
    pub fn new(fold: Fold, folder: Option<String>, look: Look, out: W) -> Self {
        Self { story: Story::new(look, true), fold, folder, kept: BTreeMap::new(), out: Some(out) }
    }

    fn group(&self, task: &str, outcome: Outcome, seconds: f64, kept: Kept) -> Vec<String> {
        let title = format!("{} {task}", outcome.word());
        let mut lines = Vec::with_capacity(kept.lines.len() + 2);
        match self.fold {
            Fold::Nowhere => lines.extend(kept.lines),
            Fold::GitHub => {
                lines.push(format!("::group::{}", data(&title)));
                lines.extend(kept.lines);
                lines.push("::endgroup::".to_owned());
            }
            Fold::GitLab => {
                let name = section(task);
                #[expect(clippy::cast_possible_truncation, reason = "seconds of a task")]
                let ended = kept.began + seconds.ceil() as i64;
                lines.push(format!(
                    "\u{1b}[0Ksection_start:{}:{name}[collapsed={}]\r\u{1b}[0K{title}",
                    kept.began,
                    outcome.is_good()
                ));
                lines.extend(kept.lines);
                lines.push(format!("\u{1b}[0Ksection_end:{ended}:{name}\r\u{1b}[0K"));
            }
        }
        lines
    }

    fn annotation(&self, task: &str, failure: &Failure) -> Option<String> {
        if self.fold != Fold::GitHub {
            return None;
        }
        let place = failure.declared.as_deref().and_then(place_of);
        let message = failure.message.clone();
        let word = if failure.allowed { "warning" } else { "error" };
        Some(error(word, self.folder.as_deref(), place, &format!("task {task} failed"), &message))
    }
}

impl<W: Write> Listener for Folded<W> {
    fn hear(&mut self, event: &Event) {
        let told = self.story.tell(event);
        let lines = match event {
            Event::TaskStarted { task, at, .. } => {
                self.kept.insert(task.clone(), Kept { lines: Vec::new(), began: at / 1000 });
                told
            }
            Event::TaskStep { task, .. } | Event::TaskOutput { task, .. } if self.kept.contains_key(task) => {
                self.kept.entry(task.clone()).or_default().lines.extend(told);
                Vec::new()
            }
            Event::TaskFinished { task, outcome, seconds, failure, .. } => {
                let kept = self.kept.remove(task).filter(|kept| !kept.lines.is_empty());
                let mut lines = kept.map(|kept| self.group(task, *outcome, *seconds, kept)).unwrap_or_default();
                lines.extend(told);
                lines.extend(failure.as_ref().and_then(|failure| self.annotation(task, failure)));
                lines
            }
            _ => told,
        };
        // An older form of GitHub's commands is one wherever it stands in a line, behind a name and in a group too.
        let lines = match self.fold {
            Fold::GitHub => lines.into_iter().map(|line| line.replace("##[", "## [")).collect(),
            Fold::GitLab | Fold::Nowhere => lines,
        };
        let Some(out) = &mut self.out else { return };
        if write_lines(out, &lines).is_err() {
            self.out = None;
        }
    }
}

/// Annotations of mistakes, one line each, for GitHub Actions.
pub fn annotations(found: &[Diagnostic], sources: &Sources, folder: Option<&str>) -> String {
    let line = |one: &Diagnostic| {
        let word = if one.severity == Severity::Error { "error" } else { "warning" };
        let place = one.place.as_ref().and_then(|place| place_of(&position(place, sources)));
        let message = match &one.help {
            Some(help) => format!("{}\nhelp: {help}", one.message),
            None => one.message.clone(),
        };
        error(word, folder, place, one.code, &message) + "\n"
    };
    found.iter().map(line).collect()
}

/// `tasks/a.toml:4:1` in its parts.
fn place_of(declared: &str) -> Option<(String, usize, usize)> {
    let (rest, column) = declared.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file.to_owned(), line.parse().ok()?, column.parse().ok()?))
}

/// A workflow command of GitHub Actions. Without a folder nobody knows which file of the repository it is.
fn error(
    word: &str,
    folder: Option<&str>,
    place: Option<(String, usize, usize)>,
    title: &str,
    message: &str,
) -> String {
    let place = match (folder, place) {
        (Some(folder), Some((file, line, column))) => {
            let path = if folder.is_empty() { file } else { format!("{folder}/{file}") };
            format!("file={},line={line},col={column},", property(&path))
        }
        _ => String::new(),
    };
    format!("::{word} {place}title={}::{}", property(title), data(message))
}

/// What may stand after the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What may stand in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A name of a section: letters, digits, `_`, `.`, `-`.
fn section(task: &str) -> String {
    task.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::failure::tests::full;
    use crate::report::story::tests::{finished, output, run_finished, run_started, started};

    fn told(fold: Fold, failure: bool) -> String {
        let mut out = Vec::new();
        let mut folded = Folded::new(fold, Some("infra".to_owned()), Look::default(), &mut out);
        let mut end = finished("a", if failure { Outcome::Failed } else { Outcome::Ran });
        if let Event::TaskFinished { failure: told, .. } = &mut end {
            *told = failure.then(full);
        }
        for event in [run_started(&["a", "b"]), started("a"), output("a", "50 %"), started("b"), output("b", "x"), end]
        {
            folded.hear(&event);
        }
        folded.hear(&finished("b", Outcome::Ran));
        folded.hear(&run_finished(1, 0, 0, 0));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_task_is_a_group_of_its_own() {
        let told = told(Fold::GitHub, false);
        assert!(told.contains("::group::ran a\na | 50 %\n::endgroup::\nran         a"), "{told}");
        assert!(told.contains("::group::ran b\nb | x\n::endgroup::\n"), "{told}");
    }

    #[test]
    fn a_failure_is_an_annotation_at_its_declaration() {
        let told = told(Fold::GitHub, true);
        let want = "::error file=infra/tasks/configure.toml,line=4,col=1,title=task a failed::`ansible-playbook` exited with code 2";
        assert!(told.contains(want), "{told}");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        let nowhere = error("error", None, Some(("a".to_owned(), 1, 2)), "t", "m");
        assert_eq!(nowhere, "::error title=t::m");
    }

    #[test]
    fn sections_of_gitlab_are_open_where_something_failed() {
        let good = told(Fold::GitLab, false);
        assert!(good.contains(":a[collapsed=true]\r\u{1b}[0Kran a\n"), "{good:?}");
        assert!(good.contains("section_end:"), "{good:?}");
        let bad = told(Fold::GitLab, true);
        assert!(bad.contains(":a[collapsed=false]\r\u{1b}[0Kfailed a\n"), "{bad:?}");
        assert_eq!(section("host[a/b]"), "host_a_b_");
    }
}
