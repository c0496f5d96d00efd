//! Owns hiding secret values in text, whole or as it streams by in chunks.
//! Does not know where secrets come from, nor where the text goes.

mod forms;

use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::Arc;

/// What stands in place of a secret.
pub const MASK: &str = "••••••";

/// A set of secret values with every form in which they are looked for: raw, each line of a
/// multi-line value, base64, hex, JSON-escaped, percent-encoded, shell-quoted.
///
/// A value of fewer than four characters is not looked for: it would blank out ordinary text
/// (every `1`, every `dev`), and where the blanks stand would tell what it is.
#[derive(Default)]
pub struct Masks {
    /// Sorted, so that "is this the beginning of a pattern" is a binary search.
    patterns: Vec<Vec<u8>>,
    automaton: Option<AhoCorasick>,
    longest: usize,
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masks({} patterns)", self.patterns.len())
    }
}

impl Masks {
    /// Prepares to hide these values.
    pub fn new(secrets: &[String]) -> Self {
        Self::from_patterns(secrets.iter().flat_map(|secret| forms::of(secret)).collect())
    }

    /// The same set with more values: those that became known while a task ran.
    #[must_use]
    pub fn with(&self, secrets: &[String]) -> Self {
        let more = secrets.iter().flat_map(|secret| forms::of(secret));
        Self::from_patterns(self.patterns.iter().cloned().chain(more).collect())
    }

    fn from_patterns(mut patterns: Vec<Vec<u8>>) -> Self {
        patterns.sort();
        patterns.dedup();
        let longest = patterns.iter().map(Vec::len).max().unwrap_or(0);
        // Standard and not leftmost-longest: where two secrets overlap, both are hidden whole.
        let automaton = (!patterns.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns).ok())
            .flatten();
        Self { patterns, automaton, longest }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Text with every secret hidden.
    pub fn mask(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let mut out = Vec::with_capacity(text.len());
        self.emit(text.as_bytes(), text.len(), None, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Begins to hide secrets in a stream.
    pub fn stream(self: &Arc<Self>) -> Masker {
        Masker { masks: Arc::clone(self), held: Vec::new(), hidden: None }
    }

    /// Writes `bytes[..upto]` with secrets hidden. `hidden`: a mask was the last thing written, and
    /// so many bytes from the start still belong to it. Returns the same for what follows `upto`.
    fn emit(&self, bytes: &[u8], upto: usize, hidden: Option<usize>, out: &mut Vec<u8>) -> Option<usize> {
        let mut at = hidden.unwrap_or(0);
        let mut after_mask = hidden.is_some();
        for (start, end) in self.spans(bytes) {
            if end <= at {
                continue;
            }
            if start >= upto && start > at {
                break;
            }
            // Secrets that touch are one blank.
            if start > at || !after_mask {
                out.extend_from_slice(&bytes[at..start]);
                out.extend_from_slice(MASK.as_bytes());
            }
            at = end;
            after_mask = true;
        }
        if at < upto {
            out.extend_from_slice(&bytes[at..upto]);
            return None;
        }
        after_mask.then_some(at - upto)
    }

    /// Where secrets stand: sorted, those that touch or overlap made one.
    fn spans(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut found: Vec<(usize, usize)> =
            automaton.find_overlapping_iter(bytes).map(|hit| (hit.start(), hit.end())).collect();
        found.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(found.len());
        for (start, end) in found {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }

    /// The first place from which the rest could be the beginning of a secret that goes on.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let first = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        (first..bytes.len()).find(|&at| self.begins(&bytes[at..])).unwrap_or(bytes.len())
    }

    fn begins(&self, rest: &[u8]) -> bool {
        let at = self.patterns.partition_point(|pattern| pattern.as_slice() <= rest);
        self.patterns.get(at).is_some_and(|pattern| pattern.starts_with(rest))
    }
}

/// Hides secrets in a stream of chunks. Holds back only what could be the beginning of a secret.
pub struct Masker {
    masks: Arc<Masks>,
    held: Vec<u8>,
    /// Whether a mask was written last, and how many of the held bytes belong to it.
    hidden: Option<usize>,
}

impl Masker {
    /// Takes a chunk and appends what is decided to `out`.
    pub fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self.masks.is_empty() {
            out.extend_from_slice(chunk);
            return;
        }
        self.held.extend_from_slice(chunk);
        let upto = self.masks.undecided(&self.held);
        self.release(upto, out);
    }

    /// Ends the stream: appends what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(self.held.len(), out);
    }

    fn release(&mut self, upto: usize, out: &mut Vec<u8>) {
        if upto == 0 {
            return;
        }
        self.hidden = self.masks.emit(&self.held, upto, self.hidden, out);
        self.held.drain(..upto);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(secrets: &[&str]) -> Masks {
        Masks::new(&secrets.iter().map(|&secret| secret.to_owned()).collect::<Vec<_>>())
    }

    fn streamed(masks: Masks, text: &str, size: usize) -> String {
        let mut masker = Arc::new(masks).stream();
        let mut out = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            masker.feed(chunk, &mut out);
        }
        masker.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_is_hidden_whatever_the_chunks() {
        let text = "token=hunter2-long and hunter2 hunterX\nhunter2-lon end hunter2";
        let want = "token=•••••• and •••••• hunterX\n••••••-lon end ••••••";
        for size in 1..text.len() {
            assert_eq!(streamed(masks(&["hunter2", "hunter2-long"]), text, size), want, "chunks of {size}");
        }
        assert_eq!(masks(&["hunter2", "hunter2-long"]).mask(text), want);
    }

    #[test]
    fn overlapping_secrets_are_hidden_whole() {
        for size in 1..9 {
            assert_eq!(streamed(masks(&["abcde", "defgh"]), "-abcdefgh-", size), "-••••••-");
            assert_eq!(streamed(masks(&["abcde", "defgh"]), "abcdeabcdefg", size), "••••••fg");
        }
    }

    #[test]
    fn lines_of_a_multi_line_secret_are_hidden_each() {
        let masks = masks(&["first-line\n  second-line\n"]);
        assert_eq!(masks.mask("x first-line y"), "x •••••• y");
        assert_eq!(masks.mask("x second-line y"), "x •••••• y");
        assert_eq!(masks.mask("first-line\n  second-line\n"), "••••••");
    }

    #[test]
    fn what_cannot_go_on_is_not_held_back() {
        let mut masker = Arc::new(masks(&["hunter2"])).stream();
        let mut out = Vec::new();
        masker.feed(b"plain line\nhun", &mut out);
        assert_eq!(out, b"plain line\n");
    }

    #[test]
    fn later_secrets_join() {
        assert_eq!(masks(&["alpha"]).with(&["omega".to_owned()]).mask("alpha omega"), "•••••• ••••••");
    }

    #[test]
    fn short_ones_are_left() {
        assert_eq!(masks(&["dev", ""]).mask("dev"), "dev");
        assert!(masks(&["dev"]).is_empty());
    }
}
