//! Whether every row that goes and every cell that is masked is justified.

use std::collections::HashSet;

use crate::model::{Action, DeleteMethod, EraseMethod, EraseMode, Field, Label, Leaf, Name};
use crate::plan::{
    CellWork, DatasetFiles, FileWork, FoundHit, Hindrance, LeafWork, Mask, Reach, RowKey, TaskIndex,
};

use super::facts::Facts;
use super::{Broken, ensure};

pub(super) fn file<'a>(facts: &Facts<'a>, work: &'a FileWork) -> Result<(), Broken> {
    let name = &work.dataset;
    let files = facts.files(name)?;
    let file = files.files.iter().position(|file| file.path == work.path);
    let Some(file) = file.and_then(|file| u32::try_from(file).ok()) else {
        return Err(Broken::new(format!("{} is no file of {name}", work.shown)));
    };
    let hindered = files.problems.iter().any(|problem| match &problem.hinders {
        Hindrance::Dataset | Hindrance::Empty => true,
        Hindrance::File(path) | Hindrance::Erasing(path) => *path == work.path,
    });
    ensure(!hindered, || format!("{} cannot be used, and is erased", work.shown))?;
    let mut removed = HashSet::new();
    for (row, task) in &work.removed {
        ensure(removed.insert(*row), || format!("a row of {} goes twice", work.shown))?;
        removal(facts, name, RowKey { file, row: *row }, *task)?;
    }
    ensure(work.removed.is_sorted(), || format!("rows of {} are out of order", work.shown))?;
    let mut written = HashSet::new();
    for leaf in &work.leaves {
        let shown = || format!("{} of {}", leaf.path, work.shown);
        let changes = !matches!(leaf.mask, Mask::Retain { .. });
        ensure(!changes || written.insert(&leaf.path), || format!("{} has two masks", shown()))?;
        let order = |cell: &CellWork| (cell.row, cell.task);
        ensure(leaf.cells.is_sorted_by(|a, b| order(a) < order(b)), || {
            format!("cells of {} are out of order or there twice", shown())
        })?;
        ensure(leaf.cells.iter().all(|cell| !removed.contains(&cell.row)), || {
            format!("{} masks a row that goes", shown())
        })?;
        cells(facts, files, file, leaf)?;
    }
    Ok(())
}

fn removal<'a>(
    facts: &Facts<'a>,
    name: &'a Name,
    at: RowKey,
    task: TaskIndex,
) -> Result<(), Broken> {
    let (drafted, request) = facts.running(task, Action::Delete)?;
    let id = &drafted.id;
    ensure(facts.row(task, name, at).is_some(), || {
        format!("{id} removes a row of {name} that it did not match")
    })?;
    let policy = facts.situation.catalog.dataset(name);
    let rows_go = policy.is_some_and(|policy| policy.erase == EraseMode::Rows);
    ensure(rows_go || request.delete_method == DeleteMethod::Purge, || {
        format!("{id} removes rows of {name} and is no purge")
    })?;
    ensure(!facts.row_is_held(name, at) && !facts.has_held_fields(name), || {
        format!("{id} removes a row of {name} that a hold keeps")
    })
}

fn cells<'a>(
    facts: &Facts<'a>,
    files: &'a DatasetFiles,
    file: u32,
    work: &LeafWork,
) -> Result<(), Broken> {
    let (name, path) = (&files.dataset, &work.path);
    let leaf = files.leaves.iter().enumerate().find(|(_, leaf)| leaf.path == *path);
    let field = leaf.and_then(|(index, _)| facts.field(name, index));
    let Some(((_, leaf), field)) = leaf.zip(field) else {
        return Err(Broken::new(format!("{path} of {name} has no policy or no data")));
    };
    let labels = field.labels;
    let erasable = field.pii || labels.has(Label::DelDevice) || labels.has(Label::DelPerson);
    ensure(erasable, || format!("no label lets {path} of {name} be erased"))?;
    let changes = !matches!(work.mask, Mask::Retain { .. });
    if changes {
        let kept = field.erase.as_ref().is_some_and(|rule| rule.method == EraseMethod::Keep);
        ensure(!kept && !leaf.partition, || format!("{path} of {name} must not be masked"))?;
        ensure(!is_held(facts, files, leaf, &work.mask), || {
            format!("a hold keeps {path} of {name}, and it is masked")
        })?;
    }
    for cell in &work.cells {
        let (task, _) = facts.running(cell.task, Action::Delete)?;
        let at = RowKey { file, row: cell.row };
        let Some((row, hits)) = facts.row(cell.task, name, at) else {
            return Err(Broken::new(format!("{} touches a row that it did not match", task.id)));
        };
        let by_person = labels.has(Label::DelPerson) && row.person;
        let by_device = labels.has(Label::DelDevice) && row.device;
        let justified = field.pii || by_person || by_device;
        ensure(justified && (!changes || !facts.row_is_held(name, at)), || {
            format!("{} touches {path} of {name} where it must not", task.id)
        })?;
        ensure(reaches(facts, files, leaf, field, hits, &cell.reach), || {
            format!("{} touches elements of {path} that are others'", task.id)
        })?;
    }
    Ok(())
}

/// Whether a hold keeps the leaf, or one that goes along where whole elements are removed.
fn is_held(facts: &Facts<'_>, files: &DatasetFiles, leaf: &Leaf, mask: &Mask) -> bool {
    let affected = |other: &Leaf| {
        other.path == leaf.path
            || (*mask == Mask::RemoveElement && leaf.shared_lists(other) == leaf.lists.len())
    };
    files
        .leaves
        .iter()
        .enumerate()
        .filter(|(_, other)| affected(other))
        .any(|(index, other)| facts.leaf_is_held(&files.dataset, index, other))
}

/// Whether every element that is reached lies where an eligible match allows it.
fn reaches(
    facts: &Facts<'_>,
    files: &DatasetFiles,
    leaf: &Leaf,
    field: &Field,
    hits: &[FoundHit],
    reached: &Reach,
) -> bool {
    // Of each eligible match: the indices that an element must begin with.
    let mut allowed = hits
        .iter()
        .filter(|hit| {
            let label = if hit.person { Label::DelPerson } else { Label::DelDevice };
            field.pii || field.labels.has(label)
        })
        .filter_map(|hit| {
            let index = usize::from(hit.leaf);
            let source = files.leaves.get(index)?;
            let party = facts.field(&files.dataset, index)?.party.as_ref();
            let other = party.zip(field.party.as_ref()).is_some_and(|(a, b)| a != b);
            let levels = if field.all_elements { 0 } else { leaf.shared_lists(source) };
            hit.element.get(..levels).filter(|_| !other)
        });
    match reached {
        Reach::All => allowed.any(<[u32]>::is_empty),
        Reach::Within(prefixes) => {
            let allowed: Vec<&[u32]> = allowed.collect();
            let fits = |prefix: &[u32]| allowed.iter().any(|allowed| prefix.starts_with(allowed));
            !prefixes.is_empty() && prefixes.iter().all(|prefix| fits(prefix))
        }
    }
}
