//! Owns moving old outputs aside before a task runs, putting them back, and dropping them.
//! Does not know why a task runs.

use super::CasError;
use crate::host::files::{make_private_dir, remove_all, sync_dir, write_aside};
use camino::{Utf8Path, Utf8PathBuf};

/// Where outputs are moved aside: `.infra/aside/<attempt>/`, one numbered entry each, and beside it a
/// file that tells where it came from, so that a crash loses nothing.
#[derive(Clone, Debug)]
pub struct Asides {
    folder: Utf8PathBuf,
}

/// One output that was moved aside.
#[derive(Debug)]
#[must_use]
pub struct Aside {
    from: Utf8PathBuf,
    entry: Utf8PathBuf,
    note: Utf8PathBuf,
}

impl Asides {
    /// The place in `.infra` for all attempts.
    pub fn new(infra: &Utf8Path) -> Self {
        Self { folder: infra.join("aside") }
    }

    /// Moves what is at a path (absolute) aside; `None` when nothing is there. A link is moved itself.
    pub fn aside(&self, attempt: &str, path: &Utf8Path) -> Result<Option<Aside>, CasError> {
        let path = Utf8Path::new(path.as_str().trim_end_matches('/'));
        if std::fs::symlink_metadata(path).is_err() {
            return Ok(None);
        }
        let folder = self.folder.join(attempt);
        make_private_dir(&folder)?;
        let number = (0..u32::MAX).find(|number| !folder.join(format!("{number}.from")).exists()).unwrap_or(u32::MAX);
        let mut aside = Aside {
            from: path.to_owned(),
            entry: folder.join(number.to_string()),
            note: folder.join(format!("{number}.from")),
        };
        match aside.take() {
            // An output on another file system stays on it: renaming is all that can't be cut in half.
            Err(CasError::File(crate::host::files::FileError::Write { source, .. }))
                if source.kind() == std::io::ErrorKind::CrossesDevices =>
            {
                let name = path.file_name().unwrap_or("output");
                aside.entry = path.with_file_name(format!(".{name}.infra-aside-{attempt}"));
                aside.take()?;
            }
            taken => taken?,
        }
        Ok(Some(aside))
    }

    /// What a crashed attempt left aside, to be put back or dropped.
    pub fn left_by(&self, attempt: &str) -> Result<Vec<Aside>, CasError> {
        let folder = self.folder.join(attempt);
        let Ok(entries) = folder.read_dir_utf8() else {
            return Ok(Vec::new());
        };
        let mut left = Vec::new();
        for entry in entries {
            let note = entry.map_err(CasError::read(&folder))?.into_path();
            if note.extension() != Some("from") {
                continue;
            }
            let text = std::fs::read_to_string(&note).map_err(CasError::read(&note))?;
            if let Some((entry, from)) = text.split_once('\n') {
                left.push(Aside { from: from.into(), entry: entry.into(), note });
            }
        }
        left.sort_by(|a, b| a.note.cmp(&b.note));
        Ok(left)
    }

    /// Attempts that left something aside.
    pub fn attempts(&self) -> Vec<String> {
        let Ok(entries) = self.folder.read_dir_utf8() else {
            return Vec::new();
        };
        let mut attempts: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_owned()).collect();
        attempts.sort();
        attempts
    }
}

impl Aside {
    /// Where it was.
    pub fn from(&self) -> &Utf8Path {
        &self.from
    }

    /// Where it is meanwhile.
    pub fn entry(&self) -> &Utf8Path {
        &self.entry
    }

    /// The note is durable before the rename, so there is never an entry that nobody knows.
    fn take(&self) -> Result<(), CasError> {
        write_aside(&self.note, format!("{}\n{}", self.entry, self.from).as_bytes(), Some(0o600))?;
        std::fs::rename(&self.from, &self.entry).map_err(CasError::write(&self.from))
    }

    /// Puts it back; what is there now is removed.
    pub fn put_back(self) -> Result<(), CasError> {
        if std::fs::symlink_metadata(&self.entry).is_ok() {
            let back = || {
                remove_all(&self.from)?;
                let folder = self.from.parent().unwrap_or(Utf8Path::new("/"));
                std::fs::create_dir_all(folder)?;
                std::fs::rename(&self.entry, &self.from)?;
                sync_dir(folder)
            };
            back().map_err(CasError::write(&self.from))?;
        }
        self.forget()
    }

    /// Removes it for good.
    pub fn discard(self) -> Result<(), CasError> {
        remove_all(&self.entry).map_err(CasError::write(&self.entry))?;
        self.forget()
    }

    fn forget(self) -> Result<(), CasError> {
        remove_all(&self.note).map_err(CasError::write(&self.note))?;
        if let Some(folder) = self.note.parent() {
            // The last one takes the attempt's folder with it; others are still in it.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Utf8PathBuf, Asides) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        std::fs::create_dir_all(root.join("out/sub")).unwrap();
        std::fs::write(root.join("out/sub/file"), "old").unwrap();
        std::fs::write(root.join("single"), "old").unwrap();
        let asides = Asides::new(&root.join(".infra"));
        (folder, root, asides)
    }

    #[test]
    fn what_is_moved_aside_comes_back_over_what_was_made_since() {
        let (_keep, root, asides) = place();
        let moved = ["out/", "single"].map(|path| asides.aside("7", &root.join(path)).unwrap().unwrap());
        assert!(!root.join("out").exists() && !root.join("single").exists());
        assert!(asides.aside("7", &root.join("none")).unwrap().is_none());
        std::fs::create_dir(root.join("out")).unwrap();
        std::fs::write(root.join("out/half"), "new").unwrap();
        for aside in moved {
            aside.put_back().unwrap();
        }
        assert_eq!(std::fs::read_to_string(root.join("out/sub/file")).unwrap(), "old");
        assert!(!root.join("out/half").exists() && root.join("single").exists());
        assert!(asides.attempts().is_empty());
    }

    #[test]
    fn a_crash_leaves_it_known() {
        let (_keep, root, asides) = place();
        std::mem::forget(asides.aside("7", &root.join("out")).unwrap());
        std::mem::forget(asides.aside("7", &root.join("single")).unwrap());
        assert_eq!(asides.attempts(), ["7"]);
        let mut left = asides.left_by("7").unwrap();
        assert_eq!(left.iter().map(Aside::from).collect::<Vec<_>>(), [root.join("out"), root.join("single")]);
        left.pop().unwrap().discard().unwrap();
        left.pop().unwrap().put_back().unwrap();
        assert!(root.join("out/sub/file").exists() && !root.join("single").exists());
        assert!(asides.attempts().is_empty() && asides.left_by("7").unwrap().is_empty());
    }
}
