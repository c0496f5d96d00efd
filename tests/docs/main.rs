//! Holds the documentation to what is: commands and schemas as the program has them, links that lead
//! somewhere, command blocks that run and print what the pages say.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes the generated pages anew.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    clippy::format_push_string,
    reason = "a test may panic, and says on stderr what it does"
)]

mod blocks;
mod commands;
mod json;
mod links;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program.
const INFRA: &str = env!("CARGO_BIN_EXE_infra");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A page that is generated: equal to what it should be, or written anew on request.
fn assert_current(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found != wanted {
        let line = found.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count() + 1;
        panic!("{path} is stale from line {line} on: UPDATE_DOCS=1 cargo test --test docs");
    }
}

/// Every page that people read.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !name.starts_with('.') && name != "target" && name != "build" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_command_reference_is_that_of_the_program() {
    assert_current("docs/commands.md", &commands::reference());
}

#[test]
fn the_manual_pages_are_those_of_the_program() {
    let mut wanted = BTreeSet::new();
    for path in infra::cli::manuals() {
        let name = std::iter::once("infra".to_owned()).chain(path.clone()).collect::<Vec<_>>().join("-");
        let page = infra::cli::manual(&path).unwrap();
        assert_current(&format!("docs/man/{name}.1"), &page);
        wanted.insert(format!("{name}.1"));
    }
    let found = fs::read_dir(root().join("docs/man")).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<String> = found.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(found, wanted, "docs/man has a page of a command that is gone");
}

#[test]
fn the_schemas_are_those_of_the_program() {
    for file in ["project", "tasks"] {
        let output = Command::new(INFRA).args(["schema", file]).output().unwrap();
        assert!(output.status.success(), "infra schema {file}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_current(&format!("docs/schema/{file}.json"), &text);
    }
}

#[test]
fn the_task_format_names_every_key() {
    let page = read(&root().join("docs/task-format.md"));
    // In the first column of a table, or a heading.
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let named: BTreeSet<&str> = cells.chain(headings).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let mut missing = BTreeSet::new();
    for file in ["project", "tasks"] {
        let schema = read(&root().join(format!("docs/schema/{file}.json")));
        keys(&serde_json::from_str(&schema).unwrap(), &mut |key| {
            if !named.contains(key) && key != "task" {
                missing.insert(key.to_owned());
            }
        });
    }
    assert!(missing.is_empty(), "docs/task-format.md does not name {missing:?}");
}

/// Names of all keys that a schema allows.
fn keys(schema: &serde_json::Value, see: &mut impl FnMut(&str)) {
    match schema {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                if name == "properties" {
                    for key in value.as_object().unwrap().keys() {
                        see(key);
                    }
                }
                keys(value, see);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, see)),
        _ => {}
    }
}

#[test]
fn links_lead_somewhere() {
    let broken: Vec<String> = pages().iter().flat_map(|page| links::broken(page)).collect();
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn the_quickstart_works_as_written() {
    let folder = tempfile::tempdir().unwrap();
    blocks::walk("docs/quickstart.md", folder.path());
}

#[test]
fn the_task_formats_examples_work_as_written() {
    let folder = tempfile::tempdir().unwrap();
    blocks::walk("docs/task-format.md", folder.path());
}

#[test]
fn the_recoveries_work_as_written() {
    let folder = tempfile::tempdir().unwrap();
    blocks::walk("docs/recovery.md", folder.path());
}

#[test]
fn who_comes_from_another_tool_finds_it_as_written() {
    for page in ["make", "just", "task", "doit", "garden"] {
        let folder = tempfile::tempdir().unwrap();
        blocks::walk(&format!("docs/coming-from/{page}.md"), folder.path());
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let help = Command::new(INFRA).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let codes: Vec<&str> = codes.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let page = read(&root().join("docs/exit-codes.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let rows: Vec<&str> = rows.filter(|cell| cell.parse::<u8>().is_ok()).collect();
    assert_eq!(rows, codes);
    let folder = tempfile::tempdir().unwrap();
    blocks::walk("docs/exit-codes.md", folder.path());
}

#[test]
fn machine_output_is_as_documented() {
    let mut page = json::Page::read(&read(&root().join("docs/json.md")));
    let folder = tempfile::tempdir().unwrap();
    json::check(&mut page, folder.path());
    let wrong = page.verdict();
    assert!(wrong.is_empty(), "docs/json.md:\n{wrong}");
}
