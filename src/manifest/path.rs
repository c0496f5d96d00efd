//! Owns how paths are written: relative to the root, tidy, within the project.
//! Does not know what is at them.

use camino::Utf8PathBuf;

/// What to write instead of a path that is none.
pub(super) const HELP: &str = "a path is relative to the project's root and stays in it";

/// A path without `.` and `..`, or why it is none (`` `x` leaves the project``).
pub(super) fn tidy(text: &str) -> Result<Utf8PathBuf, &'static str> {
    if text.is_empty() {
        return Err("is no path");
    }
    if text.starts_with('/') {
        return Err("is an absolute path");
    }
    if text.starts_with('~') {
        return Err("is a path of the home folder");
    }
    // Most paths are tidy as they are written.
    let is_tidy = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_tidy {
        return Ok(Utf8PathBuf::from(text));
    }
    let path = crate::model::path::join("".into(), text);
    if path.starts_with("..") { Err("leaves the project") } else { Ok(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_tidied_and_stay_inside() {
        assert_eq!(tidy("./a//b/../c/"), Ok("a/c".into()));
        assert_eq!(tidy("."), Ok("".into()));
        assert_eq!(tidy("a/../../b"), Err("leaves the project"));
        assert_eq!(tidy("/etc/x"), Err("is an absolute path"));
        assert_eq!(tidy(""), Err("is no path"));
    }
}
