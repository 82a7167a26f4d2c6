//! One commit file: `{seq, time, toolVersion, prev, records: […]}`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Head, Record};

/// The folder of the commits.
pub(super) const FOLDER: &str = "ledger";

/// `prev` of the first commit.
pub(super) const NO_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Commit {
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    pub(super) tool_version: String,
    pub(super) prev: String,
    pub(super) records: Vec<Record>,
}

/// Why bytes are no commit that this version can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Not a commit at all: what a crash in the middle of a write leaves.
    Torn,
    /// A commit with a record of a later version.
    Newer { version: String },
    /// A commit with a record that no version writes; its index.
    Record { index: usize },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope<R> {
    seq: u64,
    time: Timestamp,
    tool_version: String,
    prev: String,
    records: Vec<R>,
}

/// The name of a commit's file.
pub(super) fn file_name(seq: u64) -> String {
    format!("{FOLDER}/{seq:020}.json")
}

impl Commit {
    /// The commit that follows `head`.
    pub(super) fn after(head: Option<&Head>, records: Vec<Record>, time: Timestamp) -> Self {
        Self {
            seq: head.map_or(0, |head| head.seq).saturating_add(1),
            time,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            prev: head.map_or_else(|| NO_PREV.to_owned(), |head| head.sha256.clone()),
            records,
        }
    }

    /// The file: JSON, a record a line, so that a diff of two states reads well.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let string = |text: &str| Value::from(text).to_string();
        let records: Vec<String> = self.records.iter().map(Record::to_json).collect();
        format!(
            "{{\"seq\": {}, \"time\": {}, \"toolVersion\": {}, \"prev\": {}, \"records\": [\n{}\n]}}\n",
            self.seq,
            string(&self.time.to_string()),
            string(&self.tool_version),
            string(&self.prev),
            records.join(",\n")
        )
        .into_bytes()
    }

    /// Reads a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        // Values first: a later version may have other envelopes, which are not to be taken for torn.
        let mut value: Value = serde_json::from_slice(bytes).map_err(|_| Unreadable::Torn)?;
        let version = value.get("toolVersion").and_then(Value::as_str).map(str::to_owned);
        // Taken out before the envelope is read, which would make them all anew.
        let found = value.get_mut("records").and_then(Value::as_array_mut).map(std::mem::take);
        let envelope: Envelope<Value> =
            serde_json::from_value(value).map_err(|_| match version {
                Some(version) if version != env!("CARGO_PKG_VERSION") => {
                    Unreadable::Newer { version }
                }
                _ => Unreadable::Torn,
            })?;
        let Envelope { seq, time, tool_version, prev, .. } = envelope;
        let found = found.unwrap_or_default();
        let mut records = Vec::with_capacity(found.len());
        for (index, record) in found.iter().enumerate() {
            records.push(Record::from_value(record).map_err(|unknown| {
                if unknown || is_newer(&tool_version) {
                    Unreadable::Newer { version: tool_version.clone() }
                } else {
                    Unreadable::Record { index }
                }
            })?);
        }
        let commit = Self { seq, time, tool_version, prev, records };
        // Nearly always the bytes are those that this version writes: then nothing in them was passed over.
        if commit.to_bytes() != bytes
            && commit.records.iter().zip(&found).any(|(record, found)| !record.says_all_of(found))
        {
            return Err(Unreadable::Newer { version: commit.tool_version });
        }
        Ok(commit)
    }
}

/// Whether a version comes after this one; its pre-release and build parts do not count.
fn is_newer(version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let release = text.split(['-', '+']).next().unwrap_or_default();
        release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) > numbers(env!("CARGO_PKG_VERSION"))
}
