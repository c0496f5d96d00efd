//! Output where CI shows it: groups and annotations of GitHub Actions, sections of GitLab.

use crate::support::Story;

fn place() -> Story {
    let story = Story::with(
        r#"
        [task.build]
        shell = "echo 100 % done"

        [task.deploy]
        needs = ["build"]
        shell = "echo no route; test -e ../up"
        "#,
    );
    story.env("CI", "true");
    story
}

#[test]
fn github_folds_what_each_task_printed_and_is_shown_where_it_failed() {
    let story = place();
    let top = story.base().to_str().unwrap().to_owned();
    story.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", &top).infra_to(1, "run deploy");
    story.stderr_has("::group::ran build\nbuild  | 100 % done\n::endgroup::\n");
    story.stderr_has("::error file=project/tasks/t.toml,line=4,col=7,title=task deploy failed::exited with code 1\n");
    // What a tool prints is no command, and people still get their screen.
    story.retask("echo no route", "echo ::error::mine").infra_to(1, "run deploy").stderr_has("deploy | ::error::mine");
    story.stderr_has("error: task `deploy` failed");
    story.retask("echo ::error::mine", "echo \'##[endgroup]mine\'").infra_to(1, "run deploy");
    story.stderr_has("deploy | ## [endgroup]mine").stderr_has("    | ## [endgroup]mine");
    assert!(!story.last().stderr.contains("##["), "{}", story.last().stderr);
    // Mistakes of the declaration are shown where they are written.
    story.retask("needs = [\"build\"]", "needs = [\"biuld\"]").infra_to(2, "check");
    story.stderr_has("::error file=project/tasks/t.toml,line=5,col=10,title=unknown-task::unknown task `biuld` in `needs`%0Ahelp: did you mean");
    // Elsewhere checked out, nobody knows the file; machines get none of it, the quiet what failed.
    story.env("GITHUB_WORKSPACE", "/nowhere").infra_to(2, "check").stderr_has("::error title=unknown-task::");
    let seen = story.try_infra("check --json");
    assert!(!seen.stdout.contains("::error") && seen.stderr.is_empty(), "{}{}", seen.stdout, seen.stderr);
    story.retask("biuld", "build");
    let seen = story.try_infra("run deploy -q");
    assert!(
        !seen.stderr.contains("::group") && seen.stderr.contains("::error title=task deploy failed::"),
        "{}",
        seen.stderr
    );
}

#[test]
fn gitlab_folds_what_went_well() {
    let story = place();
    story.env("GITLAB_CI", "true").at(0).infra_to(1, "run deploy");
    story.stderr_has(
        "\u{1b}[0Ksection_start:1767225600:build[collapsed=true]\r\u{1b}[0Kran build\nbuild  | 100 % done\n",
    );
    story.stderr_has(":deploy[collapsed=false]\r\u{1b}[0Kfailed deploy\n");
}

#[test]
fn elsewhere_lines_come_as_they_are_printed() {
    let story = place();
    story.infra_to(1, "run deploy");
    let seen = story.last();
    assert!(!seen.stderr.contains("::group") && !seen.stderr.contains("section_start"), "{}", seen.stderr);
}
