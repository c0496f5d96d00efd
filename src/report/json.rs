//! Owns machine output: events a line each, answers as one document, all with their version.
//! Does not know what people see.

use crate::event::{Event, Listener, VERSION};
use serde::Serialize;
use std::io::Write;

#[derive(Serialize)]
struct Versioned<'a, T> {
    v: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// What a command that could not answer writes instead.
#[derive(Debug, Serialize)]
pub struct Failed {
    pub error: ErrorView,
}

/// Why a command ended early.
#[derive(Debug, Serialize)]
pub struct ErrorView {
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The process's exit code.
    pub exit: u8,
}

/// An answer as one JSON document with `"v"` before its own keys, without a line end.
pub fn document<T: Serialize>(body: &T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, body }).unwrap_or_default()
}

/// Writes each event as one line of JSON.
#[derive(Debug)]
pub struct Json<W: Write> {
    /// `None` after a write that failed: nobody reads any more, and the run goes on.
    out: Option<W>,
}

impl<W: Write> Json<W> {
    /// A listener that writes to `out`, in practice standard output.
    pub fn new(out: W) -> Self {
        Self { out: Some(out) }
    }
}

impl<W: Write> Listener for Json<W> {
    fn hear(&mut self, event: &Event) {
        let Some(out) = &mut self.out else { return };
        let mut line = document(event);
        line.push('\n');
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.out = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::{Effect, Outcome};
    use crate::model::reason::Reason;

    #[test]
    fn an_event_is_one_line_with_its_version_first() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        json.hear(&Event::TaskStarted {
            task: "a".to_owned(),
            attempt: 3,
            kind: "run".to_owned(),
            effect: Effect::Idempotent,
            reasons: vec![Reason::NeverRan],
            at: 5,
            estimate: None,
            interactive: false,
        });
        json.hear(&Event::TaskFinished {
            task: "a".to_owned(),
            attempt: None,
            outcome: Outcome::Fresh,
            reasons: vec![],
            seconds: 0.0,
            summary: None,
            failure: None,
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
{\"v\":1,\"event\":\"task-started\",\"task\":\"a\",\"attempt\":3,\"kind\":\"run\",\"effect\":\"idempotent\",\"reasons\":[{\"kind\":\"never-ran\"}],\"at\":5}
{\"v\":1,\"event\":\"task-finished\",\"task\":\"a\",\"outcome\":\"fresh\",\"reasons\":[],\"seconds\":0.0}
"
        );
    }

    #[test]
    fn a_closed_pipe_ends_the_writing_and_nothing_else() {
        struct Closed(usize);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                self.0 += 1;
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut closed = Closed(0);
        let mut json = Json::new(&mut closed);
        for _ in 0..3 {
            json.hear(&Event::TaskNotice { task: "a".to_owned(), message: "m".to_owned() });
        }
        assert_eq!(closed.0, 1);
    }
}
