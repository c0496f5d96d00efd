//! What enters a fingerprint and what does not: for each reason word a task that reruns and one that does not.

use crate::support::Story;
use serde_json::json;

#[test]
fn another_action_reruns_its_task_only() {
    let story = Story::with("[task.a]\nshell = \"echo 1\"\n[task.b]\nshell = \"echo b\"\n");
    story
        .run("*")
        .retask("echo 1", "echo 2")
        .run("*")
        .ran(["a"])
        .fresh(["b"])
        .because("a", json!({"kind": "action-changed"}));
}

#[test]
fn what_is_not_in_the_fingerprint_reruns_nothing() {
    let story = Story::with("[task.a]\nshell = \"echo 1\"\n");
    story.project("[pools]\napi = 1\n").run("a");
    story.tasks(
        r#"
        # a comment
        [task.a]
        shell = "echo 1"
        description = "says one"
        stage = "talk"
        tags = ["loud"]
        timeout = "10m"
        grace = "1s"
        retry = { max = 3 }
        pool = "api"
        allow_failure = true
        watch = true
        "#,
    );
    story.run("a").nothing_ran();
}

#[test]
fn what_is_in_the_fingerprint_reruns() {
    for more in [
        "env = { X = \"1\" }",
        "dir = \"sub\"",
        "outputs = [\"sub/x\"]",
        "exports = { x = \"int\" }",
        "effect = \"once\"",
        "inputs = [\"sub/y\"]",
    ] {
        let story = Story::with(
            "[task.a]\nshell = \"echo 1; test -z $INFRA_EXPORTS || echo x=1 > $INFRA_EXPORTS; touch $INFRA_TMP/../x; mkdir -p sub; touch sub/x\"\n",
        );
        story.retask("touch $INFRA_TMP/../x; ", "");
        story.file("sub/y", "").run("a");
        story.retask("[task.a]\n", &format!("[task.a]\n{more}\n"));
        let seen = story.try_infra("plan --json a");
        assert_ne!(seen.json()["tasks"][0]["action"], "keep", "{more}");
    }
}

#[test]
fn a_variable_reruns_who_reads_it() {
    let story = Story::with("[task.a]\nshell = \"echo {{ vars.size }}\"\n[task.b]\nshell = \"echo {{ vars.name }}\"\n");
    story.project("[vars]\nsize = 1\nname = \"x\"\nunused = 1\n").run("*");
    story.edit("infra.toml", "size = 1", "size = 2").run("*").ran(["a"]).fresh(["b"]);
    story.edit("infra.toml", "unused = 1", "unused = 2").run("*").nothing_ran();
    story.run("* --set name=y").ran(["b"]).fresh(["a"]);
}

#[test]
fn a_rendered_text_that_stays_the_same_reruns_nothing() {
    // Rendered, not as written: a variable that does not show in the text makes no difference.
    let story = Story::with("[task.a]\nshell = \"echo {{ 'many' if vars.size > 1 else 'one' }}\"\n");
    story.project("[vars]\nsize = 2\n").run("a");
    story.retask("vars.size > 1", "vars.size >= 2").run("a").nothing_ran();
}

#[test]
fn a_declared_environment_variable_is_an_input() {
    let story =
        Story::with("[task.a]\npass_env = [\"REGION\"]\nshell = \"echo $REGION\"\n[task.b]\nshell = \"echo b\"\n");
    story.env("REGION", "north").env("OTHER", "1").run("*").ran(["a", "b"]);
    story
        .env("REGION", "south")
        .run("*")
        .ran(["a"])
        .fresh(["b"])
        .because("a", json!({"kind": "environment-changed", "name": "REGION"}));
    story.env("OTHER", "2").run("*").nothing_ran();
    story.nowhere("south-not-here");
}

#[test]
fn undeclared_environment_does_not_reach_a_task() {
    let story =
        Story::with("[task.a]\nshell = \"env > ../env\"\n[task.b]\neffect = \"pure\"\nshell = \"env > ../env-pure\"\n");
    story.env("SECRET_THING", "1").env("LANG", "de_DE.UTF-8").env("TZ", "Asia/Tokyo").run("*");
    let env = story.read("../env");
    assert!(!env.contains("SECRET_THING"), "{env}");
    assert!(env.contains("TZ=Asia/Tokyo") && env.contains("INFRA_TASK=a") && env.contains("INFRA_ENV=local"), "{env}");
    assert!(
        env.contains("INFRA_RUN=")
            && env.contains("INFRA_ATTEMPT=")
            && env.contains("INFRA_TMP=")
            && env.contains("INFRA_EXPORTS=")
    );
    let pure = story.read("../env-pure");
    assert!(pure.contains("TZ=UTC") && pure.contains("LC_ALL=C.UTF-8") && !pure.contains("INFRA_ENV="), "{pure}");
}

#[test]
fn a_tool_of_another_version_reruns_who_uses_it() {
    let story = Story::with("[task.a]\nrun = [\"mytool\", \"go\"]\n[task.b]\nshell = \"echo b\"\n");
    story.project("[requires]\nmytool = \">=1.0\"\n");
    story.program("mytool", "echo mytool 1.2.3").run("*").ran(["a", "b"]);
    story.program("mytool", "echo mytool 1.2.3 # same version").run("*").nothing_ran();
    story.program("mytool", "echo mytool 1.3.0").run("*").ran(["a"]).fresh(["b"]);
    story.because("a", json!({"kind": "tool-changed", "tool": "mytool"}));
}

#[test]
fn force_runs_the_named_only() {
    let story = Story::with(
        "[task.a]\neffect = \"pure\"\nexports = { x = \"int\" }\nshell = \"echo x=1 > $INFRA_EXPORTS\"\n[task.b]\nshell = \"echo {{ tasks.a.x }}\"\n[task.c]\nshell = \"echo c {{ tasks.a.x }}\"\n",
    );
    story.run("b c").ran(["a", "b", "c"]);
    story.run("b --force").ran(["b"]).fresh(["a"]).because("b", json!({"kind": "forced"}));
    story.run("b c").nothing_ran();
}

#[test]
fn the_project_may_move() {
    // No absolute path is in any fingerprint.
    let story = Story::with("[task.a]\ninputs = [\"in\"]\noutputs = [\"build/a\"]\nshell = \"cat in > build/a\"\n");
    story.file("in", "1").run("a").ran(["a"]);
    let moved = story.base().join("elsewhere");
    std::fs::rename(story.root(), &moved).unwrap();
    std::fs::create_dir(story.root()).unwrap();
    story.infra(&format!("run --json a -C {}", moved.display())).nothing_ran();
}

#[test]
fn a_template_reruns_by_what_it_really_reads() {
    let story = Story::with("[task.conf]\ntemplate = { from = \"conf.j2\", to = \"build/conf\" }\n");
    story.project("[vars]\nsize = 1\nother = 1\n").file("conf.j2", "size={{ vars.size }}\n").run("conf").ran(["conf"]);
    story.edit("infra.toml", "other = 1", "other = 2").run("conf").nothing_ran();
    story.edit("infra.toml", "size = 1", "size = 2").run("conf").ran(["conf"]).holds("build/conf", "size=2\n");
    story.edit("conf.j2", "size=", "count=").run("conf").ran(["conf"]).holds("build/conf", "count=2\n");
    // Back to what was: pure, so it is put back.
    story.edit("conf.j2", "count=", "size=").run("conf").restored(["conf"]).holds("build/conf", "size=2\n");
}

#[test]
fn an_upstream_added_is_a_reason() {
    let story =
        Story::with("[task.a]\nshell = \"echo a\"\n[task.b]\nshell = \"echo b\"\n[task.c]\nshell = \"echo c\"\n");
    story.run("*").retask("[task.b]\n", "[task.b]\nneeds = [\"a\"]\n");
    story.run("*").ran(["b"]).fresh(["a", "c"]);
    story.retask("[task.c]\n", "[task.c]\nafter = [\"a\"]\n").run("*").nothing_ran();
}

#[test]
fn the_ways_of_running_are_no_inputs() {
    let story =
        Story::with("[task.a]\neffect = \"read\"\nttl = \"1h\"\nshell = \"echo 1\"\n[task.b]\nshell = \"echo b\"\n");
    story.run("*").retask("\"1h\"", "\"2h\"");
    story.retask("[task.b]\n", "[task.b]\nundo = [\"true\"]\nprobe = { exec = [\"true\"] }\ninteractive = false\nready = [{ tcp = \"127.0.0.1:1\", within = \"1s\" }]\n");
    story.run("*").nothing_ran();
}

#[test]
fn a_dotenv_file_gives_what_pass_env_takes() {
    let story = Story::with(
        "[task.a]\npass_env = [\"REGION\"]\nshell = \"echo $REGION > ../region\"\n[task.b]\nshell = \"echo b\"\n",
    );
    story.project("[project]\ndotenv = [\".env\"]\n").file(".env", "REGION=north\nOTHER=1\n");
    story.run("*").ran(["a", "b"]).holds("../region", "north\n");
    story.file(".env", "REGION=north\nOTHER=2\n").run("*").nothing_ran();
    story.file(".env", "REGION=south\nOTHER=2\n").run("*").ran(["a"]).fresh(["b"]).holds("../region", "south\n");
    story.because("a", json!({"kind": "environment-changed", "name": "REGION"}));
    // The caller's own wins over the file's.
    story.env("REGION", "west").run("*").ran(["a"]).holds("../region", "west\n");
    story.file(".env", "REGION=east\n").run("*").nothing_ran();
    story.without_env("REGION").run("*").ran(["a"]).holds("../region", "east\n");
}

#[test]
fn a_tool_behind_a_shim_is_told_by_its_version_files_too() {
    let story = Story::with("[task.a]\nrun = [\"mytool\", \"go\"]\n[task.b]\nshell = \"echo b\"\n");
    story.project("[requires]\nmytool = \">=1.0\"\n").file(".tool-versions", "mytool 1.2.3\n");
    // As asdf and mise do it: one file for all versions, which looks into the project.
    let shims = story.base().join("home/.asdf/shims");
    std::fs::create_dir_all(&shims).unwrap();
    story.program("mytool", "sed -n 's/mytool //p' .tool-versions");
    std::fs::rename(story.base().join("bin/mytool"), shims.join("mytool")).unwrap();
    story.on_path(&shims).run("*").ran(["a", "b"]);
    story.file(".tool-versions", "mytool 1.2.3\nother 2\n").run("*").nothing_ran();
    story.file(".tool-versions", "mytool 1.3.0\nother 2\n").run("*").ran(["a"]).fresh(["b"]);
    story.because("a", json!({"kind": "tool-changed", "tool": "mytool", "old": "1.2.3", "new": "1.3.0"}));
}
