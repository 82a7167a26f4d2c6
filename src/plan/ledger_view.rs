//! What the ledger says has been done: the fold of all its records. Made by the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Name, Phase, Reason, Regulation, TaskId};

use super::Failure;

/// The state of everything, as of the newest commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerView {
    /// Number of the newest commit; 0: the ledger is empty.
    pub seq: u64,
    /// Number of the newest commit that says more than that somebody looked at data: plans rest on it.
    pub basis: u64,
    /// The latest time at which a commit was made; a clock that shows less has gone back.
    pub latest: Option<Timestamp>,
    /// When each request was first seen.
    pub requests: BTreeMap<Name, Timestamp>,
    /// Keyed digest of each request's file, as it was last seen.
    pub request_digests: BTreeMap<Name, String>,
    /// The newest state of each task.
    pub tasks: BTreeMap<TaskId, TaskState>,
    /// Fingerprints that a delete had when it was begun and not finished, before its request became another:
    /// what it had found by then is still remembered (RULES.md section 5).
    pub interrupted: BTreeMap<TaskId, BTreeSet<String>>,
    /// Exports and deletions, in the order in which they were recorded.
    pub history: Vec<HistoryEntry>,
    /// Datasets that any pass knew.
    pub datasets: BTreeSet<Name>,
    /// Holds that any pass knew.
    pub holds: BTreeSet<Name>,
    /// Datasets of which an erasure deleted the last file (RULES.md section 5), until a pass saw files again:
    /// that nothing is there is right.
    pub emptied: BTreeSet<Name>,
    /// Packages, by location, that were written and not yet recorded as deleted: also those of tasks
    /// that have been re-opened since.
    pub packages: BTreeMap<String, (TaskId, PackageRecord)>,
    /// Locations at which a task that has begun meant to put a package, without an outcome yet: a
    /// file there may be what a crash left behind.
    pub intended_packages: BTreeMap<String, TaskId>,
    /// Erasures of files, by [`FileErase::file`], that were begun and have no outcome yet: a crash lies
    /// between.
    pub unsettled: BTreeMap<String, FileErase>,
    /// Files, by [`FileErase::file`], as the newest erasure left them, with what was erased in them that
    /// their data cannot tell.
    pub settled: BTreeMap<String, SettledFile>,
    /// Files, by [`FileErase::file`], as the newest erasure left them, with the rows that count no more when
    /// tasks that are not done come back to them.
    pub counted: BTreeMap<String, CountedFile>,
}

/// A file as an erasure left it, and the rows that have been counted in it for tasks that are not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedFile {
    /// Keyed digest of the footer that it was given: with another it is another writer's.
    pub footer: String,
    /// The rows.
    pub tasks: Vec<CountedRows>,
}

/// Rows of one file that have been counted as erased for a task that will come back to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountedRows {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRef,
    /// The rows ([`super::Runs`]) by their positions in the file as it was left, sealed under the deployment
    /// key, in hex.
    pub rows: String,
}

impl LedgerView {
    /// Whether something was erased for a task, or may have been, and it is not finished.
    pub fn is_begun(&self, id: &TaskId, task: &TaskState) -> bool {
        let is_its = |file: &FileErase| file.tasks.iter().any(|of| TaskId::from(&of.task) == *id);
        !task.phase.is_final() && (task.erased.rows > 0 || self.unsettled.values().any(is_its))
    }

    /// The fingerprints under which a delete was begun and not finished, the present one included.
    pub fn begun_as(&self, id: &TaskId) -> impl Iterator<Item = &String> {
        let open = self.tasks.get(id).filter(|task| self.is_begun(id, task));
        let interrupted = self.interrupted.get(id).into_iter().flatten();
        interrupted.chain(open.map(|task| &task.fingerprint))
    }
}

/// A file as an erasure left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledFile {
    /// Keyed digest of the footer that it was given: with another it is another writer's.
    pub footer: String,
    /// What has been erased in it.
    pub cells: Vec<SettledCells>,
}

/// Cells of one leaf of one file, erased for a task by a method whose result looks like any other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettledCells {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRef,
    /// What the task was then.
    pub fingerprint: String,
    /// The leaf's path.
    pub field: String,
    /// Keyed digest of which rows and elements, by their positions in the file as it was left.
    pub cells: String,
}

/// The erasure of one file, as the ledger records it before the file is swapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileErase {
    /// The dataset.
    pub dataset: Name,
    /// The path to show; partition values of ID and `pii` columns are `***`.
    pub path: String,
    /// Keyed digest of the full path: what recovery finds the file by.
    pub file: String,
    /// Keyed digest of the old footer ([`super::FileStamp::footer`]): its statistics hold values.
    pub before: String,
    /// Keyed digest of the staged footer; `None` where the file is deleted.
    pub after: Option<String>,
    /// The file is deleted, and with it, or with others of the same pass, the dataset's last one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empties: bool,
    /// What each task changes in it.
    pub tasks: Vec<FileEraseTask>,
    /// What will have been erased in it that its data cannot tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<SettledCells>,
    /// Rows that will have been counted in it, of tasks that are not done with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<CountedRows>,
}

/// What one task changes in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileEraseTask {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRef,
    /// Rows in which a cell changes, or that go.
    pub rows_erased: u64,
    /// Cells that change.
    pub cells_erased: u64,
    /// Of those rows, the ones that an earlier erasure of the task has counted: something of them was held.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_again: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's form
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What file outcomes have added up to since a task began: an interrupted task resumes from here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows in which a cell changed, or that went.
    pub rows: u64,
    /// Cells that changed.
    pub cells: u64,
    /// Files rewritten or deleted.
    pub files: u64,
}

/// The newest state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskState {
    /// Keyed digest of what the task was then; empty where it was too broken to have one.
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
    /// What the erased files add up to since the task was submitted, or begun again after its end.
    pub erased: Erased,
    /// Datasets in which something was erased for it since it was submitted, its earlier lives as a standing
    /// one included.
    pub erased_in: BTreeSet<Name>,
    /// The attempts that failed, where the newest one has.
    pub failure: Option<Failure>,
    /// Data sources in which something was found, sorted.
    pub sources: Vec<String>,
    /// Datasets that `only` or `include` left out, by name.
    pub left_out: Vec<Name>,
    /// Whether the outcome was read again and proved; `None`: there was nothing to prove.
    pub verified: Option<bool>,
    /// Digest of the rules under which it was completed ([`super::erasure_rules`]); `None`: it is no
    /// erasure, or older than that.
    pub rules: Option<String>,
}

impl TaskState {
    /// A task that was submitted, and of which nothing has been done.
    pub fn submitted(
        fingerprint: impl Into<String>,
        received_at: Timestamp,
        due: Timestamp,
    ) -> Self {
        Self {
            fingerprint: fingerprint.into(),
            phase: Phase::Submitted,
            reason: None,
            message: None,
            regulation: None,
            received_at,
            due,
            started_at: None,
            finished_at: None,
            package: None,
            counts: TaskCounts::default(),
            erased: Erased::default(),
            erased_in: BTreeSet::new(),
            failure: None,
            sources: Vec::new(),
            left_out: Vec::new(),
            verified: None,
            rules: None,
        }
    }

    /// Whether something has been erased for the task as it is now, be it in an earlier life of a standing
    /// one; `fingerprint` says what it is now, `None` where nobody can tell.
    pub fn has_erased(&self, fingerprint: Option<&str>) -> bool {
        fingerprint.is_none_or(|now| now == self.fingerprint)
            && !matches!(self.phase, Phase::Rejected | Phase::Cancelled)
            && self.erased.rows > 0
    }
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

/// A task as records and history lines name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRef {
    /// The request.
    pub request: Name,
    /// The block.
    pub key: Option<String>,
    /// The action.
    pub action: Option<crate::model::Action>,
}

impl From<&TaskRef> for TaskId {
    fn from(task: &TaskRef) -> Self {
        Self { request: task.request.clone(), key: task.key.clone(), action: task.action }
    }
}

impl From<&TaskId> for TaskRef {
    fn from(task: &TaskId) -> Self {
        Self { request: task.request.clone(), key: task.key.clone(), action: task.action }
    }
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
