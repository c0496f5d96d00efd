//! Owns reading what a process writes, by pipes and by a followed file, until it has ended.
//! Does not know how it was started or what becomes of its leftovers.

use super::line::Lines;
use super::log::Log;
use super::terminal::Handed;
use super::{COLLECT_LIMIT, Command, ProcessEvent, Stdout, Stream, sys};
use crate::host::mask::Masker;
use camino::Utf8PathBuf;
use os_pipe::PipeReader;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a pipe may stay open after its process has ended: a grandchild may hold it for ever.
const LEAK: Duration = Duration::from_millis(150);
/// How often a followed file, or a stopped interactive tool, is looked at.
const TICK: Duration = Duration::from_millis(50);
/// Where the system can't wake us at the end, how often we look.
const SHORT_TICK: Duration = Duration::from_millis(10);
/// Longest line of a log; a longer one is told in pieces.
const LOG_LINE: usize = 64 << 10;
/// Longest line of a structured stream.
const STREAM_LINE: usize = 16 << 20;
/// Most that is still read when all is over.
const LAST_READS: usize = 64;

type Tell<'a> = &'a mut (dyn FnMut(ProcessEvent) + Send);

/// Reads everything of one process.
pub(super) struct Drain {
    log: Log,
    log_pipe: Option<PipeReader>,
    log_lines: Lines,
    log_stream: Stream,
    out_pipe: Option<PipeReader>,
    out: Option<Told>,
    collected: Vec<u8>,
    cut: bool,
    follow: Option<Follow>,
    buffer: Vec<u8>,
}

/// What was collected.
pub(super) struct Outcome {
    pub(super) collected: String,
    pub(super) cut: bool,
    pub(super) log_lost: Option<String>,
}

/// A stream that is told line by line and not logged.
struct Told {
    masker: Masker,
    lines: Lines,
    stream: Stream,
}

impl Told {
    fn feed(&mut self, bytes: &[u8], tell: Tell<'_>) {
        let mut masked = Vec::with_capacity(bytes.len());
        self.masker.feed(bytes, &mut masked);
        let stream = self.stream;
        self.lines.feed(&masked, &mut |text| {
            tell(ProcessEvent::Line { stream, text });
        });
    }

    fn finish(&mut self, tell: Tell<'_>) {
        let mut masked = Vec::new();
        self.masker.finish(&mut masked);
        let stream = self.stream;
        let mut line = |text| tell(ProcessEvent::Line { stream, text });
        self.lines.feed(&masked, &mut line);
        self.lines.finish(&mut line);
    }
}

/// A file that the process writes and that may not be there yet.
struct Follow {
    path: Utf8PathBuf,
    file: Option<File>,
    told: Told,
}

impl Drain {
    pub(super) fn new(command: &Command, log: Log, log_pipe: Option<PipeReader>, out_pipe: Option<PipeReader>) -> Self {
        let told = |stream| Told { masker: command.masks.stream(), lines: Lines::new(STREAM_LINE), stream };
        Self {
            log,
            log_pipe,
            log_lines: Lines::new(LOG_LINE),
            log_stream: if command.stdout == Stdout::Log { Stream::Out } else { Stream::Err },
            out_pipe,
            out: (command.stdout == Stdout::Stream).then(|| told(Stream::Out)),
            collected: Vec::new(),
            cut: false,
            follow: command.follow.clone().map(|path| Follow { path, file: None, told: told(Stream::Followed) }),
            buffer: vec![0; 64 << 10],
        }
    }

    /// Writes a line of our own to the log.
    pub(super) fn note(&mut self, text: &str) {
        self.log.line(text);
    }

    /// Reads until the process has ended and its pipes are closed, or leaked.
    pub(super) fn until_ended(&mut self, pid: u32, terminal: Option<&Handed>, tell: Tell<'_>) {
        let end = end_of(pid);
        let mut leaked_at: Option<Instant> = None;
        loop {
            if leaked_at.is_none() && sys::has_ended(pid) {
                leaked_at = Some(Instant::now() + LEAK);
            }
            let open = self.log_pipe.is_some() || self.out_pipe.is_some();
            let patience = match leaked_at {
                Some(at) => match at.checked_duration_since(Instant::now()) {
                    Some(left) if open => Some(left),
                    _ => return,
                },
                None if end.is_none() => Some(SHORT_TICK),
                None if self.follow.is_some() || terminal.is_some() => Some(TICK),
                None => None,
            };
            // Once it has ended, its descriptor is always ready and would make this loop spin.
            self.read_ready(end.as_ref().filter(|_| leaked_at.is_none()), patience, tell);
            if let Some(follow) = &mut self.follow {
                follow.read(&mut self.buffer, tell);
            }
            if let Some(terminal) = terminal.filter(|_| sys::is_stopped(pid)) {
                terminal.resume();
            }
        }
    }

    /// Takes what is still there without waiting, and ends all streams.
    pub(super) fn finish(mut self, tell: Tell<'_>) -> Outcome {
        for _ in 0..LAST_READS {
            if !self.read_ready(None, Some(Duration::ZERO), tell) {
                break;
            }
        }
        let rest = self.log.finish();
        let stream = self.log_stream;
        let mut line = |text| tell(ProcessEvent::Line { stream, text });
        self.log_lines.feed(&rest, &mut line);
        self.log_lines.finish(&mut line);
        if let Some(out) = &mut self.out {
            out.finish(tell);
        }
        if let Some(follow) = &mut self.follow {
            follow.read(&mut self.buffer, tell);
            follow.told.finish(tell);
        }
        Outcome {
            collected: String::from_utf8_lossy(&self.collected).into_owned(),
            cut: self.cut,
            log_lost: self.log.lost().map(str::to_owned),
        }
    }

    /// Waits for something to read or for the end; reads once from each pipe that is ready. Whether
    /// anything was ready.
    fn read_ready(&mut self, end: Option<&OwnedFd>, patience: Option<Duration>, tell: Tell<'_>) -> bool {
        let timeout = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        let mut waiting: Vec<PollFd<'_>> = Vec::with_capacity(3);
        waiting.extend(self.log_pipe.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(self.out_pipe.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(end.map(|end| PollFd::new(end, PollFlags::IN)));
        // An error is a signal that came between: the caller asks again.
        let count = rustix::event::poll(&mut waiting, timeout.as_ref()).unwrap_or(0);
        let mut ready = waiting.iter().map(|fd| count > 0 && !fd.revents().is_empty());
        let log_ready = self.log_pipe.is_some() && ready.next().unwrap_or(false);
        let out_ready = self.out_pipe.is_some() && ready.next().unwrap_or(false);
        drop(waiting);
        if log_ready {
            self.read_log(tell);
        }
        if out_ready {
            self.read_out(tell);
        }
        log_ready || out_ready
    }

    fn read_log(&mut self, tell: Tell<'_>) {
        let Some(bytes) = read_once(&mut self.log_pipe, &mut self.buffer) else {
            return;
        };
        let masked = self.log.stream(bytes);
        let stream = self.log_stream;
        self.log_lines.feed(&masked, &mut |text| {
            tell(ProcessEvent::Line { stream, text });
        });
    }

    fn read_out(&mut self, tell: Tell<'_>) {
        let Some(bytes) = read_once(&mut self.out_pipe, &mut self.buffer) else {
            return;
        };
        let room = COLLECT_LIMIT - self.collected.len();
        self.cut |= bytes.len() > room;
        self.collected.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if let Some(out) = &mut self.out {
            out.feed(bytes, tell);
        }
    }
}

impl Follow {
    /// Reads what was added since.
    fn read(&mut self, buffer: &mut [u8], tell: Tell<'_>) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return };
        while let Ok(count @ 1..) = file.read(buffer) {
            self.told.feed(&buffer[..count], tell);
        }
    }
}

/// One read of a pipe that is ready; a closed pipe is dropped.
fn read_once<'a>(pipe: &mut Option<PipeReader>, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    match pipe.as_mut()?.read(buffer) {
        Ok(count @ 1..) => Some(&buffer[..count]),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => None,
        _ => {
            *pipe = None;
            None
        }
    }
}

/// A descriptor that becomes ready when the process ends.
#[cfg(target_os = "linux")]
fn end_of(pid: u32) -> Option<OwnedFd> {
    rustix::process::pidfd_open(sys::pid(pid)?, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_pid: u32) -> Option<OwnedFd> {
    None
}
