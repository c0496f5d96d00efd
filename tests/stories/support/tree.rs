//! Owns walks over folders: listing, searching, copying.
//! Does not know stories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(super) fn walk(root: &Path, folder: &Path, tree: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        let Ok(meta) = path.symlink_metadata() else { continue };
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_dir() {
            tree.insert(format!("{name}/"), format!("{mode:o}"));
            walk(root, &path, tree);
        } else if meta.file_type().is_symlink() {
            tree.insert(name, format!("-> {:?}", fs::read_link(&path)));
        } else if name.ends_with("-shm") || (name.ends_with("-wal") && meta.len() == 0) {
        } else {
            tree.insert(name, format!("{mode:o} {}", hex(&fs::read(&path).unwrap_or_default())));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{} bytes, {:016x}", bytes.len(), hasher.finish())
}

pub(super) fn find_bytes(folder: &Path, wanted: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() {
            find_bytes(&path, wanted, found);
        } else if fs::read(&path).unwrap_or_default().windows(wanted.len()).any(|window| window == wanted) {
            found.push(path);
        }
    }
}

pub(super) fn copy(from: &Path, to: &Path, root: &Path, leave_out: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        if name == ".infra" || leave_out.contains(&name.as_str()) {
            continue;
        }
        let to = to.join(entry.file_name());
        if path.is_dir() {
            copy(&path, &to, root, leave_out);
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}
