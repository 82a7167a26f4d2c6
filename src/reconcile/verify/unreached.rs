//! Where an erasure was carried out, and today's policies no longer lead anybody to look: what has come back
//! there would not be seen.

use std::collections::BTreeSet;

use crate::model::{Catalog, DeleteMethod, Environment, EraseMode, Field, Request, UserBlock};
use crate::plan::{LedgerView, TaskState, reachable};

/// Why an erasure cannot be checked everywhere, by dataset.
pub(super) fn unreached(
    catalog: &Catalog,
    view: &LedgerView,
    state: &TaskState,
    (request, block): (&Request, &UserBlock),
) -> Vec<String> {
    let settings = &catalog.settings;
    let gone = view.datasets.iter().filter(|name| {
        catalog.dataset(name).is_none()
            && !settings.retired.contains(*name)
            && !state.left_out.contains(name)
    });
    let mut whys: Vec<String> = gone
        .map(|name| {
            format!(
                "dataset {name} is gone from the policies: bring it back, or name it under retired in \
                 Settings"
            )
        })
        .collect();
    let taken_in = taken_in(catalog, request, block);
    let reached = reachable(catalog, request, block, &taken_in);
    for (index, dataset) in catalog.datasets.iter().enumerate() {
        if !state.erased_in.contains(&dataset.name) {
            continue;
        }
        let whole =
            request.delete_method == DeleteMethod::Purge || dataset.erase == EraseMode::Rows;
        let what = if !taken_in.contains(&index) {
            "its product, source or environment is another"
        } else if !reached.contains(&index) {
            "no field of it is labelled with a namespace that leads there"
        } else if !whole && !dataset.fields.iter().any(Field::is_erasable) {
            "no field of it is labelled to be erased"
        } else {
            continue;
        };
        whys.push(format!(
            "dataset {}, in which it erased, is no longer checked: {what}",
            dataset.name
        ));
    }
    whys
}

/// The datasets, by index, of the block's environment that neither it nor its request leaves out.
fn taken_in(catalog: &Catalog, request: &Request, block: &UserBlock) -> BTreeSet<usize> {
    let environment = if block.is_qa() { Environment::Test } else { Environment::Production };
    let only = &block.only;
    let all = catalog.datasets.iter().enumerate().filter(|(_, dataset)| {
        dataset.environment == environment
            && request.include.as_ref().is_none_or(|products| products.contains(&dataset.product))
            && only.datasets.as_ref().is_none_or(|names| names.contains(&dataset.name))
            && only.sources.as_ref().is_none_or(|sources| sources.contains(&dataset.source))
    });
    all.map(|(index, _)| index).collect()
}
