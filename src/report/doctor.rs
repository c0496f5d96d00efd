//! Owns the screen of `infra doctor`: area by area, what to do below what is not well.
//! Does not know how anything was found out.

use crate::report::flow::pieces;
use crate::report::paint::{Look, Tone};
use crate::report::text::{clean, count, pad, width};
use crate::report::view::{DoctorView, FindingView, Mark};
use std::fmt::Write as _;

/// Columns of the widest verdict.
const VERDICT: usize = 7;

/// What stands before what is to be done.
const TODO: &str = "to do:";

/// Columns that a text must have beside its name; with fewer it goes below it, so far from the margin.
const NARROW: usize = 20;
const BELOW: usize = 4;

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
        let name = pad(&clean(&one.name), widest);
        spread(&mut text, &format!("  {verdict}  {name}  "), widest + VERDICT + 6, &clean(&one.found), look.width);
        if let Some(todo) = &one.todo {
            let head = format!("  {}  {} ", " ".repeat(VERDICT), look.paint(Tone::Warn, TODO));
            spread(&mut text, &head, VERDICT + 5 + TODO.len(), todo, look.width);
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

/// Writes a text behind a head of so many columns, as many lines as it takes, one below the other; where the head leaves
/// too little room, they begin below it.
fn spread(out: &mut String, head: &str, columns: usize, text: &str, across: usize) {
    let beside = across.saturating_sub(columns);
    let (lead, room, first) = if beside < NARROW && width(text) > beside {
        (BELOW, across.saturating_sub(BELOW), format!("{}\n{}", head.trim_end(), " ".repeat(BELOW)))
    } else {
        (columns, beside, head.to_owned())
    };
    out.push_str(&first);
    let mut at = 0;
    for piece in pieces(text, room) {
        let wide = width(piece);
        if at > 0 && at + 1 + wide > room {
            let _ = write!(out, "\n{}", " ".repeat(lead));
            at = 0;
        } else if at > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(piece);
        at += wide;
    }
    out.push('\n');
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

    #[test]
    fn nothing_is_cut_however_narrow_it_is() {
        let findings = vec![
            FindingView::problem(
                Area::Secrets,
                "nope",
                "secret `nope` is not set: export the environment variable `NOPE`; read by a",
                "set the variable where you call `infra`, or `chmod 600 .infra/key`",
            ),
            FindingView::ok(Area::Tools, "a-tool-with-a-long-name", "1.2.3; `[requires]` wants >=1.2"),
        ];
        let view = DoctorView::of(None, findings);
        let at = |width| doctor(&view, &Look { width, ..Look::default() });
        let wide = at(80);
        assert!(wide.contains(
            "
  problem  nope                     secret `nope` is not set: export the
                                    environment variable `NOPE`; read by a
           to do: set the variable where you call `infra`, or
                  `chmod 600 .infra/key`
"
        ));
        let narrow = at(40);
        assert!(narrow.contains(
            "
  problem  nope
    secret `nope` is not set: export the
    environment variable `NOPE`; read by
    a
           to do: set the variable where
                  you call `infra`, or
                  `chmod 600 .infra/key`
"
        ));
        for (text, most) in [(wide, 80), (narrow, 40)] {
            assert!(text.lines().all(|line| width(line) <= most), "{text}");
        }
    }
}
