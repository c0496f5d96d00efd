//! Owns what `infra doctor` says about `.infra`: modes, owners, git, who holds the environment.
//! Does not know what is in there.

use crate::command::context::{Context, Opened};
use crate::command::hold::describe;
use crate::host::health::{self, FolderAt, Git};
use crate::host::world::STATE_DIR;
use crate::report::view::{Area, FindingView};
use camino::Utf8Path;

/// What to do about a key that is gone.
pub const NO_KEY: &str = "take it back from a backup; without it sealed values and digests of secrets are lost";

/// Whether something else is where the state folder must be.
pub fn is_in_the_way(state: &Utf8Path) -> bool {
    matches!(health::folder(state), FolderAt::File | FolderAt::LinkToNowhere)
}

/// The folder and what must be private in it.
pub fn kept(context: &Context, root: &Utf8Path) -> Vec<FindingView> {
    let state = root.join(STATE_DIR);
    let problem = |found: String, todo: String| vec![FindingView::problem(Area::State, STATE_DIR, found, todo)];
    let mut findings = Vec::new();
    match health::folder(&state) {
        FolderAt::There => {}
        FolderAt::File => {
            let todo = format!("move `{STATE_DIR}` away: the first run makes a folder of that name");
            return problem("it is a file, and must be a folder: no run can be recorded".to_owned(), todo);
        }
        FolderAt::LinkToNowhere => {
            let todo = format!("make the folder that it leads to, or remove the link: `rm {STATE_DIR}`");
            return problem("it is a link that leads nowhere: no run can be recorded".to_owned(), todo);
        }
        FolderAt::Missing => match health::unwritable(root) {
            Some(why) => {
                let todo = "mend that, or the mode of the project's folder: a run writes there".to_owned();
                return problem(format!("not there yet, and can't be made: {why}"), todo);
            }
            None => findings.push(FindingView::ok(Area::State, STATE_DIR, "not there yet: the first run makes it")),
        },
    }
    for (name, path, wanted) in [
        (STATE_DIR, state.clone(), 0o700),
        // A key is never written again.
        ("key", state.join("key"), 0o600),
        ("state.db", state.join("state.db"), 0o600),
    ] {
        let Some(standing) = health::target(&path) else { continue };
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
        } else if let Some(why) = health::unwritable(&path).filter(|_| name == STATE_DIR) {
            let todo = "mend that: no run can be recorded".to_owned();
            FindingView::problem(Area::State, name, format!("{mode}, but it can't be written: {why}"), todo)
        } else {
            FindingView::ok(Area::State, name, mode)
        };
        findings.push(finding);
    }
    findings.extend(git(root, context));
    findings
}

/// What was here and is gone: a state folder that was used holds a key and a store.
pub fn lost(root: &Utf8Path) -> Option<FindingView> {
    let state = root.join(STATE_DIR);
    let has = |name: &str| health::standing(&state.join(name)).is_some();
    let is_empty = |name: &str| !crate::host::simple::has_text(&state.join(name));
    let no_store = "take it back from a backup; without it every task counts as one that never ran, and \
                    `infra destroy` finds nothing to take back";
    if !has("state.db") && ["key", "runs", "cas"].into_iter().any(has) {
        let found = "gone, though runs were here: nothing of them is on record";
        Some(FindingView::problem(Area::State, "state.db", found, no_store))
    } else if has("state.db") && is_empty("state.db") && is_empty("state.db-wal") {
        Some(FindingView::problem(Area::State, "state.db", "empty: nothing is on record", no_store))
    } else if has("state.db") && !has("key") {
        let found = "gone, though runs were here: what it sealed can't be opened";
        Some(FindingView::problem(Area::State, "key", found, NO_KEY))
    } else {
        None
    }
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
