//! The draft: what every task is and does, decided once and for all (RULES.md sections 3 to 6).
//!
//! Before the search, [`triage`] says which tasks are open and which blocks must be searched; after it,
//! [`draft`] decides each task's phase and makes the work of access and erasure. What only the data can
//! tell (how many cells change) is measured by the engine; [`crate::plan::finish`] then makes the plan.
//! Guarantees: pure and deterministic; a task that is blocked, rejected or failed has no work.

mod access;
mod erase;
mod holds;
mod limits;
mod needs;
mod tasks;
mod triage;
mod veiled;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Catalog, FieldPath, Name, Phase, Reason, Regulation, Request, TaskId};

use super::{
    AccessWork, Approved, BlockFound, BlockRef, Cause, DatasetBlocks, FileWork, IdentityCount,
    Inventory, LedgerView,
};

pub use holds::held_requests;
pub use needs::reachable;
pub use tasks::draft;
pub use triage::{OpenBlock, Purpose, Triage, TriagedTask, to_search, triage};
pub use veiled::unread;

/// What tasks are decided from.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The policies, without errors.
    pub catalog: &'a Catalog,
    /// The requests of the pass, rejected ones included; [`BlockRef::request`] is an index into it.
    pub requests: &'a [Request],
    /// What has been done.
    pub ledger: &'a LedgerView,
    /// Keyed digest of what each task is; empty without the deployment key.
    pub fingerprints: &'a BTreeMap<TaskId, String>,
    /// Failed tasks that wait for their next try; empty where everything is to be tried.
    pub waiting: &'a BTreeSet<TaskId>,
    /// The pass's clock.
    pub now: Timestamp,
}

/// What the data said.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The files.
    pub inventory: &'a Inventory,
    /// Faults of the data that make tasks fail ([`crate::plan::blocking`]).
    pub blocks: &'a BTreeMap<Name, DatasetBlocks>,
    /// What the search found, for every block that [`to_search`] names. For a block that is searched
    /// only because it is `standing`, rows whose cells are all in erased form are at rest.
    pub found: &'a [BlockFound],
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Phase; `Submitted`: it will run.
    pub phase: Phase,
    /// Why.
    pub reason: Option<Reason>,
    /// For people; no identity in it.
    pub message: Option<String>,
    /// What a failed attempt failed on; `None` where none was made now.
    pub cause: Option<Cause>,
}

impl Standing {
    pub(super) fn new(phase: Phase, reason: Reason, message: impl Into<String>) -> Self {
        Self { phase, reason: Some(reason), message: Some(message.into()), cause: None }
    }

    /// An attempt that failed because data cannot be read, or not as the policy says.
    pub(super) fn unreadable(message: impl Into<String>, cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::new(Phase::Failed, Reason::DataUnreadable, message) }
    }

    pub(super) const fn submitted() -> Self {
        Self { phase: Phase::Submitted, reason: None, message: None, cause: None }
    }
}

/// The tasks of a pass, and the work of those that run.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// By request name, then position in the file, access before delete; [`crate::plan::TaskIndex`] is an
    /// index into it. Orphaned tasks stand last.
    pub tasks: Vec<DraftTask>,
    /// The packages, by task.
    pub access: Vec<AccessWork>,
    /// The erasures, by dataset name and file; files in which nothing is to be done are left out.
    pub erase: Vec<FileWork>,
    /// What a reader should know beyond the tasks.
    pub notes: Vec<String>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftTask {
    /// Which.
    pub id: TaskId,
    /// Its block; `None` for a request that was rejected as a whole and for an orphaned task.
    pub block: Option<BlockRef>,
    /// Where it stands before `apply`. A delete that a hold keeps in part is `Blocked`, `Held`, and runs.
    pub standing: Standing,
    /// Whether `apply` does something for it: writes its package, erases, or records that nothing was
    /// found.
    pub runs: bool,
    /// What it ends with if all goes well; `None` where it does not run. A delete of which the finished
    /// plan says `Blocked`, `Held` ends as that.
    pub outcome: Option<Reason>,
    /// Keyed digest of what it is.
    pub fingerprint: Option<String>,
    /// Which effects of it have been approved; `None` where it needs no approval.
    pub approved: Option<Vec<Approved>>,
    /// The regulation.
    pub regulation: Option<Regulation>,
    /// When it was received, or first seen.
    pub received_at: Timestamp,
    /// When it must be done.
    pub due: Timestamp,
    /// Identities by namespace.
    pub identities: Vec<IdentityCount>,
    /// The datasets that were searched, by name.
    pub datasets: Vec<DraftDataset>,
    /// Datasets that `only` or `include` left out, by name.
    pub left_out: Vec<Name>,
}

/// What a task found in one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftDataset {
    /// The dataset.
    pub dataset: Name,
    /// Its product.
    pub product: String,
    /// Its data source.
    pub source: String,
    /// Rows that matched as a person.
    pub person_rows: u64,
    /// Rows that matched as a device only.
    pub device_rows: u64,
    /// Matched rows by file (index into the dataset's files); files without one are left out.
    pub files: BTreeMap<u32, u64>,
    /// Files searched.
    pub files_searched: u64,
    /// Rows searched.
    pub rows_searched: u64,
    /// Whole rows that a hold keeps from this task, by hold.
    pub held_rows: BTreeMap<String, u64>,
    /// Leaves of which a hold keeps cells from this task, with the hold as the work's `Retain` entries
    /// show it.
    pub held_leaves: Vec<(FieldPath, String)>,
}

impl DraftTask {
    /// Rows that matched, in all datasets.
    pub fn rows(&self) -> u64 {
        self.datasets.iter().map(|dataset| dataset.person_rows + dataset.device_rows).sum()
    }

    /// Whether a hold keeps something from it.
    pub fn is_held(&self) -> bool {
        self.datasets
            .iter()
            .any(|dataset| !dataset.held_rows.is_empty() || !dataset.held_leaves.is_empty())
    }
}
