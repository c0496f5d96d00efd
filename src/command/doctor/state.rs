//! Owns what `infra doctor` says about `.infra`: modes, owners, git, who holds the environment.
//! Does not know what is in there.

use crate::command::context::{Context, Opened};
use crate::command::hold::describe;
use crate::host::health::{self, Git};
use crate::host::world::STATE_DIR;
use crate::report::view::{Area, FindingView};
use camino::Utf8Path;

/// The folder and what must be private in it.
pub fn kept(context: &Context, root: &Utf8Path) -> Vec<FindingView> {
    let state = root.join(STATE_DIR);
    let mut findings = Vec::new();
    if health::standing(&state).is_none() {
        findings.push(FindingView::ok(Area::State, STATE_DIR, "not there yet: the first run makes it"));
    }
    for (name, path, wanted) in [
        (STATE_DIR, state.clone(), 0o700),
        // A key is never written again.
        ("key", state.join("key"), 0o600),
        ("state.db", state.join("state.db"), 0o600),
    ] {
        let Some(standing) = health::standing(&path) else { continue };
        let short = path.strip_prefix(root).unwrap_or(&path);
        let mode = format!("mode {:04o}", standing.mode);
        let finding = if standing.owner != health::user() {
            let todo = format!("run as the user that owns it, or `sudo chown -R \"$USER\" {STATE_DIR}`");
            let found = format!("{mode}, owned by another user (id {})", standing.owner);
            let make = if health::user() == 0 { FindingView::warning } else { FindingView::problem };
            make(Area::State, name, found, todo)
        } else if standing.mode & !wanted != 0 {
            FindingView::problem(
                Area::State,
                name,
                format!("{mode}: others may look into it"),
                format!("`chmod {wanted:o} {short}`; if it may have been read, change the secrets"),
            )
        } else if standing.mode & 0o200 == 0 && name != "key" {
            let todo = format!("`chmod {wanted:o} {short}`");
            FindingView::problem(Area::State, name, format!("{mode}: it can't be written"), todo)
        } else {
            FindingView::ok(Area::State, name, mode)
        };
        findings.push(finding);
    }
    findings.extend(git(root, context));
    findings
}

fn git(root: &Utf8Path, context: &Context) -> Option<FindingView> {
    let name = "git";
    match health::git(root, &context.caller_env) {
        Git::None => None,
        Git::Ignored => Some(FindingView::ok(Area::State, name, format!("leaves `{STATE_DIR}` out"))),
        // The first run writes a `.gitignore` into it.
        Git::Seen if health::standing(&root.join(STATE_DIR)).is_none() => None,
        Git::Seen => Some(FindingView::problem(
            Area::State,
            name,
            format!("does not leave `{STATE_DIR}` out: the project's key could be committed"),
            format!("`echo '*' > {STATE_DIR}/.gitignore`"),
        )),
        Git::Tracked(files) => Some(FindingView::problem(
            Area::State,
            name,
            format!("{} of `{STATE_DIR}` in the repository", crate::report::text::count(files, "file")),
            format!("`git rm -r --cached {STATE_DIR}`; if its key was pushed, change the secrets"),
        )),
    }
}

/// Who works in the environment now.
pub fn held(opened: &Opened) -> Option<FindingView> {
    let held = opened.living_run()?;
    let now = crate::model::facts::Facts::now(&opened.host);
    Some(FindingView::ok(Area::State, "lock", describe(&held, now)))
}
