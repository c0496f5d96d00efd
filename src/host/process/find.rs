//! Owns finding the program that a word means, as exec would.
//! Does not know what the program does.

use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::PermissionsExt as _;

/// The executable file that a word means: with a slash in it a path from `dir`, else the first hit in
/// `path` (folders with `:` between them; an empty one is `dir`, as for a shell).
pub fn find_program(word: &str, path: &str, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    find_program_seen(word, path, dir, &mut |_| ())
}

/// As above; `looking` hears each file that is about to be looked at.
pub fn find_program_seen(
    word: &str,
    path: &str,
    dir: &Utf8Path,
    looking: &mut dyn FnMut(&Utf8Path),
) -> Option<Utf8PathBuf> {
    let mut fits = |file: &Utf8PathBuf| {
        looking(file);
        is_executable(file)
    };
    if word.is_empty() {
        return None;
    }
    if word.contains('/') {
        return Some(dir.join(word)).filter(fits);
    }
    path.split(':').map(|folder| dir.join(folder).join(word)).find(&mut fits)
}

fn is_executable(file: &Utf8Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_looked_for_in_order_and_a_path_from_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        for (file, mode) in [("a/tool", 0o644), ("b/tool", 0o755), ("c/tool", 0o755)] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "").unwrap();
            std::fs::set_permissions(root.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = format!("{root}/a:{root}/b:c");
        assert_eq!(find_program("tool", &path, root), Some(root.join("b/tool")));
        assert_eq!(find_program("tool", "c", root), Some(root.join("c/tool")));
        assert_eq!(find_program("c/tool", "", root), Some(root.join("c/tool")));
        assert_eq!(find_program("a/tool", "", root), None);
        assert_eq!(find_program("c", root.as_str(), root), None, "a folder is no program");
        assert_eq!(find_program("", &path, root), None);
    }
}
