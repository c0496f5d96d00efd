//! Owns the report for pipes, CI, `NO_COLOR`, dumb terminals and screen readers: only whole lines.
//! Does not know what the lines say (`story`).

use crate::event::{Event, Listener};
use crate::report::paint::Look;
use crate::report::story::Story;
use std::io::Write;

/// Writes the story of a run line by line, what the tools print as `task | line` as it comes.
#[derive(Debug)]
pub struct Plain<W: Write> {
    story: Story,
    /// `None` after a write that failed: nobody reads any more, and the run goes on.
    out: Option<W>,
}

impl<W: Write> Plain<W> {
    /// A listener that writes to `out`, in practice standard error.
    pub fn new(look: Look, out: W) -> Self {
        Self { story: Story::new(look, true), out: Some(out) }
    }
}

impl<W: Write> Listener for Plain<W> {
    fn hear(&mut self, event: &Event) {
        let lines = self.story.tell(event);
        let Some(out) = &mut self.out else { return };
        if write_lines(out, &lines).is_err() {
            self.out = None;
        }
    }
}

/// Writes lines in one piece, so that other writers do not come between.
///
/// # Errors
/// When the stream is closed or full.
pub(super) fn write_lines(out: &mut impl Write, lines: &[String]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut text = lines.join("\n");
    text.push('\n');
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Outcome;
    use crate::report::story::tests::{finished, output, run_finished, run_started, started};

    #[test]
    fn lines_are_whole_and_prefixed() {
        let mut out = Vec::new();
        let mut plain = Plain::new(Look::default(), &mut out);
        for event in [
            run_started(&["a"]),
            started("a"),
            output("a", "hello  "),
            finished("a", Outcome::Ran),
            run_finished(1, 0, 0, 0),
        ] {
            plain.hear(&event);
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
run 43 in local, verify: 1 task, about 1 min
starts      a             input main.tf changed (9c1e… → 44b0…) (+1 more)
a | hello
ran         a      3.2 s  3 added; input main.tf is new (+1 more)
1 ran in 2.1 s
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
        let mut plain = Plain::new(Look::default(), &mut closed);
        plain.hear(&output("a", "x"));
        plain.hear(&output("a", "y"));
        assert_eq!(closed.0, 1);
    }
}
