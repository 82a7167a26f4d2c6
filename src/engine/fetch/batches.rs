//! Chosen rows as Arrow batches.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use crate::model::Leaf;
use crate::plan::{DataFile, DatasetFiles, RowKey};

use super::super::EngineError;
use super::super::leaf::{Reader, absent, array, nest};
use super::super::opened::Column;
use super::FetchedBatch;
use super::ordered::{Take, in_order};
use super::rows::{GroupRows, by_file, each_group, leaves, partition};

/// Rows of a batch.
const BATCH: usize = 1024;

/// See [`crate::engine::Engine::fetch`].
pub(in super::super) fn fetch(
    jobs: usize,
    dataset: &DatasetFiles,
    rows: &[RowKey],
    indices: &[u16],
    each: &mut dyn FnMut(FetchedBatch) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let wanted = leaves(dataset, indices)?;
    in_order(
        jobs,
        &by_file(rows),
        |rows, each| of_file(dataset, rows, indices, &wanted, each),
        each,
    )
}

fn of_file(
    dataset: &DatasetFiles,
    rows: &[RowKey],
    indices: &[u16],
    wanted: &[&Leaf],
    each: Take<'_, FetchedBatch>,
) -> Result<(), EngineError> {
    each_group(dataset, rows, wanted, |number, file, chosen| {
        let mut columns: Vec<View<'_>> = Vec::with_capacity(wanted.len());
        for (leaf, column) in wanted.iter().zip(&chosen.file.columns) {
            columns.push(View::new(file, leaf, column.as_ref(), &chosen)?);
        }
        for some in chosen.rows.chunks(BATCH) {
            let mut batch = FetchedBatch {
                file: number,
                rows: some.iter().map(|row| chosen.start + row).collect(),
                columns: Vec::with_capacity(columns.len()),
            };
            for (index, view) in indices.iter().zip(&mut columns) {
                batch.columns.push((*index, view.read(some, &chosen)?));
            }
            if each(batch).is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Where a column of the batches comes from.
enum View<'a> {
    Stored {
        leaf: &'a Leaf,
        column: &'a Column,
        reader: Box<Reader>,
        max_definition: i16,
    },
    /// The same text on every row.
    Partition(Option<&'a str>),
    /// The file lacks the leaf.
    Absent(&'a Leaf),
}

impl<'a> View<'a> {
    fn new(
        file: &'a DataFile,
        leaf: &'a Leaf,
        column: Option<&'a Column>,
        chosen: &GroupRows<'_>,
    ) -> Result<Self, String> {
        let Some(column) = column else {
            let partition = leaf.partition.then(|| Self::Partition(partition(file, leaf)));
            return Ok(partition.unwrap_or(Self::Absent(leaf)));
        };
        let schema = chosen.file.metadata.file_metadata().schema_descr();
        let max_definition = schema.column(column.index).max_def_level();
        let reader = Box::new(chosen.reader(column.index)?);
        Ok(Self::Stored { leaf, column, reader, max_definition })
    }

    fn read(&mut self, some: &[u64], chosen: &GroupRows<'_>) -> Result<ArrayRef, String> {
        match self {
            Self::Absent(leaf) => Ok(absent(&leaf.kind, leaf.lists.len(), some.len())),
            Self::Partition(value) => {
                let value = *value;
                Ok(Arc::new(some.iter().map(|_| value).collect::<StringArray>()))
            }
            Self::Stored { leaf, column, reader, max_definition } => {
                let schema = chosen.file.metadata.file_metadata().schema_descr();
                let descriptor = schema.column(column.index);
                let broken = |_| chosen.broken(column.index);
                let rows = reader.rows(some).map_err(broken)?;
                let stored = &column.leaf;
                nest(&rows, *max_definition, &stored.element_levels, |slots| {
                    array(slots, &rows.values, &stored.kind, &leaf.kind, &descriptor)
                })
                .map_err(broken)
            }
        }
    }
}
