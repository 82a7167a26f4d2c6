//! Pure planning: catalog + inventory + matches + ledger view + now → plan.

mod blocks;
mod branch;
mod check_data;
pub mod coverage;
mod diff;
mod document;
mod draft;
mod effect;
mod finish;
mod found;
mod guard;
mod hits;
mod inventory;
mod ledger_view;
mod mask;
#[cfg(test)]
pub(crate) mod measuring;
mod reach;
mod resolve;
mod retry;
mod rules;
mod runs;
mod search;
#[cfg(test)]
pub(crate) mod testing;
mod work;

pub use blocks::DatasetBlocks;
pub use branch::{Comparison, Side, TaskChange, compare, task_id};
pub use check_data::{blocking, check_data};
pub use diff::moved;
pub use document::{
    DatasetInput, FieldCount, IdentityCount, Plan, PlanInputs, PlannedTask, Retained, TaskDataset,
    TaskFile, Totals,
};
pub use draft::{
    Draft, DraftDataset, DraftTask, Evidence, OpenBlock, Purpose, Situation, Standing, Triage,
    TriagedTask, draft, held_requests, reachable, to_search, triage, unread,
};
pub use effect::{Approved, Grants, grants};
pub use finish::finish;
pub use found::{BlockFound, BlockRef, DatasetFound, FoundHit, FoundRow};
pub use guard::{Broken, guard_draft, guard_plan};
pub use hits::{Element, Hit, Identities, IdentityId, Probe, ProbeLeaf, RowKey, RowValue};
pub use inventory::{
    DataFile, DatasetFiles, FileProblem, FileStamp, FileTrace, Hindrance, Inventory, LeafForm,
    OwnLeaf, RowGroup,
};
pub use ledger_view::{
    CountedFile, CountedRows, Erased, FileErase, FileEraseTask, HistoryEntry, HistoryStatus,
    LedgerView, PackageRecord, SettledCells, SettledFile, TaskCounts, TaskRef, TaskState,
};
pub use mask::{MaskFault, mask, mask_in, takes};
pub use reach::{reach, same_party};
pub use resolve::{Resolved, ResolvedLeaf};
pub use retry::{Cause, Failure, FailureKind, wait};
pub use rules::erasure_rules;
pub use runs::Runs;
pub use search::{Search, SearchBlock, Step, ValuesWanted};
pub use work::{
    AccessColumn, AccessDataset, AccessRow, AccessWork, CellWork, EraseKeys, FileCounts,
    FileTaskCounts, FileWork, LeafWork, Mask, Reach, TaskIndex,
};
