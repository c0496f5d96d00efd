//! Owns a terminal in memory, for the tests of the live region.
//! Does not know what is drawn on it.

use indicatif::TermLike;
use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

/// Rows of text, and row and column of the cursor.
type Rows = (Vec<Vec<char>>, usize, usize);

/// A terminal in memory: rows of text and a cursor.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    pub(super) columns: u16,
    inner: Arc<Mutex<Rows>>,
}

impl Screen {
    pub(super) fn new(columns: u16) -> Self {
        Self { columns, inner: Arc::new(Mutex::new((vec![vec![]], 0, 0))) }
    }

    pub(super) fn text(&self) -> String {
        let inner = self.inner.lock().unwrap();
        let rows: Vec<String> =
            inner.0.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    fn put(&self, text: &str) {
        let mut inner = self.inner.lock().unwrap();
        let (rows, row, column) = &mut *inner;
        for c in text.chars() {
            if c == '\n' || *column == usize::from(self.columns) {
                *row += 1;
                *column = 0;
            }
            while rows.len() <= *row {
                rows.push(vec![]);
            }
            if c == '\n' {
                continue;
            }
            while rows[*row].len() <= *column {
                rows[*row].push(' ');
            }
            rows[*row][*column] = c;
            *column += 1;
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.columns
    }
    fn move_cursor_up(&self, n: usize) -> Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.1 = inner.1.saturating_sub(n);
        Ok(())
    }
    fn move_cursor_down(&self, n: usize) -> Result<()> {
        self.inner.lock().unwrap().1 += n;
        Ok(())
    }
    fn move_cursor_right(&self, n: usize) -> Result<()> {
        self.inner.lock().unwrap().2 += n;
        Ok(())
    }
    fn move_cursor_left(&self, n: usize) -> Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.2 = inner.2.saturating_sub(n);
        Ok(())
    }
    fn write_line(&self, text: &str) -> Result<()> {
        self.put(text);
        self.put("\n");
        Ok(())
    }
    fn write_str(&self, text: &str) -> Result<()> {
        self.put(text);
        Ok(())
    }
    fn clear_line(&self) -> Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let row = inner.1;
        inner.0[row].clear();
        inner.2 = 0;
        Ok(())
    }
    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.put(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
