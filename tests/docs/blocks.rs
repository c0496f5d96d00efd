//! Owns the execution of a page's command blocks.
//!
//! A block tagged `sh` is run, line by line as one types it, in one folder from the top of the page to
//! its end. `<!-- exit: N -->` before it says that it ends with N. A block tagged `text` after
//! `<!-- output -->` must be what the last block printed, times and digests aside; `UPDATE_DOCS=1` writes
//! it anew. Any other block is never run.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the blocks of a page in a folder.
pub fn walk(page: &str, folder: &Path) {
    let file = crate::root().join(page);
    let text = crate::read(&file);
    let mut renewed = text.clone();
    let mut printed = String::new();
    let mut ran = 0;
    for block in blocks(&text) {
        let at = format!("{page}:{}", block.line);
        match (block.tag.as_str(), block.note.as_str()) {
            ("sh", note) => {
                let wanted = note.strip_prefix("exit: ").map_or(0, |code| code.parse().unwrap());
                printed = run(&block.text, wanted, folder, &at);
                ran += 1;
            }
            ("text", "output") if plain(&block.text) == plain(&printed) => {}
            ("text", "output") if std::env::var_os("UPDATE_DOCS").is_some() => {
                let fenced = |inner: &str| format!("<!-- output -->\n```text\n{}\n```\n", inner.trim_end());
                renewed = renewed.replacen(&fenced(&block.text), &fenced(&printed), 1);
            }
            ("text", "output") => differ(&block.text, &printed, &at),
            _ => {}
        }
    }
    assert!(ran > 0, "{page} has no block to run");
    if renewed != text {
        std::fs::write(&file, renewed).unwrap();
    }
}

struct Block {
    tag: String,
    /// What a comment on the line before says.
    note: String,
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = "";
    for (number, line) in page.lines().enumerate() {
        if let Some(tag) = line.strip_prefix("```") {
            match open.take() {
                Some(block) => blocks.push(block),
                None => {
                    let note = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")).unwrap_or("");
                    let (tag, note) = (tag.to_owned(), note.to_owned());
                    open = Some(Block { tag, note, line: number + 1, text: String::new() });
                }
            }
        } else if let Some(block) = &mut open {
            let _ = writeln!(block.text, "{line}");
        }
        before = line;
    }
    blocks
}

fn run(script: &str, wanted: i32, folder: &Path, at: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let own = Path::new(crate::INFRA).parent().unwrap();
    let tools = ["venv", "import", "bench"]
        .map(|part| crate::root().join(".tools").join(part).join("bin").display().to_string());
    let output = Command::new("sh")
        .args(["-eu", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(folder)
        .env("PATH", format!("{}:{}:{path}", own.display(), tools.join(":")))
        .env_remove("INFRA_ENV")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(wanted), "{at}: ended otherwise\n{script}\n{printed}");
    printed
}

fn differ(wanted: &str, printed: &str, at: &str) -> ! {
    let (wanted, found) = (plain(wanted), plain(printed));
    panic!(
        "{at}: prints something else (UPDATE_DOCS=1 takes it over)\n--- on the page\n{wanted}\n--- printed\n{found}"
    );
}

/// Text without what differs from run to run: times, spaces, digests.
fn plain(text: &str) -> String {
    let clean = |word: &str| -> String {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let hex = inner.len() >= 8 && inner.chars().all(|c| c.is_ascii_hexdigit());
        if hex { word.replace(inner, "HEX") } else { word.to_owned() }
    };
    let mut out = String::new();
    for line in text.lines() {
        let line = line.replace("just now", "0 s ago");
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut kept: Vec<String> = Vec::new();
        for (place, word) in words.iter().enumerate() {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            let number = place > 0 && words[place - 1].trim_matches(|c: char| "([".contains(c)).parse::<f64>().is_ok();
            if number && ["ms", "s", "min", "h"].contains(&bare) {
                kept.pop();
                kept.push(word.replace(bare, "TIME"));
            } else {
                kept.push(clean(word));
            }
        }
        let _ = writeln!(out, "{}", kept.join(" "));
    }
    out.trim().to_owned()
}
