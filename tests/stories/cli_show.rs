//! One task, looked at and edited: `infra show` and `infra edit`.

use crate::support::Story;
use serde_json::{Value as Json, json};

const TASKS: &str = r#"
    [task.make]
    description = "Makes the list"
    stage = "first"
    tags = ["smoke", "fast"]
    effect = "idempotent"
    inputs = ["in/*.txt", "in/one.txt"]
    outputs = ["out/list", "out/folder/"]
    exports = { n = "int", token = "secret<string>" }
    env = { REGION = "{{ vars.region }}", TOKEN = "{{ secrets.token }}" }
    pass_env = ["HTTPS_PROXY"]
    timeout = "10m"
    grace = "30s"
    pool = "narrow"
    probe = { tcp = "localhost:1" }
    shell = "mkdir -p out/folder; touch out/list; echo {{ vars.region }}; printf 'n=3\ntoken=%s\n' $(cat ../k3y) > $INFRA_EXPORTS"
    undo = [["rm", "-f", "out/list", "{{ vars.region }}"]]

    [task.use]
    inputs = ["out/list"]
    needs = ["make"]
    run = ["echo", "{{ tasks.make.n }}", "{{ tasks.make.token }}", "{{ vars.region }}"]

    [task.page]
    after = ["use"]
    template = { from = "page.j2", to = "out/page" }

    [task.key]
    template = { from = "page.j2", to = "out/key", secret = true }

    [task.vm]
    terraform = { dir = "tf", vars = { token = "{{ secrets.token }}", region = "{{ vars.region }}" } }

    [task.look]
    effect = "read"
    ttl = "1h"
    run = ["true"]

    [task.each]
    foreach = ["x", "y"]
    run = ["echo", "{{ item }}"]
"#;

fn project() -> Story {
    let story = Story::with(TASKS);
    story.project("[vars]\nregion = \"north\"\n[pools]\nnarrow = 1\n[secrets]\ntoken = { command = [\"sh\", \"-c\", \"touch ../asked; echo t0p-secret\"] }\n");
    story
        .file("in/one.txt", "1\n")
        .file("tf/main.tf", "variable \"token\" {}\n")
        .file("page.j2", "{{ vars.region }}\n");
    story
}

#[test]
pub fn show_tells_one_task_whole() {
    let story = project();
    story.infra("show make");
    for line in [
        "make (shell, idempotent, stage first) is stale in local\n  Makes the list\n  declared at tasks/t.toml:1:7\n  tags: smoke, fast\n",
        "does\n  shell  mkdir -p out/folder; touch out/list; echo north; printf 'n=3\n",
        "environment\n  REGION       declared\n  TOKEN        declared\n  HTTPS_PROXY  the caller's\n",
        "reads\n  variables  region\n  secrets    token\n",
        "  in/*.txt    glob\n",
        "  in/one.txt  declared\n",
        "outputs\n  out/list\n  out/folder/\n",
        "exports\n  n      int\n  token  secret<string>\n",
        "is followed by\n  use  needs\n",
        "settings\n  pool     narrow\n  timeout  10 min\n  grace    30.0 s\n  probe    tcp\n",
        "is taken back by\n  rm -f out/list north\n",
    ] {
        story.stdout_has(line);
    }
    // What another task has not made yet stands as it is written.
    story.infra("show use").stdout_has("{{ tasks.make.n }}").stdout_has("waits for  values of make");
    story.stdout_has("out/list  artifact of make").stdout_has("depends on\n  make  needs\n");
    story.run("make").infra("show use").stdout_has(r#"["echo",3,"••••••","north"]"#);
    story
        .infra("show page")
        .stdout_has("page.j2  inferred")
        .stdout_has("use  after")
        .stdout_has(r#"template  {"from":"page.j2","to":"out/page"}"#);
    story.infra("show key").stdout_has("outputs\n  out/key  secret, not kept\n");
    story.infra("show vm").stdout_has(r#"terraform.vars  {"region":"north","token":"••••••"}"#);
    story
        .stdout_has("secrets    token")
        .stdout_has("  tf/main.tf  ")
        .stdout_has("  inferred\n")
        .stdout_has("subject  terraform:local:tf/");
    story.infra("show look").stdout_has("ttl  1 h");
    story.nowhere_printed("t0p-secret").nowhere_printed("k3y-of-make");
}

#[test]
pub fn show_is_one_document_for_machines() {
    let story = project();
    let make = story.infra("show make --json").last().json();
    assert_eq!(make["declared"], "tasks/t.toml:1:7");
    assert_eq!(make["reads"], json!({"values": [], "variables": ["region"], "secrets": ["token"]}));
    assert_eq!(make["outputs"][1], json!({"path": "out/folder/", "secret": false}));
    assert_eq!(make["downstream"], json!([{"task": "use", "carries": "needs"}]));
    assert_eq!(make["settings"]["timeout_seconds"], json!(600.0));
    assert_eq!(
        (make["environment"].clone(), make["pass_env"].clone()),
        (json!(["REGION", "TOKEN"]), json!(["HTTPS_PROXY"]))
    );
    let consumer = story.infra("show use --json").last().json();
    assert_eq!(consumer["waits_for"], json!(["make"]));
    assert_eq!(consumer["inputs"], json!([{"path": "out/list", "origin": "artifact", "task": "make"}]));
    assert_eq!(consumer["action"]["run"][1], Json::from("{{ tasks.make.n }}"));
    story.absent("../asked");
    story.infra_to(2, "show nope").stderr_has("unknown task or stage `nope`");
    story.infra_to(2, "show {use,look}").stderr_has("means 2 tasks").stderr_has("name one: look, use");
    story.infra_to(2, "show").stderr_has("<TASK>");
}

#[test]
pub fn edit_opens_the_file_at_the_line_and_checks() {
    let story = project();
    story.program("vim", "echo \"$PWD: $*\" >> ../edited");
    story.env("EDITOR", "vim");
    let seen = story.at_terminal("edit use");
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.stdout_has("no mistakes in 8 tasks");
    let at = story.root().canonicalize().unwrap();
    assert_eq!(story.read("../edited"), format!("{}: +18 tasks/t.toml\n", at.display()));
    // Instances are declared in one place; VISUAL comes first, and may have arguments.
    story.program("code", "echo \"$*\" > ../edited").env("VISUAL", "code --new-window");
    assert_eq!(story.at_terminal("edit each").code, Some(0));
    assert_eq!(story.read("../edited"), "--new-window --wait --goto tasks/t.toml:38\n");
    // A mistake that was made is told, and the file can be opened all the same to mend it.
    story.program("code", "sed -i 's/^run = /rnu = /' tasks/t.toml");
    let seen = story.at_terminal("edit use");
    assert_eq!(seen.code, Some(2), "{seen:?}");
    story.stdout_has("unknown key `rnu`");
    story.program("code", "sed -i 's/^rnu = /run = /' tasks/t.toml");
    assert_eq!(story.at_terminal("edit look").code, Some(0));
    story.stdout_has("no mistakes");
}

#[test]
fn edit_opens_the_file_that_is_no_toml() {
    let story = Story::with("[task.use]\nrun = [\"true\"]\n");
    // The edit itself leads to it, and takes the task's own head away.
    story.program("vim", "echo \"$*\" >> ../edited; printf 'task.use]\\nrun = [\"true\"]\\n' > tasks/t.toml");
    story.env("EDITOR", "vim");
    assert_eq!(story.at_terminal("edit use").code, Some(2));
    story.stdout_has("not valid TOML");
    story.program("vim", "echo \"$*\" >> ../edited; printf '[task.use]\\nrun = [\"true\"]\\n' > tasks/t.toml");
    let seen = story.at_terminal("edit use");
    assert_eq!(seen.code, Some(0), "{seen:?}");
    story.stdout_has("`use` is in no file that can be read; one is no TOML at tasks/t.toml:1");
    assert_eq!(story.read("../edited"), "+1 tasks/t.toml\n+1 tasks/t.toml\n");
}

#[test]
pub fn edit_says_where_the_task_is_when_it_can_not_open_it() {
    let story = project();
    story
        .infra_to(2, "edit use")
        .stderr_has("no editor is set; `use` is declared at tasks/t.toml:18")
        .stderr_has("EDITOR");
    story.env("EDITOR", "vim").infra_to(2, "edit use");
    story.stderr_has("there is no terminal to edit in; `use` is declared at tasks/t.toml:18");
    story.infra_to(2, "edit nope").stderr_has("unknown task or stage `nope`");
    story.infra_to(2, "edit tag:smoke use").stderr_has("unexpected argument");
    story.env("EDITOR", "no-such-editor -x");
    let seen = story.at_terminal("edit use");
    assert_eq!(seen.code, Some(6), "{seen:?}");
    story.stdout_has("editor `no-such-editor -x` was not found; `use` is declared at").stdout_has("  tasks/t.toml:18");
    story.env("EDITOR", "exit 3;");
    assert_eq!(story.at_terminal("edit use").code, Some(2));
    story.stdout_has("ended with exit code 3; nothing was checked");
    // Where the name stands in no file, the mistakes are what is told.
    story.tasks("[task.use]\nrnu = [\"x\"]\n").infra_to(2, "edit other").stderr_has("unknown key `rnu`");
}
