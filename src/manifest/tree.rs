//! A document as a tree with positions: what both the YAML and the JSON reader produce, so that one
//! set of readers serves both.

use crate::model::Sensitive;

/// Where a node stands in its file: line and column from 1, column and length in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters at fault on that line; 0 where unknown.
    pub length: usize,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it starts.
    pub at: Mark,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file; duplicate keys are all there.
    Map(Vec<Entry>),
}

/// A scalar: its text as written (an unquoted number keeps its digits), quotes and escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text.
    pub text: Sensitive<String>,
    /// Whether it was a string in the file: quoted or a block scalar in YAML, a string in JSON. A scalar that was not
    /// may be a number, a boolean, or plain YAML text.
    pub quoted: bool,
}

/// An entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub at: Mark,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The kind of thing in words: for diagnostics that must not show what it is.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a scalar",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}
