//! Owns `infra clean`: which artifacts and logs are dropped, while nobody runs.
//! Does not touch records, journal, locks, keys or terraform's states; each task's newest is never dropped.

use crate::cli::CleanArgs;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::command::hold::{Patience, Taken, describe, lock_env};
use crate::host::cas::Piece;
use crate::host::lock;
use crate::host::simple;
use crate::model::digest::Digest;
use crate::model::facts::Facts;
use crate::report::view::{CleanView, DroppedOneView, DroppedView};
use crate::report::{json, kept as picture};
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};

/// What may be dropped.
struct Candidate {
    what: What,
    /// Relative to the root.
    path: String,
    size: u64,
    /// When it was last made, in milliseconds since 1970.
    used: i64,
}

enum What {
    Piece(Piece),
    /// The folder of an attempt.
    Log(Utf8PathBuf),
}

/// Drops what is old, or the oldest until little enough stays.
///
/// # Errors
/// Mistakes in the declaration; a run goes on in some environment; a file can't be removed.
pub fn clean(context: &Context, args: &CleanArgs) -> Result<u8, CommandError> {
    let opened = context.open_to_read()?;
    let _taken = if args.dry_run { free(&opened)? } else { take(context, &opened)? };
    let now = opened.host.now();
    let (mut kept_bytes, mut candidates) = pieces(&opened)?;
    let (of_logs, logs) = logs(&opened)?;
    kept_bytes += of_logs;
    candidates.extend(logs);
    candidates.sort_by(|one, other| (one.used, &one.path).cmp(&(other.used, &other.path)));
    kept_bytes += candidates.iter().map(|one| one.size).sum::<u64>();
    let before = args.older_than.map(|age| now - i64::try_from(age.0.as_millis()).unwrap_or(i64::MAX));
    let most = args.max_size.map(|size| size.0);
    let mut view = CleanView {
        dry_run: args.dry_run,
        artifacts: DroppedView::default(),
        logs: DroppedView::default(),
        freed_bytes: 0,
        kept_bytes,
        over_bytes: None,
        dropped: Vec::new(),
    };
    for one in candidates {
        let is_old = before.is_some_and(|before| one.used < before);
        let is_too_much = most.is_some_and(|most| view.kept_bytes > most);
        if !is_old && !is_too_much {
            continue;
        }
        if !args.dry_run {
            drop_one(&opened, &one)?;
        }
        let count = match one.what {
            What::Piece(_) => &mut view.artifacts,
            What::Log(_) => &mut view.logs,
        };
        count.files += 1;
        count.bytes += one.size;
        view.freed_bytes += one.size;
        view.kept_bytes -= one.size;
        let age_seconds = (now - one.used) / 1000;
        view.dropped.push(DroppedOneView { path: one.path, bytes: one.size, age_seconds });
    }
    view.over_bytes = most.and_then(|most| view.kept_bytes.checked_sub(most)).filter(|over| *over > 0);
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::cleaned(&view, &context.choice.stdout));
    }
    Ok(0)
}

/// Every environment that anybody may run in: those declared, and those that were.
fn environments(opened: &Opened) -> BTreeSet<String> {
    let declared = opened.project.env_names.iter().cloned();
    declared
        .chain(std::iter::once(opened.project.env.name.to_string()))
        .chain(lock::environments(&opened.host.state))
        .collect()
}

/// Takes them all, so that nothing is made meanwhile. A project that never ran has nothing to hold.
fn take(context: &Context, opened: &Opened) -> Result<Vec<Taken>, CommandError> {
    if !opened.host.state.is_dir() {
        return Ok(Vec::new());
    }
    let envs = environments(opened);
    envs.iter().map(|env| lock_env(context, &opened.root, env, "infra clean", Patience::Never)).collect()
}

/// Looks whether nobody holds one.
fn free(opened: &Opened) -> Result<Vec<Taken>, CommandError> {
    let held = environments(opened).into_iter().find_map(|env| lock::read_holder(&opened.host.state, &env));
    match held {
        None => Ok(Vec::new()),
        Some(held) => Err(CommandError::Held {
            message: describe(&held, opened.host.now()),
            hint: Some("wait until it ends, then clean".to_owned()),
        }),
    }
}

/// Bytes that are protected, and the pieces that are not.
fn pieces(opened: &Opened) -> Result<(u64, Vec<Candidate>), CommandError> {
    let rows = opened.host.store.borrow().kept()?;
    let mut newest = BTreeSet::new();
    let mut believed = BTreeSet::new();
    let mut protected: BTreeSet<Digest> = BTreeSet::new();
    let mut used: BTreeMap<Digest, i64> = BTreeMap::new();
    for row in &rows {
        let whose = (&row.task, &row.env);
        // The newest one may be void: then the newest that is not is what is gone back to.
        let is_newest = newest.insert(whose) | (!row.is_void && believed.insert(whose));
        for artifact in row.artifacts.iter().filter(|artifact| artifact.kept) {
            for part in opened.host.parts(&artifact.digest) {
                if is_newest {
                    protected.insert(part);
                }
                let last = used.entry(part).or_insert(row.created);
                *last = (*last).max(row.created);
            }
        }
    }
    let mut protected_bytes = 0;
    let mut candidates = Vec::new();
    for piece in opened.host.pieces().map_err(CommandError::State)? {
        if piece.digest.is_some_and(|digest| protected.contains(&digest)) {
            protected_bytes += piece.size;
            continue;
        }
        let last = piece.digest.and_then(|digest| used.get(&digest).copied());
        candidates.push(Candidate {
            path: opened.host.relative(&piece.path),
            size: piece.size,
            used: last.unwrap_or(piece.put),
            what: What::Piece(piece),
        });
    }
    Ok((protected_bytes, candidates))
}

/// Bytes that are protected, and the logs that are not: each task's newest attempt keeps its own.
fn logs(opened: &Opened) -> Result<(u64, Vec<Candidate>), CommandError> {
    let attempts = opened.host.store.borrow().attempts(None, None, None, usize::MAX)?;
    let runs = opened.host.state.join("runs");
    let mut newest = BTreeSet::new();
    let mut protected_bytes = 0;
    let mut candidates = Vec::new();
    for attempt in attempts {
        let is_newest = newest.insert((attempt.task.clone(), attempt.env.clone()));
        let Some(log) = &attempt.log else { continue };
        let log = opened.root.join(log);
        let Some(folder) = log.parent().filter(|folder| folder.starts_with(&runs) && *folder != runs) else { continue };
        let Some(size) = simple::size_below(folder) else { continue };
        if is_newest || attempt.phase == "open" {
            protected_bytes += size;
            continue;
        }
        candidates.push(Candidate {
            path: opened.host.relative(folder),
            size,
            used: attempt.ended.unwrap_or(attempt.started),
            what: What::Log(folder.to_owned()),
        });
    }
    Ok((protected_bytes, candidates))
}

fn drop_one(opened: &Opened, one: &Candidate) -> Result<(), CommandError> {
    match &one.what {
        What::Piece(piece) => opened.host.drop_piece(piece).map_err(CommandError::State),
        What::Log(folder) => simple::remove_tree(folder, &opened.host.state.join("runs"))
            .map_err(|error| CommandError::State(error.to_string())),
    }
}
