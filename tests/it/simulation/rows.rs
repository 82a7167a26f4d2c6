//! Rows in memory, and as real Parquet files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Field as ArrowField, Int64Type, Schema, TimestampMicrosecondType,
};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::dice::Dice;
use super::schema::{Dataset, Field, Kind};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    Text(String),
    Int(i64),
    /// Microseconds since 1970.
    Time(i64),
    /// A list of structs.
    List(Vec<Row>),
    /// Only in what is expected: a replacement that the run draws.
    Drawn(Draw),
}

/// A replacement to come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Draw {
    /// Which life of which task draws it: a completed task that acts again draws anew.
    pub(super) life: u64,
    pub(super) dataset: &'static str,
    pub(super) field: &'static str,
    pub(super) original: Box<Cell>,
}

/// By column name.
pub(super) type Row = BTreeMap<&'static str, Cell>;

/// The columns of a dataset's files: name, the fields in it (several in a list of structs).
fn columns(dataset: &Dataset) -> Vec<(&'static str, Vec<&Field>)> {
    let mut columns: Vec<(&'static str, Vec<&Field>)> = Vec::new();
    for field in dataset.fields.iter().filter(|f| dataset.partition != Some(f.path)) {
        let name = field.group().map_or(field.path, |(group, _)| group);
        match columns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, fields)) => fields.push(field),
            None => columns.push((name, vec![field])),
        }
    }
    columns
}

fn leaf_array<'a>(kind: Kind, cells: impl Iterator<Item = &'a Cell>) -> ArrayRef {
    match kind {
        Kind::Text => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Cell::Text(text) => Some(text.as_str()),
            _ => None,
        }))),
        Kind::Int => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
            Cell::Int(number) => Some(*number),
            _ => None,
        }))),
        Kind::Time => {
            let instants = TimestampMicrosecondArray::from_iter(cells.map(|cell| match cell {
                Cell::Time(micros) => Some(*micros),
                _ => None,
            }));
            Arc::new(instants.with_timezone("UTC"))
        }
    }
}

fn arrow_type(kind: Kind) -> DataType {
    leaf_array(kind, std::iter::empty()).data_type().clone()
}

fn array(name: &str, fields: &[&Field], rows: &[Row]) -> ArrayRef {
    let Some(_) = fields[0].group() else {
        return leaf_array(fields[0].kind, rows.iter().map(|row| &row[name]));
    };
    let elements = |row: &Row| match &row[name] {
        Cell::List(elements) => elements.clone(),
        _ => Vec::new(),
    };
    let lists: Vec<Vec<Row>> = rows.iter().map(elements).collect();
    let inner: Vec<ArrowField> = fields
        .iter()
        .map(|f| ArrowField::new(f.group().unwrap().1, arrow_type(f.kind), true))
        .collect();
    let arrays = fields.iter().map(|f| {
        let leaf = f.group().unwrap().1;
        leaf_array(f.kind, lists.iter().flatten().map(|element| &element[leaf]))
    });
    let structs = StructArray::new(inner.clone().into(), arrays.collect(), None);
    let item = Arc::new(ArrowField::new("element", DataType::Struct(inner.into()), true));
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    Arc::new(ListArray::new(item, offsets, Arc::new(structs), None))
}

/// Writes a file in the way of one of several writers, beside the dataset first: as careful ones do.
pub(super) fn write(path: &Path, beside: &Path, dataset: &Dataset, rows: &[Row], dice: &mut Dice) {
    let arrays: Vec<(&str, ArrayRef)> =
        columns(dataset).iter().map(|(name, fields)| (*name, array(name, fields, rows))).collect();
    let fields: Vec<ArrowField> = arrays
        .iter()
        .map(|(name, array)| ArrowField::new(*name, array.data_type().clone(), true))
        .collect();
    let columns = arrays.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(usize::try_from(3 + dice.below(9)).unwrap()))
        .set_data_page_row_count_limit(usize::try_from(2 + dice.below(9)).unwrap())
        .set_write_batch_size(2)
        .set_dictionary_enabled(!dice.once_in(3))
        .set_bloom_filter_enabled(dice.once_in(3))
        .set_compression(if dice.once_in(3) {
            Compression::UNCOMPRESSED
        } else {
            Compression::SNAPPY
        })
        .build();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(beside).unwrap(), batch.schema(), Some(properties))
            .unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(beside, path).unwrap();
}

/// Reads a file's rows.
pub(super) fn read(path: &Path, dataset: &Dataset) -> Result<Vec<Row>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = fs::File::open(path).map_err(|e| failed(&e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.build())
        .map_err(|e| failed(&e))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| failed(&e))?;
        let start = rows.len();
        rows.resize_with(start + batch.num_rows(), Row::new);
        for (name, fields) in columns(dataset) {
            let array = batch.column_by_name(name).ok_or_else(|| failed(&"a column is gone"))?;
            for (index, row) in rows[start..].iter_mut().enumerate() {
                row.insert(name, cell(array, &fields, index));
            }
        }
    }
    Ok(rows)
}

fn cell(array: &ArrayRef, fields: &[&Field], index: usize) -> Cell {
    if fields[0].group().is_none() {
        return leaf(array, fields[0].kind, index);
    }
    let elements = array.as_list::<i32>().value(index);
    let structs = elements.as_struct();
    let element = |at: usize| {
        let names = fields.iter().map(|f| (f.group().unwrap().1, f.kind));
        names
            .map(|(name, kind)| (name, leaf(structs.column_by_name(name).unwrap(), kind, at)))
            .collect()
    };
    Cell::List((0..structs.len()).map(element).collect())
}

fn leaf(array: &ArrayRef, kind: Kind, index: usize) -> Cell {
    if array.is_null(index) {
        return Cell::Null;
    }
    match kind {
        Kind::Text => Cell::Text(array.as_string::<i32>().value(index).to_owned()),
        Kind::Int => Cell::Int(array.as_primitive::<Int64Type>().value(index)),
        Kind::Time => Cell::Time(array.as_primitive::<TimestampMicrosecondType>().value(index)),
    }
}
