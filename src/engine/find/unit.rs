//! One unit of the search: all ID leaves of one row group.

use std::collections::HashSet;

use crate::plan::{Element, IdentityId, Probe};

use super::super::footer;
use super::super::opened::Opened;
use super::super::source::Chunk;
use super::chunk::search;
use super::keys::Keys;
use super::prune::MayMatch;

/// A match in a row group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RawHit {
    /// Position in the row group.
    pub(super) row: u64,
    pub(super) leaf: u16,
    pub(super) element: Element,
    pub(super) identity: IdentityId,
}

/// Which identities count: alone, or in company (see [`Probe`]).
#[derive(Debug)]
pub(super) struct Company {
    alone: HashSet<IdentityId>,
    sets: Vec<Vec<IdentityId>>,
}

impl Company {
    pub(super) fn new(probe: &Probe) -> Self {
        Self { alone: probe.alone.iter().copied().collect(), sets: probe.all_of.clone() }
    }

    /// Whether any row may need more than one hit.
    fn has_sets(&self) -> bool {
        !self.sets.is_empty()
    }

    pub(super) fn counts_alone(&self, identity: IdentityId) -> bool {
        self.alone.contains(&identity)
    }

    /// Keeps of the hits of one row those that count. `also` are identities that the row holds in
    /// partition columns.
    fn retain(&self, row: &mut Vec<RawHit>, also: &[RawHit]) {
        let held: HashSet<IdentityId> = row.iter().chain(also).map(|hit| hit.identity).collect();
        let met: HashSet<IdentityId> = self
            .sets
            .iter()
            .filter(|set| set.iter().all(|identity| held.contains(identity)))
            .flatten()
            .copied()
            .collect();
        row.retain(|hit| self.counts_alone(hit.identity) || met.contains(&hit.identity));
        row.extend(also.iter().filter(|hit| met.contains(&hit.identity)).cloned());
    }
}

/// A leaf to search in one file.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) leaf: u16,
    /// Column index in the file.
    pub(super) column: usize,
    pub(super) keys: std::sync::Arc<Keys>,
}

/// What a unit works on.
pub(super) struct Unit<'a> {
    pub(super) file: &'a Opened,
    pub(super) group: usize,
    pub(super) targets: &'a [Target],
    /// What partition columns match on every row of the file; their `row` means nothing.
    pub(super) everywhere: &'a [RawHit],
    pub(super) company: &'a Company,
    pub(super) prune: bool,
}

/// What is wrong with a chunk: a fragment.
pub(super) type Fault = String;

impl Unit<'_> {
    fn rows(&self) -> u64 {
        let groups = self.file.metadata.row_groups();
        groups.get(self.group).map_or(0, |group| u64::try_from(group.num_rows()).unwrap_or(0))
    }

    /// Every hit, sorted.
    pub(super) fn hits(&self) -> Result<Vec<RawHit>, Fault> {
        let mut hits: Vec<RawHit> = Vec::new();
        let sets = self.company.has_sets();
        for target in self.targets {
            self.search(target, &mut |row, element, key| {
                for identity in target.keys.owners(key) {
                    if sets || self.company.counts_alone(*identity) {
                        let element: Element = element.into();
                        hits.push(RawHit { row, leaf: target.leaf, element, identity: *identity });
                    }
                }
            })?;
        }
        let always: Vec<&RawHit> =
            self.everywhere.iter().filter(|hit| self.company.counts_alone(hit.identity)).collect();
        hits.sort_unstable();
        if sets {
            hits = self.in_company(hits);
        }
        if !always.is_empty() {
            for row in 0..self.rows() {
                hits.extend(always.iter().map(|hit| RawHit { row, ..(*hit).clone() }));
            }
        }
        hits.sort_unstable();
        hits.dedup();
        Ok(hits)
    }

    /// How many rows match.
    pub(super) fn count(&self) -> Result<u64, Fault> {
        if self.everywhere.iter().any(|hit| self.company.counts_alone(hit.identity)) {
            return Ok(self.rows());
        }
        if self.company.has_sets() {
            let hits = self.hits()?;
            let rows = hits.chunk_by(|a, b| a.row == b.row).count();
            return Ok(rows as u64);
        }
        // Grows with the rows that are seen: the number that a footer claims may be no number of rows.
        let mut matched: Vec<u64> = Vec::new();
        for target in self.targets {
            self.search(target, &mut |row, _, key| {
                let Ok(word) = usize::try_from(row / 64) else { return };
                if target.keys.counts_alone(key) {
                    if word >= matched.len() {
                        matched.resize(word + 1, 0);
                    }
                    matched[word] |= 1 << (row % 64);
                }
            })?;
        }
        Ok(matched.iter().map(|word| u64::from(word.count_ones())).sum())
    }

    /// Applies the sets, row by row.
    fn in_company(&self, hits: Vec<RawHit>) -> Vec<RawHit> {
        let also = |row| -> Vec<RawHit> {
            self.everywhere.iter().map(|hit| RawHit { row, ..hit.clone() }).collect()
        };
        let mut kept = Vec::with_capacity(hits.len());
        // A set may be met by partition columns alone: then every row counts.
        let mut bare = also(0);
        self.company.retain(&mut bare, &[]);
        if bare.is_empty() {
            for row in hits.chunk_by(|a, b| a.row == b.row) {
                let at = row.first().map_or(0, |hit| hit.row);
                let mut row = row.to_vec();
                self.company.retain(&mut row, &also(at));
                kept.append(&mut row);
            }
            return kept;
        }
        let mut rest = hits.into_iter().peekable();
        for at in 0..self.rows() {
            let mut row = Vec::new();
            while let Some(hit) = rest.next_if(|hit| hit.row == at) {
                row.push(hit);
            }
            self.company.retain(&mut row, &also(at));
            kept.append(&mut row);
        }
        kept
    }

    fn search(&self, target: &Target, sink: &mut dyn FnMut(u64, &[u32], u32)) -> Result<(), Fault> {
        let groups = self.file.metadata.row_groups();
        let Some(column) = groups.get(self.group).and_then(|g| g.columns().get(target.column))
        else {
            return Err("has fewer columns than its schema".to_owned());
        };
        if target.keys.is_empty() {
            return Ok(());
        }
        let mut pages = None;
        if let Some(pruning) = target.keys.pruning.as_ref().filter(|_| self.prune) {
            let Opened { metadata, source, .. } = self.file;
            match pruning.may_match(metadata, self.group, target.column, source) {
                MayMatch::Nowhere => return Ok(()),
                MayMatch::Pages(some) => pages = Some(some),
                MayMatch::Everywhere => {}
            }
        }
        let broken = || {
            format!(
                "column `{}` of row group {} does not decode",
                column.column_path().string(),
                self.group
            )
        };
        let (start, length) = footer::bounds(column).ok_or_else(broken)?;
        let length = usize::try_from(length).map_err(|_| broken())?;
        let chunk =
            Chunk::read(&self.file.source, start, length).map_err(|e| footer::io_text(&e))?;
        search(chunk, column, self.rows(), &target.keys.lookup, pages.as_deref(), sink)
            .map_err(|_| broken())
    }
}
