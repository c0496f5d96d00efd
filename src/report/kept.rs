//! Owns the tables of `infra artifacts` and what `infra clean` says.
//! Does not know where artifacts are kept.

use crate::report::flow::prose;
use crate::report::paint::{Look, Tone};
use crate::report::tables::{Row, plain, table, toned};
use crate::report::text::{ago, clean, count, size};
use crate::report::view::{ArtifactShownView, ArtifactsView, CleanView, GotView};
use std::fmt::Write as _;

/// One table.
pub fn artifacts(view: &ArtifactsView, look: &Look) -> String {
    if view.artifacts.is_empty() {
        return format!("no artifacts on record in {}\n", view.env);
    }
    let rows: Vec<Row<'_>> = view
        .artifacts
        .iter()
        .map(|one| {
            let said = match (one.kept, one.newest) {
                (false, _) => "not kept",
                (true, true) => "",
                (true, false) => "older",
            };
            let cells = vec![
                toned(Tone::Strong, clean(&one.path)),
                plain(&one.task),
                plain(size(one.size)),
                toned(Tone::Dim, one.digest.get(..8).unwrap_or(&one.digest)),
                toned(Tone::Dim, ago(one.age_seconds)),
                plain(said),
            ];
            Row { cells, below: Vec::new() }
        })
        .collect();
    table(&["artifact", "task", "size", "digest", "made", ""], &rows, look)
}

/// One artifact.
pub fn artifact(view: &ArtifactShownView, look: &Look) -> String {
    let mut text = format!("{}\n", look.paint(Tone::Strong, &view.digest));
    let _ = match (view.nature, view.files) {
        (Some("folder"), Some(files)) => {
            writeln!(text, "  folder, {}, {}", count(files, "file"), size(view.size))
        }
        (Some(nature), _) => writeln!(text, "  {nature}, {}", size(view.size)),
        (None, _) => writeln!(text, "  not kept, {}", size(view.size)),
    };
    for made in &view.made {
        let _ =
            writeln!(text, "  {} of {} in run {}, {}", clean(&made.path), made.task, made.run, ago(made.age_seconds));
    }
    text
}

/// What was copied, a line each.
pub fn got(view: &GotView, look: &Look) -> String {
    if look.is_quiet() {
        return String::new();
    }
    let line = |one: &crate::report::view::CopiedView| format!("{}  {}\n", clean(&one.to), size(one.size));
    view.got.iter().map(line).collect()
}

/// What was freed, or would be.
pub fn cleaned(view: &CleanView, look: &Look) -> String {
    let mut text = String::new();
    let is_answer = view.dry_run || !look.is_quiet();
    if look.is_verbose() || view.dry_run {
        for one in &view.dropped {
            let _ = writeln!(text, "{}  {}, {}", one.path, size(one.bytes), ago(one.age_seconds));
        }
    }
    let verb = if view.dry_run { "would free" } else { "freed" };
    let stays = size(view.kept_bytes);
    if !is_answer {
        // Done as asked: nothing failed.
    } else if view.dropped.is_empty() {
        let _ = writeln!(text, "nothing to drop; {stays} stay");
    } else {
        let (files, logs) = (count(view.artifacts.files, "file"), count(view.logs.files, "log"));
        let (of_files, of_logs) = (size(view.artifacts.bytes), size(view.logs.bytes));
        let freed = size(view.freed_bytes);
        let said = format!("{verb} {freed}: {files} of artifacts ({of_files}), {logs} ({of_logs}); {stays} stay");
        text += &prose(&said, 2, look.width);
    }
    if let Some(over) = view.over_bytes {
        let (note, over) = (look.paint(Tone::Warn, "note:"), size(over));
        let why = "each task's newest artifacts and log are never dropped";
        text += &prose(&format!("{note} that is {over} more than `--max-size`: {why}"), 2, look.width);
    }
    text
}
