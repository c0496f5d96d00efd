//! Owns what a shim of asdf, mise, pyenv or tfenv goes by: one file stands for all versions of a tool, and
//! which of them runs is written in other files.
//! Does not know which version that is: the tool is asked.

use crate::host::simple::signature_text;
use camino::Utf8Path;

/// Files that name versions, in the project's root or above it.
const BESIDE: [&str; 7] = [
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
    "mise.local.toml",
    ".terraform-version",
    ".opentofu-version",
    ".python-version",
];

/// The same for a user, in the home folder.
const AT_HOME: [&str; 4] = [".tool-versions", ".config/mise/config.toml", ".tfenv/version", ".pyenv/version"];

/// Whether a program only stands for others.
pub fn is_shim(program: &Utf8Path) -> bool {
    let named = |path: &Utf8Path| path.components().any(|part| matches!(part.as_str(), "shims" | ".tfenv" | "tfenv"));
    named(program) || program.canonicalize_utf8().as_deref().is_ok_and(named)
}

/// Signatures of all files that say which version a shim runs; empty for a program that is none.
pub fn version_files(program: &Utf8Path, root: &Utf8Path, home: Option<&str>) -> String {
    if !is_shim(program) {
        return String::new();
    }
    let beside = root.ancestors().flat_map(|folder| BESIDE.iter().map(move |name| folder.join(name)));
    let at_home = home.into_iter().flat_map(|home| AT_HOME.iter().map(move |name| Utf8Path::new(home).join(name)));
    let signatures: Vec<String> = beside
        .chain(at_home)
        .map(|file| (signature_text(&file), file))
        .filter(|(signature, _)| !signature.is_empty())
        .map(|(signature, file)| format!(" {file}:{signature}"))
        .collect();
    signatures.concat()
}
