//! Owns what a glob's text means: `**`, `*`, `?`, `[…]`, `{a,b}`, and what is taken away.
//! Does not know which files there are (`listing`).

use crate::model::facts::FactError;
use crate::model::task::Glob;
use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

/// Tells whether a glob takes a path.
pub(super) struct Matcher {
    takes: GlobMatcher,
    /// Paths taken away by name, with all that is in them.
    names: Vec<String>,
    /// Patterns that take away.
    without: GlobSet,
}

impl Matcher {
    pub(super) fn new(glob: &Glob) -> Result<Self, FactError> {
        let takes = compile(&normal(&glob.pattern))?.compile_matcher();
        let names: Vec<String> = glob.without.iter().map(|name| without_slash(name).to_owned()).collect();
        let mut without = GlobSetBuilder::new();
        for pattern in names.iter().filter(|name| has_meta(name)) {
            without.add(compile(pattern)?);
        }
        let without = without.build().map_err(|error| bad(&glob.pattern, &error))?;
        Ok(Self { takes, names, without })
    }

    pub(super) fn takes(&self, path: &str) -> bool {
        self.takes.is_match(path) && !self.taken_away(path)
    }

    fn taken_away(&self, path: &str) -> bool {
        let path = Utf8Path::new(path);
        path.ancestors()
            .filter(|part| !part.as_str().is_empty())
            .any(|part| self.names.iter().any(|name| name == part) || self.without.is_match(part))
    }
}

/// The folder below which a glob looks, and how many levels down.
pub(super) fn start(pattern: &str) -> (String, Option<usize>) {
    let pattern = normal(pattern);
    let parts: Vec<&str> = pattern.split('/').collect();
    let fixed = parts.iter().take_while(|part| !has_meta(part)).count();
    let (folder, rest) = parts.split_at(fixed);
    // Braces may hold a slash, and `**` stands for any number of folders.
    let unbounded = rest.iter().any(|part| part.contains("**") || part.contains('{'));
    (folder.join("/"), (!unbounded).then_some(rest.len()))
}

/// No `./` before it; a folder written with a slash means all that is in it.
fn normal(pattern: &str) -> String {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    if pattern.ends_with('/') { format!("{pattern}**") } else { pattern.to_owned() }
}

fn without_slash(pattern: &str) -> &str {
    pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/')
}

fn has_meta(text: &str) -> bool {
    text.contains(['*', '?', '[', '{', '\\'])
}

fn compile(pattern: &str) -> Result<globset::Glob, FactError> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map_err(|error| bad(pattern, &error))
}

fn bad(pattern: &str, error: &globset::Error) -> FactError {
    FactError { what: pattern.to_owned(), why: format!("the glob is wrong: {}", error.kind()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::task::GitIgnore;

    fn takes(pattern: &str, without: &[&str], path: &str) -> bool {
        let glob = Glob {
            pattern: pattern.to_owned(),
            without: without.iter().map(|&text| text.to_owned()).collect(),
            ignore: GitIgnore::Respected,
        };
        Matcher::new(&glob).unwrap().takes(path)
    }

    #[test]
    fn patterns_mean_what_they_say() {
        for (pattern, path, want) in [
            ("a/**/*.yml", "a/x.yml", true),
            ("a/**/*.yml", "a/b/c/x.yml", true),
            ("a/*.yml", "a/b/x.yml", false),
            ("**/*.yml", "x.yml", true),
            ("a/**", "a/b/.hidden", true),
            ("a/", "a/b/c", true),
            ("./a/*", "a/b", true),
            ("*.{yml,yaml}", "x.yaml", true),
            ("x{,.bak}", "x", true),
            ("[a-c]?.txt", "b1.txt", true),
            ("[!a]*", "ab", false),
            ("\\*.txt", "*.txt", true),
            ("\\*.txt", "a.txt", false),
        ] {
            assert_eq!(takes(pattern, &[], path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_taken_away_goes_with_all_that_is_in_it() {
        assert!(!takes("**", &["out"], "out/a/b"));
        assert!(!takes("**", &["out/"], "out/a/b"));
        assert!(takes("**", &["out"], "outer/a"));
        assert!(!takes("**", &["**/*.tmp"], "a/b.tmp"));
        assert!(!takes("**", &["*/cache"], "a/cache/x"));
        assert!(!takes("**", &["a[1].txt"], "a[1].txt"), "an output is a name, whatever is in it");
    }

    #[test]
    fn the_fixed_prefix_prunes() {
        assert_eq!(start("a/b/*.yml"), ("a/b".to_owned(), Some(1)));
        assert_eq!(start("a/*/c.yml"), ("a".to_owned(), Some(2)));
        assert_eq!(start("a/**/c"), ("a".to_owned(), None));
        assert_eq!(start("*"), (String::new(), Some(1)));
        assert_eq!(start("a/{b,c/d}/e"), ("a".to_owned(), None));
        assert_eq!(start("a/b.yml"), ("a/b.yml".to_owned(), Some(0)));
    }

    #[test]
    fn a_bad_glob_is_named() {
        let glob = Glob { pattern: "a/[".to_owned(), without: Vec::new(), ignore: GitIgnore::Respected };
        let error = Matcher::new(&glob).err().unwrap();
        assert!(error.to_string().contains("`a/[`"), "{error}");
    }
}
