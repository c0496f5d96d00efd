//! Owns `infra completion` and the query behind it: scripts for the shells, candidates for a word.
//! Does not know the grammar (`cli`), nor how a shell shows what it is offered.

use crate::cli::{self, Candidate, CompleteArgs, CompletionArgs, Global, Shell};
use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::model::project::Project;
use crate::model::task::Task;
use crate::report::text::clean;
use std::collections::{BTreeMap, BTreeSet};

/// Prints the script of a shell.
///
/// # Errors
/// With `--json`.
pub fn script(context: &Context, args: CompletionArgs) -> Result<u8, CommandError> {
    context.no_json("a shell's script")?;
    context.out(match args.shell {
        Shell::Bash => include_str!("completion/bash.sh"),
        Shell::Zsh => include_str!("completion/zsh.zsh"),
        Shell::Fish => include_str!("completion/fish.fish"),
    });
    Ok(0)
}

/// Prints what may stand at a word: a line each, its help behind a tab; of a path an empty word, then whether it is one of
/// files or of folders, and the beginning that stays. Whatever goes wrong, nothing.
pub fn complete(context: &Context, args: &CompleteArgs) -> u8 {
    let mut text = String::new();
    for candidate in cli::candidates(&args.words, args.index) {
        match candidate {
            Candidate::Word { value, help } => {
                text.push_str(&clean(&value));
                if let Some(help) = help {
                    text.extend(["\t", &clean(&help)]);
                }
            }
            Candidate::Path { kind, behind } => text.extend(["\t", kind.word(), "\t", &clean(&behind)]),
        }
        text.push('\n');
    }
    context.out(&text);
    0
}

/// What a project offers for a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    Tasks,
    /// Tasks, stages and tags.
    Targets,
    Environments,
    /// Names of variables, each with `=`.
    Variables,
    /// Keys of values, and paths that tasks make: of the tasks that the line names, else of all.
    Keys,
    Artifacts,
}

/// Names in the project of a command line, each with what it is; none where there is no project, or one
/// with mistakes.
pub fn names(
    global: Global,
    caller_env: BTreeMap<String, String>,
    offer: Offer,
    line: &[String],
) -> Vec<(String, Option<String>)> {
    let context = Context::new(global, caller_env);
    let project = context.root().ok().and_then(|root| context.load(&root).loaded.project);
    project.map(|project| offered(&project, offer, line)).unwrap_or_default()
}

fn offered(project: &Project, offer: Offer, line: &[String]) -> Vec<(String, Option<String>)> {
    let named = |task: &&Task| line.iter().any(|word| *word == task.name.as_str());
    let any = project.tasks.iter().any(|task| named(&task));
    let meant = || project.tasks.iter().filter(|task| !any || named(task));
    let of = |task: &Task| Some(format!("of {}", task.name));
    let tasks = || project.tasks.iter().map(|task| (task.name.to_string(), task.description.clone()));
    match offer {
        Offer::Tasks => tasks().collect(),
        Offer::Targets => {
            let stages: BTreeSet<&String> = project.tasks.iter().filter_map(|task| task.stage.as_ref()).collect();
            let tags: BTreeSet<&String> = project.tasks.iter().flat_map(|task| &task.tags).collect();
            let stages = stages.into_iter().map(|stage| (format!("stage:{stage}"), Some("a stage".to_owned())));
            let tags = tags.into_iter().map(|tag| (format!("tag:{tag}"), Some("a tag".to_owned())));
            tasks().chain(stages).chain(tags).collect()
        }
        Offer::Environments => project.env_names.iter().map(|name| (name.clone(), None)).collect(),
        Offer::Keys => meant().flat_map(|task| task.exports.keys().map(move |key| (key.clone(), of(task)))).collect(),
        Offer::Artifacts => {
            meant().flat_map(|task| task.outputs.iter().map(move |one| (one.path.to_string(), of(task)))).collect()
        }
        Offer::Variables => project.env.vars.keys().map(|name| (format!("{name}="), None)).collect(),
    }
}
