//! Broken declarations by the thousand: the shipped files with bytes and lines changed, cut, doubled and
//! swapped. The loader may refuse them, and never breaks; what it says points into a file.

use crate::errors_world::is_plain;
use crate::support::Story;
use camino::{Utf8Path, Utf8PathBuf};
use infra::manifest::{Options, load};
use infra::model::diagnostic::Severity;
use infra::model::facts::{ContentKind, Files};
use infra::report::diagnostics;
use infra::report::paint::Look;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Files in memory.
struct Memory(BTreeMap<Utf8PathBuf, Arc<str>>);

impl Files for Memory {
    fn read(&self, path: &Utf8Path) -> Option<Arc<str>> {
        self.0.get(path).cloned()
    }

    fn kind(&self, path: &Utf8Path) -> ContentKind {
        if self.0.contains_key(path) {
            ContentKind::File
        } else if self.0.keys().any(|file| file.starts_with(path)) {
            ContentKind::Folder
        } else {
            ContentKind::Missing
        }
    }

    fn list(&self, folder: &Utf8Path) -> Vec<String> {
        let inside = self
            .0
            .keys()
            .filter_map(|file| file.strip_prefix(folder).ok()?.components().next().map(|name| name.to_string()));
        let mut names: Vec<String> = inside.collect();
        names.dedup();
        names
    }
}

/// A stream of numbers that is the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below.max(1) as u64).unwrap()
    }
}

const ODD: [&str; 30] = [
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "'''",
    "{{",
    "}}",
    "{% if",
    "=",
    ".",
    ",",
    "\n",
    "\u{0}",
    "\u{7f}",
    "é",
    "漢",
    "\u{202e}",
    "-1",
    "1e999",
    "99999999999999999999",
    "true",
    "[[task]]",
    "needs = [\"*\"]",
    "foreach = [1, 1]",
    "matrix = {}",
    "run = []",
    "shell = { script = 1 }",
    "\\u{1f600}",
];

fn mutate(text: &str, numbers: &mut Numbers) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.next(3) {
        let at = numbers.next(chars.len() + 1);
        match numbers.next(7) {
            0 => drop(chars.splice(at..at, ODD[numbers.next(ODD.len())].chars())),
            1 if at < chars.len() => drop(chars.remove(at)),
            2 => chars.truncate(at),
            3 => {
                let end = (at + numbers.next(40)).min(chars.len());
                drop(chars.drain(at.min(end)..end));
            }
            4 if at < chars.len() => chars[at] = char::from(u8::try_from(numbers.next(128)).unwrap()),
            5 => {
                // A line twice.
                let text: String = chars.iter().collect();
                let lines: Vec<&str> = text.lines().collect();
                let (line, place) = (numbers.next(lines.len()), numbers.next(lines.len() + 1));
                let mut lines = lines.clone();
                if let Some(one) = lines.get(line).copied() {
                    lines.insert(place, one);
                }
                chars = lines.join("\n").chars().collect();
            }
            _ => {
                // Two words change places.
                let text: String = chars.iter().collect();
                let mut words: Vec<&str> = text.split(' ').collect();
                let (one, other) = (numbers.next(words.len()), numbers.next(words.len()));
                words.swap(one, other);
                chars = words.join(" ").chars().collect();
            }
        }
    }
    chars.into_iter().collect()
}

fn shipped() -> BTreeMap<Utf8PathBuf, Arc<str>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    let mut waiting = vec![
        root.join("infra.toml"),
        root.join("tasks"),
        root.join("templates"),
        root.join("env"),
        root.join("ansible"),
        root.join("terraform"),
    ];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(Utf8PathBuf::from(name), Arc::from(text));
        }
    }
    files
}

/// What is told points into files, at whole characters, and can be shown.
fn holds(files: &Memory) -> Result<bool, String> {
    let loaded = catch_unwind(AssertUnwindSafe(|| load(files, &Options::default())))
        .map_err(|_| "the loader broke".to_owned())?;
    let sources = loaded.sources.iter().map(|(path, text)| (path.clone(), text.to_string())).collect();
    catch_unwind(|| {
        for width in [40, 80, usize::MAX] {
            diagnostics::human(&loaded.diagnostics, &sources, &Look { width, color: true, ..Look::default() });
        }
        diagnostics::json(&loaded.diagnostics, &sources)
    })
    .map_err(|_| "the report broke".to_owned())?;
    for one in &loaded.diagnostics {
        let Some(place) = &one.place else { return Err(format!("nowhere: {} {}", one.code, one.message)) };
        let text = files.read(&place.file).ok_or_else(|| format!("in no file: {} {}", one.code, place.file))?;
        let (start, end) = (place.span.start, place.span.end);
        if start > end || end > text.len() || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return Err(format!("no place in its file: {} {}..{} of {}", one.code, start, end, text.len()));
        }
        if one.message.is_empty() || one.message.contains("os error") {
            return Err(format!("no words: {}", one.code));
        }
    }
    let wrong = loaded.diagnostics.iter().any(|one| one.severity == Severity::Error);
    if wrong == loaded.project.is_some() { Err("wrong, and no mistake".to_owned()) } else { Ok(wrong) }
}

#[test]
fn no_declaration_breaks_the_loader() {
    let good = shipped();
    assert_eq!(holds(&Memory(good.clone())), Ok(false), "what is shipped is right");
    let toml: Vec<Utf8PathBuf> = good
        .keys()
        .filter(|path| {
            path.as_str() == "infra.toml"
                || path.starts_with("tasks")
                || path.starts_with("templates")
                || path.extension() == Some("tf")
                || path.extension() == Some("yml")
        })
        .cloned()
        .collect();
    let own: Vec<Utf8PathBuf> = toml.iter().filter(|path| path.extension() == Some("toml")).cloned().collect();
    let mut numbers = Numbers(1);
    let mut wrong = 0;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    // More on request: each round loads the whole project.
    let rounds = std::env::var("INFRA_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(250);
    for round in 0..rounds {
        let paths = if round % 4 == 0 { &toml } else { &own };
        let path = &paths[numbers.next(paths.len())];
        let mut files = good.clone();
        let text = mutate(&files[path], &mut numbers);
        files.insert(path.clone(), Arc::from(text.as_str()));
        match holds(&Memory(files)) {
            Ok(is_wrong) => wrong += usize::from(is_wrong),
            Err(what) => failures.push(format!("{what}\n--- {path}\n{text}")),
        }
    }
    std::panic::set_hook(hook);
    assert!(failures.is_empty(), "{} failures, first: {}", failures.len(), failures[0]);
    assert!(wrong > rounds / 3, "only {wrong} of {rounds} were wrong: the changes are too tame");
}

#[test]
fn no_declaration_breaks_the_program() {
    let mut numbers = Numbers(2);
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks/gates.toml")).unwrap();
    let story = Story::new();
    for _ in 0..60 {
        let changed = mutate(&text, &mut numbers);
        std::fs::create_dir_all(story.path("tasks")).unwrap();
        std::fs::write(story.path("tasks/t.toml"), &changed).unwrap();
        for words in ["check", "check --json", "plan"] {
            let seen = story.try_infra(words);
            is_plain(&seen);
            assert!(matches!(seen.code, Some(0 | 2)), "{words}: {seen:?}\n{changed}");
        }
    }
    story.absent(".infra");
}
