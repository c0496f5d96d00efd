//! Owns `infra artifacts`: what records say was made, one artifact, and a copy of it elsewhere.
//! Does not know how artifacts are kept.

mod place;

use crate::cli::{ArtifactsArgs, ArtifactsCommand, GetArgs};
use crate::command::choose;
use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::host::simple;
use crate::host::store::KeptRow;
use crate::model::digest::Digest;
use crate::model::facts::Facts;
use crate::model::record::Artifact;
use crate::report::text::{names, quote};
use crate::report::view::{ArtifactShownView, ArtifactsView, CopiedView, GotView, KeptView, MakerView};
use crate::report::{json, kept as picture};
use place::Found;
use std::collections::BTreeSet;

/// Lists, shows or copies artifacts.
///
/// # Errors
/// Mistakes in the declaration; an unknown task or artifact; one that is not kept.
pub fn artifacts(context: &Context, args: &ArtifactsArgs) -> Result<u8, CommandError> {
    if args.all && args.command.is_some() {
        return Err(CommandError::usage("`--all` is for the list of artifacts", "leave it out"));
    }
    let opened = context.open_to_read()?;
    let mut rows = opened.host.store.borrow().kept()?;
    rows.retain(|row| row.env == opened.project.env.name.as_str());
    match &args.command {
        None => Ok(list(context, &opened, &rows, args.all)),
        Some(ArtifactsCommand::Show(show)) => one(context, &opened, &rows, &show.artifact),
        Some(ArtifactsCommand::Get(get)) => copy(context, &opened, &rows, get),
    }
}

/// The newest record of each task; of those that made nothing, too.
fn newest(rows: &[KeptRow]) -> Vec<&KeptRow> {
    let mut seen = BTreeSet::new();
    rows.iter().filter(|row| seen.insert(row.task.as_str())).collect()
}

fn list(context: &Context, opened: &Opened, rows: &[KeptRow], all: bool) -> u8 {
    let newest = newest(rows);
    let now = opened.host.now();
    let mut told = BTreeSet::new();
    let mut artifacts = Vec::new();
    for row in rows {
        let is_newest = newest.iter().any(|one| std::ptr::eq(*one, row));
        for artifact in row.artifacts.iter().filter(|_| all || is_newest) {
            // The same made again is one artifact.
            if told.insert((&row.task, &artifact.path, artifact.digest)) {
                artifacts.push(KeptView {
                    task: row.task.clone(),
                    path: artifact.path.clone(),
                    digest: artifact.digest.hex(),
                    size: artifact.size,
                    run: row.run,
                    age_seconds: (now - row.created) / 1000,
                    kept: is_kept(opened, artifact),
                    newest: is_newest,
                });
            }
        }
    }
    let view = ArtifactsView { env: opened.project.env.name.to_string(), artifacts };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::artifacts(&view, &context.choice.stdout));
    }
    0
}

fn is_kept(opened: &Opened, artifact: &Artifact) -> bool {
    artifact.kept && opened.host.stored(&artifact.digest)
}

fn one(context: &Context, opened: &Opened, rows: &[KeptRow], word: &str) -> Result<u8, CommandError> {
    let spelled = place::spelled(context, opened, word)?;
    let newest = newest(rows);
    let by_path = spelled.iter().find_map(|path| {
        let all = newest.iter().flat_map(|row| row.artifacts.iter().map(|one| (&row.task, one)));
        all.into_iter().find(|(_, one)| path.starts_with(&one.path))
    });
    let digest = match by_path {
        Some((_, artifact)) if spelled.iter().any(|path| *path == artifact.path) => artifact.digest,
        Some((task, artifact)) => {
            let get = format!("`infra artifacts get {} {} --to DIR` copies what is in it", quote(task), quote(word));
            return Err(CommandError::usage(
                format!("`{word}` lies in the artifact `{}`, and is none by itself", artifact.path),
                format!("`infra artifacts show {}`; {get}", quote(&artifact.path)),
            ));
        }
        None => by_digest(rows, word)?,
    };
    let now = opened.host.now();
    let mut size = 0;
    let mut kept = false;
    let mut made = Vec::new();
    for row in rows {
        for artifact in row.artifacts.iter().filter(|artifact| artifact.digest == digest) {
            size = artifact.size;
            kept |= artifact.kept;
            made.push(MakerView {
                task: row.task.clone(),
                path: artifact.path.clone(),
                run: row.run,
                age_seconds: (now - row.created) / 1000,
            });
        }
    }
    let nature = if kept { opened.host.nature(&digest) } else { None };
    let view = ArtifactShownView {
        env: opened.project.env.name.to_string(),
        digest: digest.hex(),
        size,
        kept: nature.is_some(),
        nature: nature.map(|nature| nature.word),
        files: nature.map(|nature| nature.files),
        made,
    };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::artifact(&view, &context.choice.stdout));
    }
    Ok(0)
}

/// The artifact whose digest begins so.
fn by_digest(rows: &[KeptRow], word: &str) -> Result<Digest, CommandError> {
    const SHORTEST: usize = 4;
    let all = rows.iter().flat_map(|row| &row.artifacts).map(|artifact| artifact.digest);
    let is_digest = word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let beginning = word.to_ascii_lowercase();
    let found: BTreeSet<String> = all.map(|digest| digest.hex()).filter(|hex| hex.starts_with(&beginning)).collect();
    let found: Vec<String> = if is_digest { found.into_iter().collect() } else { Vec::new() };
    match found.as_slice() {
        [hex] => Digest::parse(hex).ok_or_else(|| unknown(word)),
        [] => Err(unknown(word)),
        several => Err(CommandError::usage(
            format!("`{word}` is how {} artifacts begin", several.len()),
            format!("write more of one: {}", names(several, 4)),
        )),
    }
}

fn unknown(word: &str) -> CommandError {
    let hint = "`infra artifacts --all` lists them; a digest needs four digits or more";
    CommandError::usage(format!("no artifact on record is at `{word}` or has a digest that begins so"), hint)
}

fn copy(context: &Context, opened: &Opened, rows: &[KeptRow], args: &GetArgs) -> Result<u8, CommandError> {
    let task = opened.project.task(choose::one(&opened.project, &args.task)?).name.to_string();
    let Some(row) = newest(rows).into_iter().find(|row| row.task == task) else {
        return Err(CommandError::usage(
            format!("`{task}` has no record in `{}`", opened.project.env.name),
            format!("run it with `infra run {}`", quote(&task)),
        ));
    };
    let found = match &args.path {
        None => row.artifacts.iter().map(Found::whole).collect(),
        Some(word) => place::find(opened, row, &place::spelled(context, opened, word)?),
    };
    if found.is_empty() {
        let made: Vec<&str> = row.artifacts.iter().map(|one| one.path.as_str()).collect();
        return Err(match &args.path {
            Some(path) => CommandError::usage(
                format!("`{task}` made no `{path}`"),
                if made.is_empty() {
                    "it made no artifacts".to_owned()
                } else {
                    format!("it made: {}", names(&made, 12))
                },
            ),
            None => CommandError::usage(format!("`{task}` made no artifacts"), "see `infra artifacts`"),
        });
    }
    let folder = place::outside(opened, &args.to)?;
    // All that can be known to fail is found before the first one is copied.
    for one in &found {
        let to = folder.join(&one.path);
        if crate::host::health::standing(&to).is_some() {
            return Err(CommandError::usage(
                format!("`{to}` is there already"),
                "name another folder with `--to`, or remove it",
            ));
        }
        if !is_kept(opened, one.of) {
            return Err(CommandError::usage(
                format!("`{}` of `{task}` is not kept", one.of.path),
                if one.of.kept {
                    format!("make it again: `infra run {} --force`", quote(&task))
                } else {
                    "secret outputs are not kept; it lies where the task wrote it".to_owned()
                },
            ));
        }
    }
    let mut got: Vec<CopiedView> = Vec::new();
    for one in found {
        let to = folder.join(&one.path);
        if let Err(why) = opened.host.copy_artifact(&one.digest, &to) {
            // A second try must not find the first one's copies in its way.
            for copy in &got {
                simple::remove_dir(copy.to.as_ref());
                simple::remove_file(copy.to.as_ref());
            }
            return Err(CommandError::Unwritten(why));
        }
        got.push(CopiedView { path: one.path, to: to.into_string(), size: one.size });
    }
    let view = GotView { env: opened.project.env.name.to_string(), task, got };
    if context.global.json {
        context.out(&json::document(&view));
    } else {
        context.out(&picture::got(&view, &context.choice.stdout));
    }
    Ok(0)
}
