//! Completion in the shells that people use: each script is loaded by the real shell, and keys are
//! pressed where the shell has a keyboard.

use crate::support::Story;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const TASKS: &str = r#"
    [task.make-list]
    description = "Makes the list"
    stage = "first"
    tags = ["smoke"]
    run = ["true"]

    [task.verify]
    run = ["true"]

    [task.each]
    foreach = ["x y", "z"]
    run = ["true"]

    [task.only-dev]
    envs = ["dev"]
    run = ["true"]
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project("[project]\ndefault_env = \"local\"\n[vars]\ncount = 1\n[env.local]\n[env.dev]\n[env.prod]\n");
    story.on_path(Path::new(env!("CARGO_BIN_EXE_infra")).parent().unwrap());
    story
}

/// What is offered for the last word of a line.
fn offered(story: &Story, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let index = (words.len() - 1).to_string();
    let mut args = vec!["complete", "--index", &index, "--"];
    args.extend(&words);
    let seen = story.try_args(&args);
    assert_eq!((seen.code, seen.stderr.as_str()), (Some(0), ""), "{seen:?}");
    let values = seen.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default());
    values.collect::<Vec<_>>().join(" ")
}

#[test]
pub fn names_of_the_project_are_offered() {
    let story = project();
    assert_eq!(offered(&story, "infra run "), "make-list verify each[x y] each[z] stage:first tag:smoke");
    assert_eq!(offered(&story, "infra run m"), "make-list");
    assert_eq!(offered(&story, "infra run +v"), "+verify");
    assert_eq!(offered(&story, "infra run verify --skip st"), "stage:first");
    assert_eq!(offered(&story, "infra why "), "make-list verify each[x y] each[z]");
    assert_eq!(offered(&story, "infra show ver"), "verify");
    assert_eq!(offered(&story, "infra run -e "), "local dev prod");
    assert_eq!(offered(&story, "infra run --env=d"), "--env=dev");
    assert_eq!(offered(&story, "infra -e dev run o"), "only-dev");
    assert_eq!(offered(&story, "infra run --set c"), "count=");
    assert_eq!(offered(&story, "infra run --dry"), "--dry-run");
    assert_eq!(offered(&story, "infra hist"), "history");
    // Help comes along, behind a tab.
    assert!(
        story.try_args(&["complete", "--index", "2", "--", "infra", "run", "m"]).stdout.contains("\tMakes the list\n")
    );
    // From elsewhere, with the folder on the line.
    let elsewhere = Story::new();
    assert_eq!(offered(&elsewhere, &format!("infra -C {} run ver", story.root().display())), "verify");
    story.absent(".infra");
}

#[test]
fn what_tasks_make_is_offered_of_those_that_the_line_names() {
    let story = project();
    story.tasks(
        r#"
        [task.a]
        outputs = ["out/a.txt", "out/more.txt"]
        exports = { host = "string", port = "int" }
        run = ["true"]
        [task.b]
        outputs = ["out/b.txt"]
        exports = { size = "int" }
        run = ["true"]
        "#,
    );
    assert_eq!(offered(&story, "infra artifacts get a "), "out/a.txt out/more.txt");
    assert_eq!(offered(&story, "infra artifacts show out/"), "out/a.txt out/more.txt out/b.txt");
    assert_eq!(offered(&story, "infra outputs b --key "), "size");
    assert_eq!(offered(&story, "infra outputs --key=h"), "--key=host");
}

#[test]
fn a_broken_project_offers_nothing_and_says_nothing() {
    let story = project();
    story.retask("foreach", "foreech");
    assert_eq!(offered(&story, "infra run "), "");
    assert_eq!(offered(&story, "infra sta"), "status");
    let nowhere = Story::new();
    assert_eq!(offered(&nowhere, "infra run "), "");
    assert_eq!(offered(&nowhere, "infra run -C /no/such/folder x"), "");
    nowhere.infra_to(2, "completion").stderr_has("<SHELL>");
    nowhere.infra_to(2, "completion tcsh").stderr_has("possible values: bash, zsh, fish");
}

/// A shell that must be here: a story that is left out shows nothing.
fn shell(name: &str) {
    let there = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there, "`{name}` is missing; on Debian or Ubuntu: apt-get install {name}");
}

fn script(story: &Story, shell: &str) -> String {
    let seen = story.try_args(&["completion", shell]);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let path = story.base().join(format!("infra.{shell}"));
    fs::write(&path, &seen.stdout).unwrap();
    path.display().to_string()
}

/// Keys pressed at an interactive shell, and all that appeared on its terminal.
fn typed(story: &Story, shell: &str, keys: &str) -> String {
    let mut command = story.command_of("script", &["-qec", shell, "/dev/null"]);
    command.env("TERM", "dumb").env("PS1", "$ ").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("`script` of util-linux starts");
    child.stdin.take().unwrap().write_all(keys.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

/// Each of these is typed behind a command that says what it got, which begins so.
const TYPED: [(&str, &str); 33] = [
    ("infra show mak\t", "<show><make-list>"),
    ("infra run stage:fi\t", "<run><stage:first>"),
    ("infra run tag:\t", "<run><tag:smoke>"),
    ("infra run --env=pr\t", "<run><--env=prod>"),
    ("infra hist\t", "<history>"),
    ("infra show each\\[z\t", "<show><each[z]>"),
    // An instance in two steps.
    ("infra run hos\twe\t", "<run><host[web-1]>"),
    ("infra run host\\[a\t", "<run><host[a b]>"),
    ("infra run host\\[x\t", "<run><host[x:y]>"),
    ("infra run host\\[it\t", "<run><host[it's]>"),
    ("infra run host\\[\\$\t", "<run><host[$HOME]>"),
    // Within quotes, where they are what a shell must not undo.
    ("infra run 'mak\t", "<run><make-list>"),
    ("infra run \"mak\t", "<run><make-list>"),
    ("infra run 'tag:sm\t", "<run><tag:smoke>"),
    ("infra run \"tag:sm\t", "<run><tag:smoke>"),
    ("infra run 'host[we\t", "<run><host[web-1]>"),
    ("infra run \"host[a\t", "<run><host[a b]>"),
    ("infra run 'host[x:\t", "<run><host[x:y]>"),
    ("infra run 'host[it\t", "<run><host[it's]>"),
    ("infra run \"host[it\t", "<run><host[it's]>"),
    ("infra run 'host[$\t", "<run><host[$HOME]>"),
    ("infra run \"host[\\$\t", "<run><host[$HOME]>"),
    // Paths; what a shell leaves of a slash or a quote at a folder's end is its own.
    ("infra -C oth\t", "<-C><other"),
    ("infra -C 'oth\t'", "<-C><other"),
    ("infra -C a\\ \t", "<-C><a dir"),
    ("infra -Coth\t", "<-Cother"),
    ("infra -C ~/mi\t", "<-C></"),
    ("infra import make in\\ \t", "<import><make><in file.mk>"),
    ("infra import make 'in f\t", "<import><make><in file.mk>"),
    ("infra artifacts get verify --to oth\t", "<artifacts><get><verify><--to><other"),
    ("infra run --junit other/re\t", "<run><--junit><other/report>"),
    ("infra run --junit=other/re\t", "<run><--junit=other/report>"),
    ("infra -C other run o\t", "<-C><other><run><only-there>"),
];

/// The project, with instances whose names a shell would read otherwise, and paths.
fn spelled() -> Story {
    let story = project();
    let items = r#"["web-1", "a b", "x:y", "it's", "$HOME"]"#;
    story.file("tasks/host.toml", &format!("[task.host]\nforeach = {items}\nrun = [\"true\"]\n"));
    story.file("other/report", "").file("other/tasks/t.toml", "[task.only-there]\nrun = [\"true\"]\n");
    story.file("a dir/x", "").file("in file.mk", "").file("../home/mine/x", "");
    story
}

fn presses(story: &Story, shell: &str, setup: &str) {
    // What is completed is looked up with the real program, and what is entered told by another one.
    let mut keys = format!("{setup}\n");
    for (line, _) in TYPED {
        keys += line;
        keys += "\n";
    }
    keys += "exit\n";
    story.program("told", "printf 'TOLD'; printf '<%s>' \"$@\"; echo");
    let seen = typed(story, shell, &keys);
    let told: Vec<&str> = seen.lines().filter(|line| line.starts_with("TOLD")).collect();
    for (place, (line, wanted)) in TYPED.iter().enumerate() {
        let found = told.get(place).and_then(|told| told.strip_prefix("TOLD"));
        assert!(
            found.is_some_and(|found| found.starts_with(wanted)),
            "{shell}: {line:?} did not become {wanted}, but {found:?}:\n{seen}"
        );
    }
    assert!(told.iter().any(|told| told.contains("/home/mine")), "{shell}: {seen}");
}

#[test]
pub fn every_shell_has_a_script() {
    let story = Story::new();
    for (name, mark) in [("bash", "complete -F _infra infra"), ("zsh", "#compdef infra"), ("fish", "complete -c infra")]
    {
        shell(name);
        let path = script(&story, name);
        story.stdout_has(mark);
        let parsed = story.command_of(name, &["-n", &path]).status().unwrap();
        assert!(parsed.success(), "{name} can't parse its script");
    }
}

#[test]
pub fn bash_completes_what_is_typed() {
    shell("bash");
    let story = spelled();
    let path = script(&story, "bash");
    // `infra` as a function tells what was entered; the script asks `command infra`, the program.
    presses(&story, "bash --norc --noprofile -i", &format!("source {path}; infra() {{ told \"$@\"; }}"));
}

#[test]
fn zsh_completes_what_is_typed() {
    shell("zsh");
    let story = spelled();
    let path = script(&story, "zsh");
    let setup = format!(
        "autoload -U compinit; compinit -u -D; source {path}; infra() {{ told \"$@\" }}; unsetopt nomatch beep"
    );
    presses(&story, "zsh -f -i", &setup);
}

#[test]
fn zsh_loads_the_script_from_a_folder_of_functions() {
    shell("zsh");
    let story = spelled();
    let path = script(&story, "zsh");
    let folder = story.base().join("functions");
    fs::create_dir(&folder).unwrap();
    fs::rename(&path, folder.join("_infra")).unwrap();
    let setup = format!(
        "fpath=({} $fpath); autoload -U compinit; compinit -u -D; infra() {{ told \"$@\" }}; unsetopt nomatch beep",
        folder.display()
    );
    presses(&story, "zsh -f -i", &setup);
}

#[test]
fn fish_completes_what_is_typed() {
    shell("fish");
    let story = project();
    let path = script(&story, "fish");
    // Fish tells what it would offer: the same as at the tabulator.
    let offers = |line: &str| {
        let ask = format!("source {path}; complete -C '{line}'");
        let output = story.command_of("fish", &["--no-config", "-c", &ask]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(offers("infra show mak"), "make-list\tMakes the list\n");
    assert_eq!(offers("infra run stage:fi"), "stage:first\ta stage\n");
    assert_eq!(offers("infra run --env=pr"), "--env=prod\n");
    assert_eq!(offers("infra run -e d"), "dev\n");
    assert!(offers("infra hist").starts_with("history\t"), "{}", offers("infra hist"));
    assert!(offers("infra run ").contains("verify\n"), "{}", offers("infra run "));
}

#[test]
fn fish_completes_what_is_typed_at_its_keyboard() {
    shell("fish");
    let story = spelled();
    let path = script(&story, "fish");
    presses(&story, "fish --no-config -i", &format!("source {path}; function infra; told $argv; end"));
}

#[test]
fn paths_are_left_to_the_shells() {
    let story = project();
    let asked = |words: &[&str]| {
        let index = (words.len() - 1).to_string();
        story.try_args(&[&["complete", "--index", &index, "--"], words].concat()).stdout
    };
    assert_eq!(asked(&["infra", "-C", "oth"]), "\tfolders\t\n");
    assert_eq!(asked(&["infra", "run", "--junit=o"]), "\tfiles\t--junit=\n");
    assert_eq!(asked(&["infra", "import", "make", ""]), "\tfiles\t\n");
    assert_eq!(asked(&["infra", "artifacts", "get", "verify", "--to", "x"]), "\tfolders\t\n");
}
