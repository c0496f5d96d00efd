//! Owns what an importer says of one task of another tool, and of its whole file.
//! Does not know any tool, nor TOML.

use crate::import::lines::{Errexit, holds, is_in_single_quotes};

/// One task of another tool, in our words. Paths are relative to the project's root, names are the tool's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// As the tool has it.
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// Names of tasks whose work it builds on.
    pub needs: Vec<String>,
    /// Names of tasks that only come first.
    pub after: Vec<String>,
    /// Those of what it builds on that the tool comes to one after the other, in this order.
    pub in_turn: Vec<String>,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Variables that it takes from the caller's environment.
    pub pass_env: Vec<String>,
    /// Working folder; empty: the root.
    pub dir: String,
    pub script: String,
    /// The shell and its options; empty: ours.
    pub with: Vec<String>,
    /// An argv that says whether the work is still there.
    pub probe: Vec<String>,
    /// Whether it asks a person, and gets the terminal for that.
    pub interactive: bool,
    /// What the probe is for, or what else there is to say beside the task.
    pub notes: Vec<String>,
    /// What could not be carried over, with the reason.
    pub lost: Vec<String>,
}

impl Draft {
    /// A task with nothing but its name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Whether a shell runs the script.
    pub fn is_for_sh(&self) -> bool {
        self.with.first().is_none_or(|shell| shell.ends_with("sh") && !shell.ends_with("fish"))
    }

    /// A task that is done as long as these commands agree.
    pub fn probe_by(&mut self, commands: &[String], errexit: Errexit) {
        let text = match commands.iter().map(|command| holds(command, errexit)).collect::<Option<Vec<&str>>>() {
            Some(plain) => {
                let each: Vec<String> = plain.iter().map(|command| format!("( {command} )")).collect();
                format!("{{ {} ; }} || exit 1", each.join(" && "))
            }
            None => {
                let end = "\n)\n[ $? = 0 ] || exit 1\n";
                format!("(set -e\n{}{end}", commands.join(&format!("{end}(set -e\n")))
            }
        };
        self.probe = ["sh", "-c", text.as_str()].map(str::to_owned).to_vec();
    }

    /// The absolute path of the folder in which the script runs, which is no matter of a task file, becomes a variable.
    pub fn relocate(&mut self, here: &str) {
        if !self.script.contains(here) {
            return;
        }
        if is_in_single_quotes(&self.script, here) {
            self.lost.push("where this folder lies: its absolute path stands in the script".to_owned());
            return;
        }
        self.script = format!("root_dir=$PWD\n{}\n", self.script.replace(here, "${root_dir}").trim_end());
    }

    /// A task that goes on only if a person agrees. `Err`: no shell is there to ask.
    ///
    /// # Errors
    /// Its script is for another interpreter.
    pub fn ask_first(&mut self, question: &str, mark: &str) -> Result<(), String> {
        if !self.is_for_sh() {
            return Err(format!("it asks first (`{mark}`), and its script is for no shell that could"));
        }
        let question = question.replace('\'', r"'\''");
        self.script = format!(
            "printf '%s [y/N] ' '{question}' >&2\nread -r answer || exit 1\n\
             case \"$answer\" in [yY] | [yY][eE][sS]) ;; *) exit 1 ;; esac\n{}\n",
            self.script.trim_end()
        );
        self.interactive = true;
        if !self.needs.is_empty() {
            self.lost.push(format!("that `{mark}` asks before what it needs is done: here it asks after that"));
        }
        Ok(())
    }

    /// A task that the tool runs each time it is asked to.
    pub fn run_each_time(&mut self, tool: &str) {
        self.probe = vec!["false".to_owned()];
        self.notes.push(format!("{tool} runs it each time: the probe says that it is never done"));
    }
}

/// A whole file of another tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drafts {
    pub tasks: Vec<Draft>,
    /// Tasks that are left out whole: name and reason.
    pub left_out: Vec<(String, String)>,
    /// What concerns the whole file and could not be carried over.
    pub lost: Vec<String>,
    /// What the tool does when it is started alone: the words for that, and the task.
    pub default: Option<(&'static str, String)>,
    /// Files of variables that belong under `dotenv` of `infra.toml`, each with the remark for who must see to that.
    pub dotenv: Vec<(String, String)>,
    pub settings: Settings,
    /// What else there is to say at the top.
    pub notes: Vec<String>,
}

/// What becomes of what belongs into `infra.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settings {
    /// Whoever imports is told.
    #[default]
    Told,
    /// It is written there, with the tasks.
    Written,
}

impl Drafts {
    /// Decides what becomes of it. `there`: whether a file is there; one that is not is no file of variables yet.
    /// `odd`: why infra would not read in a file what the tool does.
    pub fn settle_settings(
        &mut self,
        settings: Settings,
        there: &dyn Fn(&str) -> bool,
        odd: &dyn Fn(&str) -> Option<String>,
    ) {
        self.settings = settings;
        for (path, remark) in std::mem::take(&mut self.dotenv) {
            let is_ours = inside("", &path).as_ref() == Some(&path);
            if settings == Settings::Told || !is_ours || !there(&path) {
                self.lost.push(remark);
            } else if let Some(why) = odd(&path) {
                self.lost.push(format!("{remark}; it is not written there: {why}"));
            } else {
                self.dotenv.push((path, remark));
            }
        }
    }
}

/// What is fresh by itself only comes after what is run each time: else it would be run each time too. For tools
/// in which a dependency is only order.
pub fn loosen(tasks: &mut [Draft]) {
    let each_time: Vec<String> =
        tasks.iter().filter(|task| task.probe == ["false"]).map(|task| task.name.clone()).collect();
    let fresh = |task: &&mut Draft| task.probe != ["false"] && !(task.inputs.is_empty() && task.probe.is_empty());
    for task in tasks.iter_mut().filter(fresh) {
        let (after, needs) = std::mem::take(&mut task.needs).into_iter().partition(|name| each_time.contains(name));
        task.needs = needs;
        task.after.extend::<Vec<String>>(after);
    }
}

/// Joins a folder (empty: the root) and a path of the tool; dots are resolved. `None`: it leads out of the project.
pub fn inside(dir: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let folder = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    Some(format!("{}{folder}", parts.join("/")))
}

/// Adds what is not there yet.
pub fn add(list: &mut Vec<String>, one: impl Into<String>) {
    let one = one.into();
    if !list.contains(&one) {
        list.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_project_or_are_told_apart() {
        assert_eq!(inside("", "a/./b"), Some("a/b".to_owned()));
        assert_eq!(inside("sub", "../a/"), Some("a/".to_owned()));
        assert_eq!(inside("sub", "../../a"), None);
        assert_eq!(inside("", "/etc/passwd"), None);
    }
}
