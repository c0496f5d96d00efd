//! Owns what is known of tools: the version of a program, asked once per program file.
//! Does not know which tools a run uses, nor which versions it wants.

use crate::host::process;
use crate::host::store::ToolRow;
use crate::host::world::Host;
use std::time::Duration;

impl Host {
    pub(super) fn version_of(&self, tool: &str) -> Option<String> {
        let program = self.found(tool_program(tool))?;
        if crate::host::shim::is_shim(&program) {
            // Which version it runs is written where nobody keeps a list of.
            self.disk.sightings().spoil();
        }
        let home = self.caller_env.get("HOME").map(String::as_str);
        let sig = crate::host::simple::signature_text(&program)
            + &crate::host::shim::version_files(&program, &self.root, home);
        {
            let mut known = self.known_tools.borrow_mut();
            let known = known.get_or_insert_with(|| {
                let rows = self.store.borrow().tools().unwrap_or_default();
                rows.into_iter().map(|row| (row.program.clone(), row)).collect()
            });
            if let Some(row) = known.get(program.as_str())
                && row.sig == sig
            {
                return Some(row.version.clone());
            }
        }
        let argv: Vec<String> = std::iter::once(program.to_string())
            .chain(version_words(tool).iter().map(|word| (*word).to_owned()))
            .collect();
        let mut env = self.plain_env();
        // A question for a version leaves nothing in anybody's home.
        env.insert("CHECKPOINT_DISABLE".to_owned(), "1".to_owned());
        let temp = self.caller_env.get("TMPDIR").cloned().unwrap_or_else(|| "/tmp".to_owned());
        env.insert("ANSIBLE_HOME".to_owned(), temp.clone());
        env.insert("ANSIBLE_LOCAL_TEMP".to_owned(), temp);
        let output = process::query(&argv, &self.root, &env, Duration::from_secs(20)).ok()?;
        let version = first_version(&output.stdout).or_else(|| first_version(&output.stderr))?;
        let row = ToolRow { program: program.to_string(), sig, version: version.clone() };
        if self.store.borrow().access() == crate::host::store::Access::Write {
            // A cache: when it can't be written the tool is asked again.
            let _ = self.store.borrow_mut().put_tool(&row);
        }
        Some(version)
    }
}

fn tool_program(tool: &str) -> &str {
    match tool {
        "ansible" | "ansible-core" => "ansible-playbook",
        other => other,
    }
}

fn version_words(tool: &str) -> &'static [&'static str] {
    match tool {
        "terraform" | "tofu" => &["version"],
        "kubectl" => &["version", "--client"],
        "helm" => &["version", "--short"],
        "go" => &["version"],
        _ => &["--version"],
    }
}

/// The first `1.2` or `1.2.3` in a text.
fn first_version(text: &str) -> Option<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))).find_map(|word| {
        let word = word.trim_start_matches(|c: char| !c.is_ascii_digit());
        let plain: String = word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let plain = plain.trim_end_matches('.').to_owned();
        (plain.contains('.')).then_some(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        assert_eq!(first_version("Terraform v1.11.4\non linux_amd64").as_deref(), Some("1.11.4"));
        assert_eq!(first_version("ansible-playbook [core 2.19.14]").as_deref(), Some("2.19.14"));
        assert_eq!(first_version("v4.2.4+gabc").as_deref(), Some("4.2.4"));
        assert_eq!(first_version("nothing"), None);
    }
}
