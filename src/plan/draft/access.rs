//! The work of access: which columns a package shows, and of which rows (RULES.md section 4).

use crate::model::{Environment, Label};
use crate::plan::{
    AccessColumn, AccessDataset, AccessRow, AccessWork, BlockFound, DatasetFound, FoundHit, Reach,
    Resolved, ResolvedLeaf, TaskIndex, reach,
};

use super::erase::hits_of;

/// The package of one task; `resolved` is by index of the dataset in the catalog. Datasets without a
/// row are left out.
pub(super) fn work<'a>(
    task: TaskIndex,
    environment: Environment,
    found: &BlockFound,
    resolved: impl Fn(usize) -> Option<&'a Resolved<'a>>,
) -> AccessWork {
    let mut datasets: Vec<_> = found
        .datasets
        .iter()
        .filter(|found| !found.rows.is_empty())
        .filter_map(|found| Some(dataset(resolved(found.dataset)?, found)))
        .collect();
    datasets.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    AccessWork { task, environment, datasets }
}

fn dataset(resolved: &Resolved<'_>, found: &DatasetFound) -> AccessDataset {
    let columns = columns(resolved);
    let mut rows: Vec<_> =
        found.rows.iter().map(|row| access_row(resolved, &columns, found, row)).collect();
    rows.sort_by_key(|row| row.at);
    AccessDataset {
        dataset: resolved.dataset.name.clone(),
        product: resolved.dataset.product.clone(),
        source: resolved.dataset.source.clone(),
        timestamp: resolved.timestamp().map(|leaf| leaf.index),
        hit_id: resolved.hit_id().map(|leaf| leaf.index),
        columns,
        rows,
    }
}

/// The eligible leaves in the policy's order, a group's leaves in schema order; a timestamp that the
/// policy does not list as a field stands first.
fn columns(resolved: &Resolved<'_>) -> Vec<AccessColumn> {
    let timestamp = resolved.timestamp();
    let unlisted = timestamp.filter(|leaf| leaf.field.is_none());
    let listed = (0..resolved.dataset.fields.len()).flat_map(|field| resolved.leaves_of(field));
    unlisted
        .into_iter()
        .chain(listed)
        .filter_map(|leaf| {
            let is_time = timestamp.is_some_and(|time| time.index == leaf.index);
            let device = shows_to_devices(leaf, is_time);
            (device || leaf.has(Label::AccPerson))
                .then_some(AccessColumn { leaf: leaf.index, device })
        })
        .collect()
}

/// `ACC-ALL`; a timestamp without any `ACC-*` label counts as that.
fn shows_to_devices(leaf: &ResolvedLeaf<'_>, is_time: bool) -> bool {
    leaf.has(Label::AccAll) || (is_time && !leaf.has(Label::AccPerson))
}

fn access_row(
    resolved: &Resolved<'_>,
    columns: &[AccessColumn],
    found: &DatasetFound,
    row: &crate::plan::FoundRow,
) -> AccessRow {
    let hits = hits_of(found, row);
    let narrowed = (0..=u16::MAX)
        .zip(columns)
        // A device row shows device columns only; the others are not narrowed but absent.
        .filter(|(_, column)| row.person || column.device)
        .filter_map(|(index, column)| {
            let leaf = resolved.leaf(column.leaf)?;
            let eligible = |hit: &&FoundHit| column.device || hit.person;
            match reach(resolved, leaf, hits.iter().filter(eligible)) {
                Some(Reach::All) => None,
                Some(within) => Some((index, within)),
                None => Some((index, Reach::Within(Vec::new()))),
            }
        })
        .collect();
    AccessRow { at: row.at, person: row.person, narrowed }
}
