//! Owns where the real tools are.
//! Does not know what they are for.

use std::path::{Path, PathBuf};

/// Where ansible's programs are.
pub(super) fn ansible_folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin");
    let given = std::env::var_os("INFRA_TEST_TOOLS").map(PathBuf::from);
    for folder in given.into_iter().chain([own]) {
        if folder.join("ansible-playbook").exists() {
            return folder;
        }
    }
    panic!("ansible-playbook is neither in $INFRA_TEST_TOOLS nor in .tools/venv/bin: run `make setup`")
}

pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([tools]).map(|folder| folder.join(name)).find(|file| file.is_file())
}
