//! The finished plan: the draft with what the engine measured (CONTRACT.md section 2, `plan`).
//!
//! Guarantees: the same draft, counts and inputs give the same document and the same `planId`, whatever
//! the clock says; no identity and no cell value is in it.

#[cfg(test)]
#[path = "finish_tests.rs"]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::{Action, EraseMethod, FieldPath, Name, Phase, Reason, hex};

use super::guard::Broken;
use super::{
    DatasetFiles, DatasetInput, Draft, DraftDataset, DraftTask, FieldCount, FileCounts, FileWork,
    Inventory, Mask, Plan, PlanInputs, PlannedTask, Retained, TaskDataset, TaskFile, TaskIndex,
    Totals, effect,
};

/// What stands in place of a path where whole rows are meant.
const WHOLE_ROW: &str = "*";
/// The method shown for rows that go.
const ROW_METHOD: &str = "row";

impl PlanInputs {
    /// What a plan rests on: the digest of the policy files, the keyed digest of the request files, the
    /// data, and the number of the newest ledger commit.
    pub fn new(
        policies: String,
        requests: Option<String>,
        inventory: &Inventory,
        ledger: u64,
    ) -> Self {
        let dataset = |files: &DatasetFiles| DatasetInput {
            dataset: files.dataset.clone(),
            files: count(files.files.len()),
            bytes: files.bytes(),
            rows: files.rows(),
            digest: files.digest.clone(),
        };
        Self {
            policies,
            requests,
            datasets: inventory.datasets.values().map(dataset).collect(),
            ledger,
        }
    }
}

impl Plan {
    /// Whether `apply` would do anything: a task runs, be it to record that nothing matches.
    pub fn has_changes(&self) -> bool {
        self.totals.rows_erased > 0 || self.tasks.iter().any(|task| task.phase == Phase::Submitted)
    }
}

/// Makes the plan. `counts` are the engine's, one for each entry of [`Draft::erase`], in its order.
///
/// # Errors
/// [`Broken`] where draft, counts and inventory do not belong together.
pub fn finish(
    draft: &Draft,
    counts: &[FileCounts],
    inventory: &Inventory,
    inputs: PlanInputs,
) -> Result<Plan, Broken> {
    let measured = Measured::new(draft, counts)?;
    let tasks: Vec<PlannedTask> = (0..TaskIndex::MAX)
        .zip(&draft.tasks)
        .map(|(index, task)| measured.task(index, task, inventory))
        .collect();
    let totals = totals(draft, &tasks, counts, inventory);
    let plan_id = plan_id(&inputs, &tasks, &totals)?;
    Ok(Plan { plan_id, inputs, tasks, totals, notes: draft.notes.clone() })
}

/// The engine's counts, by dataset, file and task.
struct Measured<'a> {
    files: HashMap<(&'a Name, &'a Path), (&'a FileWork, &'a FileCounts)>,
}

impl<'a> Measured<'a> {
    fn new(draft: &'a Draft, counts: &'a [FileCounts]) -> Result<Self, Broken> {
        if draft.erase.len() != counts.len() {
            return Err(Broken::new("not every file's erasure was measured"));
        }
        let mut files = HashMap::new();
        for (work, counts) in draft.erase.iter().zip(counts) {
            if counts.tasks.iter().any(|task| task.cells.len() != work.leaves.len()) {
                return Err(Broken::new("a file's counts are not those of its work"));
            }
            if files.insert((&work.dataset, work.path.as_path()), (work, counts)).is_some() {
                return Err(Broken::new("a file has two erasures"));
            }
        }
        Ok(Self { files })
    }

    fn task(&self, index: TaskIndex, task: &DraftTask, inventory: &Inventory) -> PlannedTask {
        let datasets: Vec<TaskDataset> = task
            .datasets
            .iter()
            .map(|dataset| self.dataset(index, dataset, inventory.datasets.get(&dataset.dataset)))
            .collect();
        let standing = &task.standing;
        let mut planned = PlannedTask {
            request: task.id.request.clone(),
            key: task.id.key.clone(),
            action: task.id.action,
            phase: standing.phase,
            reason: standing.reason,
            message: standing.message.clone(),
            fingerprint: task.fingerprint.clone(),
            effect_id: None,
            due: Some(task.due),
            identities: task.identities.clone(),
            datasets,
        };
        let erases = planned.datasets.iter().any(|dataset| dataset.rows_erased > 0);
        if planned.phase == Phase::Failed && erases {
            planned.reason = Some(Reason::PartiallyCompleted);
        }
        // A hold that keeps nothing but nulls does not stand in the way.
        if task.is_held() && standing.reason == Some(Reason::Held) && !keeps(task, &planned) {
            (planned.phase, planned.reason, planned.message) = (Phase::Submitted, None, None);
        }
        effect::judge(index, task, &mut planned, self.files.values().map(|(work, _)| *work));
        planned
    }

    fn dataset(
        &self,
        index: TaskIndex,
        dataset: &DraftDataset,
        files: Option<&DatasetFiles>,
    ) -> TaskDataset {
        let mut sums = Sums::default();
        let mut listed = Vec::new();
        for (file, rows) in &dataset.files {
            let known = files.zip(usize::try_from(*file).ok());
            let Some(known) = known.and_then(|(files, index)| files.files.get(index)) else {
                continue;
            };
            let mut shown = TaskFile {
                path: known.shown.clone(),
                rows: *rows,
                rows_erased: 0,
                cells_erased: 0,
                row_groups_touched: 0,
                bytes_touched: 0,
            };
            if let Some((work, counts)) = self.files.get(&(&dataset.dataset, known.path.as_path()))
            {
                sums.add(index, work, counts, &mut shown);
            }
            listed.push(shown);
        }
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        let sum = |value: fn(&TaskFile) -> u64| listed.iter().map(value).sum();
        TaskDataset {
            dataset: dataset.dataset.clone(),
            product: dataset.product.clone(),
            source: dataset.source.clone(),
            person_rows: dataset.person_rows,
            device_rows: dataset.device_rows,
            rows_erased: sum(|file| file.rows_erased),
            files_searched: dataset.files_searched,
            rows_searched: dataset.rows_searched,
            files_touched: sum(|file| u64::from(file.row_groups_touched > 0)),
            row_groups_touched: sum(|file| file.row_groups_touched),
            bytes_touched: sum(|file| file.bytes_touched),
            fields: sums.fields(),
            retained: sums.retained(dataset),
            files: listed,
        }
    }
}

/// Whether a hold keeps a row or a non-null value from the task.
fn keeps(task: &DraftTask, planned: &PlannedTask) -> bool {
    task.datasets.iter().zip(&planned.datasets).any(|(draft, planned)| {
        let held = |retained: &Retained| {
            draft
                .held_leaves
                .iter()
                .any(|(path, why)| retained.why == *why && retained.path == path.to_string())
        };
        !draft.held_rows.is_empty() || planned.retained.iter().any(held)
    })
}

/// Sums of one task in one dataset.
#[derive(Default)]
struct Sums<'a> {
    rows_removed: u64,
    cells: BTreeMap<(&'a FieldPath, EraseMethod), u64>,
    kept: BTreeMap<(&'a FieldPath, &'a str), u64>,
}

impl<'a> Sums<'a> {
    fn add(
        &mut self,
        index: TaskIndex,
        work: &'a FileWork,
        counts: &FileCounts,
        shown: &mut TaskFile,
    ) {
        for task in counts.tasks.iter().filter(|task| task.task == index) {
            shown.rows_erased += task.rows_erased;
            shown.row_groups_touched += task.row_groups;
            shown.bytes_touched += task.bytes;
            self.rows_removed += task.rows_removed;
            for (leaf, cells) in
                work.leaves.iter().zip(&task.cells).filter(|(_, cells)| **cells > 0)
            {
                if let Mask::Retain { why } = &leaf.mask {
                    *self.kept.entry((&leaf.path, why)).or_default() += cells;
                } else {
                    shown.cells_erased += cells;
                    *self.cells.entry((&leaf.path, leaf.mask.method())).or_default() += cells;
                }
            }
        }
    }

    fn fields(&self) -> Vec<FieldCount> {
        let whole = (self.rows_removed > 0).then(|| FieldCount {
            path: WHOLE_ROW.to_owned(),
            method: ROW_METHOD.to_owned(),
            cells: self.rows_removed,
        });
        let fields = self.cells.iter().map(|((path, method), cells)| FieldCount {
            path: path.to_string(),
            method: method.as_str().to_owned(),
            cells: *cells,
        });
        whole.into_iter().chain(fields).collect()
    }

    fn retained(&self, dataset: &DraftDataset) -> Vec<Retained> {
        let rows = dataset.held_rows.iter().map(|(why, rows)| Retained {
            path: WHOLE_ROW.to_owned(),
            cells: *rows,
            why: why.clone(),
        });
        let cells = self.kept.iter().map(|((path, why), cells)| Retained {
            path: path.to_string(),
            cells: *cells,
            why: (*why).to_owned(),
        });
        rows.chain(cells).collect()
    }
}

fn totals(
    draft: &Draft,
    tasks: &[PlannedTask],
    counts: &[FileCounts],
    inventory: &Inventory,
) -> Totals {
    let will = |task: &&PlannedTask| !task.needs_approval();
    let erases = |task: &&PlannedTask| task.datasets.iter().any(|d| d.rows_erased > 0);
    let cells = |task: &PlannedTask| -> u64 {
        task.datasets.iter().flat_map(|d| &d.files).map(|file| file.cells_erased).sum()
    };
    let exports =
        |task: &&DraftTask| task.runs && task.id.action == Some(Action::Access) && task.rows() > 0;
    let waits = |task: TaskIndex| tasks.get(task as usize).is_some_and(PlannedTask::needs_approval);
    // Of files that only tasks without an approval would touch, nothing is.
    let touched = counts.iter().filter(|counts| {
        counts.row_groups > 0 && counts.tasks.iter().any(|task| !waits(task.task))
    });
    Totals {
        exports: count(draft.tasks.iter().filter(exports).count()),
        erasures: count(tasks.iter().filter(will).filter(erases).count()),
        rows_erased: tasks
            .iter()
            .filter(will)
            .flat_map(|task| &task.datasets)
            .map(|d| d.rows_erased)
            .sum(),
        cells_erased: tasks.iter().filter(will).map(cells).sum(),
        files_touched: count(touched.clone().count()),
        bytes_touched: touched.map(|counts| counts.bytes).sum(),
        bytes_total: inventory.datasets.values().map(DatasetFiles::bytes).sum(),
        blocked: count(tasks.iter().filter(|task| task.phase == Phase::Blocked).count()),
    }
}

impl Plan {
    /// Whether it is as it was made: inputs, tasks and totals are those that its id was made from.
    pub fn has_own_id(&self) -> bool {
        plan_id(&self.inputs, &self.tasks, &self.totals).is_ok_and(|id| id == self.plan_id)
    }
}

/// SHA-256 over inputs, tasks and totals, but for the due dates: a request without `receivedAt` counts from when
/// it was first seen, which moves with the clock until a pass has recorded it.
fn plan_id(inputs: &PlanInputs, tasks: &[PlannedTask], totals: &Totals) -> Result<String, Broken> {
    let timeless: Vec<PlannedTask> =
        tasks.iter().map(|task| PlannedTask { due: None, ..task.clone() }).collect();
    let bytes = serde_json::to_vec(&(inputs, timeless, totals))
        .map_err(|_| Broken::new("the plan cannot be written as JSON"))?;
    Ok(hex(&Sha256::digest(&bytes)))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
