//! Owns what is done with the outputs of tasks: locked, moved aside, kept, put back.
//! Does not know which task writes them, nor whether they are as they should be.

use crate::host::cas::{Aside, CasError, Nature, Piece, Stored};
use crate::host::files::FileError;
use crate::host::lock::{Held, Holder, LockError, PathLocks, Wait};
use crate::host::world::Host;
use crate::model::digest::Digest;
use crate::model::name::AttemptId;
use crate::model::record::Artifact;
use crate::model::task::Input;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

impl Host {
    /// Moves an output aside.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn aside(&self, attempt: AttemptId, path: &Utf8Path) -> Result<Option<Aside>, String> {
        let moved = self.asides.aside(&attempt.to_string(), &self.root.join(path)).map_err(|error| error.to_string());
        self.disk.forget(path);
        moved
    }

    /// Puts back what was moved aside.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn put_back_aside(&self, aside: Aside) -> Result<(), String> {
        self.disk.forget_all();
        aside.put_back().map_err(|error| error.to_string())
    }

    /// Drops what was moved aside.
    pub fn drop_aside(&self, aside: Aside) {
        // What can't be removed is only litter.
        let _ = aside.discard();
    }

    /// Attempts that left outputs aside.
    pub fn left_aside(&self) -> Vec<AttemptId> {
        self.asides.attempts().iter().filter_map(|name| name.parse().ok().map(AttemptId)).collect()
    }

    /// Reads what an attempt of a dead run left aside as if it had been put back, which the next run does.
    pub fn see_left_aside(&self, attempt: AttemptId) {
        for aside in self.asides.left_by(&attempt.to_string()).unwrap_or_default() {
            if let Ok(path) = aside.from().strip_prefix(&self.root) {
                self.disk.look_elsewhere(path, aside.entry().to_owned());
            }
        }
    }

    /// Ends what an attempt of a dead run left aside: put back, or dropped when the attempt was complete.
    /// Gives what could not be done, and why.
    pub fn end_left_aside(&self, attempt: AttemptId, drop_them: bool) -> Vec<String> {
        let end = |aside: Aside| if drop_them { aside.discard() } else { aside.put_back() };
        match self.asides.left_by(&attempt.to_string()) {
            Ok(left) => left.into_iter().filter_map(|aside| end(aside).err()).map(|error| error.to_string()).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// Keeps an output in the content-addressed store.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn keep(&self, path: &Utf8Path) -> Result<Stored, String> {
        self.cas.put(&self.root, path).map_err(|error| match error {
            // Of the copy that could not be made nobody has heard.
            CasError::File(FileError::Write { source, .. }) => {
                format!("output `{path}` cannot be kept: {}", crate::host::reason(&source))
            }
            other => other.to_string(),
        })
    }

    /// Makes everything durable that was kept.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn sync_kept(&self) -> Result<(), String> {
        self.cas.sync().map_err(|error| error.to_string())
    }

    /// Puts an artifact back where it belongs.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn restore(&self, artifact: &Artifact) -> Result<(), String> {
        let path = Utf8Path::new(&artifact.path);
        let restored = self.cas.restore(&artifact.digest, &self.root.join(path)).map_err(|error| error.to_string());
        self.disk.forget(path);
        restored
    }

    /// Copies an artifact to a path outside of the project's own (absolute).
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn copy_artifact(&self, digest: &Digest, to: &Utf8Path) -> Result<(), String> {
        self.cas.restore(digest, to).map_err(|error| error.to_string())
    }

    /// What a kept artifact is; `None` where it is not whole.
    pub fn nature(&self, digest: &Digest) -> Option<Nature> {
        self.cas.nature(digest)
    }

    /// What lies at a path in a kept folder.
    pub fn inner(&self, digest: &Digest, path: &Utf8Path) -> Option<Digest> {
        self.cas.inner(digest, path)
    }

    /// Bytes of all files of a kept artifact.
    pub fn size_of(&self, digest: &Digest) -> u64 {
        self.cas.size(digest)
    }

    /// Digests of all that makes up an artifact.
    pub fn parts(&self, digest: &Digest) -> BTreeSet<Digest> {
        self.cas.parts(digest)
    }

    /// Every file of the content-addressed store.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn pieces(&self) -> Result<Vec<Piece>, String> {
        self.cas.pieces().map_err(|error| error.to_string())
    }

    /// Drops a file of the content-addressed store. Every environment must be held.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn drop_piece(&self, piece: &Piece) -> Result<(), String> {
        self.cas.drop_piece(piece).map_err(|error| error.to_string())
    }

    /// Forgets what was read of a path, and what lies in it.
    pub fn forget(&self, path: &Utf8Path) {
        self.disk.forget(path);
    }

    /// Forgets what was read of an input.
    pub fn forget_input(&self, input: &Input) {
        match input {
            Input::Path { path, .. } | Input::Artifact { path, .. } => self.disk.forget(path),
            Input::Glob(_) => self.disk.forget_all(),
        }
    }

    /// Locks output paths project-wide, or tells which one another run holds.
    ///
    /// # Errors
    /// A lower-case fragment.
    pub fn lock_paths(&self, paths: &[Utf8PathBuf], holder: &Holder) -> Result<Result<PathLocks, Held>, String> {
        match PathLocks::take(&self.state, paths, holder, &mut |_| Wait::GiveUp) {
            Ok(locks) => Ok(Ok(locks)),
            Err(LockError::Held(held) | LockError::GaveUp(held)) => Ok(Err(held)),
            Err(error @ LockError::File(_)) => Err(error.to_string()),
        }
    }
}
