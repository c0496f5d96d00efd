//! Owns a recipe of just as a draft, once for each set of arguments that it is given.
//! Does not know how values are computed (`expression`).

use crate::import::calls::{self, Else};
use crate::import::draft::{Draft, add};
use crate::import::just::attributes;
use crate::import::just::expression::{Scope, Text};
use crate::import::late::{Failing, Place, for_shell, in_double_quotes, is_late, out_of_quotes};
use crate::import::lines::{Errexit, lines_apart};
use crate::import::script::{interpreted, with_of};
use crate::import::settle::HANDED_OVER;
use serde_json::Value as Json;

/// A justfile as just knows it.
pub(super) struct Justfile<'a> {
    pub(super) dump: &'a Json,
    /// What runs a script that names no interpreter; `None`: nobody knows.
    pub(super) interpreter: Option<Vec<String>>,
    /// Where the first file lies.
    pub(super) top: &'a str,
    /// Where its recipes run.
    pub(super) dir: String,
    /// What stands before the names of its recipes: empty, or `ops::`.
    pub(super) prefix: String,
    pub(super) globals: Scope,
    /// Variables that a dotenv file sets.
    pub(super) dotenv: &'a [String],
}

/// A recipe with arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) recipe: String,
    pub(super) arguments: Vec<String>,
}

impl Wanted {
    pub(super) fn name(&self) -> String {
        std::iter::once(&self.recipe).chain(&self.arguments).cloned().collect::<Vec<_>>().join(" ")
    }
}

impl Justfile<'_> {
    /// The draft, and what it needs.
    pub(super) fn draft(&self, wanted: &Wanted) -> Result<(Draft, Vec<Wanted>), String> {
        let recipe = &self.dump["recipes"][&wanted.recipe];
        let mut draft = Draft::named(&self.name(wanted));
        self.dir.clone_into(&mut draft.dir);
        draft.description = recipe["doc"].as_str().map(str::to_owned);
        let scope = self.scope(recipe, wanted, &mut draft)?;
        attributes::read(recipe, &mut draft);
        let lines = lines(recipe, &scope, &mut draft)?;
        let confirm = attributes::confirmation(recipe, &wanted.recipe);
        if lines.is_empty() && confirm.is_some() {
            return Err("it asks first (`[confirm]`), and then does nothing but call others".to_owned());
        }
        let (asked, later) = self.dependencies(recipe, &scope, &mut draft, !lines.is_empty())?;
        if !lines.is_empty() {
            self.script(recipe, &lines, &mut draft)?;
            can_compute(&draft)?;
            self.positional(recipe, wanted, &scope, &mut draft);
            self.exports(recipe, &scope, &mut draft);
            self.place(&mut draft);
            self.afterwards(&later, &mut draft);
            if let Some(question) = confirm {
                draft.ask_first(&question, "[confirm]")?;
            }
            for name in self.dotenv {
                add(&mut draft.pass_env, name);
            }
            draft.run_each_time("just");
            let starts = |line: &String| line.trim_start_matches(['@', '-', ' ']).split(' ').next() == Some("just");
            if lines.iter().any(starts) {
                draft
                    .notes
                    .push("it starts just itself, which must be there, and does what the justfile says".to_owned());
            }
        }
        Ok((draft, asked))
    }

    /// A recipe's name among those of all modules.
    pub(super) fn name(&self, wanted: &Wanted) -> String {
        format!("{}{}", self.prefix, wanted.name())
    }

    /// Gives the script what its marks stand for.
    fn place(&self, draft: &mut Draft) {
        if !is_late(&draft.script) {
            return;
        }
        let options = command_line(&self.dump["settings"]["shell"], "sh", "-cu");
        let failing = if Errexit::of(&options[1..]) == Errexit::On
            && Errexit::of(&draft.with[1.min(draft.with.len())..]) == Errexit::On
        {
            Failing::ByOption
        } else {
            Failing::ByLine
        };
        let dir = draft.dir.clone();
        let script = std::mem::take(&mut draft.script);
        draft.script = Place { top: self.top, dir: &dir, failing }.settled(&script, draft);
    }

    /// What comes after it stands at the end of its script.
    fn afterwards(&self, later: &[Wanted], draft: &mut Draft) {
        if later.is_empty() {
            return;
        }
        let lost = |wanted: &Wanted| format!("`&& {}`, which just runs afterwards: ask for it too", wanted.name());
        if !draft.is_for_sh() {
            draft.lost.extend(later.iter().map(lost));
            return;
        }
        let errexit = Errexit::of(draft.with.get(1..).unwrap_or_default());
        let script = draft.script.trim_end().to_owned();
        draft.script = lines_apart(&[(script, false)], errexit);
        if draft.with.is_empty() {
            draft.with.push("sh".to_owned());
        }
        if errexit == Errexit::Off {
            draft.with.insert(1, "-e".to_owned());
        }
        for wanted in later {
            draft.script.extend([calls::call(&self.name(wanted), false, Else::Lost, &lost(wanted)).as_str(), "\n"]);
        }
    }

    /// Arguments as `$1`, where just hands them over so.
    fn positional(&self, recipe: &Json, wanted: &Wanted, scope: &Scope, draft: &mut Draft) {
        let attributes = recipe["attributes"].as_array().into_iter().flatten();
        let parameters: Vec<&Json> = recipe["parameters"].as_array().into_iter().flatten().collect();
        let asked_for = self.dump["settings"]["positional_arguments"] == true
            || attributes.filter_map(Json::as_str).any(|name| name == "positional-arguments");
        if !asked_for || parameters.is_empty() {
            return;
        }
        if !draft.is_for_sh() {
            draft.lost.push("`positional-arguments`: no shell is there to take them".to_owned());
            return;
        }
        let quoted = |text: &str| format!(" '{}'", text.replace('\'', r"'\''"));
        let mut words: String = wanted.arguments.iter().map(|given| quoted(given)).collect();
        // A default is one word, also that of a parameter which takes many.
        for parameter in parameters.iter().skip(wanted.arguments.len()) {
            let name = parameter["name"].as_str().unwrap_or_default();
            match scope.values.get(name) {
                Some(Ok(value)) if value.late => words.extend([" \"", &in_double_quotes(&value.text), "\""]),
                Some(Ok(value)) if !value.text.is_empty() || parameter["kind"] == "singular" => {
                    words.push_str(&quoted(&value.text));
                }
                _ => {}
            }
        }
        draft.script = format!("set --{words}\n{}\n", draft.script.trim_end());
    }

    /// The file's variables, and the recipe's parameters.
    fn scope(&self, recipe: &Json, wanted: &Wanted, draft: &mut Draft) -> Result<Scope, String> {
        let mut scope = self.globals.clone();
        let mut given = wanted.arguments.iter();
        for parameter in recipe["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let kind = parameter["kind"].as_str().unwrap_or_default();
            let value = match (given.next(), kind) {
                (Some(first), "star" | "plus") => {
                    let all: Vec<&str> = std::iter::once(first).chain(given.by_ref()).map(String::as_str).collect();
                    Ok(Text { text: all.join(" "), ..Text::default() })
                }
                (Some(value), _) => Ok(Text { text: value.clone(), ..Text::default() }),
                (None, _) if !parameter["default"].is_null() => {
                    let value = scope.eval(&parameter["default"]);
                    if let Ok(value) = &value {
                        let text = &value.text;
                        draft.lost.push(format!("parameter `{name}`: its default `{text}` stands here"));
                    }
                    value
                }
                (None, "star") => {
                    draft.lost.push(format!("parameter `{name}`: a task takes no arguments; it is empty here"));
                    Ok(Text::default())
                }
                (None, _) => return Err(format!("it needs a value for `{name}`, and a task takes no arguments")),
            };
            scope.values.insert(name.to_owned(), value);
        }
        Ok(scope)
    }

    /// All that it calls, and of these what comes after it; without a script of its own that comes in turn.
    fn dependencies(
        &self,
        recipe: &Json,
        scope: &Scope,
        draft: &mut Draft,
        has_script: bool,
    ) -> Result<(Vec<Wanted>, Vec<Wanted>), String> {
        let priors = usize::try_from(recipe["priors"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let (mut asked, mut later) = (Vec::new(), Vec::new());
        for (at, dependency) in recipe["dependencies"].as_array().into_iter().flatten().enumerate() {
            let name = dependency["recipe"].as_str().unwrap_or_default();
            let mut wanted = Wanted { recipe: name.to_owned(), arguments: Vec::new() };
            for argument in dependency["arguments"].as_array().into_iter().flatten() {
                let value = scope.eval(argument).map_err(|why| format!("{why} in an argument of `{name}`"))?;
                if value.late {
                    return Err(format!("an argument of `{name}` is known only when it runs"));
                }
                wanted.arguments.push(value.text);
            }
            // just runs a recipe once, however often it is called.
            let name = self.name(&wanted);
            if at < priors || !has_script {
                add(&mut draft.needs, name.as_str());
                add(&mut draft.in_turn, name.as_str());
            } else if !draft.needs.contains(&name) {
                later.push(wanted.clone());
            }
            asked.push(wanted);
        }
        Ok((asked, later))
    }

    fn script(&self, recipe: &Json, lines: &[String], draft: &mut Draft) -> Result<(), String> {
        // just's dump says of both kinds of script that they are a shebang.
        if lines[0].starts_with("#!") {
            let (first, rest) = lines.split_first().ok_or("it is empty")?;
            let words: Vec<String> = first.trim_start_matches("#!").split_whitespace().map(str::to_owned).collect();
            return script_of(draft, &words, &rest.join("\n"));
        }
        let attribute = recipe["attributes"].as_array().into_iter().flatten().find_map(|one| one.get("script"));
        if attribute.is_some() || recipe["shebang"] == true {
            let words = match attribute.filter(|own| own["command"].is_string()) {
                Some(own) => command_line(own, "sh", "-eu"),
                None => self.interpreter.clone().ok_or("just does not tell which program runs it as a script")?,
            };
            return script_of(draft, &words, &lines.join("\n"));
        }
        let words = command_line(&self.dump["settings"]["shell"], "sh", "-cu");
        draft.with =
            with_of(&words).ok_or_else(|| format!("its shell `{}` is none that takes `-c`", words.join(" ")))?;
        let lines: Vec<(String, bool)> = joined(lines)
            .into_iter()
            .map(|line| {
                let bare = line.trim_start_matches(['@', '-']);
                let marks = &line[..line.len() - bare.len()];
                (out_of_quotes(bare), marks.contains('-'))
            })
            .collect();
        if let [(line, false)] = lines.as_slice() {
            draft.script.clone_from(line);
        } else {
            let errexit = Errexit::of(&draft.with[1..]);
            draft.script = lines_apart(&lines, errexit);
            if errexit == Errexit::Off {
                draft.with.insert(1, "-e".to_owned());
            }
        }
        Ok(())
    }

    /// Variables that the recipe's processes get.
    fn exports(&self, recipe: &Json, scope: &Scope, draft: &mut Draft) {
        let all = self.dump["settings"]["export"] == true;
        let of = |list: Vec<&Json>| -> Vec<String> {
            let exported = list.into_iter().filter(|one| all || one["export"] == true);
            exported.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
        };
        let mut names = of(self.dump["assignments"].as_object().into_iter().flatten().map(|(_, one)| one).collect());
        names.extend(of(recipe["parameters"].as_array().into_iter().flatten().collect()));
        for name in names {
            match scope.values.get(&name) {
                Some(Ok(value)) if !value.late => draft.env.push((name, value.text.clone())),
                Some(Ok(_)) if !draft.is_for_sh() => {
                    draft.lost.push(format!("variable `{name}` of the environment: no shell is there to compute it"));
                }
                Some(Ok(value)) => {
                    take(draft, value);
                    draft.script = format!("export {name}=\"{}\"\n{}", in_double_quotes(&value.text), draft.script);
                }
                Some(Err(why)) => draft.lost.push(format!("variable `{name}` of the environment: {why}")),
                None => {}
            }
        }
    }
}

/// A script for an interpreter, in whose text nothing may be left to a shell that is none.
fn script_of(draft: &mut Draft, words: &[String], text: &str) -> Result<(), String> {
    interpreted(draft, words, text);
    if is_late(text) && draft.with.is_empty() {
        return Err("a value that is computed when it runs stands where no shell would compute it".to_owned());
    }
    Ok(())
}

/// Whether a shell would put in all that a script leaves to it.
fn can_compute(draft: &Draft) -> Result<(), String> {
    let is_as_it_is = || for_shell(&draft.script).as_ref() == Ok(&draft.script);
    if is_late(&draft.script) && !(draft.is_for_sh() && is_as_it_is()) {
        return Err("a value that is computed when it runs stands where no shell would compute it".to_owned());
    }
    Ok(())
}

/// Names what a value reads of the environment.
fn take(draft: &mut Draft, value: &Text) {
    for name in value.takes.iter().filter(|name| !HANDED_OVER.contains(&name.as_str())) {
        add(&mut draft.pass_env, name);
    }
}

/// A command with its arguments; where just names none, its own.
fn command_line(said: &Json, command: &str, argument: &str) -> Vec<String> {
    match said["command"].as_str() {
        Some(command) => {
            let arguments = said["arguments"].as_array().into_iter().flatten().filter_map(Json::as_str);
            std::iter::once(command).chain(arguments).map(str::to_owned).collect()
        }
        None => vec![command.to_owned(), argument.to_owned()],
    }
}

/// The lines with values in place of expressions.
fn lines(recipe: &Json, scope: &Scope, draft: &mut Draft) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for line in recipe["body"].as_array().into_iter().flatten() {
        let mut text = String::new();
        for fragment in line.as_array().into_iter().flatten() {
            if let Some(plain) = fragment.as_str() {
                text.push_str(&plain.replace("{{{{", "{{"));
            } else {
                let value = scope.eval(&fragment[0]).map_err(|why| format!("{why} has no counterpart here"))?;
                take(draft, &value);
                text.push_str(&value.text);
            }
        }
        lines.push(text);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    Ok(lines)
}

/// A backslash at the end joins a line with the next one.
fn joined(lines: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let (text, goes_on) = line.strip_suffix('\\').map_or((line.as_str(), false), |text| (text, true));
        match found.last_mut().filter(|_| open) {
            Some(last) => last.push_str(text.trim_start()),
            None => found.push(text.to_owned()),
        }
        open = goes_on;
    }
    found
}
