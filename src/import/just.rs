//! Owns what just says of a justfile (`--dump --dump-format json`), as drafts.
//! Does not know how just is started.

mod attributes;
mod expression;
mod functions;
mod recipe;

use crate::import::draft::{Drafts, inside};
use crate::import::environment::set_by;
use crate::import::late::rooted_at;
use expression::Scope;
use recipe::{Justfile, Wanted};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// File names that just looks for.
pub const FILES: [&str; 3] = ["justfile", "Justfile", ".justfile"];

/// The question; it runs no recipe and no backtick.
pub fn question(file: &str) -> Vec<String> {
    ["just", "--justfile", file, "--dump", "--dump-format", "json"].map(str::to_owned).to_vec()
}

/// What is asked while a justfile is read.
pub struct Around<'a> {
    /// Absolute path of the project.
    pub root: &'a str,
    /// A path of the project → the text there.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// The drafts; `text`: the justfile, `dir`: its folder.
///
/// # Errors
/// When the answer is not what just is known to answer.
pub fn drafts(answer: &str, text: &str, dir: &str, around: &Around<'_>) -> Result<Drafts, &'static str> {
    let dump: Json = serde_json::from_str(answer).map_err(|_| "its answer is no JSON, or is cut off")?;
    if !dump["recipes"].is_object() {
        return Err("its answer names no recipes");
    }
    let mut drafts = Drafts::default();
    if let Some(first) = dump["first"].as_str() {
        drafts.default = Some(("`just` alone runs", first.to_owned()));
    }
    if functions::asks_for_the_machine(answer) {
        drafts.lost.push("`os()` and its like: what this machine is stands here".to_owned());
    }
    let dotenv = dotenv(&dump["settings"], dir, around, &mut drafts);
    let mut modules: BTreeMap<String, Justfile<'_>> = BTreeMap::new();
    let mut open = vec![(String::new(), dir.to_owned(), &dump)];
    while let Some((prefix, here, dump)) = open.pop() {
        of_the_file(&prefix, dump, &mut drafts);
        for (name, inner) in dump["modules"].as_object().into_iter().flatten() {
            let folder =
                inner["source"].as_str().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
            match folder.strip_prefix(around.root).and_then(|below| inside("", below.trim_start_matches('/'))) {
                Some(folder) => open.push((format!("{prefix}{name}::"), folder, inner)),
                None => drafts.lost.push(format!("module `{prefix}{name}`: it lies outside of the project")),
            }
        }
        let base = dump["settings"]["working_directory"].as_str().and_then(|own| inside(&here, own)).unwrap_or(here);
        let globals = Scope::globals(dump, &rooted_at(dir, &base));
        let interpreter = if prefix.is_empty() { interpreter(text) } else { None };
        let justfile =
            Justfile { dump, interpreter, top: dir, dir: base, prefix: prefix.clone(), globals, dotenv: &dotenv };
        modules.insert(prefix, justfile);
    }
    of_all(&modules, &mut drafts);
    Ok(drafts)
}

/// The recipes of all modules.
fn of_all(modules: &BTreeMap<String, Justfile<'_>>, drafts: &mut Drafts) {
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut queue: Vec<(String, Wanted)> = Vec::new();
    for (prefix, justfile) in modules {
        let names = in_order(justfile.dump).into_iter();
        queue.extend(names.map(|name| (prefix.clone(), Wanted { recipe: name, arguments: Vec::new() })));
    }
    // A dependency with arguments is a task of its own; it may ask for others.
    let mut left: Vec<(String, String)> = Vec::new();
    while !queue.is_empty() {
        for (prefix, mut wanted) in std::mem::take(&mut queue) {
            // `ops::up` is `up` of the module `ops`.
            let at = wanted.recipe.rfind("::").map_or(0, |at| at + 2);
            let recipe = wanted.recipe.split_off(at);
            let prefix = format!("{prefix}{}", std::mem::replace(&mut wanted.recipe, recipe));
            let Some(justfile) = modules.get(&prefix) else { continue };
            let name = justfile.name(&wanted);
            if !done.insert(name.clone()) || done.len() > 2000 {
                continue;
            }
            match justfile.draft(&wanted) {
                Ok((draft, asked)) => {
                    let with_arguments = asked.into_iter().filter(|one| !one.arguments.is_empty());
                    queue.extend(with_arguments.map(|one| (prefix.clone(), one)));
                    drafts.tasks.push(draft);
                }
                Err(reason) => left.push((name, reason)),
            }
        }
    }
    // What only needs arguments is there with those that it is given.
    let given = |name: &str| drafts.tasks.iter().any(|task| task.name.starts_with(&format!("{name} ")));
    left.retain(|(name, reason)| !(reason.starts_with("it needs a value") && given(name)));
    drafts.left_out.extend(left);
}

/// The words of `set script-interpreter`, which the dump lacks.
fn interpreter(text: &str) -> Option<Vec<String>> {
    let said = text.lines().filter_map(|line| line.strip_prefix("set script-interpreter")).next_back();
    let Some(said) = said else {
        // A file that it imports may set it.
        let alone = !text.lines().any(|line| line.starts_with("import"));
        return alone.then(|| vec!["sh".to_owned(), "-eu".to_owned()]);
    };
    let list = said.trim_start_matches([' ', ':', '=']).trim().strip_prefix('[')?.strip_suffix(']')?;
    let word = |word: &str| {
        let word = word.trim();
        let quote = word.chars().next().filter(|c| "'\"".contains(*c))?;
        let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains([quote, '\\'])).then(|| inside.to_owned())
    };
    list.split(',').filter(|one| !one.trim().is_empty()).map(word).collect()
}

/// The first recipe first, the others by name: the dump has no other order.
fn in_order(dump: &Json) -> Vec<String> {
    let first = dump["first"].as_str().unwrap_or_default();
    let mut names: Vec<String> =
        dump["recipes"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| (name != first, name.clone()));
    names
}

/// What concerns a whole file.
fn of_the_file(prefix: &str, dump: &Json, drafts: &mut Drafts) {
    for (name, alias) in dump["aliases"].as_object().into_iter().flatten() {
        let target = alias["target"].as_str().unwrap_or_default();
        drafts.lost.push(format!("alias `{prefix}{name}` of `{prefix}{target}`: a task has one name"));
    }
    for (key, written) in [("fallback", "fallback"), ("lists", "lists"), ("no_cd", "no-cd")] {
        if dump["settings"][key] == true {
            drafts.lost.push(format!("`set {written}`"));
        }
    }
}

/// Variables of the dotenv file, which the recipes get from infra's.
fn dotenv(settings: &Json, dir: &str, around: &Around<'_>, drafts: &mut Drafts) -> Vec<String> {
    let keys = ["dotenv_load", "dotenv_path", "dotenv_filename", "dotenv_required"];
    if keys.iter().all(|key| settings[*key].is_null() || settings[*key] == false) {
        return Vec::new();
    }
    let own = settings["dotenv_path"].as_str().or(settings["dotenv_filename"].as_str()).unwrap_or(".env");
    let path = inside(dir, own).unwrap_or_else(|| own.to_owned());
    let names = (around.read)(&path).map(|text| set_by(&text)).unwrap_or_default();
    let rest = if names.is_empty() {
        "and its variables under `pass_env`".to_owned()
    } else {
        "which gives the tasks what they name under `pass_env`".to_owned()
    };
    let remark = format!("`set dotenv-…`: name `{path}` under `dotenv` of [project] in infra.toml, {rest}");
    drafts.dotenv.push((path, remark));
    names
}
