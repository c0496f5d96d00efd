//! Owns the comparison of two manifests: what changed, as reasons.
//! Does not know whether that makes a task stale; where entries are waited for they are passed over.

use crate::model::digest::{Digest, Domain, Encoder};
use crate::model::manifest::{Entry, EntryKey, Manifest};
use crate::model::reason::Reason;
use crate::plan::board::Board;
use crate::plan::fingerprint::Walk;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Digest that stands for a path at which nothing is.
pub fn missing_content() -> Digest {
    Encoder::new(Domain::Missing).finish()
}

/// What changed from a recorded manifest to the present one.
pub fn compare(board: &Board<'_>, old: &Manifest, now: &Walk) -> Vec<Reason> {
    let mut differ: Vec<(Option<&Entry>, Option<&Entry>)> = Vec::new();
    let (mut left, mut right) = (old.entries.iter().peekable(), now.manifest.entries.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key.cmp(&b.key),
        };
        match order {
            Ordering::Less => differ.push((left.next(), None)),
            Ordering::Greater => differ.push((None, right.next())),
            Ordering::Equal => {
                let (a, b) = (left.next(), right.next());
                if a.map(|entry| entry.digest) != b.map(|entry| entry.digest) {
                    differ.push((a, b));
                }
            }
        }
    }
    let waiting: BTreeSet<String> = now.waiting.iter().map(|id| board.key(*id).to_string()).collect();
    if !waiting.is_empty() {
        // What could not be found out now is no change.
        let unknown = |key: &EntryKey| match key {
            EntryKey::Field { .. } | EntryKey::Env { .. } => now.unrendered.contains(key),
            EntryKey::Path { .. } => now.unlisted,
            key => waits(key, &waiting),
        };
        differ.retain(|pair| !matches!(pair, (Some(entry), None) if unknown(&entry.key)));
    }
    explain(board, old, &now.manifest, &differ)
}

fn waits(key: &EntryKey, waiting: &BTreeSet<String>) -> bool {
    match key {
        EntryKey::Value { task, .. } | EntryKey::Artifact { task, .. } | EntryKey::Upstream { task } => {
            waiting.contains(task)
        }
        _ => false,
    }
}

fn explain(
    board: &Board<'_>,
    old: &Manifest,
    new: &Manifest,
    differ: &[(Option<&Entry>, Option<&Entry>)],
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut causes: BTreeSet<String> = BTreeSet::new();
    for (before, after) in differ {
        let Some(entry) = after.or(*before) else { continue };
        if let EntryKey::Value { task, key } = &entry.key {
            let name = crate::model::name::template_name(&board.name_of(task));
            let family = name.split('[').next().unwrap_or(&name);
            causes.insert(format!("tasks.{family}.{key}"));
        }
        if let EntryKey::Secret { name } = &entry.key {
            causes.insert(format!("secrets.{name}"));
        }
    }
    for (before, after) in differ {
        let Some(entry) = after.or(*before) else { continue };
        let field = match &entry.key {
            EntryKey::Field { name } => name.clone(),
            EntryKey::Env { name } => format!("env.{name}"),
            _ => continue,
        };
        // A field whose text was rendered from something that changed is explained by that.
        let changed = changed_variables(old, new, &field);
        let by_cause = new.notes.iter().any(|note| note.field == field && causes.contains(&note.name));
        if changed.is_empty() && !by_cause {
            reasons.push(own_change(entry, *before, *after));
        }
        reasons.extend(changed);
    }
    for (before, after) in differ {
        reasons.extend(other_change(board, *before, *after));
    }
    let mut seen = Vec::new();
    for reason in reasons {
        if !seen.contains(&reason) {
            seen.push(reason);
        }
    }
    seen.sort_by_key(weight);
    seen
}

/// Causes near to what a person did come first.
fn weight(reason: &Reason) -> u8 {
    match reason {
        Reason::VariableChanged { .. } | Reason::EnvironmentChanged { .. } => 0,
        Reason::ActionChanged { .. } => 1,
        Reason::InputChanged { .. } | Reason::InputAdded { .. } | Reason::InputRemoved { .. } => 2,
        Reason::ValueChanged { .. } => 3,
        _ => 4,
    }
}

fn changed_variables(old: &Manifest, new: &Manifest, field: &str) -> Vec<Reason> {
    let find = |manifest: &Manifest, name: &str| {
        manifest.notes.iter().find(|note| note.field == field && note.name == name).map(|note| note.shown.clone())
    };
    new.notes
        .iter()
        .filter(|note| note.field == field && !note.name.contains('.'))
        .filter_map(|note| {
            let before = find(old, &note.name)?;
            (before != note.shown).then(|| Reason::VariableChanged {
                name: format!("vars.{}", note.name),
                old: before,
                new: note.shown.clone(),
            })
        })
        .collect()
}

fn shown(entry: Option<&Entry>) -> String {
    match entry {
        None => "(none)".to_owned(),
        Some(entry) => entry.shown.clone().unwrap_or_else(|| format!("keyed {}", entry.digest.short())),
    }
}

fn own_change(entry: &Entry, before: Option<&Entry>, after: Option<&Entry>) -> Reason {
    match &entry.key {
        EntryKey::Env { name } => {
            Reason::EnvironmentChanged { name: name.clone(), old: shown(before), new: shown(after) }
        }
        EntryKey::Field { name } => Reason::ActionChanged {
            field: name.clone(),
            old: before.and_then(|entry| entry.shown.clone()),
            new: after.and_then(|entry| entry.shown.clone()),
        },
        _ => Reason::ActionChanged { field: String::new(), old: None, new: None },
    }
}

fn other_change(board: &Board<'_>, before: Option<&Entry>, after: Option<&Entry>) -> Option<Reason> {
    let entry = after.or(before)?;
    let run = |task: &str| {
        let key: i64 = task.parse().ok()?;
        let index = board.keys.iter().position(|known| known.0 == key)?;
        board.histories[index].changed_in.map(|run| run.0)
    };
    Some(match &entry.key {
        EntryKey::Field { .. } | EntryKey::Env { .. } => return None,
        EntryKey::Var { name } => Reason::VariableChanged { name: name.clone(), old: shown(before), new: shown(after) },
        EntryKey::Secret { name } => {
            Reason::VariableChanged { name: format!("secrets.{name}"), old: shown(before), new: shown(after) }
        }
        EntryKey::Tool { name } | EntryKey::Program { name } => {
            let text = |entry: Option<&Entry>| match entry {
                None => "(none)".to_owned(),
                Some(entry) => entry.shown.clone().unwrap_or_else(|| entry.digest.short()),
            };
            Reason::ToolChanged { tool: name.clone(), old: text(before), new: text(after) }
        }
        EntryKey::Path { path } => path_change(path, before, after),
        EntryKey::Artifact { path, .. } => path_change(path, before, after),
        EntryKey::Value { task, key } => {
            // A value that is no longer read shows in the field that read it.
            after?;
            Reason::ValueChanged {
                value: format!("{}.{key}", board.name_of(task)),
                old: shown(before),
                new: shown(after),
                run: run(task),
            }
        }
        EntryKey::Upstream { task } => Reason::UpstreamChanged { task: board.name_of(task), run: run(task) },
    })
}

fn path_change(path: &str, before: Option<&Entry>, after: Option<&Entry>) -> Reason {
    let nothing = missing_content();
    let there = |entry: Option<&Entry>| entry.map(|entry| entry.digest).filter(|digest| *digest != nothing);
    match (there(before), there(after)) {
        (None, _) => Reason::InputAdded { path: path.to_owned() },
        (_, None) => Reason::InputRemoved { path: path.to_owned() },
        (Some(old), Some(new)) => Reason::InputChanged { path: path.to_owned(), old: old.short(), new: new.short() },
    }
}
