//! A tolerant JSON reader: bytes → tree with positions, and every fault of the text.
//!
//! An Adobe request file that people edit by hand breaks in a few well-known ways. A parser that stops at
//! the first fault makes them mend it fault by fault, so this one goes on, and reports each fault where it
//! stands, with what was found and what to write (RULES.md section 8).
//!
//! Guarantees: text that RFC 8259 allows has no fault and gives its tree (a byte-order mark is skipped);
//! any other text has at least one fault. Never panics; time and memory are linear in the bytes, which are
//! bounded, as are nesting, values and faults. No fault holds a word of the file: its texts are constants.

mod cursor;
mod fault;
mod lexer;
mod parser;
mod report;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultKind};

use super::tree::Node;
use cursor::Cursor;
use lexer::Lexer;

/// Bytes that a request file may have: a full one (1000 blocks, 9 identities each) has about 2 MB.
pub const MAX_BYTES: usize = 4 << 20;
/// How deep objects and arrays may nest; a request nests 6 deep.
pub const MAX_DEPTH: usize = 64;
/// Values and keys that a file may have; a full request has about 100,000.
pub const MAX_VALUES: usize = 400_000;
/// Faults after which reading stops.
pub const MAX_FAULTS: usize = 50;

/// What became of a JSON text.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The tree, mended where the text has faults; `None` where nothing could be made of it.
    pub root: Option<Node>,
    /// The faults, by position; at most [`MAX_FAULTS`], then one [`FaultKind::More`]. Empty: the text is JSON.
    pub faults: Vec<Fault>,
}

/// Reads a JSON text.
pub fn parse(bytes: &[u8]) -> Parsed {
    if let Some(kind) = hopeless(bytes) {
        return Parsed { root: None, faults: vec![Fault::at_start(kind)] };
    }
    let (text, foreign) = decode(bytes);
    let lexer = Lexer::new(Cursor::new(without_mark(&text)), foreign);
    let (root, faults) = parser::parse(lexer);
    Parsed { root, faults }
}

/// A text without its byte-order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What makes a text unreadable as a whole.
fn hopeless(bytes: &[u8]) -> Option<FaultKind> {
    if bytes.len() > MAX_BYTES {
        return Some(FaultKind::TooLarge);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Some(FaultKind::Utf16);
    }
    None
}

/// The text, with U+FFFD for bytes that are not UTF-8, and a fault for each of those.
fn decode(bytes: &[u8]) -> (String, Vec<Fault>) {
    let mut text = String::with_capacity(bytes.len());
    let mut faults = Vec::new();
    let mut cursor = Cursor::new("");
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        cursor.pass(if text.len() == chunk.valid().len() {
            without_mark(chunk.valid())
        } else {
            chunk.valid()
        });
        if !chunk.invalid().is_empty() {
            if faults.len() <= MAX_FAULTS {
                faults.push(Fault { kind: FaultKind::NotUtf8, at: cursor.mark(1) });
            }
            text.push(char::REPLACEMENT_CHARACTER);
            cursor.pass("\u{fffd}");
        }
    }
    (text, faults)
}
