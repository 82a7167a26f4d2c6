//! A table as a file: a line with format, version and keyed digest, then numbers and digests.

use std::collections::BTreeSet;

use super::bits::Bits;
use super::table::{FileId, Parts, Table};
use crate::model::Name;
use crate::store::DeploymentKey;
use crate::store::encoding::{Decoder, put_count};

/// Files are not larger, whatever it costs to search again.
const LARGEST: usize = 64 << 20;

/// What the line begins with; another version of the tool may search otherwise.
const START: &str = concat!("amparo-seen-v1 ", env!("CARGO_PKG_VERSION"), " ");

/// The file of a table, with these of its files; `None` where it would be too large.
pub(super) fn encode(
    key: &DeploymentKey,
    dataset: &Name,
    table: &Table,
    files: &BTreeSet<FileId>,
) -> Option<Vec<u8>> {
    let whole = body(&table.parts(files, false));
    let body = if whole.len() <= LARGEST { whole } else { body(&table.parts(files, true)) };
    if body.len() > LARGEST {
        return None;
    }
    Some(seal(key, dataset.as_str(), &body))
}

/// A file of these bytes, which says what it is of.
pub(super) fn seal(key: &DeploymentKey, what: &str, body: &[u8]) -> Vec<u8> {
    let digest = key.digest("seen", &[what.as_bytes(), body]);
    let mut bytes = format!("{START}{digest}\n").into_bytes();
    bytes.extend(body);
    bytes
}

/// The bytes of a file; `None` where it is not one that this version sealed under this key for `what`.
pub(super) fn open<'a>(key: &DeploymentKey, what: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (digest, body) = sealed.strip_prefix(START.as_bytes())?.split_at_checked(64)?;
    let body = body.strip_prefix(b"\n")?;
    let right = key.digest("seen", &[what.as_bytes(), body]).as_bytes() == digest;
    right.then_some(body)
}

fn body(parts: &Parts) -> Vec<u8> {
    let mut out = Vec::new();
    put_count(&mut out, parts.questions.len());
    parts.questions.iter().for_each(|question| out.extend(question));
    put_count(&mut out, parts.sets.len());
    for set in &parts.sets {
        put_count(&mut out, set.words().len());
        set.words().iter().for_each(|word| out.extend(word.to_le_bytes()));
    }
    put_count(&mut out, parts.files.len());
    for (file, set) in &parts.files {
        out.extend(file);
        out.extend(set.to_le_bytes());
    }
    out
}

/// The table of a file; `None` where it is not one that this version wrote under this key for this dataset.
pub(super) fn decode(key: &DeploymentKey, dataset: &Name, bytes: &[u8]) -> Option<Table> {
    let mut body = Decoder(open(key, dataset.as_str(), bytes)?);
    let mut parts = Parts { questions: Vec::new(), sets: Vec::new(), files: Vec::new() };
    for _ in 0..body.count()? {
        parts.questions.push(*body.array()?);
    }
    for _ in 0..body.count()? {
        let mut words = Vec::new();
        for _ in 0..body.count()? {
            words.push(u64::from_le_bytes(*body.array()?));
        }
        parts.sets.push(Bits::of_words(words));
    }
    for _ in 0..body.count()? {
        parts.files.push((*body.array()?, u32::from_le_bytes(*body.array()?)));
    }
    if body.0.is_empty() { Table::of(parts) } else { None }
}
