//! Owns what `infra doctor` says about secrets and passed variables: there or not, never what they hold.
//! Does not run a secret's command.

use crate::command::context::Opened;
use crate::command::doctor::tools::lacking;
use crate::command::doctor::{Extent, users};
use crate::model::environment::SecretSource;
use crate::model::name::TaskId;
use crate::model::text::Read;
use crate::plan::scope::reads_with_undo;
use crate::report::view::{Area, FindingView};
use std::collections::BTreeMap;

/// Every declared secret.
pub fn secrets(opened: &Opened, extent: Extent) -> Vec<FindingView> {
    let mut readers: BTreeMap<String, Vec<TaskId>> = BTreeMap::new();
    for id in opened.project.graph.order() {
        for read in reads_with_undo(opened.project.task(*id)) {
            if let Read::Secret(name) = read {
                readers.entry(name).or_default().push(*id);
            }
        }
    }
    let secrets = &opened.project.env.secrets;
    secrets
        .iter()
        .map(|(name, secret)| {
            let readers = readers.get(name).map_or(&[][..], Vec::as_slice);
            let used =
                if readers.is_empty() { extent.nobody("read") } else { format!("read by {}", users(opened, readers)) };
            let bad = |found: String, todo: &str| {
                let make = if readers.is_empty() { FindingView::warning } else { FindingView::problem };
                make(Area::Secrets, name, format!("{found}; {used}"), todo)
            };
            match &secret.source {
                SecretSource::Command(argv) => {
                    let program = argv.first().map_or("", String::as_str);
                    match lacking(opened, program) {
                        None => FindingView::ok(
                            Area::Secrets,
                            name,
                            format!("comes from `{program}`, which is there and was not asked; {used}"),
                        ),
                        Some((why, todo)) => bad(format!("`{program}` {why}"), &todo),
                    }
                }
                SecretSource::Env(variable) => match opened.host.secret_value(name) {
                    Ok(_) => FindingView::ok(Area::Secrets, name, format!("`{variable}` is set; {used}")),
                    Err(why) => bad(why, "set the variable where you call `infra`, or in a dotenv file"),
                },
                SecretSource::File(path) => match opened.host.secret_value(name) {
                    Ok(_) => FindingView::ok(Area::Secrets, name, format!("`{path}` can be read; {used}")),
                    Err(why) => bad(why, "write the file with mode 0600, readable by you alone"),
                },
            }
        })
        .collect()
}

/// Every variable that a task takes from the caller.
pub fn passed(opened: &Opened) -> Vec<FindingView> {
    let mut takers: BTreeMap<&str, Vec<TaskId>> = BTreeMap::new();
    for id in opened.project.graph.order() {
        for name in &opened.project.task(*id).pass_env {
            takers.entry(name).or_default().push(*id);
        }
    }
    takers
        .into_iter()
        .map(|(name, ids)| {
            let used = format!("passed to {}", users(opened, &ids));
            match opened.host.passed(name) {
                Some(_) => FindingView::ok(Area::Environment, name, format!("set; {used}")),
                None => FindingView::warning(
                    Area::Environment,
                    name,
                    format!("not set; {used}"),
                    "set it where you call `infra`, unless the task can do without",
                ),
            }
        })
        .collect()
}
