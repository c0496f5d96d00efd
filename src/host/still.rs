//! Owns snapshots of runs that found everything fresh: as long as all that such a run saw looks the same,
//! so is its answer, and nothing has to be read, parsed or judged again.
//! Does not know how the answer was found, nor how it is told.
//!
//! A snapshot is a cache: it may be removed at any time, and one that can't be read or written is none. Its
//! seal is a digest under the project's key over everything that the answer was made of: the program, the
//! question, the caller's environment, the store, and every path that was looked at with its stamps.

use crate::host::clock::TEST_NOW;
use crate::host::files::{Look, Sighting, Sightings, make_private_dir};
use crate::host::secret::Vault;
use crate::host::store;
use crate::model::digest::Digest;
use crate::model::record::Millis;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// Changes with what a snapshot holds and with what is looked at.
const FORMAT: u32 = 1;
/// More questions than these are not kept: whoever asks so many never asks one twice.
const MOST: usize = 64;

/// What a run found that found everything fresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the environment.
    pub env: String,
    /// The targets, as written or by default.
    pub targets: Vec<String>,
    /// Tasks of the run, in graph order.
    pub tasks: Vec<String>,
    /// The same in the order in which they were found fresh.
    pub fresh: Vec<String>,
    /// The answer holds from this moment on, milliseconds since the epoch: no record is younger,
    pub from: Millis,
    /// and until this one, when the first of its records expires. `None`: none does.
    pub until: Option<Millis>,
}

/// A snapshot as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Snapshot {
    answer: Answer,
    /// Paths, each with the letter of its look before it.
    seen: Vec<String>,
    seal: Digest,
}

/// A question to a project, and where its answer is kept.
#[derive(Debug)]
pub struct Still {
    root: Utf8PathBuf,
    state: Utf8PathBuf,
    vault: Vault,
    /// Everything but the file system that the answer depends on.
    asked: Vec<u8>,
    file: Utf8PathBuf,
}

impl Still {
    /// A question by a caller; `words` is everything of the command line that the answer depends on.
    /// `None`: the project has no key, so nothing was kept. `root` is absolute, `state` its `.infra`.
    pub fn ask(
        root: &Utf8Path,
        state: &Utf8Path,
        words: &[String],
        caller_env: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let vault = Vault::load(state).ok().flatten()?;
        let program = Utf8PathBuf::from_path_buf(std::env::current_exe().ok()?).ok()?;
        let mut asked = Vec::new();
        put(&mut asked, &format!("{FORMAT} {}", env!("CARGO_PKG_VERSION")));
        Sighting::now(root, program.as_str(), Look::Target).encode(&mut asked);
        put(&mut asked, root.as_str());
        put_all(&mut asked, words);
        let name = vault.keyed("question", &asked).hex();
        // What the clock says is compared by itself.
        let around = caller_env.iter().filter(|(name, _)| *name != TEST_NOW);
        put_all(&mut asked, around.flat_map(|(name, value)| [name, value]));
        let file = state.join("still").join(&name[..32]);
        Some(Self { root: root.to_owned(), state: state.to_owned(), vault, asked, file })
    }

    /// The project's root.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The answer that is kept, whether it still holds or not: it tells which environment is asked about.
    pub fn kept(&self) -> Option<Kept<'_>> {
        let text = std::fs::read(&self.file).ok()?;
        let snapshot = serde_json::from_slice(&text).ok()?;
        Some(Kept { still: self, snapshot })
    }

    /// Keeps an answer, if what was seen on the way to it is whole and can be told again by stats. Call it
    /// when the store is closed.
    pub fn keep(&self, answer: Answer, sightings: &Sightings) {
        for path in ["key", store::FILE] {
            sightings.see_below(&self.root, &self.state.join(path), Look::Entry);
        }
        let Some(seen) = sightings.all().filter(|_| self.store_is_closed()) else { return };
        let seal = self.seal(&answer, &seen);
        let seen = seen.iter().map(|one| format!("{}{}", one.look.letter() as char, one.path)).collect();
        let Ok(text) = serde_json::to_vec(&Snapshot { answer, seen, seal }) else { return };
        if self.write(&text).is_err() {
            let _ = std::fs::remove_file(&self.file);
        }
    }

    /// Whether all that was committed lies in the file whose stamps were noted.
    fn store_is_closed(&self) -> bool {
        let log = self.state.join(format!("{}-wal", store::FILE));
        std::fs::metadata(log).map_or(true, |meta| meta.len() == 0)
    }

    fn seal(&self, answer: &Answer, seen: &[Sighting]) -> Digest {
        let mut bytes = self.asked.clone();
        let Answer { env, targets, tasks, fresh, from, until } = answer;
        put(&mut bytes, env);
        for list in [targets, tasks, fresh] {
            put_all(&mut bytes, list);
        }
        bytes.extend(from.to_le_bytes());
        bytes.extend(until.unwrap_or(Millis::MAX).to_le_bytes());
        for one in seen {
            one.encode(&mut bytes);
        }
        self.vault.keyed("still", &bytes)
    }

    /// Not made durable: the seal tells a torn one.
    fn write(&self, text: &[u8]) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(&self.state);
        make_private_dir(folder).map_err(std::io::Error::other)?;
        if !self.file.exists() && std::fs::read_dir(folder)?.count() >= MOST {
            std::fs::remove_dir_all(folder)?;
            make_private_dir(folder).map_err(std::io::Error::other)?;
        }
        let aside = self.file.with_extension(std::process::id().to_string());
        let done = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside);
        done.and_then(|mut file| file.write_all(text)).and_then(|()| std::fs::rename(&aside, &self.file)).inspect_err(
            |_| {
                let _ = std::fs::remove_file(&aside);
            },
        )
    }
}

/// An answer from an earlier run.
#[derive(Debug)]
pub struct Kept<'a> {
    still: &'a Still,
    snapshot: Snapshot,
}

impl Kept<'_> {
    /// The answer.
    pub fn answer(&self) -> &Answer {
        &self.snapshot.answer
    }

    /// Whether it holds at a moment: it looks at every path again.
    pub fn holds(&self, now: Millis) -> bool {
        let Snapshot { answer, seen, seal } = &self.snapshot;
        let in_time = answer.from <= now && answer.until.is_none_or(|until| now < until);
        if !in_time || !self.still.store_is_closed() {
            return false;
        }
        let look = |text: &String| {
            let letter = *text.as_bytes().first()?;
            Some(Sighting::now(&self.still.root, text.get(1..)?, Look::of(letter)?))
        };
        let Some(now) = seen.iter().map(look).collect::<Option<Vec<Sighting>>>() else { return false };
        self.still.seal(answer, &now) == *seal
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn put_all<'a>(bytes: &mut Vec<u8>, texts: impl IntoIterator<Item = &'a String>) {
    let at = bytes.len();
    bytes.extend([0; 8]);
    let mut count = 0u64;
    for text in texts {
        put(bytes, text);
        count += 1;
    }
    bytes[at..at + 8].copy_from_slice(&count.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Place {
        root: Utf8PathBuf,
        env: BTreeMap<String, String>,
        _folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
            let state = root.join(".infra");
            Vault::load_or_make(&state).unwrap();
            for (path, text) in [(state.join(store::FILE), "db"), (root.join("a"), "1")] {
                std::fs::write(path, text).unwrap();
            }
            std::thread::sleep(Duration::from_millis(60));
            Self { root, env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]), _folder: folder }
        }

        fn ask(&self, words: &[&str]) -> Still {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Still::ask(&self.root, &self.root.join(".infra"), &words, &self.env).unwrap()
        }

        fn keep(&self, words: &[&str]) {
            let sightings = Sightings::begin();
            sightings.see_below(&self.root, Utf8Path::new("a"), Look::Entry);
            self.ask(words).keep(answer(), &sightings);
        }

        fn holds(&self, words: &[&str], now: Millis) -> bool {
            self.ask(words).kept().is_some_and(|kept| kept.holds(now))
        }
    }

    fn answer() -> Answer {
        let list = || vec!["t".to_owned()];
        let (targets, tasks, fresh) = (list(), list(), list());
        Answer { env: "dev".to_owned(), targets, tasks, fresh, from: 100, until: Some(200) }
    }

    #[test]
    fn an_answer_holds_as_long_as_everything_looks_the_same() {
        let place = Place::new();
        assert!(!place.holds(&["run"], 150), "nothing is kept");
        place.keep(&["run"]);
        assert!(place.holds(&["run"], 150));
        assert_eq!(place.ask(&["run"]).kept().unwrap().answer(), &answer());
        assert!(!place.holds(&["run", "other"], 150), "another question");
        std::fs::write(place.root.join("a"), "2").unwrap();
        assert!(!place.holds(&["run"], 150));
    }

    #[test]
    fn time_the_store_and_the_callers_environment_count() {
        let mut place = Place::new();
        place.keep(&["run"]);
        assert_eq!([99, 100, 199, 200].map(|now| place.holds(&["run"], now)), [false, true, true, false]);
        let log = place.root.join(".infra/state.db-wal");
        std::fs::write(&log, "frames").unwrap();
        assert!(!place.holds(&["run"], 150), "what is committed lies in the log");
        std::fs::write(&log, "").unwrap();
        assert!(place.holds(&["run"], 150));
        place.env.insert("NEW".to_owned(), "1".to_owned());
        assert!(!place.holds(&["run"], 150));
        place.env.remove("NEW");
        std::fs::write(place.root.join(".infra/state.db"), "dc").unwrap();
        assert!(!place.holds(&["run"], 150));
    }

    #[test]
    fn what_was_altered_by_hand_is_not_believed() {
        let place = Place::new();
        place.keep(&["run"]);
        let file = place.ask(&["run"]).file;
        let text = std::fs::read_to_string(&file).unwrap();
        for altered in [text.replace("\"t\"", "\"u\""), text.replace("200", "900"), text.replace("la\"", "eb\"")] {
            assert_ne!(altered, text);
            std::fs::write(&file, altered).unwrap();
            assert!(!place.holds(&["run"], 150));
        }
        std::fs::write(&file, &text[..text.len() / 2]).unwrap();
        assert!(!place.holds(&["run"], 150), "torn");
        std::fs::write(&file, text).unwrap();
        assert!(place.holds(&["run"], 150));
    }

    #[test]
    fn only_so_many_are_kept() {
        let place = Place::new();
        for number in 0..=MOST {
            place.keep(&[&number.to_string()]);
        }
        assert_eq!(std::fs::read_dir(place.root.join(".infra/still")).unwrap().count(), 1);
    }
}
