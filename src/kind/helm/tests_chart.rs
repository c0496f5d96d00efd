//! Owns tables of what is known of a chart and a release without a cluster, or of a release alone.
//! Does not know a real helm.

use super::Helm;
use super::release::Release;
use super::tests::release;
use crate::kind::Kind;
use crate::kind::fake::{FakeFiles, failed, job, logged, step, table};
use crate::kind::machine::Heard;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

#[test]
fn hooks_enter_the_token_since_they_are_in_no_manifest() {
    let token = |hooks: Json| {
        let mut told: Json = serde_json::from_str(&release(3, "deployed", "kind: A")).unwrap();
        told["hooks"] = hooks;
        serde_json::from_value::<Release>(told).unwrap().token()
    };
    let pod = |image: &str, phase: &str| {
        let manifest = format!("kind: Pod\nimage: {image}\n");
        json!([{"name": "smoke", "manifest": manifest, "last_run": {"phase": phase}}])
    };
    assert_ne!(token(pod("a", "")), token(pod("b", "")));
    assert_eq!(token(pod("a", "Succeeded")), token(pod("a", "Failed")), "how one ended is no change of it");
    assert_eq!(token(Json::Null), token(json!([])));
    let secret = |value: &str| json!([{"manifest": format!("kind: Secret\ndata:\n  a: {value}\n")}]);
    assert_eq!(token(secret("b25l")), token(secret("dHdv")));
}

#[test]
fn a_lint_says_what_it_complains_of() {
    let said = |tail: &str| {
        let mut machine = Helm.start(job(json!({"chart": "web", "action": "lint"})));
        step(machine.as_mut(), Heard::Start, "helm lint");
        failed(machine.next(logged(1, tail)))
    };
    let tail = "==> Linting /p/web\n[INFO] Chart.yaml: icon is recommended\n[ERROR] templates/: web/x.yaml:1:13\n  at <.Values.a>:\n    nil pointer\n\nError: 1 chart(s) linted, 1 chart(s) failed";
    assert_eq!(said(tail).message, "`helm lint` complains: templates/: web/x.yaml:1:13 at <.Values.a>: nil pointer");
    let missing =
        said("[WARNING] /p/web: chart directory is missing these dependencies: redis\nError: 1 chart(s) failed");
    assert!(missing.hint.unwrap().contains("action = \"dependencies\""));
}

#[test]
fn what_is_wrong_with_a_release_is_known_before_it_runs() {
    let wrong = |name: Json| {
        let table = table(json!({"release": name, "chart": "c", "kubeconfig": "k"}));
        Helm.wrong(&table, &BTreeSet::new()).join("; ")
    };
    assert_eq!((wrong(json!("web-1.x")), wrong(Json::Null)), (String::new(), String::new()));
    for name in ["Web", "web_", "-web", "web.", ""] {
        assert!(wrong(json!(name)).contains("is no name for a release"), "{name}");
    }
    assert!(wrong(json!("a".repeat(54))).contains("at most 53"));
    let files = FakeFiles::new(&[("c/Chart.yaml", "")]);
    let remarks = |json: Json| Helm.infer(&table(json), &files).remarks.join("; ");
    assert!(remarks(json!({"release": "w", "chart": "c", "version": "1"})).contains("`c` says its own"));
    assert!(remarks(json!({"release": "w", "chart": "c", "repo": "http://x"})).contains("no `version` of `c`"));
    assert_eq!(remarks(json!({"release": "w", "chart": "c", "repo": "http://x", "version": "1"})), "");
    assert_eq!(remarks(json!({"release": "w", "chart": "c"})), "");
}
