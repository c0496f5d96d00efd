//! Owns the tests of starting and ending real processes.
//! Does not know anything but the public interface.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

struct Shell {
    command: Command,
    root: tempfile::TempDir,
}

struct Seen {
    lines: Vec<(Stream, String)>,
    ended: Ended,
    log: String,
}

impl Shell {
    fn new(script: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // Where the suite is started in the background its shell ignores SIGINT, and a child could not
        // trap it. A handler, as a run has one, ends with exec: children start with the default.
        drop(crate::host::signals::listen(drop));
        let root = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(root.path().to_owned()).unwrap();
        let command = Command {
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            log: dir.join("output.log"),
            dir,
            stdin: Stdin::Closed,
            stdout: Stdout::Log,
            follow: None,
            umask: None,
            mark: format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
            masks: Arc::new(Masks::new(&["hunter2".to_owned()])),
        };
        Self { command, root }
    }

    fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    fn start(&self) -> (Running, Receiver<ProcessEvent>) {
        let (tell, told) = mpsc::channel();
        let running = start(self.command.clone(), Box::new(move |event| tell.send(event).unwrap())).unwrap();
        (running, told)
    }

    fn finish(&self, told: Receiver<ProcessEvent>) -> Seen {
        let mut lines = Vec::new();
        for event in told {
            match event {
                ProcessEvent::Line { stream, text } => lines.push((stream, text)),
                ProcessEvent::Ended(ended) => {
                    let log = std::fs::read_to_string(&self.command.log).unwrap();
                    return Seen { lines, ended, log };
                }
            }
        }
        panic!("no end was told");
    }

    fn run(&self) -> Seen {
        let (_, told) = self.start();
        self.finish(told)
    }

    /// Waits for a file that the script writes last.
    fn wait_for(&self, name: &str) -> String {
        let path = self.root.path().join(name);
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            match std::fs::read_to_string(&path) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!("`{name}` was never written");
    }
}

fn alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn both_streams_share_the_log_in_order_and_stdin_is_closed() {
    let seen = Shell::new("echo 1; echo 2 >&2; cat; echo 3; printf '4\\033[1m!'").run();
    assert_eq!(seen.log, "1\n2\n3\n4\u{1b}[1m!");
    let texts: Vec<&str> = seen.lines.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["1", "2", "3", "4!"]);
    assert_eq!((seen.ended.code, seen.ended.signal), (Some(0), None));
    assert!(seen.ended.swept.is_empty());
}

#[test]
fn codes_and_signals_are_told_apart() {
    assert_eq!(Shell::new("exit 7").run().ended.code, Some(7));
    let killed = Shell::new("kill -9 $$").run().ended;
    assert_eq!((killed.code, killed.signal), (None, Some(9)));
}

#[test]
fn secrets_are_hidden_in_log_and_lines_but_not_in_what_is_collected() {
    let script = "printf hunt; sleep 0.05; echo er2; echo hunter2 >&2";
    let seen = Shell::new(script).run();
    assert_eq!(seen.log, "••••••\n••••••\n");
    let seen = Shell::new(script).with(|command| command.stdout = Stdout::Stream).run();
    assert_eq!(seen.log, "••••••\n");
    assert!(seen.lines.contains(&(Stream::Out, "••••••".to_owned())));
    assert!(seen.lines.contains(&(Stream::Err, "••••••".to_owned())));
    assert_eq!(seen.ended.collected, "hunter2\n");
    let seen = Shell::new(script).with(|command| command.stdout = Stdout::Collect).run();
    assert_eq!(seen.lines, [(Stream::Err, "••••••".to_owned())]);
    assert_eq!(seen.ended.collected, "hunter2\n");
}

#[test]
fn the_environment_is_what_was_given_and_the_mark() {
    let shell = Shell::new("env | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo $INFRA_ATTEMPT");
    let seen = shell.run();
    let names: Vec<&str> =
        seen.lines[0].1.split(' ').filter(|name| !["", "PWD", "SHLVL", "_", "OLDPWD"].contains(name)).collect();
    assert_eq!(names, ["INFRA_ATTEMPT", "PATH"]);
    assert_eq!(seen.lines[1].1, shell.command.mark);
}

#[test]
fn the_umask_is_the_childs_alone() {
    let shell = Shell::new("touch made").with(|command| command.umask = Some(0o077));
    shell.run();
    let mode = |name: &str| std::fs::metadata(shell.root.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("made"), 0o600);
    std::fs::write(shell.root.path().join("ours"), "").unwrap();
    assert_ne!(mode("ours"), 0o600);
}

#[test]
fn a_followed_file_is_told_to_its_last_line() {
    let script = "sleep 0.1; echo one > events; sleep 0.1; echo hunter2 >> events; printf last >> events";
    let shell = Shell::new(script).with(|command| command.follow = Some(command.dir.join("events")));
    let seen = shell.run();
    let want = ["one", "••••••", "last"].map(|text| (Stream::Followed, text.to_owned()));
    assert_eq!(seen.lines, want);
    assert_eq!(seen.log, "");
}

#[test]
fn one_interrupt_reaches_the_whole_group() {
    let shell = Shell::new(
        "trap 'echo outer' INT; \
         sh -c 'trap \"echo inner; exit\" INT; echo x > ready; while :; do sleep 0.02; done'; exit 5",
    );
    let (running, told) = shell.start();
    shell.wait_for("ready");
    running.interrupt();
    let seen = shell.finish(told);
    assert_eq!(seen.log, "inner\nouter\n");
    assert_eq!(seen.ended.code, Some(5));
    running.interrupt();
    assert!(running.kill_tree().is_empty(), "it is gone");
}

#[cfg(target_os = "linux")]
#[test]
fn kill_tree_reaches_those_that_left_group_session_and_environment() {
    let shell = Shell::new(
        "trap '' INT TERM; setsid sh -c 'echo $$ > one; sleep 60 & wait' & \
         setsid env -i /bin/sh -c 'echo $$ > two; sleep 60' & \
         (setsid sh -c 'echo $$ > three; exec sleep 60' &) ; wait",
    );
    let (running, told) = shell.start();
    let pids = ["one", "two", "three"].map(|name| shell.wait_for(name));
    let killed = running.kill_tree();
    for pid in &pids {
        assert!(killed.contains(&pid.trim().parse().unwrap()), "{pid} of {killed:?}");
        assert!(!alive(pid));
    }
    let ended = shell.finish(told).ended;
    assert_eq!(ended.signal, Some(9));
    assert!(!killed.contains(&std::process::id()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_grandchild_that_holds_the_pipe_does_not_hang_and_is_swept() {
    let shell =
        Shell::new("setsid sh -c 'echo $$ > pid; exec sleep 60' & while [ ! -s pid ]; do sleep 0.01; done; echo done");
    let since = Instant::now();
    let seen = shell.run();
    assert!(since.elapsed() < Duration::from_secs(30));
    let pid = shell.wait_for("pid");
    assert_eq!(seen.ended.swept, [pid.trim().parse::<u32>().unwrap()]);
    assert!(!alive(&pid));
    assert_eq!((seen.ended.code, seen.log.as_str()), (Some(0), "done\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_another_attempt_started_is_left_alone() {
    let other = Shell::new("setsid sh -c 'echo $$ > pid; exec sleep 60' & wait");
    let (other_running, told) = other.start();
    let pid = other.wait_for("pid");
    Shell::new("(setsid sleep 60 > /dev/null 2>&1 &); true").run();
    assert!(alive(&pid));
    other_running.kill_tree();
    other.finish(told);
    assert!(!alive(&pid));
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_left_behind_on_purpose_outlives_its_attempt_and_nothing_else_does() {
    let shell = Shell::new(
        "INFRA_ATTEMPT=left setsid sh -c 'echo $$ > left; exec sleep 60' > /dev/null 2>&1 & \
         INFRA_ATTEMPT=left sh -c 'echo $$ > grouped; exec sleep 60' > /dev/null 2>&1 & \
         while ! [ -s left ] || ! [ -s grouped ]; do sleep 0.01; done",
    );
    let seen = shell.run();
    let (left, grouped) = (shell.wait_for("left"), shell.wait_for("grouped"));
    assert!(alive(&left));
    assert_eq!(seen.ended.swept, [grouped.trim().parse::<u32>().unwrap()]);
    let pid = rustix::process::Pid::from_raw(left.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn what_cannot_be_started_says_why() {
    let refused = |change: &dyn Fn(&mut Command)| {
        let mut shell = Shell::new("true");
        change(&mut shell.command);
        start(shell.command.clone(), Box::new(|_| {})).err().unwrap()
    };
    assert!(matches!(refused(&|c| c.argv[0] = "no-such-tool".into()), StartError::NotFound { .. }));
    assert!(matches!(refused(&|c| c.argv.clear()), StartError::Empty));
    assert!(matches!(refused(&|c| c.dir = "/no/such".into()), StartError::NoFolder { .. }));
    assert!(matches!(refused(&|c| c.argv[0] = "/etc/passwd".into()), StartError::NotExecutable { .. }));
    let script = |text: &'static str| {
        move |command: &mut Command| {
            let path = command.dir.join("script");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            command.argv = vec!["./script".to_owned()];
        }
    };
    assert!(matches!(refused(&script("#!/no/such/interpreter\n")), StartError::NoInterpreter { .. }));
    assert!(matches!(refused(&script("echo no first line\n")), StartError::NotExecutable { .. }));
    assert!(matches!(refused(&|c| c.argv.push("x".repeat(4 << 20))), StartError::TooLong { .. }));
}

#[test]
fn much_output_passes_through() {
    let seen = Shell::new("yes 0123456789 | head -n 300000").run();
    assert_eq!(seen.lines.len(), 300_000);
    assert_eq!(seen.log.len(), 3_300_000);
}
