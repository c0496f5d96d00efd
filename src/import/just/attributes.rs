//! Owns attributes of a recipe of just: what becomes of each.
//! Does not know scripts.

use crate::import::draft::{Draft, inside};
use serde_json::Value as Json;

/// What is asked before the recipe runs, if anything is.
pub(super) fn confirmation(recipe: &Json, name: &str) -> Option<String> {
    recipe["attributes"].as_array().into_iter().flatten().find_map(|one| {
        let question = one.as_object().and_then(|one| one.get("confirm"));
        if question.is_none() && one != "confirm" {
            return None;
        }
        // It may be an expression, which only just could compute.
        let own = question.and_then(Json::as_str).map(str::to_owned);
        Some(own.unwrap_or_else(|| format!("Run recipe `{name}`?")))
    })
}

/// What is carried over, and what is lost.
pub(super) fn read(recipe: &Json, draft: &mut Draft) {
    for attribute in recipe["attributes"].as_array().into_iter().flatten() {
        let of_table = || attribute.as_object().and_then(|one| one.keys().next()).map(String::as_str);
        match attribute.as_str().or_else(of_table).unwrap_or_default() {
            "group" => draft.tags.extend(attribute["group"].as_str().map(str::to_owned)),
            "no-cd" => draft.lost.push("`[no-cd]`: it runs in the project, not where you are".to_owned()),
            name @ ("linux" | "macos" | "windows" | "unix" | "openbsd" | "freebsd" | "netbsd" | "dragonfly") => {
                draft.lost.push(format!("`[{name}]`: that it is for this system alone"));
            }
            "working-directory" => {
                if let Some(dir) = attribute["working-directory"].as_str() {
                    match inside(&draft.dir, dir) {
                        Some(dir) => draft.dir = dir,
                        None => draft.lost.push(format!("`[working-directory]`: `{dir}` lies outside of the project")),
                    }
                }
            }
            "private"
            | "doc"
            | "script"
            | "no-exit-message"
            | "exit-message"
            | "no-quiet"
            | "parallel"
            | "default"
            | "confirm"
            | "positional-arguments"
            | "extension"
            | "arg" => {}
            other => draft.lost.push(format!("`[{other}]`")),
        }
    }
}
