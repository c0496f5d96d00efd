//! Owns what `infra doctor` says about the machine: room, clock, locale, terminal.
//! Does not know the project.

use crate::command::context::Context;
use crate::host::{files, health};
use crate::report::select::Mode;
use crate::report::text::{ago, size};
use crate::report::view::{Area, FindingView};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Less than this many bytes free: soon a run can't be recorded.
const LITTLE: u64 = 1 << 30;
/// Less than this: it can't.
const NONE: u64 = 64 << 20;
/// Clocks of file servers differ by so much, in milliseconds.
const GRAIN: i64 = 2000;

/// Room where the state is.
pub fn disk(root: &Utf8Path) -> Option<FindingView> {
    let free = files::free_space(root).ok()?;
    let found = format!("{} are free", size(free));
    let todo = "free some space on the disk of the project: logs, artifacts and the store lie in `.infra`";
    Some(match free {
        0..NONE => FindingView::problem(Area::Machine, "disk", found, todo),
        NONE..LITTLE => FindingView::warning(Area::Machine, "disk", found, todo),
        _ => FindingView::ok(Area::Machine, "disk", found),
    })
}

/// Whether the clock agrees with the files and with the last run.
pub fn clock(
    context: &Context,
    root: &Utf8Path,
    files: impl Iterator<Item = Utf8PathBuf>,
    last: Option<i64>,
) -> Vec<FindingView> {
    let now = context.holder("doctor").since;
    let todo = "set the clock; times decide what has expired, never what has changed";
    let mut findings = Vec::new();
    if let Some(last) = last.filter(|last| *last > now + GRAIN) {
        let found =
            format!("the last run lies {} in the future", crate::report::text::seconds((last - now) as f64 / 1000.0));
        findings.push(FindingView::problem(Area::Machine, "clock", found, todo));
    }
    let all: BTreeSet<Utf8PathBuf> = files.collect();
    let late = health::written_after(root, all.into_iter(), now + GRAIN);
    if !late.is_empty() {
        let found = format!("files from the future: {}", crate::report::text::names(&late, 3));
        let todo = "`touch` them, or set the clock; until then they are read anew in each run";
        findings.push(FindingView::warning(Area::Machine, "clock", found, todo));
    }
    if findings.is_empty() {
        let since = last.map(|last| format!("; the last run was {}", ago((now - last) / 1000))).unwrap_or_default();
        let found = format!("{}{since}", crate::report::text::moment(now));
        findings.push(FindingView::ok(Area::Machine, "clock", found));
    }
    findings
}

/// How text will look.
pub fn terminal(context: &Context) -> Vec<FindingView> {
    let variable = |name: &str| context.caller_env.get(name).filter(|text| !text.is_empty());
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, variable(name)?)));
    let locale = match named {
        None => FindingView::ok(Area::Machine, "locale", "not set"),
        Some((name, text)) => {
            let plain = matches!(text.as_str(), "C" | "POSIX");
            let wide = text.to_ascii_lowercase().replace('-', "").contains("utf8");
            if plain || wide {
                FindingView::ok(Area::Machine, "locale", format!("{name}={text}"))
            } else {
                let found = format!("{name}={text} is not UTF-8: letters may be shown wrong, and ansible refuses it");
                FindingView::warning(Area::Machine, "locale", found, format!("`export {name}=C.UTF-8`"))
            }
        }
    };
    let shown = match context.choice.mode {
        Mode::Live => format!("live, {} columns", context.choice.stderr.width),
        Mode::Plain | Mode::Json => "plain lines".to_owned(),
    };
    vec![locale, FindingView::ok(Area::Machine, "output", shown)]
}
