//! Owns what just says of a justfile (`--dump --dump-format json`), as drafts.
//! Does not know how just is started.

mod expression;
mod recipe;

use crate::import::draft::Drafts;
use expression::Scope;
use recipe::{Justfile, Wanted};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// File names that just looks for.
pub const FILES: [&str; 3] = ["justfile", "Justfile", ".justfile"];

/// The question; it runs no recipe and no backtick.
pub fn question(file: &str) -> Vec<String> {
    ["just", "--justfile", file, "--dump", "--dump-format", "json"].map(str::to_owned).to_vec()
}

/// The drafts; `text`: the justfile, `dir`: its folder.
///
/// # Errors
/// When the answer is not what just is known to answer.
pub fn drafts(answer: &str, text: &str, dir: &str) -> Result<Drafts, &'static str> {
    let dump: Json = serde_json::from_str(answer).map_err(|_| "its answer is no JSON, or is cut off")?;
    let recipes = dump["recipes"].as_object().ok_or("its answer names no recipes")?;
    let justfile = Justfile { dump: &dump, interpreter: interpreter(text), dir, globals: Scope::globals(&dump) };
    let mut drafts = Drafts::default();
    around(&dump, &mut drafts);
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut queue: Vec<Wanted> =
        in_order(recipes, &dump).into_iter().map(|name| Wanted { recipe: name, arguments: Vec::new() }).collect();
    // A dependency with arguments is a task of its own; it may ask for others.
    let mut left: Vec<(String, String)> = Vec::new();
    while !queue.is_empty() {
        for wanted in std::mem::take(&mut queue) {
            if !done.insert(wanted.name()) || done.len() > 2000 {
                continue;
            }
            match justfile.draft(&wanted) {
                Ok((draft, asked)) => {
                    queue.extend(asked.into_iter().filter(|one| !one.arguments.is_empty()));
                    drafts.tasks.push(draft);
                }
                Err(reason) => left.push((wanted.name(), reason)),
            }
        }
    }
    // What only needs arguments is there with those that it is given.
    let given = |name: &str| drafts.tasks.iter().any(|task| task.name.starts_with(&format!("{name} ")));
    left.retain(|(name, reason)| !(reason.starts_with("it needs a value") && given(name)));
    drafts.left_out.extend(left);
    Ok(drafts)
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
fn in_order(recipes: &serde_json::Map<String, Json>, dump: &Json) -> Vec<String> {
    let first = dump["first"].as_str().unwrap_or_default();
    let mut names: Vec<String> = recipes.keys().cloned().collect();
    names.sort_by_key(|name| (name != first, name.clone()));
    names
}

/// What concerns the whole file.
fn around(dump: &Json, drafts: &mut Drafts) {
    if let Some(first) = dump["first"].as_str() {
        drafts.default = Some(("`just` alone runs", first.to_owned()));
    }
    for (name, alias) in dump["aliases"].as_object().into_iter().flatten() {
        let target = alias["target"].as_str().unwrap_or_default();
        drafts.lost.push(format!("alias `{name}` of `{target}`: a task has one name"));
    }
    for name in dump["modules"].as_object().into_iter().flatten().map(|(name, _)| name) {
        drafts.lost.push(format!("module `{name}`: import its own file, and take it in by [include] of infra.toml"));
    }
    let settings = &dump["settings"];
    let dotenv = ["dotenv_load", "dotenv_path", "dotenv_filename"];
    if dotenv.iter().any(|key| !settings[*key].is_null() && settings[*key] != false) {
        drafts.lost.push(
            "`set dotenv-…`: name the file under `dotenv` of [project] in infra.toml, and the variables under `pass_env`"
                .to_owned(),
        );
    }
    for (key, written) in
        [("positional_arguments", "positional-arguments"), ("fallback", "fallback"), ("lists", "lists")]
    {
        if settings[key] == true {
            drafts.lost.push(format!("`set {written}`"));
        }
    }
}
