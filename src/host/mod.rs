//! Owns all input and output: processes, files, the content-addressed store, locks, secrets, clock, watch.
//! Does not know the graph, freshness, or tokio: everything here is synchronous.

pub mod cas;
pub mod check;
pub mod clock;
pub mod editor;
pub mod files;
pub mod health;
pub mod lock;
pub mod mask;
mod outputs;
pub mod process;
pub mod prompt;
pub mod secret;
pub mod shim;
pub mod signals;
pub mod signatures;
pub mod simple;
pub mod still;
pub mod store;
mod tools;
pub mod watch;
pub mod world;

pub use world::Host;

use std::io;

/// A system error in words that say what to do.
pub(crate) fn reason(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder",
        io::ErrorKind::PermissionDenied => "permission denied; see who owns it and its mode",
        io::ErrorKind::StorageFull => "the disk is full; free some space",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; free some space",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        io::ErrorKind::IsADirectory => "it is a folder, not a file",
        io::ErrorKind::OutOfMemory => "out of memory",
        io::ErrorKind::WouldBlock => "the system is out of processes or threads; run fewer at a time (`-j`)",
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "the connection was reset",
        io::ErrorKind::TimedOut => "no answer in time",
        io::ErrorKind::HostUnreachable => "no route to the host",
        io::ErrorKind::NetworkUnreachable => "no route to its network",
        io::ErrorKind::FileTooLarge => "the file would be larger than a limit here allows",
        io::ErrorKind::AlreadyExists => "it exists already",
        _ => return without_numbers(&error.to_string()),
    };
    advice.to_owned()
}

/// A message without the system's numbers, which tell nobody anything: `(os error 111)`.
pub(crate) fn without_numbers(message: &str) -> String {
    let mut text = message.to_owned();
    while let Some((before, rest)) = text.split_once(" (os error ") {
        let Some((_, after)) = rest.split_once(')') else { break };
        text = format!("{before}{after}");
    }
    text
}

/// An error with the causes behind it, as one fragment.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = without_numbers(&error.to_string());
    let mut cause = error.source();
    while let Some(one) = cause {
        let more = without_numbers(&one.to_string());
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = one.source();
    }
    text
}
