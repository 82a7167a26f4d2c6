//! Fields that the data lacks, columns that the policy lacks, and columns that cannot be what the
//! policy says they are.

use std::collections::BTreeSet;

use crate::manifest::codes::data as codes;
use crate::model::{FieldPath, Unlabelled};
use crate::plan::Resolved;
use crate::plan::resolve::{is_event_time, is_hit_id};

use super::{DataFault, Hinders};

pub(super) fn check(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    missing(faults, resolved);
    unmentioned(faults, resolved);
    id_types(faults, resolved);
    row_columns(faults, resolved);
    elements(faults, resolved);
}

fn missing(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    let dataset = resolved.dataset;
    for (_, field) in resolved.missing() {
        let message = format!("the data has no field {}", field.path);
        let hinders = Hinders {
            search: field.labels.is_id(),
            access: field.labels.is_accessible(),
            erase: field.is_erasable(),
            files: false,
        };
        let labelled = !field.labels.is_empty() || field.pii || field.namespace.is_some();
        // What tasks would fail on is never silenced.
        if !labelled && field.reason.is_some() {
            continue;
        }
        let (name, code) = (&dataset.name, codes::FIELD_WITHOUT_DATA);
        let fault = if labelled {
            DataFault::error(name, code, &field.position, message)
        } else {
            DataFault::warning(name, code, &field.position, message)
        };
        let help = match nearest(resolved, &field.path) {
            Some(known) => format!("did you mean {known}?"),
            None => "correct the path, or remove the entry".to_owned(),
        };
        faults.push(fault.help(help).hinders(hinders));
    }
}

/// A leaf of the data that differs from the path in case alone, or in how dots were read.
fn nearest<'a>(resolved: &Resolved<'a>, path: &FieldPath) -> Option<&'a FieldPath> {
    let plain = |path: &FieldPath| path.parts().join(".").to_lowercase();
    let wanted = plain(path);
    resolved.files.leaves.iter().map(|leaf| &leaf.path).find(|known| plain(known) == wanted)
}

fn unmentioned(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    let dataset = resolved.dataset;
    let by_name: BTreeSet<_> =
        [&dataset.timestamp, &dataset.hit_id].into_iter().flatten().collect();
    let deny = dataset.unlabelled == Unlabelled::Deny;
    for leaf in resolved.unmentioned().filter(|leaf| !by_name.contains(&leaf.leaf.path)) {
        let message = format!("the policy does not mention the column {}", leaf.leaf.path);
        let (name, code, at) = (&dataset.name, codes::COLUMN_NOT_MENTIONED, &dataset.position);
        let fault = if deny {
            let hinders = Hinders { access: true, erase: true, ..Hinders::default() };
            DataFault::error(name, code, at, message).hinders(hinders)
        } else {
            DataFault::warning(name, code, at, message)
        };
        faults.push(fault.help("list it under fields, without labels if it is no personal data"));
    }
}

fn id_types(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    for leaf in resolved.leaves().iter().filter(|leaf| leaf.is_id()) {
        let Some((_, field)) = leaf.field else { continue };
        if !leaf.leaf.kind.can_identify() && !leaf.leaf.kind.is_null() {
            let (path, kind) = (&leaf.leaf.path, leaf.leaf.kind.describe());
            let message = format!("{path} is a {kind} column and cannot be an ID field");
            let name = &resolved.dataset.name;
            let fault = DataFault::error(name, codes::ID_TYPE, &field.position, message);
            faults.push(fault.hinders(Hinders { search: true, ..Hinders::default() }));
        }
    }
}

/// The event time and the hit id.
fn row_columns(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    let dataset = resolved.dataset;
    let fits_time = resolved.timestamp().is_some();
    let fits_hit = resolved.hit_id().is_some();
    debug_assert!(resolved.timestamp().is_none_or(|leaf| is_event_time(leaf.leaf)));
    debug_assert!(resolved.hit_id().is_none_or(|leaf| is_hit_id(leaf.leaf)));
    for (path, fits, key, code, wanted) in [
        (&dataset.timestamp, fits_time, "timestamp", codes::TIMESTAMP, "a timestamp or date"),
        (&dataset.hit_id, fits_hit, "hitId", codes::HIT_ID, "a value that can be compared"),
    ] {
        let Some(path) = path.as_ref().filter(|_| !fits) else { continue };
        let message = match resolved.by_path(path) {
            None => format!("{key}: the data has no column {path}"),
            Some(leaf) if !leaf.leaf.lists.is_empty() => {
                format!("{key}: {path} lies in a list or map, and must have one value a row")
            }
            Some(leaf) => {
                format!("{key}: {path} is a {} column, not {wanted}", leaf.leaf.kind.describe())
            }
        };
        let fault = DataFault::error(&dataset.name, code, &dataset.position, message);
        faults.push(fault.hinders(Hinders { access: true, ..Hinders::default() }));
    }
}

fn elements(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>) {
    for (index, field) in resolved.dataset.fields.iter().enumerate() {
        let mut leaves = resolved.leaves_of(index).peekable();
        let outside = leaves.peek().is_some() && leaves.all(|leaf| leaf.leaf.lists.is_empty());
        if field.all_elements && outside {
            let message = format!("{} lies in no list or map: elements has no effect", field.path);
            let (name, code) = (&resolved.dataset.name, codes::ELEMENTS_OUTSIDE_LIST);
            faults.push(DataFault::warning(name, code, &field.position, message));
        }
    }
}
