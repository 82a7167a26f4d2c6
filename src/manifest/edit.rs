//! Replaces scalars of a request file, and nothing else: comments, order, quotes and blanks stay as they are.
//!
//! Guarantees: every byte outside the replaced scalars stays; the new text, parsed again, says the same as the old
//! one but for the replaced scalars, or it is not handed out. Pure: writing it is the caller's.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::source::{SourceFile, lines};
use super::tree::{Kind, Mark, Node};
use super::{json, yaml};

#[cfg(test)]
mod tests;

/// A scalar (a value or a key) and what is to stand in its place: text that needs no escape in JSON or YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where it starts. A scalar that aliases repeat is there as often as it is used.
    pub at: Mark,
    /// The new text.
    pub text: String,
}

/// Why a file cannot be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It does not parse.
    #[error("it cannot be read")]
    Unreadable,
    /// A YAML anchor shares the scalar with something that must not change.
    #[error(
        "line {line} is shared by a YAML anchor with something else: write the value out there"
    )]
    Shared {
        /// The line.
        line: usize,
    },
    /// The scalar is written in a way that cannot be replaced safely.
    #[error(
        "line {line} cannot be edited safely: write the value on that line, plain or in quotes"
    )]
    NotSafe {
        /// The line.
        line: usize,
    },
}

/// The file's bytes with these scalars replaced.
///
/// # Errors
/// See [`EditError`].
pub fn replace(file: &SourceFile, edits: &[Edit]) -> Result<Vec<u8>, EditError> {
    let before = Text::read(file)?;
    let mut changes: BTreeMap<usize, (Range<usize>, String)> = BTreeMap::new();
    for edit in edits {
        let line = edit.at.line;
        let range = before.range(edit.at).ok_or(EditError::NotSafe { line })?;
        let old = before.text.get(range.clone()).unwrap_or_default();
        let new = before.dressed(old, &edit.text).ok_or(EditError::NotSafe { line })?;
        let change = (range.clone(), new);
        if changes.insert(range.start, change.clone()).is_some_and(|earlier| earlier != change) {
            return Err(EditError::Shared { line });
        }
    }
    let mut text = String::with_capacity(before.text.len());
    let mut at = 0;
    for (range, new) in changes.values() {
        text.push_str(before.text.get(at..range.start).ok_or(EditError::Unreadable)?);
        text.push_str(new);
        at = range.end;
    }
    text.push_str(before.text.get(at..).unwrap_or_default());
    let mark = file.bytes.len().saturating_sub(before.text.len());
    let mut bytes = file.bytes.get(..mark).unwrap_or_default().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    prove(&before.documents, file, &bytes, edits)?;
    Ok(bytes)
}

/// A parsed file.
struct Text<'f> {
    text: &'f str,
    json: bool,
    documents: Vec<Node>,
    scalars: HashMap<(usize, usize), Range<usize>>,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl<'f> Text<'f> {
    fn read(file: &'f SourceFile) -> Result<Self, EditError> {
        let text = yaml::decode(&file.bytes).map_err(|_| EditError::Unreadable)?;
        let json = file.ending() == "json";
        let documents = documents(&file.bytes, json).ok_or(EditError::Unreadable)?;
        let scalars = if json {
            HashMap::new()
        } else {
            yaml::scalars(&file.bytes).map_err(|_| EditError::Unreadable)?
        };
        let base = text.as_ptr() as usize;
        let starts = lines(text).iter().map(|line| line.as_ptr() as usize - base).collect();
        Ok(Self { text, json, documents, scalars, starts })
    }

    /// The bytes of the scalar at a mark.
    fn range(&self, at: Mark) -> Option<Range<usize>> {
        if !self.json {
            return self.scalars.get(&(at.line, at.column)).cloned();
        }
        // A JSON scalar stands on one line.
        let start = *self.starts.get(at.line.checked_sub(1)?)?;
        let rest = self.text.get(start..)?;
        let byte =
            |chars: usize| rest.char_indices().nth(chars).map_or(rest.len(), |(index, _)| index);
        let column = at.column.checked_sub(1)?;
        let range = start + byte(column)..start + byte(column.checked_add(at.length)?);
        (at.length > 0).then_some(range)
    }

    /// The new text in the quotes of the old one. (The sign of a block scalar stands outside of it, and stays.)
    fn dressed(&self, old: &str, new: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_:+/=.".contains(c);
        if !new.chars().all(plain) {
            return None;
        }
        Some(match old.chars().next()? {
            _ if self.json => format!("\"{new}\""),
            '"' => format!("\"{new}\""),
            '\'' => format!("'{new}'"),
            _ => new.to_owned(),
        })
    }
}

fn documents(bytes: &[u8], as_json: bool) -> Option<Vec<Node>> {
    if !as_json {
        return yaml::parse(bytes).ok();
    }
    let parsed = json::parse(bytes);
    parsed.root.filter(|_| parsed.faults.is_empty()).map(|root| vec![root])
}

/// Holds the new text against the old one: what an edit names says what the edit says, and all else what it said.
fn prove(
    before: &[Node],
    file: &SourceFile,
    bytes: &[u8],
    edits: &[Edit],
) -> Result<(), EditError> {
    let line = edits.first().map_or(0, |edit| edit.at.line);
    let unsafe_edit = EditError::NotSafe { line };
    let after = documents(bytes, file.ending() == "json").ok_or(unsafe_edit)?;
    let mut proof = Proof { texts: HashMap::new(), used: HashMap::new() };
    let mut wanted: HashMap<Mark, usize> = HashMap::new();
    for edit in edits {
        proof.texts.insert(edit.at, edit.text.as_str());
        *wanted.entry(edit.at).or_default() += 1;
    }
    if before.len() != after.len() {
        return Err(unsafe_edit);
    }
    for (old, new) in before.iter().zip(&after) {
        proof.node(old, new)?;
    }
    match wanted.iter().find(|(at, count)| proof.used.get(at) != Some(count)) {
        Some((at, _)) => Err(EditError::Shared { line: at.line }),
        None => Ok(()),
    }
}

struct Proof<'e> {
    texts: HashMap<Mark, &'e str>,
    /// How often each edit was met.
    used: HashMap<Mark, usize>,
}

impl Proof<'_> {
    fn node(&mut self, old: &Node, new: &Node) -> Result<(), EditError> {
        let differs = EditError::NotSafe { line: old.at.line };
        match (&old.kind, &new.kind) {
            (Kind::Null, Kind::Null) => Ok(()),
            (Kind::Scalar(was), Kind::Scalar(is)) => {
                let same = match self.edited(old.at) {
                    Some(text) => is.text.expose() == text,
                    None => was == is,
                };
                same.then_some(()).ok_or(differs)
            }
            (Kind::List(was), Kind::List(is)) if was.len() == is.len() => {
                was.iter().zip(is).try_for_each(|(old, new)| self.node(old, new))
            }
            (Kind::Map(was), Kind::Map(is)) if was.len() == is.len() => {
                was.iter().zip(is).try_for_each(|(old, new)| {
                    let key = self.edited(old.at).unwrap_or(&old.key);
                    if new.key != key {
                        return Err(differs);
                    }
                    self.node(&old.value, &new.value)
                })
            }
            _ => Err(differs),
        }
    }

    /// What is to stand at a mark, if it is edited.
    fn edited(&mut self, at: Mark) -> Option<&str> {
        let text = self.texts.get(&at).copied()?;
        *self.used.entry(at).or_default() += 1;
        Some(text)
    }
}
