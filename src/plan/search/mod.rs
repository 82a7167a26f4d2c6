//! The search: which rows are whose (RULES.md sections 2 and 3), as a pure step machine.
//!
//! [`Search::step`] says what to read next: where identities occur ([`Step::Probe`]) or values of rows
//! that matched ([`Step::Values`]). Whoever drives it reads that, hands it to [`Search::supply_hits`] and
//! [`Search::supply_values`], in pieces of any size and order, and asks again, until [`Step::Done`].
//!
//! Guarantees: one probe per dataset and round serves all blocks of all requests; an identity is probed
//! once in a dataset, a value read once; what is found for a block does not depend on the other blocks,
//! nor on the order in which answers come.

mod cells;
mod collect;
mod composite;
mod elements;
mod expand;
mod known;
mod lake;
mod matches;
mod probes;
mod scope;
mod start;
mod subject;
mod typed;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::model::{Catalog, Identity, Request, UserBlock};

use super::{BlockFound, BlockRef, Grants, Hit, Inventory, Probe, RowKey, RowValue};
use cells::Cells;
use elements::Elements;
use expand::{Seen, Wanted};
use known::Known;
use lake::Lake;
use matches::Matches;
use subject::{Phase, Subject};

/// A block to search for.
#[derive(Debug, Clone)]
pub struct SearchBlock<'a> {
    /// Which one it is.
    pub block: BlockRef,
    /// Its request.
    pub request: &'a Request,
    /// The block.
    pub user: &'a UserBlock,
    /// What the expansion of its unfinished delete found earlier: counts as added already (RULES.md
    /// section 5).
    pub remembered: Vec<Identity>,
    /// What approvals let it do.
    pub grants: Grants,
}

/// What to read next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Where identities occur: datasets by index in the catalog, in order.
    Probe(Vec<(usize, Probe)>),
    /// Values of rows.
    Values(Vec<ValuesWanted>),
    /// Nothing: [`Search::finish`] has the outcome.
    Done,
}

/// Rows of a dataset, and which of their leaves are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuesWanted {
    /// Index into [`Catalog::datasets`].
    pub dataset: usize,
    /// Sorted, each once.
    pub rows: Vec<RowKey>,
    /// Indices into [`super::DatasetFiles::leaves`], sorted.
    pub leaves: Vec<u16>,
}

/// What was read of one dataset.
#[derive(Default)]
struct Finds {
    matches: Matches,
    cells: Cells,
    elements: Elements,
}

/// What [`Search::step`] does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Probe,
    Values,
    Advance,
}

/// The search of a pass. Its `Debug` shows no identity and no cell value.
pub struct Search<'a> {
    lake: Lake<'a>,
    known: Known,
    finds: Vec<Finds>,
    subjects: Vec<Subject>,
    stage: Stage,
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("blocks", &self.subjects.len())
            .field("datasets", &self.finds.len())
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl<'a> Search<'a> {
    /// A search for these blocks. Blocks that are rejected, or whose request is, find nothing.
    pub fn new(
        catalog: &'a Catalog,
        inventory: &'a Inventory,
        blocks: Vec<SearchBlock<'a>>,
    ) -> Self {
        let mut search = Self {
            lake: Lake::new(catalog, inventory),
            known: Known::default(),
            finds: catalog.datasets.iter().map(|_| Finds::default()).collect(),
            subjects: Vec::with_capacity(blocks.len()),
            stage: Stage::Probe,
        };
        search.start(blocks);
        search
    }

    /// What to read next. Answers to the step before must have been supplied in full.
    pub fn step(&mut self) -> Step {
        loop {
            match self.stage {
                Stage::Probe => {
                    self.stage = Stage::Values;
                    let probes =
                        probes::probes(&self.lake, &self.known, &mut self.finds, &self.subjects);
                    if !probes.is_empty() {
                        return Step::Probe(probes);
                    }
                }
                Stage::Values => {
                    self.stage = Stage::Advance;
                    self.settle_hits();
                    let values = self.values();
                    if !values.is_empty() {
                        return Step::Values(values);
                    }
                }
                Stage::Advance => {
                    self.advance();
                    if self.subjects.iter().all(|subject| subject.phase == Phase::Done) {
                        return Step::Done;
                    }
                    self.stage = Stage::Probe;
                }
            }
        }
    }

    /// Takes hits of the last [`Step::Probe`]; `dataset` is the index in the catalog.
    pub fn supply_hits(&mut self, dataset: usize, hits: Vec<Hit>) {
        let Some(table) = self.lake.tables.get(dataset) else { return };
        let Some(finds) = self.finds.get_mut(dataset) else { return };
        finds.matches.take(table, &mut finds.elements, hits);
    }

    /// Takes values of the last [`Step::Values`]; `dataset` is the index in the catalog.
    pub fn supply_values(&mut self, dataset: usize, values: Vec<RowValue>) {
        let Some(table) = self.lake.tables.get(dataset) else { return };
        let Some(finds) = self.finds.get_mut(dataset) else { return };
        finds.cells.take(&self.lake, table, &mut self.known, &mut finds.elements, values);
    }

    /// What was found, in the order of the blocks. After [`Step::Done`].
    pub fn finish(self) -> Vec<BlockFound> {
        let seen = Seen { lake: &self.lake, known: &self.known, finds: &self.finds };
        self.subjects.iter().map(|subject| collect::collect(seen, subject)).collect()
    }

    /// Sorts the hits that have come, and looks for the rows that hold all parts of a composite.
    fn settle_hits(&mut self) {
        for finds in &mut self.finds {
            finds.matches.settle();
        }
        for subject in self.subjects.iter_mut().filter(|subject| subject.composites_fresh) {
            for composite in &mut subject.composites {
                for dataset in &subject.scope.datasets {
                    let (table, finds) = (&self.lake.tables[*dataset], &self.finds[*dataset]);
                    let matches = &finds.matches;
                    let found =
                        composite::combine(table, &finds.elements, matches, &composite.parts);
                    if !found.is_empty() {
                        composite.found.push((*dataset, found));
                    }
                }
            }
        }
    }

    /// The values that are needed to follow the new matches, and were not read before.
    fn values(&mut self) -> Vec<ValuesWanted> {
        let seen = Seen { lake: &self.lake, known: &self.known, finds: &self.finds };
        let mut wanted = Wanted::new();
        for subject in &self.subjects {
            seen.want(subject, &mut wanted);
        }
        let mut by_rows: BTreeMap<(usize, Vec<RowKey>), Vec<u16>> = BTreeMap::new();
        for ((dataset, leaf), mut rows) in wanted {
            rows.sort_unstable();
            rows.dedup();
            let new = self.finds[dataset].cells.not_yet_asked(leaf, rows);
            if !new.is_empty() {
                by_rows.entry((dataset, new)).or_default().push(leaf);
            }
        }
        by_rows
            .into_iter()
            .map(|((dataset, rows), leaves)| ValuesWanted { dataset, rows, leaves })
            .collect()
    }

    fn advance(&mut self) {
        for finds in &mut self.finds {
            finds.cells.settle();
        }
        let seen = Seen { lake: &self.lake, known: &self.known, finds: &self.finds };
        for subject in &mut self.subjects {
            seen.advance(subject);
        }
    }
}
