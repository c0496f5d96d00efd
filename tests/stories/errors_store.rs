//! The store is not what it was: newer, damaged, lost in parts. Nothing is guessed, nothing is overwritten,
//! and the words say what to do.

use crate::errors_world::is_plain;
use crate::support::Story;
use std::fs;

const TASKS: &str = "[task.a]\neffect = \"pure\"\noutputs = [\"out\"]\nshell = \"echo a >> ../log; echo x > out\"\n[task.s]\nexports = { k = \"secret<string>\" }\nshell = \"echo s >> ../log; echo k=hunter2 > $INFRA_EXPORTS\"\n[task.u]\nshell = \": {{ tasks.s.k }}\"\n";

fn ran() -> Story {
    let story = Story::with(TASKS);
    story.run("a s");
    story
}

/// Every command says the same, and leaves the file alone.
fn refused(story: &Story, readers: bool, texts: &[&str]) {
    let before = fs::read(story.path(".infra/state.db")).ok();
    let readers: &[&str] =
        if readers { &["status", "plan a", "history", "logs a", "outputs", "why a", "list"] } else { &[] };
    for words in readers.iter().chain(&["run a", "destroy --yes", "resolve a --done"]) {
        let seen = story.infra_to(7, words).last();
        is_plain(&seen);
        for text in texts {
            assert!(seen.stderr.contains(text), "{words}: `{text}`: {}", seen.stderr);
        }
        assert_eq!(fs::read(story.path(".infra/state.db")).ok(), before, "{words} touched it");
    }
    assert_eq!(story.times("a"), 1);
}

#[test]
fn a_newer_store_is_read_and_not_written() {
    let story = ran();
    // `PRAGMA user_version` is at byte 60 of the file.
    let path = story.path(".infra/state.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    story.states("a=fresh s=fresh").infra("history").infra("outputs a").infra("plan a");
    for words in ["run a", "resolve a --done"] {
        let seen = story.infra_to(7, words).last();
        is_plain(&seen);
        for text in ["has format 99, and this program knows ", "use the newer program"] {
            assert!(seen.stderr.contains(text), "{text}: {seen:?}");
        }
    }
    assert_eq!(story.times("a"), 1);
}

#[test]
fn what_is_no_database_is_left_alone() {
    let story = ran();
    fs::write(story.path(".infra/state.db"), "this is no database, but it is long enough to look like a file of one")
        .unwrap();
    refused(
        &story,
        true,
        &["state.db", "it is no database: damaged, or another program's file", "take it back from a backup", "mv "],
    );
    // As told: set aside, everything counts as never run.
    fs::rename(story.path(".infra/state.db"), story.path(".infra/state.db.damaged")).unwrap();
    story.states("a=stale s=stale").run("a").ran(["a"]);
}

#[test]
fn a_damaged_database_is_left_alone() {
    let story = ran();
    let path = story.path(".infra/state.db");
    let mut bytes = fs::read(&path).unwrap();
    // All but the first page.
    for byte in bytes.iter_mut().skip(4096) {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).unwrap();
    refused(&story, true, &["state.db", "it is damaged", "take it back from a backup"]);
}

#[test]
fn a_database_cut_short_is_no_panic() {
    let story = ran();
    let path = story.path(".infra/state.db");
    let bytes = fs::read(&path).unwrap();
    for length in [1, 50, 100, 4096, 8192, bytes.len() - 4096] {
        fs::write(&path, &bytes[..length.min(bytes.len())]).unwrap();
        for words in ["status", "history", "run a"] {
            let seen = story.try_infra(words);
            is_plain(&seen);
            assert!(matches!(seen.code, Some(0 | 7)), "{length} {words}: {seen:?}");
        }
        fs::write(&path, &bytes).unwrap();
    }
    story.states("a=fresh s=fresh");
}

#[test]
fn a_folder_in_its_place_is_told() {
    let story = ran();
    fs::remove_file(story.path(".infra/state.db")).unwrap();
    fs::create_dir(story.path(".infra/state.db")).unwrap();
    refused(&story, true, &["state.db", "folder"]);
}

#[test]
fn rows_that_make_no_sense_are_damage_too() {
    let story = ran();
    let path = story.path(".infra/state.db");
    let text = fs::read(&path).unwrap();
    let find = |wanted: &[u8]| text.windows(wanted.len()).position(|window| window == wanted);
    // The word of an effect, in a row.
    let at = find(b"idempotent").expect("an effect is written");
    let mut bytes = text.clone();
    bytes[at..at + 10].copy_from_slice(b"idxmpotent");
    fs::write(&path, bytes).unwrap();
    for words in ["status", "run s"] {
        let seen = story.try_infra(words);
        is_plain(&seen);
        assert!(matches!(seen.code, Some(0 | 7)), "{seen:?}");
    }
}

#[test]
fn a_lost_or_foreign_key_is_told_and_not_made_anew_over_what_it_sealed() {
    let story = ran();
    let key = fs::read(story.path(".infra/key")).unwrap();
    for bytes in [&b"short"[..], &[7; 32][..]] {
        fs::write(story.path(".infra/key"), bytes).unwrap();
        let reveal = story.try_infra("outputs s --reveal");
        is_plain(&reveal);
        assert!(matches!(reveal.code, Some(5 | 7)) && reveal.stderr.contains("key"), "{reveal:?}");
        let used = story.try_infra("run u");
        is_plain(&used);
        assert!(!used.stdout.contains("hunter2") && !used.stderr.contains("hunter2"));
    }
    fs::write(story.path(".infra/key"), key).unwrap();
    story.infra("outputs s --reveal").stdout_has("hunter2").run("u");
}

#[test]
fn a_lost_artifact_is_made_again() {
    let story = ran();
    fs::remove_dir_all(story.path(".infra/cas")).unwrap();
    story.remove("out").run("a").ran(["a"]).holds("out", "x\n");
    // One that was altered is not put back.
    let object = walk(&story.path(".infra/cas")).into_iter().find(|path| path.is_file()).expect("an object");
    let _ = std::process::Command::new("chmod").arg("u+w").arg(&object).status();
    fs::write(&object, "altered").unwrap();
    story.remove("out").run("a").holds("out", "x\n");
    is_plain(&story.last());
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(walk(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn locks_that_can_not_be_made_are_told() {
    let story = ran();
    fs::remove_dir_all(story.path(".infra/locks")).unwrap();
    story.file(".infra/locks", "a file");
    let seen = story.infra_to(7, "run a --force").last();
    is_plain(&seen);
    assert!(seen.stderr.contains(".infra/locks"), "{seen:?}");
    story.states("a=fresh");
}
