//! A place in a text, counted in lines and characters.

use crate::manifest::tree::Mark;

/// A place in a text. Cloning it is cheap: that is how the lexer looks ahead and goes back.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    rest: std::str::Chars<'t>,
    line: usize,
    column: usize,
}

impl<'t> Cursor<'t> {
    /// At the start of a text.
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.chars(), line: 1, column: 1 }
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Whether the rest starts so.
    pub(super) fn starts_with(&self, start: &str) -> bool {
        self.rest.as_str().starts_with(start)
    }

    /// Takes the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.count(c, self.peek());
        Some(c)
    }

    /// Takes the next character if it is this one.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }

    /// Takes characters while they are so.
    pub(super) fn take_while(&mut self, ok: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&ok) {
            self.next();
        }
    }

    /// Counts characters that stand elsewhere.
    pub(super) fn pass(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            self.count(c, rest.clone().next());
        }
    }

    /// This place, for something of that many characters.
    pub(super) fn mark(&self, length: usize) -> Mark {
        Mark { line: self.line, column: self.column, length }
    }

    /// From a mark on the same line to here.
    pub(super) fn since(&self, start: Mark) -> Mark {
        let length = if self.line == start.line {
            self.column.saturating_sub(start.column)
        } else {
            start.length
        };
        Mark { length, ..start }
    }

    /// The text from an earlier place to here.
    pub(super) fn text_since(&self, earlier: &Self) -> &'t str {
        let all = earlier.rest.as_str();
        all.get(..all.len().saturating_sub(self.rest.as_str().len())).unwrap_or_default()
    }

    /// Lines end with `\n`, `\r\n` or `\r`, as in [`crate::manifest::source::lines`].
    fn count(&mut self, c: char, after: Option<char>) {
        if c == '\n' || c == '\r' && after != Some('\n') {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }
}
