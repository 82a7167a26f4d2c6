//! What a commit says: typed records, told apart by `event`.
//!
//! None of them can hold an identity or a cell value; `message` is made by code that has neither.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Name, Reason};
use crate::plan::{Failure, FileErase, PackageRecord, TaskCounts, TaskRef};

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all_fields = "camelCase")]
pub enum Record {
    /// A request was seen for the first time, or with other content.
    RequestSeen {
        /// The request.
        request: Name,
        /// Keyed digest of the file's bytes.
        digest: String,
        /// When.
        at: Timestamp,
    },
    /// A task is there, with what it is and when it is due. Another fingerprint than before, or a
    /// rejected or cancelled task, opens it again; otherwise only the dates move.
    TaskSubmitted {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Keyed digest of what it is.
        fingerprint: String,
        /// The regulation's code.
        regulation: Option<String>,
        /// When the request was received.
        received_at: Timestamp,
        /// When it must be done.
        due: Timestamp,
    },
    /// Intent: work begins; what follows may destroy data or write a package.
    TaskStarted {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Where its package will lie.
        package: Option<String>,
        /// The Approval that named what it does, where one was needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<Name>,
    },
    /// It cannot go on before a person, or time, has done something.
    TaskBlocked {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Why.
        reason: Reason,
        /// For people.
        message: Option<String>,
        /// What has been done of it.
        counts: TaskCounts,
        /// Data sources in which something was found.
        sources: Vec<String>,
    },
    /// Erased, but a superseded file still lies there.
    TaskCleanupPending {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// For people.
        message: Option<String>,
    },
    /// It is not a valid task; a request that is rejected as a whole has no key and no action.
    TaskRejected {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Keyed digest of what it is, where it can be told.
        fingerprint: Option<String>,
        /// The regulation's code.
        regulation: Option<String>,
        /// When the request was received.
        received_at: Timestamp,
        /// When it would have been due.
        due: Timestamp,
        /// Why.
        reason: Reason,
        /// For people.
        message: Option<String>,
    },
    /// An attempt failed; it may be tried again.
    TaskFailed {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Why.
        reason: Reason,
        /// For people.
        message: Option<String>,
        /// What has been done of it.
        counts: TaskCounts,
        /// Data sources in which something was found.
        sources: Vec<String>,
        /// How often, since when, and when it is tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// It is done.
    TaskCompleted {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// `Erased`, `ErasedNarrowed`, `Exported` or `NoMatch`.
        reason: Reason,
        /// What was searched, found and done.
        counts: TaskCounts,
        /// Data sources in which something was found.
        sources: Vec<String>,
        /// Datasets that `only` or `include` left out.
        left_out: Vec<Name>,
        /// The package.
        package: Option<PackageRecord>,
        /// Whether the outcome was read again and proved; `None`: there was nothing to prove.
        verified: Option<bool>,
        /// Of a delete: digest of what the policies said about erasing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rules: Option<String>,
        /// Of a delete: fingerprints under which it was begun and not finished, and which this finishes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<String>,
    },
    /// It was withdrawn before it was done.
    TaskCancelled {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// `Withdrawn`.
        reason: Reason,
        /// For people.
        message: Option<String>,
    },
    /// The package at that location has been deleted at its expiry, or because nothing rests on it.
    PackageExpired {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Where it was.
        package: String,
    },
    /// A dataset that the policies name: should it go, deletes wait until it is retired.
    DatasetSeen {
        /// The dataset.
        dataset: Name,
        /// Digest over its files, as in plans.
        digest: Option<String>,
    },
    /// A hold that the policies name.
    HoldSeen {
        /// The hold.
        hold: Name,
    },
    /// Intent: this file will be swapped for its staged successor, or deleted.
    EraseIntent(FileErase),
    /// The file is the new one, durably.
    EraseDone {
        /// The dataset.
        dataset: Name,
        /// Keyed digest of the full path.
        file: String,
        /// The old footer's digest.
        before: String,
    },
    /// The intent came to nothing: the file is still the old one, or another writer's.
    EraseAbandoned {
        /// The dataset.
        dataset: Name,
        /// Keyed digest of the full path.
        file: String,
        /// The old footer's digest.
        before: String,
    },
    /// Somebody is about to be shown a subject's records. Written before they are.
    Viewed {
        /// Who looks.
        #[serde(flatten)]
        looker: Looker,
        /// Keyed digests of the identities that were looked for.
        subjects: Vec<String>,
        /// Matched rows, by dataset.
        datasets: Vec<LookedAt>,
    },
    /// A masked copy of a dataset is about to be put in its place.
    Published {
        /// Who made it.
        #[serde(flatten)]
        looker: Looker,
        /// The dataset.
        dataset: Name,
        /// Files of the copy.
        files: u64,
        /// Rows of the copy.
        rows: u64,
    },
    /// A request or block that was too broken to have tasks of its own has them now: its rejection is over.
    RejectionLifted {
        /// The request, or the block.
        #[serde(flatten)]
        task: TaskRef,
    },
    /// The task's pseudonym key, and what its expansion found, are destroyed.
    KeysDestroyed {
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
    },
}

/// Who looks at data, and how much they may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Looker {
    /// As they say themselves (`--actor`).
    pub actor: String,
    /// As the operating system says.
    pub user: String,
    /// The role under which they look; `None`: no personal data is shown.
    pub role: Option<Name>,
}

/// Rows of a dataset that somebody looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedAt {
    /// The dataset.
    pub dataset: Name,
    /// Matched rows; not all of them need be shown.
    pub rows: u64,
}

impl Record {
    /// Whether it only says that somebody looked: nothing that is planned rests on it.
    pub const fn is_look(&self) -> bool {
        matches!(self, Self::Viewed { .. } | Self::Published { .. })
    }

    /// The record as JSON, on one line.
    pub(super) fn to_json(&self) -> String {
        // Cannot fail: every key is text and every number finite.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a record. `Err(true)`: it is of an event that this version does not know, and was written by a
    /// later one; `Err(false)`: no version wrote it. Keys that this version does not know are passed over:
    /// see [`Record::says_all_of`].
    pub(super) fn from_value(value: &Value) -> Result<Self, bool> {
        let known = |event: &str| EVENTS.contains(&event);
        let event = value.get("event").and_then(Value::as_str).ok_or(false)?;
        if !known(event) {
            return Err(true);
        }
        Self::deserialize(value).map_err(|_| false)
    }

    /// Whether nothing was passed over when the record was read from `value`.
    pub(super) fn says_all_of(&self, value: &Value) -> bool {
        serde_json::to_value(self).is_ok_and(|own| covers(&own, value))
    }
}

/// Every `event`.
const EVENTS: [&str; 19] = [
    "RequestSeen",
    "TaskSubmitted",
    "TaskStarted",
    "TaskBlocked",
    "TaskCleanupPending",
    "TaskRejected",
    "TaskFailed",
    "TaskCompleted",
    "TaskCancelled",
    "PackageExpired",
    "DatasetSeen",
    "HoldSeen",
    "EraseIntent",
    "EraseDone",
    "EraseAbandoned",
    "Viewed",
    "Published",
    "RejectionLifted",
    "KeysDestroyed",
];

/// Whether all that `theirs` says is in `ours`: a key that reading dropped is one that we do not know.
fn covers(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.iter().all(|(key, value)| match ours.get(key) {
                Some(known) => covers(known, value),
                None => value.is_null(),
            })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| covers(o, t))
        }
        // A value that is written otherwise (`+00:00` for `Z`) says the same.
        _ => true,
    }
}
