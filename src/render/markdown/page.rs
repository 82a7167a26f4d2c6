//! Text up to a limit, with room kept for saying what is left out.

use crate::render::style::count;

/// Room for the last words, such as `and 12,345 more tasks`.
const RESERVE: usize = 400;

/// A page that is being written.
pub(super) struct Page {
    text: String,
    used: usize,
    limit: usize,
}

/// A text's length as those count it who count it longest: UTF-16 code units.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

impl Page {
    /// A page of a command, with its marker and title.
    pub(super) fn new(command: &str, limit: usize) -> Self {
        let mut page = Self { text: String::new(), used: 0, limit: limit.saturating_sub(RESERVE) };
        page.push(&format!("<!-- amparo:{command} -->\n## amparo {command}\n\n"));
        page
    }

    /// Adds text, whatever room there is: for what is short by construction.
    pub(super) fn push(&mut self, text: &str) {
        self.used += units(text);
        self.text.push_str(text);
    }

    /// Whether the text still fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.used + units(text) <= self.limit
    }

    /// Adds the text if it fits.
    pub(super) fn try_push(&mut self, text: &str) -> bool {
        let fits = self.fits(text);
        if fits {
            self.push(text);
        }
        fits
    }

    /// How long it is.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// What is left: for text.
    pub(super) const fn room(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    /// Says how much is left out.
    pub(super) fn more(&mut self, n: u64, what: &str) {
        if n > 0 {
            self.push(&format!("\n…and {} more {what}.\n", count(n)));
        }
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
