//! Owns the tests of contents, globs and the caches on a real disk.
//! Does not know anything but the public interface.

use super::*;
use crate::model::task::GitIgnore;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

struct Place {
    disk: Disk,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().join("project")).unwrap();
        std::fs::create_dir(&root).unwrap();
        let place = Self { disk: Disk::new(root, StatCache::default()), _folder: folder };
        for (path, text) in files {
            place.write(path, text);
        }
        place
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        self.disk.root().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Moves a file's stamps into the past, so that it is not racy.
    fn age(&self, path: &str, seconds: u64) {
        let file = std::fs::File::options().write(true).open(self.path(path)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    fn content(&self, path: &str) -> Digest {
        self.disk.content(Utf8Path::new(path)).unwrap().digest
    }

    fn artifact(&self, path: &str) -> Digest {
        self.disk.artifact(Utf8Path::new(path)).unwrap().digest
    }

    fn changed(&self, path: &str, change: impl FnOnce()) -> bool {
        let before = self.content(path);
        change();
        self.disk.forget_all();
        self.content(path) != before
    }

    fn glob(&self, pattern: &str) -> String {
        self.glob_with(pattern, &[], GitIgnore::Respected)
    }

    fn glob_with(&self, pattern: &str, without: &[&str], ignore: GitIgnore) -> String {
        let without = without.iter().map(|&text| text.to_owned()).collect();
        let files = self.disk.glob(&Glob { pattern: pattern.to_owned(), without, ignore }).unwrap();
        files.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn content_is_bytes_and_executable_bit_and_nothing_else() {
    let place = Place::new(&[("a", "text"), ("b", "text")]);
    assert_eq!(place.content("a"), place.content("b"), "the name is not the content");
    assert!(!place.changed("a", || place.age("a", 1000)), "nor is the time");
    let mode = |mode| std::fs::set_permissions(place.path("a"), PermissionsExt::from_mode(mode)).unwrap();
    assert!(!place.changed("a", || mode(0o600)));
    assert!(place.changed("a", || mode(0o755)));
    assert!(place.changed("a", || place.write("a", "texT")));
    assert!(place.changed("a", || std::fs::remove_file(place.path("a")).unwrap()));
    assert_eq!(place.content("a"), missing());
    assert_eq!(place.content("b/below/a/file"), missing());
}

#[test]
fn an_empty_file_a_missing_one_and_an_empty_folder_differ() {
    let place = Place::new(&[("empty", "")]);
    std::fs::create_dir(place.path("folder")).unwrap();
    let all = [place.content("empty"), place.content("none"), place.content("folder")];
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

#[test]
fn a_link_counts_with_what_it_leads_to_only_as_an_input() {
    let place = Place::new(&[("target", "1"), ("../outside", "1"), ("folder/file", "1")]);
    for (link, to) in [("in", "target"), ("out", "../outside"), ("chain", "in"), ("dir", "folder"), ("none", "gone")] {
        symlink(to, place.path(link)).unwrap();
    }
    let kept = ["in", "out", "chain", "dir"].map(|link| place.artifact(link));
    assert!(place.changed("in", || place.write("target", "22")));
    assert!(place.changed("chain", || place.write("target", "333")));
    assert!(place.changed("out", || place.write("../outside", "22")));
    assert!(place.changed("dir", || place.write("folder/file", "22")));
    assert!(place.changed("none", || place.write("gone", "22")));
    assert_eq!(kept, ["in", "out", "chain", "dir"].map(|link| place.artifact(link)));
    assert_eq!(place.disk.kind(Utf8Path::new("in")), ContentKind::Link);
}

#[test]
fn what_a_link_leads_to_is_never_remembered_with_it() {
    let place = Place::new(&[("target", "1")]);
    symlink("target", place.path("link")).unwrap();
    let before = place.content("link");
    place.write("target", "22");
    assert_ne!(place.content("link"), before);
}

#[test]
fn loops_of_links_end() {
    let place = Place::new(&[("a/b/file", "1")]);
    symlink("..", place.path("a/b/up")).unwrap();
    symlink("self", place.path("self")).unwrap();
    symlink("pong", place.path("ping")).unwrap();
    symlink("ping", place.path("pong")).unwrap();
    for path in ["a", "a/b", "self", "ping", "self/below", ""] {
        assert_eq!(place.content(path), place.content(path));
    }
    assert!(place.changed("a", || place.write("a/b/file", "22")));
}

#[test]
fn a_folder_is_its_names_kinds_and_contents() {
    let place = Place::new(&[("f/a", "1"), ("f/sub/b", "2"), ("g/a", "1"), ("g/sub/b", "2")]);
    assert_eq!(place.content("f"), place.content("g/"));
    assert_eq!(place.content("f"), place.content(place.path("f").as_str()), "absolute or not");
    assert!(place.changed("f", || place.write("f/sub/b", "3")));
    assert!(place.changed("f", || { std::fs::rename(place.path("f/a"), place.path("f/z")).unwrap() }));
    assert!(place.changed("f", || std::fs::create_dir(place.path("f/empty")).unwrap()));
    assert!(!place.changed("f", || place.write("f/.git/HEAD", "x")));
    assert_ne!(place.artifact("f"), place.content("f"), "an artifact is all that is in it");
    assert_eq!(place.artifact("g"), place.content("g"));
    let _socket = std::os::unix::net::UnixListener::bind(place.path("g/s")).unwrap();
    assert!(!place.changed("g", || ()));
    place.disk.forget(Utf8Path::new("g/s"));
    let error = place.disk.artifact(Utf8Path::new("g")).unwrap_err().to_string();
    assert!(error.contains("g/s") && error.contains("socket"), "{error}");
}

#[test]
fn answers_last_until_they_are_forgotten() {
    let place = Place::new(&[("f/a/x", "1"), ("f/b", "1"), ("fa", "1")]);
    let before = ["f/a/x", "f/a", "f", "f/b"].map(|path| place.content(path));
    place.write("f/a/x", "22");
    place.write("f/b", "22");
    assert_eq!(before, ["f/a/x", "f/a", "f", "f/b"].map(|path| place.content(path)));
    place.disk.forget(Utf8Path::new("f/a"));
    let after = ["f/a/x", "f/a", "f", "f/b"].map(|path| place.content(path));
    assert_eq!([0, 1, 2, 3].map(|at| before[at] != after[at]), [true, true, true, false]);
}

#[test]
fn an_equal_signature_saves_reading_unless_it_is_racy() {
    let place = Place::new(&[("a", "one"), ("b", "one")]);
    place.age("a", 100);
    std::thread::sleep(Duration::from_millis(50));
    place.content("a");
    place.write("b", "one");
    place.content("b");
    let rows = place.disk.stat_changes();
    assert!(rows.drop.is_empty() && place.disk.stat_changes().is_empty());
    let racy: Vec<bool> = rows.put.iter().map(|row| row.racy).collect();
    assert_eq!(racy, [false, true], "`a` is old enough, `b` was written just now");

    // Rows that lie show which are believed.
    let lie = Digest::of(Domain::Missing, b"lie");
    let rows: Vec<StatRow> = rows.put.into_iter().map(|row| StatRow { digest: lie, ..row }).collect();
    let disk = Disk::new(place.disk.root(), StatCache::new(rows.clone()));
    assert_eq!(disk.content(Utf8Path::new("a")).unwrap().digest, lie);
    assert_ne!(disk.content(Utf8Path::new("b")).unwrap().digest, lie);
    // A new time means reading again, and the same bytes are the same content.
    place.age("a", 200);
    let disk = Disk::new(place.disk.root(), StatCache::new(rows));
    assert_eq!(disk.content(Utf8Path::new("a")).unwrap().digest, place.content("a"));
    assert_eq!(disk.stat_changes().put.len(), 1);
}

#[test]
fn a_write_of_the_same_size_right_after_reading_is_seen() {
    let place = Place::new(&[("a", "0")]);
    for round in 0..200 {
        let text = (round % 10).to_string();
        place.write("a", &text);
        place.disk.forget(Utf8Path::new("a"));
        let other = Place::new(&[("a", &text)]);
        assert_eq!(place.content("a"), other.content("a"), "round {round}");
    }
}

#[test]
fn big_files_are_hashed_as_small_ones_are() {
    let text = "0123456789abcdef".repeat(200_000);
    let place = Place::new(&[("big", &text)]);
    let mut encoder = crate::model::digest::Encoder::new(Domain::File);
    assert_eq!(place.content("big"), encoder.number(0).stream(text.as_bytes()).finish());
}

#[test]
fn globs_leave_out_what_is_ignored_and_nothing_else_that_is_hidden() {
    let place = Place::new(&[
        (".gitignore", "*.log\n/build/\n!keep.log\n"),
        (".hidden/x.yml", ""),
        (".git/config", ""),
        (".infra/state.yml", ""),
        ("build/gen.yml", ""),
        ("a/build/x.yml", ""),
        ("a/.gitignore", "secret.yml\n!sub/loud.log\n"),
        ("a/secret.yml", ""),
        ("a/sub/secret.yml", ""),
        ("a/sub/loud.log", ""),
        ("a/x.log", ""),
        ("keep.log", ""),
        ("secret.yml", ""),
    ]);
    assert_eq!(place.glob("**/*.yml"), ".hidden/x.yml a/build/x.yml secret.yml");
    assert_eq!(place.glob("**/*.log"), "a/sub/loud.log keep.log");
    assert_eq!(place.glob("a/*.yml"), "");
    assert_eq!(place.glob("build/*.yml"), "", "what is in an ignored folder is ignored");
    assert_eq!(place.glob("build/gen.yml"), "");
    assert_eq!(place.glob_with("build/**", &[], GitIgnore::Disregarded), "build/gen.yml");
    assert_eq!(place.glob_with("**/*.yml", &["a", "secret.*"], GitIgnore::Respected), ".hidden/x.yml");
    assert_eq!(place.glob(".infra/**"), "");
    assert_eq!(place.glob("no/such/**"), "");
    let walked = place.disk.walk(Utf8Path::new("a/")).unwrap();
    assert_eq!(walked.len(), 6, "a folder named in full is taken whole: {walked:?}");
}

#[test]
fn rules_above_the_root_count_in_a_repository_only() {
    let place = Place::new(&[("../.gitignore", "*.tmp\nproject/\n"), ("x.tmp", ""), ("y", "")]);
    assert_eq!(place.glob("**"), "x.tmp y");
    std::fs::create_dir(place.path("../.git")).unwrap();
    place.disk.forget_all();
    assert_eq!(place.glob("**"), "y", "and a rule about the project itself does not empty it");
}

#[test]
fn links_are_taken_but_not_entered_unless_named() {
    let place = Place::new(&[("../shared/x.yml", ""), ("a/y.yml", "")]);
    symlink("../../shared", place.path("a/link")).unwrap();
    symlink("y.yml", place.path("a/z.yml")).unwrap();
    assert_eq!(place.glob("a/**"), "a/link a/y.yml a/z.yml");
    assert_eq!(place.glob("a/link/*.yml"), "a/link/x.yml");
}

#[test]
fn a_glob_sees_new_and_gone_files_when_their_paths_are_forgotten() {
    let place = Place::new(&[(".gitignore", "*.log"), ("a/x", ""), ("a/b/y", ""), ("ab", "")]);
    assert_eq!(place.glob("**"), ".gitignore a/b/y a/x ab");
    assert_eq!(place.glob("a/*"), "a/x");
    for path in ["a/b/new", "c/d/new", "c/d/new.log", "a/new"] {
        place.write(path, "");
        place.disk.forget(Utf8Path::new(path));
    }
    std::fs::remove_file(place.path("a/x")).unwrap();
    assert_eq!(place.glob("a/*"), "a/new a/x");
    place.disk.forget(Utf8Path::new("a/x"));
    assert_eq!(place.glob("**"), ".gitignore a/b/new a/b/y a/new ab c/d/new");
    assert_eq!(place.glob("a/*"), "a/new");
    std::fs::remove_dir_all(place.path("a")).unwrap();
    place.disk.forget(Utf8Path::new("a"));
    assert_eq!(place.glob("**"), ".gitignore ab c/d/new");
    assert_eq!(place.glob("a/*"), "");
    place.write(".gitignore", "");
    place.disk.forget(Utf8Path::new(".gitignore"));
    assert_eq!(place.glob("c/**"), "c/d/new c/d/new.log");
}

#[test]
fn plain_questions_are_answered() {
    let place = Place::new(&[("f/b", "text"), ("f/a", "")]);
    std::fs::write(place.path("f/raw"), b"\xff").unwrap();
    assert_eq!(place.disk.list(Utf8Path::new("f")), ["a", "b", "raw"]);
    assert_eq!(place.disk.read(Utf8Path::new("f/b")).as_deref(), Some("text"));
    assert_eq!(place.disk.read(Utf8Path::new("f/raw")), None);
    assert_eq!(place.disk.kind(Utf8Path::new("f")), ContentKind::Folder);
    assert_eq!(place.disk.kind(Utf8Path::new("none")), ContentKind::Missing);
}
