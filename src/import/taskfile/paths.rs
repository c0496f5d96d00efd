//! Owns `sources` and `generates` of a Taskfile as inputs and outputs.
//! Does not know the disk (it asks).

use crate::import::draft::{Draft, add};
use crate::import::late::{is_late, shown};
use crate::import::taskfile::variables::{Variables, path_inside};
use serde_json::Value as Json;

/// Where paths lead.
pub(super) struct Paths<'a> {
    /// Where the first file lies, relative to the project.
    pub(super) top: &'a str,
    /// Whether a path of the project is a folder, `None` when nothing is there.
    pub(super) is_folder: &'a dyn Fn(&str) -> Option<bool>,
}

impl Paths<'_> {
    /// `sources` and `generates`.
    pub(super) fn read(&self, task: &Json, vars: &Variables, draft: &mut Draft) -> Result<(), String> {
        let inside = |draft: &Draft, path: &str| path_inside(self.top, &draft.dir, path);
        for source in task["sources"].as_array().into_iter().flatten() {
            let (mark, path) = match source["exclude"].as_str() {
                Some(path) => ("!", path),
                None => ("", source.as_str().unwrap_or_default()),
            };
            let path = vars.fill(path)?;
            match inside(draft, &path) {
                Some(path) if !path.contains("$(") && !is_late(&path) => {
                    add(&mut draft.inputs, format!("{mark}{path}"));
                }
                _ => draft.lost.push(format!("input `{}`: it is no plain path inside of the project", shown(&path))),
            }
        }
        for made in task["generates"].as_array().into_iter().flatten() {
            let path = vars.fill(made.as_str().unwrap_or_default())?;
            match inside(draft, &path) {
                Some(mut path) if !path.contains(['*', '?', '{', '[', '$']) && !is_late(&path) => {
                    if !path.ends_with('/') && self.is_folder_to_be(&path, task) {
                        path.push('/');
                    }
                    add(&mut draft.outputs, path);
                }
                _ => {
                    draft
                        .lost
                        .push(format!("output `{}`: outputs are plain paths inside of the project", shown(&path)));
                }
            }
        }
        Ok(())
    }

    /// Whether a path is a folder, or is made as one.
    fn is_folder_to_be(&self, path: &str, task: &Json) -> bool {
        let last = path.rsplit('/').next();
        let makes = |command: &str| {
            let mut words = command.split([' ', '"', '\'']).filter(|word| !word.is_empty());
            words.next() == Some("mkdir") && words.any(|word| word.trim_end_matches('/').rsplit('/').next() == last)
        };
        let commands = task["cmds"].as_array().into_iter().flatten();
        let mut texts = commands.filter_map(|one| one["cmd"].as_str().or(one.as_str()));
        (self.is_folder)(path)
            .unwrap_or_else(|| texts.any(|text| text.split([';', '&', '|', '\n']).map(str::trim).any(makes)))
    }
}
