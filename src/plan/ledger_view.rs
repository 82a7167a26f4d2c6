//! What the ledger says has been done: the fold of all its records. Made by the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Name, Phase, Reason, Regulation, TaskId};

/// The state of everything, as of the newest commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerView {
    /// Number of the newest commit; 0: the ledger is empty.
    pub seq: u64,
    /// When each request was first seen.
    pub requests: BTreeMap<Name, Timestamp>,
    /// The newest state of each task.
    pub tasks: BTreeMap<TaskId, TaskState>,
    /// Exports and deletions, in the order in which they were recorded.
    pub history: Vec<HistoryEntry>,
    /// Datasets that any pass knew.
    pub datasets: BTreeSet<Name>,
    /// Holds that any pass knew.
    pub holds: BTreeSet<Name>,
}

/// The newest state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskState {
    /// Keyed digest of what the task was then.
    pub fingerprint: String,
    /// Phase.
    pub phase: Phase,
    /// Reason.
    pub reason: Option<Reason>,
    /// For people.
    pub message: Option<String>,
    /// The regulation.
    pub regulation: Option<Regulation>,
    /// When the request was received.
    pub received_at: Timestamp,
    /// When it must be done.
    pub due: Timestamp,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it reached its final phase.
    pub finished_at: Option<Timestamp>,
    /// Its package.
    pub package: Option<PackageRecord>,
    /// What was done.
    pub counts: TaskCounts,
}

/// A package that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageRecord {
    /// URL or path, as `status` shows it.
    pub location: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// When it was compiled.
    pub compiled_at: Timestamp,
    /// When it is deleted.
    pub expires_at: Timestamp,
    /// It has been deleted.
    #[serde(default)]
    pub expired: bool,
}

/// Counts of a task; unknown counts are `None`, never 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskCounts {
    /// Rows matched as a person.
    pub person_rows: Option<u64>,
    /// Rows matched as a device only.
    pub device_rows: Option<u64>,
    /// Datasets searched.
    pub datasets_searched: Option<u64>,
    /// Files searched.
    pub files_searched: Option<u64>,
    /// Rows searched.
    pub rows_searched: Option<u64>,
    /// Rows in which a cell changed, or that went.
    pub rows_erased: Option<u64>,
    /// Cells that changed.
    pub cells_erased: Option<u64>,
    /// Files rewritten.
    pub files_touched: Option<u64>,
}

/// One line of `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRef,
    /// Data sources in which something was found, sorted.
    pub sources: Vec<String>,
    /// When the request was received.
    pub requested_at: Timestamp,
    /// When it was handled; `None` while it is not.
    pub handled_at: Option<Timestamp>,
    /// `Ready`, `InProgress`, `Expired`, `Failed` or `Done`.
    pub status: HistoryStatus,
    /// Where the package lies.
    pub package: Option<String>,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// The task of a history line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRef {
    /// The request.
    pub request: Name,
    /// The block.
    pub key: Option<String>,
    /// The action.
    pub action: Option<crate::model::Action>,
}

/// RULES.md section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryStatus {
    /// The package can be fetched.
    Ready,
    /// Not done yet.
    InProgress,
    /// The package was deleted at its expiry.
    Expired,
    /// It failed.
    Failed,
    /// Erased, or nothing to hand out.
    Done,
}
