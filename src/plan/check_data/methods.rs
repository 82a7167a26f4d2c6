//! Erase methods against the types of the leaves.

use crate::manifest::codes::data as codes;
use crate::model::{EraseMethod, EraseMode, Field, Leaf, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::mask::{MaskFault, mask_in};
use crate::plan::{DataFile, Mask, OwnLeaf, Resolved, ResolvedLeaf};

use super::DataFault;

pub(super) fn check(faults: &mut Vec<DataFault>, resolved: &Resolved<'_>, settings: &Settings) {
    let dataset = resolved.dataset;
    let rows_go = dataset.erase == EraseMode::Rows;
    let mut masks = Vec::new();
    let schemas = Schemas::new(resolved);
    for leaf in resolved.leaves() {
        let Some((_, field)) = leaf.field else { continue };
        let named = field.erase.is_some();
        if !field.is_erasable() && !named {
            continue;
        }
        let found =
            schemas.judge(resolved, leaf, |own| mask_in(dataset, field, leaf.leaf, own, settings));
        for (fault, place) in found.faults {
            match fault {
                // Where rows are purged no mask is ever applied: only what the policy spells out is held
                // against the type.
                _ if rows_go && !named => {}
                MaskFault::Partition if rows_go || !field.is_erasable() => {}
                fault => {
                    let mut described = describe(resolved, &place.leaf, field, &fault);
                    if let Some(place) = place.text {
                        described.diagnostic.message.push_str(&place);
                    }
                    faults.push(described);
                }
            }
        }
        if let Some(mask) = found.mask {
            if mask == Mask::RemoveElement {
                siblings(faults, resolved, leaf, field);
            }
            masks.push((mask, leaf));
        }
    }
    if !rows_go {
        nothing_to_judge(faults, resolved, &masks);
    }
}

/// The files of a dataset, by what is their own in them.
struct Schemas<'a> {
    kinds: Vec<(&'a Arc<[OwnLeaf]>, Vec<&'a DataFile>)>,
}

/// What the files say of one leaf's method.
struct Judged {
    /// Of a file that can take it.
    mask: Option<Mask>,
    faults: Vec<(MaskFault, Place)>,
}

/// Where a method does not fit.
struct Place {
    /// The leaf as the first such file holds it.
    leaf: Leaf,
    /// To append to the message, where not all files are at fault.
    text: Option<String>,
}

impl<'a> Schemas<'a> {
    fn new(resolved: &Resolved<'a>) -> Self {
        let mut kinds: BTreeMap<&[OwnLeaf], usize> = BTreeMap::new();
        let mut schemas = Self { kinds: Vec::new() };
        for file in &resolved.files.files {
            let next = schemas.kinds.len();
            match schemas.kinds.get_mut(*kinds.entry(&file.own).or_insert(next)) {
                Some((_, files)) => files.push(file),
                None => schemas.kinds.push((&file.own, vec![file])),
            }
        }
        schemas
    }

    /// Holds a leaf's method against the form that it has in each file.
    fn judge(
        &self,
        resolved: &Resolved<'_>,
        leaf: &ResolvedLeaf<'_>,
        mask: impl Fn(&Leaf) -> Result<Mask, MaskFault>,
    ) -> Judged {
        let mut judged = Judged { mask: None, faults: Vec::new() };
        let mut counts = Vec::new();
        let mut total = 0;
        for (_, files) in &self.kinds {
            let Some(first) = files.first() else { continue };
            let Some(own) = resolved.files.leaf_in(first, leaf.index) else { continue };
            total += files.len();
            match mask(&own) {
                Ok(mask) => judged.mask = judged.mask.or(Some(mask)),
                Err(fault) => match judged.faults.iter().position(|(known, _)| *known == fault) {
                    Some(at) => counts[at] += files.len(),
                    None => {
                        let place =
                            Place { leaf: own.into_owned(), text: Some(first.shown.clone()) };
                        judged.faults.push((fault, place));
                        counts.push(files.len());
                    }
                },
            }
        }
        for ((_, place), count) in judged.faults.iter_mut().zip(counts) {
            let example = place.text.take().filter(|_| count < total);
            place.text =
                example.map(|file| format!(", in {count} of {total} files, such as {file}"));
        }
        judged
    }
}

/// Leaves that cannot take their method hinder the deletes that reach them: `erase` of
/// [`super::Hinders`] would hinder all deletes with rows in the dataset.
fn describe(resolved: &Resolved<'_>, leaf: &Leaf, field: &Field, fault: &MaskFault) -> DataFault {
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
    let message = format!("{}: {fault}", leaf.path);
    DataFault::error(&resolved.dataset.name, code, &field.position, message).help(help)
}

/// The methods that the leaf can take.
fn alternatives(leaf: &Leaf) -> String {
    let possible = |method: &EraseMethod| match method {
        EraseMethod::Null => leaf.nullable,
        EraseMethod::RemoveElement => !leaf.lists.is_empty(),
        method => crate::plan::mask::takes(&leaf.kind, *method),
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
