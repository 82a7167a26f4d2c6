//! Reads chosen rows of one column chunk, forwards.

use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::SerializedPageReader;

use super::super::footer;
use super::super::pages::header;
use super::super::source::Source;
use super::Values;

/// A chunk being read, from its first row on.
pub(crate) struct Reader {
    reader: ColumnReader,
    /// Whether the column lies in lists.
    nested: bool,
    /// The next row, in the row group.
    at: u64,
}

/// Levels and values of some rows.
#[derive(Debug)]
pub(crate) struct Rows {
    /// One a level; empty where the column is required and in no list.
    pub(crate) definitions: Vec<i16>,
    /// One a level; empty where the column is in no list.
    pub(crate) repetitions: Vec<i16>,
    pub(crate) values: Values,
}

/// A chunk that does not hold what its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

impl From<parquet::errors::ParquetError> for Broken {
    // The text could quote a value.
    fn from(_: parquet::errors::ParquetError) -> Self {
        Self
    }
}

impl Reader {
    /// Opens a chunk of a row group of `rows` rows.
    pub(crate) fn new(
        source: &Source,
        column: &ColumnChunkMetaData,
        rows: u64,
    ) -> Result<Self, Broken> {
        let (start, length) = footer::bounds(column).ok_or(Broken)?;
        header::check(source, start, length).ok_or(Broken)?;
        let rows = usize::try_from(rows).map_err(|_| Broken)?;
        let pages = SerializedPageReader::new(Arc::new(source.clone()), column, rows, None)?;
        let reader = get_column_reader(column.column_descr_ptr(), Box::new(pages));
        let nested = column.column_descr().max_rep_level() > 0;
        Ok(Self { reader, nested, at: 0 })
    }

    /// Reads these rows: ascending, none of them passed already.
    pub(crate) fn rows(&mut self, rows: &[u64]) -> Result<Rows, Broken> {
        let (nested, at) = (self.nested, &mut self.at);
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => read(reader, nested, at, rows, Values::Bool),
            ColumnReader::Int32ColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Int32)
            }
            ColumnReader::Int64ColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Int64)
            }
            ColumnReader::Int96ColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Int96)
            }
            ColumnReader::FloatColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Float)
            }
            ColumnReader::DoubleColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Double)
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Bytes)
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                read(reader, nested, at, rows, Values::Fixed)
            }
        }
    }
}

/// Passes over rows of a column in lists. `skip_records` would never come back from a page whose repetition
/// levels are fewer than its header claims; reading says that they are.
fn read_past<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize) -> Result<(), Broken> {
    const STEP: usize = 1024;
    let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        let step = left.min(STEP);
        let (read, _, _) = reader.read_records(
            step,
            Some(&mut definitions),
            Some(&mut repetitions),
            &mut values,
        )?;
        if read == 0 {
            return Err(Broken);
        }
        left -= read;
        definitions.clear();
        repetitions.clear();
        values.clear();
    }
    Ok(())
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    nested: bool,
    at: &mut u64,
    rows: &[u64],
    wrap: impl FnOnce(Vec<T::T>) -> Values,
) -> Result<Rows, Broken> {
    let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for run in rows.chunk_by(|a, b| a + 1 == *b) {
        let Some(first) = run.first() else { continue };
        let skip = first.checked_sub(*at).and_then(|skip| usize::try_from(skip).ok());
        let skip = skip.ok_or(Broken)?;
        if nested {
            read_past(reader, skip)?;
        } else if skip > 0 && reader.skip_records(skip)? != skip {
            return Err(Broken);
        }
        let mut left = run.len();
        while left > 0 {
            let (read, _, _) = reader.read_records(
                left,
                Some(&mut definitions),
                Some(&mut repetitions),
                &mut values,
            )?;
            if read == 0 {
                return Err(Broken);
            }
            left -= read;
        }
        *at = first + run.len() as u64;
    }
    Ok(Rows { definitions, repetitions, values: wrap(values) })
}
