//! Holds on fields, against the data: a misspelled hold must not let data be destroyed.

use jiff::civil::Date;

use crate::manifest::codes::data as codes;
use crate::model::{Catalog, FieldPath, HoldScope};
use crate::plan::{DatasetFiles, Inventory};

use super::{DataFault, Hinders};

/// A hold that has lapsed keeps nothing, and so cannot fail to.
pub(super) fn check(
    faults: &mut Vec<DataFault>,
    catalog: &Catalog,
    inventory: &Inventory,
    today: Date,
) {
    for hold in catalog.holds.iter().filter(|hold| hold.in_force(today)) {
        let HoldScope::Datasets { datasets, fields } = &hold.scope else { continue };
        let known: Vec<&DatasetFiles> =
            datasets.iter().filter_map(|name| inventory.datasets.get(name)).collect();
        // A dataset without a readable file has no schema: nothing can be said of the fields.
        if known.iter().any(|files| files.files.is_empty()) || known.is_empty() {
            continue;
        }
        for path in fields.iter().filter(|path| !known.iter().any(|files| has(files, path))) {
            let message = format!("hold {}: the data has no field {path}", hold.name);
            let Some(first) = datasets.first() else { continue };
            let mut fault = DataFault::error(first, codes::HOLD_FIELD, &hold.position, message)
                .help("correct the path: a hold that keeps nothing must not go unnoticed")
                .hinders(Hinders { erase: true, ..Hinders::default() });
            fault.datasets = datasets.clone();
            faults.push(fault);
        }
    }
}

fn has(files: &DatasetFiles, path: &FieldPath) -> bool {
    files.leaves.iter().any(|leaf| path.covers(&leaf.path))
}
