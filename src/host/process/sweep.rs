//! Owns finding and ending every process of an attempt, wherever it went.
//! Does not know why it must end.
//!
//! A process group is not enough: ansible's workers and its ssh live in sessions of their own. We are
//! the subreaper, so whatever a tool starts stays below us in the tree of processes; which attempt it
//! belongs to is told by its parents, its group, and `INFRA_ATTEMPT` in its environment.
//! Nothing outside our own tree is ever signalled.

use super::registry::{self, Leave, reap_strangers};
use super::sys::{self, Signal};
use super::{LEFT_MARK, Leader, MARK, QUERY_MARK};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long leftovers have to end after SIGTERM.
const POLITE: Duration = Duration::from_millis(100);
/// How long killed processes may take to vanish; one in the kernel's uninterruptible sleep takes longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A tool that starts processes faster than we stop them is killed as it runs.
const MOST_ROUNDS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// One process, as the system shows it.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    /// Start time: with the id, an identity that is not recycled.
    pub(super) start: u64,
    pub(super) zombie: bool,
}

/// Processes that were once seen in the attempt's tree: still its own when their parents are gone.
type Seen = BTreeSet<(u32, u64)>;

/// Ends the whole tree of a leader, the leader included.
pub(super) fn kill_tree(leader: &Leader) -> Vec<u32> {
    let mut seen = Seen::new();
    let mut ended = BTreeSet::new();
    if !sys::has_ended(leader.pid) {
        ended.insert(leader.pid);
    }
    freeze(leader, &mut seen);
    sys::signal_group(leader.pid, Signal::KILL);
    kill_rounds(leader, &mut seen, &mut ended);
    ended.into_iter().collect()
}

/// Ends what a leader that has ended (and is not reaped) left behind: SIGTERM, then SIGKILL.
pub(super) fn leftovers(leader: &Leader) -> Vec<u32> {
    if cfg!(not(target_os = "linux")) {
        sys::signal_group(leader.pid, Signal::KILL);
        return Vec::new();
    }
    // All orphans became children of ours: without a living stranger among them nothing is left.
    reap_strangers();
    if strangers(&registry::leave()).iter().all(|stranger| stranger.zombie) {
        return Vec::new();
    }
    let mut seen = Seen::new();
    let mut ended = BTreeSet::new();
    for process in find(leader, &mut seen) {
        ended.insert(process.pid);
        signal(&process, Signal::TERM);
        signal(&process, Signal::CONT);
    }
    if !ended.is_empty() {
        let until = Instant::now() + POLITE;
        while Instant::now() < until && !find(leader, &mut seen).is_empty() {
            std::thread::sleep(PAUSE);
        }
        kill_rounds(leader, &mut seen, &mut ended);
    }
    ended.into_iter().collect()
}

/// Stops the tree before it is killed, so that nothing starts new processes while we count.
fn freeze(leader: &Leader, seen: &mut Seen) {
    let mut stopped = Seen::new();
    for _ in 0..MOST_ROUNDS {
        let mut new = false;
        for process in find(leader, seen) {
            if stopped.insert((process.pid, process.start)) {
                signal(&process, Signal::STOP);
                new = true;
            }
        }
        if !new {
            return;
        }
    }
}

fn kill_rounds(leader: &Leader, seen: &mut Seen, ended: &mut BTreeSet<u32>) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = find(leader, seen);
        for process in &left {
            ended.insert(process.pid);
            signal(process, Signal::KILL);
        }
        reap_strangers();
        if left.is_empty() || Instant::now() >= until {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Everything alive that belongs to the leader's attempt. What is found is remembered in `seen`.
fn find(leader: &Leader, seen: &mut Seen) -> Vec<Process> {
    let below = descendants();
    let us = std::process::id();
    let began = read(leader.pid).map_or(0, |process| process.start);
    let mut members: BTreeMap<u32, bool> = BTreeMap::new();
    let mut found = Vec::new();
    // Parents come before their children.
    for process in below {
        let inherited = members.get(&process.parent).copied().unwrap_or(false);
        let member = inherited
            || process.pid == leader.pid
            || process.group == leader.pid
            || seen.contains(&(process.pid, process.start))
            || (process.start >= began && belongs(&process, leader, process.parent == us));
        members.insert(process.pid, member);
        if member {
            seen.insert((process.pid, process.start));
            if !process.zombie {
                found.push(process);
            }
        }
    }
    found
}

/// Whether a process that nothing else ties to the leader carries its mark; an adopted one that
/// carries none of the marks in use belongs to the only tool that runs. (What is older than the leader
/// was asked before: a container's first process is given all kinds of orphans.)
fn belongs(process: &Process, leader: &Leader, adopted: bool) -> bool {
    let leave = registry::leave();
    if process.zombie || process.group == own_group() || leave.has(process.pid) {
        return false;
    }
    match mark_of(process.pid) {
        Some(mark) if mark == leader.mark => true,
        Some(mark) if mark == QUERY_MARK || mark == LEFT_MARK || leave.runs(&mark) => false,
        _ => adopted && leave.only(&leader.mark),
    }
}

fn own_group() -> u32 {
    rustix::process::getpgrp().as_raw_nonzero().get().unsigned_abs()
}

/// Children of ours that we did not start: adopted. What is in our own group may have been started by
/// some library, and is left alone.
pub(super) fn strangers(leave: &Leave) -> Vec<Process> {
    let us = std::process::id();
    let children: Vec<Process> = match child_ids(us) {
        Some(ids) => ids.into_iter().filter(|&id| !leave.has(id)).filter_map(read).collect(),
        None => all().into_iter().filter(|process| process.parent == us && !leave.has(process.pid)).collect(),
    };
    let own = own_group();
    children.into_iter().filter(|child| child.group != own).collect()
}

/// Everything below us, parents before children.
fn descendants() -> Vec<Process> {
    let mut by_parent: BTreeMap<u32, Vec<Process>> = BTreeMap::new();
    for process in all() {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut ordered = by_parent.remove(&std::process::id()).unwrap_or_default();
    let mut at = 0;
    while let Some(process) = ordered.get(at) {
        if let Some(children) = by_parent.remove(&process.pid) {
            ordered.extend(children);
        }
        at += 1;
    }
    ordered
}

#[cfg(target_os = "linux")]
fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(read).collect()
}

#[cfg(target_os = "linux")]
fn read(pid: u32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the last bracket ends it.
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let rest = String::from_utf8_lossy(stat.get(after..)?).into_owned();
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X" | "x"),
    })
}

/// Ids of a process's children, when the kernel lists them.
#[cfg(target_os = "linux")]
fn child_ids(pid: u32) -> Option<Vec<u32>> {
    if !has_child_lists() {
        return None;
    }
    let mut ids = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        // A thread that has just ended has handed its children on.
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        ids.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Some(ids)
}

#[cfg(target_os = "linux")]
fn has_child_lists() -> bool {
    static HAS: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let us = std::process::id();
        std::fs::exists(format!("/proc/{us}/task/{us}/children")).unwrap_or(false)
    });
    *HAS
}

#[cfg(target_os = "linux")]
fn mark_of(pid: u32) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// Sends a signal to this very process: the descriptor pins it, then its start time is compared.
#[cfg(target_os = "linux")]
fn signal(process: &Process, signal: Signal) {
    let Some(pid) = sys::pid(process.pid) else {
        return;
    };
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(pinned) => {
            if read(process.pid).is_some_and(|now| now.start == process.start) {
                let _ = rustix::process::pidfd_send_signal(&pinned, signal);
            }
        }
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            let _ = rustix::process::kill_process(pid, signal);
        }
        // It is gone.
        Err(_) => {}
    }
}

// Elsewhere there is no /proc: only the leader's group is reached (`kill_tree`).
#[cfg(not(target_os = "linux"))]
fn all() -> Vec<Process> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn read(_pid: u32) -> Option<Process> {
    None
}

#[cfg(not(target_os = "linux"))]
fn child_ids(_pid: u32) -> Option<Vec<u32>> {
    Some(Vec::new())
}

#[cfg(not(target_os = "linux"))]
fn mark_of(_pid: u32) -> Option<String> {
    let _ = MARK;
    None
}

#[cfg(not(target_os = "linux"))]
fn signal(process: &Process, signal: Signal) {
    if let Some(pid) = sys::pid(process.pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
