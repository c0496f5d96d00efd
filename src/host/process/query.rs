//! Owns short queries: a tool's version, a secret's command. Bounded in time and output.
//! Does not know what is asked. Long-running tools are started by `start`.

use super::registry::{self, Child};
use super::sys::{self, Signal};
use super::{MARK, QUERY_MARK, StartError, find_program};
use camino::Utf8Path;
use os_pipe::PipeReader;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Most bytes that are taken of each stream; more is read and dropped.
const LIMIT: usize = 1 << 20;
/// How long a stream may stay open after the end, held by a grandchild.
const LEAK: Duration = Duration::from_millis(150);

/// What a query answered.
#[derive(Clone, Debug, Default)]
pub struct QueryOutput {
    /// Exit code; `None`: ended by a signal.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// At most 1 MiB.
    pub stdout: String,
    /// At most 1 MiB.
    pub stderr: String,
}

impl QueryOutput {
    /// Whether it ended with exit code 0.
    pub fn is_ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs a short query with this environment and nothing else, stdin closed. What does not end in time
/// is killed.
pub fn query(
    argv: &[String],
    dir: &Utf8Path,
    env: &BTreeMap<String, String>,
    timeout: Duration,
) -> Result<QueryOutput, StartError> {
    let (word, arguments) = argv.split_first().ok_or(StartError::Empty)?;
    let program = word.clone();
    let path = env.get("PATH").map_or("", String::as_str);
    let Some(found) = find_program(word, path, dir) else {
        return Err(StartError::NotFound { program });
    };
    let failed = |source: io::Error| match source.kind() {
        _ if !dir.is_dir() => StartError::NoFolder { program: program.clone(), dir: dir.to_owned() },
        io::ErrorKind::NotFound => StartError::NoInterpreter { program: program.clone() },
        io::ErrorKind::PermissionDenied => StartError::NotExecutable { program: program.clone() },
        _ => StartError::Other { program: program.clone(), source },
    };
    let (out_pipe, out_writer) = os_pipe::pipe().map_err(failed)?;
    let (err_pipe, err_writer) = os_pipe::pipe().map_err(failed)?;
    let name = word.clone();
    let expression = duct::cmd(found.as_std_path(), arguments)
        .dir(dir)
        .full_env(env.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([(MARK, QUERY_MARK)]))
        .stdin_null()
        .stdout_file(out_writer)
        .stderr_file(err_writer)
        .unchecked()
        .before_spawn(move |command| {
            command.arg0(&name).process_group(0);
            Ok(())
        });
    let mut leave = registry::leave();
    let handle = expression.start().map_err(failed)?;
    let pids = handle.pids();
    for &pid in &pids {
        leave.add(pid, Child::Query);
    }
    drop(leave);
    // The expression holds the write ends.
    drop(expression);

    let (out, err) = (collect(out_pipe), collect(err_pipe));
    let deadline = Instant::now() + timeout;
    let status = handle.wait_deadline(deadline).map_err(failed)?.map(|output| output.status);
    if status.is_none() {
        for &pid in &pids {
            sys::signal_group(pid, Signal::KILL);
        }
        let _ = handle.wait();
    }
    let mut leave = registry::leave();
    for pid in pids {
        leave.remove(pid);
    }
    drop(leave);
    let Some(status) = status else {
        return Err(StartError::TimedOut { program, after: timeout });
    };
    let until = Instant::now() + LEAK;
    let (stdout, stderr) = (take(&out, until), take(&err, until));
    Ok(QueryOutput { code: status.code(), signal: status.signal(), stdout, stderr })
}

/// Reads a pipe to its end in a thread of its own, which a grandchild may keep waiting.
fn collect(mut pipe: PipeReader) -> Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        let mut room = LIMIT;
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let kept = count.min(room);
            room -= kept;
            if kept > 0 && tell.send(buffer[..kept].to_vec()).is_err() {
                return;
            }
        }
    });
    told
}

fn take(pieces: &Receiver<Vec<u8>>, until: Instant) -> String {
    let mut bytes = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str, timeout: u64) -> Result<QueryOutput, StartError> {
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let argv = ["sh", "-c", script].map(str::to_owned);
        query(&argv, Utf8Path::new("/"), &env, Duration::from_millis(timeout))
    }

    #[test]
    fn both_streams_and_the_code_come_back() {
        let output = ask("echo out; echo err >&2; exit 3", 5000).unwrap();
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_slow_one_is_ended_with_its_group() {
        let since = Instant::now();
        assert!(matches!(ask("sleep 30 & sleep 30", 100), Err(StartError::TimedOut { .. })));
        assert!(since.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_does_not_hang_it() {
        let since = Instant::now();
        assert_eq!(ask("sleep 3 & echo done", 10_000).unwrap().stdout, "done\n");
        assert!(since.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn output_is_bounded() {
        let output = ask("head -c 3000000 /dev/zero | tr '\\0' x", 10_000).unwrap();
        assert_eq!(output.stdout.len(), LIMIT);
    }

    #[test]
    fn a_missing_program_and_folder_are_told_apart() {
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let second = Duration::from_secs(1);
        let missing = query(&["no-such-tool".to_owned()], Utf8Path::new("/"), &env, second);
        assert!(matches!(missing, Err(StartError::NotFound { .. })));
        let nowhere = query(&["true".to_owned()], Utf8Path::new("/no/such"), &env, second);
        assert!(matches!(nowhere, Err(StartError::NoFolder { .. })));
    }
}
