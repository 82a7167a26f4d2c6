//! The matches of one dataset: columns of plain numbers, sorted per probe, found by identity.

use std::collections::HashMap;
use std::ops::Range;

use crate::plan::{Hit, IdentityId, RowKey};

use super::elements::{ElementId, Elements};
use super::lake::Table;

/// A hit in small: 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    pub(super) identity: IdentityId,
    pub(super) at: RowKey,
    /// The ID leaf, by slot.
    pub(super) slot: u16,
    pub(super) element: ElementId,
}

/// What the probes of one dataset have found.
#[derive(Debug, Default)]
pub(super) struct Matches {
    list: Vec<Match>,
    ranges: HashMap<IdentityId, Range<usize>>,
    /// By identity: it has been probed as one that makes a hit by itself.
    probed: Vec<bool>,
    /// Start of what the current probe has brought.
    settled: usize,
}

impl Matches {
    /// Whether an identity still has to be probed; from now on it counts as probed.
    pub(super) fn must_probe(&mut self, id: IdentityId) -> bool {
        let index = id.0 as usize;
        if self.probed.len() <= index {
            self.probed.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.probed[index], true)
    }

    pub(super) fn is_probed(&self, id: IdentityId) -> bool {
        self.probed.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// Takes what the engine found. Hits on leaves that are no ID leaves are none.
    pub(super) fn take(&mut self, table: &Table<'_>, elements: &mut Elements, hits: Vec<Hit>) {
        self.list.reserve(hits.len());
        for hit in hits {
            let Some(slot) = table.slot(hit.leaf) else { continue };
            let element = elements.intern(hit.element);
            self.list.push(Match { identity: hit.identity, at: hit.at, slot, element });
        }
    }

    /// Sorts what the probe brought. An identity that was probed within a composite before, and now by
    /// itself, is found in full from here on.
    pub(super) fn settle(&mut self) {
        let fresh = &mut self.list[self.settled..];
        fresh.sort_unstable();
        let mut start = self.settled;
        for run in fresh.chunk_by(|a, b| a.identity == b.identity) {
            self.ranges.insert(run[0].identity, start..start + run.len());
            start += run.len();
        }
        self.settled = self.list.len();
    }

    /// The matches of an identity, sorted by row.
    pub(super) fn of(&self, id: IdentityId) -> &[Match] {
        self.ranges.get(&id).map_or(&[], |range| &self.list[range.clone()])
    }
}
