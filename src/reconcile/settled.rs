//! Erasures whose result looks like any other value (`hmac`, and pseudonyms of numbers, binary and AAID):
//! the data cannot tell that they have been done, so the ledger remembers it, file by file. Without that
//! a task that is held, standing or interrupted would erase its own pseudonyms again.
//!
//! Guarantees: cells are only ever left out where the file is byte for byte the one that an erasure of
//! ours left, and where this very task erased exactly these rows and elements of it.

use std::collections::BTreeMap;

use crate::model::{LeafType, TaskId};
use crate::plan::{
    CellWork, DatasetFiles, Draft, FileWork, Inventory, LeafWork, LedgerView, Mask, Reach,
    SettledCells, TaskIndex,
};
use crate::store::DeploymentKey;

use super::record::task_ref;

/// Whether data that has been masked can be told from data that has not; what is kept is never masked.
pub(super) fn shows(leaf: &LeafWork, files: Option<&DatasetFiles>) -> bool {
    let known = files.and_then(|files| files.leaves.iter().find(|known| known.path == leaf.path));
    let unknown = LeafType::Other(String::new());
    matches!(leaf.mask, Mask::Retain { .. })
        || leaf.mask.is_judged(known.map_or(&unknown, |known| &known.kind))
}

/// Takes the cells out of a draft that the ledger knows as erased.
pub(super) fn leave_out(
    draft: &mut Draft,
    inventory: &Inventory,
    view: &LedgerView,
    key: &DeploymentKey,
) {
    if view.settled.is_empty() {
        return;
    }
    let Draft { tasks, erase, .. } = draft;
    for work in erase.iter_mut() {
        let Some(known) = view.settled.get(&key.file(&work.path)) else { continue };
        if known.footer != key.footer(&work.stamp.footer) {
            continue;
        }
        let files = inventory.datasets.get(&work.dataset);
        for leaf in work.leaves.iter_mut().filter(|leaf| !shows(leaf, files)) {
            let field = leaf.path.to_string();
            for (task, cells) in by_task(leaf) {
                let Some(draft) = tasks.get(task as usize) else { continue };
                let digest = digest(key, &cells, &[]);
                let done = known.cells.iter().any(|settled| {
                    TaskId::from(&settled.task) == draft.id
                        && Some(&settled.fingerprint) == draft.fingerprint.as_ref()
                        && settled.field == field
                        && settled.cells == digest
                });
                if done {
                    leaf.cells.retain(|cell| cell.task != task);
                }
            }
        }
        work.leaves.retain(|leaf| !leaf.cells.is_empty());
    }
    erase.retain(|work| !work.removed.is_empty() || !work.leaves.is_empty());
}

/// What will have been erased in a file, once it is swapped, that its data cannot tell.
pub(super) fn after(
    work: &FileWork,
    draft: &Draft,
    inventory: &Inventory,
    view: &LedgerView,
    key: &DeploymentKey,
) -> Vec<SettledCells> {
    // Positions of elements move where elements go: nothing can be said of them.
    if work.leaves.iter().any(|leaf| leaf.mask == Mask::RemoveElement) {
        return Vec::new();
    }
    let removed: Vec<u64> = work.removed.iter().map(|(row, _)| *row).collect();
    let files = inventory.datasets.get(&work.dataset);
    let mut settled = Vec::new();
    for leaf in work.leaves.iter().filter(|leaf| !shows(leaf, files)) {
        for (task, cells) in by_task(leaf) {
            let Some(draft) = draft.tasks.get(task as usize) else { continue };
            let Some(fingerprint) = draft.fingerprint.clone() else { continue };
            settled.push(SettledCells {
                task: task_ref(&draft.id),
                fingerprint,
                field: leaf.path.to_string(),
                cells: digest(key, &cells, &removed),
            });
        }
    }
    let known = view.settled.get(&key.file(&work.path));
    let known =
        known.filter(|known| removed.is_empty() && known.footer == key.footer(&work.stamp.footer));
    for earlier in known.into_iter().flat_map(|known| &known.cells) {
        let again = |new: &SettledCells| new.task == earlier.task && new.field == earlier.field;
        if lives(earlier, draft, view) && !settled.iter().any(again) {
            settled.push(earlier.clone());
        }
    }
    settled
}

/// Whether the task may come back to its cells: it is not done, or is standing.
fn lives(settled: &SettledCells, draft: &Draft, view: &LedgerView) -> bool {
    let id = TaskId::from(&settled.task);
    let open = view.tasks.get(&id).is_some_and(|known| !known.phase.is_final());
    open || draft.tasks.iter().any(|task| task.id == id && task.runs)
}

fn by_task(leaf: &LeafWork) -> BTreeMap<TaskIndex, Vec<CellWork>> {
    let mut tasks: BTreeMap<TaskIndex, Vec<CellWork>> = BTreeMap::new();
    for cell in &leaf.cells {
        tasks.entry(cell.task).or_default().push(cell.clone());
    }
    tasks
}

/// Which rows and elements, by their positions once `removed` rows (sorted) are gone.
fn digest(key: &DeploymentKey, cells: &[CellWork], removed: &[u64]) -> String {
    let mut bytes = Vec::with_capacity(cells.len() * 9);
    for cell in cells {
        let gone = removed.partition_point(|row| *row < cell.row) as u64;
        bytes.extend((cell.row - gone).to_le_bytes());
        match &cell.reach {
            Reach::All => bytes.push(0),
            Reach::Within(prefixes) => {
                bytes.push(1);
                bytes.extend((prefixes.len() as u64).to_le_bytes());
                for prefix in prefixes {
                    bytes.extend((prefix.len() as u64).to_le_bytes());
                    bytes.extend(prefix.iter().flat_map(|index| index.to_le_bytes()));
                }
            }
        }
    }
    key.digest("cells", &[&bytes])
}
