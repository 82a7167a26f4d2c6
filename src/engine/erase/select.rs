//! The work of a file, brought to its columns and row groups.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::plan::{CellWork, EraseKeys, FileWork, TaskIndex};

use super::error::{Outcome, Problem};
use super::mask::Masker;
use super::shape::Repeated;
use super::source::Source;

/// The work, by column.
pub(crate) struct Selection<'a> {
    pub(crate) work: &'a FileWork,
    pub(crate) leaves: Vec<LeafSelection<'a>>,
    /// A copy is made, whether or not something changes in it.
    pub(crate) copy: bool,
}

/// What is to be done in one column.
#[derive(Default)]
pub(crate) struct LeafSelection<'a> {
    pub(crate) targets: Vec<Target<'a>>,
    pub(crate) removals: Vec<Removal<'a>>,
    /// Nothing of the original's chunks may be taken over unseen.
    pub(crate) whole: bool,
}

/// An entry of the work whose own column this is.
pub(crate) struct Target<'a> {
    /// Its index in [`FileWork::leaves`].
    pub(crate) index: usize,
    pub(crate) masker: Masker<'a>,
    pub(crate) cells: &'a [CellWork],
}

/// Elements that go, of a list that this column lies in: its own, or a sibling's.
pub(crate) struct Removal<'a> {
    /// Repetition level of the list.
    pub(crate) level: usize,
    /// Definition level from which on an element exists.
    pub(crate) def: u8,
    pub(crate) cells: &'a [CellWork],
}

/// One cell that some task reaches.
#[derive(Clone, Copy)]
pub(crate) struct Pick<'a> {
    pub(crate) cell: &'a CellWork,
    pub(crate) what: What,
}

/// Index into the targets or removals of a [`LeafSelection`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Removal(usize),
    Target(usize),
}

impl<'a> Selection<'a> {
    /// Checks the work against the file. Leaves that the file lacks have no cells in it.
    pub(crate) fn new(
        work: &'a FileWork,
        source: &Source,
        keys: Option<&'a EraseKeys>,
    ) -> Outcome<Self> {
        let mut leaves: Vec<LeafSelection<'a>> = Vec::new();
        leaves.resize_with(source.shapes.len(), LeafSelection::default);
        let columns: BTreeMap<_, _> =
            source.shapes.iter().enumerate().map(|(at, shape)| (&shape.path, at)).collect();
        let rows = source.groups.last().map_or(0, |group| group.range().end);
        let sorted = work.removed.is_sorted()
            && work
                .leaves
                .iter()
                .all(|leaf| leaf.cells.is_sorted_by_key(|cell| (cell.row, cell.task)));
        let last = work.leaves.iter().filter_map(|leaf| leaf.cells.last().map(|cell| cell.row));
        let last = last.chain(work.removed.last().map(|(row, _)| *row)).max();
        if !sorted || last.is_some_and(|last| last >= rows) {
            return Err(Problem::refused("its work names rows that it does not have"));
        }
        for (index, leaf) in work.leaves.iter().enumerate() {
            let Some(&column) = columns.get(&leaf.path) else { continue };
            let shape = &source.shapes[column];
            let masker = Masker::new(work, leaf, shape, keys)?;
            if masker.is_removal()
                && let Some(list) = shape.lists.last()
            {
                let level = shape.lists.len();
                for (at, shape) in source.shapes.iter().enumerate() {
                    if shape.lists.iter().any(|other: &Repeated| other.node == list.node) {
                        let removal = Removal { level, def: list.def, cells: &leaf.cells };
                        leaves[at].removals.push(removal);
                    }
                }
            }
            leaves[column].targets.push(Target { index, masker, cells: &leaf.cells });
        }
        Ok(Self { work, leaves, copy: false })
    }

    /// For a copy: the leaves of the work change in every row. `cells` has one entry a row.
    pub(crate) fn whole(
        work: &'a FileWork,
        source: &Source,
        cells: &'a [CellWork],
    ) -> Outcome<Self> {
        let mut leaves: Vec<LeafSelection<'a>> = Vec::new();
        leaves.resize_with(source.shapes.len(), LeafSelection::default);
        for (index, leaf) in work.leaves.iter().enumerate() {
            for (column, shape) in source.shapes.iter().enumerate() {
                if shape.path == leaf.path {
                    let masker = Masker::new(work, leaf, shape, None)?;
                    leaves[column].targets.push(Target { index, masker, cells });
                    leaves[column].whole = true;
                }
            }
        }
        Ok(Self { work, leaves, copy: true })
    }

    /// The rows of a range that go, each once, with the first task that removes it.
    pub(crate) fn removed(&self, rows: &Range<u64>) -> Vec<(u64, TaskIndex)> {
        let all = &self.work.removed;
        let start = all.partition_point(|(row, _)| *row < rows.start);
        let end = all.partition_point(|(row, _)| *row < rows.end);
        let mut removed = all[start..end].to_vec();
        removed.dedup_by_key(|(row, _)| *row);
        removed
    }
}

impl<'a> LeafSelection<'a> {
    /// The cells of a range of rows, by row, then by task; elements that go before values that change.
    pub(crate) fn picks(&self, rows: &Range<u64>) -> Vec<Pick<'a>> {
        let removals = self.removals.iter().enumerate().map(|(i, r)| (What::Removal(i), r.cells));
        let targets = self.targets.iter().enumerate().map(|(i, t)| (What::Target(i), t.cells));
        let mut picks: Vec<Pick<'a>> = Vec::new();
        for (what, cells) in removals.chain(targets) {
            picks.extend(within(cells, rows).iter().map(|cell| Pick { cell, what }));
        }
        picks.sort_by_key(|pick| (pick.cell.row, pick.cell.task, pick.what));
        picks
    }
}

fn within<'a>(cells: &'a [CellWork], rows: &Range<u64>) -> &'a [CellWork] {
    let start = cells.partition_point(|cell| cell.row < rows.start);
    let end = cells.partition_point(|cell| cell.row < rows.end);
    &cells[start..end]
}
