//! Owns the tables of `infra outputs`, and a value as it is for `--key`.
//! Does not know where values and artifacts are kept, nor any secret that was not to be revealed.

use crate::report::paint::{Look, Tone};
use crate::report::tables::{Row, plain, table, toned};
use crate::report::text::{clean, size};
use crate::report::view::{OutputsView, ValueView};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// What stands for a secret value.
pub const MASK: &str = "••••••";

/// Values, then artifacts.
pub fn outputs(view: &OutputsView, look: &Look) -> String {
    let mut values = Vec::new();
    let mut artifacts = Vec::new();
    for task in &view.tasks {
        for value in &task.values {
            let cells = vec![
                toned(Tone::Strong, format!("{}.{}", task.name, value.key)),
                toned(Tone::Dim, value.declared.as_deref().unwrap_or_default()),
                plain(shown(value)),
            ];
            values.push(Row { cells, below: Vec::new() });
        }
        for artifact in &task.artifacts {
            let cells = vec![
                toned(Tone::Strong, clean(&artifact.path)),
                plain(&task.name),
                plain(size(artifact.size)),
                toned(Tone::Dim, artifact.digest.get(..8).unwrap_or(&artifact.digest)),
                plain(if artifact.kept { "" } else { "not kept" }),
            ];
            artifacts.push(Row { cells, below: Vec::new() });
        }
    }
    let mut text = table(&["value", "type", "is"], &values, look);
    if !values.is_empty() && !artifacts.is_empty() {
        text.push('\n');
    }
    text.push_str(&table(&["artifact", "task", "size", "digest", ""], &artifacts, look));
    if text.is_empty() {
        let _ = writeln!(text, "nothing on record in {}", view.env);
    }
    text
}

/// One value for another program: text as it is, anything else as JSON, without a line end.
pub fn raw(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

fn shown(value: &ValueView) -> String {
    match &value.value {
        Some(value) => clean(&raw(value)),
        None => MASK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::{ArtifactView, MadeView};
    use serde_json::json;

    fn s(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn values_and_artifacts_are_two_tables() {
        let values = vec![
            ValueView { key: s("ips"), declared: Some(s("list<ip>")), secret: false, value: Some(json!(["10.0.0.1"])) },
            ValueView { key: s("name"), declared: None, secret: false, value: Some(json!("a b")) },
            ValueView { key: s("token"), declared: Some(s("secret<string>")), secret: true, value: None },
        ];
        let artifacts =
            vec![ArtifactView { path: s("build/x"), digest: "9c1e77aa".repeat(8), size: 1234, kept: false }];
        let view = OutputsView { env: s("local"), tasks: vec![MadeView { name: s("vm"), values, artifacts }] };
        assert_eq!(
            outputs(&view, &Look::default()),
            "\
value     type            is
vm.ips    list<ip>        [\"10.0.0.1\"]
vm.name                   a b
vm.token  secret<string>  ••••••

artifact  task  size    digest
build/x   vm    1.2 kB  9c1e77aa  not kept
"
        );
    }

    #[test]
    fn nothing_on_record_is_said() {
        assert_eq!(
            outputs(&OutputsView { env: s("dev"), tasks: vec![] }, &Look::default()),
            "nothing on record in dev\n"
        );
    }

    #[test]
    fn a_raw_value_has_no_quotes_around_text() {
        assert_eq!(
            [json!("a\nb"), json!(3), json!(["x"])].iter().map(raw).collect::<Vec<_>>(),
            ["a\nb", "3", "[\"x\"]"]
        );
    }
}
