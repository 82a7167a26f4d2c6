//! The plan as a document: exact, immutable, without an identity or a cell value in it
//! (CONTRACT.md section 2). `apply` reports the same shape with what was measured.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Action, Name, Phase, Reason};

/// A finished plan.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// SHA-256, in hex, over the inputs and tasks.
    pub plan_id: String,
    /// What it rests on.
    pub inputs: PlanInputs,
    /// By request name, then position in the file, access before delete.
    pub tasks: Vec<PlannedTask>,
    /// Sums over `tasks`.
    pub totals: Totals,
    /// What a reader should know beyond the counts: orphaned requests, retired datasets, ignored keys.
    pub notes: Vec<String>,
}

/// What a plan rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanInputs {
    /// SHA-256 over the policy files.
    pub policies: String,
    /// Keyed digest over the request files; `None` without the deployment key.
    pub requests: Option<String>,
    /// By name.
    pub datasets: Vec<DatasetInput>,
    /// Number of the newest ledger commit; 0: none.
    pub ledger: u64,
}

/// What a plan saw of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetInput {
    /// The dataset.
    pub dataset: Name,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// Digest over names, sizes, versions and footers.
    pub digest: String,
}

/// One task of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTask {
    /// The request.
    pub request: Name,
    /// The block; `None` for a request that was rejected as a whole.
    pub key: Option<String>,
    /// The action; `None` where unknown.
    pub action: Option<Action>,
    /// The phase that the task is in before `apply` (`Submitted`: it will run), after it in a report.
    pub phase: Phase,
    /// Why.
    pub reason: Option<Reason>,
    /// For people: what stands in the way, or what to do; no identity in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Keyed digest of what the task is; `None` without the deployment key.
    pub fingerprint: Option<String>,
    /// What it would do ([`crate::model::EffectId`]): an Approval names it. Of tasks that would erase, or that a limit stops;
    /// `None` without the deployment key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_id: Option<String>,
    /// When it must be done.
    pub due: Option<Timestamp>,
    /// How many identities were given and added, by namespace.
    pub identities: Vec<IdentityCount>,
    /// Datasets searched, by name: those in which nothing was found are listed too.
    pub datasets: Vec<TaskDataset>,
}

impl PlannedTask {
    /// Whether it would run, and waits for somebody to approve what it would do.
    pub fn needs_approval(&self) -> bool {
        self.reason == Some(Reason::NeedsApproval)
            && self.datasets.iter().any(|dataset| dataset.rows_erased > 0)
    }

    /// Takes back what it would have erased: what was found stays.
    pub fn without_erasure(&mut self) {
        for dataset in &mut self.datasets {
            dataset.fields.clear();
            (dataset.rows_erased, dataset.files_touched) = (0, 0);
            (dataset.row_groups_touched, dataset.bytes_touched) = (0, 0);
            for file in &mut dataset.files {
                (file.rows_erased, file.cells_erased) = (0, 0);
                (file.row_groups_touched, file.bytes_touched) = (0, 0);
            }
        }
    }
}

/// Identities of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityCount {
    /// The namespace.
    pub namespace: String,
    /// In the request.
    pub given: u64,
    /// Added by expansion.
    pub expanded: u64,
}

/// What a task finds and does in one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDataset {
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
    /// Rows in which a cell changes, or that go.
    pub rows_erased: u64,
    /// Files with a matched row, by path.
    pub files: Vec<TaskFile>,
    /// Files of the dataset that were searched.
    pub files_searched: u64,
    /// Rows of the dataset that were searched.
    pub rows_searched: u64,
    /// Files that are rewritten.
    pub files_touched: u64,
    /// Row groups with a rewritten chunk.
    pub row_groups_touched: u64,
    /// Compressed bytes of the rewritten chunks.
    pub bytes_touched: u64,
    /// Per erased field.
    pub fields: Vec<FieldCount>,
    /// What is kept, and why.
    pub retained: Vec<Retained>,
}

/// One file of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFile {
    /// Its path, with ID and `pii` partition values as `***`.
    pub path: String,
    /// Rows that matched.
    pub rows: u64,
    /// Rows in which a cell changes, or that go.
    pub rows_erased: u64,
    /// Cells that change.
    pub cells_erased: u64,
    /// Row groups with a rewritten chunk.
    pub row_groups_touched: u64,
    /// Compressed bytes of the rewritten chunks.
    pub bytes_touched: u64,
}

/// Cells of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldCount {
    /// The leaf's path.
    pub path: String,
    /// The method; `row` where the whole row goes.
    pub method: String,
    /// Non-null values that change.
    pub cells: u64,
}

/// Cells that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retained {
    /// The leaf's path; `*` for whole rows (then `cells` counts rows).
    pub path: String,
    /// Non-null values.
    pub cells: u64,
    /// Why.
    pub why: String,
}

/// Sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Access tasks that will write a package.
    pub exports: u64,
    /// Delete tasks that will erase something.
    pub erasures: u64,
    /// Rows.
    pub rows_erased: u64,
    /// Cells.
    pub cells_erased: u64,
    /// Distinct files rewritten.
    pub files_touched: u64,
    /// Compressed bytes of rewritten chunks, each chunk once.
    pub bytes_touched: u64,
    /// Bytes of all datasets looked at.
    pub bytes_total: u64,
    /// Tasks that are blocked.
    pub blocked: u64,
}
