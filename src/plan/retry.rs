//! When a task that failed is tried again: later each time, by the kind of its failure, and a little
//! apart from other tasks. Pure: the same failure is always given the same time.

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Name, Phase, TaskId};

use super::LedgerView;

/// The longest that a failed task waits, in minutes.
const LONGEST: u64 = 6 * 60;

/// Whether, and when, another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// I/O, a full disk, other writers: it may have passed soon.
    Transient,
    /// A file that is corrupt or cannot be read: until the file is another, only now and then.
    Data,
    /// A key that is missing, a policy that does not fit the data: until either is another, only now and
    /// then.
    Configuration,
}

impl FailureKind {
    /// The first wait, in minutes.
    const fn first(self) -> u64 {
        match self {
            Self::Transient => 1,
            Self::Data | Self::Configuration => 60,
        }
    }
}

/// What an attempt failed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The kind.
    pub kind: FailureKind,
    /// The dataset, where it was one.
    pub dataset: Option<Name>,
    /// The file, as it is shown, where it was one.
    pub file: Option<String>,
}

impl Cause {
    /// A failure that time may cure.
    pub const fn transient() -> Self {
        Self { kind: FailureKind::Transient, dataset: None, file: None }
    }

    /// A failure of a dataset.
    pub fn of(kind: FailureKind, dataset: &Name) -> Self {
        Self { kind, dataset: Some(dataset.clone()), file: None }
    }
}

/// Failed attempts of a task, one after the other on the same grounds, as the ledger keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// How many attempts.
    pub attempts: u32,
    /// When the first of them was.
    pub first_failed_at: Timestamp,
    /// When the daemon tries again by itself, at the latest.
    pub next_try_at: Timestamp,
    /// The dataset on which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Name>,
    /// The file on which it failed, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Keyed digest of what it rested on: policies, keys, the dataset's faults and columns, the file's
    /// stamp. Another one opens the task at once.
    pub evidence: String,
}

impl Failure {
    /// The failure that `cause` is, after `earlier`. Other grounds or another kind begin to count anew.
    pub fn after(
        earlier: Option<&Self>,
        id: &TaskId,
        cause: &Cause,
        evidence: String,
        now: Timestamp,
    ) -> Self {
        let same = earlier.filter(|e| e.kind == cause.kind && e.evidence == evidence);
        let attempts = same.map_or(0, |earlier| earlier.attempts).saturating_add(1);
        // A clock that went back must not make a failure begin after it was found again.
        let first = same.map_or(now, |earlier| earlier.first_failed_at.min(now));
        Self {
            kind: cause.kind,
            attempts,
            first_failed_at: first,
            next_try_at: now.checked_add(wait(cause.kind, id, attempts)).unwrap_or(Timestamp::MAX),
            dataset: cause.dataset.clone(),
            file: cause.file.clone(),
            evidence,
        }
    }

    /// Whether its time has come. A time further away than any wait is that of a clock that was wrong.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_try_at <= now || self.next_try_at.duration_since(now) > minutes(LONGEST)
    }

    /// The cause, as far as it was kept.
    pub fn cause(&self) -> Cause {
        Cause { kind: self.kind, dataset: self.dataset.clone(), file: self.file.clone() }
    }
}

/// The wait after that many failed attempts: from the kind's first wait, doubled each time, up to six
/// hours, and of that between three quarters and all, by the block's name and the attempt. Never shorter
/// than the wait before; the same for both tasks of a block, which are tried together.
pub fn wait(kind: FailureKind, id: &TaskId, attempts: u32) -> SignedDuration {
    let mut full = kind.first();
    let mut step = 1;
    while step < attempts && full < LONGEST {
        full = full.saturating_mul(2).min(LONGEST);
        step += 1;
    }
    // From the longest wait on the share stays: it would go up and down otherwise.
    let seconds = full.saturating_mul(60);
    let quarter = seconds / 4;
    let more = quarter.saturating_mul(u64::from(share(id, step))) / u64::from(u16::MAX);
    let seconds = seconds.saturating_sub(quarter).saturating_add(more);
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Evenly spread over its whole range.
fn share(id: &TaskId, step: u32) -> u16 {
    let mut hash = Sha256::new();
    for text in [id.request.as_str(), id.key.as_deref().unwrap_or_default()] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(step.to_le_bytes());
    let bytes = hash.finalize();
    bytes.first_chunk::<2>().map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn minutes(minutes: u64) -> SignedDuration {
    SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(i64::MAX))
}

impl LedgerView {
    /// When failed tasks are to be tried again, in no order; some may be past, where no pass has come to
    /// them yet.
    pub fn next_tries(&self) -> impl Iterator<Item = Timestamp> {
        self.failures().map(|(_, failure)| failure.next_try_at)
    }

    /// The failed tasks that wait for their time: nothing that they rest on has changed. `evidence` says
    /// what a failure would rest on now.
    pub fn waiting(
        &self,
        now: Timestamp,
        evidence: impl Fn(&Failure) -> String,
    ) -> BTreeSet<TaskId> {
        self.failures()
            .filter(|(_, failure)| !failure.is_due(now) && evidence(failure) == failure.evidence)
            .map(|(id, _)| id.clone())
            .collect()
    }

    fn failures(&self) -> impl Iterator<Item = (&TaskId, &Failure)> {
        self.tasks
            .iter()
            .filter(|(_, state)| state.phase == Phase::Failed)
            .filter_map(|(id, state)| Some((id, state.failure.as_ref()?)))
    }
}
