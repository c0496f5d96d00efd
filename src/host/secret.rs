//! Owns the project's key, sealing secret values under it, and fetching declared secrets.
//! Does not know which task reads a secret. No error and no `Debug` here ever holds a value.

use crate::host::files::{FileError, aside_name, make_private_dir, read_private, sync_dir};
use crate::host::process::{StartError, query};
use crate::model::digest::Digest;
use crate::model::environment::{Secret, SecretSource};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;
use zeroize::Zeroizing;

const KEY: usize = 32;
const NONCE: usize = 24;

/// A secret could not be had, kept or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its environment variable is not set.
    #[error("secret `{name}` is not set: export the environment variable `{variable}`")]
    NotSet { name: String, variable: String },
    /// Nothing came.
    #[error("secret `{name}` is empty: give {origin} a value")]
    Empty { name: String, origin: String },
    /// It is no text.
    #[error("secret `{name}` from {origin} is not UTF-8 text")]
    NotText { name: String, origin: String },
    /// Its file can't be read, or others can.
    #[error("secret `{name}`: {source}")]
    File { name: String, source: FileError },
    /// Its command failed; what it printed is not told, it may hold the value.
    #[error("secret `{name}`: `{command}` ended with {how}; run it by hand to see why")]
    Failed { name: String, command: String, how: String },
    /// Its command could not be started, or gave no answer.
    #[error("secret `{name}`: {source}")]
    NotStarted { name: String, source: StartError },
    /// The key file holds something else.
    #[error(
        "`{path}` is not a key of 32 bytes; restore it from a copy, or remove it and run the tasks with secrets again"
    )]
    BadKey { path: Utf8PathBuf },
    /// The key file can't be read or written.
    #[error(transparent)]
    Key(#[from] FileError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {why}")]
    NoRandom { why: String },
    /// Sealed under another key, or altered.
    #[error("a sealed value can't be opened: it was sealed under another key than `.infra/key`; run the task again")]
    Sealed,
}

/// The project's key. Secrets enter fingerprints only as digests under it, and are sealed under it in
/// the store.
pub struct Vault {
    key: Zeroizing<[u8; KEY]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// The key of a project, if it has one. Writes nothing; `infra`: the `.infra` folder.
    pub fn load(infra: &Utf8Path) -> Result<Option<Self>, SecretError> {
        let path = infra.join("key");
        match read_private(&path) {
            Ok(bytes) => {
                let key = <[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| SecretError::BadKey { path })?;
                Ok(Some(Self { key: Zeroizing::new(key) }))
            }
            Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The key of a project, made if there is none: for commands that write.
    pub fn load_or_make(infra: &Utf8Path) -> Result<Self, SecretError> {
        if let Some(vault) = Self::load(infra)? {
            return Ok(vault);
        }
        make_private_dir(infra)?;
        let mut key = Zeroizing::new([0; KEY]);
        random(key.as_mut_slice())?;
        let path = infra.join("key");
        let aside = aside_name(&path)?;
        let make = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
            file.write_all(key.as_slice())?;
            file.sync_all()?;
            // A link never replaces: of two that make a key at once, both take the first one's.
            match std::fs::hard_link(&aside, &path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_dir(infra),
            }
        };
        let made = make();
        let _ = std::fs::remove_file(&aside);
        made.map_err(FileError::write(&path))?;
        Self::load(infra)?.ok_or(SecretError::BadKey { path })
    }

    /// Digest of a value that could be guessed from a plain digest.
    pub fn keyed(&self, name: &str, value: &[u8]) -> Digest {
        Digest::keyed(&self.key, name, value)
    }

    /// Encrypts a value for the store: base64 of a random nonce and the sealed bytes.
    pub fn seal(&self, value: &[u8]) -> Result<String, SecretError> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), value).map_err(|_| SecretError::Sealed)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(STANDARD.encode(bytes))
    }

    /// Decrypts what was sealed; a value that was altered is refused.
    pub fn open(&self, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| SecretError::Sealed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(SecretError::Sealed)?;
        let value = self.cipher().decrypt(&XNonce::from(*nonce), sealed).map_err(|_| SecretError::Sealed)?;
        Ok(Zeroizing::new(value))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        // One key for one purpose: digests are made with the project's key itself.
        let key = Zeroizing::new(Digest::keyed(&self.key, "infra 2026 seal v1", b"").0);
        XChaCha20Poly1305::new((&*key).into())
    }
}

fn random(bytes: &mut [u8]) -> Result<(), SecretError> {
    getrandom::fill(bytes).map_err(|error| SecretError::NoRandom { why: error.to_string() })
}

/// Where declared secrets are fetched from.
pub struct Sources<'a> {
    /// Files and commands are found from here.
    pub root: &'a Utf8Path,
    /// The caller's environment.
    pub caller: &'a BTreeMap<String, String>,
    /// How long a command may take.
    pub timeout: Duration,
}

impl Sources<'_> {
    /// The value of a declared secret. A newline at the end of a file or of what a command prints is
    /// not part of it.
    pub fn fetch(&self, name: &str, secret: &Secret) -> Result<Zeroizing<String>, SecretError> {
        let name = name.to_owned();
        let (value, origin) = match &secret.source {
            SecretSource::Env(variable) => match self.caller.get(variable) {
                Some(value) => (Zeroizing::new(value.clone()), format!("`{variable}`")),
                None => {
                    return Err(SecretError::NotSet { name, variable: variable.clone() });
                }
            },
            SecretSource::File(path) => {
                let origin = format!("`{path}`");
                let bytes = match read_private(&self.root.join(path)) {
                    Ok(bytes) => bytes,
                    Err(source) => return Err(SecretError::File { name, source }),
                };
                match std::str::from_utf8(&bytes) {
                    Ok(text) => (Zeroizing::new(trimmed(text).to_owned()), origin),
                    Err(_) => return Err(SecretError::NotText { name, origin }),
                }
            }
            SecretSource::Command(argv) => (self.ask(&name, argv)?, format!("`{}`", argv.join(" "))),
        };
        if value.is_empty() { Err(SecretError::Empty { name, origin }) } else { Ok(value) }
    }

    fn ask(&self, name: &str, argv: &[String]) -> Result<Zeroizing<String>, SecretError> {
        let output = query(argv, self.root, self.caller, self.timeout)
            .map_err(|source| SecretError::NotStarted { name: name.to_owned(), source })?;
        let ok = output.is_ok();
        let printed = Zeroizing::new(output.stdout);
        if ok {
            return Ok(Zeroizing::new(trimmed(&printed).to_owned()));
        }
        let how = match (output.code, output.signal) {
            (Some(code), _) => format!("code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no code".to_owned(),
        };
        Err(SecretError::Failed { name: name.to_owned(), command: argv.join(" "), how })
    }
}

fn trimmed(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::write_aside;
    use crate::model::diagnostic::Place;
    use crate::model::environment::Rotation;
    use std::os::unix::fs::PermissionsExt as _;

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, root)
    }

    #[test]
    fn a_key_is_made_once_and_only_by_who_may_write() {
        let (_keep, root) = place();
        let infra = root.join(".infra");
        assert!(Vault::load(&infra).unwrap().is_none());
        assert!(!infra.exists(), "reading makes nothing");
        let first = Vault::load_or_make(&infra).unwrap().keyed("a", b"b");
        assert_eq!(Vault::load_or_make(&infra).unwrap().keyed("a", b"b"), first);
        let meta = std::fs::metadata(infra.join("key")).unwrap();
        assert_eq!((meta.len(), meta.permissions().mode() & 0o777), (32, 0o600));
        assert_eq!(std::fs::read_dir(&infra).unwrap().count(), 1);
        std::fs::write(infra.join("key"), "short").unwrap();
        assert!(matches!(Vault::load(&infra), Err(SecretError::BadKey { .. })));
    }

    #[test]
    fn what_is_sealed_opens_under_its_key_only() {
        let (_keep, root) = place();
        let vault = Vault::load_or_make(&root.join("a")).unwrap();
        let other = Vault::load_or_make(&root.join("b")).unwrap();
        let sealed = vault.seal(b"hunter2").unwrap();
        assert_eq!(vault.open(&sealed).unwrap().as_slice(), b"hunter2");
        assert_ne!(vault.seal(b"hunter2").unwrap(), sealed, "equal values do not show");
        assert_ne!(vault.keyed("x", b"hunter2"), other.keyed("x", b"hunter2"));
        let mut altered = STANDARD.decode(&sealed).unwrap();
        altered[NONCE] ^= 1;
        for text in [STANDARD.encode(altered).as_str(), "", "no base64!"] {
            assert!(matches!(vault.open(text), Err(SecretError::Sealed)));
        }
        assert!(matches!(other.open(&sealed), Err(SecretError::Sealed)));
    }

    #[test]
    fn secrets_come_from_variable_file_and_command_and_errors_tell_no_value() {
        let (_keep, root) = place();
        write_aside(&root.join("open"), b"hunter2\n", Some(0o644)).unwrap();
        write_aside(&root.join("private"), b"hunter2\n\n", Some(0o600)).unwrap();
        write_aside(&root.join("none"), b"\n", Some(0o600)).unwrap();
        let caller = [("PATH", "/usr/bin:/bin"), ("TOKEN", "hunter2")];
        let caller = caller.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let sources = Sources { root: &root, caller: &caller, timeout: Duration::from_secs(10) };
        let fetch = |source: SecretSource| {
            let secret = Secret { source, rotation: Rotation::Stays, place: Place::default() };
            sources.fetch("token", &secret).map(|value| value.to_string()).map_err(|error| error.to_string())
        };
        let command = |script: &str| SecretSource::Command(["sh", "-c", script].map(str::to_owned).to_vec());
        assert_eq!(fetch(SecretSource::Env("TOKEN".into())).unwrap(), "hunter2");
        assert_eq!(fetch(SecretSource::File("private".into())).unwrap(), "hunter2\n");
        assert_eq!(fetch(command("echo \"$TOKEN\"")).unwrap(), "hunter2");
        for (source, want) in [
            (SecretSource::Env("NONE".into()), "export the environment variable `NONE`"),
            (SecretSource::File("open".into()), "chmod 600"),
            (SecretSource::File("absent".into()), "no such file"),
            (SecretSource::File("none".into()), "is empty"),
            (command("echo \"$TOKEN\"; exit 3"), "ended with code 3"),
            (SecretSource::Command(vec!["no-such-tool".into()]), "was not found"),
        ] {
            let error = fetch(source).unwrap_err();
            assert!(error.contains(want) && error.contains("`token`"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
