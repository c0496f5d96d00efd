//! Owns how reasons are said: a sentence, a short form, the word for machines.
//! Does not know how reasons are found (`plan/`).

use crate::model::reason::Reason;
use crate::report::text::{about, clean, digests, fit, is_digest, names, pair, width};

/// Most columns of reasons on one line, however wide it may be.
const LONGEST: usize = 160;
/// Tasks of one reason that are named before `(+N more)`.
const NAMED: usize = 3;

/// The kebab-case word for machines, as it is in JSON.
pub fn word(reason: &Reason) -> &'static str {
    match reason {
        Reason::NeverRan => "never-ran",
        Reason::LastAttemptFailed { .. } => "last-attempt-failed",
        Reason::Interrupted { .. } => "interrupted",
        Reason::ActionChanged { .. } => "action-changed",
        Reason::InputChanged { .. } => "input-changed",
        Reason::InputAdded { .. } => "input-added",
        Reason::InputRemoved { .. } => "input-removed",
        Reason::OutputMissing { .. } => "output-missing",
        Reason::OutputChanged { .. } => "output-changed",
        Reason::ValueChanged { .. } => "value-changed",
        Reason::UpstreamChanged { .. } => "upstream-changed",
        Reason::VariableChanged { .. } => "variable-changed",
        Reason::EnvironmentChanged { .. } => "environment-changed",
        Reason::ToolChanged { .. } => "tool-changed",
        Reason::Incarnation { .. } => "incarnation",
        Reason::ProbeDisagrees { .. } => "probe-disagrees",
        Reason::Expired { .. } => "expired",
        Reason::UndoneBy { .. } => "undone-by",
        Reason::SupersededBy { .. } => "superseded-by",
        Reason::Forced => "forced",
        Reason::FormatChanged { .. } => "format-changed",
        Reason::UpstreamNotFresh { .. } => "upstream-not-fresh",
        Reason::JudgedByLastValues { .. } => "judged-by-last-values",
        Reason::StartedOnce { .. } => "started-once",
        Reason::EndUnknown { .. } => "end-unknown",
        Reason::ChangedWhileRunning { .. } => "changed-while-running",
        Reason::RunningIn { .. } => "running-in",
        Reason::NotDeclared => "not-declared",
        Reason::ToUndo { .. } => "to-undo",
        Reason::ToAsk { .. } => "to-ask",
        Reason::SecretTakenAsUnchanged { .. } => "secret-taken-as-unchanged",
    }
}

/// The reason in few words, without old and new.
pub fn short(reason: &Reason) -> String {
    match reason {
        Reason::NeverRan => "never ran here".to_owned(),
        Reason::LastAttemptFailed { attempt, .. } => format!("last attempt {attempt} failed"),
        Reason::Interrupted { attempt } => format!("last attempt {attempt} was cut short"),
        Reason::ActionChanged { field, .. } => format!("`{}` changed", clean(field)),
        Reason::InputChanged { path, .. } => format!("input {} changed", clean(path)),
        Reason::InputAdded { path } => format!("input {} is new", clean(path)),
        Reason::InputRemoved { path } => format!("input {} is gone", clean(path)),
        Reason::OutputMissing { path } => format!("output {} is missing", clean(path)),
        Reason::OutputChanged { path } => format!("output {} is not as it was made", clean(path)),
        Reason::ValueChanged { value, .. } => format!("value {} changed", clean(value)),
        Reason::UpstreamChanged { task, .. } => format!("upstream {task} changed"),
        Reason::VariableChanged { name, .. } => format!("variable {} changed", clean(name)),
        Reason::EnvironmentChanged { name, .. } => format!("environment variable {} changed", clean(name)),
        Reason::ToolChanged { tool, .. } => format!("tool {} changed", clean(tool)),
        Reason::Incarnation { task, address, new: None, .. } => format!("{} of {task} is gone", clean(address)),
        Reason::Incarnation { task, address, new: Some(_), .. } => format!("{} of {task} is another", clean(address)),
        Reason::ProbeDisagrees { .. } => "its probe disagrees".to_owned(),
        Reason::Expired { .. } => "expired".to_owned(),
        Reason::UndoneBy { task, complete: true } => format!("undone by {task}"),
        Reason::UndoneBy { task, complete: false } => format!("its undo by {task} did not come to its end"),
        Reason::SupersededBy { task } => format!("superseded by {task}"),
        Reason::Forced => "forced".to_owned(),
        Reason::FormatChanged { .. } => "record in another format".to_owned(),
        Reason::UpstreamNotFresh { task } => format!("upstream {task} is not fresh"),
        Reason::JudgedByLastValues { task } => format!("judged by the last values of {task}"),
        Reason::StartedOnce { attempt } => format!("once task started already, in attempt {attempt}"),
        Reason::EndUnknown { attempt } => format!("end of attempt {attempt} is not known"),
        Reason::ChangedWhileRunning { path } => format!("input {} changed while it ran", clean(path)),
        Reason::RunningIn { run } => format!("running in run {run}"),
        Reason::NotDeclared => "no longer declared".to_owned(),
        Reason::ToUndo { tasks } => format!("to undo {}", names(tasks, NAMED)),
        Reason::ToAsk { tasks } => format!("to ask for {}", names(tasks, NAMED)),
        Reason::SecretTakenAsUnchanged { name } => format!("secret {} taken as unchanged", clean(name)),
    }
}

/// The reason in one sentence, old and new cut so that it fits into `room` columns if it can.
pub fn sentence(reason: &Reason, room: usize) -> String {
    let short = short(reason);
    let left = room.saturating_sub(width(&short));
    match reason {
        Reason::InputChanged { old, new, .. } => {
            let (old, new) = change(old, new, left.saturating_sub(6));
            format!("{short} ({old} → {new})")
        }
        Reason::ValueChanged { old, new, run, .. } => {
            let by = run.map(|run| format!(" (run {run})")).unwrap_or_default();
            let (old, new) = change(old, new, left.saturating_sub(5 + width(&by)));
            format!("{short}: {old} → {new}{by}")
        }
        Reason::VariableChanged { old, new, .. }
        | Reason::EnvironmentChanged { old, new, .. }
        | Reason::ToolChanged { old, new, .. } => {
            let (old, new) = change(old, new, left.saturating_sub(5));
            format!("{short}: {old} → {new}")
        }
        Reason::ActionChanged { old, new, .. } => match (old, new) {
            (Some(old), Some(new)) => {
                let (old, new) = change(old, new, left.saturating_sub(5));
                format!("{short}: {old} → {new}")
            }
            (Some(old), None) => detail(&short, "was ", old, left),
            (None, Some(new)) => detail(&short, "now ", new, left),
            (None, None) => short,
        },
        Reason::Incarnation { old, new: None, .. } => format!("{short} (was {})", clean(old)),
        Reason::Incarnation { old, new: Some(new), .. } => {
            let (old, new) = change(old, new, left.saturating_sub(6));
            format!("{short} ({old} → {new})")
        }
        Reason::UpstreamChanged { run: Some(run), .. } => format!("{short} (run {run})"),
        Reason::LastAttemptFailed { message: Some(message), .. } | Reason::ProbeDisagrees { message } => {
            detail(&short, "", message, left)
        }
        Reason::Expired { age, ttl } => expired(*age, *ttl),
        Reason::FormatChanged { old, new } => format!("{short} ({old} → {new})"),
        Reason::StartedOnce { .. } => format!("{short}; `infra resolve` says what came of it"),
        Reason::EndUnknown { .. } => format!("{short}; `infra resolve` says it"),
        Reason::ToAsk { .. } => format!("{short}: no history here, their tool will say"),
        Reason::SecretTakenAsUnchanged { .. } => format!("{short}: its value is not known here"),
        Reason::JudgedByLastValues { .. } => format!("{short}, which has expired"),
        Reason::NeverRan
        | Reason::LastAttemptFailed { message: None, .. }
        | Reason::Interrupted { .. }
        | Reason::InputAdded { .. }
        | Reason::InputRemoved { .. }
        | Reason::OutputMissing { .. }
        | Reason::OutputChanged { .. }
        | Reason::UpstreamChanged { run: None, .. }
        | Reason::UndoneBy { .. }
        | Reason::SupersededBy { .. }
        | Reason::Forced
        | Reason::UpstreamNotFresh { .. }
        | Reason::ChangedWhileRunning { .. }
        | Reason::RunningIn { .. }
        | Reason::NotDeclared
        | Reason::ToUndo { .. } => short,
    }
}

/// All reasons on one line: the first that makes stale, in full if it fits, and `(+N more)`.
/// Remarks are told only when there is nothing else. Empty without reasons.
pub fn inline(reasons: &[Reason], room: usize) -> String {
    let mut telling: Vec<&Reason> = reasons.iter().filter(|reason| !reason.is_remark()).collect();
    if telling.is_empty() {
        telling = reasons.iter().collect();
    }
    let Some((first, others)) = telling.split_first() else { return String::new() };
    // Where nothing is cut, a line is no place for two whole files either.
    let room = room.min(LONGEST);
    let more = if others.is_empty() { String::new() } else { format!(" (+{} more)", others.len()) };
    let left = room.saturating_sub(width(&more));
    let full = sentence(first, left);
    let said = if width(&full) <= left { full } else { fit(&short(first), left) };
    format!("{said}{more}")
}

fn change(old: &str, new: &str, room: usize) -> (String, String) {
    if is_digest(old) && is_digest(new) { digests(old, new) } else { pair(old, new, room) }
}

fn detail(short: &str, lead: &str, text: &str, left: usize) -> String {
    let room = left.saturating_sub(2 + width(lead)).max(12);
    format!("{short}: {lead}{}", fit(&clean(text), room))
}

fn expired(age: Option<i64>, ttl: Option<i64>) -> String {
    // Ages beyond 2^53 seconds do not occur.
    let said = |seconds: i64| about(seconds.max(0) as f64);
    match (age, ttl) {
        (_, None) => "read anew in every run (it has no ttl)".to_owned(),
        (Some(age), Some(_)) if age < 0 => "expired: its record is from the future".to_owned(),
        (Some(age), Some(ttl)) => format!("expired: {} old, believed for {}", said(age), said(ttl)),
        (None, Some(ttl)) => format!("expired: believed for {}", said(ttl)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::ENDLESS;

    fn every() -> Vec<Reason> {
        let s = str::to_owned;
        vec![
            Reason::NeverRan,
            Reason::LastAttemptFailed { attempt: 7, message: None },
            Reason::LastAttemptFailed { attempt: 7, message: Some(s("`terraform plan` exited with code 1")) },
            Reason::Interrupted { attempt: 7 },
            Reason::ActionChanged { field: s("run"), old: Some(s("make a")), new: Some(s("make b")) },
            Reason::ActionChanged { field: s("dir"), old: Some(s("x")), new: None },
            Reason::ActionChanged { field: s("dir"), old: None, new: Some(s("y")) },
            Reason::ActionChanged { field: s("env.TOKEN"), old: None, new: None },
            Reason::InputChanged { path: s("ansible/site.yml"), old: s("9c1e77aa"), new: s("44b0aa11") },
            Reason::InputAdded { path: s("a.tf") },
            Reason::InputRemoved { path: s("a.tf") },
            Reason::OutputMissing { path: s("build/inventory.yml") },
            Reason::OutputChanged { path: s("build/inventory.yml") },
            Reason::ValueChanged {
                value: s("provision.worker_ips"),
                old: s("[]"),
                new: s(r#"["10.0.0.1"]"#),
                run: Some(43),
            },
            Reason::ValueChanged { value: s("provision.worker_ips"), old: s("[]"), new: s("[1]"), run: None },
            Reason::UpstreamChanged { task: s("provision"), run: Some(43) },
            Reason::UpstreamChanged { task: s("provision"), run: None },
            Reason::VariableChanged { name: s("worker_count"), old: s("2"), new: s("3") },
            Reason::EnvironmentChanged { name: s("LANG"), old: s("C"), new: s("de") },
            Reason::ToolChanged { tool: s("terraform"), old: s("1.9.0"), new: s("1.10.1") },
            Reason::Incarnation { task: s("provision"), address: s("vm.w1"), old: s("vm-101"), new: None },
            Reason::Incarnation { task: s("provision"), address: s("vm.w1"), old: s("vm-101"), new: Some(s("vm-102")) },
            Reason::ProbeDisagrees { message: s("10.0.0.1:6443 refuses") },
            Reason::Expired { age: Some(1200), ttl: Some(600) },
            Reason::Expired { age: None, ttl: Some(600) },
            Reason::Expired { age: Some(-5), ttl: Some(600) },
            Reason::Expired { age: Some(5), ttl: None },
            Reason::UndoneBy { task: s("teardown"), complete: true },
            Reason::UndoneBy { task: s("teardown"), complete: false },
            Reason::SupersededBy { task: s("provision-b") },
            Reason::Forced,
            Reason::FormatChanged { old: 1, new: 2 },
            Reason::UpstreamNotFresh { task: s("provision") },
            Reason::JudgedByLastValues { task: s("facts") },
            Reason::StartedOnce { attempt: 7 },
            Reason::EndUnknown { attempt: 7 },
            Reason::ChangedWhileRunning { path: s("a.tf") },
            Reason::RunningIn { run: 44 },
            Reason::NotDeclared,
            Reason::ToUndo { tasks: vec![s("configure"), s("provision")] },
            Reason::ToAsk { tasks: vec![s("provision")] },
            Reason::SecretTakenAsUnchanged { name: s("token") },
        ]
    }

    #[test]
    fn every_reason_is_a_sentence() {
        let said: Vec<String> = every().iter().map(|reason| sentence(reason, ENDLESS)).collect();
        assert_eq!(
            said.join("\n"),
            "\
never ran here
last attempt 7 failed
last attempt 7 failed: `terraform plan` exited with code 1
last attempt 7 was cut short
`run` changed: make a → make b
`dir` changed: was x
`dir` changed: now y
`env.TOKEN` changed
input ansible/site.yml changed (9c1e… → 44b0…)
input a.tf is new
input a.tf is gone
output build/inventory.yml is missing
output build/inventory.yml is not as it was made
value provision.worker_ips changed: [] → [\"10.0.0.1\"] (run 43)
value provision.worker_ips changed: [] → [1]
upstream provision changed (run 43)
upstream provision changed
variable worker_count changed: 2 → 3
environment variable LANG changed: C → de
tool terraform changed: 1.9.0 → 1.10.1
vm.w1 of provision is gone (was vm-101)
vm.w1 of provision is another (vm-101 → vm-102)
its probe disagrees: 10.0.0.1:6443 refuses
expired: 20 min old, believed for 10 min
expired: believed for 10 min
expired: its record is from the future
read anew in every run (it has no ttl)
undone by teardown
its undo by teardown did not come to its end
superseded by provision-b
forced
record in another format (1 → 2)
upstream provision is not fresh
judged by the last values of facts, which has expired
once task started already, in attempt 7; `infra resolve` says what came of it
end of attempt 7 is not known; `infra resolve` says it
input a.tf changed while it ran
running in run 44
no longer declared
to undo configure, provision
to ask for provision: no history here, their tool will say
secret token taken as unchanged: its value is not known here"
        );
    }

    #[test]
    fn the_short_form_begins_the_sentence_and_the_word_is_the_one_in_json() {
        for reason in every() {
            if !matches!(reason, Reason::Expired { .. }) {
                assert!(sentence(&reason, ENDLESS).starts_with(&short(&reason)), "{reason:?}");
            }
            assert_eq!(serde_json::to_value(&reason).unwrap()["kind"], word(&reason));
        }
    }

    #[test]
    fn a_sentence_is_cut_to_the_room_it_has() {
        let reason = Reason::ValueChanged {
            value: "provision.ips".to_owned(),
            old: r#"["10.0.0.11","10.0.0.12"]"#.to_owned(),
            new: r#"["10.0.0.11","10.0.0.13","10.0.0.14"]"#.to_owned(),
            run: Some(43),
        };
        let said = sentence(&reason, 72);
        assert_eq!(said, r#"value provision.ips changed: …0.12"] → …0.13","10.0.0… (run 43)"#);
        assert!(width(&said) <= 72);
    }

    #[test]
    fn one_line_tells_the_first_reason_and_how_many_more() {
        let input = Reason::InputAdded { path: "a".to_owned() };
        let remark = Reason::JudgedByLastValues { task: "facts".to_owned() };
        assert_eq!(inline(&[remark.clone(), input.clone(), Reason::Forced], 80), "input a is new (+1 more)");
        assert_eq!(inline(&[remark], 80), "judged by the last values of facts, which has expired");
        assert_eq!(inline(&[input.clone(), Reason::Forced], 20), "input a i… (+1 more)");
        assert_eq!(inline(&[], 80), "");
        let change = Reason::VariableChanged { name: "n".to_owned(), old: "1".repeat(50), new: "2".repeat(50) };
        assert_eq!(inline(&[change], 30), "variable n changed");
    }
}
