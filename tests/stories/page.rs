//! Holds `docs/truth.md` to the stories and the stories to the page: each named one exists, each is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn stories() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("tests/stories")).unwrap().map(|entry| entry.unwrap().path());
    let is_truth = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("truth_"));
    files.filter(is_truth).collect()
}

/// Names of the tests in the files that tell rules.
fn told() -> Vec<String> {
    let mut told = Vec::new();
    for file in stories() {
        let text = fs::read_to_string(&file).unwrap();
        for test in text.split("#[test]").skip(1) {
            let name = test.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            told.push(name.expect("a name").to_owned());
        }
    }
    told
}

/// Rows of the page's tables, without their heads.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'_ str| -> bool { line.starts_with("| ") && !line.starts_with("| you do ") };
    page.lines()
        .filter(|line| cells(line))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

fn named(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[test]
fn every_rule_names_its_stories_and_every_story_is_named() {
    let page = fs::read_to_string(root().join("docs/truth.md")).unwrap();
    let told = told();
    let stories: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(told.len(), stories.len(), "two stories of one name");
    let mut seen = BTreeSet::new();
    for row in rows(&page) {
        assert_eq!(row.len(), 5, "five cells: {row:?}");
        let tests: Vec<String> = named(row[4]).collect();
        assert!(!tests.is_empty(), "no test: {row:?}");
        seen.extend(tests);
    }
    let none: Vec<&String> = seen.difference(&stories).collect();
    assert!(none.is_empty(), "docs/truth.md names tests that are not there: {none:#?}");
    let unnamed: Vec<&String> = stories.difference(&seen).collect();
    assert!(unnamed.is_empty(), "docs/truth.md does not name: {unnamed:#?}");
}

/// Words of `Reason`, as machines see them.
fn reasons() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("src/model/reason.rs")).unwrap();
    let variants = text.split("pub enum Reason {").nth(1).unwrap().split("\n}\n").next().unwrap();
    variants
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.split([' ', ',', '{']).next().unwrap())
        .map(|name| {
            let mut word = String::new();
            for (at, c) in name.char_indices() {
                if c.is_ascii_uppercase() && at > 0 {
                    word.push('-');
                }
                word.push(c.to_ascii_lowercase());
            }
            word
        })
        .collect()
}

#[test]
fn every_reason_has_a_story() {
    let text: String = stories().iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let missing: Vec<String> =
        reasons().into_iter().filter(|word| !text.contains(&format!("\"kind\": \"{word}\""))).collect();
    assert!(missing.is_empty(), "no story asserts: {missing:?}");
}
