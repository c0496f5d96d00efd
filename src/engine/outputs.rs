//! Owns what an attempt made: outputs that must be there, exports that must be of their types.
//! Does not know how they are recorded.

use crate::engine::dispatch::Engine;
use crate::kind::machine::Done;
use crate::model::facts::{ContentKind, Facts};
use crate::model::name::TaskId;
use crate::model::record::{Artifact, Export};
use crate::model::task::{Keep, OutputShape};
use crate::model::value::ValueType;
use serde_json::Value as Json;
use std::collections::BTreeMap;

impl Engine<'_> {
    /// Checks, hashes and keeps the outputs of a task.
    pub(super) fn collect_outputs(&self, id: TaskId) -> Result<Vec<Artifact>, String> {
        let task = self.project.task(id);
        let mut artifacts = Vec::new();
        let mut absent = Vec::new();
        for output in &task.outputs {
            self.host.forget(&output.path);
            let content = self.host.artifact(&output.path).map_err(|error| error.to_string())?;
            match (content.kind, output.shape) {
                (ContentKind::Missing, _) => {
                    absent.push(output.path.to_string());
                    continue;
                }
                (ContentKind::Folder, OutputShape::File) => {
                    return Err(format!(
                        "output `{}` is a folder, but a file is declared: write `\"{}/\"`",
                        output.path, output.path
                    ));
                }
                (ContentKind::File, OutputShape::Folder) => {
                    return Err(format!("output `{}/` is a file, but a folder is declared", output.path));
                }
                _ => {}
            }
            let (digest, size, kept) = match output.keep {
                Keep::Secret => (content.digest, 0, false),
                Keep::Kept => {
                    let stored = self.host.keep(&output.path)?;
                    (stored.digest, stored.size, true)
                }
            };
            artifacts.push(Artifact { path: output.path.to_string(), digest, kept, size });
        }
        if absent.is_empty() {
            Ok(artifacts)
        } else {
            Err(format!("it succeeded but did not write its declared output `{}`", absent.join("`, `")))
        }
    }

    /// Checks exports against their declared types and seals secret ones. Gives what was left out too.
    pub(super) fn collect_exports(
        &self,
        id: TaskId,
        done: &Done,
    ) -> Result<(BTreeMap<String, Export>, Vec<String>), String> {
        let task = self.project.task(id);
        let declared = &task.exports;
        let own_file =
            matches!(task.action.kind, crate::model::action::KindName::Run | crate::model::action::KindName::Shell);
        let mut exports = BTreeMap::new();
        let mut left_out = Vec::new();
        let mut wrong = Vec::new();
        for (name, value) in &done.exports {
            if !declared.contains_key(name) && (own_file || !declared.is_empty()) {
                left_out.push(name.clone());
                if own_file || !matches!(name.as_str(), "changed" | "hosts" | "changes") {
                    continue;
                }
            }
            let value_type = declared.get(name);
            if let Some(value_type) = value_type
                && let Err(mismatch) = value_type.check(value)
            {
                wrong.push(format!("export `{name}`: {mismatch}"));
                continue;
            }
            let secret = value_type.is_some_and(ValueType::is_secret) || done.secret_exports.contains(name);
            exports.insert(
                name.clone(),
                if secret { self.sealed(name, value)? } else { Export::Plain { value: value.clone() } },
            );
        }
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        let absent: Vec<&str> =
            declared.keys().filter(|name| !exports.contains_key(*name)).map(String::as_str).collect();
        if !absent.is_empty() {
            return Err(format!("it succeeded but did not export `{}`", absent.join("`, `")));
        }
        if !own_file {
            left_out.clear();
        }
        Ok((exports, left_out))
    }

    fn sealed(&self, name: &str, value: &Json) -> Result<Export, String> {
        let text = crate::model::value::canonical(value);
        Ok(Export::Sealed { sealed: self.host.seal(text.as_bytes())?, digest: self.host.keyed(name, text.as_bytes()) })
    }
}
