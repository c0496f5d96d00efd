//! Owns the system calls that the standard library lacks, and the only unsafe code of the program.
//! Does not know why they are called.

use camino::Utf8Path;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;

pub(super) use rustix::process::Signal;

/// Bytes that are free for us on the file system of a path.
pub(crate) fn free_space(path: &Utf8Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path.as_std_path())?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Opens a file to read, but no link, and without waiting for the other end of a pipe.
pub(crate) fn open_no_follow(path: &Utf8Path) -> io::Result<std::fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    std::fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Whether an error means that links lead in a circle.
pub(crate) fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

/// Gives a child a umask of its own.
pub(super) fn set_umask(command: &mut std::process::Command, umask: u32) {
    let mask = rustix::fs::Mode::from_bits_truncate(umask as rustix::fs::RawMode);
    // SAFETY: runs in the child between fork and exec, where only async-signal-safe calls are allowed;
    // umask(2) is one, and the closure allocates nothing and takes no lock.
    #[expect(unsafe_code, reason = "std offers no umask for a child; changing our own would race with other threads")]
    unsafe {
        command.pre_exec(move || {
            rustix::process::umask(mask);
            Ok(())
        });
    }
}

/// Whether this process was started with a signal ignored, as `nohup` does with SIGHUP.
pub(crate) fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set; `action` lives on this stack, is zeroed, and is filled in by the call.
    #[expect(unsafe_code, reason = "no safe interface to what is done about a signal")]
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Runs something with SIGTTOU blocked in this thread: a background process that takes the terminal
/// back would be stopped by it. Children are not concerned, std clears their mask.
pub(super) fn without_sigttou<T>(act: impl FnOnce() -> T) -> T {
    let mut old = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets live on this stack; `set` is initialised by sigemptyset before it is read, and
    // `old` by pthread_sigmask before it is given back. Only this thread's mask changes.
    #[expect(unsafe_code, reason = "no safe interface to a thread's signal mask")]
    let blocked = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), old.as_mut_ptr()) == 0
    };
    let result = act();
    if blocked {
        // SAFETY: `old` was filled in by the successful call above.
        #[expect(unsafe_code, reason = "as above")]
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, old.as_ptr(), std::ptr::null_mut());
        }
    }
    result
}

/// A process id as the system calls want it; `None` for 0 and what is out of range, so that no signal
/// ever goes to a group by accident.
pub(super) fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().filter(|&raw| raw > 1).and_then(Pid::from_raw)
}

/// Sends a signal to a process group. That it is gone is no error.
pub(super) fn signal_group(group: u32, signal: Signal) {
    if let Some(group) = pid(group) {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Whether our child has ended; it stays to be reaped.
pub(super) fn has_ended(child: u32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that it is not our child any more: then it has ended, too.
    pid(child).is_none_or(|pid| !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None)))
}

/// Whether our child is stopped (Ctrl-Z).
pub(super) fn is_stopped(child: u32) -> bool {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    pid(child).is_some_and(|pid| matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(Some(_))))
}

/// Reaps an adopted process that has ended.
pub(super) fn reap(child: u32) {
    if let Some(pid) = pid(child) {
        let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    }
}
