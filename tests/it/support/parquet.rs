//! Parquet files, written and read back.

use std::fs;
use std::sync::Arc;

use amparo_arrow::*;

use super::Env;

/// The arrays that tests write.
pub(crate) mod amparo_arrow {
    pub(crate) use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, StringArray};
    pub(crate) use arrow::record_batch::RecordBatch;
    pub(crate) use parquet::arrow::ArrowWriter;
    pub(crate) use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
}

impl Env {
    /// Writes a Parquet file of these columns.
    pub(crate) fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let mut writer =
            ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self
    }

    /// A Parquet file's string columns, row by row; null is `None`.
    pub(crate) fn rows(&self, name: &str) -> Vec<Vec<Option<String>>> {
        let file = fs::File::open(self.path(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let mut rows = Vec::new();
        for batch in reader {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayRef| {
                    let text = column.as_any().downcast_ref::<StringArray>().unwrap();
                    (!text.is_null(row)).then(|| text.value(row).to_owned())
                };
                rows.push(batch.columns().iter().map(cell).collect());
            }
        }
        rows
    }

    /// A column of strings of a Parquet file; null is empty.
    pub(crate) fn rows_of_text(&self, name: &str, column: &str) -> Vec<String> {
        let file = fs::File::open(self.path(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let mut cells = Vec::new();
        for batch in reader {
            let batch = batch.unwrap();
            let text = batch.column_by_name(column).unwrap().as_any();
            let text = text.downcast_ref::<StringArray>().unwrap().clone();
            cells.extend(text.iter().map(|cell| cell.unwrap_or_default().to_owned()));
        }
        cells
    }

    /// Writes a Parquet file of one column of bytes.
    pub(crate) fn binary(&self, name: &str, column: &str, values: &[&[u8]]) -> &Self {
        self.parquet(name, vec![(column, Arc::new(BinaryArray::from(values.to_vec())))])
    }
}

/// A column of strings; `""` is null.
pub(crate) fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.iter().map(|v| (!v.is_empty()).then_some(*v))))
}

/// A column of integers.
pub(crate) fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}
