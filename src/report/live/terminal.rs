//! Owns the terminal as indicatif draws on it.
//! Does not know what is drawn.

use console::Term;
use indicatif::TermLike;
use std::io::Result;
use std::sync::atomic::{AtomicBool, Ordering};

/// Standard error. indicatif fills each line up to the last column, so that what is typed meanwhile (`^C`) would
/// wrap, and the next drawing would begin a row too low and leave a dead line behind. Here a line ends where its
/// text does, and the next one begins below it.
#[derive(Debug)]
pub(super) struct Terminal {
    term: Term,
    /// A line was written, and the next one must begin on a row of its own.
    ended: AtomicBool,
}

impl Terminal {
    pub(super) fn stderr() -> Self {
        Self { term: Term::stderr(), ended: AtomicBool::new(false) }
    }
}

/// Rows of the terminal.
pub(super) fn rows() -> usize {
    usize::from(Term::stderr().size().0)
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.term.size().1
    }
    fn height(&self) -> u16 {
        self.term.size().0
    }
    fn move_cursor_up(&self, n: usize) -> Result<()> {
        self.ended.store(false, Ordering::Relaxed);
        self.term.move_cursor_up(n)
    }
    fn move_cursor_down(&self, n: usize) -> Result<()> {
        self.term.move_cursor_down(n)
    }
    fn move_cursor_right(&self, n: usize) -> Result<()> {
        self.term.move_cursor_right(n)
    }
    fn move_cursor_left(&self, n: usize) -> Result<()> {
        self.term.move_cursor_left(n)
    }
    fn write_line(&self, text: &str) -> Result<()> {
        self.term.write_line(text)
    }
    fn write_str(&self, text: &str) -> Result<()> {
        // What fills a line up is blank, and nothing where the line is full.
        if text.bytes().all(|byte| byte == b' ') {
            self.ended.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let lead = if self.ended.swap(false, Ordering::Relaxed) { "\r\n" } else { "" };
        self.term.write_str(&format!("{lead}{text}"))
    }
    fn clear_line(&self) -> Result<()> {
        self.ended.store(false, Ordering::Relaxed);
        self.term.clear_line()
    }
    fn flush(&self) -> Result<()> {
        self.term.flush()
    }
}
