//! Owns one task of a Taskfile as a draft, once for each set of variables that it is called with.
//! Does not know how templates are filled (`variables`), nor how commands become a script (`commands`).

use crate::import::draft::{Draft, add};
use crate::import::taskfile::commands::{Command, When, fill_in, is_quoted_away, script};
use crate::import::taskfile::file::{File, Taskfiles};
use crate::import::taskfile::repeat::turns;
use crate::import::taskfile::variables::{HERE, Variables, is_computed, path_inside, plain};
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
        let vars = self.vars.iter().map(|(_, value)| value.clone());
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
        let commands = self.commands(wanted, file, task, &vars, &mut draft, &mut called)?;
        let mut checks = Vec::new();
        for check in task["preconditions"].as_array().into_iter().flatten().filter(|one| !one.is_null()) {
            let command = vars.fill(check["sh"].as_str().or(check.as_str()).unwrap_or("true"))?;
            let message = vars.fill(check["msg"].as_str().unwrap_or("a precondition does not hold"))?;
            let message = message.replace('\'', r"'\''");
            checks.push(format!("{{ {command}\n}} || {{ echo '{message}' >&2; exit 1; }}"));
        }
        let own = !commands.is_empty();
        if own || !checks.is_empty() {
            let (script, ends_early) = script(checks, &commands)?;
            let shell = if script.contains("[[") { "bash" } else { "sh" };
            draft.script = script;
            draft.with = vec![shell.to_owned()];
            draft.with.extend(ends_early.then(|| "-e".to_owned()));
        }
        Self::environment(file, task, &vars, &mut draft)?;
        let mut status = Vec::new();
        for command in task["status"].as_array().into_iter().flatten() {
            status.push(vars.fill(command.as_str().unwrap_or("true"))?);
        }
        self.place(&mut draft, &mut status);
        if !status.is_empty() {
            draft.probe_by(&status);
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
        let mut calls = 0;
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
                    let wanted = self.call(file, one, &turn)?;
                    if commands.iter().any(|command| command.when == When::InTurn) {
                        let name = wanted.name();
                        draft.lost.push(format!("that `{name}` is called between its commands: it comes before them"));
                    }
                    calls += 1;
                    draft.needs.push(wanted.name());
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
                if filled.as_ref().is_ok_and(|line| is_computed(line) && !text.contains("$(") && is_quoted_away(line)) {
                    let why = "a value that is computed when it runs stands where no shell would compute it";
                    filled = Err(why.to_owned());
                }
                let may_fail = one["ignore_error"] == true || task["ignore_error"] == true;
                commands.push(Command { text: filled, may_fail, when });
            }
        }
        if calls > 0 && draft.needs.len() > 1 {
            draft.lost.push("that it calls tasks one after the other: they may run at the same time".to_owned());
        }
        if let Some(Err(why)) = commands.iter().map(|command| &command.text).find(|text| text.is_err()).cloned() {
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
        for table in file.env.iter().chain([&task["env"]]) {
            for (name, value) in table.as_object().into_iter().flatten() {
                draft.env.retain(|(own, _)| own != name);
                if let Some(command) = value["sh"].as_str() {
                    let command = vars.fill(command)?;
                    draft.script = format!("export {name}=\"$({command})\"\n{}", draft.script);
                } else {
                    let value = vars.fill(&plain(value))?;
                    if is_computed(&value) {
                        draft.script = format!("export {name}=\"{value}\"\n{}", draft.script);
                    } else {
                        draft.env.push((name.clone(), value));
                    }
                }
            }
        }
        Ok(())
    }

    /// Where the Taskfile lies, as a variable of each script that asks.
    fn place(&self, draft: &mut Draft, status: &mut [String]) {
        let (top, dir) = (&self.all.top, &draft.dir);
        let above = if dir == top { "$PWD".to_owned() } else { format!("$(cd {} && pwd)", way(dir, top)) };
        let one_line = draft.script.lines().count() == 1;
        for text in status.iter_mut().chain([&mut draft.script]).filter(|text| text.contains(HERE)) {
            *text = format!("root_dir={above}\n{}", text.replace(HERE, "$root_dir"));
        }
        if one_line && draft.script.contains("$root_dir") {
            draft.script.push('\n');
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
                Some(path) if !path.contains("$(") => add(&mut draft.inputs, format!("{mark}{path}")),
                _ => draft.lost.push(format!("input `{}`: it is no plain path inside of the project", shown(&path))),
            }
        }
        for made in task["generates"].as_array().into_iter().flatten() {
            let path = vars.fill(made.as_str().unwrap_or_default())?;
            match inside(draft, &path) {
                Some(path) if !path.contains(['*', '?', '{', '[', '$']) => add(&mut draft.outputs, path),
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

/// The absolute path of a folder of the project.
fn rooted_at(top: &str, dir: &str) -> String {
    if dir == top { HERE.to_owned() } else { format!("{HERE}/{}", way(top, dir)) }
}

/// The way from one folder of the project to another.
fn way(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    up.chain(to[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// A path as people know it.
fn shown(path: &str) -> String {
    path.replace(HERE, "{{.ROOT_DIR}}")
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
