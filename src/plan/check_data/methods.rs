//! Erase methods against the types of the leaves.

use crate::manifest::codes::data as codes;
use crate::model::{EraseMethod, EraseMode, Field, Settings};
use crate::plan::mask::{MaskFault, mask};
use crate::plan::{Mask, Resolved, ResolvedLeaf};

use super::DataFault;

pub(super) fn check(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>, settings: &Settings) {
    let dataset = resolved.dataset;
    let rows_go = dataset.erase == EraseMode::Rows;
    let mut masks = Vec::new();
    for leaf in resolved.leaves() {
        let Some((_, field)) = leaf.field else { continue };
        let named = field.erase.is_some();
        if !field.is_erasable() && !named {
            continue;
        }
        match mask(dataset, field, leaf.leaf, settings) {
            // Where rows are purged no mask is ever applied: only what the policy spells out is held
            // against the type.
            Err(_) if rows_go && !named => {}
            Err(MaskFault::Partition) if rows_go || !field.is_erasable() => {}
            Err(fault) => faults.push(describe(resolved, leaf, field, &fault)),
            Ok(Mask::RemoveElement) => {
                siblings(faults, resolved, leaf, field);
                masks.push((Mask::RemoveElement, leaf));
            }
            Ok(mask) => masks.push((mask, leaf)),
        }
    }
    if !rows_go {
        nothing_to_judge(faults, resolved, &masks);
    }
}

/// Leaves that cannot take their method hinder the deletes that reach them: `erase` of
/// [`super::Hinders`] would hinder all deletes with rows in the dataset.
fn describe(
    resolved: &Resolved<'_>,
    leaf: &ResolvedLeaf<'_>,
    field: &Field,
    fault: &MaskFault,
) -> DataFault {
    let (code, help) = match fault {
        MaskFault::Type { .. } => (codes::METHOD_TYPE, alternatives(leaf)),
        MaskFault::Required => (codes::NULL_REQUIRED, alternatives(leaf)),
        MaskFault::RequiredDefault => (codes::DEFAULT_NULL_REQUIRED, alternatives(leaf)),
        MaskFault::Partition => {
            (codes::PARTITION_ERASE, "remove DEL-* and pii, or purge the dataset's rows".to_owned())
        }
        MaskFault::NotInList => (codes::REMOVE_ELEMENT, alternatives(leaf)),
        MaskFault::Constant { kind } => {
            (codes::CONSTANT_TYPE, format!("give a value that a {kind} column can hold"))
        }
        MaskFault::Key => (codes::HMAC_KEY, "name the key under keys in Settings".to_owned()),
    };
    let message = format!("{}: {fault}", leaf.leaf.path);
    DataFault::error(&resolved.dataset.name, code, &field.position, message).help(help)
}

/// The methods that the leaf can take.
fn alternatives(leaf: &ResolvedLeaf<'_>) -> String {
    let possible = |method: &EraseMethod| match method {
        EraseMethod::Null => leaf.leaf.nullable,
        EraseMethod::RemoveElement => !leaf.leaf.lists.is_empty(),
        method => crate::plan::mask::takes(&leaf.leaf.kind, *method),
    };
    let names: Vec<_> =
        EraseMethod::ALL.into_iter().filter(possible).map(EraseMethod::as_str).collect();
    format!("this column can take {}", names.join(", "))
}

/// Leaves that an element takes along when it goes, and that their own policy protects.
fn siblings(
    faults: &mut Vec<DataFault>,
    resolved: &Resolved<'_>,
    leaf: &ResolvedLeaf<'_>,
    field: &Field,
) {
    let depth = leaf.leaf.lists.len();
    let protected = |other: &&ResolvedLeaf<'_>| {
        let kept = |field: &Field| {
            field.erase.as_ref().is_some_and(|rule| rule.method == EraseMethod::Keep)
        };
        other.index != leaf.index
            && leaf.leaf.shared_lists(other.leaf) == depth
            && other.field.is_none_or(|(_, field)| !field.is_erasable() || kept(field))
    };
    let paths: Vec<_> = resolved
        .leaves()
        .iter()
        .filter(protected)
        .map(|other| other.leaf.path.to_string())
        .collect();
    if !paths.is_empty() {
        let (path, along) = (&leaf.leaf.path, paths.join(", "));
        let message = format!("removing an element of {path} removes {along} too");
        let (name, code) = (&resolved.dataset.name, codes::REMOVES_SIBLINGS);
        faults.push(DataFault::warning(name, code, &field.position, message));
    }
}

fn nothing_to_judge(
    faults: &mut Vec<DataFault>,
    resolved: &Resolved<'_>,
    masks: &[(Mask, &ResolvedLeaf<'_>)],
) {
    let mut erased = masks
        .iter()
        .filter(|(mask, leaf)| leaf.is_erasable() && mask.method() != EraseMethod::Keep)
        .peekable();
    if erased.peek().is_some() && !erased.any(|(mask, leaf)| mask.is_judged(&leaf.leaf.kind)) {
        let dataset = resolved.dataset;
        let message = "no erased field of the dataset shows that it has been erased".to_owned();
        let (name, code) = (&dataset.name, codes::NOTHING_TO_JUDGE);
        faults.push(DataFault::warning(name, code, &dataset.position, message));
    }
}
