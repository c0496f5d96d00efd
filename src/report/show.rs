//! Owns the screen of `infra show`: one task, part by part; a part that says nothing is left out.
//! Does not know how the parts were found.

use crate::report::flow::prose;
use crate::report::paint::{self, Look, Tone};
use crate::report::text::{clean, pad, seconds, width, wrapped};
use crate::report::view::{SettingsView, ShowView};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// Least columns for what stands beside a name.
const LEAST: usize = 24;

/// A part's rows: what, and what of it.
type Rows = Vec<(String, String)>;

/// One screen.
pub fn show(view: &ShowView, look: &Look) -> String {
    let mut text = String::new();
    let state = look.paint(paint::state(view.state), view.state.word());
    let stage = view.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
    let name = look.paint(Tone::Strong, &view.name);
    let head = format!("{name} ({}, {}{stage}) is {state} in {}", view.kind, view.effect, view.env);
    text += &prose(&head, 2, look.width);
    if let Some(description) = &view.description {
        text += &prose(&format!("  {}", clean(description)), 2, look.width);
    }
    let _ = writeln!(text, "  declared at {}", view.declared);
    if !view.tags.is_empty() {
        text += &prose(&format!("  tags: {}", view.tags.join(", ")), 4, look.width);
    }
    part(&mut text, "does", &does(view), look);
    part(&mut text, "environment", &environment(view), look);
    part(&mut text, "reads", &reads(view), look);
    let inputs = view.inputs.iter().map(|input| {
        let by = input.task.as_ref().map(|task| format!(" of {task}")).unwrap_or_default();
        (input.path.clone(), format!("{}{by}", input.origin.word()))
    });
    part(&mut text, "inputs", &inputs.collect(), look);
    let outputs = view.outputs.iter();
    let outputs = outputs.map(|one| (one.path.clone(), if one.secret { "secret, not kept" } else { "" }.to_owned()));
    part(&mut text, "outputs", &outputs.collect(), look);
    let exports = view.exports.iter().map(|(name, kind)| (name.clone(), kind.clone()));
    part(&mut text, "exports", &exports.collect(), look);
    for (head, edges) in [("depends on", &view.upstream), ("is followed by", &view.downstream)] {
        let edges = edges.iter().map(|edge| (edge.task.clone(), edge.carries.word().to_owned()));
        part(&mut text, head, &edges.collect(), look);
    }
    part(&mut text, "settings", &settings(&view.settings), look);
    part(&mut text, "is taken back by", &undo(view), look);
    text
}

fn part(text: &mut String, head: &str, rows: &Rows, look: &Look) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", look.paint(Tone::Dim, head));
    let widest = rows.iter().map(|(what, _)| width(what)).max().unwrap_or(0);
    for (what, of) in rows {
        if of.is_empty() {
            for line in wrapped(&clean(what), look.width.saturating_sub(2)) {
                let _ = writeln!(text, "  {line}");
            }
            continue;
        }
        // Beside a long name, or in a narrow terminal, nothing has room: then it stands below.
        let below = look.width.saturating_sub(widest + 4) < LEAST;
        let indent = if below { 4 } else { widest + 4 };
        let room = look.width.saturating_sub(indent);
        let mut lines = of.lines().flat_map(|line| wrapped(&clean(line), room));
        let first = if below { None } else { lines.next() };
        let _ =
            writeln!(text, "{}", format!("  {}  {}", pad(&clean(what), widest), first.unwrap_or_default()).trim_end());
        for line in lines {
            let _ = writeln!(text, "{}", format!("{}{line}", " ".repeat(indent)).trim_end());
        }
    }
}

fn does(view: &ShowView) -> Rows {
    let mut rows: Rows = view.action.iter().map(|(key, value)| (key.clone(), plain(value))).collect();
    if !view.dir.is_empty() {
        rows.push(("dir".to_owned(), view.dir.clone()));
    }
    if !view.undoes.is_empty() {
        rows.push(("takes back".to_owned(), view.undoes.join(", ")));
    }
    if !view.waits_for.is_empty() {
        rows.push(("waits for".to_owned(), format!("values of {}", view.waits_for.join(", "))));
    }
    rows
}

/// Text line by line, anything else as JSON.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

fn environment(view: &ShowView) -> Rows {
    let declared = view.environment.iter().map(|name| (name.clone(), "declared".to_owned()));
    let passed = view.pass_env.iter().map(|name| (name.clone(), "the caller's".to_owned()));
    declared.chain(passed).collect()
}

fn reads(view: &ShowView) -> Rows {
    let reads = &view.reads;
    let parts = [("values", &reads.values), ("variables", &reads.variables), ("secrets", &reads.secrets)];
    parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| (what.to_owned(), names.join(", ")))
        .collect()
}

fn settings(view: &SettingsView) -> Rows {
    let long = |duration: Option<f64>| duration.map(seconds);
    let yes = |is: bool| is.then(|| "yes".to_owned());
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let ready: Vec<String> = view.ready.iter().map(|word| (*word).to_owned()).collect();
    [
        ("pool", view.pool.clone()),
        ("ttl", long(view.ttl_seconds)),
        ("timeout", long(view.timeout_seconds)),
        ("grace", long(view.grace_seconds)),
        ("retries", view.retries.map(|tries| tries.to_string())),
        ("probe", view.probe.map(ToOwned::to_owned)),
        ("ready", list(&ready)),
        ("allow_failure", yes(view.allow_failure)),
        ("interactive", yes(view.interactive)),
        ("watch", yes(view.watch)),
        ("in_place", list(&view.in_place)),
        ("was", list(&view.was)),
        ("subject", view.subject.clone()),
    ]
    .into_iter()
    .filter_map(|(what, of)| Some((what.to_owned(), of?)))
    .collect()
}

fn undo(view: &ShowView) -> Rows {
    let line = |argv: &Vec<Json>| {
        let words: Vec<String> = argv.iter().map(plain).collect();
        (crate::report::text::command(&words), String::new())
    };
    view.undo.iter().map(line).collect()
}
