//! Owns listing all files of a folder, for kinds that fall back to it.
//! Does not know which files a kind leaves out.

use crate::model::facts::{ContentKind, Files};
use camino::{Utf8Path, Utf8PathBuf};

/// All files below a folder for which `is_taken` holds (asked of folders too). Links are taken as
/// they are, not followed. Of the project's root only the files in it: below it lies everything,
/// what tasks make of their inputs included.
pub fn files(files: &dyn Files, folder: &Utf8Path, is_taken: &dyn Fn(&Utf8Path) -> bool) -> Vec<Utf8PathBuf> {
    let is_root = folder.as_str().is_empty();
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for name in files.list(&folder) {
            // `Utf8Path::join` on the empty root gives just the name.
            let path = folder.join(name);
            if !is_taken(&path) {
                continue;
            }
            match files.kind(&path) {
                ContentKind::Folder if !is_root => waiting.push(path),
                ContentKind::File | ContentKind::Link => found.push(path),
                ContentKind::Folder | ContentKind::Missing => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fake::FakeFiles;

    #[test]
    fn a_folder_is_walked_but_the_root_is_not() {
        let fake = FakeFiles::new(&[("a/b/c", ""), ("a/d", ""), ("a/skip/e", ""), ("f", "")]);
        let all = |folder: &str| files(&fake, folder.into(), &|path| path.file_name() != Some("skip"));
        assert_eq!(all("a"), ["a/b/c", "a/d"]);
        assert_eq!(all(""), ["f"]);
    }
}
