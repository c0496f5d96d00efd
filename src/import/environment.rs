//! Owns marks for variables of the caller's environment: a tool gets them in place of the values, and what it then says
//! tells where a script reads a variable.
//! Does not know any tool.

use crate::import::draft::{Draft, add};
use crate::import::lines::is_in_single_quotes;
use crate::import::settle::HANDED_OVER;

/// Begins a mark, `${INFRA_ENV_NAME}`, which a shell can read, too.
const BEGIN: &str = "${INFRA_ENV_";
/// Begins the variable that has the value where a tool's own shell may know it.
pub(super) const REAL: &str = "INFRA_ENV_";

/// What stands for a variable.
pub(super) fn mark(name: &str) -> String {
    format!("{BEGIN}{name}}}")
}

/// Whether a text has a mark.
pub(super) fn is_marked(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Whether every task gets a variable.
pub(super) fn is_handed_over(name: &str) -> bool {
    HANDED_OVER.contains(&name) || name.starts_with("LC_")
}

/// A text for a shell, which names what it reads in the draft.
///
/// # Errors
/// A variable that no shell would put in there.
pub(super) fn settled(text: &str, draft: &mut Draft) -> Result<String, String> {
    let mut out = text.to_owned();
    while let Some(at) = out.find(BEGIN) {
        let rest = &out[at + BEGIN.len()..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let mark = mark(&name);
        if is_in_single_quotes(&out, &mark) || !rest[name.len()..].starts_with('}') {
            return Err(format!("`{name}` of your environment stands where no shell would put it in"));
        }
        if !is_handed_over(&name) {
            add(&mut draft.pass_env, name.as_str());
        }
        out = out.replace(&mark, &format!("${{{name}}}"));
    }
    Ok(out)
}

/// Names of variables that a file of `NAME=value` lines sets.
pub(super) fn set_by(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let name = line.trim().strip_prefix("export ").unwrap_or(line).split_once('=')?.0.trim_end_matches(':').trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| name.to_owned())
    };
    text.lines().filter_map(line).collect()
}
