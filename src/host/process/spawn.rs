//! Owns starting one process: its group, environment, pipes, and the thread that waits for it.
//! Does not know what is read from the pipes (`drain`).

use super::drain::{Drain, Outcome};
use super::log::Log;
use super::registry::{self, Child as Kind, become_subreaper};
use super::terminal::Handed;
use super::{Command, Ended, Leader, MARK, ProcessEvent, Running, StartError, Stdin, Stdout, find_program, sweep, sys};
use camino::Utf8Path;
use os_pipe::PipeReader;
use std::io::{self, IsTerminal as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Starts a process. Its own thread drains and waits for it and calls `on_event`, lastly with
/// `Ended`; an `on_event` that blocks makes the tool wait.
pub fn start(command: Command, on_event: Box<dyn FnMut(ProcessEvent) + Send>) -> Result<Running, StartError> {
    become_subreaper();
    let program = command.argv.first().cloned().ok_or(StartError::Empty)?;
    let log = Log::open(&command.log, &command.masks)
        .map_err(|source| StartError::Log { log: command.log.clone(), source })?;
    let (tell, told) = mpsc::channel();
    // The thread comes first: a process without one would be left unattended.
    std::thread::Builder::new()
        .name(program.clone())
        .spawn(move || match spawn(&command) {
            Ok(started) => {
                let _ = tell.send(Ok(Running { leader: Arc::clone(&started.leader) }));
                attend(started, &command, log, on_event);
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        })
        .map_err(|source| StartError::Other { program: program.clone(), source })?;
    told.recv().unwrap_or_else(|_| Err(StartError::Other { program, source: io::ErrorKind::BrokenPipe.into() }))
}

struct Started {
    child: Child,
    leader: Arc<Leader>,
    /// What the log gets; `None` when all goes to the terminal.
    log: Option<PipeReader>,
    /// stdout, when it does not share the log's pipe.
    out: Option<PipeReader>,
    terminal: Option<Handed>,
    since: Instant,
}

fn spawn(command: &Command) -> Result<Started, StartError> {
    let (program, arguments) = command.argv.split_first().ok_or(StartError::Empty)?;
    let other = |source| StartError::Other { program: program.clone(), source };
    let path = command.env.get("PATH").map_or("", String::as_str);
    let found = find_program(program, path, &command.dir).ok_or_else(|| missing(program, &command.dir))?;

    let mut process = std::process::Command::new(&found);
    process.arg0(program).args(arguments).current_dir(&command.dir);
    process.env_clear().envs(&command.env).env(MARK, &command.mark);
    process.process_group(0);
    if let Some(umask) = command.umask {
        sys::set_umask(&mut process, umask);
    }
    let interactive = command.stdin == Stdin::Terminal;
    process.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    let mut out = None;
    let mut log = None;
    if interactive && command.stdout == Stdout::Log {
        // Machines may read our stdout; people are at the terminal.
        let out = if io::stdout().is_terminal() { Stdio::inherit() } else { Stdio::from(io::stderr()) };
        process.stdout(out).stderr(Stdio::inherit());
    } else {
        let (reader, writer) = os_pipe::pipe().map_err(other)?;
        if command.stdout == Stdout::Log {
            process.stdout(writer.try_clone().map_err(other)?);
        } else {
            let (reader, writer) = os_pipe::pipe().map_err(other)?;
            process.stdout(writer);
            out = Some(reader);
        }
        if interactive {
            process.stderr(Stdio::inherit());
        } else {
            process.stderr(writer);
            log = Some(reader);
        }
    }

    let mut leave = registry::leave();
    let since = Instant::now();
    let child = process.spawn().map_err(|source| explain(command, &found, source))?;
    leave.add(child.id(), Kind::Tool(command.mark.clone()));
    drop(leave);
    // The pipes' write ends close with `process`: from here on only the tool holds them.
    drop(process);
    let terminal = if interactive { Handed::to(child.id()) } else { None };
    let leader = Arc::new(Leader::new(child.id(), command.mark.clone()));
    Ok(Started { child, leader, log, out, terminal, since })
}

/// Why a program was not found.
pub(crate) fn missing(program: &str, dir: &Utf8Path) -> StartError {
    let program = program.to_owned();
    if !dir.is_dir() {
        StartError::NoFolder { program, dir: dir.to_owned() }
    } else if program.contains('/') && dir.join(&program).exists() {
        StartError::NotExecutable { program }
    } else {
        StartError::NotFound { program }
    }
}

fn explain(command: &Command, found: &camino::Utf8Path, source: io::Error) -> StartError {
    let program = command.argv.first().cloned().unwrap_or_default();
    match source.kind() {
        _ if !command.dir.is_dir() => StartError::NoFolder { program, dir: command.dir.clone() },
        io::ErrorKind::NotFound if found.exists() => StartError::NoInterpreter { program },
        io::ErrorKind::NotFound => StartError::NotFound { program },
        io::ErrorKind::PermissionDenied => StartError::NotExecutable { program },
        io::ErrorKind::ArgumentListTooLong => StartError::TooLong { program },
        _ if source.raw_os_error() == Some(libc::ENOEXEC) => StartError::NotExecutable { program },
        _ => StartError::Other { program, source },
    }
}

/// Drains and waits until the process has ended and nothing of it is left.
fn attend(started: Started, command: &Command, log: Log, mut on_event: Box<dyn FnMut(ProcessEvent) + Send>) {
    let Started { mut child, leader, log: log_pipe, out, terminal, since } = started;
    let mut drain = Drain::new(command, log, log_pipe, out);
    if command.stdin == Stdin::Terminal && command.stdout == Stdout::Log {
        drain.note("[the terminal was handed to the tool; what it showed is not kept]");
    }
    drain.until_ended(leader.pid, terminal.as_ref(), &mut on_event);
    drop(terminal);
    // The leader is not reaped yet, so its id and group are still its own.
    let swept = sweep::leftovers(&leader);
    let seconds = since.elapsed().as_secs_f64();
    let Outcome { collected, cut, log_lost } = drain.finish(&mut on_event);
    let status = {
        let mut gone = leader.gone();
        *gone = true;
        child.wait().ok()
    };
    registry::leave().remove(leader.pid);
    let code = status.and_then(|status| status.code());
    let signal = status.and_then(|status| status.signal());
    on_event(ProcessEvent::Ended(Ended { code, signal, collected, cut, swept, seconds, log_lost }));
}
