//! Owns looks at what the program lives on: modes and owners, times, room, git. Each only looks.
//! Does not know what is well.

use crate::host::process;
use crate::host::world::STATE_DIR;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

/// How a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Permission bits.
    pub mode: u32,
    /// User id of its owner.
    pub owner: u32,
    /// When it was written, in milliseconds since 1970.
    pub modified: i64,
}

/// How a file stands; `None`: it is not there, or may not be looked at.
pub fn standing(path: &Utf8Path) -> Option<Standing> {
    path.symlink_metadata().ok().map(|meta| of(&meta))
}

/// How that stands to which a path leads, links followed.
pub fn target(path: &Utf8Path) -> Option<Standing> {
    path.metadata().ok().map(|meta| of(&meta))
}

fn of(meta: &Metadata) -> Standing {
    let modified = meta.mtime().saturating_mul(1000).saturating_add(meta.mtime_nsec() / 1_000_000);
    Standing { mode: meta.mode() & 0o777, owner: meta.uid(), modified }
}

/// What is where a folder should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderAt {
    /// Nothing.
    Missing,
    /// A folder, or a link to one.
    There,
    /// Something else.
    File,
    LinkToNowhere,
}

/// What is where a folder should be.
pub fn folder(path: &Utf8Path) -> FolderAt {
    match (path.symlink_metadata(), path.metadata()) {
        (Err(_), _) => FolderAt::Missing,
        (Ok(meta), Err(_)) if meta.is_symlink() => FolderAt::LinkToNowhere,
        (Ok(_), Ok(meta)) if meta.is_dir() => FolderAt::There,
        (Ok(_), _) => FolderAt::File,
    }
}

/// Why nothing can be written into a folder; `None`: it can.
pub fn unwritable(folder: &Utf8Path) -> Option<String> {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    let error = rustix::fs::access(folder.as_std_path(), access).err()?;
    Some(crate::host::reason(&error.into()))
}

/// The user that this process is.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Paths, relative to a root, that were written later than a moment.
pub fn written_after(root: &Utf8Path, paths: impl Iterator<Item = Utf8PathBuf>, moment: i64) -> Vec<Utf8PathBuf> {
    paths.filter(|path| standing(&root.join(path)).is_some_and(|one| one.modified > moment)).collect()
}

/// What git makes of the state folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Git {
    /// No repository, no git, or one that does not answer.
    None,
    /// Left out.
    Ignored,
    /// It would be added.
    Seen,
    /// So many of its files were added.
    Tracked(usize),
}

/// What git makes of the state folder.
pub fn git(root: &Utf8Path, env: &BTreeMap<String, String>) -> Git {
    let mut env = env.clone();
    env.insert("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned());
    let ask = |words: &[&str]| {
        let argv: Vec<String> = std::iter::once(&"git").chain(words).map(ToString::to_string).collect();
        process::query(&argv, root, &env, Duration::from_secs(20)).ok()
    };
    let Some(tracked) = ask(&["ls-files", "--", STATE_DIR]).filter(process::QueryOutput::is_ok) else {
        return Git::None;
    };
    match tracked.stdout.lines().count() {
        0 => {}
        files => return Git::Tracked(files),
    }
    let file = format!("{STATE_DIR}/state.db");
    match ask(&["check-ignore", "-q", "--", &file]).and_then(|answer| answer.code) {
        Some(0) => Git::Ignored,
        Some(1) => Git::Seen,
        _ => Git::None,
    }
}
