//! The work of deletes: which rows go, and which cells of the others are masked or kept
//! (RULES.md section 5).

use std::collections::BTreeMap;

use crate::model::{EraseMode, FieldPath, Label, Name, Settings};
use crate::plan::mask::{mask, mask_in};
use crate::plan::{
    CellWork, DataFile, DatasetFiles, DatasetFound, FileProblem, FileWork, FoundHit, FoundRow,
    Hindrance, LeafWork, Mask, MaskFault, Reach, Resolved, ResolvedLeaf, RowKey, TaskIndex, reach,
};

use super::holds::Holds;

/// A leaf that deletes erase.
struct Target<'a> {
    leaf: &'a ResolvedLeaf<'a>,
    mask: Result<Mask, MaskFault>,
    /// The same in files that hold the leaf in another type, by file.
    own: BTreeMap<u32, Result<Mask, MaskFault>>,
    /// `DEL-PERSON`, or `pii`: erased by what matched on `ID-PERSON` fields.
    by_person: bool,
    /// `DEL-DEVICE`, or `pii`: erased by what matched on `ID-DEVICE` fields.
    by_device: bool,
    /// Why its cells are kept whoever asks, if they are.
    held: Option<&'a str>,
}

impl Target<'_> {
    /// What of the leaf a row's hits erase.
    fn reach(&self, resolved: &Resolved<'_>, hits: &[FoundHit]) -> Option<Reach> {
        let eligible = |hit: &&FoundHit| if hit.person { self.by_person } else { self.by_device };
        reach(resolved, self.leaf, hits.iter().filter(eligible))
    }

    fn mask_in(&self, file: u32) -> &Result<Mask, MaskFault> {
        self.own.get(&file).unwrap_or(&self.mask)
    }

    fn is_kept(&self) -> bool {
        matches!(self.mask, Ok(Mask::Retain { .. }))
    }
}

/// How deletes act on one dataset.
pub(super) struct Eraser<'a> {
    resolved: &'a Resolved<'a>,
    index: usize,
    holds: &'a Holds<'a>,
    targets: Vec<Target<'a>>,
    /// Files in which nothing can be erased, by index.
    unusable: BTreeMap<u32, &'a FileProblem>,
}

/// What a delete would do in one dataset, before anything is measured.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    /// Rows that go or of which a cell is masked; some may hold nothing to change.
    pub(super) rows: u64,
    /// Rows that a hold keeps whole, by hold.
    pub(super) held_rows: BTreeMap<String, u64>,
    /// Leaves of which a hold keeps cells, by leaf.
    pub(super) held_leaves: BTreeMap<FieldPath, String>,
    /// The first leaf that it reaches and that cannot take its method.
    pub(super) fault: Option<String>,
    /// The first file with a row of it in which nothing can be erased.
    pub(super) unusable: Option<FileProblem>,
}

/// A delete that runs, and its rows in one dataset.
#[derive(Clone, Copy)]
pub(super) struct Deletion<'a> {
    pub(super) task: TaskIndex,
    /// `deleteMethod: purge`.
    pub(super) purge: bool,
    pub(super) found: &'a DatasetFound,
}

/// What becomes of one row for one delete.
enum Fate<'a> {
    /// It is kept whole, for this reason.
    Held(&'a str),
    /// It goes.
    Removed,
    /// Cells of it are masked or kept.
    Masked(Vec<(&'a Target<'a>, Reach)>),
}

impl<'a> Eraser<'a> {
    pub(super) fn new(
        resolved: &'a Resolved<'a>,
        index: usize,
        holds: &'a Holds<'a>,
        settings: &Settings,
    ) -> Self {
        let name = &resolved.dataset.name;
        let targets = resolved
            .leaves()
            .iter()
            .filter_map(|leaf| {
                let (_, field) = leaf.field.filter(|(_, field)| field.is_erasable())?;
                let mask = mask(resolved.dataset, field, leaf.leaf, settings);
                let removes = mask == Ok(Mask::RemoveElement);
                let own = |(index, file): (u32, &DataFile)| {
                    file.own.binary_search_by_key(&leaf.index, |own| own.leaf).ok()?;
                    let own = resolved.files.leaf_in(file, leaf.index)?;
                    Some((index, mask_in(resolved.dataset, field, leaf.leaf, &own, settings)))
                };
                Some(Target {
                    leaf,
                    own: (0..).zip(&resolved.files.files).filter_map(own).collect(),
                    by_person: field.pii || field.labels.has(Label::DelPerson),
                    by_device: field.pii || field.labels.has(Label::DelDevice),
                    held: held(resolved, holds, name, leaf, removes),
                    mask,
                })
            })
            .collect();
        Self { resolved, index, holds, targets, unusable: unusable(resolved.files) }
    }

    fn name(&self) -> &Name {
        &self.resolved.dataset.name
    }

    fn fate(&'a self, row: &FoundRow, hits: &[FoundHit], purge: bool) -> Fate<'a> {
        let whole_row = purge || self.resolved.dataset.erase == EraseMode::Rows;
        let held = self.holds.row(self.index, self.name(), row.at);
        if whole_row {
            return match held.or_else(|| self.holds.purge(self.name())) {
                Some(why) => Fate::Held(why),
                None => Fate::Removed,
            };
        }
        let cells: Vec<_> = self
            .targets
            .iter()
            .filter_map(|target| Some((target, target.reach(self.resolved, hits)?)))
            .collect();
        match held {
            Some(why) if cells.iter().any(|(target, _)| !target.is_kept()) => Fate::Held(why),
            _ => Fate::Masked(cells),
        }
    }

    /// What a delete would do, without making its work.
    pub(super) fn outlook(&'a self, deletion: Deletion<'_>) -> Outlook {
        let mut outlook = Outlook::default();
        for row in &deletion.found.rows {
            match self.fate(row, hits_of(deletion.found, row), deletion.purge) {
                Fate::Held(why) => *outlook.held_rows.entry(why.to_owned()).or_default() += 1,
                _ if let Some(problem) = self.unusable.get(&row.at.file) => {
                    outlook.unusable.get_or_insert_with(|| (*problem).clone());
                }
                Fate::Removed => outlook.rows += 1,
                Fate::Masked(cells) => {
                    let mut touched = false;
                    for (target, _) in cells {
                        let path = &target.leaf.leaf.path;
                        match (target.mask_in(row.at.file), target.held) {
                            (Ok(Mask::Retain { .. }), _) => {}
                            (_, Some(why)) => {
                                outlook.held_leaves.insert(path.clone(), why.to_owned());
                            }
                            (Ok(_), None) => touched = true,
                            (Err(fault), None) => {
                                outlook.fault.get_or_insert_with(|| {
                                    self.describe(target, row.at.file, fault)
                                });
                            }
                        }
                    }
                    outlook.rows += u64::from(touched);
                }
            }
        }
        outlook
    }

    /// A method that a leaf cannot take; says the file where others could.
    fn describe(&self, target: &Target<'_>, file: u32, fault: &MaskFault) -> String {
        let (name, path) = (self.name(), &target.leaf.leaf.path);
        let mut text = format!("dataset {name}: {path}: {fault}");
        let shown = usize::try_from(file).ok().and_then(|at| self.resolved.files.files.get(at));
        if let Some(file) = shown.filter(|_| !target.own.is_empty()) {
            text.push_str(&format!(", in {}", file.shown));
        }
        text
    }

    /// The work of all deletes together, by file. `deletions` are sorted by task: of two that reach a
    /// cell the first erases it.
    pub(super) fn work(&'a self, deletions: &[Deletion<'a>]) -> Vec<FileWork> {
        let mut rows: Vec<(RowKey, Deletion<'a>, &'a FoundRow)> = deletions
            .iter()
            .flat_map(|deletion| deletion.found.rows.iter().map(|row| (row.at, *deletion, row)))
            .collect();
        rows.sort_by_key(|(at, deletion, _)| (*at, deletion.task));
        rows.chunk_by(|a, b| a.0.file == b.0.file).filter_map(|rows| self.file(rows)).collect()
    }

    fn file(&'a self, rows: &[(RowKey, Deletion<'a>, &'a FoundRow)]) -> Option<FileWork> {
        let index = rows.first().map(|(at, _, _)| at.file)?;
        let file = Some(index)
            .filter(|file| !self.unusable.contains_key(file))
            .and_then(|file| self.resolved.files.files.get(usize::try_from(file).ok()?))?;
        let mut removed = Vec::new();
        let mut leaves = Leaves::default();
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            let fates: Vec<_> = group
                .iter()
                .map(|(at, deletion, row)| {
                    let hits = hits_of(deletion.found, row);
                    (at.row, deletion.task, self.fate(row, hits, deletion.purge))
                })
                .collect();
            let goes = fates.iter().find(|(_, _, fate)| matches!(fate, Fate::Removed));
            if let Some((row, task, _)) = goes {
                removed.push((*row, *task));
                continue;
            }
            for (row, task, fate) in fates {
                if let Fate::Masked(cells) = fate {
                    for (target, reach) in cells {
                        leaves.add(target, index, CellWork { row, task, reach });
                    }
                }
            }
        }
        let leaves = leaves.into_work();
        (!removed.is_empty() || !leaves.is_empty()).then(|| FileWork {
            dataset: self.name().clone(),
            path: file.path.clone(),
            shown: file.shown.clone(),
            stamp: file.stamp.clone(),
            removed,
            leaves,
        })
    }
}

/// Why a leaf's cells are kept: a hold names it, or, where erasing it removes whole elements, a leaf
/// that would go along.
fn held<'a>(
    resolved: &'a Resolved<'a>,
    holds: &'a Holds<'a>,
    name: &Name,
    leaf: &ResolvedLeaf<'_>,
    removes: bool,
) -> Option<&'a str> {
    let along = |other: &&ResolvedLeaf<'_>| {
        removes && leaf.leaf.shared_lists(other.leaf) == leaf.leaf.lists.len()
    };
    holds.leaf(name, leaf).or_else(|| {
        resolved.leaves().iter().filter(along).find_map(|other| holds.leaf(name, other))
    })
}

/// Files of which a problem says that nothing can be erased in them.
fn unusable(files: &DatasetFiles) -> BTreeMap<u32, &FileProblem> {
    let mut unusable = BTreeMap::new();
    for problem in &files.problems {
        let (Hindrance::File(path) | Hindrance::Erasing(path)) = &problem.hinders else { continue };
        let index = files.files.iter().position(|file| file.path == *path);
        if let Some(index) = index.and_then(|index| u32::try_from(index).ok()) {
            unusable.entry(index).or_insert(problem);
        }
    }
    unusable
}

pub(super) fn hits_of<'a>(found: &'a DatasetFound, row: &FoundRow) -> &'a [FoundHit] {
    let (start, end) = (usize::try_from(row.hits.start), usize::try_from(row.hits.end));
    match (start, end) {
        (Ok(start), Ok(end)) => found.hits.get(start..end).unwrap_or(&[]),
        _ => &[],
    }
}

/// The leaf works of one file: per leaf what is written, then per leaf and task what is kept, so that
/// each task's own count of kept cells is seen.
#[derive(Default)]
struct Leaves {
    works: BTreeMap<(bool, u16, Option<TaskIndex>), LeafWork>,
}

impl Leaves {
    fn add(&mut self, target: &Target<'_>, file: u32, cell: CellWork) {
        let mask = match (target.mask_in(file), target.held) {
            (Ok(kept @ Mask::Retain { .. }), _) => kept.clone(),
            (_, Some(why)) => Mask::Retain { why: why.to_owned() },
            (Ok(mask), None) => mask.clone(),
            // A delete that reaches such a cell does not run.
            (Err(_), None) => return,
        };
        let kept = matches!(mask, Mask::Retain { .. });
        let key = (kept, target.leaf.index, kept.then_some(cell.task));
        let work = self.works.entry(key).or_insert_with(|| LeafWork {
            path: target.leaf.leaf.path.clone(),
            mask,
            cells: Vec::new(),
        });
        work.cells.push(cell);
    }

    fn into_work(self) -> Vec<LeafWork> {
        self.works.into_values().collect()
    }
}
