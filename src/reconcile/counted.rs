//! Rows that count once although a task comes back to them: what a hold keeps of a row is erased when it
//! lapses, and the row was counted when the rest went (RULES.md section 5, "Counts"). The data cannot tell
//! which rows those are, so the ledger remembers them, file by file, for tasks that are not done.
//!
//! Guarantees: rows are remembered only for the file, byte for byte, that an erasure of ours left. They are
//! sealed under the deployment key: whoever reads the ledger and the data does not learn whose rows they
//! are.

use std::collections::BTreeMap;

use crate::model::{Phase, Reason, TaskId};
use crate::plan::{CountedRows, FileCounts, FileWork, LedgerView, PlannedTask, Runs, TaskIndex};
use crate::store::{DeploymentKey, StoreError};

use super::pass::Outlook;
use super::record::task_ref;

/// What is counted of one file.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Rows of each task that an earlier erasure has counted.
    pub(super) again: BTreeMap<TaskIndex, u64>,
    /// What will have been counted in the file once it is swapped, for tasks that will come back.
    pub(super) after: Vec<CountedRows>,
}

/// What an erasure of a file adds to what was counted in it.
///
/// # Errors
/// The system gives no random numbers.
pub(super) fn counted(
    work: &FileWork,
    counts: &FileCounts,
    outlook: &Outlook,
    view: &LedgerView,
    key: &DeploymentKey,
) -> Result<Counted, StoreError> {
    let file = key.file(&work.path);
    let mut earlier: BTreeMap<TaskId, Runs> = BTreeMap::new();
    let known = view.counted.get(&file);
    let known = known.filter(|known| known.footer == key.footer(&work.stamp.footer));
    for part in known.into_iter().flat_map(|known| &known.tasks) {
        let id = TaskId::from(&part.task);
        let rows = key.unseal(&name(&file, &id), &part.rows);
        if let Some(rows) = rows.and_then(|rows| Runs::from_bytes(&rows)) {
            earlier.insert(id, rows);
        }
    }
    let removed: Vec<u64> = work.removed.iter().map(|(row, _)| *row).collect();
    let (mut all, mut left) = (Counted::default(), BTreeMap::new());
    for task in counts.tasks.iter().filter(|task| task.rows_erased > 0) {
        let at = task.task as usize;
        let (Some(draft), Some(planned)) =
            (outlook.draft.tasks.get(at), outlook.plan.tasks.get(at))
        else {
            continue;
        };
        let known = earlier.remove(&draft.id).unwrap_or_default();
        all.again.insert(task.task, task.rows.shared(&known));
        if comes_back(planned) {
            left.insert(draft.id.clone(), task.rows.joined(&known, &removed));
        }
    }
    // Of tasks that have nothing to do in the file now.
    let open = |id: &TaskId| view.tasks.get(id).is_some_and(|known| !known.phase.is_final());
    for (id, rows) in earlier.into_iter().filter(|(id, _)| open(id)) {
        left.insert(id, rows.joined(&Runs::default(), &removed));
    }
    for (id, rows) in left.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let rows = key.seal(&name(&file, &id), &rows.to_bytes())?;
        all.after.push(CountedRows { task: task_ref(&id), rows });
    }
    Ok(all)
}

/// What rows of a task in a file are sealed under.
fn name<'a>(file: &'a str, id: &'a TaskId) -> [&'a [u8]; 5] {
    let key = id.key.as_deref().unwrap_or_default();
    let action = id.action.map_or("", |action| action.as_str());
    let request = id.request.as_str();
    [b"counted rows", file.as_bytes(), request.as_bytes(), key.as_bytes(), action.as_bytes()]
}

/// Whether the task is not done when this pass has done all of it that it can.
fn comes_back(planned: &PlannedTask) -> bool {
    planned.reason == Some(Reason::Held) || planned.phase == Phase::Failed
}
