//! Which datasets a block could reach: those that carry one of its namespaces, or one that expansion
//! could lead to. A fault of any other dataset is nothing to it.

use std::collections::BTreeSet;

use crate::model::{Catalog, Dataset, Expansion, NamespaceName, Request, UserBlock};

/// Whether a block could find rows in each of `datasets` (indices into the catalog, all that the block
/// does not leave out); the answer is the set of those it could.
pub fn reachable(
    catalog: &Catalog,
    request: &Request,
    block: &UserBlock,
    datasets: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut namespaces: BTreeSet<NamespaceName> = block.namespaces().cloned().collect();
    let mut reached = BTreeSet::new();
    loop {
        let new: Vec<usize> = datasets
            .iter()
            .copied()
            .filter(|index| !reached.contains(index))
            .filter(|index| {
                catalog.datasets.get(*index).is_some_and(|dataset| {
                    carried(dataset).any(|namespace| namespaces.contains(namespace))
                })
            })
            .collect();
        if new.is_empty() {
            return reached;
        }
        for dataset in new.iter().filter_map(|index| catalog.datasets.get(*index)) {
            for namespace in carried(dataset) {
                let follows = match catalog.namespace(namespace).expansion {
                    Expansion::Always => true,
                    Expansion::Cookie => request.expand_ids,
                    Expansion::Never => false,
                };
                if follows {
                    namespaces.insert(namespace.clone());
                }
            }
        }
        reached.extend(new);
    }
}

fn carried(dataset: &Dataset) -> impl Iterator<Item = &NamespaceName> {
    dataset.id_fields().filter_map(|(_, field)| field.namespace.as_ref())
}
