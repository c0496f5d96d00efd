//! Owns the tests of what is written well.
//! Does not know mistakes (`wrong.rs`).

use super::*;
use crate::model::action::KindName;
use crate::model::effect::Effect;
use crate::model::environment::{Approve, Rotation, SecretSource};
use crate::model::graph::Edge;
use crate::model::task::{OnFailure, OutputShape, ProbeCheck, Terminal, WatchMay};
use crate::model::text::{Read, Tree};
use serde_json::json;
use std::time::Duration;

const ALL_KEYS: &str = r#"
[task.first]
run = ["true"]
exports = { ips = "list<ip>", token = "secret<string>" }

[task.other]
shell = "echo hi"

[task.all]
description = "Everything"
stage = "verify"
tags = ["smoke", "slow"]
needs = ["first"]
after = ["other"]
run = [["./bin/x", "{{ tasks.first.ips[0] }}"], ["b", 3]]
inputs = ["src/*.c", "!src/skip.c", "README"]
outputs = ["build/out.txt", "build/site/"]
exports = { url = "url" }
env = { PORT = 80, T = "{{ secrets.tok }}", N = "{{ env.name }}" }
pass_env = ["HOME2"]
dir = "./sub/"
effect = "read"
ttl = "10m"
probe = { tcp = "{{ out.url }}:22", ttl = "30s" }
undo = ["rm", "x"]
was = ["old"]
in_place = ["state.txt"]
allow_failure = true
ready = [{ tcp = "h:1", within = "5m" }, { exec = ["a", "b"] }]
retry = { max = 2, backoff = "5s..60s", when = ["refused"] }
timeout = "30m"
grace = "1m"
pool = "api"
interactive = true
watch = true
"#;

#[test]
fn every_key_of_a_task_lands_in_the_model() {
    let infra = "[pools]\napi = 2\n[secrets]\ntok = { env = \"TOK\" }\n";
    let project = project(&[
        ("infra.toml", infra),
        ("tasks/a.toml", ALL_KEYS),
        ("src/a.c", ""),
        ("README", ""),
        ("state.txt", ""),
        ("sub/bin/x", ""),
    ]);
    let all = task(&project, "all");
    assert_eq!(all.description.as_deref(), Some("Everything"));
    assert_eq!(
        (all.stage.as_deref(), all.tags.as_slice()),
        (Some("verify"), &["smoke".to_owned(), "slow".to_owned()][..])
    );
    assert_eq!(project.graph.up(all.id), [(TaskId(0), Edge::Needs), (TaskId(1), Edge::After)]);
    assert_eq!((all.effect, all.ttl), (Effect::Read, Some(Duration::from_secs(600))));
    assert_eq!(all.dir, "sub");
    assert_eq!(
        all.outputs.iter().map(|o| (o.path.as_str(), o.shape)).collect::<Vec<_>>(),
        [("build/out.txt", OutputShape::File), ("build/site", OutputShape::Folder), ("state.txt", OutputShape::File),]
    );
    assert_eq!(all.env["PORT"].source.as_ref(), "80");
    assert!(all.env["T"].reads.contains(&Read::Secret("tok".into())));
    assert!(matches!(all.probe.as_ref().map(|p| &p.check), Some(ProbeCheck::Tcp(_))));
    assert_eq!(all.ready.iter().map(|r| r.within.as_secs()).collect::<Vec<_>>(), [300, 300]);
    let retry = all.retry.as_ref().expect("retry");
    assert_eq!((retry.max, retry.backoff, retry.when.len()), (2, (Duration::from_secs(5), Duration::from_secs(60)), 1));
    assert_eq!((all.timeout, all.grace), (Some(Duration::from_secs(1800)), Some(Duration::from_secs(60))));
    assert_eq!((all.pool.as_deref(), all.on_failure), (Some("api"), OnFailure::GoOn));
    assert_eq!((all.terminal, all.watch), (Terminal::Handed, WatchMay::Run));
    assert_eq!((all.was.as_slice(), all.in_place.len()), (&["old".to_owned()][..], 1));
    assert_eq!((all.pass_env.len(), all.undo.len(), all.undo[0].len()), (1, 1, 2));
    assert_eq!(all.action.kind, KindName::Run);
    assert_eq!(task(&project, "other").action.subject, None);
    let Some(Tree::List(argvs)) = all.action.table.get("run") else { panic!("argvs") };
    assert_eq!(argvs.len(), 2);
}

#[test]
fn variables_by_precedence() {
    let files = [
        (
            "infra.toml",
            "[vars]\na = 1\nb = 1\nc = 1\nd = 1\n[env.dev]\nvars = { b = 2, c = 2, d = 2 }\nvars_file = \"env/dev.toml\"\n",
        ),
        ("env/dev.toml", "c = 3\nd = 3\n"),
        ("tasks/a.toml", "[task.x]\nrun = [\"x\"]\n"),
    ];
    let options = Options { env: Some("dev".to_owned()), set: vec![("d".to_owned(), "4".to_owned())] };
    let project = project_in(&files, &options);
    let vars: Vec<_> = project.env.vars.iter().map(|(k, v)| (k.as_str(), v.value.clone(), v.origin.as_str())).collect();
    assert_eq!(
        vars,
        [
            ("a", json!(1), "infra.toml:2"),
            ("b", json!(2), "infra.toml:7"),
            ("c", json!(3), "env/dev.toml:1"),
            ("d", json!(4), "--set"),
        ]
    );
    assert_eq!(project.env_names, ["dev", "local"]);
}

#[test]
fn settings_of_the_project_and_an_environment() {
    let files = [
        (
            "infra.toml",
            r#"
[project]
name = "em"
default_env = "dev"
default = ["x", "elsewhere", "x!"]
dotenv = [".env", "none.env"]
[requires]
terraform = ">=1.9, <2"
any = "*"
[env.dev]
approve = "on-destroy"
kube_context = "k3s-dev"
dotenv = "dev.env"
[env.prod]
[secrets]
a = { env = "A" }
b = { file = "./s/b", rotates = true }
c = { command = ["sops", "-d"] }
[pools]
api = 2
"#,
        ),
        (".env", "A=1\nB=1\n"),
        ("dev.env", "B=2\n"),
        ("tasks/a.toml", "[task.x]\nrun = [\"x\"]\n[task.elsewhere]\nenvs = [\"prod\"]\nrun = [\"x\"]\n"),
    ];
    let project = project(&files);
    assert_eq!((project.name.as_deref(), project.env.name.as_str()), (Some("em"), "dev"));
    assert_eq!((project.env_names.as_slice(), project.pools["api"]), (&["dev".to_owned(), "prod".to_owned()][..], 2));
    assert_eq!(project.requires["terraform"], ">=1.9, <2");
    assert_eq!(project.env.dotenv.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["A=1", "B=2"]);
    assert_eq!(project.env.kube_context.as_deref(), Some(&["k3s-dev".to_owned()][..]));
    assert_eq!(project.env.approve, Approve::OnDestroy);
    assert_eq!(project.env.secrets["b"].rotation, Rotation::Rotates);
    assert_eq!(project.env.secrets["b"].source, SecretSource::File("s/b".into()));
    assert_eq!(project.env.secrets["c"].source, SecretSource::Command(vec!["sops".to_owned(), "-d".to_owned()]));
}

#[test]
fn foreach_and_matrix_make_instances() {
    let project = tasks(
        "[vars]\nhosts = [\"a\", \"b\"]\n",
        r#"
[task.host]
foreach = "{{ vars.hosts }}"
run = ["make", "{{ item }}"]
outputs = ["out/{{ item }}.txt"]
exports = { ip = "ip" }

[task.test]
matrix = { os = ["u22", "u24"], arch = [64, 32] }
run = ["t", "{{ matrix.os }}", "{{ matrix.arch }}"]

[task.net]
foreach = { b = { cidr = "2" }, a = { cidr = "1" } }
shell = "echo {{ item.key }} {{ item.cidr }}"

[task.all]
needs = ["host"]
shell = "echo {{ tasks.host['b'].ip }} {{ tasks.host.ip | tojson }}"
inputs = ["out/a.txt"]
"#,
    );
    let names: Vec<&str> = project.tasks.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "host[a]",
            "host[b]",
            "test[u22,64]",
            "test[u22,32]",
            "test[u24,64]",
            "test[u24,32]",
            "net[b]",
            "net[a]",
            "all"
        ]
    );
    assert_eq!(task(&project, "net[a]").item, Some(json!({"cidr": "1", "key": "a"})));
    assert_eq!(task(&project, "test[u22,32]").matrix["arch"], json!(32));
    assert_eq!(project.graph.up(TaskId(8)), [(TaskId(0), Edge::Needs), (TaskId(1), Edge::Needs)]);
    assert_eq!(project.by_template("host").len(), 2);
}
