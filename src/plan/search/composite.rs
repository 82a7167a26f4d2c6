//! Composite identities (RULES.md section 2): several weak identifiers that only together, in one row,
//! mean one person.
//!
//! Where RULES.md is silent, ours: parts in the same repeated group must agree on the element (two
//! guests of one booking are two people), parts with different parties do not combine, and what the
//! match reaches is what its innermost parts reach: a part outside a list does not open the elements
//! in which another part did not match.

use crate::plan::{IdentityId, RowKey};

use super::elements::Elements;
use super::lake::Table;
use super::matches::{Match, Matches};

/// A value that matched as a part of a composite identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartMatch {
    pub(super) hit: Match,
    /// Every part is an `ID-PERSON` field.
    pub(super) person: bool,
}

/// The rows of a dataset that hold all parts, and by which values; sorted by row.
pub(super) fn combine(
    table: &Table<'_>,
    elements: &Elements,
    matches: &Matches,
    parts: &[IdentityId],
) -> Vec<PartMatch> {
    let columns: Vec<&[Match]> = parts.iter().map(|part| matches.of(*part)).collect();
    let Some((first, others)) = columns.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for run in first.chunk_by(|a, b| a.at == b.at) {
        let at = run[0].at;
        let mut row = vec![run];
        row.extend(others.iter().map(|column| within_row(column, at)));
        if row.iter().all(|hits| !hits.is_empty()) {
            let mut combiner = Combiner { table, elements, row: &row, found: Vec::new() };
            combiner.extend(&mut Vec::new());
            combiner.found.sort_unstable();
            combiner.found.dedup();
            found.extend(combiner.found);
        }
    }
    found
}

fn within_row(column: &[Match], at: RowKey) -> &[Match] {
    let start = column.partition_point(|hit| hit.at < at);
    let end = start + column[start..].partition_point(|hit| hit.at == at);
    &column[start..end]
}

/// Finds the combinations of one row: one hit for each part, in the order of the parts.
struct Combiner<'a> {
    table: &'a Table<'a>,
    elements: &'a Elements,
    row: &'a [&'a [Match]],
    found: Vec<PartMatch>,
}

impl<'a> Combiner<'a> {
    fn extend(&mut self, chosen: &mut Vec<Match>) {
        let row = self.row;
        let Some(candidates) = row.get(chosen.len()) else {
            self.record(chosen);
            return;
        };
        for leaf in candidates.chunk_by(|a, b| a.slot == b.slot) {
            for hit in self.agreeing(leaf, chosen) {
                chosen.push(*hit);
                self.extend(chosen);
                chosen.pop();
            }
        }
    }

    /// The hits of one leaf that go together with what is chosen.
    fn agreeing(&self, leaf: &'a [Match], chosen: &[Match]) -> Vec<&'a Match> {
        leaf.iter().filter(|hit| chosen.iter().all(|other| self.go_together(other, hit))).collect()
    }

    fn go_together(&self, a: &Match, b: &Match) -> bool {
        let (from, to) = (self.table.id(a.slot), self.table.id(b.slot));
        let one_party = match (from.party, to.party) {
            (Some(from), Some(to)) => from == to,
            _ => true,
        };
        one_party && self.elements.agree(a.element, b.element, from.shape.shared_lists(to.shape))
    }

    fn record(&mut self, chosen: &[Match]) {
        let person = chosen.iter().all(|hit| self.table.id(hit.slot).person);
        for hit in chosen {
            if !chosen.iter().any(|other| self.narrows(other, hit)) {
                self.found.push(PartMatch { hit: *hit, person });
            }
        }
    }

    /// Whether `inner` reaches less than `outer`, and nothing that `outer` does not: it then says by
    /// itself what the two together reach.
    fn narrows(&self, inner: &Match, outer: &Match) -> bool {
        let (inner, outer) = (self.table.id(inner.slot), self.table.id(outer.slot));
        let depth = outer.shape.lists.len();
        let within = inner.shape.shared_lists(outer.shape) == depth
            && (outer.party.is_none() || outer.party == inner.party);
        within && (inner.shape.lists.len() > depth || inner.party != outer.party)
    }
}
