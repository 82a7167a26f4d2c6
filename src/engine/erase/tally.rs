//! Counting what tasks change in one file: the plan's counts and the rewrite's are the same code.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::plan::{FileCounts, FileTaskCounts, FileWork, Runs, TaskIndex};

use super::source::Source;

/// Counts in the making.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    leaves: usize,
    tasks: BTreeMap<TaskIndex, Counts>,
    chunks: BTreeSet<(usize, usize)>,
}

#[derive(Debug, Default)]
struct Counts {
    rows: HashSet<u64>,
    removed: u64,
    cells: Vec<u64>,
    chunks: BTreeSet<(usize, usize)>,
}

impl Tally {
    pub(crate) fn new(work: &FileWork) -> Self {
        Self { leaves: work.leaves.len(), ..Self::default() }
    }

    fn task(&mut self, task: TaskIndex) -> &mut Counts {
        let leaves = self.leaves;
        self.tasks
            .entry(task)
            .or_insert_with(|| Counts { cells: vec![0; leaves], ..Counts::default() })
    }

    /// A non-null value of an entry of [`FileWork::leaves`] changes, or is kept.
    pub(crate) fn cell(&mut self, task: TaskIndex, leaf: usize) {
        if let Some(cells) = self.task(task).cells.get_mut(leaf) {
            *cells += 1;
        }
    }

    /// A row changes.
    pub(crate) fn row(&mut self, task: TaskIndex, row: u64) {
        self.task(task).rows.insert(row);
    }

    /// A row goes.
    pub(crate) fn removed(&mut self, task: TaskIndex, row: u64) {
        self.task(task).removed += 1;
        self.row(task, row);
    }

    /// A task causes a chunk (row group, column) to be rewritten.
    pub(crate) fn chunk(&mut self, task: TaskIndex, group: usize, column: usize) {
        self.task(task).chunks.insert((group, column));
        self.chunks.insert((group, column));
    }

    /// Whether the chunk must be rewritten.
    pub(crate) fn touches(&self, group: usize, column: usize) -> bool {
        self.chunks.contains(&(group, column))
    }

    /// Whether nothing changes.
    pub(crate) fn is_idle(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The counts.
    pub(crate) fn finish(self, source: &Source) -> FileCounts {
        let bytes = |chunks: &BTreeSet<(usize, usize)>| {
            let size = |at: &(usize, usize)| source.groups[at.0].chunks[at.1].size();
            chunks.iter().map(size).sum()
        };
        let groups = |chunks: &BTreeSet<(usize, usize)>| {
            chunks.iter().map(|at| at.0).collect::<BTreeSet<_>>().len() as u64
        };
        let mut chunks: Vec<(u32, String)> = self
            .chunks
            .iter()
            .map(|at| (at.0 as u32, source.shapes[at.1].path.to_string()))
            .collect();
        chunks.sort_unstable();
        FileCounts {
            row_groups: groups(&self.chunks),
            bytes: bytes(&self.chunks),
            chunks,
            tasks: self
                .tasks
                .into_iter()
                .map(|(task, counts)| FileTaskCounts {
                    task,
                    rows_erased: counts.rows.len() as u64,
                    rows: Runs::of(counts.rows),
                    rows_removed: counts.removed,
                    row_groups: groups(&counts.chunks),
                    bytes: bytes(&counts.chunks),
                    cells: counts.cells,
                })
                .collect(),
        }
    }
}
