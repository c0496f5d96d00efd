//! Owns the reading of what the program tells: states, outcomes, reasons; and whether it agrees with the
//! rules, and with what it told before.

use crate::place::Seen;
use crate::project::Project;
use crate::run::{Came, Trace};
use crate::verdict::{Reasons, Verdict};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What was said of a task.
pub struct Said {
    /// Its state, or in a run its outcome.
    pub state: String,
    pub action: String,
    pub reasons: BTreeSet<String>,
    pub raw: Json,
}

/// What a plan promised of a task.
pub struct Planned {
    pub action: String,
    pub reasons: Json,
}

pub fn said(task: &Json, state: &str) -> Said {
    let word = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
    let reasons = task["reasons"].as_array().into_iter().flatten().map(reason).collect();
    let mut raw = task["reasons"].clone();
    for reason in raw.as_array_mut().into_iter().flatten() {
        // A second passes between a plan and its run.
        reason.as_object_mut().and_then(|reason| reason.remove("age"));
    }
    Said { state: word(state), action: word("action"), reasons, raw }
}

pub fn said_of(tasks: &Json) -> BTreeMap<String, Said> {
    let each = tasks.as_array().into_iter().flatten();
    each.map(|task| (task["name"].as_str().unwrap_or_default().to_owned(), said(task, "state"))).collect()
}

/// A reason as the rules say it: its kind, and the one name in it.
pub fn reason(reason: &Json) -> String {
    let kind = reason["kind"].as_str().unwrap_or_default();
    let of = match kind {
        "input-changed" | "input-added" | "input-removed" | "output-missing" | "output-changed" => "path",
        "value-changed" => "value",
        "variable-changed" => "name",
        "tool-changed" => "tool",
        "upstream-changed" | "undone-by" | "superseded-by" | "upstream-not-fresh" | "judged-by-last-values" => "task",
        "to-undo" | "to-ask" => {
            let tasks = reason["tasks"].as_array().into_iter().flatten();
            let names: BTreeSet<&str> = tasks.filter_map(Json::as_str).collect();
            return format!("{kind} {}", names.into_iter().collect::<Vec<_>>().join(" "));
        }
        _ => return kind.to_owned(),
    };
    format!("{kind} {}", reason[of].as_str().unwrap_or_default())
}

/// What the events of a run tell: what started and ended in which order, and how each task came out.
pub fn told_by(events: &[Json]) -> (Vec<Trace>, BTreeMap<String, Said>) {
    let (mut trace, mut outcomes) = (Vec::new(), BTreeMap::new());
    for event in events {
        let task = event["task"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str() {
            Some("task-started") => trace.push(Trace::Start(task)),
            Some("task-finished") => {
                if trace.contains(&Trace::Start(task.clone())) {
                    trace.push(Trace::End(task.clone()));
                }
                outcomes.insert(task, said(event, "outcome"));
            }
            _ => {}
        }
    }
    (trace, outcomes)
}

pub fn expect_code(seen: &Seen, code: i32) -> Result<(), String> {
    if seen.code == Some(code) {
        return Ok(());
    }
    Err(format!("exit {:?} (signal {:?}), not {code}\n{}{}", seen.code, seen.signal, seen.stdout, seen.stderr))
}

pub fn agree(name: &str, rules: (&str, &Reasons), program: (&str, &BTreeSet<String>)) -> Result<(), String> {
    if rules.0 == program.0 && rules.1.agree(program.1) {
        return Ok(());
    }
    Err(format!(
        "`{name}` is `{}` {:?}; by the rules `{}` {:?} (may: {:?})",
        program.0, program.1, rules.0, rules.1.must, rules.1.may
    ))
}

/// What a probe's answer may have changed, and all downstream of it.
pub fn probed(project: &Project, came: &Came) -> BTreeSet<String> {
    let says = |verdict: &Option<Verdict>| {
        verdict.as_ref().is_some_and(|verdict| verdict.reasons.must.contains("probe-disagrees"))
    };
    let seeds = came.outcomes.iter().filter(|(_, (_, verdict))| says(verdict)).map(|(id, _)| *id);
    project.reach(&seeds.collect(), true).into_iter().map(|id| project.name(id)).collect()
}

/// A run does what was planned: what is kept is fresh, what was to run ran for the reasons given.
pub fn kept_promise(
    project: &Project,
    planned: &BTreeMap<String, Planned>,
    seen: &Seen,
    free: &BTreeSet<String>,
) -> Result<(), String> {
    if seen.code == Some(5) || seen.code == Some(2) {
        return Ok(());
    }
    let (_, outcomes) = told_by(&seen.events()?);
    for (name, promise) in planned {
        // A runner that was ended says nothing more.
        let Some(said) = outcomes.get(name) else { continue };
        let good: &[&str] = match promise.action.as_str() {
            "keep" => &["fresh"],
            "restore" => &["restored"],
            "run" => &["ran", "failed", "skipped", "interrupted"],
            "refuse" => &["failed", "skipped"],
            "skip" => &["skipped"],
            _ => continue,
        };
        let id = project.by_name(name).ok_or("a task that is not declared was planned")?;
        let ups = project.reach(&BTreeSet::from([id]), false);
        let one_failed = ups.iter().filter(|up| **up != id).any(|up| {
            outcomes.get(&project.name(*up)).is_some_and(|up| matches!(up.state.as_str(), "failed" | "skipped"))
        });
        let by_failure = one_failed && said.state == "skipped";
        if !good.contains(&said.state.as_str()) && !by_failure && !free.contains(name) {
            return Err(format!("`{name}` was to `{}` and came out `{}`", promise.action, said.state));
        }
        let ran_above = ups
            .iter()
            .filter(|up| **up != id)
            .any(|up| outcomes.get(&project.name(*up)).is_some_and(|up| up.state != "fresh"));
        if !ran_above && !by_failure && promise.action == "run" && !free.contains(name) && promise.reasons != said.raw {
            return Err(format!("`{name}` was to run because {}, and ran because {}", promise.reasons, said.raw));
        }
    }
    Ok(())
}
