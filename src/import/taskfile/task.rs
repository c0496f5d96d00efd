//! Owns one task of a Taskfile as a draft, once for each set of variables that it is called with.
//! Does not know how templates are filled (`variables`), nor how commands become a script (`commands`).

use crate::import::draft::{Draft, add};
use crate::import::lines::{Errexit, depending};
use crate::import::taskfile::commands::{Command, When, fill_in, script};
use crate::import::taskfile::file::{File, Taskfiles};
use crate::import::taskfile::late::{Place, computed, is_late, is_quoted_away, rooted_at, shown};
use crate::import::taskfile::repeat::turns;
use crate::import::taskfile::variables::{HERE, Variables, path_inside, plain};
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
const QUIET_TOO: [&str; 8] = ["method", "run", "label", "prefix", "ignore_error", "interval", "failfast", "if"];

/// A task with the variables that it is called with.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) task: String,
    pub(super) vars: Vec<(String, String)>,
}

impl Wanted {
    pub(super) fn plain(task: &str) -> Self {
        Self { task: task.to_owned(), vars: Vec::new() }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.vars.is_empty()
    }

    pub(super) fn name(&self) -> String {
        let vars = self.vars.iter().map(|(_, value)| shown(value));
        std::iter::once(self.task.clone()).chain(vars).collect::<Vec<_>>().join(" ")
    }
}

/// Which commands Task itself would run; `None`: it can't say.
pub(super) type Rehearse<'a> = &'a dyn Fn(&Wanted) -> Option<Vec<String>>;

/// What makes drafts.
pub(super) struct Drafter<'a> {
    pub(super) all: &'a Taskfiles,
    /// Absolute folder of the first file, as Task has it.
    pub(super) root: &'a str,
    pub(super) rehearse: Rehearse<'a>,
    /// Variables of the environment that Task must not fill in.
    pub(super) env: &'a [String],
    /// Whether something is at a path of the project.
    pub(super) is_there: &'a dyn Fn(&str) -> bool,
}

impl Drafter<'_> {
    /// The draft, and what it calls.
    pub(super) fn draft(&self, wanted: &Wanted, file: &File, short: &Json) -> Result<(Draft, Vec<Wanted>), String> {
        // `task: command` and `task: [commands]` are short for `cmds`.
        let cmds = if short.is_string() { Json::Array(vec![short.clone()]) } else { short.clone() };
        let long = serde_json::json!({ "cmds": cmds });
        let task = if short.is_object() { short } else { &long };
        let given: serde_json::Map<String, Json> =
            wanted.vars.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))).collect();
        let own = file.vars.and("TASK", wanted.task.clone());
        let vars = own.with(&task["vars"]).with(&Json::Object(given));
        let mut draft = Draft::named(&wanted.name());
        draft.description =
            task["desc"].as_str().or(task["summary"].as_str()).map(|text| text.trim().replace('\n', " "));
        let dir = vars.fill(task["dir"].as_str().unwrap_or(""))?;
        if is_late(dir.trim_start_matches(HERE)) {
            return Err(format!("its folder `{}` is known only when it runs", shown(&dir)));
        }
        draft.dir = path_inside(&self.all.top, &file.dir, &dir)
            .ok_or_else(|| format!("its folder `{}` lies outside of the project", shown(&dir)))?;
        let vars = vars.and("TASK_DIR", rooted_at(&self.all.top, &draft.dir));
        lost(task, &mut draft);
        self.paths(task, &vars, &mut draft)?;
        let mut called = Vec::new();
        for dependency in task["deps"].as_array().into_iter().flatten().filter(|one| !one.is_null()) {
            for turn in turns(dependency, &vars)? {
                let one = self.call(file, dependency, &turn)?;
                draft.needs.push(one.name());
                called.push(one);
            }
        }
        let dependencies = called.len();
        let commands = self.commands(wanted, file, task, &vars, &mut draft, &mut called)?;
        let mut checks = Vec::new();
        for check in task["preconditions"].as_array().into_iter().flatten().filter(|one| !one.is_null()) {
            let command = vars.fill(check["sh"].as_str().or(check.as_str()).unwrap_or("true"))?;
            let message = vars.fill(check["msg"].as_str().unwrap_or("a precondition does not hold"))?;
            let message = message.replace('\'', r"'\''");
            checks.push(depending(&command, ":", &format!("echo '{message}' >&2\nexit 1")));
        }
        let only_if = condition(task, &vars)?;
        if let Some(condition) = &only_if {
            if commands.is_empty() || called.len() > dependencies {
                return Err(format!(
                    "it calls others only if `{}`, and what a task needs is always done",
                    shown(condition)
                ));
            }
            if dependencies > 0 {
                draft.lost.push(format!("that its `deps` are done only if `{}`", shown(condition)));
            }
        }
        let own = !commands.is_empty();
        if own || !checks.is_empty() {
            draft.script = script(checks, &commands)?;
            if let Some(condition) = &only_if {
                draft.script = format!("{}\n{}", depending(condition, ":", "exit 0"), draft.script);
            }
            let shell = if draft.script.contains("[[") { "bash" } else { "sh" };
            draft.with = vec![shell.to_owned(), "-e".to_owned()];
        }
        Self::environment(file, task, &vars, &mut draft)?;
        let mut status = Vec::new();
        for command in task["status"].as_array().into_iter().flatten() {
            status.push(vars.fill(command.as_str().unwrap_or("true"))?);
        }
        self.place(&mut draft, &mut status);
        let method = task["method"].as_str().or(self.all.files[0].json["method"].as_str());
        if own && method == Some("none") && (status.is_empty() || !draft.inputs.is_empty()) {
            draft.run_each_time("Task");
        } else if !status.is_empty() {
            draft.probe_by(&status, Errexit::On);
        } else if own && draft.inputs.is_empty() && draft.outputs.is_empty() {
            draft.run_each_time("Task");
        }
        Ok((draft, called))
    }

    /// The commands; a call of another task becomes a need.
    fn commands(
        &self,
        wanted: &Wanted,
        file: &File,
        task: &Json,
        vars: &Variables,
        draft: &mut Draft,
        called: &mut Vec<Wanted>,
    ) -> Result<Vec<Command>, String> {
        let mut commands: Vec<Command> = Vec::new();
        let all = task["cmds"].as_array().cloned().unwrap_or_default();
        let single = [task["cmd"].clone()];
        for one in all.iter().chain(&single).filter(|one| !one.is_null()) {
            if !one["platforms"].is_null() {
                draft.lost.push("that a command is for some systems alone (`platforms`)".to_owned());
            }
            if one["defer"].is_object() {
                draft.lost.push(format!("`defer: {}`: a task that is called at the end", plain(&one["defer"]["task"])));
                continue;
            }
            for turn in turns(one, vars)? {
                if !one["task"].is_null() {
                    if let Some(condition) = condition(one, &turn)? {
                        let called = plain(&one["task"]);
                        return Err(format!(
                            "it calls `{called}` only if `{condition}`, and what a task needs is always done"
                        ));
                    }
                    let wanted = self.call(file, one, &turn)?;
                    if commands.iter().any(|command| command.when == When::InTurn) {
                        let name = wanted.name();
                        draft.lost.push(format!("that `{name}` is called between its commands: it comes before them"));
                    }
                    draft.needs.push(wanted.name());
                    draft.in_turn.push(wanted.name());
                    called.push(wanted);
                    continue;
                }
                let when = if one["defer"].is_null() { When::InTurn } else { When::AtEnd };
                let text =
                    one["defer"].as_str().or(one["cmd"].as_str()).or(one.as_str()).ok_or("a command is no text")?;
                if text.contains("CLI_ARGS") {
                    draft.lost.push("`{{.CLI_ARGS}}`: a task takes no arguments; they are empty here".to_owned());
                }
                let mut filled = turn.fill(text).map(|text| text.trim_end().to_owned());
                if filled.as_ref().is_ok_and(|line| is_quoted_away(line)) {
                    let why = "a value that is computed when it runs stands where no shell would compute it";
                    filled = Err(why.to_owned());
                }
                let may_fail = one["ignore_error"] == true || task["ignore_error"] == true;
                let only_if = condition(one, &turn)?;
                commands.push(Command { text: filled, may_fail, only_if, when });
            }
        }
        if let Some(Err(why)) = commands.iter().map(|command| &command.text).find(|text| text.is_err()).cloned() {
            if let Some(name) = self.env.iter().find(|name| reads(task, &file.json["vars"], name)) {
                return Err(format!("{why}; and `{name}` of your environment is no matter of a task file"));
            }
            let rehearsed = (self.rehearse)(wanted).ok_or_else(|| why.clone())?;
            if !fill_in(&mut commands, &rehearsed, self.root) {
                return Err(why);
            }
            draft.notes.push(format!("as Task would run it now: {why}"));
        }
        Ok(commands)
    }

    fn environment(file: &File, task: &Json, vars: &Variables, draft: &mut Draft) -> Result<(), String> {
        if draft.script.is_empty() {
            return Ok(());
        }
        let folders = file.env.iter().map(|table| (table, HERE)).chain([(&task["env"], "")]);
        for (table, folder) in folders {
            for (name, value) in table.as_object().into_iter().flatten() {
                draft.env.retain(|(own, _)| own != name);
                let value = match value["sh"].as_str() {
                    Some(command) => computed(name, folder, &vars.fill(command)?),
                    None => vars.fill(&plain(value))?,
                };
                if is_late(&value) {
                    draft.script = format!("export {name}=\"{value}\"\n{}", draft.script);
                } else {
                    draft.env.push((name.clone(), value));
                }
            }
        }
        Ok(())
    }

    /// Gives scripts what their marks stand for, and the folder that Task would make.
    fn place(&self, draft: &mut Draft, status: &mut [String]) {
        let dir = draft.dir.clone();
        let place = Place { top: &self.all.top, dir: &dir };
        let (script, mut notes) = (std::mem::take(&mut draft.script), Draft::default());
        draft.script = place.settled(&script, draft);
        if script != draft.script && !draft.script.ends_with('\n') {
            draft.script.push('\n');
        }
        for text in status.iter_mut() {
            *text = place.settled(text, &mut notes);
        }
        if !notes.pass_env.is_empty() {
            draft.lost.push(format!("`{}` of your environment in `status`", notes.pass_env.join("`, `")));
        }
        if !dir.is_empty() && !draft.script.is_empty() && !(self.is_there)(&dir) {
            let quoted = dir.replace('\'', r"'\''");
            draft.script = format!("mkdir -p '{quoted}'\ncd '{quoted}'\n{}\n", draft.script.trim_end());
            for text in status {
                *text = format!("cd '{quoted}' 2> /dev/null\n{text}");
            }
            draft.dir = String::new();
        }
    }

    /// `sources` and `generates`.
    fn paths(&self, task: &Json, vars: &Variables, draft: &mut Draft) -> Result<(), String> {
        let inside = |draft: &Draft, path: &str| path_inside(&self.all.top, &draft.dir, path);
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
                Some(path) if !path.contains(['*', '?', '{', '[', '$']) && !is_late(&path) => {
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

    /// `name`, `task: name`, `task: name` with `vars`.
    fn call(&self, file: &File, one: &Json, vars: &Variables) -> Result<Wanted, String> {
        let name = one["task"].as_str().or(one.as_str()).ok_or("a call of no task")?;
        let mut given = Vec::new();
        for (key, value) in one["vars"].as_object().into_iter().flatten() {
            let one = vars.with(&serde_json::json!({ key: value })).fill(&format!("{{{{.{key}}}}}"))?;
            given.push((key.clone(), one));
        }
        Ok(Wanted { task: self.all.full_name(file, &vars.fill(name)?), vars: given })
    }
}

/// Whether a template reads a variable, by itself or through variables of its file.
fn reads(what: &Json, vars: &Json, name: &str) -> bool {
    let mut texts = vec![what.to_string()];
    let mut open: Vec<(&String, &Json)> = vars.as_object().into_iter().flatten().collect();
    let names = |text: &String, name: &str| {
        let whole = |at: usize| !text[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.match_indices(&format!(".{name}")).any(|(at, found)| whole(at + found.len()))
    };
    loop {
        if texts.iter().any(|text| names(text, name)) {
            return true;
        }
        let (read, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(own, _)| texts.iter().any(|text| names(text, own)));
        if read.is_empty() {
            return false;
        }
        texts.extend(read.into_iter().map(|(_, value)| value.to_string()));
        open = rest;
    }
}

/// What `if` asks, of a task or of a command.
fn condition(one: &Json, vars: &Variables) -> Result<Option<String>, String> {
    let said = one["if"].as_str().map(str::trim).filter(|text| !text.is_empty());
    said.map(|text| vars.fill(text)).transpose()
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
