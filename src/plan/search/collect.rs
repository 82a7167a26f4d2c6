//! The outcome of the search, per block, in the terms of [`crate::plan::BlockFound`].

use std::collections::BTreeMap;

use crate::model::{Identity, NamespaceName};
use crate::plan::{
    BlockFound, DatasetFound, FoundHit, FoundRow, IdentityCount, IdentityId, RowKey,
};

use super::expand::Seen;
use super::known::Known;
use super::subject::Subject;

/// What was found for a block.
pub(super) fn collect(seen: Seen<'_, '_>, subject: &Subject) -> BlockFound {
    let mut added: Vec<Identity> = subject.added().map(|id| seen.known.get(id).clone()).collect();
    added.sort_unstable();
    BlockFound {
        block: subject.block,
        identities: counts(seen.known, subject),
        datasets: subject.scope.datasets.iter().map(|d| rows(seen, subject, *d)).collect(),
        left_out: subject.scope.left_out.clone(),
        added,
        conflicts: u64::try_from(subject.conflicts.len()).unwrap_or(u64::MAX),
        at_rest: Vec::new(),
        stop: subject.stop.clone(),
    }
}

fn counts(known: &Known, subject: &Subject) -> Vec<IdentityCount> {
    let mut counts: BTreeMap<&NamespaceName, (u64, u64)> = BTreeMap::new();
    let name = |id: IdentityId| &known.get(id).namespace;
    for id in &subject.given {
        counts.entry(name(*id)).or_default().0 += 1;
    }
    for id in subject.added() {
        counts.entry(name(id)).or_default().1 += 1;
    }
    counts
        .into_iter()
        .map(|(name, (given, expanded))| IdentityCount {
            namespace: name.to_string(),
            given,
            expanded,
        })
        .collect()
}

fn rows(seen: Seen<'_, '_>, subject: &Subject, dataset: usize) -> DatasetFound {
    let mut found = DatasetFound { dataset, ..DatasetFound::default() };
    for (at, hit) in hits(seen, subject, dataset) {
        let end = u32::try_from(found.hits.len()).unwrap_or(u32::MAX);
        let next = end.saturating_add(1);
        match found.rows.last_mut().filter(|row| row.at == at) {
            Some(row) => {
                row.person |= hit.person;
                row.device |= !hit.person;
                row.hits.end = next;
            }
            None => found.rows.push(FoundRow {
                at,
                person: hit.person,
                device: !hit.person,
                hits: end..next,
            }),
        }
        found.hits.push(hit);
    }
    found
}

/// The hits of a block in one dataset, by row, then leaf and element.
fn hits(seen: Seen<'_, '_>, subject: &Subject, dataset: usize) -> Vec<(RowKey, FoundHit)> {
    if !subject.searched {
        return Vec::new();
    }
    let (table, finds) = (&seen.lake.tables[dataset], &seen.finds[dataset]);
    let alone = subject.alone.iter().filter(|(id, _)| finds.matches.is_probed(*id));
    let alone = alone.flat_map(|(id, _)| finds.matches.of(*id));
    let alone = alone.map(|hit| (hit, table.id(hit.slot).person));
    let composite = subject.composites.iter().flat_map(|composite| &composite.found);
    let composite = composite.filter(|(within, _)| *within == dataset);
    let composite = composite.flat_map(|(_, parts)| parts).map(|part| (&part.hit, part.person));
    let conditions = subject.conditions(dataset);
    let mut hits: Vec<(RowKey, FoundHit)> = alone
        .chain(composite)
        .filter(|(hit, _)| finds.cells.meets(conditions, hit.at))
        .map(|(hit, person)| {
            let element = finds.elements.get(hit.element).clone();
            (hit.at, FoundHit { leaf: table.id(hit.slot).leaf, element, person })
        })
        .collect();
    hits.sort_unstable();
    hits.dedup();
    hits
}
