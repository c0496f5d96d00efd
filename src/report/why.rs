//! Owns the screen of `infra why`: state, last good run, each reason old → new, what is unchanged.
//! Does not know how the reasons were found.

use crate::model::effect::State;
use crate::report::flow::prose;
use crate::report::paint::{self, Look, Tone};
use crate::report::reason;
use crate::report::text::{ENDLESS, ago, clean, command, count, hung, quote, seconds};
use crate::report::view::{ProbeView, Unchanged, WhyReason, WhyView};
use std::fmt::Write as _;

/// Reasons of one kind that are told before the others are only counted.
const MOST: usize = 12;
/// Most columns of a reason, old and new together: a value may be a whole file.
const LONGEST: usize = 2000;

/// One screen.
pub fn why(view: &WhyView, look: &Look) -> String {
    let mut text = String::new();
    let name = look.paint(Tone::Strong, &view.name);
    let state = look.paint(paint::state(view.state), view.state.word());
    let stage = view.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
    let head = format!("{name} is {state} in {} ({}, {}{stage})", view.env, view.kind, view.effect);
    text += &prose(&head, 2, look.width);
    match &view.last_good {
        Some(good) => {
            let took = seconds(good.seconds);
            let (run, attempt, ago) = (good.run, good.attempt, ago(good.age_seconds));
            let last = format!("  last good: run {run}, attempt {attempt}, {ago}, took {took}");
            text += &prose(&last, 4, look.width);
            if view.state == State::Fresh && !good.reasons.is_empty() {
                text += &hung(4, &format!("it ran because {}", reason::inline(&good.reasons, ENDLESS)), look.width);
            }
        }
        None => text.push_str("  last good: none\n"),
    }
    if let Some(declared) = &view.declared {
        let _ = writeln!(text, "  declared at {declared}");
    }
    if let Some(answer) = &view.probe {
        text += &hung(2, &format!("probe {}, {}", probe(answer), ago(answer.age_seconds)), look.width);
    }
    let (remarks, reasons): (Vec<&WhyReason>, Vec<&WhyReason>) =
        view.reasons.iter().partition(|one| one.reason.is_remark());
    part(&mut text, "because", &reasons, look);
    part(&mut text, "note", &remarks, look);
    let unchanged = unchanged(&view.unchanged);
    if !unchanged.is_empty() {
        let _ = write!(text, "\n{}", prose(&format!("unchanged: {unchanged}"), 2, look.width));
    }
    if let Some(next) = next(view) {
        let next = format!("{}: {next}", look.paint(Tone::Busy, "next"));
        let _ = write!(text, "\n{}", prose(&next, 2, look.width));
    }
    text
}

fn part(text: &mut String, head: &str, reasons: &[&WhyReason], look: &Look) {
    if reasons.is_empty() {
        return;
    }
    let most = if look.is_verbose() { usize::MAX } else { MOST };
    let _ = writeln!(text, "\n{}", look.paint(Tone::Dim, head));
    for one in reasons.iter().take(most) {
        let room = if look.is_verbose() { ENDLESS } else { LONGEST };
        *text += &hung(2, &reason::sentence(&one.reason, room), look.width);
        for because in &one.because {
            let lead = format!("{} ran in run {}", because.task, because.run);
            if because.reasons.is_empty() {
                *text += &hung(4, &lead, look.width);
            } else {
                *text += &hung(4, &format!("{lead} because {}", reason::inline(&because.reasons, ENDLESS)), look.width);
            }
        }
    }
    if let Some(more) = reasons.len().checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more (`--verbose` tells them)");
    }
}

/// What a probe said.
pub(super) fn probe(view: &ProbeView) -> String {
    let word = match view.agrees {
        Some(true) => "agrees",
        Some(false) => "disagrees",
        None => "can't tell",
    };
    if view.message.is_empty() { word.to_owned() } else { format!("{word}: {}", clean(&view.message)) }
}

fn unchanged(all: &Unchanged) -> String {
    let Unchanged { files, values, upstreams, variables, environment, secrets, tools, settings } = *all;
    let counts = [
        (files, "file"),
        (values, "value"),
        (upstreams, "upstream"),
        (variables, "variable"),
        (environment, "environment variable"),
        (secrets, "secret"),
        (tools, "tool"),
        (settings, "setting"),
    ];
    let said: Vec<String> =
        counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, one)| count(number, one)).collect();
    said.join(", ")
}

fn next(view: &WhyView) -> Option<String> {
    let again = if view.again.is_empty() { String::new() } else { format!(" {}", command(&view.again)) };
    let name = &format!("{}{again}", quote(&view.name));
    match view.state {
        State::Fresh => None,
        State::Restorable => Some(format!("`infra run {name}` puts its artifacts back without running it")),
        State::Stale | State::Deferred => Some(format!("`infra run {name}`")),
        State::Running => Some(format!("`infra logs {name}` shows how far it is")),
        State::Failed => Some(format!("`infra logs {name}` shows why it failed; `infra run {name}` tries again")),
        State::Unknown => {
            Some(format!("look at the world, then `infra resolve {name} --done`, `--failed` or `--rerun`"))
        }
        State::Orphaned => {
            Some("`infra destroy --orphans` undoes it; `was` in a task's table takes it over".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Effect;
    use crate::model::reason::Reason;
    use crate::report::view::{Because, LastGood};

    fn s(text: &str) -> String {
        text.to_owned()
    }

    fn view(state: State, reasons: Vec<WhyReason>) -> WhyView {
        WhyView {
            env: s("local"),
            name: s("configure"),
            stage: Some(s("configure")),
            kind: s("ansible"),
            effect: Effect::Idempotent,
            state,
            declared: Some(s("tasks/configure.toml:1:1")),
            last_good: Some(LastGood {
                run: 41,
                attempt: 90,
                age_seconds: 7300,
                seconds: 40.0,
                reasons: vec![Reason::Forced],
            }),
            reasons,
            unchanged: Unchanged { files: 61, variables: 4, tools: 1, ..Unchanged::default() },
            again: Vec::new(),
            probe: None,
        }
    }

    #[test]
    fn one_screen_tells_each_reason_old_and_new() {
        let variable = Reason::VariableChanged { name: s("worker_count"), old: s("2"), new: s("3") };
        let reasons = vec![
            WhyReason { reason: Reason::SecretTakenAsUnchanged { name: s("token") }, because: vec![] },
            WhyReason {
                reason: Reason::InputChanged { path: s("ansible/site.yml"), old: s("9c1e77aa"), new: s("44b0aa11") },
                because: vec![],
            },
            WhyReason {
                reason: Reason::ValueChanged {
                    value: s("provision.worker_ips"),
                    old: s("[1,2]"),
                    new: s("[1,2,3]"),
                    run: Some(43),
                },
                because: vec![Because { task: s("provision"), run: 43, reasons: vec![variable] }],
            },
        ];
        assert_eq!(
            why(&view(State::Stale, reasons), &Look::default()),
            "\
configure is stale in local (ansible, idempotent, stage configure)
  last good: run 41, attempt 90, 2 h ago, took 40.0 s
  declared at tasks/configure.toml:1:1

because
  input ansible/site.yml changed (9c1e… → 44b0…)
  value provision.worker_ips changed: [1,2] → [1,2,3] (run 43)
    provision ran in run 43 because variable worker_count changed: 2 → 3

note
  secret token taken as unchanged: its value is not known here

unchanged: 61 files, 4 variables, 1 tool

next: `infra run configure`
"
        );
    }

    #[test]
    fn a_fresh_task_has_nothing_to_do_next() {
        let mut fresh = view(State::Fresh, vec![]);
        fresh.probe = Some(ProbeView { agrees: Some(true), age_seconds: 5, message: String::new() });
        assert_eq!(
            why(&fresh, &Look::default()),
            "\
configure is fresh in local (ansible, idempotent, stage configure)
  last good: run 41, attempt 90, 2 h ago, took 40.0 s
    it ran because forced
  declared at tasks/configure.toml:1:1
  probe agrees, 5 s ago

unchanged: 61 files, 4 variables, 1 tool
"
        );
    }

    #[test]
    fn many_reasons_stay_on_one_screen() {
        let reasons = (0..40)
            .map(|n| WhyReason { reason: Reason::InputAdded { path: format!("f{n}") }, because: vec![] })
            .collect();
        let text = why(&view(State::Stale, reasons), &Look::default());
        assert!(text.contains("  input f11 is new\n  and 28 more (`--verbose` tells them)\n"), "{text}");
    }

    #[test]
    fn every_state_that_is_not_fresh_says_what_next() {
        let next = |state| next(&view(state, vec![])).unwrap_or_default();
        assert_eq!(
            next(State::Unknown),
            "look at the world, then `infra resolve configure --done`, `--failed` or `--rerun`"
        );
        let each = WhyView { name: s("each[x y]"), ..view(State::Stale, vec![]) };
        assert_eq!(super::next(&each).as_deref(), Some("`infra run 'each[x y]'`"));
        assert_eq!(next(State::Restorable), "`infra run configure` puts its artifacts back without running it");
        assert_eq!(
            next(State::Failed),
            "`infra logs configure` shows why it failed; `infra run configure` tries again"
        );
        assert_eq!(next(State::Running), "`infra logs configure` shows how far it is");
        assert_eq!(next(State::Orphaned), "`infra destroy --orphans` undoes it; `was` in a task's table takes it over");
    }
}
