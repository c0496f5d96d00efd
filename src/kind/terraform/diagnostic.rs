//! Owns what terraform complains about: its diagnostics, as JSON and as printed for people.
//! Does not know which command they are of, nor what follows from them.

use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

/// Name of the file that holds the task's `vars` while it runs.
pub const VARS_FILE: &str = "vars.tfvars.json";

/// What names of files are relative to.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The project's root, absolute.
    pub root: Utf8PathBuf,
    /// The root module, relative to it: terraform runs there.
    pub dir: Utf8PathBuf,
}

impl Base {
    /// A place for people: `terraform/main.tf:5`, relative to the project.
    fn place(&self, filename: &str, line: u64) -> String {
        let path = Utf8Path::new(filename);
        if path.file_name() == Some(VARS_FILE) {
            return "in the task's `vars`".to_owned();
        }
        // Files with values are given by their absolute paths.
        let path = path.strip_prefix(&self.root).map_or_else(|_| join(&self.dir, filename), Utf8Path::to_owned);
        format!("`{path}:{line}`")
    }
}

/// One thing that terraform complains about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Diagnostic {
    pub severity: String,
    pub summary: String,
    pub detail: String,
    pub address: Option<String>,
    pub range: Option<Range>,
}

/// Where a complaint points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Range {
    pub filename: String,
    pub start: Position,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Position {
    pub line: u64,
}

impl Diagnostic {
    /// `terraform/main.tf:5`, relative to the project.
    pub fn place(&self, base: &Base) -> Option<String> {
        let range = self.range.as_ref().filter(|range| !range.filename.is_empty())?;
        Some(base.place(&range.filename, range.start.line))
    }

    /// One line: summary, the beginning of the detail, the place.
    pub fn short(&self, base: &Base) -> String {
        let detail = self.detail.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let mut out = self.summary.clone();
        if !detail.is_empty() {
            out.push_str(": ");
            out.push_str(detail);
        }
        match self.place(base) {
            Some(place) => format!("{out} ({place})"),
            None => out,
        }
    }

    /// For the log, whole. The source text that terraform quotes is left out: it may hold values.
    pub fn lines(&self, base: &Base) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.severity, self.summary)];
        let place = self.place(base);
        match (place, &self.address) {
            (Some(place), Some(address)) => lines.push(format!("  at {place}, {address}")),
            (Some(place), None) => lines.push(format!("  at {place}")),
            (None, Some(address)) => lines.push(format!("  {address}")),
            (None, None) => {}
        }
        lines.extend(self.detail.trim_end().lines().map(|line| format!("  {line}")));
        lines
    }
}

/// Diagnostics out of what a command without `-json` printed for people.
pub fn told(lines: &[String]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut in_error = false;
    for line in lines {
        let line = line.trim_start_matches(['│', '╷', '╵']).trim();
        if let Some(summary) = line.strip_prefix("Error: ") {
            in_error = true;
            found.push(Diagnostic {
                severity: "error".to_owned(),
                summary: summary.to_owned(),
                ..Diagnostic::default()
            });
            continue;
        }
        let Some(error) = found.last_mut().filter(|_| in_error) else { continue };
        if line.starts_with("Warning: ") {
            in_error = false;
        } else if let Some(range) = place(line) {
            error.range = Some(range);
        } else if !is_quoted_source(line) {
            error.detail.push_str(line);
            error.detail.push('\n');
        }
    }
    for error in &mut found {
        error.detail = error.detail.trim().to_owned();
    }
    found
}

/// `on main.tf line 5, in resource "x" "y":`.
fn place(line: &str) -> Option<Range> {
    let (filename, rest) = line.strip_prefix("on ")?.split_once(" line ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Range { filename: filename.to_owned(), start: Position { line: number.parse().ok()? } })
}

/// `   5:   input = var.nope`: the source itself may hold what should not be in a message.
fn is_quoted_source(line: &str) -> bool {
    line.split_once(':').is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_relative_to_the_project() {
        let base = Base { root: "/p".into(), dir: "tf/env".into() };
        assert_eq!(base.place("main.tf", 3), "`tf/env/main.tf:3`");
        assert_eq!(base.place("../../modules/x.tf", 3), "`modules/x.tf:3`");
        assert_eq!(base.place("/p/env/a.tfvars", 3), "`env/a.tfvars:3`");
        assert_eq!(base.place("/tmp/i/vars.tfvars.json", 1), "in the task's `vars`");
    }
}
