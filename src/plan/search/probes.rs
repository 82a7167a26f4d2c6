//! What to look for next: one probe per dataset for all blocks, new identities only.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{IdentityId, Probe, ProbeLeaf};

use super::Finds;
use super::known::Known;
use super::lake::{Lake, Table};
use super::subject::Subject;

/// What one dataset is to be probed for.
#[derive(Debug, Default)]
struct Sought {
    alone: Vec<IdentityId>,
    all_of: BTreeSet<Vec<IdentityId>>,
}

/// The probes of a round, by dataset. Datasets that carry none of the new identities' namespaces, or
/// only in columns of whose type no value can be, are left out.
pub(super) fn probes(
    lake: &Lake<'_>,
    known: &Known,
    finds: &mut [Finds],
    subjects: &[Subject],
) -> Vec<(usize, Probe)> {
    let mut sought: BTreeMap<usize, Sought> = BTreeMap::new();
    for subject in subjects {
        for dataset in &subject.scope.datasets {
            let table = &lake.tables[*dataset];
            let carried = |id: &IdentityId| table.carries(known.space(*id));
            for id in subject.fresh.iter().map(|(id, _)| *id).filter(carried) {
                if finds[*dataset].matches.must_probe(id) {
                    sought.entry(*dataset).or_default().alone.push(id);
                }
            }
            for composite in subject.composites.iter().filter(|_| subject.composites_fresh) {
                if composite.parts.iter().all(carried) {
                    let all_of = &mut sought.entry(*dataset).or_default().all_of;
                    all_of.insert(composite.parts.clone());
                }
            }
        }
    }
    sought
        .into_iter()
        .map(|(dataset, sought)| (dataset, probe(lake, known, &lake.tables[dataset], sought)))
        .filter(|(_, probe)| !probe.leaves.is_empty())
        .collect()
}

fn probe(lake: &Lake<'_>, known: &Known, table: &Table<'_>, mut sought: Sought) -> Probe {
    sought.alone.sort_unstable();
    let mut ids: Vec<IdentityId> = sought.all_of.iter().flatten().copied().collect();
    ids.extend(&sought.alone);
    ids.sort_unstable();
    ids.dedup();
    let leaves = table
        .ids
        .iter()
        .map(|column| {
            let rules = lake.spaces.rules(column.space);
            let mut keys: Vec<_> = ids
                .iter()
                .filter(|id| known.space(**id) == column.space)
                .filter_map(|id| Some((column.shape.kind.key(rules, known.given(*id))?, *id)))
                .collect();
            keys.sort_unstable();
            ProbeLeaf { leaf: column.leaf, namespace: rules.clone(), keys }
        })
        .filter(|leaf| !leaf.keys.is_empty())
        .collect();
    Probe { leaves, all_of: sought.all_of.into_iter().collect(), alone: sought.alone }
}
