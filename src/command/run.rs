//! Owns `infra run`: lock, recover, check tools, run, say how it ended.
//! Does not know how a run is carried out (`engine`).

use crate::cli::{RunArgs, Selection};
use crate::command::approve::Person;
use crate::command::choose::{Chosen, choose};
use crate::command::context::{Context, Opened};
use crate::command::exit::{CommandError, Exit};
use crate::command::hold::{Patience, Taken, lock_env};
use crate::command::still::{self, Witness};
use crate::command::{plan, watch};
use crate::engine::request::Reach;
use crate::engine::{Engine, Finished, OnTaskFailure, Request, recover, tools};
use crate::event::{Event, Level, Listener};
use crate::host::files::{self, Sightings};
use crate::host::secret::Vault;
use crate::host::simple;
use crate::host::still::Still;
use crate::host::store::Store;
use crate::host::world::{STATE_DIR, SecretCommands};
use crate::model::project::Project;
use crate::report::hush::{Hush, Left};
use crate::report::junit::Junit;
use crate::report::select::{Voice, voice};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// What `--resume` takes over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Resumable {
    targets: Vec<String>,
    only: Vec<String>,
    from: Vec<String>,
    until: Vec<String>,
    skip: Vec<String>,
    set: Vec<(String, String)>,
}

impl Resumable {
    /// The selection as it was written.
    fn shown(&self) -> String {
        let flags = [("--only", &self.only), ("--from", &self.from), ("--until", &self.until), ("--skip", &self.skip)];
        let flags =
            flags.into_iter().flat_map(|(flag, values)| values.iter().map(move |value| format!("{flag} {value}")));
        let words: Vec<String> = self.targets.iter().cloned().chain(flags).collect();
        if words.is_empty() { "its default".to_owned() } else { words.join(" ") }
    }
}

/// Runs.
///
/// # Errors
/// As the exit codes say.
pub fn run(context: &mut Context, args: &RunArgs) -> Result<u8, CommandError> {
    let mut selection = args.selection.clone();
    if args.resume {
        let root = context.root()?;
        let (number, resumed, run_env) = last_unfinished(context, &root)?;
        context.note(&format!("goes on with run {number} in {run_env}: {}", resumed.shown()));
        selection = Selection {
            targets: resumed.targets,
            only: resumed.only,
            from: resumed.from,
            until: resumed.until,
            skip: resumed.skip,
            force: false,
        };
        context.global.env = Some(run_env);
        // What is said now stands behind what was said then, and wins.
        let then = resumed.set.into_iter().map(|(name, value)| crate::cli::Setting { name, value });
        context.global.set.splice(0..0, then);
    }
    if args.dry_run {
        return plan::show(context, &selection, false);
    }
    if args.watch {
        return watch::watch(context, &selection, args);
    }
    if let Some(file) = &args.junit {
        let (mut junit, file) = (Junit::default(), junit_file(file)?);
        let finished = all(context, &selection, args, Some(&mut junit), None);
        if let Err(error) = &finished {
            junit.broke(error.to_string());
        }
        // A report that can't be written never fails a run.
        if let Err(error) = files::write_aside(&file, junit.document().as_bytes(), None) {
            context.say(&format!("warning: {error}"));
        }
        return finished.map(|finished| finished.exit);
    }
    let asked = still::question(context, &context.root()?, &selection);
    if let Some(finished) = asked.as_ref().and_then(|asked| still::answer(context, asked)) {
        return Ok(finished.exit);
    }
    if asked.is_some() {
        context.sightings = Sightings::begin();
    }
    Ok(all(context, &selection, args, None, asked.as_ref())?.exit)
}

/// One run of all that is selected.
fn all(
    context: &Context,
    selection: &Selection,
    args: &RunArgs,
    junit: Option<&mut Junit>,
    asked: Option<&Still>,
) -> Result<Finished, CommandError> {
    let manner = Manner { patience: Patience::of(args.wait), yes: args.yes, hush: None, asked, junit };
    once(context, selection, args, Round { reach: Reach::All, changed: Vec::new() }, manner)
}

/// Where a report is put. What a former run left there is not taken for this one's, should this one be killed.
fn junit_file(file: &str) -> Result<Utf8PathBuf, CommandError> {
    let path = std::path::absolute(file).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    match path {
        Some(path) if !path.is_dir() => {
            if path.is_file() {
                simple::remove_file(&path);
            }
            Ok(path)
        }
        _ => Err(CommandError::usage(format!("`{file}` is no file that can be written"), "correct `--junit`")),
    }
}

/// What a run is one of, in watch mode.
pub struct Round {
    pub reach: Reach,
    /// Paths whose change it follows.
    pub changed: Vec<String>,
}

/// How a run behaves towards others.
pub struct Manner<'a> {
    pub patience: Patience<'a>,
    /// `--yes`.
    pub yes: bool,
    /// A run that does nothing is not told.
    pub hush: Option<&'a mut Hushed>,
    /// What is asked, if the answer may be kept.
    pub asked: Option<&'a Still>,
    /// Hears the run, too.
    pub junit: Option<&'a mut Junit>,
}

/// What is remembered from one hushed run to the next.
#[derive(Default)]
pub struct Hushed {
    pub left: Left,
    /// Whether the last one was told.
    pub spoke: bool,
}

/// One run, from lock to end.
///
/// # Errors
/// As the exit codes say.
pub fn once(
    context: &Context,
    selection: &Selection,
    args: &RunArgs,
    round: Round,
    manner: Manner<'_>,
) -> Result<Finished, CommandError> {
    let root = context.root()?;
    let mut project = context.load(&root).project()?;
    let mut chosen = choose(&project, selection)?;
    // Watching is not resumed: it begins anew with the next change.
    let command = if round.reach.is_watch() { "watch" } else { "run" };
    let taken = take(context, &root, &project, command, &chosen.words, manner.patience)?;
    if taken.waited {
        project = context.load(&root).project()?;
        chosen = choose(&project, selection)?;
    }
    let resumable = Resumable {
        targets: selection.targets.clone(),
        only: selection.only.clone(),
        from: selection.from.clone(),
        until: selection.until.clone(),
        skip: selection.skip.clone(),
        set: context.global.set.iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
    };
    let on_failure = match (args.keep_going, args.fail_fast) {
        (true, _) => OnTaskFailure::KeepGoing,
        (_, true) => OnTaskFailure::FailFast,
        _ => OnTaskFailure::StopStarting,
    };
    let Chosen { words, tasks, skipped, forced } = chosen;
    let request = Request {
        holder: context.holder(&line(command, &words)),
        words,
        tasks,
        skipped,
        forced,
        jobs: args.jobs.map_or_else(processors, std::num::NonZeroUsize::get),
        on_failure,
        reach: round.reach,
        changed: round.changed,
        options: serde_json::to_string(&resumable).unwrap_or_else(|_| "{}".to_owned()),
        orphans: Vec::new(),
        command,
    };
    carry_out(context, root, project, request, manner, taken)
}

/// Takes the environment of a project for a command.
///
/// # Errors
/// Held by another run; the state folder can't be written.
pub fn take(
    context: &Context,
    root: &Utf8Path,
    project: &Project,
    command: &str,
    words: &[String],
    patience: Patience<'_>,
) -> Result<Taken, CommandError> {
    lock_env(context, root, project.env.name.as_str(), &line(command, words), patience)
}

/// A command line as locks are signed with it.
pub fn line(command: &str, words: &[String]) -> String {
    format!("infra {command} {}", words.join(" ")).trim().to_owned()
}

/// Carries out a request in the environment that was taken for it.
///
/// # Errors
/// As the exit codes say.
pub fn carry_out(
    context: &Context,
    root: Utf8PathBuf,
    project: Project,
    request: Request,
    manner: Manner<'_>,
    taken: Taken,
) -> Result<Finished, CommandError> {
    let opened = open_to_write(context, root, project)?;
    let others = opened.host.store.borrow().others();
    let (asked, mut witness) = (manner.asked, Witness::default());
    let finished = drive(context, &opened, request, manner, &mut witness);
    if let (Ok(finished), Some(asked)) = (&finished, asked)
        && let Some(answer) = witness.answer(finished)
    {
        still::keep(asked, opened, &context.sightings, answer, others);
    }
    drop(taken);
    finished
}

/// The project, its world opened for writing. The environment's lock must be held.
///
/// # Errors
/// When the state can't be read or written.
pub fn open_to_write(context: &Context, root: Utf8PathBuf, project: Project) -> Result<Opened, CommandError> {
    let state = root.join(STATE_DIR);
    let vault = Vault::load_or_make(&state).map_err(|error| CommandError::State(error.to_string()))?;
    let mut store = Store::open_to_write(&state)?;
    let names: Vec<(&str, &[String])> =
        project.tasks.iter().map(|task| (task.name.as_str(), task.was.as_slice())).collect();
    store.adopt_names(&names)?;
    context.opened(root, project, store, Some(vault), SecretCommands::MayRun)
}

fn drive(
    context: &Context,
    opened: &Opened,
    request: Request,
    manner: Manner<'_>,
    witness: &mut Witness,
) -> Result<Finished, CommandError> {
    crate::host::process::become_subreaper();
    let recovered = recover::recover(&opened.host, &opened.project.env.name)?;
    tools::check(&opened.project, &opened.host, &request.tasks)?;
    let Voice { mut listener, hold } =
        voice(&context.choice, context.checked_out(&opened.root), std::io::stdout(), std::io::stderr());
    let junit = manner.junit;
    let heard = |listener: &mut dyn Listener| -> Result<Finished, CommandError> {
        let mut both = junit.map(|junit| Both(junit, &mut *listener));
        let listener: &mut dyn Listener = match &mut both {
            Some(both) => both,
            None => listener,
        };
        for message in recovered {
            listener.hear(&Event::Notice { level: Level::Warning, message });
        }
        let mut person = Person::new(hold, manner.yes, context.choice.stderr);
        let engine = Engine::new(&opened.host, &opened.project, opened.board()?, request, listener, &mut person);
        let finished = engine.run()?;
        opened.host.save_signatures()?;
        Ok(finished)
    };
    let Some(hushed) = manner.hush else { return heard(&mut witness.beside(listener.as_mut())) };
    let mut hush = Hush::new(listener.as_mut(), std::mem::take(&mut hushed.left));
    let finished = heard(&mut hush);
    (hushed.left, hushed.spoke) = hush.end();
    finished
}

/// Two that hear the same.
struct Both<'a>(&'a mut Junit, &'a mut dyn Listener);

impl Listener for Both<'_> {
    fn hear(&mut self, event: &Event) {
        self.0.hear(event);
        self.1.hear(event);
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn last_unfinished(context: &Context, root: &Utf8Path) -> Result<(i64, Resumable, String), CommandError> {
    let store = Store::open_to_read(&root.join(STATE_DIR))?;
    let env = context.global.env.as_ref().map(crate::model::name::EnvName::new);
    let last = store.runs(env.as_ref(), 50)?.into_iter().find(|run| run.command == "run");
    match last {
        Some(run) if run.exit != Some(0) => {
            Ok((run.id.0, serde_json::from_str(&run.options).unwrap_or_default(), run.env))
        }
        Some(run) => Err(CommandError::usage(
            format!("nothing to resume: run {} finished", run.id),
            "start a new one with `infra run`",
        )),
        None => Err(CommandError::usage("nothing to resume: there was no run yet", "start one with `infra run`")),
    }
}

/// The exit code of a run as an `Exit`, for callers that go on.
pub fn was_interrupted(finished: &Finished) -> bool {
    finished.exit == Exit::Interrupted as u8
}
