//! Owns one task of a Taskfile as a draft, once for each set of variables that it is called with.
//! Does not know how templates are filled (`variables`), nor how commands become a script (`commands`).

use crate::import::calls::{self, Else};
use crate::import::draft::{Draft, add};
use crate::import::late::{
    Failing, HERE, Place, computed, for_shell, in_double_quotes, in_single_quotes, is_late, out_of_quotes, rooted_at,
    shown,
};
use crate::import::lines::{Errexit, depending};
use crate::import::taskfile::commands::{Command, When, fill_in, script};
use crate::import::taskfile::file::{File, Taskfiles};
use crate::import::taskfile::keys::{condition, lost, reads};
use crate::import::taskfile::paths::Paths;
use crate::import::taskfile::repeat::turns;
use crate::import::taskfile::shell::Options;
use crate::import::taskfile::variables::{Variables, path_inside, plain};
use crate::import::taskfile::yaml::entries;
use crate::import::taskfile::{platforms, requires};
use serde_json::Value as Json;

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
    /// Whether a path of the project is a folder, `None` when nothing is there.
    pub(super) is_folder: &'a dyn Fn(&str) -> Option<bool>,
    /// Variables that dotenv files set.
    pub(super) dotenv: &'a [String],
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
        requires::met(&task["requires"], &vars)?;
        Paths { top: &self.all.top, is_folder: self.is_folder }.read(task, &vars, &mut draft)?;
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
            let command = for_shell(&vars.fill(check["sh"].as_str().or(check.as_str()).unwrap_or("true"))?)?;
            let message = vars.fill(check["msg"].as_str().unwrap_or("a precondition does not hold"))?;
            let message = out_of_quotes(&format!("echo '{}'", in_single_quotes(&message)));
            checks.push(depending(&command, ":", &format!("{message} >&2\nexit 1")));
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
            if !task["platforms"].is_null() {
                match platforms::on(&task["platforms"], ":", "exit 0") {
                    Some(guard) if called.is_empty() => draft.script = format!("{guard}\n{}", draft.script),
                    _ => draft.lost.push("`platforms`: that it is for some systems alone".to_owned()),
                }
            }
            let options = Options::of(&self.all.files[0].json).and(Options::of(task));
            draft.with = options.shell(&draft.script);
            draft.script = format!("{}{}", options.lines(), draft.script);
            for name in self.dotenv {
                add(&mut draft.pass_env, name);
            }
        } else if !task["platforms"].is_null() {
            draft.lost.push("`platforms`: that it is for some systems alone".to_owned());
        }
        Self::environment(file, task, &vars, &mut draft)?;
        let mut status = Vec::new();
        for command in task["status"].as_array().into_iter().flatten() {
            status.push(for_shell(&vars.fill(command.as_str().unwrap_or("true"))?)?);
        }
        self.place(&mut draft, &mut status);
        let prompts = task["prompt"].as_array().cloned().unwrap_or_else(|| vec![task["prompt"].clone()]);
        for prompt in prompts.iter().rev().filter_map(Json::as_str) {
            if draft.script.is_empty() {
                return Err("it asks first (`prompt`), and then does nothing but call others".to_owned());
            }
            draft.ask_first(&shown(&vars.fill(prompt)?), "prompt")?;
        }
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
        let is_call = |one: &&Json| !one["task"].is_null();
        let is_own = |one: &&Json| one["task"].is_null() && one["defer"].is_null();
        let first_own = all.iter().position(|one| is_own(&one)).unwrap_or(all.len());
        let several =
            all.iter().filter(is_call).count() > 1 || all.iter().any(|one| is_call(&one) && !one["for"].is_null());
        // Calls that edges alone do not put where they belong.
        let in_place = first_own < all.len() && (several || all.iter().skip(first_own).any(|one| is_call(&one)));
        for one in all.iter().chain(&single).filter(|one| !one.is_null()) {
            if one["defer"].is_object() {
                draft.lost.push(format!("`defer: {}`: a task that is called at the end", plain(&one["defer"]["task"])));
                continue;
            }
            for turn in turns(one, vars)? {
                if !one["task"].is_null() {
                    if let Some(condition) = condition(one, &turn)? {
                        let called = plain(&one["task"]);
                        return Err(format!(
                            "it calls `{called}` only if `{}`, and what a task needs is always done",
                            shown(&condition)
                        ));
                    }
                    let wanted = self.call(file, one, &turn)?;
                    let name = wanted.name();
                    if !one["platforms"].is_null() {
                        draft.lost.push(format!("that `{name}` is called on some systems alone (`platforms`)"));
                    }
                    if in_place {
                        let is_between = commands.iter().any(|command| {
                            command.when == When::InTurn
                                && command.text.as_ref().is_ok_and(|text| !calls::is_call(text))
                        });
                        let what = format!("that `{name}` is called between its commands: it comes before them");
                        let what = if is_between { what.as_str() } else { "" };
                        let text = Ok(calls::call(&name, one["ignore_error"] == true, Else::Before, what));
                        commands.push(Command { text, may_fail: false, only_if: None, when: When::InTurn });
                    } else {
                        if one["ignore_error"] == true {
                            draft.lost.push(format!("that `{name}` may fail"));
                        }
                        draft.needs.push(name.clone());
                        draft.in_turn.push(name);
                    }
                    called.push(wanted);
                    continue;
                }
                let when = if one["defer"].is_null() { When::InTurn } else { When::AtEnd };
                let text =
                    one["defer"].as_str().or(one["cmd"].as_str()).or(one.as_str()).ok_or("a command is no text")?;
                if text.contains("CLI_ARGS") {
                    draft.lost.push("`{{.CLI_ARGS}}`: a task takes no arguments; they are empty here".to_owned());
                }
                let mut filled = turn.fill(text).and_then(|text| for_shell(text.trim_end()));
                let options = Options::of(one);
                filled = filled.map(|line| options.around(&line));
                if !one["platforms"].is_null() {
                    match filled.as_ref().ok().and_then(|line| platforms::on(&one["platforms"], line, "")) {
                        Some(line) => filled = Ok(line),
                        None => draft.lost.push("that a command is for some systems alone (`platforms`)".to_owned()),
                    }
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
        let mut all: Vec<(&str, String)> = Vec::new();
        for (table, folder) in folders {
            for (name, value) in entries(table) {
                all.retain(|(own, _)| *own != name);
                let value = match value["sh"].as_str() {
                    Some(command) => computed(name, folder, &for_shell(&vars.fill(command)?)?),
                    None => vars.fill(&plain(value))?,
                };
                all.push((name, value));
            }
        }
        for (name, value) in all.into_iter().rev() {
            if is_late(&value) {
                draft.script = format!("export {name}=\"{}\"\n{}", in_double_quotes(&value), draft.script);
            } else {
                draft.env.insert(0, (name.to_owned(), value));
            }
        }
        Ok(())
    }

    /// Gives scripts what their marks stand for, and the folder that Task would make.
    fn place(&self, draft: &mut Draft, status: &mut [String]) {
        let dir = draft.dir.clone();
        let place = Place { top: &self.all.top, dir: &dir, failing: Failing::ByOption };
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
        if !dir.is_empty() && !draft.script.is_empty() && (self.is_folder)(&dir).is_none() {
            let quoted = dir.replace('\'', r"'\''");
            draft.script = format!("mkdir -p '{quoted}'\ncd '{quoted}'\n{}\n", draft.script.trim_end());
            for text in status {
                *text = format!("cd '{quoted}' 2> /dev/null\n{text}");
            }
            draft.dir = String::new();
        }
    }

    /// `name`, `task: name`, `task: name` with `vars`.
    fn call(&self, file: &File, one: &Json, vars: &Variables) -> Result<Wanted, String> {
        let name = one["task"].as_str().or(one.as_str()).ok_or("a call of no task")?;
        let mut given = Vec::new();
        for (key, value) in entries(&one["vars"]) {
            let one = vars.with(&serde_json::json!({ key: value })).fill(&format!("{{{{.{key}}}}}"))?;
            given.push((key.to_owned(), one));
        }
        Ok(Wanted { task: self.all.full_name(file, &vars.fill(name)?), vars: given })
    }
}
