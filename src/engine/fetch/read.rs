//! Reads the chosen rows of one row group.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_null_array};
use datafusion::datasource::physical_plan::parquet::Int96Coercer;
use arrow::datatypes::TimeUnit;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::schema::types::{SchemaDescriptor, Type};

use crate::model::Leaf;
use crate::plan::DatasetFiles;

use super::super::EngineError;
use super::super::opened::{self, Opened, still_the_same, unreadable};
use super::{FetchedBatch, Unit, unify, views};

/// Rows a batch.
const BATCH: usize = 8_192;

/// Reads a unit and passes its batches on, until one is not taken any more.
pub(super) fn read(
    dataset: &DatasetFiles,
    unit: &Unit<'_>,
    leaves: &[u16],
    pass_on: &mut dyn FnMut(FetchedBatch) -> bool,
) -> Result<(), EngineError> {
    let wanted: Vec<&Leaf> = leaves
        .iter()
        .map(|leaf| dataset.leaves.get(usize::from(*leaf)))
        .collect::<Option<_>>()
        .ok_or(EngineError::Bug("a leaf that is not there"))?;
    let opened = opened::open(unit.file, &wanted)?;
    let stored: Vec<usize> = opened.columns.iter().flatten().map(|column| column.index).collect();
    let mut given = 0;
    if stored.is_empty() {
        for rows in unit.rows.chunks(BATCH) {
            let columns = assemble(unit, leaves, &wanted, &opened, &[], &[], rows.len())?;
            given += rows.len();
            if !pass_on(batch(unit, rows, columns)) {
                return Ok(());
            }
        }
    } else {
        let broken = |_| unreadable(unit.file, format!("row group {} does not decode", unit.group));
        let (mut reader, columns) = reader(&opened, unit, &stored)?;
        while let Some(record) = reader.next().transpose().map_err(broken)? {
            let Some(rows) = unit.rows.get(given..given + record.num_rows()) else {
                return Err(unreadable(unit.file, "it has more rows than its footer says"));
            };
            let mut found = Vec::with_capacity(columns.len());
            for column in record.columns() {
                views::collect(column, &mut found).map_err(|what| unreadable(unit.file, what))?;
            }
            if found.len() != columns.len() {
                return Err(EngineError::Bug("a column without a view"));
            }
            let of_batch =
                assemble(unit, leaves, &wanted, &opened, &columns, &found, rows.len())?;
            given += rows.len();
            if !pass_on(batch(unit, rows, of_batch)) {
                return Ok(());
            }
        }
    }
    if given != unit.rows.len() {
        return Err(unreadable(unit.file, "it has fewer rows than its footer says"));
    }
    still_the_same(unit.file)
}

fn batch(unit: &Unit<'_>, rows: &[u64], columns: Vec<(u16, ArrayRef)>) -> FetchedBatch {
    FetchedBatch { file: unit.index, rows: rows.iter().map(|row| unit.start + row).collect(), columns }
}

/// A reader of the stored columns, and the file's column of each leaf that it gives, in order.
fn reader(
    opened: &Opened,
    unit: &Unit<'_>,
    stored: &[usize],
) -> Result<(parquet::arrow::arrow_reader::ParquetRecordBatchReader, Vec<usize>), EngineError> {
    let broken = |_| unreadable(unit.file, "its schema cannot be read");
    let metadata = Arc::new(opened.metadata.clone());
    let schema = metadata.file_metadata().schema_descr();
    let columns = with_map_siblings(schema, stored);
    let mask = ProjectionMask::leaves(schema, columns.iter().copied());
    // The Parquet file's own annotations count, not a schema that Arrow left in its metadata.
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let known = ArrowReaderMetadata::try_new(Arc::clone(&metadata), plain.clone()).map_err(broken)?;
    let known = match Int96Coercer::new(schema, known.schema(), &TimeUnit::Microsecond).coerce() {
        // INT96 in nanoseconds wraps for far dates.
        Some(coerced) => {
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), plain.with_schema(Arc::new(coerced)))
                .map_err(broken)?
        }
        None => known,
    };
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(opened.source.clone(), known)
        .with_row_groups(vec![unit.group])
        .with_projection(mask)
        .with_row_selection(selection(&unit.rows))
        .with_batch_size(BATCH)
        .build()
        .map_err(broken)?;
    Ok((reader, columns))
}

/// The selection of ascending positions.
fn selection(rows: &[u64]) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut at: u64 = 0;
    for row in rows {
        let gap = usize::try_from(row.saturating_sub(at)).unwrap_or(usize::MAX);
        if gap > 0 {
            selectors.push(RowSelector::skip(gap));
        }
        match selectors.last_mut() {
            Some(last) if !last.skip => last.row_count += 1,
            _ => selectors.push(RowSelector::select(1)),
        }
        at = row + 1;
    }
    RowSelection::from(selectors)
}

/// The columns, ascending, and with them all columns of each map that one of them lies in: Arrow reads
/// maps whole.
fn with_map_siblings(schema: &SchemaDescriptor, stored: &[usize]) -> Vec<usize> {
    let mut columns = stored.to_vec();
    let mut next = 0;
    for field in schema.root_schema().get_fields() {
        mark_maps(field, &mut next, stored, &mut columns);
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Walks the columns below a node, from `next` on.
fn mark_maps(node: &Type, next: &mut usize, stored: &[usize], columns: &mut Vec<usize>) {
    use parquet::basic::{ConvertedType, LogicalType};
    if node.is_primitive() {
        *next += 1;
        return;
    }
    let first = *next;
    for child in node.get_fields() {
        mark_maps(child, next, stored, columns);
    }
    let info = node.get_basic_info();
    let is_map = matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
    if is_map && stored.iter().any(|column| (first..*next).contains(column)) {
        columns.extend(first..*next);
    }
}

/// The views in the order of the leaves asked for.
fn assemble(
    unit: &Unit<'_>,
    leaves: &[u16],
    wanted: &[&Leaf],
    opened: &Opened,
    columns: &[usize],
    found: &[ArrayRef],
    rows: usize,
) -> Result<Vec<(u16, ArrayRef)>, EngineError> {
    let mut views = Vec::with_capacity(leaves.len());
    for ((index, leaf), column) in leaves.iter().zip(wanted).zip(&opened.columns) {
        let view = match column {
            _ if leaf.partition => partition(unit, leaf, rows),
            None => new_null_array(&unify::nested_type(leaf), rows),
            Some(column) => {
                let view = columns
                    .iter()
                    .position(|at| *at == column.index)
                    .and_then(|at| found.get(at))
                    .ok_or(EngineError::Bug("a column that was not read"))?;
                unify::unify(view, &column.leaf.kind, leaf)
                    .map_err(|()| unreadable(unit.file, format!("column `{}` does not fit its dataset", leaf.path)))?
            }
        };
        views.push((*index, view));
    }
    Ok(views)
}

fn partition(unit: &Unit<'_>, leaf: &Leaf, rows: usize) -> ArrayRef {
    let name = leaf.path.parts().first();
    let value = unit.file.partitions.iter().find(|(key, _)| Some(key) == name);
    let value = value.and_then(|(_, value)| value.as_deref());
    Arc::new(StringArray::from_iter(std::iter::repeat_n(value, rows)))
}
