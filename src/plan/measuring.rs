//! For tests of this layer: a naive erasure of small worlds, cell by cell, and its counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{EraseMethod, Leaf};

use super::testing::{World, leaf_values};
use super::{Draft, Element, FileCounts, FileTaskCounts, FileWork, Mask, TaskIndex};

/// A non-null value: dataset, file, row, leaf path, element.
pub(crate) type Cell = (String, usize, u64, String, Element);

/// What becomes of a world: each changed value with the task and the method, each removed row with the
/// task, and each value that is kept though a task reaches it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Erasure {
    pub(crate) cells: BTreeMap<Cell, (TaskIndex, EraseMethod)>,
    pub(crate) rows: BTreeMap<(String, usize, u64), TaskIndex>,
    pub(crate) kept: BTreeSet<(Cell, TaskIndex)>,
}

/// Carries out a draft's erasures in memory, and measures them as an engine does.
pub(crate) fn erase(world: &World, draft: &Draft) -> (Erasure, Vec<FileCounts>) {
    let mut erasure = Erasure::default();
    let counts = draft.erase.iter().map(|work| file(world, work, &mut erasure)).collect();
    (erasure, counts)
}

fn file(world: &World, work: &FileWork, erasure: &mut Erasure) -> FileCounts {
    let files = &world.inventory.datasets[&work.dataset];
    let index = files.files.iter().position(|file| file.path == work.path).unwrap();
    let rows = &world.tables[&work.dataset][index].rows;
    let name = work.dataset.to_string();
    let mut tasks: BTreeMap<TaskIndex, FileTaskCounts> = BTreeMap::new();
    let mut touched: BTreeMap<TaskIndex, (BTreeSet<u64>, BTreeSet<String>)> = BTreeMap::new();
    let all_leaves = || files.leaves.iter().filter(|leaf| !leaf.partition);
    for (row, task) in &work.removed {
        assert!(erasure.rows.insert((name.clone(), index, *row), *task).is_none());
        let counts = tasks.entry(*task).or_default();
        counts.rows_removed += 1;
        let (rows, chunks) = touched.entry(*task).or_default();
        rows.insert(*row);
        chunks.extend(all_leaves().map(|leaf| leaf.path.to_string()));
    }
    // Elements that go come first: nothing else counts in them.
    let mut order: Vec<usize> = (0..work.leaves.len()).collect();
    order.sort_by_key(|at| work.leaves[*at].mask != Mask::RemoveElement);
    for at in order {
        let leaf_work = &work.leaves[at];
        let leaf = files.leaves.iter().find(|leaf| leaf.path == leaf_work.path).unwrap();
        let along: Vec<&Leaf> = if leaf_work.mask == Mask::RemoveElement {
            let depth = leaf.lists.len();
            all_leaves().filter(|other| leaf.shared_lists(other) == depth).collect()
        } else {
            vec![leaf]
        };
        for cell in &leaf_work.cells {
            let row = &rows[usize::try_from(cell.row).unwrap()];
            for leaf in &along {
                for (element, _) in leaf_values(row, leaf) {
                    if !cell.reach.covers(&element) {
                        continue;
                    }
                    let path = leaf.path.to_string();
                    let key = (name.clone(), index, cell.row, path.clone(), element);
                    let counts = tasks.entry(cell.task).or_default();
                    counts.cells.resize(work.leaves.len(), 0);
                    if matches!(leaf_work.mask, Mask::Retain { .. }) {
                        erasure.kept.insert((key, cell.task));
                        counts.cells[at] += 1;
                    } else if let Entry::Vacant(free) = erasure.cells.entry(key) {
                        free.insert((cell.task, leaf_work.mask.method()));
                        counts.cells[at] += 1;
                        let (rows, chunks) = touched.entry(cell.task).or_default();
                        rows.insert(cell.row);
                        chunks.insert(path);
                    }
                }
            }
        }
    }
    let mut chunks = BTreeSet::new();
    for (task, (rows, paths)) in touched {
        let counts = tasks.entry(task).or_default();
        counts.rows_erased = u64::try_from(rows.len()).unwrap();
        counts.rows = super::Runs::of(rows);
        counts.row_groups = 1;
        counts.bytes = 10 * u64::try_from(paths.len()).unwrap();
        chunks.extend(paths.into_iter().map(|path| (0, path)));
    }
    for (task, counts) in &mut tasks {
        counts.task = *task;
        counts.cells.resize(work.leaves.len(), 0);
    }
    FileCounts {
        row_groups: u64::from(!chunks.is_empty()),
        bytes: 10 * u64::try_from(chunks.len()).unwrap(),
        chunks: chunks.into_iter().collect(),
        tasks: tasks.into_values().collect(),
    }
}

/// A whole pass over a world: search, draft, guard, naive erasure, plan, guard.
pub(crate) struct Pass {
    pub(crate) draft: Draft,
    pub(crate) erasure: Erasure,
    pub(crate) plan: super::Plan,
}

/// Runs a pass at noon of 2026-11-22 on an empty ledger, and holds it against the guard.
pub(crate) fn pass(world: &World, requests: &[crate::model::Request]) -> Pass {
    pass_with(world, requests, &super::LedgerView::default(), &BTreeMap::new())
}

pub(crate) const NOON: &str = "2026-11-22T12:00:00Z";

/// As [`pass`], with what the ledger knows and the fingerprints.
pub(crate) fn pass_with(
    world: &World,
    requests: &[crate::model::Request],
    ledger: &super::LedgerView,
    fingerprints: &BTreeMap<crate::model::TaskId, String>,
) -> Pass {
    let situation = super::Situation {
        catalog: &world.catalog,
        requests,
        ledger,
        fingerprints,
        waiting: &super::testing::NO_TASK,
        now: NOON.parse().unwrap(),
    };
    let open: BTreeSet<_> = super::to_search(situation, &super::triage(situation))
        .into_iter()
        .map(|open| open.block)
        .collect();
    let mut found = world.search(requests);
    found.retain(|found| open.contains(&found.block));
    let blocks = BTreeMap::new();
    let evidence = super::Evidence { inventory: &world.inventory, blocks: &blocks, found: &found };
    let draft = super::draft(situation, evidence);
    super::guard_draft(situation, evidence, &draft).unwrap();
    let (erasure, counts) = erase(world, &draft);
    let inputs = super::PlanInputs::new("p".repeat(64), None, &world.inventory, ledger.seq);
    let plan = super::finish(&draft, &counts, &world.inventory, inputs).unwrap();
    super::guard_plan(&plan, &draft).unwrap();
    Pass { draft, erasure, plan }
}
