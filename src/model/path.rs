//! Owns how paths of the project are put together as text.
//! Does not know what lies at them, nor the root.

use camino::{Utf8Path, Utf8PathBuf};

/// Joins a path relative to the root and tidies `.` and `..` away.
pub fn join(base: &Utf8Path, path: &str) -> Utf8PathBuf {
    let mut out: Vec<&str> = Vec::new();
    let full = base.join(path);
    let text = full.as_str().to_owned();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    let joined = out.join("/");
    if text.starts_with('/') { Utf8PathBuf::from(format!("/{joined}")) } else { Utf8PathBuf::from(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_tidied() {
        assert_eq!(join("a/b".into(), "../c/./d"), "a/c/d");
        assert_eq!(join("".into(), "../x"), "../x");
        assert_eq!(join("a".into(), "/x/../y"), "/y");
    }
}
