//! Owns digests: BLAKE3 with one derived key per kind of thing and a length-prefixed encoding.
//! Does not know what is hashed or where bytes come from.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::LazyLock;

/// A BLAKE3 digest, 32 bytes, shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// What a digest is of. Each domain has its own derived key, so that two things of
/// different kinds never share a digest by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Bytes of a regular file with its executable bit.
    File,
    /// The text of a symbolic link.
    Link,
    /// Sorted entries of a folder.
    Tree,
    /// A path at which nothing is.
    Missing,
    /// One field of a task's spec.
    Field,
    /// A typed value.
    Value,
    /// The whole input manifest.
    Fingerprint,
    /// All that a task made.
    Made,
    /// Raw bytes in the content-addressed store.
    Blob,
    /// A set of incarnations.
    Incarnations,
}

const DOMAINS: [(Domain, &str); 10] = [
    (Domain::File, "infra 2026 file v1"),
    (Domain::Link, "infra 2026 link v1"),
    (Domain::Tree, "infra 2026 tree v1"),
    (Domain::Missing, "infra 2026 missing v1"),
    (Domain::Field, "infra 2026 field v1"),
    (Domain::Value, "infra 2026 value v1"),
    (Domain::Fingerprint, "infra 2026 fingerprint v1"),
    (Domain::Made, "infra 2026 made v1"),
    (Domain::Blob, "infra 2026 blob v1"),
    (Domain::Incarnations, "infra 2026 incarnations v1"),
];

// Deriving a key hashes its context string; doing it once keeps that off the null path.
static KEYS: LazyLock<Vec<(Domain, [u8; 32])>> =
    LazyLock::new(|| DOMAINS.iter().map(|(domain, context)| (*domain, blake3::derive_key(context, b""))).collect());

impl Domain {
    fn key(self) -> &'static [u8; 32] {
        &KEYS[self as usize].1
    }
}

impl Digest {
    /// Digest of one byte string in a domain.
    pub fn of(domain: Domain, bytes: &[u8]) -> Self {
        Self(*blake3::keyed_hash(domain.key(), bytes).as_bytes())
    }

    /// Digest under a project's own key: for secrets, whose values could be guessed
    /// from a plain digest.
    pub fn keyed(key: &[u8; 32], name: &str, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(bytes);
        Self(*hasher.finalize().as_bytes())
    }

    /// All 64 hex digits.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The first eight hex digits, for people.
    pub fn short(&self) -> String {
        self.hex()[..8].to_owned()
    }

    /// Reads 64 hex digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

/// Builds one digest from many parts. Every part is prefixed by its length, so that
/// two fields whose concatenation is equal still differ.
pub struct Encoder {
    hasher: blake3::Hasher,
}

impl Encoder {
    /// Starts a digest in a domain.
    pub fn new(domain: Domain) -> Self {
        Self { hasher: blake3::Hasher::new_keyed(domain.key()) }
    }

    /// Adds bytes with their length before them.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
        self
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a number, little endian.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.hasher.update(&number.to_le_bytes());
        self
    }

    /// Adds another digest.
    pub fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.hasher.update(&digest.0);
        self
    }

    /// Adds raw bytes with no length: only for a stream whose end is the end of the digest.
    pub fn stream(&mut self, bytes: &[u8]) -> &mut Self {
        self.hasher.update(bytes);
        self
    }

    /// Ends the digest.
    pub fn finish(&self) -> Digest {
        Digest(*self.hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_in_order_and_differ() {
        for (index, (domain, _)) in DOMAINS.iter().enumerate() {
            assert_eq!(*domain as usize, index);
        }
        assert_ne!(Digest::of(Domain::File, b"a"), Digest::of(Domain::Link, b"a"));
    }

    #[test]
    fn parts_do_not_run_together() {
        let ab_c = Encoder::new(Domain::Field).text("ab").text("c").finish();
        let a_bc = Encoder::new(Domain::Field).text("a").text("bc").finish();
        assert_ne!(ab_c, a_bc);
    }

    #[test]
    fn hex_round_trips() {
        let digest = Digest::of(Domain::File, b"x");
        assert_eq!(Digest::parse(&digest.hex()), Some(digest));
        assert_eq!(Digest::parse("zz"), None);
    }
}
