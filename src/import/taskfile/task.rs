//! Owns one task of a Taskfile as a draft, once for each set of variables that it is called with.
//! Does not know how templates are filled (`variables`).

use crate::import::draft::{Draft, add, inside, lines_apart};
use crate::import::taskfile::variables::{Variables, plain};
use serde_json::Value as Json;

/// Keys that change only how a task is shown or compared.
const QUIET: [&str; 14] = [
    "cmds",
    "cmd",
    "deps",
    "desc",
    "summary",
    "sources",
    "generates",
    "status",
    "preconditions",
    "vars",
    "env",
    "dir",
    "silent",
    "internal",
];
const QUIET_TOO: [&str; 7] = ["method", "run", "label", "prefix", "ignore_error", "interval", "failfast"];

/// A Taskfile.
pub(super) struct Taskfile<'a> {
    pub(super) file: &'a Json,
    pub(super) dir: &'a str,
    pub(super) globals: Variables,
}

/// A task with the variables that it is called with.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    task: String,
    vars: Vec<(String, String)>,
}

impl Wanted {
    pub(super) fn plain(task: &str) -> Self {
        Self { task: task.to_owned(), vars: Vec::new() }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.vars.is_empty()
    }

    pub(super) fn name(&self) -> String {
        let vars = self.vars.iter().map(|(_, value)| value.clone());
        std::iter::once(self.task.clone()).chain(vars).collect::<Vec<_>>().join(" ")
    }
}

impl Taskfile<'_> {
    /// The draft, and what it calls.
    pub(super) fn draft(&self, wanted: &Wanted) -> Result<(Draft, Vec<Wanted>), String> {
        let short = &self.file["tasks"][&wanted.task];
        // `task: command` and `task: [commands]` are short for `cmds`.
        let long = serde_json::json!({ "cmds": if short.is_string() { Json::Array(vec![short.clone()]) } else { short.clone() } });
        let task = if short.is_object() { short } else { &long };
        let given: serde_json::Map<String, Json> =
            wanted.vars.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))).collect();
        let own = serde_json::json!({ "TASK": wanted.task });
        let vars = self.globals.with(&own).with(&task["vars"]).with(&Json::Object(given));
        let mut draft = Draft::named(&wanted.name());
        draft.description =
            task["desc"].as_str().or(task["summary"].as_str()).map(|text| text.trim().replace('\n', " "));
        let dir = vars.fill(task["dir"].as_str().unwrap_or(""))?;
        draft.dir = inside(self.dir, &dir).ok_or_else(|| format!("its folder `{dir}` lies outside of the project"))?;
        lost(task, &mut draft);
        paths(task, &vars, &mut draft)?;
        let mut called = Vec::new();
        for dependency in task["deps"].as_array().into_iter().flatten() {
            if !dependency["for"].is_null() {
                return Err("its `deps` are made by `for`".to_owned());
            }
            let one = call(dependency, &vars)?;
            draft.needs.push(one.name());
            called.push(one);
        }
        let lines = Self::commands(task, &vars, &mut draft, &mut called)?;
        let mut checks = Vec::new();
        for check in task["preconditions"].as_array().into_iter().flatten() {
            let command = vars.fill(check["sh"].as_str().or(check.as_str()).unwrap_or("true"))?;
            let message = vars.fill(check["msg"].as_str().unwrap_or("a precondition does not hold"))?;
            let message = message.replace('\'', r"'\''");
            checks.push((format!("{{ {command}\n}} || {{ echo '{message}' >&2; exit 1; }}"), false));
        }
        let own = !lines.is_empty();
        let all: Vec<(String, bool)> = checks.into_iter().chain(lines).collect();
        let shell = if all.iter().any(|(line, _)| line.contains("[[")) { "bash" } else { "sh" };
        match all.as_slice() {
            [] => {}
            [(line, false)] => (draft.script, draft.with) = (line.clone(), vec![shell.to_owned()]),
            all => (draft.script, draft.with) = (lines_apart(all), vec![shell.to_owned(), "-e".to_owned()]),
        }
        self.environment(task, &vars, &mut draft)?;
        let mut status = Vec::new();
        for command in task["status"].as_array().into_iter().flatten() {
            status.push(vars.fill(command.as_str().unwrap_or("true"))?);
        }
        if !status.is_empty() {
            draft.probe_by(&status);
        } else if own && draft.inputs.is_empty() && draft.outputs.is_empty() {
            draft.run_each_time("Task");
        }
        Ok((draft, called))
    }

    /// The commands with whether they may fail; a call of another task becomes a need.
    fn commands(
        task: &Json,
        vars: &Variables,
        draft: &mut Draft,
        called: &mut Vec<Wanted>,
    ) -> Result<Vec<(String, bool)>, String> {
        let mut lines: Vec<(String, bool)> = Vec::new();
        let all = task["cmds"].as_array().cloned().unwrap_or_default();
        let single = [task["cmd"].clone()];
        for command in all.iter().chain(single.iter().filter(|one| !one.is_null())) {
            if !command["for"].is_null() {
                return Err("a command is repeated by `for`".to_owned());
            }
            if !command["task"].is_null() {
                let one = call(command, vars)?;
                if !lines.is_empty() {
                    draft
                        .lost
                        .push(format!("that `{}` is called between its commands: it comes before them", one.name()));
                }
                draft.needs.push(one.name());
                called.push(one);
                continue;
            }
            if !command["defer"].is_null() {
                draft.lost.push(format!("`defer: {}`", plain(&command["defer"])));
                continue;
            }
            if !command["platforms"].is_null() {
                draft.lost.push("that a command is for some systems alone (`platforms`)".to_owned());
            }
            let text = command["cmd"].as_str().or(command.as_str()).ok_or("a command is no text")?;
            if text.contains("CLI_ARGS") {
                draft.lost.push("`{{.CLI_ARGS}}`: a task takes no arguments; they are empty here".to_owned());
            }
            let line = vars.fill(text)?.trim_end().to_owned();
            if line.contains("$(") && !text.contains("$(") && line.contains('\'') {
                return Err("a value that is computed when it runs stands where no shell would compute it".to_owned());
            }
            lines.push((line, command["ignore_error"] == true || task["ignore_error"] == true));
        }
        if draft.needs.len() > 1 && !all.iter().filter(|one| !one["task"].is_null()).collect::<Vec<_>>().is_empty() {
            draft.lost.push("that it calls tasks one after the other: they may run at the same time".to_owned());
        }
        Ok(lines)
    }

    fn environment(&self, task: &Json, vars: &Variables, draft: &mut Draft) -> Result<(), String> {
        if draft.script.is_empty() {
            return Ok(());
        }
        for table in [&self.file["env"], &task["env"]] {
            for (name, value) in table.as_object().into_iter().flatten() {
                draft.env.retain(|(own, _)| own != name);
                if let Some(command) = value["sh"].as_str() {
                    let command = vars.fill(command)?;
                    draft.script = format!("export {name}=\"$({command})\"\n{}", draft.script);
                } else {
                    let value = vars.fill(&plain(value))?;
                    if value.contains("$(") {
                        draft.script = format!("export {name}=\"{value}\"\n{}", draft.script);
                    } else {
                        draft.env.push((name.clone(), value));
                    }
                }
            }
        }
        Ok(())
    }
}

fn lost(task: &Json, draft: &mut Draft) {
    for (key, value) in task.as_object().into_iter().flatten() {
        match key.as_str() {
            "aliases" => draft.lost.push("its other names (`aliases`): a task has one name".to_owned()),
            "prompt" => draft.lost.push("`prompt`: infra asks by `approve` of an environment".to_owned()),
            "requires" => draft.lost.push("`requires`: a variable that is missing".to_owned()),
            "platforms" => draft.lost.push("`platforms`: that it is for some systems alone".to_owned()),
            "watch" | "interactive" if *value == true => draft.notes.push(format!("see `{key}` of a task")),
            key if QUIET.contains(&key) || QUIET_TOO.contains(&key) || *value == false => {}
            key => draft.lost.push(format!("`{key}`")),
        }
    }
}

/// `sources` and `generates`.
fn paths(task: &Json, vars: &Variables, draft: &mut Draft) -> Result<(), String> {
    for source in task["sources"].as_array().into_iter().flatten() {
        let (mark, path) = match source["exclude"].as_str() {
            Some(path) => ("!", path),
            None => ("", source.as_str().unwrap_or_default()),
        };
        let path = vars.fill(path)?;
        match inside(&draft.dir, &path) {
            Some(path) if !path.contains("$(") => add(&mut draft.inputs, format!("{mark}{path}")),
            _ => draft.lost.push(format!("input `{path}`: it is no plain path inside of the project")),
        }
    }
    for made in task["generates"].as_array().into_iter().flatten() {
        let path = vars.fill(made.as_str().unwrap_or_default())?;
        match inside(&draft.dir, &path) {
            Some(path) if !path.contains(['*', '?', '{', '[', '$']) => add(&mut draft.outputs, path),
            _ => draft.lost.push(format!("output `{path}`: outputs are plain paths inside of the project")),
        }
    }
    Ok(())
}

/// `name`, `task: name`, `task: name` with `vars`.
fn call(one: &Json, vars: &Variables) -> Result<Wanted, String> {
    let name = one["task"].as_str().or(one.as_str()).ok_or("a call of no task")?;
    let mut given = Vec::new();
    for (key, value) in one["vars"].as_object().into_iter().flatten() {
        given.push((key.clone(), vars.fill(&plain(value))?));
    }
    Ok(Wanted { task: vars.fill(name)?.trim_start_matches(':').to_owned(), vars: given })
}
