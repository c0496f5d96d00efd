//! Owns reading what is at a path into a digest (design, section 4).
//! Does not know who asks, nor what was answered before but for stat signatures.

use super::sightings::Look;
use super::stat_cache::Sig;
use super::{Disk, missing, unreadable};
use crate::host::clock::system_nanos;
use crate::model::digest::{Digest, Domain, Encoder};
use crate::model::facts::{Content, ContentKind, FactError};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;

/// How often a file that changes while it is read is read again.
const TRIES: u32 = 3;
/// Links that lead to links; the system's own limit.
const MOST_LINKS: u32 = 40;
const BUFFER: usize = 256 << 10;

/// What a link counts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// An input: its text and what it leads to.
    Followed,
    /// An artifact: its text.
    Kept,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: EntryKind,
    pub(crate) digest: Digest,
}

/// What an entry is. The numbers enter digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    File = 1,
    Link = 2,
    Folder = 3,
}

/// Digest of a folder; the entries are sorted by name.
pub(crate) fn tree_digest(entries: &[Entry]) -> Digest {
    let mut encoder = Encoder::new(Domain::Tree);
    encoder.number(entries.len() as u64);
    for entry in entries {
        encoder.text(&entry.name).number(entry.kind as u64).digest(&entry.digest);
    }
    encoder.finish()
}

/// Digest of a link by itself.
pub(crate) fn link_digest(text: &str) -> Digest {
    Digest::of(Domain::Link, text.as_bytes())
}

/// Digest of a regular file's bytes, handed to `see` on the way. Also tells how many there were.
pub(crate) fn hash_stream(
    executable: bool,
    from: &mut impl Read,
    size: u64,
    see: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let mut encoder = Encoder::new(Domain::File);
    encoder.number(u64::from(executable));
    // One byte more than the size: the end is seen by the second read.
    let mut buffer = vec![0; usize::try_from(size).unwrap_or(BUFFER).saturating_add(1).min(BUFFER)];
    let mut total = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((encoder.finish(), total)),
            Ok(count) => {
                encoder.stream(&buffer[..count]);
                see(&buffer[..count])?;
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads one path, and all that it holds and leads to.
pub(super) struct Reader<'a> {
    disk: &'a Disk,
    links: Links,
    /// Device and inode of the folders that we are in: a link back to one of them is a loop.
    inside: Vec<(u64, u64)>,
    /// How many links lead here.
    depth: u32,
    /// Whether a link was followed.
    pub(super) led_on: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(disk: &'a Disk, links: Links) -> Self {
        Self { disk, links, inside: Vec::new(), depth: 0, led_on: false }
    }

    pub(super) fn content(&mut self, path: &Utf8Path) -> Result<Content, FactError> {
        let meta = std::fs::symlink_metadata(self.disk.root.join(path));
        if meta.is_err() {
            self.disk.sightings.saw(path, Look::Entry, None);
        }
        match meta {
            Ok(meta) => self.present(path, &meta)?.ok_or_else(|| FactError {
                what: path.to_string(),
                why: "it is a pipe, socket or device, which has no content; name a file".to_owned(),
            }),
            Err(error) if is_missing(&error) => {
                self.disk.stats().forget(path.as_str());
                Ok(Content { digest: missing(), kind: ContentKind::Missing })
            }
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    /// `None` for what is no file, link or folder.
    fn present(&mut self, path: &Utf8Path, meta: &Metadata) -> Result<Option<Content>, FactError> {
        self.disk.sightings.saw(path, Look::Entry, Some(meta));
        let (digest, kind) = if meta.is_file() {
            (self.file(path, meta)?, ContentKind::File)
        } else if meta.is_symlink() {
            (self.link(path)?, ContentKind::Link)
        } else if meta.is_dir() {
            (self.folder(path, meta)?, ContentKind::Folder)
        } else {
            return Ok(None);
        };
        Ok(Some(Content { digest, kind }))
    }

    fn file(&self, path: &Utf8Path, meta: &Metadata) -> Result<Digest, FactError> {
        let sig = Sig::of(meta);
        if let Some(digest) = self.disk.stats().get(path.as_str(), &sig) {
            return Ok(digest);
        }
        for _ in 0..TRIES {
            if let Some((digest, sig, racy)) = self.hash(path).map_err(|error| unreadable(path, &error))? {
                self.disk.stats().put(path.as_str(), sig, digest, racy);
                return Ok(digest);
            }
        }
        let why = "it changes while it is read; stop what writes it".to_owned();
        Err(FactError { what: path.to_string(), why })
    }

    /// Hashes a file; `None` when it changed meanwhile.
    fn hash(&self, path: &Utf8Path) -> io::Result<Option<(Digest, Sig, bool)>> {
        // The clock is read first: what is written after the reading has a later stamp than this.
        let now = system_nanos();
        let mut file = crate::host::process::open_no_follow(&self.disk.root.join(path))?;
        let before = Sig::of(&file.metadata()?);
        let (digest, read) = hash_stream(before.executable(), &mut file, before.size, &mut |_| Ok(()))?;
        let after = Sig::of(&file.metadata()?);
        Ok((before == after && read == before.size).then(|| (digest, before, before.racy(now))))
    }

    fn link(&mut self, path: &Utf8Path) -> Result<Digest, FactError> {
        let text = std::fs::read_link(self.disk.root.join(path)).map_err(|error| unreadable(path, &error))?;
        let text = Utf8PathBuf::from_path_buf(text).map_err(|_| FactError {
            what: path.to_string(),
            why: "the link's text is not UTF-8; make it anew".to_owned(),
        })?;
        if self.links == Links::Kept {
            return Ok(link_digest(text.as_str()));
        }
        self.led_on = true;
        let target = path.parent().map_or_else(|| text.clone(), |folder| folder.join(&text));
        let led_to = if self.depth < MOST_LINKS {
            self.depth += 1;
            let content = self.content(&target);
            self.depth -= 1;
            content?.digest
        } else {
            loop_digest()
        };
        Ok(Encoder::new(Domain::Link).text(text.as_str()).digest(&led_to).finish())
    }

    fn folder(&mut self, path: &Utf8Path, meta: &Metadata) -> Result<Digest, FactError> {
        let identity = (meta.dev(), meta.ino());
        if self.inside.contains(&identity) {
            return Ok(loop_digest());
        }
        self.inside.push(identity);
        let entries = self.entries(path);
        self.inside.pop();
        Ok(tree_digest(&entries?))
    }

    fn entries(&mut self, path: &Utf8Path) -> Result<Vec<Entry>, FactError> {
        let listed = std::fs::read_dir(self.disk.root.join(path)).map_err(|error| unreadable(path, &error))?;
        let mut entries = Vec::new();
        for entry in listed {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            let name = entry.file_name().into_string().map_err(|name| FactError {
                what: path.join(name.to_string_lossy().as_ref()).to_string(),
                why: "its name is not UTF-8; rename it".to_owned(),
            })?;
            if self.links == Links::Followed && matches!(name.as_str(), ".git" | ".infra") {
                continue;
            }
            let path = path.join(&name);
            let content = match entry.metadata() {
                Ok(meta) => self.present(&path, &meta)?,
                // Gone since it was listed.
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(unreadable(&path, &error)),
            };
            let Some(Content { digest, kind }) = content else {
                // A socket that a tool left among the inputs says nothing; in an artifact it would be lost.
                if self.links == Links::Followed {
                    continue;
                }
                let why = "it is a pipe, socket or device, which can't be kept; remove it".to_owned();
                return Err(FactError { what: path.to_string(), why });
            };
            let kind = match kind {
                ContentKind::Missing => continue,
                ContentKind::File => EntryKind::File,
                ContentKind::Link => EntryKind::Link,
                ContentKind::Folder => EntryKind::Folder,
            };
            entries.push(Entry { name, kind, digest });
        }
        entries.sort();
        Ok(entries)
    }
}

/// What a link that leads back counts as.
fn loop_digest() -> Digest {
    Digest::of(Domain::Missing, b"loop")
}

pub(crate) fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    // Links that lead in a circle lead nowhere.
    matches!(error.kind(), NotFound | NotADirectory) || crate::host::process::is_link_loop(error)
}
