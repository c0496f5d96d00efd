//! Owns the locks of environments and of output paths: flock files under `.infra/locks`, never deleted.
//! Does not know what is done under a lock.
//!
//! A flock dies with its last descriptor, so a killed program holds nothing; std opens files
//! close-on-exec, so tools do not inherit it. Who holds it is advisory text in the file.

use crate::host::files::{FileError, make_private_dir};
use crate::model::digest::{Digest, Domain};
use crate::model::record::Millis;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

/// How often a waiting taker looks again.
const POLL: Duration = Duration::from_millis(100);
/// A reader that looks whether a lock is held holds it for a moment itself: a taker tries again so often,
const RETRIES: u32 = 10;
/// with so long a pause between.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    pub user: String,
    /// Number of the run.
    pub run: i64,
    pub since: Millis,
    /// Its command line.
    pub command: String,
}

/// A lock that another holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The environment or path.
    pub what: String,
    /// `None`: taken this very moment, not yet signed.
    pub holder: Option<Holder>,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is held by ", self.what)?;
        match &self.holder {
            Some(Holder { pid, host, user, run, command, .. }) => {
                write!(f, "run {run} of {user} on {host} (process {pid}): {command}")
            }
            None => f.write_str("another run"),
        }
    }
}

/// A lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it.
    #[error("{0}")]
    Held(Held),
    /// Whoever waited gave up.
    #[error("gave up waiting: {0}")]
    GaveUp(Held),
    /// The lock file can't be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether to go on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    GoOn,
    GiveUp,
}

/// The lock of an environment: one run at a time. Held until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct EnvLock {
    _file: File,
}

impl EnvLock {
    /// Takes it, or tells who holds it. `infra`: the `.infra` folder.
    pub fn try_take(infra: &Utf8Path, env: &str, holder: &Holder) -> Result<Self, LockError> {
        let path = env_path(infra, env);
        let file = try_take(&path, env, Mode::Alone, holder)?;
        Ok(Self { _file: file })
    }

    /// Takes it, waiting until it is free. `poll` is asked now and then whether to go on, and told who
    /// holds it. Whoever waited holds it since it was free, not since it was asked for: `holder` is asked
    /// each time.
    pub fn wait(
        infra: &Utf8Path,
        env: &str,
        holder: &dyn Fn() -> Holder,
        poll: &mut dyn FnMut(&Held) -> Wait,
    ) -> Result<Self, LockError> {
        let path = env_path(infra, env);
        let file = wait(&path, env, Mode::Alone, holder, poll)?;
        Ok(Self { _file: file })
    }
}

/// Who holds an environment now; `None` when nobody does. Writes and makes nothing.
pub fn read_holder(infra: &Utf8Path, env: &str) -> Option<Held> {
    let mut file = File::open(env_path(infra, env)).ok()?;
    // Nobody holds what can be shared; the shared lock is gone with the descriptor.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(Held { what: env.to_owned(), holder: signed(&mut file) }),
        _ => None,
    }
}

/// Environments that were ever taken in a state folder, by their lock files.
pub fn environments(infra: &Utf8Path) -> Vec<String> {
    let entries = infra.join("locks").read_dir_utf8().into_iter().flatten().flatten();
    let name = |file: &str| Some(file.strip_prefix("env-")?.strip_suffix(".lock")?.to_owned());
    entries.filter_map(|entry| name(entry.file_name())).collect()
}

/// The locks of the paths that a task will write, for the whole project: two environments may run at
/// once. Held until they are dropped.
#[derive(Debug)]
#[must_use]
pub struct PathLocks {
    _files: Vec<File>,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    /// By those that write below the path.
    Shared,
    /// By the one that writes the path.
    Alone,
}

impl PathLocks {
    /// Takes the locks of these paths (relative to the root), waiting. A folder that one writes keeps
    /// out whoever writes in it. They are taken in one order by everybody, so none waits in a circle.
    pub fn take(
        infra: &Utf8Path,
        paths: &[Utf8PathBuf],
        holder: &Holder,
        poll: &mut dyn FnMut(&Held) -> Wait,
    ) -> Result<Self, LockError> {
        let mut wanted: BTreeMap<Utf8PathBuf, (Mode, &str)> = BTreeMap::new();
        for path in paths {
            for part in path.ancestors().filter(|part| !part.as_str().is_empty()) {
                let mode = if part == path { Mode::Alone } else { Mode::Shared };
                let text = part.as_str().trim_end_matches('/');
                let place = wanted.entry(lock_path(infra, "path", text)).or_insert((mode, text));
                place.0 = place.0.max(mode);
            }
        }
        let files = wanted.iter().map(|(path, (mode, what))| wait(path, what, *mode, &|| holder.clone(), poll));
        Ok(Self { _files: files.collect::<Result<_, _>>()? })
    }
}

fn env_path(infra: &Utf8Path, env: &str) -> Utf8PathBuf {
    infra.join("locks").join(format!("env-{env}.lock"))
}

/// A path may hold anything and be long: its digest is its name.
fn lock_path(infra: &Utf8Path, kind: &str, text: &str) -> Utf8PathBuf {
    let digest = Digest::of(Domain::Field, text.as_bytes()).hex();
    infra.join("locks").join(format!("{kind}-{}.lock", &digest[..32]))
}

fn open(path: &Utf8Path) -> Result<File, FileError> {
    if let Some(folder) = path.parent() {
        make_private_dir(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(FileError::write(path))
}

fn try_take(path: &Utf8Path, what: &str, mode: Mode, holder: &Holder) -> Result<File, LockError> {
    let mut file = open(path)?;
    for round in 0.. {
        let tried = match mode {
            Mode::Alone => file.try_lock(),
            Mode::Shared => file.try_lock_shared(),
        };
        match tried {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if round < RETRIES => std::thread::sleep(RETRY_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held(Held { what: what.to_owned(), holder: signed(&mut file) }));
            }
            Err(TryLockError::Error(error)) => return Err(FileError::write(path)(error).into()),
        }
    }
    // Those that share a lock would overwrite each other's names; whoever is kept out learns the last.
    sign(&mut file, holder).map_err(FileError::write(path))?;
    Ok(file)
}

fn wait(
    path: &Utf8Path,
    what: &str,
    mode: Mode,
    holder: &dyn Fn() -> Holder,
    poll: &mut dyn FnMut(&Held) -> Wait,
) -> Result<File, LockError> {
    loop {
        match try_take(path, what, mode, &holder()) {
            Err(LockError::Held(held)) => match poll(&held) {
                Wait::GoOn => std::thread::sleep(POLL),
                Wait::GiveUp => return Err(LockError::GaveUp(held)),
            },
            taken => return taken,
        }
    }
}

fn sign(file: &mut File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_vec(holder)?;
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&text)
}

fn signed(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let infra = Utf8PathBuf::from_path_buf(folder.path().join(".infra")).unwrap();
        (folder, infra)
    }

    fn holder(run: i64) -> Holder {
        let text = str::to_owned;
        Holder { pid: 1, host: text("here"), user: text("me"), run, since: 5, command: text("infra run verify") }
    }

    fn paths(paths: &[&str]) -> Vec<Utf8PathBuf> {
        paths.iter().map(Utf8PathBuf::from).collect()
    }

    #[test]
    fn one_holds_an_environment_and_the_next_learns_who() {
        let (_keep, infra) = place();
        assert_eq!(read_holder(&infra, "dev"), None);
        assert!(!infra.exists(), "reading makes nothing");
        let lock = EnvLock::try_take(&infra, "dev", &holder(7)).unwrap();
        let Err(LockError::Held(held)) = EnvLock::try_take(&infra, "dev", &holder(8)) else { panic!("taken twice") };
        assert_eq!(held.holder, Some(holder(7)));
        assert_eq!(held.to_string(), "`dev` is held by run 7 of me on here (process 1): infra run verify");
        assert_eq!(read_holder(&infra, "dev"), Some(held));
        let _other = EnvLock::try_take(&infra, "prod", &holder(9)).unwrap();
        drop(lock);
        assert_eq!(read_holder(&infra, "dev"), None);
        let _again = EnvLock::try_take(&infra, "dev", &holder(8)).unwrap();
    }

    #[test]
    fn waiting_ends_when_it_is_free_or_given_up() {
        let (_keep, infra) = place();
        let mut lock = Some(EnvLock::try_take(&infra, "dev", &holder(7)).unwrap());
        let given_up = EnvLock::wait(&infra, "dev", &|| holder(8), &mut |_| Wait::GiveUp);
        assert!(matches!(given_up, Err(LockError::GaveUp(_))));
        let mut polls = 0;
        let _taken = EnvLock::wait(&infra, "dev", &|| holder(8), &mut |held| {
            polls += 1;
            assert_eq!(held.holder, Some(holder(7)));
            lock = None;
            Wait::GoOn
        });
        assert_eq!(polls, 1);
    }

    #[test]
    fn a_child_does_not_inherit_a_lock() {
        let (_keep, infra) = place();
        let lock = EnvLock::try_take(&infra, "dev", &holder(7)).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        drop(lock);
        let again = EnvLock::try_take(&infra, "dev", &holder(8));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(again.is_ok());
    }

    #[test]
    fn a_folder_keeps_out_what_is_in_it_and_neighbours_do_not_meet() {
        let (_keep, infra) = place();
        let take = |wanted: &[&str]| PathLocks::take(&infra, &paths(wanted), &holder(1), &mut |_| Wait::GiveUp);
        let first = take(&["build/a/x.yml", "build/b"]).unwrap();
        let _neighbour = take(&["build/c/y.yml", "build/a/z.yml"]).unwrap();
        for taken in ["build/a/x.yml", "build/b", "build/b/in", "build", "build/c"] {
            assert!(matches!(take(&[taken]), Err(LockError::GaveUp(_))), "{taken}");
        }
        drop(first);
        let _both = take(&["build/b", "build/b/in"]).unwrap();
    }
}
