//! Owns tables, and those of `status`, `plan` and `list`.
//! Does not know how their rows were found.

use crate::model::effect::State;
use crate::model::reason::Reason;
use crate::report::flow::prose;
use crate::report::paint::{self, Look, Tone};
use crate::report::reason;
use crate::report::text::{ENDLESS, about, ago, clean, count, fit, hung, pad, usually, width, wrapped};
use crate::report::view::{ListView, PlanAction, PlanView, StatusView};
use std::fmt::Write as _;

/// Blanks between columns.
const GAP: usize = 2;
/// Least columns for the last one, however narrow the terminal.
const LEAST: usize = 20;
/// Columns that the last one should have, before others are left out.
const ENOUGH: usize = 32;
/// What may be left out where there is little room, first of all the first: `show` tells it of each task.
const SPARE: [&str; 3] = ["effect", "kind", "command"];

/// One cell.
#[derive(Clone, Debug)]
pub(super) enum Cell<'a> {
    Text(Tone, String),
    /// Cut to the room there is; only in the last column.
    Reasons(&'a [Reason]),
}

impl Cell<'_> {
    fn said(&self, room: usize) -> String {
        match self {
            Cell::Text(_, text) => fit(text, room),
            Cell::Reasons(reasons) => reason::inline(reasons, room),
        }
    }

    fn tone(&self) -> Tone {
        match self {
            Cell::Text(tone, _) => *tone,
            Cell::Reasons(_) => Tone::Plain,
        }
    }
}

/// A cell without colour.
pub(super) fn plain(text: impl Into<String>) -> Cell<'static> {
    Cell::Text(Tone::Plain, text.into())
}

/// A cell with the colour of a meaning.
pub(super) fn toned(tone: Tone, text: impl Into<String>) -> Cell<'static> {
    Cell::Text(tone, text.into())
}

/// A row, and lines below it.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) below: Vec<String>,
}

/// Aligned columns; a column in which no row says anything is left out, the last one takes what is left.
pub(super) fn table(heads: &[&str], rows: &[Row<'_>], look: &Look) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| width(&cell.said(ENDLESS))).max().unwrap_or(0)
    };
    let mut columns: Vec<(usize, usize)> = (0..heads.len())
        .map(|column| (column, widest(column)))
        .filter(|(_, wide)| *wide > 0)
        .map(|(column, wide)| (column, wide.max(width(heads[column]))))
        .collect();
    for spare in SPARE {
        let wide: usize = columns.iter().rev().skip(1).map(|(_, wide)| wide + GAP).sum();
        let wanted = columns.last().map_or(0, |(last, _)| widest(*last).min(ENOUGH));
        if wide + wanted > look.width && columns.last().is_some_and(|(last, _)| heads[*last] != spare) {
            columns.retain(|(column, _)| heads[*column] != spare);
        }
    }
    let Some(((last, _), others)) = columns.split_last() else { return String::new() };
    let used: usize = others.iter().map(|(_, wide)| wide + GAP).sum();
    if used + widest(*last).min(LEAST) > look.width {
        return stacked(heads, rows, look);
    }
    let room = look.width.saturating_sub(used).max(LEAST);
    let mut text = String::new();
    let heads: Vec<Cell<'_>> = heads.iter().map(|head| toned(Tone::Dim, *head)).collect();
    for (cells, below) in std::iter::once((&heads, &[][..])).chain(rows.iter().map(|row| (&row.cells, &row.below[..])))
    {
        let mut line = String::new();
        let mut blanks = 0;
        for (column, wide) in others.iter().copied().chain(std::iter::once((*last, room))) {
            let Some(cell) = cells.get(column) else { continue };
            let said = cell.said(wide);
            if !said.is_empty() {
                line.push_str(&" ".repeat(blanks));
                line.push_str(&look.paint(cell.tone(), &said));
                blanks = 0;
            }
            // Behind the last column nothing follows; its width may be endless.
            blanks += if column == *last { 0 } else { wide.saturating_sub(width(&said)) + GAP };
        }
        let _ = writeln!(text, "{line}");
        write_below(&mut text, below, look);
    }
    text
}

/// Where columns have no room beside each other: what a row says, below its name.
fn stacked(heads: &[&str], rows: &[Row<'_>], look: &Look) -> String {
    let mut text = String::new();
    for row in rows {
        let mut cells = row.cells.iter().filter(|cell| !cell.said(ENDLESS).is_empty());
        let Some(name) = cells.next() else { continue };
        let mut said = name.said(ENDLESS);
        if let Some(head) = heads.first().filter(|_| said.bytes().all(|byte| byte.is_ascii_digit())) {
            // A number alone does not say of what.
            said = format!("{head} {said}");
        }
        for line in wrapped(&said, look.width) {
            let _ = writeln!(text, "{}", look.paint(name.tone(), &line));
        }
        let others: Vec<String> = cells.map(|cell| cell.said(ENDLESS)).collect();
        let parted = if others.iter().any(|said| said.contains(", ")) { "; " } else { ", " };
        for line in wrapped(&others.join(parted), look.width.saturating_sub(GAP)) {
            let _ = writeln!(text, "{}{line}", " ".repeat(GAP));
        }
        write_below(&mut text, &row.below, look);
    }
    text
}

fn write_below(text: &mut String, below: &[String], look: &Look) {
    for line in below {
        let own = line.trim_start();
        text.push_str(&hung(line.len() - own.len(), own, look.width));
    }
}

fn sentences(reasons: &[Reason], look: &Look) -> Vec<String> {
    // With one reason that fits the row says it all.
    let room = look.width.saturating_sub(4);
    let fits = |one: &Reason| width(&reason::sentence(one, ENDLESS)) < room / 2;
    if !look.is_verbose() || reasons.is_empty() || (reasons.len() == 1 && reasons.iter().all(fits)) {
        return Vec::new();
    }
    reasons.iter().map(|one| format!("    {}", reason::sentence(one, ENDLESS))).collect()
}

/// `infra status`.
pub fn status(view: &StatusView, look: &Look) -> String {
    let rows: Vec<Row<'_>> = view
        .tasks
        .iter()
        .map(|task| {
            let mut below = sentences(&task.reasons, look);
            if let Some(probe) = &task.probe {
                below.push(format!("    probe {}, {}", super::why::probe(probe), ago(probe.age_seconds)));
            }
            let cells = vec![
                toned(Tone::Strong, &task.name),
                toned(paint::state(task.state), task.state.word()),
                plain(task.effect.word()),
                plain(task.stage.as_deref().unwrap_or_default()),
                toned(Tone::Dim, task.age_seconds.map(ago).unwrap_or_default()),
                Cell::Reasons(&task.reasons),
            ];
            Row { cells, below }
        })
        .collect();
    let mut text = table(&["task", "state", "effect", "stage", "last good", "why"], &rows, look);
    let states = [
        State::Failed,
        State::Unknown,
        State::Running,
        State::Stale,
        State::Deferred,
        State::Restorable,
        State::Fresh,
        State::Orphaned,
    ];
    let counts: Vec<String> = states
        .into_iter()
        .map(|state| (view.tasks.iter().filter(|task| task.state == state).count(), state))
        .filter(|(number, _)| *number > 0)
        .map(|(number, state)| look.paint(paint::state(state), &format!("{number} {}", state.word())))
        .collect();
    let counts = if counts.is_empty() { "no tasks".to_owned() } else { counts.join(", ") };
    if !rows.is_empty() {
        text.push('\n');
    }
    text += &prose(&format!("{}: {counts}", view.env), 2, look.width);
    let hints = [
        (State::Unknown, "`infra resolve TASK` says what came of an unknown task"),
        (State::Orphaned, "`infra destroy --orphans` undoes what is no longer declared"),
    ];
    for (_, hint) in hints.iter().filter(|(state, _)| view.tasks.iter().any(|task| task.state == *state)) {
        text += &prose(&format!("{}: {hint}", look.paint(Tone::Busy, "hint")), 2, look.width);
    }
    text
}

/// `infra plan`: what would happen; tasks that are kept are only counted, unless all is told.
pub fn plan(view: &PlanView, look: &Look) -> String {
    let idle = view.tasks.iter().all(|task| task.action == PlanAction::Keep);
    let rows: Vec<Row<'_>> = view
        .tasks
        .iter()
        .filter(|task| look.is_verbose() || task.action != PlanAction::Keep)
        .map(|task| {
            let cells = vec![
                toned(Tone::Strong, &task.name),
                toned(action(task.action), task.action.word()),
                plain(task.effect.word()),
                toned(Tone::Dim, task.typical_seconds.map(usually).unwrap_or_default()),
                Cell::Reasons(&task.reasons),
            ];
            Row { cells, below: sentences(&task.reasons, look) }
        })
        .collect();
    let mut text = table(&["task", "would", "effect", "takes", "why"], &rows, look);
    if !rows.is_empty() {
        text.push('\n');
    }
    if idle {
        let _ = match view.tasks.len() {
            0 => writeln!(text, "{}: nothing to do: no tasks", view.env),
            tasks => writeln!(text, "{}: nothing to do: {} fresh", view.env, count(tasks, "task")),
        };
        return text;
    }
    let counts: Vec<String> = PlanAction::ALL
        .into_iter()
        .map(|action| (view.tasks.iter().filter(|task| task.action == action).count(), action))
        .filter(|(number, _)| *number > 0)
        .map(|(number, one)| look.paint(action(one), &format!("{number} {}", counted(one))))
        .collect();
    let long = view
        .estimate_seconds
        .filter(|estimate| *estimate >= 1.0)
        .map(|estimate| format!("; about {}", about(estimate)))
        .unwrap_or_default();
    text += &prose(&format!("{}: {}{long}", view.env, counts.join(", ")), 2, look.width);
    text
}

fn counted(action: PlanAction) -> &'static str {
    match action {
        PlanAction::Run => "to run",
        PlanAction::Restore => "to restore",
        PlanAction::Deferred => "deferred",
        PlanAction::Keep => "fresh",
        PlanAction::Skip => "skipped",
        PlanAction::Refuse => "refused",
    }
}

fn action(action: PlanAction) -> Tone {
    match action {
        PlanAction::Run => Tone::Warn,
        PlanAction::Restore => Tone::Busy,
        PlanAction::Deferred | PlanAction::Keep | PlanAction::Skip => Tone::Dim,
        PlanAction::Refuse => Tone::Bad,
    }
}

/// `infra list`.
pub fn list(view: &ListView, look: &Look) -> String {
    if view.tasks.is_empty() {
        return "no tasks: declare one in `tasks/NAME.toml`\n".to_owned();
    }
    let rows: Vec<Row<'_>> = view
        .tasks
        .iter()
        .map(|task| {
            let cells = vec![
                toned(Tone::Strong, &task.name),
                plain(task.stage.as_deref().unwrap_or_default()),
                plain(&task.kind),
                plain(task.effect.word()),
                toned(Tone::Dim, task.tags.join(" ")),
                plain(clean(task.description.as_deref().unwrap_or_default())),
            ];
            let mut below = Vec::new();
            if look.is_verbose() {
                let said = [
                    ("needs", task.needs.join(", ")),
                    ("after", task.after.join(", ")),
                    ("declared at", task.declared.clone().unwrap_or_default()),
                ];
                below = said
                    .iter()
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(word, text)| format!("    {} {text}", pad(word, 11)))
                    .collect();
            }
            Row { cells, below }
        })
        .collect();
    table(&["task", "stage", "kind", "effect", "tags", "description"], &rows, look)
}

#[cfg(test)]
mod tests;
