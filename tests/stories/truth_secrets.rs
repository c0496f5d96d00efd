//! Secrets: by reference, in fingerprints as keyed digests only, nowhere in the clear.

use crate::support::Story;
use serde_json::json;

const CANARY: &str = "canary-7c1f09";

#[test]
fn a_secret_shows_nowhere() {
    let story = Story::with(
        r#"
        [task.use]
        env = { TOKEN = "{{ secrets.by_env }}", OTHER = "{{ secrets.by_file }}", THIRD = "{{ secrets.by_command }}" }
        exports = { made = "secret<string>", plain = "string" }
        shell = '''
        echo "$TOKEN and $OTHER and $THIRD"
        echo "$TOKEN" >&2
        printf '%s' "$TOKEN" | base64
        printf 'made=%s-made\nplain=ok\n' "$TOKEN" > $INFRA_EXPORTS
        echo "$TOKEN" > ../seen
        test ! -e ../fail
        '''

        [task.read]
        env = { MADE = "{{ tasks.use.made }}" }
        shell = "echo $MADE; echo \"$MADE\" > ../made"
        "#,
    );
    story.project(
        r#"
        [secrets]
        by_env = { env = "TOKEN" }
        by_file = { file = "../token" }
        by_command = { command = ["cat", "../token2"] }
        "#,
    );
    story.env("TOKEN", CANARY).file("../token", "canary-file-11\n").file("../token2", "canary-command-22\n");
    story.mode("../token", 0o600);
    story.run("read -v").ran(["use", "read"]);
    story.holds("../seen", &format!("{CANARY}\n")).holds("../made", &format!("{CANARY}-made\n"));
    story.run_plain("read -v --force");
    story.file("../fail", "").run_to(1, "use --force");
    story.infra_to(1, "run use --force");
    story.remove("../fail").run("use");
    for command in [
        "status --json",
        "plan --json",
        "why use",
        "why read --json",
        "logs use",
        "logs read",
        "history use --json",
        "outputs",
        "outputs --json",
        "list --json",
        "graph",
    ] {
        story.try_infra(command);
    }
    story.remove("../seen").remove("../made");
    for canary in [CANARY, "canary-file-11", "canary-command-22", "Y2FuYXJ5LTdjMWYwOQ"] {
        story.nowhere(canary);
    }
    story.infra("outputs use --key made --reveal").stdout_has(&format!("{CANARY}-made"));
}

#[test]
fn another_secret_value_reruns_who_reads_it() {
    let story = tokens("");
    story
        .env("TOKEN", "canary-two")
        .run("*")
        .ran(["use"])
        .fresh(["other"])
        .because("use", json!({"kind": "variable-changed", "name": "secrets.token"}));
    story.nowhere("canary-two").nowhere(CANARY);
}

#[test]
fn a_secret_that_rotates_is_no_input() {
    let story = tokens(", rotates = true");
    story.env("TOKEN", "canary-two").run("*").nothing_ran();
}

fn tokens(more: &str) -> Story {
    let story = Story::with(
        "[task.use]\nenv = { TOKEN = \"{{ secrets.token }}\" }\nshell = \"test -n \\\"$TOKEN\\\"\"\n[task.other]\nshell = \"true\"\n",
    );
    story.project(&format!("[secrets]\ntoken = {{ env = \"TOKEN\"{more} }}\n"));
    story.env("TOKEN", CANARY).run("*").ran(["use", "other"]).run("*").nothing_ran();
    story
}

#[test]
fn digests_of_secrets_are_keyed() {
    // The same project, the same secret, another key: nothing on disk tells that it is the same.
    let (one, two) = (tokens(""), tokens(""));
    let key = |story: &Story| std::fs::read(story.path(".infra/key")).unwrap();
    assert_eq!(key(&one).len(), 32);
    assert_ne!(key(&one), key(&two));
    let mode = std::os::unix::fs::PermissionsExt::mode(&one.path(".infra/key").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn status_runs_no_command_of_a_secret() {
    let story = Story::with("[task.use]\nenv = { TOKEN = \"{{ secrets.token }}\" }\nshell = \"true\"\n");
    story
        .project("[secrets]\ntoken = { command = [\"sh\", \"-c\", \"echo asked >> ../asked; cat ../token\"] }\n")
        .file("../token", CANARY);
    story.run("use").ran(["use"]);
    let asked = story.read("../asked");
    story.file("../token", "canary-two");
    story.states("use=fresh").status_reason("use", json!({"kind": "secret-taken-as-unchanged", "name": "token"}));
    for command in ["plan use", "why use", "list"] {
        story.infra(command);
    }
    assert_eq!(story.read("../asked"), asked);
    // A run asks.
    story.run("use").ran(["use"]);
}

#[test]
fn a_secret_value_that_another_reads_survives_a_stale_upstream() {
    let story = Story::with(
        r#"
        [task.make]
        inputs = ["in"]
        exports = { key = "secret<string>" }
        shell = "echo key=$(cat ../source) > $INFRA_EXPORTS"

        [task.use]
        env = { KEY = "{{ tasks.make.key }}" }
        shell = "echo $KEY > ../key; : {{ vars.x }}"
        "#,
    );
    story.file("../source", "canary-key-31");
    story.project("[vars]\nx = 1\n").file("in", "1").run("use").ran(["make", "use"]);
    // `make` is stale now; `use --only` takes what it reads as recorded.
    story
        .file("in", "2")
        .edit("infra.toml", "x = 1", "x = 2")
        .run("--only use")
        .ran(["use"])
        .holds("../key", "canary-key-31\n");
    story.run("use").ran(["make"]);
    story.nowhere("canary-key-31");
}

#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    let story = Story::with("[task.use]\nenv = { TOKEN = \"{{ secrets.token }}\" }\nshell = \"true\"\n");
    story.project("[secrets]\ntoken = { file = \"../token\" }\n").file("../token", CANARY).mode("../token", 0o644);
    assert_ne!(story.try_infra("run --json use").code, Some(0));
    story.says("chmod 600");
    story.mode("../token", 0o600).run("use").ran(["use"]);
}

#[test]
fn a_secret_outside_of_its_places_is_a_mistake() {
    let story = Story::with("[task.use]\nshell = \"echo {{ secrets.token }}\"\n");
    story.project("[secrets]\ntoken = { env = \"TOKEN\" }\n").infra_to(2, "check").says("secrets");
}

#[test]
fn a_secret_that_cannot_be_had_is_taken_as_unchanged_unless_it_is_needed() {
    let story = tokens("");
    // Nothing else changed: the record stands, and that it was not compared is said.
    story.without_env("TOKEN").run("*").nothing_ran();
    story.because("use", json!({"kind": "secret-taken-as-unchanged", "name": "token"}));
    story.not_because("other", "secret-taken-as-unchanged");
    // Stale for another reason it needs the value, and fails before it starts anything.
    story.retask("test -n", "test  -n").run_to(1, "*").failed(["use"]).says("TOKEN");
    story.env("TOKEN", CANARY).run("*").ran(["use"]).fresh(["other"]);
}

#[test]
fn a_secret_that_came_through_a_file_is_masked_where_the_file_is_read() {
    let story = Story::with(
        r#"
        [task.config]
        template = { from = "config.j2", to = "out/config", secret = true }
        [task.use]
        inputs = ["out/config"]
        shell = "cat out/config; test ! -e ../fail"
        [task.beside]
        shell = "echo beside"
        "#,
    );
    story.project("[secrets]\ntoken = { env = \"TOKEN\" }\n").file("config.j2", "token={{ secrets.token }}\n");
    story.env("TOKEN", CANARY).file("../fail", "").infra_to(1, "run use beside -k -v").nowhere_printed(CANARY);
    story.stderr_has("token=••••••").remove("../fail");
    // Also where only the reader runs.
    story.infra("run use -v").stderr_has("token=••••••").nowhere_printed(CANARY);
    story.remove("out").remove("config.j2").nowhere(CANARY);
    // Twin: what can't be masked is not run; its neighbour is.
    story.file("config.j2", "token={{ secrets.token }}\n").run("use").ran(["config"]);
    story.without_env("TOKEN").retask("cat out/config;", "cat ./out/config;");
    story.run_to(1, "use beside -k").failed(["use"]).says("which cannot be masked here");
}
