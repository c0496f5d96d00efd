//! Owns what `infra doctor` says about tools: found, which version, wanted by whom.
//! Does not know how a version is asked.

use crate::command::context::Opened;
use crate::command::doctor::{Extent, users};
use crate::engine::tools::fits;
use crate::host::process::StartError;
use crate::kind;
use crate::model::facts::Facts;
use crate::model::name::TaskId;
use crate::model::path::join;
use crate::model::task::{ProbeCheck, Task};
use crate::plan::fingerprint::{known_table, required_name};
use crate::report::view::{Area, FindingView};
use camino::Utf8Path;
use std::collections::BTreeMap;

/// Tools that are asked for their version though `[requires]` does not list them. Nobody knows what
/// another program would do when it is asked.
const ASKED: [&str; 5] = ["terraform", "tofu", "ansible-playbook", "kubectl", "helm"];

/// Where to get a tool.
const SOURCES: [(&str, &str); 6] = [
    ("terraform", "install it (https://developer.hashicorp.com/terraform/install)"),
    ("tofu", "install it (https://opentofu.org/docs/intro/install)"),
    ("ansible", "install ansible-core, for instance into `.tools/venv` of the project"),
    ("kubectl", "install it (https://kubernetes.io/docs/tasks/tools)"),
    ("helm", "install it (https://helm.sh/docs/intro/install)"),
    ("git", "install it with the system's package manager"),
];

/// Every tool that a task uses, and every one that is required.
pub fn tools(opened: &Opened, extent: Extent) -> Vec<FindingView> {
    let mut used: BTreeMap<String, Vec<TaskId>> = BTreeMap::new();
    for id in opened.project.graph.order() {
        let task = opened.project.task(*id);
        for tool in programs(task) {
            let name = if tool.contains('/') { path(&task.dir, &tool) } else { tool };
            let users = used.entry(name).or_default();
            if users.last() != Some(id) {
                users.push(*id);
            }
        }
    }
    let mut findings = Vec::new();
    let mut checked = Vec::new();
    for (tool, ids) in &used {
        let file = Utf8Path::new(tool).file_name().unwrap_or(tool);
        let required = required_name(file).into_iter().find(|name| opened.project.requires.contains_key(*name));
        checked.extend(required.map(str::to_owned));
        findings.push(one(opened, tool, required, &format!("used by {}", users(opened, ids)), Use::Some));
    }
    for tool in opened.project.requires.keys().filter(|tool| !checked.contains(tool)) {
        findings.push(one(opened, tool, Some(tool), &extent.nobody("used"), Use::None));
    }
    findings
}

/// A path of a program, which means another one in each folder. It stays a path: a bare name is looked for elsewhere.
fn path(dir: &Utf8Path, tool: &str) -> String {
    let path = join(dir, tool).into_string();
    if path.contains('/') { path } else { format!("./{path}") }
}

/// Programs that a task starts: its kind's, and those of its checks and its undo. One whose name is a template is not
/// known here.
fn programs(task: &Task) -> Vec<String> {
    let mut all = kind::find(task.action.kind).tools(&known_table(task));
    let checks = task.probe.iter().map(|probe| &probe.check).chain(task.ready.iter().map(|ready| &ready.check));
    let asked = checks.filter_map(|check| match check {
        ProbeCheck::Exec(argv) => Some(argv),
        ProbeCheck::Tcp(_) | ProbeCheck::Http(_) | ProbeCheck::Kind => None,
    });
    let first = asked.chain(&task.undo).filter_map(|argv| argv.first());
    all.extend(first.filter(|word| !word.is_template()).map(|word| word.source.to_string()));
    all
}

/// Whether any task uses a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Some,
    None,
}

fn one(opened: &Opened, tool: &str, required: Option<&str>, used: &str, usage: Use) -> FindingView {
    let wanted = required.and_then(|name| opened.project.requires.get(name));
    let wants = wanted.map(|wanted| format!("; `[requires]` wants {wanted}")).unwrap_or_default();
    // What is not used does no harm by being away.
    let bad = |found: String, todo: String| {
        let make = match usage {
            Use::Some => FindingView::problem,
            Use::None => FindingView::warning,
        };
        make(Area::Tools, tool, found, todo)
    };
    let asked = required.or_else(|| ASKED.contains(&tool).then_some(tool));
    let version = asked.map(|name| opened.host.tool_version(name));
    let lacking = match &version {
        // `ansible` of `[requires]` is asked of `ansible-playbook`.
        Some(Ok(Some(_))) => None,
        _ => lacking(opened, tool),
    };
    match (lacking, maker(opened, tool)) {
        (Some(_), Some(maker)) if !opened.root.join(tool).exists() => {
            return FindingView::ok(Area::Tools, tool, format!("not there yet: `{maker}` makes it; {used}"));
        }
        (Some((why, todo)), _) => return bad(format!("{why}{wants}; {used}"), todo),
        (None, _) => {}
    }
    match (version, wanted) {
        (Some(Ok(Some(found))), Some(wanted)) if !fits(&found, wanted) => {
            bad(format!("{found}{wants}; {used}"), format!("another version is needed: {}", get(tool)))
        }
        (Some(Ok(Some(found))), _) => FindingView::ok(Area::Tools, tool, format!("{found}{wants}; {used}")),
        (Some(Ok(None)), Some(_)) => bad(
            format!("tells no version when it is asked for one{wants}; {used}"),
            "see whether it is the program that is meant".to_owned(),
        ),
        (Some(Err(error)), Some(_)) => bad(format!("{error}{wants}; {used}"), get(tool)),
        (None | Some(_), _) => FindingView::ok(Area::Tools, tool, format!("found; {used}")),
    }
}

/// Why a program can't be started, and what to do; `None`: it can.
pub fn lacking(opened: &Opened, program: &str) -> Option<(String, String)> {
    let is_folder = || opened.root.join(program).is_dir();
    match opened.host.findable(program, &opened.root).err()? {
        StartError::NotExecutable { .. } if is_folder() => {
            Some(("is a folder, no program".to_owned(), "correct its name".to_owned()))
        }
        StartError::NotExecutable { .. } => {
            Some(("is not executable".to_owned(), format!("`chmod +x {program}`, or correct its name")))
        }
        _ => Some(("was not found".to_owned(), get(program))),
    }
}

/// The task that makes a program, if one does.
fn maker<'a>(opened: &'a Opened, program: &str) -> Option<&'a str> {
    let path = Utf8Path::new(program.strip_prefix("./").unwrap_or(program));
    let makes = |task: &&Task| task.outputs.iter().any(|output| path.starts_with(&output.path));
    opened.project.tasks.iter().find(makes).map(|task| task.name.as_str())
}

/// How to get a tool.
fn get(tool: &str) -> String {
    if tool.contains('/') {
        return "write it, or correct its name".to_owned();
    }
    let known = SOURCES.iter().find(|(name, _)| tool == *name || tool.starts_with(&format!("{name}-")));
    let install = known.map_or("install it", |(_, how)| how);
    format!("{install}, or put it into `.tools/bin` of the project")
}
