//! What the search found: per block, which rows are the subject's and why (RULES.md section 3).

use std::ops::Range;

use crate::model::{Identity, Name, Reason};

use super::{Element, IdentityCount, RowKey};

/// A user block: index of the request in the pass's list of requests, and of the block in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// Request.
    pub request: usize,
    /// Block.
    pub user: usize,
}

/// What the search found for one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockFound {
    /// The block.
    pub block: BlockRef,
    /// How many identities were given and added, by namespace in order.
    pub identities: Vec<IdentityCount>,
    /// The datasets that were searched, by name; those without a row too.
    pub datasets: Vec<DatasetFound>,
    /// Datasets of the block's environment that `only` or `include` left out, by name.
    pub left_out: Vec<Name>,
    /// Identities that expansion added: an unfinished delete remembers them.
    pub added: Vec<Identity>,
    /// Linked rows that name somebody else; counted whether accepted or not.
    pub conflicts: u64,
    /// Why nothing of the block may be done: reason and a text for people, without values.
    /// `LimitExceeded`, `IdentityConflict`, `ValueFormat`, `DataUnreadable` or `Storage`.
    pub stop: Option<(Reason, String)>,
    /// Rows of a standing erasure that are in erased form already: no task touches them any more, and a
    /// hold on the request keeps them from other tasks. They do not stand in `datasets`.
    pub at_rest: Vec<DatasetFound>,
}

impl BlockFound {
    /// The rows of every dataset, those at rest included: what a hold on the request keeps.
    pub fn all_datasets(&self) -> impl Iterator<Item = &DatasetFound> {
        self.datasets.iter().chain(&self.at_rest)
    }
}

/// The rows of one dataset that are a block's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetFound {
    /// Index into [`crate::model::Catalog::datasets`].
    pub dataset: usize,
    /// Sorted by row.
    pub rows: Vec<FoundRow>,
    /// The hits of all rows; [`FoundRow::hits`] are ranges of it.
    pub hits: Vec<FoundHit>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// Where.
    pub at: RowKey,
    /// P: it matched on an `ID-PERSON` field.
    pub person: bool,
    /// D: it matched on an `ID-DEVICE` field; a row can be both.
    pub device: bool,
    /// Into [`DatasetFound::hits`].
    pub hits: Range<u32>,
}

/// One value that matched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundHit {
    /// Leaf index.
    pub leaf: u16,
    /// Where in the leaf's lists.
    pub element: Element,
    /// Whether it counts as a match on an `ID-PERSON` field (for a composite identity: all its parts are).
    pub person: bool,
}
