//! Owns asking a tool what its file says.
//! Does not know what the answers mean (`import/`).

use crate::cli::ImportTool;
use crate::command::context::Context;
use crate::command::exit::CommandError;
use crate::host::files::Disk;
use crate::host::process::{QueryOutput, StartError, find_program, query};
use crate::host::simple::read_text;
use crate::import::draft::{Drafts, inside};
use crate::import::{doit, just, make, taskfile};
use crate::model::facts::{ContentKind, Files};
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::time::Duration;

/// Variables that a tool needs to be found, and to find its own parts.
const KEPT: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TERM",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
];

const PATIENCE: Duration = Duration::from_secs(60);

/// A tool at work on a file.
struct Asked<'a> {
    tool: &'static str,
    /// How to get the tool.
    how: &'static str,
    env: BTreeMap<String, String>,
    root: &'a Utf8Path,
    /// Folder of the file, relative to the root; empty: the root.
    dir: &'a str,
    name: &'a str,
    file: &'a Utf8Path,
    disk: &'a Disk,
}

/// The drafts of a file, which is relative to the root.
pub(super) fn drafts(
    context: &Context,
    tool: ImportTool,
    root: &Utf8Path,
    file: &Utf8Path,
    disk: &Disk,
) -> Result<Drafts, CommandError> {
    let how = match tool {
        ImportTool::Make => "on Debian or Ubuntu: apt-get install make; on macOS: brew install make",
        ImportTool::Just => "`cargo install just --locked`, or a package of your system",
        ImportTool::Task => "`go install github.com/go-task/task/v3/cmd/task@latest`, or a package of your system",
        ImportTool::Doit => "`pip install doit`, and put its bin on PATH",
    };
    let mut env = context.caller_env.clone();
    // What else there is would be written into the tasks: tokens, and what is so on this machine alone.
    env.retain(|name, _| {
        KEPT.contains(&name.as_str()) || name.starts_with("XDG_") || name.to_lowercase().ends_with("_proxy")
    });
    env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
    env.insert("NO_COLOR".to_owned(), "1".to_owned());
    let dir = file.parent().map_or("", Utf8Path::as_str);
    let name = file.file_name().unwrap_or_default();
    let asked = Asked { tool: tool.word(), how, env, root, dir, name, file, disk };
    match tool {
        ImportTool::Make => asked.make(&context.caller_env),
        ImportTool::Just => {
            let answer = asked.answer(&just::question(name))?;
            let read = |path: &str| disk.read(Utf8Path::new(path)).map(|text| text.to_string());
            let around = just::Around { root: root.as_str(), read: &read };
            just::drafts(&answer.stdout, &asked.text()?, dir, &around).map_err(|why| asked.odd(why))
        }
        ImportTool::Task => {
            let names: Vec<String> = context.caller_env.keys().cloned().collect();
            let answer = asked.answer(&taskfile::question(name))?;
            let around = taskfile::Around {
                read: &|path| disk.read(Utf8Path::new(path)).map(|text| text.to_string()),
                rehearse: &|task, vars| {
                    let output = asked.ask(&taskfile::rehearsal(name, task, vars)).ok()?;
                    output.is_ok().then_some(output.stderr)
                },
                is_folder: &|path| match disk.kind(Utf8Path::new(path)) {
                    ContentKind::Missing => None,
                    kind => Some(kind == ContentKind::Folder),
                },
                env: &names,
            };
            taskfile::drafts(&answer.stdout, &asked.text()?, dir, &around).map_err(|why| asked.odd(&why))
        }
        ImportTool::Doit => {
            let python = asked.python()?;
            let marked = doit::marked(&asked.text()?, &context.caller_env);
            let marks = marked.iter().filter_map(|(name, mark)| Some((name.clone(), mark.clone()?)));
            let env = asked.with(marks.collect());
            let answer = asked.answer_in(&doit::question(&python, name, root.as_str()), &env)?;
            doit::drafts(&answer.stdout, dir, &env["PWD"], &marked).map_err(|why| asked.odd(why))
        }
    }
}

impl Asked<'_> {
    fn make(&self, caller: &BTreeMap<String, String>) -> Result<Drafts, CommandError> {
        let mut makefile = make::Makefile::new(self.name, &self.text()?, caller);
        let first = self.answer_in(&makefile.first_question(), &self.with(makefile.env(caller)))?;
        let beside = |path: &str| {
            let path = inside(self.dir, path)?;
            self.disk.read(Utf8Path::new(&path)).map(|text| text.to_string())
        };
        makefile.hear(&first.stdout, caller, &beside).map_err(|why| self.odd(why))?;
        let env = self.with(makefile.env(caller));
        // It ends with an error when a single target can't be made.
        let said = |argv: &[String]| {
            let output = self.ask_in(argv, &env)?;
            Ok::<_, CommandError>(make::Said { out: output.stdout, err: output.stderr })
        };
        let second = said(&makefile.second_question())?;
        if second.err.contains("unrecognized option") {
            return Err(self.missing("make is too old: `--trace` is needed, which GNU make has from 4.0 on".to_owned()));
        }
        let alone = makefile.alone(&second).into_iter();
        let alone = alone
            .map(|goal| said(&makefile.alone_question(&goal)).map(|said| (goal, said)))
            .collect::<Result<Vec<_>, _>>()?;
        let is_folder = |path: &str| match self.disk.kind(Utf8Path::new(path)) {
            ContentKind::Missing => None,
            kind => Some(kind == ContentKind::Folder),
        };
        let place = make::Place { root: self.root.as_str(), dir: self.dir, is_folder: &is_folder };
        makefile.drafts(&second, &alone, &place).map_err(|why| self.odd(why))
    }

    /// The environment with more, in the folder where the file lies.
    fn with(&self, more: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        env.insert("PWD".to_owned(), self.root.join(self.dir).as_str().trim_end_matches('/').to_owned());
        env.extend(more);
        env
    }

    /// The interpreter that doit itself runs in.
    fn python(&self) -> Result<Vec<String>, CommandError> {
        let path = self.env.get("PATH").map_or("", String::as_str);
        let program = find_program("doit", path, self.root).ok_or_else(|| {
            self.missing("program `doit` was not found; install it, or correct its name or PATH".to_owned())
        })?;
        let text = read_text(&program).ok().flatten().unwrap_or_default();
        doit::interpreter(text.lines().next().unwrap_or_default())
            .ok_or_else(|| self.missing(format!("`{program}` is no script of python, so its loader can't be asked")))
    }

    fn odd(&self, why: &str) -> CommandError {
        CommandError::usage(format!("{} read `{}`, but {why}", self.tool, self.file), "import a part of it")
    }

    fn text(&self) -> Result<String, CommandError> {
        let text = self.disk.read(self.file).map(|text| text.to_string());
        text.ok_or_else(|| {
            let why = self.disk.unread(self.file).unwrap_or_default();
            CommandError::usage(format!("cannot read `{}`: {why}", self.file), "name another file")
        })
    }

    /// An answer that the tool is content with.
    fn answer(&self, argv: &[String]) -> Result<QueryOutput, CommandError> {
        self.answer_in(argv, &self.env)
    }

    fn answer_in(&self, argv: &[String], env: &BTreeMap<String, String>) -> Result<QueryOutput, CommandError> {
        let output = self.ask_in(argv, env)?;
        if output.is_ok() {
            return Ok(output);
        }
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        let lines: Vec<&str> = said.trim().lines().collect();
        // python says last what it is about, after where it came from.
        let from = if lines.first().is_some_and(|line| line.starts_with("Traceback")) {
            lines.len().saturating_sub(6)
        } else {
            0
        };
        let said: Vec<String> = lines[from..].iter().take(20).map(|line| format!("  {line}")).collect();
        Err(CommandError::usage(
            format!("{} cannot read `{}`:\n{}", self.tool, self.file, said.join("\n")),
            format!("mend it until {} itself reads it, and import it again", self.tool),
        ))
    }

    fn ask(&self, argv: &[String]) -> Result<QueryOutput, CommandError> {
        self.ask_in(argv, &self.env)
    }

    fn ask_in(&self, argv: &[String], env: &BTreeMap<String, String>) -> Result<QueryOutput, CommandError> {
        let dir = self.root.join(self.dir);
        query(argv, &dir, env, PATIENCE).map_err(|error| match error {
            StartError::TimedOut { after, .. } => CommandError::usage(
                format!("{} did not end reading `{}` within {} s", self.tool, self.file, after.as_secs()),
                "see what it computes while it reads the file",
            ),
            error => self.missing(error.to_string()),
        })
    }

    fn missing(&self, message: String) -> CommandError {
        CommandError::Tool { message, hint: Some(format!("`{}` has to read its own file; {}", self.tool, self.how)) }
    }
}
