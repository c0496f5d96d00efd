//! Owns the tables of keys of `infra.toml` and of a task: one list serves checks and JSON schema.
//! Does not know the keys of the kinds (`kind/`).

use crate::kind::shape::{KeySpec, Shape, When};
use crate::model::environment::Approve;

const EFFECTS: [&str; 4] = ["pure", "read", "idempotent", "once"];

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec::new(name, shape, When::Graph, doc)
}

const PROBE: [KeySpec; 5] = [
    KeySpec::new("exec", Shape::Texts, When::Start, "Argv: 0 agrees, 1 disagrees, anything else can't tell."),
    KeySpec::new("tcp", Shape::Text, When::Start, "`host:port` accepts a connection."),
    KeySpec::new("http", Shape::Text, When::Start, "A GET answers below 400."),
    key("kind", Shape::Bool, "The kind's own probe."),
    key("ttl", Shape::Duration, "How long an answer is good for; default: one run."),
];

const READY: [KeySpec; 4] = [
    KeySpec::new("exec", Shape::Texts, When::Start, "Argv that must exit with 0."),
    KeySpec::new("tcp", Shape::Text, When::Start, "`host:port` accepts a connection."),
    KeySpec::new("http", Shape::Text, When::Start, "A GET answers below 400."),
    key("within", Shape::Duration, "Give up after; default `5m`."),
];

const RETRY: [KeySpec; 3] = [
    KeySpec::needed("max", Shape::Int(0), When::Graph, "Tries after the first."),
    key("backoff", Shape::Text, "First and longest pause, `5s..60s`, or one pause; default `1s..30s`."),
    key("when", Shape::Texts, "Texts of which one must be in the output; default: any failure."),
];

/// Keys of a task that are no action.
pub(super) const TASK: [KeySpec; 29] = [
    key("description", Shape::Text, "What it is for."),
    key("stage", Shape::Text, "A label that groups tasks."),
    key("tags", Shape::Texts, "Labels, picked by `tag:NAME`."),
    key("needs", Shape::Texts, "Targets that come first, and whose making enters."),
    key("after", Shape::Texts, "Targets that come first: order only."),
    key("inputs", Shape::Texts, "Paths and globs; `!` takes away."),
    key("outputs", Shape::Texts, "Files and folders (with a `/` at the end) that it writes."),
    key("exports", Shape::TextTable, "Name → type of the values that it exports."),
    KeySpec::new("env", Shape::TextTable, When::StartSecret, "Environment variables."),
    key("pass_env", Shape::Texts, "Environment variables taken from the caller."),
    key("dir", Shape::Text, "Working folder, relative to the root; default `.`."),
    key("effect", Shape::Word(&EFFECTS), "What it does to the world."),
    key("ttl", Shape::Duration, "How long the record of a `read` task may be believed."),
    key("probe", Shape::Table(&PROBE), "A cheap read-only check that the thing is still there."),
    KeySpec::new("undo", Shape::Argvs, When::Start, "Argvs that take back what it did, for `undo_of`."),
    key("foreach", Shape::Tree, "A list or table: one task `NAME[KEY]` for each, bound to `item`."),
    key("matrix", Shape::Tree, "Axis → list: one task for each combination, bound to `matrix.AXIS`."),
    key("envs", Shape::Texts, "Environments in which the task exists; default: all."),
    key("override", Shape::Tree, "Environment → keys that differ there; tables are merged key by key."),
    key("was", Shape::Texts, "Former names."),
    key("in_place", Shape::Texts, "Paths that are input and output at once."),
    key("allow_failure", Shape::Bool, "Dependants run all the same when it fails."),
    key("ready", Shape::Tables(&READY), "What to wait for in the world after the steps."),
    key("retry", Shape::Table(&RETRY), "More tries after a failure."),
    key("timeout", Shape::Duration, "Limit of one try; default: none."),
    key("grace", Shape::Duration, "How long the tool gets after it was asked to stop."),
    key("pool", Shape::Text, "A pool of `infra.toml`, which limits how many run at a time."),
    key("interactive", Shape::Bool, "The terminal is handed to the tool."),
    key("watch", Shape::Bool, "Watch mode may run it although it changes the world."),
];

/// Sections of `infra.toml`, with what each is for.
pub(super) const SECTIONS: [(&str, &str); 7] = [
    ("project", "Settings of the project."),
    ("requires", "Tool → version, checked before anything runs."),
    ("vars", "Variables, which templates read as `vars.NAME`."),
    ("env", "Environments by name."),
    ("secrets", "Secrets by name: where each comes from."),
    ("pools", "Pool → how many tasks that name it run at a time."),
    ("include", "Name → folder whose `tasks/*.toml` are taken as `NAME/TASK`."),
];

/// Keys of `[project]`.
pub(super) const PROJECT: [KeySpec; 4] = [
    key("name", Shape::Text, "Name of the project."),
    key("default_env", Shape::Text, "The environment without `-e`; default `local`."),
    key("default", Shape::Texts, "What `infra run` alone means."),
    key("dotenv", Shape::Texts, "Files of `KEY=VALUE` lines that `pass_env` may take from."),
];

/// Keys of `[env.NAME]`.
pub(super) const ENV: [KeySpec; 5] = [
    key("vars", Shape::Tree, "Variables of this environment."),
    key("vars_file", Shape::Text, "A flat TOML file of variables, over `vars`."),
    key("approve", Shape::Word(&Approve::WORDS), "When a person must agree; default `never`."),
    key("kube_context", Shape::Texts, "Contexts that are allowed; anything else is refused."),
    key("dotenv", Shape::Texts, "Files of `KEY=VALUE` lines, over those of `[project]`."),
];

/// Keys of a secret.
pub(super) const SECRET: [KeySpec; 4] = [
    key("env", Shape::Text, "A variable of the caller's environment."),
    key("file", Shape::Text, "A file, mode 0600."),
    key("command", Shape::Texts, "An argv that prints it."),
    key("rotates", Shape::Bool, "A new value is no new input."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Effect;

    #[test]
    fn effect_words_are_the_models() {
        assert_eq!(EFFECTS, Effect::ALL.map(Effect::word));
    }
}
