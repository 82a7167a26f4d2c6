//! YAML bytes → trees with positions: the only module that knows the YAML crate.
//!
//! It reads the crate's events rather than its typed values: so a plain scalar keeps its text as written (`007`,
//! `1.50`, `0x1F`), quoted text stays apart from plain text, and both of two equal keys are seen.
//!
//! Guarantees: ends with documents or one [`Fault`] whatever the bytes; a fault names the kind of thing
//! that was found, never its text; size, depth, documents and values are bounded, aliases counted as
//! often as they are used.

mod fault;

use std::collections::HashMap;
use std::ops::Range;

use serde_yaml::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput, Tag};

use crate::manifest::codes::files::{FORBIDDEN_CHARACTER, NOT_UTF8, TOO_LARGE};
use crate::manifest::tree::{Entry, Kind, Mark, Node, Scalar};
use crate::model::Sensitive;

pub use fault::Fault;
use fault::{syntax, too_large, unsupported};

/// Bytes that a file may have.
pub const MAX_BYTES: usize = 4 << 20;
/// Levels of nesting.
const MAX_DEPTH: usize = 255;
/// Documents of one file.
const MAX_DOCUMENTS: usize = 1000;
/// Values of one file, aliases counted as often as they are used.
const MAX_NODES: usize = 400_000;
/// Bytes of text of one file, aliases counted as often as they are used.
const MAX_TEXT: usize = 2 * MAX_BYTES;

/// The documents of a file, in order. Empty documents are left out.
///
/// # Errors
/// One [`Fault`]: the first thing that cannot be read.
pub fn parse(bytes: &[u8]) -> Result<Vec<Node>, Fault> {
    Reader::new(decode(bytes)?, options()).documents()
}

fn options() -> Options {
    serde_yaml::granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

/// Where the scalars of a file stand: bytes in its text (without a byte order mark) by line and column of their
/// start. Tags and anchors in front of them are left out, and blanks behind them.
///
/// # Errors
/// As [`parse`].
pub fn scalars(bytes: &[u8]) -> Result<HashMap<(usize, usize), Range<usize>>, Fault> {
    let text = decode(bytes)?;
    let mut found = HashMap::new();
    for next in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = next.map_err(|error| syntax(error.kind(), mark(error.marker())))?;
        let (Event::Scalar(..), Some(range)) = (event, span.byte_range()) else { continue };
        let covered = text.get(range.clone()).unwrap_or_default();
        let at = mark(&span.start);
        let end = range.start.saturating_add(covered.trim_end().len());
        found.insert((at.line, at.column), range.start..end);
    }
    Ok(found)
}

/// The text of a file: UTF-8 without a byte order mark and without characters that text may not hold.
///
/// # Errors
/// A [`Fault`] at the first byte or character that is wrong, or if the file is larger than [`MAX_BYTES`].
pub fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault {
            code: TOO_LARGE,
            at: Mark::default(),
            message: "more than 4 MiB",
            help: "split it into several files",
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        Fault {
            code: NOT_UTF8,
            at: end_of(&String::from_utf8_lossy(valid)),
            message: "a byte that is not UTF-8",
            help: "save the file as UTF-8",
        }
    })?;
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    match text.find(forbidden) {
        None => Ok(text),
        Some(index) => Err(Fault {
            code: FORBIDDEN_CHARACTER,
            at: end_of(text.get(..index).unwrap_or_default()),
            message: "a control character",
            help: "remove it",
        }),
    }
}

/// The mark right behind a text.
fn end_of(text: &str) -> Mark {
    let lines = super::source::lines(text);
    let column = lines.last().map_or(0, |line| line.chars().count()) + 1;
    Mark { line: lines.len(), column, length: 1 }
}

/// What a value costs when an alias repeats it.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    text: usize,
}

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    spent: Cost,
    anchors: HashMap<usize, (Node, Cost)>,
}

/// A collection whose end has not come yet.
struct Open {
    at: Mark,
    anchor: usize,
    before: Cost,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<(String, Mark)>),
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, options: Options) -> Self {
        let parser = Parser::new_from_str_with_options(text, options);
        Self { text, parser, spent: Cost::default(), anchors: HashMap::new() }
    }

    fn documents(mut self) -> Result<Vec<Node>, Fault> {
        let mut documents = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        let mut count = 0_usize;
        while let Some(next) = self.parser.next_event() {
            let (event, span) = next.map_err(|error| syntax(error.kind(), mark(error.marker())))?;
            let at = self.mark_of(&span);
            let done = match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) => {
                    count += 1;
                    self.anchors.clear();
                    if count > MAX_DOCUMENTS {
                        return Err(too_large(at, "more than 1,000 documents"));
                    }
                    None
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let string = self.string_tag(tag.as_deref(), &span, &open)?;
                    let key = key_expected(&open);
                    if key && style == ScalarStyle::Plain && !string && text == "<<" {
                        return Err(unsupported(at, "a merge key", "write the keys out"));
                    }
                    let before = self.spent;
                    self.spend(at, Cost { nodes: 1, text: text.len() })?;
                    let quoted = string || style != ScalarStyle::Plain;
                    let kind = if !key && !quoted && is_null(&text) {
                        Kind::Null
                    } else {
                        Kind::Scalar(Scalar { text: Sensitive::new(text.into_owned()), quoted })
                    };
                    Some(self.remember(Node { kind, at }, anchor, before))
                }
                Event::Alias(id) => Some(self.alias(id, at, &open)?),
                Event::SequenceStart(_, anchor, tag) => {
                    self.collection(
                        &mut open,
                        at,
                        anchor,
                        tag.as_deref(),
                        &span,
                        Body::List(Vec::new()),
                    )?;
                    None
                }
                Event::MappingStart(_, anchor, tag) => {
                    let body = Body::Map(Vec::new(), None);
                    self.collection(&mut open, at, anchor, tag.as_deref(), &span, body)?;
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => open.pop().map(|top| {
                    let kind = match top.body {
                        Body::List(items) => Kind::List(items),
                        Body::Map(entries, _) => Kind::Map(entries),
                    };
                    self.remember(Node { kind, at: top.at }, top.anchor, top.before)
                }),
                _ => None,
            };
            if let Some(node) = done {
                match open.last_mut() {
                    Some(parent) => attach(parent, node)?,
                    None if node.kind == Kind::Null => {}
                    None => documents.push(node),
                }
            }
        }
        Ok(documents)
    }

    fn collection(
        &mut self,
        open: &mut Vec<Open>,
        at: Mark,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
        body: Body,
    ) -> Result<(), Fault> {
        self.string_tag(tag, span, open)?;
        if tag.is_some() {
            return Err(unsupported(at, "a tag", "remove the tag"));
        }
        if key_expected(open) {
            return Err(unsupported(at, "a key that is not plain text", "write a word as the key"));
        }
        if open.len() >= MAX_DEPTH {
            return Err(too_large(at, "more than 255 levels of nesting"));
        }
        let before = self.spent;
        self.spend(at, Cost { nodes: 1, text: 0 })?;
        open.push(Open { at, anchor, before, body });
        Ok(())
    }

    fn alias(&mut self, id: usize, at: Mark, open: &[Open]) -> Result<Node, Fault> {
        if key_expected(open) {
            return Err(unsupported(at, "an alias as a key", "write the key out"));
        }
        let Some((node, cost)) = self.anchors.get(&id) else {
            return Err(unsupported(at, "an alias inside its own anchor", "write the value out"));
        };
        let (node, cost) = (node.clone(), *cost);
        self.spend(at, cost)?;
        Ok(node)
    }

    /// Whether a tag makes the value a string; any other tag is refused.
    fn string_tag(&self, tag: Option<&Tag>, span: &Span, open: &[Open]) -> Result<bool, Fault> {
        let Some(tag) = tag else { return Ok(false) };
        if tag.is_yaml_core_schema_tag("str") && !key_expected(open) {
            return Ok(true);
        }
        let at = span.tag_start().map_or_else(|| self.mark_of(span), |marker| mark(&marker));
        Err(unsupported(at, "a tag", "remove the tag; put text that looks like a number in quotes"))
    }

    fn spend(&mut self, at: Mark, cost: Cost) -> Result<(), Fault> {
        self.spent.nodes = self.spent.nodes.saturating_add(cost.nodes);
        self.spent.text = self.spent.text.saturating_add(cost.text);
        if self.spent.nodes > MAX_NODES || self.spent.text > MAX_TEXT {
            return Err(too_large(at, "more values than are read"));
        }
        Ok(())
    }

    /// Keeps an anchored value for its aliases.
    fn remember(&mut self, node: Node, anchor: usize, before: Cost) -> Node {
        if anchor != 0 {
            let cost = Cost {
                nodes: self.spent.nodes.saturating_sub(before.nodes),
                text: self.spent.text.saturating_sub(before.text),
            };
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        node
    }

    /// Where a span starts, and how much of it stands on that line.
    fn mark_of(&self, span: &Span) -> Mark {
        let mut at = mark(&span.start);
        let covered = span.byte_range().and_then(|range| self.text.get(range)).unwrap_or_default();
        let first = covered.split(['\n', '\r']).next().unwrap_or_default();
        at.length = first.trim_end().chars().count();
        at
    }
}

fn mark(marker: &Marker) -> Mark {
    Mark { line: marker.line(), column: marker.col().saturating_add(1), length: 0 }
}

/// Whether the next node is a key of the innermost mapping.
fn key_expected(open: &[Open]) -> bool {
    matches!(open.last(), Some(Open { body: Body::Map(_, None), .. }))
}

/// Puts a finished node into the collection around it.
fn attach(parent: &mut Open, node: Node) -> Result<(), Fault> {
    match &mut parent.body {
        Body::List(items) => items.push(node),
        Body::Map(entries, key) => match key.take() {
            Some((key, at)) => entries.push(Entry { key, at, value: node }),
            None => match node.kind {
                Kind::Scalar(scalar) => *key = Some((scalar.text.into_inner(), node.at)),
                _ => {
                    return Err(unsupported(
                        node.at,
                        "a key that is not plain text",
                        "write a word as the key",
                    ));
                }
            },
        },
    }
    Ok(())
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests;
