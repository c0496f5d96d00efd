//! Owns the log file of an attempt: appended to, private, secrets hidden.
//! Does not know what is logged. A failing log never fails what is logged.

use crate::host::mask::{Masker, Masks};
use camino::Utf8Path;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::Arc;

/// A log that is being written. Several may be open on one file; each write is appended whole.
pub struct Log {
    file: File,
    masker: Masker,
    masks: Arc<Masks>,
    lost: Option<String>,
}

impl Log {
    /// Opens a log, 0600, and makes its folders, 0700.
    pub fn open(path: &Utf8Path, masks: &Arc<Masks>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Self { file, masker: masks.stream(), masks: Arc::clone(masks), lost: None })
    }

    /// Appends one line of our own.
    pub fn line(&mut self, text: &str) {
        let mut line = self.masks.mask(text);
        line.push('\n');
        self.write(line.as_bytes());
    }

    /// Appends bytes of a stream as they come and gives back what is decided of them, secrets hidden.
    pub(super) fn stream(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(bytes.len());
        self.masker.feed(bytes, &mut masked);
        self.write(&masked);
        masked
    }

    /// Ends the stream: what was held back as the beginning of a secret.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut masked = Vec::new();
        self.masker.finish(&mut masked);
        self.write(&masked);
        masked
    }

    /// Why the rest of the log is lost.
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.lost.is_some() || bytes.is_empty() {
            return;
        }
        if let Err(error) = self.file.write_all(bytes) {
            let why = crate::host::reason(&error);
            // Some bytes may have fitted; this line may, too.
            let _ = writeln!(self.file, "\n[the log ends here: {why}]");
            self.lost = Some(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_log_is_private_and_masked_and_grows() {
        let root = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(root.path()).unwrap().join("runs/1/output.log");
        let masks = Arc::new(Masks::new(&["hunter2".to_owned()]));
        for _ in 0..2 {
            let mut log = Log::open(&path, &masks).unwrap();
            log.line("password hunter2");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "password ••••••\npassword ••••••\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_full_disk_is_remembered_and_disturbs_nobody() {
        if !std::fs::exists("/dev/full").unwrap() {
            return;
        }
        let mut log = Log::open(Utf8Path::new("/dev/full"), &Arc::new(Masks::default())).unwrap();
        log.line("x");
        assert_eq!(log.lost(), Some("the disk is full; free some space"));
        assert_eq!(log.stream(b"more"), b"more");
    }
}
