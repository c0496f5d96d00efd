//! Owns which artifact a path means, and into which folder a copy may go.
//! Does not know what is done with them.

use crate::command::context::{Context, Opened};
use crate::command::exit::CommandError;
use crate::host::store::KeptRow;
use crate::host::world::STATE_DIR;
use crate::model::digest::Digest;
use crate::model::facts::Facts;
use crate::model::path::join;
use crate::model::record::Artifact;
use camino::{Utf8Path, Utf8PathBuf};

/// An artifact, or something in one that is a folder.
pub struct Found<'a> {
    /// As it is on record.
    pub of: &'a Artifact,
    /// Relative to the root.
    pub path: String,
    pub digest: Digest,
    pub size: u64,
}

impl<'a> Found<'a> {
    /// An artifact.
    pub fn whole(of: &'a Artifact) -> Self {
        Self { of, path: of.path.clone(), digest: of.digest, size: of.size }
    }

    /// What lies in it; `None` where nothing does.
    fn within(of: &'a Artifact, path: &Utf8Path, opened: &Opened) -> Option<Self> {
        let rest = path.strip_prefix(&of.path).ok()?;
        // Of what is not kept nobody knows what is in it: whoever copies it says so.
        let is_kept = of.kept && opened.host.stored(&of.digest);
        let digest = if is_kept { opened.host.inner(&of.digest, rest)? } else { of.digest };
        Some(Self { of, path: path.to_string(), digest, size: opened.host.size_of(&digest) })
    }
}

/// The ways in which a path may be meant, relative to the root: as records have it, then as seen from where one stands.
///
/// # Errors
/// The folder that one stands in is gone.
pub fn spelled(context: &Context, opened: &Opened, word: &str) -> Result<Vec<Utf8PathBuf>, CommandError> {
    let from_root = Utf8Path::new(word).strip_prefix(&opened.root).unwrap_or(Utf8Path::new(word));
    let mut ways = vec![join("".into(), from_root.as_str())];
    if let Ok(here) = context.folder()?.strip_prefix(&opened.root) {
        ways.push(join(here, from_root.as_str()));
    }
    Ok(ways)
}

/// What of a record a path means: an artifact, else what lies in one.
pub fn find<'a>(opened: &Opened, row: &'a KeptRow, ways: &[Utf8PathBuf]) -> Vec<Found<'a>> {
    let whole = ways.iter().find_map(|path| row.artifacts.iter().find(|one| *path == one.path).map(Found::whole));
    let within = || ways.iter().find_map(|path| row.artifacts.iter().find_map(|one| Found::within(one, path, opened)));
    whole.or_else(within).into_iter().collect()
}

/// The folder that copies go into.
///
/// # Errors
/// It is the state's own, or can't be named.
pub fn outside(opened: &Opened, to: &str) -> Result<Utf8PathBuf, CommandError> {
    let folder = std::path::absolute(to).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let folder = folder.ok_or_else(|| CommandError::usage(format!("`{to}` is no folder"), "correct `--to`"))?;
    // Links on the way lead where they lead; what is not there yet has none.
    let tidy = join("".into(), folder.as_str());
    let there = tidy.ancestors().find_map(|above| Some((above, above.canonicalize_utf8().ok()?)));
    let real = there.and_then(|(above, real)| Some(real.join(tidy.strip_prefix(above).ok()?))).unwrap_or(tidy);
    if real.starts_with(opened.root.join(STATE_DIR)) || real.starts_with(&opened.host.state) {
        let message = format!("`{to}` lies in `{STATE_DIR}`, where only what the program itself keeps may be");
        return Err(CommandError::usage(message, "name another folder with `--to`"));
    }
    Ok(folder)
}
