//! Owns signals to processes and whether they live.
//! Does not know what they are.

use std::fs;
use std::process::{Command, Stdio};

/// Sends a signal.
pub fn send(pid: i32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), "--", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process runs (a zombie does not).
pub fn alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}
