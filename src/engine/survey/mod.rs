//! A sampled look at the values of a dataset: what they look like, in counts.
//!
//! Guarantees: of a dataset of any size no more than [`choose::ROWS`] rows of [`choose::GROUPS`] row groups are
//! looked at (of a list its elements, about as many), column by column, a few rows at a time; no value leaves
//! this module. What cannot be read is said, and the rest is looked at.

mod choose;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::model::{Key, LeafType};
use crate::plan::coverage::{LONGEST, Survey, SurveyLeaf, Tally};
use crate::plan::{DataFile, DatasetFiles};
use crate::store::in_parallel;

use super::EngineError;
use super::guard::guarded;
use super::leaf::{Broken, Reader, Values, key};
use super::opened::{self, Column, Opened};
use choose::Group;

/// Rows that are held at a time.
const BATCH: usize = 32;

type Tallies = BTreeMap<u16, Tally>;

/// See [`crate::engine::Engine::survey`].
pub(super) fn survey(jobs: usize, dataset: &DatasetFiles, leaves: &[SurveyLeaf]) -> Survey {
    let mut survey = Survey {
        tallies: leaves.iter().map(|leaf| (leaf.leaf, Tally::new(leaf.hint))).collect(),
        problems: Vec::new(),
    };
    let sampled: Vec<SurveyLeaf> = leaves.iter().copied().filter(|leaf| leaf.sampled).collect();
    if sampled.is_empty() {
        return survey;
    }
    partitions(dataset, &sampled, &mut survey.tallies);
    let groups = choose::groups(dataset);
    let by_file: Vec<&[Group]> = groups.chunk_by(|a, b| a.file == b.file).collect();
    for (tallies, problems) in
        in_parallel(jobs, &by_file, |groups| of_file(dataset, groups, &sampled))
    {
        for (leaf, tally) in &tallies {
            if let Some(known) = survey.tallies.get_mut(leaf) {
                known.merge(tally);
            }
        }
        survey.problems.extend(problems);
    }
    tracing::debug!(dataset = %dataset.dataset, columns = sampled.len(), row_groups = groups.len(), "sampled");
    survey
}

/// The values of partition columns, each directory's once: they stand in the inventory.
fn partitions(dataset: &DatasetFiles, sampled: &[SurveyLeaf], tallies: &mut Tallies) {
    for leaf in sampled {
        let Some(known) = dataset.leaves.get(usize::from(leaf.leaf)) else { continue };
        let ([name], true) = (known.path.parts(), known.partition) else { continue };
        let of_file = |file: &DataFile| {
            let (_, value) = file.partitions.iter().find(|(column, _)| column == name)?;
            value.clone()
        };
        let mut values: Vec<String> = dataset.files.iter().filter_map(of_file).collect();
        values.sort_unstable();
        values.dedup();
        if let Some(tally) = tallies.get_mut(&leaf.leaf) {
            let most = usize::try_from(choose::ROWS).unwrap_or(usize::MAX);
            values.iter().take(most).for_each(|value| tally.add(value));
        }
    }
}

/// The row groups of one file. A column that does not decode is named, and the others are looked at.
fn of_file(
    dataset: &DatasetFiles,
    groups: &[Group],
    sampled: &[SurveyLeaf],
) -> (Tallies, Vec<String>) {
    let mut tallies: Tallies =
        sampled.iter().map(|leaf| (leaf.leaf, Tally::new(leaf.hint))).collect();
    let Some(file) = groups.first().and_then(|group| dataset.files.get(group.file)) else {
        return (tallies, Vec::new());
    };
    let wanted: Vec<_> =
        sampled.iter().filter_map(|leaf| dataset.leaves.get(usize::from(leaf.leaf))).collect();
    let opened = guarded(|| opened::open(file, &wanted))
        .unwrap_or_else(|| Err(opened::unreadable(file, "has a footer that does not parse")));
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return (tallies, vec![problem(&error)]),
    };
    let mut problems = Vec::new();
    for group in groups {
        for ((leaf, known), column) in sampled.iter().zip(&wanted).zip(&opened.columns) {
            let Some(column) = column else { continue };
            let mut tally = Tally::new(leaf.hint);
            let done = guarded(|| of_chunk(&opened, group, column, &known.kind, &mut tally));
            // Half a chunk is not the sample.
            if matches!(done, Some(Ok(()))) {
                if let Some(known) = tallies.get_mut(&leaf.leaf) {
                    known.merge(&tally);
                }
            } else {
                let what =
                    format!("column `{}` of row group {} does not decode", known.path, group.group);
                problems.push(format!("{}: {what}", file.shown));
            }
        }
    }
    if let Err(error) = opened::still_the_same(file) {
        problems.push(problem(&error));
    }
    (tallies, problems)
}

fn problem(error: &EngineError) -> String {
    match error {
        EngineError::Unreadable { shown, what } => format!("{shown}: {what}"),
        other => other.to_string(),
    }
}

/// One column of one row group.
fn of_chunk(
    opened: &Opened,
    group: &Group,
    column: &Column,
    kind: &LeafType,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let known = opened.metadata.row_groups().get(group.group).ok_or(Broken)?;
    let chunk = known.columns().get(column.index).ok_or(Broken)?;
    let mut reader = Reader::new(&opened.source, chunk, group.rows)?;
    let nested = !column.leaf.lists.is_empty();
    let rows = if nested { group.first() } else { group.runs() };
    for some in rows.chunks(BATCH) {
        // Lists may be long.
        if tally.values() >= group.quota {
            break;
        }
        let read = reader.rows(some)?;
        for at in 0..read.values.len() {
            add(tally, &read.values, at, &column.leaf.kind, kind);
        }
    }
    Ok(())
}

/// Looks at a value where it lies.
fn add(tally: &mut Tally, values: &Values, at: usize, stored: &LeafType, kind: &LeafType) {
    match kind {
        LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_) => {
            let bytes = values.bytes(at).unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(text) if bytes.len() <= LONGEST => tally.add(text),
                _ => tally.add_other(),
            }
        }
        _ => match key(values, at, stored, kind) {
            Some(Key::Int(number)) => tally.add(&number.to_string()),
            Some(Key::Decimal(digits)) => tally.add(&digits),
            _ => tally.add_other(),
        },
    }
}
