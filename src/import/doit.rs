//! Owns what doit's own loader says of a dodo file, as drafts; the program that asks it is `doit.py`.
//! Does not know how python is started.

use crate::import::draft::{Draft, Drafts, add, inside, loosen};
use crate::import::environment::{is_handed_over, is_marked, mark, settled};
use crate::import::lines::{Errexit, lines_apart};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// File names that doit looks for.
pub const FILES: [&str; 1] = ["dodo.py"];

const PROGRAM: &str = include_str!("doit.py");

/// The question; it loads the file as doit does, which runs what stands at its top, and runs no action.
pub fn question(python: &[String], file: &str, root: &str) -> Vec<String> {
    let words = ["-B", "-c", PROGRAM, file, root].map(str::to_owned);
    python.iter().cloned().chain(words).collect()
}

/// Variables of the caller's environment that a dodo file names, with what doit gets in their place; none for those
/// that have a default, which is taken.
pub fn marked(text: &str, env: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    let quoted = |name: &str| ['"', '\''].map(|quote| format!("{quote}{name}{quote}"));
    let named = |name: &&String| quoted(name).iter().any(|quoted| text.contains(quoted));
    let own = |name: &&String| is_handed_over(name) || name.starts_with("PYTHON") || *name == "VIRTUAL_ENV";
    let defaulted = |name: &str| quoted(name).iter().any(|quoted| text.contains(&format!("({quoted},")));
    let told = |name: &String| (name.clone(), (!defaulted(name)).then(|| mark(name)));
    env.keys().filter(|name| !own(name)).filter(named).map(told).collect()
}

/// The interpreter that the first line of the program `doit` names.
pub fn interpreter(first_line: &str) -> Option<Vec<String>> {
    let words: Vec<String> = first_line.strip_prefix("#!")?.split_whitespace().map(str::to_owned).collect();
    words.iter().any(|word| word.contains("python")).then_some(words)
}

/// The drafts; `dir`: folder of the dodo file, `here`: its absolute path; `marked`: variables that doit got marks for.
///
/// # Errors
/// When the answer is not what the program answers.
pub fn drafts(
    answer: &str,
    dir: &str,
    here: &str,
    marked: &BTreeMap<String, Option<String>>,
) -> Result<Drafts, &'static str> {
    let answer: Json = serde_json::from_str(answer).map_err(|_| "the answer is no JSON, or is cut off")?;
    let tasks = answer["tasks"].as_array().ok_or("the answer names no tasks")?;
    let file =
        File { dir, here, module: answer["module"].as_str().unwrap_or("dodo"), marked, vars: answer["vars"] == true };
    let mut drafts = Drafts::default();
    let default = words(&answer["default"]);
    if !default.is_empty() {
        let default = default.join(" ");
        drafts
            .notes
            .push(format!("`doit` alone does `{default}`: `default` under [project] of infra.toml says so here"));
    }
    for task in tasks {
        let name = task["name"].as_str().unwrap_or_default();
        let mut reasons = task["actions"].as_array().into_iter().flatten().chain([task]);
        if let Some(reason) = reasons.find_map(|one| one["reason"].as_str()) {
            drafts.left_out.push((name.to_owned(), reason.to_owned()));
            continue;
        }
        match file.draft(task, name) {
            Ok(draft) => drafts.tasks.push(draft),
            Err(reason) => drafts.left_out.push((name.to_owned(), reason)),
        }
    }
    loosen(&mut drafts.tasks);
    if drafts.tasks.iter().any(|task| task.script.contains("python3 -B -c")) {
        drafts
            .notes
            .push("python actions are called by `python3`, which must have what the dodo file imports".to_owned());
    }
    if file.vars {
        drafts.lost.push("variables of doit's command line (`get_var`): their defaults stand here".to_owned());
    }
    for (name, mark) in marked {
        if mark.is_none() {
            drafts.lost.push(format!("`{name}` of your environment: its default stands here"));
        } else if !drafts.tasks.iter().any(|task| task.pass_env.contains(name)) {
            drafts.lost.push(format!(
                "what `{name}` of your environment decides: it had no value of yours when this was made"
            ));
        }
    }
    Ok(drafts)
}

/// A dodo file.
struct File<'a> {
    dir: &'a str,
    here: &'a str,
    module: &'a str,
    marked: &'a BTreeMap<String, Option<String>>,
    /// Whether it asks for variables of doit's command line.
    vars: bool,
}

impl File<'_> {
    fn draft(&self, task: &Json, name: &str) -> Result<Draft, String> {
        let dir = self.dir;
        let mut draft = Draft::named(name);
        dir.clone_into(&mut draft.dir);
        draft.description = task["doc"].as_str().and_then(|doc| doc.trim().lines().next()).map(str::to_owned);
        draft.needs = words(&task["task_dep"]);
        draft.in_turn.clone_from(&draft.needs);
        draft.lost = words(&task["lost"]);
        draft.interactive = task["interactive"] == true;
        for path in words(&task["file_dep"]) {
            match inside(dir, &path) {
                Some(path) => add(&mut draft.inputs, path),
                None => draft.lost.push(format!("input `{path}`: it lies outside of the project")),
            }
        }
        for path in words(&task["targets"]) {
            match inside(dir, &path) {
                Some(path) => add(&mut draft.outputs, path),
                None => draft.lost.push(format!("output `{path}`: it lies outside of the project")),
            }
        }
        let mut lines = Vec::new();
        for action in task["actions"].as_array().into_iter().flatten() {
            draft.lost.extend(words(&action["lost"]));
            if let Some(line) = action["shell"].as_str() {
                lines.push((line.to_owned(), false));
            } else if let Some(call) = action["python"].as_str() {
                if is_marked(call) {
                    return Err("a python action gets a variable of your environment".to_owned());
                }
                let vars = if self.vars { "import doit.doit_cmd; doit.doit_cmd.reset_vars(); " } else { "" };
                let module = self.module;
                // What doit takes for success.
                let text = format!(
                    "import sys; sys.path.insert(0, '.'); {vars}import {module}; done = {module}.{call}; \
                 sys.exit(not (done is None or done is True or isinstance(done, (str, dict))))"
                );
                for name in self.marked.keys() {
                    add(&mut draft.pass_env, name.as_str());
                }
                lines.push((format!("python3 -B -c '{}'", text.replace('\'', r"'\''")), false));
            }
        }
        if let [(line, _)] = lines.as_slice() {
            draft.script.clone_from(line);
            draft.with = vec!["sh".to_owned()];
        } else if !lines.is_empty() {
            draft.script = lines_apart(&lines, Errexit::Off);
            draft.with = vec!["sh".to_owned(), "-e".to_owned()];
        }
        draft.script = settled(&std::mem::take(&mut draft.script), &mut draft)?;
        draft.relocate(self.here);
        let status = words(&task["status"]);
        if task["always"] == true && task["group"] != true && !lines.is_empty() {
            draft.run_each_time("doit");
        } else if !status.is_empty() {
            draft.probe_by(&status, Errexit::Off);
        }
        Ok(draft)
    }
}

fn words(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}
