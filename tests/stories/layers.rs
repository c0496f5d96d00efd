//! Holds every `crate::…` and every external crate name in `src/` to the layer table of the design
//! (`docs/design.md`, architecture). Test code beside the sources (`#[cfg(test)]`, `tests.rs`, `tests/`)
//! is not held to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folder (or file) of `src/` and its layer. A module imports only from layers below its own.
const LAYERS: [(&str, u8); 14] = [
    ("main", 8),
    ("lib", 8),
    ("cli", 8),
    ("command", 8),
    ("report", 7),
    ("engine", 6),
    ("host", 5),
    ("event", 4),
    ("plan", 3),
    ("manifest", 2),
    ("template", 2),
    ("kind", 2),
    ("import", 2),
    ("model", 1),
];

/// Imports between folders of one layer. None of them goes both ways.
const BESIDE: [(&str, &str); 7] = [
    ("main", "cli"),
    ("main", "command"),
    ("command", "cli"),
    ("cli", "command"),
    ("manifest", "kind"),
    ("manifest", "template"),
    ("kind", "template"),
];

/// External crate and where it may be named: its one owner. `*`: anywhere.
const OWNERS: [(&str, &[&str]); 39] = [
    ("petgraph", &["model/graph"]),
    ("toml", &["manifest"]),
    ("minijinja", &["template"]),
    ("blake3", &["model/digest"]),
    ("rusqlite", &["host/store"]),
    ("rusqlite_migration", &["host/store"]),
    ("duct", &["host/process"]),
    ("os_pipe", &["host/process"]),
    ("notify", &["host/watch"]),
    ("notify_debouncer_full", &["host/watch"]),
    ("rustix", &["host"]),
    ("ignore", &["host/files"]),
    ("globset", &["host/files"]),
    ("hcl_edit", &["kind"]),
    ("serde_saphyr", &["kind", "import"]),
    ("indicatif", &["report/live"]),
    ("console", &["report/live"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("tokio", &["engine"]),
    // Not named in the design's table: what they are for decides.
    ("owo_colors", &["report/paint"]),
    ("jiff", &["report/text"]),
    ("unicode_width", &["report/text"]),
    ("textwrap", &["report/text"]),
    ("signal_hook", &["host/signals"]),
    ("aho_corasick", &["host/mask"]),
    ("base64", &["host"]),
    ("chacha20poly1305", &["host/secret"]),
    ("getrandom", &["host"]),
    ("zeroize", &["host"]),
    ("ureq", &["host/check"]),
    ("libc", &["host"]),
    ("semver", &["engine/tools"]),
    ("strsim", &["model/diagnostic"]),
    ("serde", &["*"]),
    ("serde_json", &["*"]),
    ("thiserror", &["*"]),
    ("camino", &["*"]),
];

/// What a layer may not touch, beside the layers above it.
const MAY_NOT: [(&str, &[&str]); 10] = [
    ("report", &["crate::host", "crate::engine", "std::fs", "std::process", "rusqlite"]),
    ("engine", &["println!", "eprintln!", "print!", "eprint!", "io::stdout", "io::stderr"]),
    ("host", &["tokio", "crate::model::graph", "println!", "eprintln!"]),
    ("event", &["std::fs", "std::process", "println!"]),
    ("plan", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "Instant::now", "println!"]),
    ("manifest", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "println!"]),
    ("template", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "println!"]),
    ("kind", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "println!"]),
    ("import", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "println!"]),
    ("model", &["std::fs", "std::process", "std::env", "TcpStream", "SystemTime", "println!"]),
];

struct Source {
    /// `engine/dispatch.rs`.
    name: String,
    /// `engine`.
    unit: String,
    /// Lines of code with their numbers, comments and tests left out.
    lines: Vec<(usize, String)>,
}

#[test]
fn modules_import_from_layers_below() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(layer) = layer(&source.unit) else {
            wrong.push(format!("src/{}: no layer is written down for `{}`", source.name, source.unit));
            continue;
        };
        for (line, text) in &source.lines {
            for target in paths_after(text, "crate::") {
                let Some(below) = layer_of(&target) else { continue };
                let beside = BESIDE.contains(&(source.unit.as_str(), target.as_str()));
                if target != source.unit && below >= layer && !beside {
                    wrong
                        .push(format!("src/{}:{line}: layer {layer} imports `{target}` of layer {below}", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_external_crate_has_one_owner() {
    let mut wrong = BTreeSet::new();
    let owners: BTreeMap<&str, &[&str]> = OWNERS.into_iter().collect();
    let declared = dependencies();
    for source in sources() {
        let module = source.name.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
        for (line, text) in &source.lines {
            for name in &declared {
                if !names(text, name) {
                    continue;
                }
                let Some(allowed) = owners.get(name.as_str()) else {
                    wrong.insert(format!("src/{}:{line}: `{name}` has no owner", source.name));
                    continue;
                };
                let owned = allowed
                    .iter()
                    .any(|owner| *owner == "*" || module == *owner || module.starts_with(&format!("{owner}/")));
                if !owned {
                    wrong.insert(format!("src/{}:{line}: `{name}` belongs to {allowed:?}", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let sources = sources();
    let unused: Vec<String> = dependencies()
        .into_iter()
        .filter(|name| !sources.iter().any(|source| source.lines.iter().any(|(_, text)| names(text, name))))
        .collect();
    assert!(unused.is_empty(), "in Cargo.toml, named nowhere: {unused:?}");
}

#[test]
fn layers_keep_off_what_is_not_theirs() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (unit, words) in MAY_NOT {
            if source.unit != unit {
                continue;
            }
            for (line, text) in &source.lines {
                for word in words {
                    if text.contains(word) && !(*word == "print!" || *word == "println!") || starts_word(text, word) {
                        wrong.push(format!("src/{}:{line}: `{word}` is not for `{unit}`", source.name));
                    }
                }
            }
        }
        if source.name != "main.rs" {
            for (line, text) in &source.lines {
                if text.contains("process::exit") {
                    wrong.push(format!("src/{}:{line}: only `main` exits", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_says_what_it_owns() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| source.unit != "lib")
        .filter(|source| {
            let text = fs::read_to_string(root().join("src").join(&source.name)).unwrap_or_default();
            !text.starts_with("//!")
        })
        .map(|source| source.name.clone())
        .collect();
    assert!(silent.is_empty(), "no `//!` in the first line: {silent:?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn layer(unit: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == unit).map(|(_, layer)| *layer)
}

fn layer_of(target: &str) -> Option<u8> {
    layer(target)
}

/// Names that follow `prefix` in a line: `use crate::{a::b, c}` gives `a` and `c`.
fn paths_after(text: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        rest = &rest[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split("};").next().unwrap_or(group);
            let mut depth = 0;
            let mut start = true;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    _ if start && (c.is_alphanumeric() || c == '_') => name.push(c),
                    _ if start && !name.is_empty() => {
                        found.push(std::mem::take(&mut name));
                        start = false;
                    }
                    _ => {}
                }
            }
            if !name.is_empty() {
                found.push(name);
            }
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

/// Whether a line names a crate: `name::` that no path comes before, or `use name;`.
fn names(text: &str, name: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text[from..].find(name) {
        let (start, end) = (from + at, from + at + name.len());
        let before = text[..start].chars().next_back();
        let free = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '.'));
        if free && (text[end..].starts_with("::") || text.trim_start().starts_with(&format!("use {name};"))) {
            return true;
        }
        from = end;
    }
    false
}

fn starts_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// `[dependencies]` of `Cargo.toml`, as they are named in code.
fn dependencies() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if let Some((name, _)) = line.split_once(['=', '.'])
            && inside
        {
            found.insert(name.trim().replace('-', "_"));
        }
    }
    found
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    assert!(files.len() > 50, "the sources are in {}", src.display());
    files
        .into_iter()
        .filter_map(|path| {
            let name = path.strip_prefix(&src).expect("below").display().to_string();
            if name.ends_with("tests.rs") || name.contains("/tests/") || name.ends_with("fake.rs") {
                return None;
            }
            let unit = name.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("a source");
            Some(Source { name, unit, lines: code(&text) })
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Lines without comments, up to the tests at the end; a `use` of several lines is one.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    let all: Vec<&str> = text.lines().collect();
    for (number, line) in all.iter().enumerate() {
        if line.trim() == "#[cfg(test)]" && all.get(number + 1).is_some_and(|next| next.contains("mod tests {")) {
            break;
        }
        let line = line.split("//").next().unwrap_or_default();
        if line.trim().is_empty() {
            continue;
        }
        if open {
            let (_, last) = lines.last_mut().expect("an open line");
            last.push_str(line.trim());
        } else {
            lines.push((number + 1, line.to_owned()));
        }
        let (_, last) = lines.last().expect("a line");
        open = last.trim_start().trim_start_matches("pub ").starts_with("use ") && !last.contains(';');
    }
    lines
}

#[test]
fn the_reader_of_imports_reads() {
    assert_eq!(paths_after("use crate::{a::{b, c}, d};", "crate::"), ["a", "d"]);
    assert_eq!(paths_after("use crate::kind::Kind; crate::model::x()", "crate::"), ["kind", "model"]);
    assert!(names("let x = toml::from_str(s);", "toml"));
    assert!(!names("self::toml::x", "toml"));
    assert!(!names("use crate::model::toml;", "toml"));
}
