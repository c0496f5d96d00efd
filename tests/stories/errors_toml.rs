//! A wrong declaration: every mistake of every file in one go, each with file, line, column, the text
//! underlined, and what to write instead. Nothing runs, nothing is made.

use crate::support::Story;
use serde_json::Value as Json;

/// A mistake in `tasks/t.toml`: its text, and what is told of it.
struct Wrong {
    text: &'static str,
    code: &'static str,
    /// Line and column, from 1.
    at: (u64, u64),
    /// The text that is underlined.
    marked: &'static str,
    message: &'static str,
    help: &'static str,
}

const WRONG: &[Wrong] = &[
    Wrong {
        text: "[task.a]\nshell = \"true\"\ndescriptin = \"x\"\n",
        code: "unknown-key",
        at: (3, 1),
        marked: "descriptin",
        message: "unknown key `descriptin` in task `a`",
        help: "did you mean `description`?",
    },
    Wrong {
        text: "[task.build]\nshell = \"true\"\n[task.b]\nneeds = [\"biuld\"]\nshell = \"true\"\n",
        code: "unknown-task",
        at: (4, 10),
        marked: "\"biuld\"",
        message: "unknown task `biuld` in `needs`",
        help: "did you mean `build`?",
    },
    Wrong {
        text: "[task.a]\nneeds = [\"b\"]\nshell = \"true\"\n[task.b]\nafter = [\"c\"]\nshell = \"true\"\n[task.c]\nshell = \"true\"\nneeds = [\"a\"]\n",
        code: "cycle",
        at: (2, 10),
        marked: "\"b\"",
        message: "`a -> b -> c -> a`",
        help: "take one of these edges away",
    },
    Wrong {
        text: "[task.a]\nneeds = [\"a\"]\nshell = \"true\"\n",
        code: "cycle",
        at: (2, 10),
        marked: "\"a\"",
        message: "`a -> a`",
        help: "",
    },
    Wrong {
        text: "[task.a]\noutputs = [\"build/x\"]\nshell = \"true\"\n[task.b]\noutputs = [\"build/x\"]\nshell = \"true\"\n",
        code: "output-conflict",
        at: (5, 12),
        marked: "\"build/x\"",
        message: "tasks `a` and `b` both write `build/x`",
        help: "",
    },
    Wrong {
        text: "[task.a]\noutputs = [\"build/\"]\nshell = \"true\"\n[task.b]\noutputs = [\"build/x\"]\nshell = \"true\"\n",
        code: "output-conflict",
        at: (5, 12),
        marked: "\"build/x\"",
        message: "build/x",
        help: "",
    },
    Wrong {
        text: "[task.a]\nshell = \"echo {{ vars.sise }}\"\n",
        code: "undefined",
        at: (2, 18),
        marked: "vars.sise",
        message: "`vars.sise` is not defined",
        help: "did you mean `vars.size`?",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\ninputs = [\"src/[ab\"]\n",
        code: "bad-glob",
        at: (3, 11),
        marked: "\"src/[ab\"",
        message: "bad glob `src/[ab`",
        help: "",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\ntimeout = \"soon\"\n",
        code: "bad-duration",
        at: (3, 11),
        marked: "\"soon\"",
        message: "`soon` is no duration",
        help: "write `500ms`, `10s`, `5m`, `1h30m` or `2d`",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\nneeds = 3\n",
        code: "wrong-type",
        at: (3, 9),
        marked: "3",
        message: "`needs` must be",
        help: "",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\nexports = { n = \"intt\" }\n",
        code: "bad-type",
        at: (3, 17),
        marked: "\"intt\"",
        message: "unknown type `intt`",
        help: "did you mean `int`?",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\nrun = [\"true\"]\n",
        code: "many-actions",
        at: (3, 1),
        marked: "run",
        message: "task `a` has `shell` and `run`",
        help: "make a task of each",
    },
    Wrong {
        text: "[task.a]\ndescription = \"nothing\"\n",
        code: "no-action",
        at: (1, 7),
        marked: "a",
        message: "task `a` does nothing",
        help: "give it one of",
    },
    Wrong {
        text: "[task.a]\nshell = \"x\n",
        code: "toml-syntax",
        at: (2, 11),
        marked: "",
        message: "not valid TOML",
        help: "",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\nexports = { n = \"int\" }\n[task.b]\nshell = \"echo {{ tasks.a.m }}\"\n",
        code: "unknown-value",
        at: (5, 18),
        marked: "tasks.a.m",
        message: "task `a` exports no `m`",
        help: "it exports `n`",
    },
    Wrong {
        text: "[task.a]\nshell = \"echo {{ vars.size \"\n",
        code: "template-syntax",
        at: (2, 23),
        marked: "",
        message: "in a template: unexpected end of input",
        help: "close it with `}}`",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\ninputs = [\"no-such-file\"]\n",
        code: "missing-input",
        at: (3, 11),
        marked: "\"no-such-file\"",
        message: "no-such-file",
        help: "",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\npool = \"apis\"\n",
        code: "unknown-pool",
        at: (3, 8),
        marked: "\"apis\"",
        message: "unknown pool `apis`",
        help: "did you mean `api`?",
    },
    Wrong {
        text: "[task.a]\nshell = \"true\"\neffect = \"once\"\nretry = { max = 2 }\n",
        code: "retry-of-once",
        at: (4, 1),
        marked: "retry",
        message: "`once`",
        help: "",
    },
];

fn project(tasks: &str) -> Story {
    let story = Story::new();
    story.project("[vars]\nsize = 1\n[pools]\napi = 1\n[env.local]\n[env.dev]\n");
    std::fs::create_dir_all(story.path("tasks")).unwrap();
    std::fs::write(story.path("tasks/t.toml"), tasks).unwrap();
    story
}

fn found(story: &Story) -> Vec<Json> {
    let seen = story.infra_to(2, "check --json").last();
    seen.json()["diagnostics"].as_array().cloned().unwrap_or_default()
}

/// The part of a file's text that a mistake marks.
fn marked(text: &str, one: &Json) -> String {
    let number = |key: &str| usize::try_from(one[key].as_u64().unwrap_or_default()).unwrap();
    let line = text.lines().nth(number("line") - 1).unwrap_or_default();
    let (from, to) = (number("column") - 1, number("end_column") - 1);
    if number("end_line") > number("line") {
        return line.chars().skip(from).collect();
    }
    line.chars().skip(from).take(to.saturating_sub(from)).collect()
}

#[test]
fn each_mistake_is_told_where_it_is_and_what_to_write_instead() {
    let mut failures = Vec::new();
    for wrong in WRONG {
        let story = project(wrong.text);
        let found = found(&story);
        let Some(one) = found.iter().find(|one| one["code"] == wrong.code) else {
            failures.push(format!("{}: {found:?}", wrong.code));
            continue;
        };
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let at = (one["line"].as_u64().unwrap_or_default(), one["column"].as_u64().unwrap_or_default());
        let right = at == wrong.at
            && text("file") == "tasks/t.toml"
            && (wrong.marked.is_empty() || marked(wrong.text, one) == wrong.marked)
            && text("message").contains(wrong.message)
            && text("help").contains(wrong.help);
        if !right || found.len() != 1 {
            failures.push(format!("{}: {found:?}, marked {:?}", wrong.code, marked(wrong.text, one)));
        }
        // People see the same: place, line, underlined.
        let human = story.infra_to(2, "check").last().stderr;
        let place = format!("--> tasks/t.toml:{}:{}", wrong.at.0, wrong.at.1);
        if !human.contains(&place) || !human.contains('^') || !human.ends_with("1 error\n") {
            failures.push(format!("{}: {human}", wrong.code));
        }
        // A run finds the same mistake, before anything is made.
        let run = story.infra_to(2, "run a").last().stderr;
        if run != human {
            failures.push(format!("{}: run says {run}", wrong.code));
        }
        story.absent(".infra").absent("build");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let story = project(WRONG[0].text);
    story.project("[project]\nname = 3\n[vars]\nsize = 1\n[env.local]\nvar = 1\n");
    story.file("tasks/u.toml", "[task.b]\nshell = \"true\"\nneeds = [\"x\"]\ntimeout = \"never\"\n");
    story.file("tasks/w.toml", "[task.a]\nshell = \"again\"\n");
    let all = found(&story);
    let told: Vec<String> = all
        .iter()
        .map(|one| {
            format!(
                "{}:{} {}",
                one["file"].as_str().unwrap_or_default(),
                one["line"],
                one["code"].as_str().unwrap_or_default()
            )
        })
        .collect();
    for wanted in [
        "infra.toml:2 wrong-type",
        "infra.toml:6 unknown-key",
        "tasks/t.toml:3 unknown-key",
        "tasks/u.toml:3 unknown-task",
        "tasks/u.toml:4 bad-duration",
        "tasks/w.toml:1 duplicate-task",
    ] {
        assert!(told.iter().any(|one| one == wanted), "{wanted}: {told:#?}");
    }
    story.infra_to(2, "check").stderr_has(&format!("{} errors", all.len()));
    // A file that can't be read at all hides no other's; but what it may declare is not called unknown.
    story.file("tasks/v.toml", "[task.c\n");
    let with: Vec<Json> = found(&story);
    let codes: Vec<&str> = with.iter().filter_map(|one| one["code"].as_str()).collect();
    assert!(codes.contains(&"toml-syntax") && !codes.contains(&"unknown-task") && with.len() == all.len(), "{codes:?}");
    story.infra_to(2, "check");
    // Every command that needs the project says the same.
    let human = story.last().stderr;
    for words in
        ["status", "plan", "list", "graph", "why a", "logs", "history", "outputs", "run", "destroy", "resolve a --done"]
    {
        assert_eq!(story.infra_to(2, words).last().stderr, human, "{words}");
    }
    story.absent(".infra");
}

#[test]
fn a_mistake_in_a_template_file_is_told_there() {
    let story = project("[task.a]\ntemplate = { from = \"conf/t.j2\", to = \"build/t\" }\n");
    story.file("conf/t.j2", "first\n{{ vars.sise }}\n");
    let all = found(&story);
    assert_eq!(
        (all[0]["file"].clone(), all[0]["line"].clone(), all[0]["column"].clone()),
        ("conf/t.j2".into(), 2.into(), 4.into()),
        "{all:?}"
    );
    assert_eq!(all[0]["help"], "did you mean `vars.size`?");
    story.file("conf/t.j2", "first\n{% if vars.size %}\n").infra_to(2, "check").stderr_has("conf/t.j2:");
    story.file("conf/t.j2", "{{ vars.size }}\n").infra("check");
}

#[test]
fn a_value_of_another_type_fails_the_task_and_says_which() {
    let story = project(
        "[task.a]\nexports = { n = \"int\", ip = \"ip\" }\nshell = '''printf '{\"n\": \"many\", \"ip\": \"10.0.0.300\"}' > $INFRA_EXPORTS'''\n",
    );
    story
        .run_to(1, "a")
        .failed(["a"])
        .says("export `n`: expected `int`, found")
        .says("many")
        .says("export `ip`: expected `ip`");
    story.retask("\"n\": \"many\"", "\"n\": 3").run_to(1, "a").says("`ip`").says("10.0.0.300");
    story.retask("10.0.0.300", "10.0.0.30").run("a").ran(["a"]);
    story.retask("\"ip\": \"10.0.0.30\"", "\"x\": 1").run_to(1, "a").says("`ip`");
}

#[test]
fn settings_on_the_command_line_are_checked_too() {
    let story = project("[task.a]\nshell = \"echo {{ vars.size }}\"\n");
    story.infra_to(2, "run a --set sise=3").stderr_has("did you mean `size`?");
    story.infra_to(2, "run a -e prod").stderr_has("unknown environment `prod`").stderr_has("dev").stderr_has("local");
}
