//! Owns the choice of an environment and the precedence of variables:
//! flags, then the environment's file, then `[env.X]`, then `[vars]`.
//! Does not know the tasks.

use crate::manifest::Options;
use crate::manifest::dotenv;
use crate::manifest::node::{Source, parse_value};
use crate::manifest::settings::{Declared, EnvDeclared, Settings, vars};
use crate::model::diagnostic::{Diagnostic, nearest};
use crate::model::environment::{Environment, Variable};
use crate::model::facts::Files;
use crate::model::name::EnvName;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Variables of each environment's `vars_file`, by the environment's name.
pub(super) type FileVars = BTreeMap<String, Vec<Declared>>;

/// Reads the `vars_file` of every environment, so that mistakes in any of them are found.
pub(super) fn read_files(
    settings: &Settings,
    files: &dyn Files,
    sources: &mut Vec<Source>,
    problems: &mut Vec<Diagnostic>,
) -> FileVars {
    let mut all = FileVars::new();
    for env in &settings.envs {
        let Some((path, place)) = &env.vars_file else { continue };
        let Some(text) = files.read(path) else {
            problems.push(Diagnostic::error("missing-file", place, format!("no file `{path}`")));
            continue;
        };
        let source = Source::parse(path, text, problems);
        if let [only] = source.root.entries()
            && only.key == "vars"
            && only.node.is_table()
        {
            let problem = Diagnostic::error(
                "bad-value",
                &source.at(&only.key_span),
                "a file of variables has no section `[vars]`",
            );
            problems.push(problem.help("write the variables at the top level of the file"));
        }
        all.insert(env.name.clone(), vars(&source, &source.root, problems));
        sources.push(source);
    }
    all
}

/// Which environment is meant.
pub(super) fn choose(settings: &Settings, options: &Options, problems: &mut Vec<Diagnostic>) -> String {
    let default = settings.default_env_name();
    if let Some((name, place)) = &settings.default_env
        && !settings.envs.is_empty()
        && !settings.envs.iter().any(|env| env.name == *name)
    {
        let problem =
            Diagnostic::error("unknown-environment", place, format!("unknown environment `{name}` in `default_env`"));
        problems.push(problem.help(settings.env_help(name)));
    }
    match &options.env {
        Some(name) if !settings.env_names().contains(name) => {
            let problem = Diagnostic::nowhere("unknown-environment", format!("unknown environment `{name}`"));
            problems.push(problem.help(settings.env_help(name)));
            default
        }
        Some(name) => name.clone(),
        None => default,
    }
}

/// All variables of one environment, precedence settled.
pub(super) fn variables(
    settings: &Settings,
    file_vars: &FileVars,
    env: &str,
    options: &Options,
) -> BTreeMap<String, Variable> {
    let mut vars = BTreeMap::new();
    let of_env = settings.envs.iter().find(|declared| declared.name == env).map_or(&[][..], |declared| &declared.vars);
    let of_file = file_vars.get(env).map_or(&[][..], Vec::as_slice);
    for declared in settings.vars.iter().chain(of_env).chain(of_file) {
        let variable = Variable { value: declared.value.clone(), origin: declared.origin.clone() };
        vars.insert(declared.name.clone(), variable);
    }
    for (name, text) in &options.set {
        vars.insert(name.clone(), Variable { value: flag_value(text), origin: "--set".to_owned() });
    }
    vars
}

/// A flag's value: a number, bool, list, inline table or quoted text as TOML reads it, else text.
fn flag_value(text: &str) -> Json {
    match parse_value(text) {
        Some(Json::String(_)) if !text.trim_start().starts_with(['"', '\'']) => Json::String(text.to_owned()),
        Some(value) => value,
        None => Json::String(text.to_owned()),
    }
}

/// Flags that set what no layer declares.
pub(super) fn check_flags(
    settings: &Settings,
    file_vars: &FileVars,
    options: &Options,
    problems: &mut Vec<Diagnostic>,
) {
    let declared: std::collections::BTreeSet<&str> = settings
        .vars
        .iter()
        .chain(settings.envs.iter().flat_map(|env| &env.vars))
        .chain(file_vars.values().flatten())
        .map(|variable| variable.name.as_str())
        .collect();
    for (name, _) in &options.set {
        if declared.contains(name.as_str()) {
            continue;
        }
        let problem =
            Diagnostic::nowhere("unknown-variable", format!("`--set {name}`: no variable `{name}` is declared"));
        let help = nearest(name, declared.iter().copied()).map_or_else(
            || "declare it under `[vars]` in `infra.toml`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(problem.help(help));
    }
}

/// The chosen environment with everything settled.
pub(super) fn settle(
    settings: &Settings,
    file_vars: &FileVars,
    name: &str,
    options: &Options,
    files: &dyn Files,
    problems: &mut Vec<Diagnostic>,
) -> Environment {
    let none = EnvDeclared::default();
    let declared = settings.envs.iter().find(|env| env.name == name).unwrap_or(&none);
    let mut dotenv = BTreeMap::new();
    for path in settings.dotenv.iter().chain(&declared.dotenv) {
        // A dotenv file is personal: where it is not, there is nothing to take.
        if let Some(text) = files.read(path) {
            dotenv::read(path, &text, &mut dotenv, problems);
        }
    }
    Environment {
        name: EnvName::new(name),
        vars: variables(settings, file_vars, name, options),
        secrets: settings.secrets.clone(),
        approve: declared.approve,
        kube_context: declared.kube_context.clone(),
        dotenv,
    }
}

/// Variables as templates see them.
pub(super) fn as_json(vars: &BTreeMap<String, Variable>) -> Json {
    Json::Object(vars.iter().map(|(name, variable)| (name.clone(), variable.value.clone())).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_flags_are_read_as_toml_or_else_text() {
        for (text, value) in [
            ("3", json!(3)),
            ("true", json!(true)),
            ("[1, 2]", json!([1, 2])),
            ("{ a = 1 }", json!({"a": 1})),
            ("\"3\"", json!("3")),
            ("hello world", json!("hello world")),
            ("2024-01-01", json!("2024-01-01")),
            ("", json!("")),
        ] {
            assert_eq!(flag_value(text), value, "{text}");
        }
    }
}
