//! Owns the screen of `infra doctor`: area by area, what to do below what is not well.
//! Does not know how anything was found out.

use crate::report::paint::{Look, Tone};
use crate::report::text::{clean, count, fit, pad, width};
use crate::report::view::{DoctorView, FindingView, Mark};
use std::fmt::Write as _;

/// Columns of the widest verdict.
const VERDICT: usize = 7;

/// One screen; what is well is left out where quiet is wanted.
pub fn doctor(view: &DoctorView, look: &Look) -> String {
    let told = |one: &&FindingView| !look.is_quiet() || one.verdict != Mark::Ok;
    let widest = view.findings.iter().filter(told).map(|one| width(&one.name)).max().unwrap_or(0);
    let mut text = String::new();
    let mut area = None;
    for one in view.findings.iter().filter(told) {
        if area.replace(one.area) != Some(one.area) {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", look.paint(Tone::Dim, one.area.word()));
        }
        let verdict = look.paint(tone(one.verdict), &pad(one.verdict.word(), VERDICT));
        let room = look.width.saturating_sub(widest + VERDICT + 6);
        let _ = writeln!(text, "  {verdict}  {}  {}", pad(&clean(&one.name), widest), fit(&clean(&one.found), room));
        if let Some(todo) = &one.todo {
            let _ = writeln!(text, "  {}  {} {todo}", " ".repeat(VERDICT), look.paint(Tone::Warn, "to do:"));
        }
    }
    let counts = [(view.problems, "problem", Mark::Problem), (view.warnings, "warning", Mark::Warning)];
    let mut said: Vec<String> = counts
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .map(|(number, word, mark)| look.paint(tone(mark), &count(number, word)))
        .collect();
    if !look.is_quiet() {
        said.push(format!("{} ok", view.ok));
    }
    if !said.is_empty() {
        let _ = writeln!(text, "{}{}", if text.is_empty() { "" } else { "\n" }, said.join(", "));
    }
    text
}

fn tone(mark: Mark) -> Tone {
    match mark {
        Mark::Ok => Tone::Good,
        Mark::Warning => Tone::Warn,
        Mark::Problem => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::paint::Verbosity;
    use crate::report::view::Area;

    fn view() -> DoctorView {
        let findings = vec![
            FindingView::ok(Area::Tools, "terraform", "1.11.4"),
            FindingView::problem(Area::Tools, "helm", "not found", "install it"),
            FindingView::warning(Area::Machine, "disk", "300.0 MB are free", "free some space"),
        ];
        DoctorView::of(Some("local".to_owned()), findings)
    }

    #[test]
    fn what_is_not_well_says_what_to_do() {
        assert_eq!(
            doctor(&view(), &Look::default()),
            "tools
  ok       terraform  1.11.4
  problem  helm       not found
           to do: install it

machine
  warning  disk       300.0 MB are free
           to do: free some space

1 problem, 1 warning, 1 ok
"
        );
    }

    #[test]
    fn quiet_leaves_out_what_is_well() {
        let look = Look { verbosity: Verbosity::Quiet, ..Look::default() };
        let text = doctor(&view(), &look);
        assert!(!text.contains("terraform") && text.ends_with("\n1 problem, 1 warning\n"), "{text}");
        assert_eq!(doctor(&DoctorView::of(None, Vec::new()), &look), "");
    }
}
