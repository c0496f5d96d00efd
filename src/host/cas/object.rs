//! Owns what an object of the store looks like.
//! Does not know how it comes there or back.

use super::CasError;
use crate::host::files::{Entry, tree_digest};
use crate::model::digest::Digest;
use camino::{Utf8Path, Utf8PathBuf};

/// First line of a folder's list.
const HEAD: &str = "infra tree 1";

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    File,
    Executable,
    Link,
    Tree,
}

impl Shape {
    pub(super) const ALL: [Self; 4] = [Self::File, Self::Executable, Self::Link, Self::Tree];

    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::File => "",
            Self::Executable => ".x",
            Self::Link => ".link",
            Self::Tree => ".tree",
        }
    }
}

/// An object that is there.
pub(super) struct Object {
    pub(super) shape: Shape,
    pub(super) path: Utf8PathBuf,
}

/// A folder's list as text: a head, then one JSON list a line.
pub(super) fn tree_text(entries: &[Entry]) -> String {
    let mut text = format!("{HEAD}\n");
    for Entry { name, kind, digest } in entries {
        text.push_str(&serde_json::json!([name, kind, digest]).to_string());
        text.push('\n');
    }
    text
}

/// Reads a folder's list and compares it with its digest.
pub(super) fn read_tree(path: &Utf8Path, digest: &Digest) -> Result<Vec<Entry>, CasError> {
    let text = std::fs::read_to_string(path).map_err(CasError::read(path))?;
    parse(&text)
        .filter(|entries| tree_digest(entries) == *digest && entries.iter().all(|entry| is_name(&entry.name)))
        .ok_or_else(|| CasError::Damaged { digest: *digest, object: path.to_owned() })
}

fn parse(text: &str) -> Option<Vec<Entry>> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return None;
    }
    lines
        .map(|line| {
            let (name, kind, digest) = serde_json::from_str(line).ok()?;
            Some(Entry { name, kind, digest })
        })
        .collect()
}

/// Whether a name stays in its folder.
pub(super) fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}
