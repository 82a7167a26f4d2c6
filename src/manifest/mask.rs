//! Masked source lines of request files (CONTRACT.md section 1).
//!
//! Guarantees: of a line nothing is shown but punctuation, the keys of a fixed list, and the values of a few
//! harmless keys (versions, kinds, names, actions, regulations, dates, flags) where they have the form that
//! such a value has and equal no identity value of the file. All else is `***`: other scalars, other keys,
//! comments, anchors, the lines of a text of many lines. What is shown is what the tree says stands there
//! and what does stand there; nothing is guessed from the text.

use std::collections::{BTreeMap, HashSet};

use super::source::lines;
use super::tree::{Kind, Mark, Node};
use crate::model::Name;

#[cfg(test)]
mod tests;

/// What takes the place of a word.
const STARS: &str = "***";

/// The longest line that is masked, in bytes: a file may be one line of megabytes, with a thousand faults.
const LONGEST: usize = 4096;

/// Keys that say nothing about anybody.
pub const KEYS: [&str; 40] = [
    "acceptConflicts",
    "action",
    "allOf",
    "analyticsDeleteMethod",
    "apiVersion",
    "company",
    "companyContexts",
    "datasets",
    "deleteMethod",
    "description",
    "digest",
    "expandIDs",
    "expandIds",
    "extension",
    "include",
    "isDeletedClientSide",
    "key",
    "kind",
    "mergePolicyId",
    "metadata",
    "name",
    "namespace",
    "namespaceId",
    "only",
    "priority",
    "reason",
    "receivedAt",
    "regulation",
    "sealed",
    "sources",
    "spec",
    "standing",
    "suspend",
    "type",
    "until",
    "userIDs",
    "users",
    "value",
    "where",
    "withdrawn",
];

/// Where in a request a node stands, as far as its values may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The document, or its `spec`: an Adobe request has the keys of a `spec` at its top.
    Request,
    Metadata,
    Extension,
    Users,
    Identities,
    /// Nothing below may be shown.
    Hidden,
}

/// The form that a value must have to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Hidden,
    Version,
    Word,
    Name,
    Date,
    Flag,
}

/// Something of the tree that starts on a line.
struct Token {
    /// In characters, from 0.
    start: usize,
    /// How many characters of it stand on the line; 0 where unknown.
    length: usize,
    /// The text, where it may be shown.
    shown: Option<String>,
}

/// The masked lines of one request file.
pub struct Mask<'t> {
    lines: Vec<&'t str>,
    /// By line, from 1; in the order of the line, one a column.
    tokens: BTreeMap<usize, Vec<Token>>,
}

impl<'t> Mask<'t> {
    /// For a file's text and the documents that were read from it.
    pub fn new(text: &'t str, documents: &[Node]) -> Self {
        let mut identities = HashSet::new();
        for document in documents {
            collect_values(document, false, &mut identities);
        }
        let mut marker = Marker { tokens: BTreeMap::new(), identities };
        for document in documents {
            marker.node(document, Place::Request, Form::Hidden);
        }
        let mut tokens = marker.tokens;
        for on_line in tokens.values_mut() {
            // An alias repeats its anchor's positions: what is hidden in one use is hidden.
            on_line.sort_by_key(|token| (token.start, token.shown.is_some()));
            on_line.dedup_by_key(|token| token.start);
        }
        Self { lines: lines(text), tokens }
    }

    /// The line of that number, from 1; `None` where there is none, or where it is very long.
    pub fn line(&self, number: usize) -> Option<String> {
        let line = self.lines.get(number.checked_sub(1)?).filter(|line| line.len() <= LONGEST)?;
        let line: Vec<char> = line.chars().collect();
        let tokens = self.tokens.get(&number).map_or(&[][..], Vec::as_slice);
        let mut masked = String::new();
        let mut at = 0;
        for (index, token) in tokens.iter().enumerate() {
            if token.start < at || token.start >= line.len() {
                continue;
            }
            push_gap(&mut masked, line.get(at..token.start).unwrap_or_default());
            let rest = line.get(token.start..).unwrap_or_default();
            let shown = token.shown.as_deref().and_then(|text| standing(rest, text));
            if let Some(length) = shown {
                masked.extend(rest.iter().take(length));
                at = token.start + length;
            } else {
                masked.push_str(STARS);
                let next = tokens.get(index + 1).map_or(line.len(), |next| next.start);
                let length = hidden_length(rest, token.length, next.saturating_sub(token.start));
                at = token.start + length;
            }
        }
        push_gap(&mut masked, line.get(at..).unwrap_or_default());
        Some(masked)
    }
}

/// The identity values and keys of a document, lower-cased: no harmless value may equal one.
fn collect_values(node: &Node, inside: bool, values: &mut HashSet<String>) {
    match &node.kind {
        Kind::Null => {}
        Kind::Scalar(scalar) if inside => {
            values.insert(scalar.text.expose().trim().to_lowercase());
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| collect_values(item, inside, values)),
        Kind::Map(entries) => {
            for entry in entries {
                let inside = inside || matches!(entry.key.as_str(), "value" | "key" | "where");
                collect_values(&entry.value, inside, values);
            }
        }
    }
}

/// Walks the tree and notes what starts where.
struct Marker {
    tokens: BTreeMap<usize, Vec<Token>>,
    identities: HashSet<String>,
}

impl Marker {
    fn node(&mut self, node: &Node, place: Place, form: Form) {
        match &node.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) => {
                let text = scalar.text.expose();
                let fine =
                    form.fits(text) && !self.identities.contains(&text.trim().to_lowercase());
                self.note(node.at, fine.then(|| text.clone()));
            }
            Kind::List(items) => items.iter().for_each(|item| self.node(item, place, form)),
            Kind::Map(entries) => {
                for entry in entries {
                    let known = KEYS.contains(&entry.key.as_str());
                    self.note(entry.at, known.then(|| entry.key.clone()));
                    let (place, form) = place.below(&entry.key);
                    self.node(&entry.value, place, form);
                }
            }
        }
    }

    fn note(&mut self, at: Mark, shown: Option<String>) {
        let start = at.column.saturating_sub(1);
        self.tokens.entry(at.line).or_default().push(Token { start, length: at.length, shown });
    }
}

impl Place {
    /// What stands below a key.
    fn below(self, key: &str) -> (Self, Form) {
        match (self, key) {
            (Self::Request, "spec") => (Self::Request, Form::Hidden),
            (Self::Request, "metadata") => (Self::Metadata, Form::Hidden),
            (Self::Request, "extension") => (Self::Extension, Form::Hidden),
            (Self::Request, "users") => (Self::Users, Form::Hidden),
            (Self::Users, "userIDs") => (Self::Identities, Form::Hidden),
            (Self::Identities, "allOf") => (Self::Identities, Form::Hidden),
            (Self::Request, "apiVersion") => (Self::Hidden, Form::Version),
            (Self::Request, "kind" | "regulation") | (Self::Users, "action") => {
                (Self::Hidden, Form::Word)
            }
            (Self::Metadata, "name") => (Self::Hidden, Form::Name),
            (Self::Request, "receivedAt") | (Self::Extension, "until") => {
                (Self::Hidden, Form::Date)
            }
            (Self::Request, "expandIds" | "expandIDs" | "suspend" | "withdrawn")
            | (Self::Users, "standing" | "acceptConflicts")
            | (Self::Identities, "isDeletedClientSide") => (Self::Hidden, Form::Flag),
            _ => (Self::Hidden, Form::Hidden),
        }
    }
}

impl Form {
    fn fits(self, text: &str) -> bool {
        let letters = |more: &str| {
            text.len() <= 32
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        match self {
            Self::Hidden => false,
            Self::Version => letters("/."),
            Self::Word => letters("_-"),
            Self::Name => Name::new(text).is_ok(),
            Self::Date => {
                let year = text.get(..5).is_some_and(|year| {
                    year.ends_with('-')
                        && year.trim_end_matches('-').bytes().all(|b| b.is_ascii_digit())
                });
                year && text.len() <= 35
                    && text.chars().all(|c| c.is_ascii_digit() || "TtZz:.+- ".contains(c))
            }
            Self::Flag => matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "yes" | "no" | "on" | "off"
            ),
        }
    }
}

/// How many characters a text takes at the start of `rest`, in quotes or not; `None` where it does not
/// stand there.
fn standing(rest: &[char], text: &str) -> Option<usize> {
    let quote = rest.first().copied().filter(|c| matches!(c, '"' | '\''));
    let quoted = usize::from(quote.is_some());
    let length = text.chars().count();
    let there = rest.get(quoted..quoted + length)?;
    let after = rest.get(quoted + length);
    let ends = match quote {
        Some(quote) => after == Some(&quote),
        None => after.is_none_or(|c| is_punctuation(*c)),
    };
    (ends && there.iter().copied().eq(text.chars())).then_some(length + 2 * quoted)
}

/// How many characters a hidden token takes of the line: as many as the reader says, or to the end of its
/// quotes; else all up to the next token but the punctuation before that.
fn hidden_length(rest: &[char], told: usize, limit: usize) -> usize {
    let limit = limit.min(rest.len());
    if (1..=limit).contains(&told) {
        return told;
    }
    let within = rest.get(..limit).unwrap_or_default();
    within.iter().rposition(|c| !is_punctuation(*c)).map_or(limit, |last| last + 1)
}

/// Text between tokens: punctuation at its ends stays, the rest is masked.
fn push_gap(masked: &mut String, gap: &[char]) {
    let first = gap.iter().position(|c| !is_punctuation(*c));
    let last = gap.iter().rposition(|c| !is_punctuation(*c));
    let (Some(first), Some(last)) = (first, last) else {
        masked.extend(gap);
        return;
    };
    masked.extend(gap.iter().take(first));
    masked.push_str(STARS);
    masked.extend(gap.iter().skip(last + 1));
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_whitespace() || "{}[],:-".contains(c)
}
