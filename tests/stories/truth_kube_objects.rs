//! Objects of kubectl against a real control plane: which of them are a task's, where they go, and what is left of
//! them.

use crate::support::{Helm, Kube, Story};

/// A task `app` that applies a folder, and what needs it.
fn folder(more: &str) -> (Story, Kube) {
    let story = Story::new();
    let kube = story.kube(Helm::V4);
    let tasks = r#"
        [task.app]
        probe = { kind = true }
        [task.app.kubectl]
        apply = "k8s"
        namespace = "NAMESPACE"
        kubeconfig = "../kubeconfig"

        [task.use]
        needs = ["app"]
        shell = "true"
    "#;
    story.tasks(&format!("{tasks}{more}").replace("NAMESPACE", &kube.namespace));
    (story, kube)
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ colour: blue }}\n")
}

fn maps(story: &Story, kube: &Kube) -> String {
    story.kubectl(&kube.config, "get configmap -o name")
}

#[test]
fn what_a_failed_apply_made_is_taken_back() {
    let (story, kube) = folder("");
    story.file("k8s/a.yml", &map("good")).file("k8s/b.yml", &map("BAD_NAME"));
    story.kubectl(&kube.config, "create configmap beside");
    story.infra_to(1, "run app").stderr_has("BAD_NAME");
    assert!(maps(&story, &kube).contains("configmap/good"));
    story.infra("destroy app --yes");
    let left = maps(&story, &kube);
    assert!(!left.contains("configmap/good") && left.contains("configmap/beside"), "{left}");
    story.infra("destroy app --yes").stderr_has("nothing");
}

#[test]
fn what_a_killed_apply_made_is_taken_back() {
    let (story, kube) = folder("");
    story.file("k8s/a.yml", &map("good"));
    story.retask("apply = ", "wait = [{ for = \"create\", of = \"configmap/never\", within = \"60s\" }]\napply = ");
    let running = story.spawn("run app");
    story.wait_for("the apply", || maps(&story, &kube).contains("configmap/good"));
    running.signal("KILL");
    running.wait();
    story.infra("destroy app --yes");
    assert!(!maps(&story, &kube).contains("configmap/good"));
}

#[test]
fn an_undo_leaves_alone_what_is_not_the_tasks_any_more() {
    let b = "\n[task.b]\nkubectl = { apply = \"other\", namespace = \"NAMESPACE\", kubeconfig = \"../kubeconfig\" }\n";
    let (story, kube) = folder(b);
    for name in ["own", "remade", "moved"] {
        story.file(&format!("k8s/{name}.yml"), &map(name));
    }
    story.file("other/b.yml", &map("b")).run("app b").ran(["app", "b"]);
    // One moves to the other task's files, one leaves them and is made anew by somebody else.
    story.remove("k8s/moved.yml").remove("k8s/remade.yml").file("other/moved.yml", &map("moved"));
    story.run("app b").ran(["app", "b"]);
    story.kubectl(&kube.config, "delete configmap remade");
    story.kubectl(&kube.config, "create configmap remade");
    story.tasks(&b.replace("NAMESPACE", &kube.namespace)).infra("destroy --orphans --yes");
    let left = maps(&story, &kube);
    assert!(!left.contains("configmap/own"), "{left}");
    assert!(["b", "moved", "remade"].iter().all(|name| left.contains(&format!("configmap/{name}"))), "{left}");
    story.run("b").nothing_ran();
}

#[test]
fn an_object_goes_into_the_namespace_that_it_names() {
    let (story, kube) = folder("");
    let (own, other) = (kube.namespace.as_str(), format!("{}-other", kube.namespace));
    let elsewhere = map("elsewhere").replace("elsewhere }", &format!("elsewhere, namespace: {other} }}"));
    let space = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {other} }}\n");
    story.file("k8s/a.yml", &map("here")).file("k8s/b.yml", &elsewhere).file("k8s/c.yml", &space);
    let get = format!(
        "get = {{ colour = {{ of = \"configmap/elsewhere\", jsonpath = \"{{.data.colour}}\", namespace = \"{other}\" }} }}"
    );
    let wait = format!("wait = [{{ for = \"create\", of = \"configmap/elsewhere\", namespace = \"{other}\" }}]");
    story.retask("apply = ", &format!("{get}\n{wait}\napply = ")).run("use").ran(["app", "use"]);
    story.kubectl(&kube.config, &format!("get configmap here -n {own}"));
    story.kubectl(&kube.config, &format!("get configmap elsewhere -n {other}"));
    story.run("use").nothing_ran();
    // The task moves: what it left in its former namespace is still taken back.
    let third = format!("{}-third", kube.namespace);
    story.kubectl(&kube.config, &format!("create namespace {third}"));
    story.retask(&format!("namespace = \"{own}\"\n"), &format!("namespace = \"{third}\"\n")).run("app").ran(["app"]);
    story.kubectl(&kube.config, &format!("get configmap here -n {third}"));
    story.infra("destroy app --yes");
    let left = story.kubectl(&kube.config, "get configmap -A");
    assert!(!left.contains(" here ") && !left.contains(" elsewhere "), "{left}");
    story.kubectl(&kube.config, &format!("get namespace {third}"));
}

#[test]
fn what_is_being_deleted_is_made_anew() {
    let (story, kube) = folder("");
    story.file("k8s/a.yml", &map("held").replace("held }", "held, finalizers: [x.io/held] }"));
    story.file("k8s/b.yml", &map("beside")).run("use").ran(["app", "use"]);
    let uid = || story.kubectl(&kube.config, "get configmap held -o jsonpath={.metadata.uid}");
    let before = uid();
    story.kubectl(&kube.config, "delete configmap held --wait=false");
    let running = story.spawn("run use");
    std::thread::sleep(std::time::Duration::from_secs(4));
    let free = ["--kubeconfig", kube.config.to_str().unwrap(), "patch", "configmap", "held", "--type=merge", "-p"];
    let free: Vec<&str> = free.into_iter().chain([r#"{"metadata":{"finalizers":null}}"#]).collect();
    story.program_says("kubectl", &free);
    let seen = running.wait();
    assert_eq!(seen.code, Some(0), "{}{}", seen.stdout, seen.stderr);
    assert_ne!(uid(), before, "it is another one");
    story.program_says("kubectl", &free);
    story.kubectl(&kube.config, "get configmap beside");
}

#[test]
fn a_changed_secret_is_a_change() {
    let (story, kube) = folder("");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: one }\n";
    story.file("k8s/s.yml", secret).file("k8s/a.yml", &map("a")).run("use").ran(["app", "use"]);
    story.edit("k8s/s.yml", "kind: Secret", "kind: Secret # a comment").run("use").ran(["app"]).fresh(["use"]);
    story.edit("k8s/s.yml", "one", "two").run("use").ran(["app", "use"]);
    story.run("use").nothing_ran();
    // By hand, too: the probe sees it.
    story.retask("apply = ", "force_conflicts = true\napply = ").run("app").ran(["app"]);
    let words = ["--kubeconfig", kube.config.to_str().unwrap(), "patch", "secret", "s", "--type=merge", "-p"];
    let words: Vec<&str> = words.into_iter().chain([r#"{"stringData":{"password":"three"}}"#]).collect();
    story.program_says("kubectl", &words);
    story.run("use").ran(["app", "use"]);
}

const KIND: &str = r"
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: { name: GROUP }
    spec:
      group: SPACE.example.com
      scope: Namespaced
      names: { plural: boxes, singular: box, kind: Box }
      versions:
        - name: v1
          served: true
          storage: true
          schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
";

#[test]
fn a_kind_and_its_objects_come_in_one_apply_and_go_apart() {
    let gone = "\n[task.gone]\nprobe = { kind = true }\nkubectl = { delete = \"old\", namespace = \"NAMESPACE\", kubeconfig = \"../kubeconfig\" }\n";
    let (story, kube) = folder(gone);
    let group = format!("{}.example.com", kube.namespace);
    let kind = KIND.replace("GROUP", &format!("boxes.{group}")).replace("SPACE", &kube.namespace);
    let object = format!("apiVersion: {group}/v1\nkind: Box\nmetadata: {{ name: one }}\n");
    // By its name the object comes first.
    story.file("k8s/a.yml", &object).file("k8s/b.yml", &kind).file("k8s/c.yml", &map("plain"));
    story.run("use").ran(["app", "use"]).run("use").nothing_ran();
    story.kubectl(&kube.config, &format!("get boxes.{group} one"));
    // The kind goes, and what is of it: neither a delete nor an undo of the others is held up.
    story.kubectl(&kube.config, &format!("delete customresourcedefinition boxes.{group}"));
    story.file("old/a.yml", &object).file("old/b.yml", &map("old")).kubectl(&kube.config, "create configmap old");
    story.run("gone").ran(["gone"]);
    assert!(!maps(&story, &kube).contains("configmap/old"));
    // What must not be there is looked for.
    story.run("gone").nothing_ran();
    story.kubectl(&kube.config, "create configmap old");
    story.run("gone").ran(["gone"]);
    assert!(maps(&story, &kube).contains("configmap/plain"));
    story.infra("destroy app --yes");
    assert!(!maps(&story, &kube).contains("configmap/plain"));
}

#[test]
fn a_job_that_failed_is_not_waited_for() {
    let (story, _) = folder("");
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: { name: once }\nspec:\n  activeDeadlineSeconds: 1\n  template:\n    spec: { restartPolicy: Never, nodeSelector: { no: where }, containers: [{ name: a, image: \"example/a:1\" }] }\n";
    story.file("k8s/job.yml", job);
    story
        .retask("apply = ", "wait = [{ for = \"condition=complete\", of = \"job/once\", within = \"10m\" }]\napply = ");
    let began = std::time::Instant::now();
    story.infra_to(1, "run app").stderr_has("Failed=True (DeadlineExceeded");
    assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
}

#[test]
fn every_conflict_and_its_object_is_told() {
    let (story, kube) = folder("");
    let two = map("first").replace("colour: blue", "colour: blue, size: big");
    story.file("k8s/a.yml", &two).file("k8s/b.yml", &map("second")).file("k8s/c.yml", &map("third"));
    story.run("app").ran(["app"]).file("../ops.yml", &two.replace("blue", "green").replace("big", "small"));
    let ops = |path: &str| {
        let path = story.base().join(path);
        let words = format!("apply --server-side --force-conflicts --field-manager=ops -f {}", path.display());
        story.kubectl(&kube.config, &words);
    };
    ops("ops.yml");
    story.kubectl(&kube.config, "annotate configmap third its=own");
    story.infra("status --probe app").stdout_has("changed or made anew by somebody else: configmap/first");
    story.infra_to(1, "run app");
    story.stderr_has("configmap/first: `.data.colour`, `.data.size` are owned by `ops`");
    story.retask("apply = ", "force_conflicts = true\napply = ").run("app").ran(["app"]).says("as it was");
    ops("ops.yml");
    story.run("app").ran(["app"]).says("put right").run("app").nothing_ran();
}
